"""What the write path on SQLite does when things go wrong: failing neighbours, a full disk, closing, kill -9."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError
from sqlalchemy.orm import Session

from service.jobs.models import Job
from service.people.models import Team
from service.store.engine import make_engine
from service.store.store import Store, StoreClosedError
from service.tables import METADATA


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    opened = Store(make_engine(f"sqlite:///{path}"))
    METADATA.create_all(opened.engine)
    yield opened
    opened.close()


def add(name: str) -> Any:
    return lambda session: session.add(Team(name=name))


def names(store: Store) -> list[str]:
    with store.read() as session:
        return list(session.scalars(select(Team.name).order_by(Team.id)))


class Held:
    """Holds the writer thread inside one write until all the others wait, so that they form one group."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.go = threading.Event()
        self.threads: list[threading.Thread] = []
        self.problems: dict[int, BaseException] = {}
        self.commits = 0
        event.listen(store.engine, "commit", self._count)
        started = threading.Event()
        self._start(-1, lambda _session: (started.set(), self.go.wait(30)))
        assert started.wait(10)

    def _count(self, _connection: Any) -> None:
        self.commits += 1

    def _start(self, number: int, function: Any) -> None:
        def call() -> None:
            try:
                self.store.write(function)
            except BaseException as error:  # handed to the test
                self.problems[number] = error

        thread = threading.Thread(target=call)
        thread.start()
        self.threads.append(thread)

    def write(self, *functions: Any) -> None:
        for number, function in enumerate(functions):
            waiting = self.store._queue.qsize()
            self._start(number, function)
            while self.store._queue.qsize() == waiting:
                time.sleep(0.001)

    def finish(self) -> None:
        self.go.set()
        for thread in self.threads:
            thread.join(20)


def test_failing_write_of_a_group_leaves_its_neighbours(store: Store) -> None:
    def fail_late(session: Session) -> None:
        session.add(Team(name="half"))
        session.flush()
        raise ValueError("no")

    def break_a_rule(session: Session) -> None:
        session.execute(text("INSERT INTO team (id, name) VALUES (1, 'x'), (1, 'y')"))

    held = Held(store)
    held.write(add("before"), fail_late, add("between"), break_a_rule, add("after"))
    held.finish()
    assert names(store) == ["before", "between", "after"]
    assert isinstance(held.problems.pop(1), ValueError)
    assert isinstance(held.problems.pop(3), IntegrityError)
    assert held.problems == {}
    assert held.commits == 2


def test_failing_commit_is_told_to_everybody_in_the_group(store: Store) -> None:
    def break_a_deferred_rule(session: Session) -> None:
        session.execute(text("PRAGMA defer_foreign_keys = ON"))
        session.execute(
            text("INSERT INTO place_hotspot (place_seq, run_id) VALUES (1, '00000000000000000000000000000000')")
        )

    held = Held(store)
    held.write(add("neighbour"), break_a_deferred_rule)
    held.finish()
    assert names(store) == []  # nothing was stored, and nobody was told otherwise
    assert set(held.problems) == {0, 1}
    store.write(add("later"))
    assert names(store) == ["later"]


def test_full_disk_is_told_and_what_was_acknowledged_stays(store: Store) -> None:
    store.write(add("kept"))
    with store.engine.connect() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()

    @event.listens_for(store.engine, "begin", insert=False)
    def _fill(connection: Any) -> None:
        # SQLite answers SQLITE_FULL at this size as it does on a full disk
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    big = "x" * 100_000
    held = Held(store)
    held.write(add("small"), lambda session: session.add(Team(name=big)), add("other"))
    held.finish()
    assert held.problems  # at least the large one
    assert isinstance(held.problems[1], OperationalError | OSError)
    assert "full" in str(held.problems[1])
    told = {"small": 0, "other": 2}
    stored = names(store)
    assert stored[0] == "kept"
    for name, number in told.items():
        assert (name in stored) is (number not in held.problems)  # nobody is told a lie, either way


def test_close_finishes_what_waits_and_refuses_what_comes_after(store: Store) -> None:
    held = Held(store)
    held.write(*(add(str(n)) for n in range(5)))
    closing = threading.Thread(target=store.close)
    closing.start()
    while not store._closed:
        time.sleep(0.001)
    with pytest.raises(StoreClosedError):
        store.write(add("late"))
    held.finish()
    closing.join(10)
    assert held.problems == {}
    assert names(store) == [str(n) for n in range(5)]  # reading opens a new connection
    store.engine.dispose()


WRITER = """
import sys
from service.people.models import Team
from service.store.engine import make_engine
from service.store.store import Store
store = Store(make_engine("sqlite:///" + sys.argv[1]))
for n in range(int(sys.argv[3])):
    store.write(lambda session: session.add(Team(name=f"{sys.argv[2]}-{n}")))
    print(f"{sys.argv[2]}-{n}", flush=True)
store.close()
"""


def start_writer(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path), name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_two_processes_writing_at_once_lose_nothing(store: Store, path: Path) -> None:
    writers = [start_writer(path, name, 150) for name in ("a", "b")]
    told = [writer.communicate(timeout=60)[0].split() for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0]
    assert sorted(names(store)) == sorted(told[0] + told[1])
    assert len(told[0] + told[1]) == 300


def test_what_a_killed_process_acknowledged_is_there_once(store: Store, path: Path) -> None:
    writer = start_writer(path, "a", 100_000)
    assert writer.stdout is not None
    told = [writer.stdout.readline().strip() for _ in range(100)]
    writer.kill()
    told += writer.stdout.read().split()
    writer.wait()
    writer.stdout.close()
    told = [line for line in told if line]
    stored = names(store)
    assert len(told) >= 100
    # one more may be stored: committed, and killed before it could say so; a cut line is no acknowledgement
    assert stored[: len(told) - 1] == told[:-1]
    assert len(set(stored)) == len(stored)


def test_savepoint_goes_with_the_outer_rollback(store: Store) -> None:
    with store.engine.connect() as connection:
        outer = connection.begin()
        with connection.begin_nested():
            connection.execute(insert(Team).values(name="inner"))
        outer.rollback()
    assert names(store) == []


@pytest.mark.requirement("X9")
def test_error_of_the_database_does_not_show_the_values(store: Store) -> None:
    secret = "a person's words"
    with pytest.raises(IntegrityError) as caught:
        store.write(
            lambda session: session.execute(
                text("INSERT INTO team (id, name) VALUES (NULL, :n), (1, :n), (1, :n)"), {"n": secret}
            )
        )
    assert secret not in str(caught.value)


def test_times_are_aware_and_in_utc(store: Store) -> None:
    summer = datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=1)))

    def put(session: Session) -> Any:
        job = Job(kind="x", created_at=summer)
        session.add(job)
        session.flush()
        return job.id

    job_id = store.write(put)
    with store.read() as session:
        job = session.get(Job, job_id)
        assert job is not None
        assert (job.created_at, job.created_at.tzinfo) == (summer, UTC)
    with pytest.raises(StatementError, match="without a zone"):
        store.write(lambda session: session.add(Job(kind="x", created_at=datetime(2026, 7, 1, 12))))  # noqa: DTZ001
