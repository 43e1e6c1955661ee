"""Backup while serving, restore into a new folder, and nothing that was taken back comes back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from service import erasures
from service.core import Core, initialise, open_core
from service.duty.archive import read_manifest
from service.duty.workflow import SCHEDULE, RestorePlan, make_backup, restore_backup, run_retention
from service.errors import ConflictError, InvalidInputError
from service.moderation.models import Hold
from service.places.models import Place
from service.settings import Settings
from tests.api.test_retention import PROBE, change, in_days, read, send
from tests.support.moderation import ask, decide

WITHDRAW = "/api/v1/receipts/withdraw"


@pytest.fixture
def lite(demo_client: TestClient) -> TestClient:
    """Run a demo with square wards on SQLite."""
    from tests.support.squares import add_squares

    add_squares(demo_client.app.state.core)  # type: ignore[attr-defined]
    return demo_client


def core_of(client: TestClient) -> Core:
    found: Core = client.app.state.core  # type: ignore[attr-defined]
    return found


def restore(core: Core, backup: Path, into: Path, **values: Any) -> Any:
    folder = core.settings.data_dir
    plan = RestorePlan(backup, into, folder / "secret.key", folder / erasures.FILE)
    return restore_backup(core.settings, plan, **values)


def opened(core: Core, folder: Path) -> Core:
    return open_core(core.settings.model_copy(update={"data_dir": folder}))


@pytest.mark.requirement("L6", "L7", "X12")
def test_restore_brings_back_neither_what_was_taken_back_nor_its_words(lite: TestClient, tmp_path: Path) -> None:
    core = core_of(lite)
    gone, receipt = send(lite)
    kept, other = send(lite)
    backup = tmp_path / "backup.tar"
    made = make_backup(core, backup, SCHEDULE)
    assert made.size == backup.stat().st_size
    lite.post(WITHDRAW, json={"receipt": receipt})
    done = restore(core, backup, tmp_path / "new")
    assert done.replayed == {erasures.WITHDRAWN: 1}
    again = opened(core, tmp_path / "new")
    try:
        place = read(again, gone)
        assert place is not None
        assert (place.status, place.note, place.geometry, place.publish) == ("withdrawn", None, None, "never")
        there = read(again, kept)
        assert there is not None
        assert (there.status, there.note) == ("pending", f"{PROBE} note")
        assert again.keyed_hash("receipt", other) == core.keyed_hash("receipt", other)
    finally:
        again.store.close()


@pytest.mark.requirement("L6", "X12")
def test_restored_folder_holds_no_byte_of_words_that_were_taken_back(lite: TestClient, tmp_path: Path) -> None:
    core = core_of(lite)
    sent = [send(lite) for _ in range(30)]
    make_backup(core, tmp_path / "backup.tar", SCHEDULE)
    for _, receipt in sent[:20]:
        assert lite.post(WITHDRAW, json={"receipt": receipt}).status_code in {200, 429}
    run_retention(core, SCHEDULE, now=in_days(181))
    restore(core, tmp_path / "backup.tar", tmp_path / "new")
    for path in (tmp_path / "new").rglob("*"):
        if path.is_file():
            assert PROBE.encode() not in path.read_bytes(), path.name


@pytest.mark.requirement("S5", "L6")
def test_held_withdrawal_stays_held_after_a_restore(lite: TestClient, tmp_path: Path) -> None:
    core = core_of(lite)
    at_backup, first = send(lite)  # with the lead when the backup is made
    after_backup, second = send(lite)  # passed to the lead after it
    change(core, at_backup, status="held")
    make_backup(core, tmp_path / "backup.tar", SCHEDULE)
    change(core, after_backup, status="held")
    for receipt in (first, second):
        assert lite.post(WITHDRAW, json={"receipt": receipt}).json()["state"] == "withdrawn"
    done = restore(core, tmp_path / "backup.tar", tmp_path / "new", now=in_days(3000))
    assert done.replayed == {erasures.WITHDRAWN_HELD: 2}
    again = opened(core, tmp_path / "new")
    try:
        for identifier in (at_backup, after_backup):
            place = read(again, identifier)
            assert place is not None
            assert (place.status, place.publish, place.note) == ("held", "never", f"{PROBE} note")
            assert place.withdrawn_on is not None
        with again.store.read() as session:
            assert len(session.scalars(select(Hold).where(Hold.decided_at.is_(None))).all()) == 2
    finally:
        again.store.close()


@pytest.mark.requirement("S4", "S9", "L6")
def test_what_was_kept_from_the_public_after_the_backup_is_kept_after_a_restore(
    lite: TestClient, tmp_path: Path
) -> None:
    core = core_of(lite)
    names = ("held", "decided", "never", "counted", "undone", "plain")
    marks = {name: send(lite)[0] for name in names}
    for identifier in marks.values():
        change(core, identifier, status="approved")
    make_backup(core, tmp_path / "backup.tar", SCHEDULE)
    for name in ("held", "decided"):
        number = ask(lite, "moderator", f"/marks/{marks[name]}/hold", {}).json()["hold"]
    decision = {"outcome": "no_action", "reason": "Talked it over.", "then": "return"}
    assert ask(lite, "safeguarding_lead", f"/holds/{number}/decide", decision).status_code == 200
    for name in ("never", "counted", "undone"):
        done = decide(lite, str(marks[name]), "never").json()["decision"]
    assert ask(lite, "moderator", f"/decisions/{done}/undo", {}).status_code == 200
    decide(lite, str(marks["counted"]), "count")
    done = restore(core, tmp_path / "backup.tar", tmp_path / "new")
    assert done.replayed == {erasures.HELD: 1, erasures.NEVER: 1}
    again = opened(core, tmp_path / "new")
    try:
        found = {name: read(again, identifier) for name, identifier in marks.items()}
        states = {name: (place.status, place.publish) for name, place in found.items() if place is not None}
        assert states == dict.fromkeys(names, ("approved", "count")) | {
            "held": ("held", "count"),
            "never": ("approved", "never"),
        }
        with again.store.read() as session:
            (hold,) = session.scalars(select(Hold).where(Hold.decided_at.is_(None))).all()
        assert hold.held_by == "restore"
    finally:
        again.store.close()


@pytest.mark.requirement("L6")
def test_without_the_journal_the_restore_says_so(lite: TestClient, tmp_path: Path) -> None:
    core = core_of(lite)
    _, receipt = send(lite)
    make_backup(core, tmp_path / "backup.tar", SCHEDULE)
    lite.post(WITHDRAW, json={"receipt": receipt})
    plan = RestorePlan(tmp_path / "backup.tar", tmp_path / "new", core.settings.data_dir / "secret.key", None)
    assert not restore_backup(core.settings, plan).has_newer_journal


@pytest.mark.requirement("L6")
def test_journal_older_than_the_backup_forgets_nothing_and_is_told(lite: TestClient, tmp_path: Path) -> None:
    core = core_of(lite)
    old = tmp_path / "old.jsonl"
    old.touch()
    _, receipt = send(lite)
    lite.post(WITHDRAW, json={"receipt": receipt})
    make_backup(core, tmp_path / "backup.tar", SCHEDULE)
    plan = RestorePlan(tmp_path / "backup.tar", tmp_path / "new", core.settings.data_dir / "secret.key", old)
    assert not restore_backup(core.settings, plan).has_newer_journal
    assert len(list(erasures.read_erasures(tmp_path / "new" / erasures.FILE))) == 1


def test_backup_is_consistent_while_marks_arrive(lite: TestClient, tmp_path: Path) -> None:
    core = core_of(lite)
    stop = threading.Event()
    sent: list[uuid.UUID] = []

    def keep_sending() -> None:
        while not stop.is_set():
            sent.append(send(lite)[0])

    thread = threading.Thread(target=keep_sending)
    thread.start()
    try:
        deadline = time.monotonic() + 120
        while len(sent) < 10 and time.monotonic() < deadline:
            time.sleep(0.01)
        before = set(sent)
        make_backup(core, tmp_path / "backup.tar", SCHEDULE)
    finally:
        stop.set()
        thread.join()
    restore(core, tmp_path / "backup.tar", tmp_path / "new")
    again = opened(core, tmp_path / "new")
    try:
        with again.store.read() as session:
            found = set(session.scalars(select(Place.id)))
            check = session.connection().exec_driver_sql("PRAGMA integrity_check").scalar()
    finally:
        again.store.close()
    assert check == "ok"
    assert before <= found <= set(sent)


@pytest.mark.requirement("X4")
def test_secret_key_is_not_in_the_backup_and_a_wrong_one_is_refused(lite: TestClient, tmp_path: Path) -> None:
    core = core_of(lite)
    make_backup(core, tmp_path / "backup.tar", SCHEDULE)
    assert core.secret not in (tmp_path / "backup.tar").read_bytes()
    assert (tmp_path / "backup.tar").stat().st_mode & 0o077 == 0
    wrong = tmp_path / "other.key"
    wrong.write_bytes(b"x" * 32)
    for key, words in ((None, "--key"), (wrong, "not the one")):
        with pytest.raises(InvalidInputError, match=words):
            restore_backup(core.settings, RestorePlan(tmp_path / "backup.tar", tmp_path / "new", key, None))
        assert sorted(path.name for path in tmp_path.iterdir() if "new" in path.name) == []


def test_damaged_cut_or_foreign_file_is_refused(lite: TestClient, tmp_path: Path) -> None:
    core = core_of(lite)
    send(lite)
    good = tmp_path / "backup.tar"
    make_backup(core, good, SCHEDULE)
    data = good.read_bytes()
    cut, foreign, damaged = (tmp_path / name for name in ("cut.tar", "foreign.tar", "damaged.tar"))
    cut.write_bytes(data[: len(data) // 2])
    foreign.write_bytes(b"no archive")
    at = data.index(PROBE.encode())
    damaged.write_bytes(data[:at] + b"X" + data[at + 1 :])
    for path in (cut, foreign, damaged):
        with pytest.raises(InvalidInputError):
            restore(core, path, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_nothing_is_written_over(lite: TestClient, tmp_path: Path) -> None:
    core = core_of(lite)
    make_backup(core, tmp_path / "backup.tar", SCHEDULE)
    with pytest.raises(ConflictError):
        make_backup(core, tmp_path / "backup.tar", SCHEDULE)
    with pytest.raises(ConflictError):
        restore(core, tmp_path / "backup.tar", core.settings.data_dir)


def test_crimes_and_runs_come_along_and_caches_do_not(lite: TestClient, tmp_path: Path) -> None:
    core = core_of(lite)
    for name in ("crimes/a.parquet", "runs/b.parquet", "releases/c.json", "tiles/d.png", "cache/e", "crimes/tmp-1"):
        path = core.settings.data_dir / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"content")
    make_backup(core, tmp_path / "backup.tar", SCHEDULE)
    names = set(read_manifest(tmp_path / "backup.tar")["files"])
    assert {"safer-places.sqlite", "crimes/a.parquet", "runs/b.parquet", "releases/c.json"} <= names
    assert not {"tiles/d.png", "cache/e", "crimes/tmp-1", "secret.key"} & names
    restore(core, tmp_path / "backup.tar", tmp_path / "new")
    assert (tmp_path / "new" / "releases" / "c.json").read_bytes() == b"content"


@pytest.mark.slow
def test_killed_backup_leaves_no_half_file(tmp_path: Path) -> None:
    folder, target = tmp_path / "data", tmp_path / "backups"
    target.mkdir()
    initialise(Settings(data_dir=folder), "demo")
    (folder / "crimes").mkdir()
    with (folder / "crimes" / "large").open("wb") as file:
        file.truncate(4_000_000_000)  # holes: it takes seconds to copy and no room
    process = subprocess.Popen(
        [sys.executable, "-m", "service.cli", "backup", str(target / "backup.tar")],
        env=os.environ | {"SAFER_PLACES_DATA_DIR": str(folder)},
    )
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and written(process.pid) < 50_000_000 and process.poll() is None:
            time.sleep(0.01)
        assert process.poll() is None, "it ended before it could be killed"
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
    assert list(target.iterdir()) == []


def written(pid: int) -> int:
    """Return how many bytes a process has written."""
    try:
        lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    except OSError:
        return 0
    return int(next(line for line in lines if line.startswith("wchar")).split()[1])


@pytest.mark.postgresql
def test_postgresql_backup_holds_the_rest_and_the_dump_is_replayed_on(
    postgresql_client: TestClient, tmp_path: Path
) -> None:
    """The store itself is pg_dump's: here the database stands in for the one that pg_restore filled."""
    from tests.support.squares import add_squares

    core = core_of(postgresql_client)
    add_squares(core)
    gone, _ = send(postgresql_client)
    held, _ = send(postgresql_client)
    change(core, held, status="held")
    make_backup(core, tmp_path / "backup.tar", SCHEDULE)
    assert "safer-places.sqlite" not in read_manifest(tmp_path / "backup.tar")["files"]
    today = in_days(0).date()
    erasures.note_erasures(core, erasures.WITHDRAWN, [gone], today)
    erasures.note_erasures(core, erasures.WITHDRAWN_HELD, [held], today)
    done = restore(core, tmp_path / "backup.tar", tmp_path / "new")
    assert done.replayed == {erasures.WITHDRAWN: 1, erasures.WITHDRAWN_HELD: 1}
    place, with_lead = read(core, gone), read(core, held)
    assert place is not None
    assert with_lead is not None
    assert (place.status, place.note) == ("withdrawn", None)
    assert (with_lead.status, with_lead.note, with_lead.publish) == ("held", f"{PROBE} note", "never")


def test_backup_commands_say_what_to_keep(lite: TestClient, tmp_path: Path) -> None:
    core = core_of(lite)
    environment = os.environ | {"SAFER_PLACES_DATA_DIR": str(core.settings.data_dir)}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "service.cli", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)

    backup = str(tmp_path / "b.tar")
    first = run("backup", backup)
    assert first.returncode == 0, first.stderr
    assert "The secret key is not in it" in first.stdout
    assert run("backup", backup).returncode == 2
    second = run("restore", backup, "--into", str(tmp_path / "n"), "--key", str(core.settings.data_dir / "secret.key"))
    assert second.returncode == 0, second.stderr
    assert "Restored to" in second.stdout
    assert "Warning" not in second.stdout
    words = ("--key", str(core.settings.data_dir / "secret.key"), "--journal", str(tmp_path / "lost.jsonl"))
    assert "Warning: no erasures.jsonl" in run("restore", backup, "--into", str(tmp_path / "m"), *words).stdout
    with tarfile.open(backup) as tar:
        assert tar.getnames()[-1] == "manifest.json"


@pytest.mark.requirement("S5", "L6", "L7")
def test_mark_that_the_lead_erases_does_not_come_back_either(lite: TestClient, tmp_path: Path) -> None:
    from service.moderation.schemas import HoldDecideIn
    from service.moderation.workflow import decide_hold
    from service.people.access import Principal

    core = core_of(lite)
    one, receipt = send(lite)
    place = read(core, one)
    assert place is not None
    hold = Hold(place_seq=place.seq, status_before="pending", held_by="moderator", due_at=in_days(0))
    core.store.write(lambda session: session.add(hold))
    change(core, one, status="held")
    make_backup(core, tmp_path / "backup.tar", SCHEDULE)
    lite.post(WITHDRAW, json={"receipt": receipt})
    with core.store.read() as session:
        number = session.scalars(select(Hold.id)).one()
    asked = HoldDecideIn(outcome="no_action", reason="Read and talked to the worker.", then="return")
    assert decide_hold(core, Principal("lead", "safeguarding_lead"), number, asked).status == "withdrawn"
    kinds = [entry.kind for entry in erasures.read_erasures(erasures.journal_path(core))]
    assert kinds == [erasures.WITHDRAWN_HELD, erasures.WITHDRAWN]
    # In the backup it is with the lead, whose decision is lost with the store: it waits for the lead again.
    done = restore(core, tmp_path / "backup.tar", tmp_path / "new")
    assert done.replayed == {erasures.WITHDRAWN_HELD: 1}
