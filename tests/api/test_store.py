"""The one write path: committed when it returns, each write alone in its failure, many at once in one transaction."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from service.core import Core
from service.people.models import Team
from service.store.engine import make_engine
from service.store.migrate import upgrade
from service.store.store import Store, StoreClosedError


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    engine = make_engine(f"sqlite:///{tmp_path / 'store.sqlite'}")
    upgrade(engine)
    store = Store(engine)
    yield store
    store.close()


@pytest.fixture
def postgresql_store(postgresql_core: Core) -> Store:
    return postgresql_core.store


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def store(request: pytest.FixtureRequest) -> Store:
    found: Store = request.getfixturevalue(f"{request.param}_store")
    return found


def teams(store: Store) -> list[str]:
    with store.read() as session:
        return list(session.scalars(text("SELECT name FROM team WHERE name NOT LIKE '% team' ORDER BY name")))


def test_write_returns_its_result_and_is_seen_by_the_next_reader(store: Store) -> None:
    def write(session: Session) -> str:
        session.add(Team(name="north"))
        return "done"

    assert store.write(write) == "done"
    assert teams(store) == ["north"]


def test_write_that_raises_stores_nothing_and_the_caller_hears_it(store: Store) -> None:
    def write(session: Session) -> None:
        session.add(Team(name="north"))
        session.flush()
        message = "no"
        raise LookupError(message)

    with pytest.raises(LookupError, match="no"):
        store.write(write)
    assert teams(store) == []


def test_a_failure_takes_back_only_its_own_write(store: Store) -> None:
    """Forty writers at once, every fourth fails after it wrote."""

    def job(number: int) -> bool:
        def write(session: Session) -> None:
            session.add(Team(name=f"{number:02}"))
            session.flush()
            if number % 4 == 0:
                raise LookupError

        try:
            store.write(write)
        except LookupError:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        good = list(pool.map(job, range(40)))
    assert good == [number % 4 != 0 for number in range(40)]
    assert teams(store) == [f"{number:02}" for number in range(40) if number % 4]


def test_what_a_reader_changes_is_taken_back(store: Store) -> None:
    with store.read() as session:
        session.add(Team(name="north"))
        session.flush()
    assert teams(store) == []


def test_waiting_writes_share_one_commit(sqlite_store: Store) -> None:
    """While the first write holds the writer, the others gather: two commits for eleven writes."""
    commits = []
    event.listen(sqlite_store.engine, "commit", lambda _: commits.append(1))
    go, started = threading.Event(), threading.Event()

    def slow(session: Session) -> None:
        started.set()
        go.wait(10)
        session.add(Team(name="slow"))

    with ThreadPoolExecutor(11) as pool:
        first = pool.submit(sqlite_store.write, slow)
        started.wait(10)
        rest = [pool.submit(sqlite_store.write, lambda s, n=number: s.add(Team(name=f"{n}"))) for number in range(10)]
        while sqlite_store._queue.qsize() < 10:
            threading.Event().wait(0.001)
        go.set()
        for future in [first, *rest]:
            future.result(10)
    assert len(commits) == 2
    assert len(teams(sqlite_store)) == 11


def test_close_finishes_the_writes_that_wait(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    upgrade(make_engine(url))
    store = Store(make_engine(url))
    started = threading.Event()

    def slow(session: Session) -> None:
        started.set()
        threading.Event().wait(0.2)
        session.add(Team(name="slow"))

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(store.write, slow)
        started.wait(10)
        store.close()
        future.result(10)
    again = Store(make_engine(url))
    assert teams(again) == ["slow"]
    again.close()
    with pytest.raises(StoreClosedError):
        store.write(lambda session: session.add(Team(name="late")))


def test_sqlite_is_durable_and_has_foreign_keys(sqlite_store: Store) -> None:
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    with sqlite_store.read() as session:
        found = {name: session.execute(text(f"PRAGMA {name}")).scalar() for name in wanted}
    assert found == wanted


def test_memory_is_no_store() -> None:
    with pytest.raises(ValueError, match="needs a file"):
        make_engine("sqlite://")


def test_other_databases_are_refused() -> None:
    with pytest.raises(ValueError, match="SQLite or PostgreSQL"):
        make_engine("mysql://host/name")
