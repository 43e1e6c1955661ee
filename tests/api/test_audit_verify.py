"""Tampering with the audit shows: a changed, removed, inserted or reordered row, and a cut end, on both engines."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from service.core import Core
from service.people.access import Principal
from service.people.audit import prune, record, record_read
from service.people.auditing import BrokenAuditError, list_events, verify
from service.people.schemas import AuditQuery
from service.store.base import utc_now

WHO = Principal("worker", "youth_worker", 1)
ADMIN = Principal("admin", "admin", 2)


@pytest.fixture(params=["demo_core", pytest.param("postgresql_core", marks=pytest.mark.postgresql)])
def core(request: pytest.FixtureRequest) -> Core:
    """Open a core with seven acts."""
    found: Core = request.getfixturevalue(request.param)
    for number in range(7):
        found.store.write(lambda session, n=number: record(session, found, WHO, "try", subject=f"s{n}", rows=n))
    return found


def execute(core: Core, *statements: str) -> None:
    def write(session: Any) -> None:
        for statement in statements:
            session.execute(text(statement))

    core.store.write(write)


COPY = "INSERT INTO audit_event (seq, at, actor, role, act, subject, details, previous, hash) SELECT"
TAMPERED: dict[str, tuple[list[str], str]] = {
    "a changed word": (["UPDATE audit_event SET actor = 'somebody' WHERE seq = 4"], "row 4 was changed"),
    "a changed detail": (["UPDATE audit_event SET details = '{\"rows\": 0}' WHERE seq = 4"], "row 4 was changed"),
    "a removed row": (["DELETE FROM audit_event WHERE seq = 3"], "before row 4 a row was removed"),
    "removed first rows": (["DELETE FROM audit_event WHERE seq < 3"], "rows before its first one"),
    "an inserted row": (
        [f"{COPY} 90, at, actor, role, act, 's9', details, previous, '{'a' * 64}' FROM audit_event WHERE seq = 7"],
        "row 90 was changed, or did not come",
    ),
    "two rows swapped": (
        [
            "UPDATE audit_event SET seq = 90 WHERE seq = 5",
            "UPDATE audit_event SET seq = 5 WHERE seq = 6",
            "UPDATE audit_event SET seq = 6 WHERE seq = 90",
        ],
        "before row 5 a row was removed or put in",
    ),
    "a cut end": (["DELETE FROM audit_event WHERE seq > 5"], "the end was cut after row 5"),
    "all of it": (["DELETE FROM audit_event"], "cut from the beginning"),
}


@pytest.mark.requirement("X9")
def test_an_untouched_audit_is_whole(core: Core) -> None:
    assert verify(core) == 7


@pytest.mark.requirement("X9")
@pytest.mark.parametrize("what", TAMPERED)
def test_tampering_is_found_and_the_row_is_named(core: Core, what: str) -> None:
    statements, words = TAMPERED[what]
    execute(core, *statements)
    with pytest.raises(BrokenAuditError, match=words):
        verify(core)


@pytest.mark.requirement("X9")
def test_end_cut_and_written_on_is_found(core: Core) -> None:
    execute(core, "DELETE FROM audit_event WHERE seq > 5")
    record_read(core, WHO, "places.list", rows=1)
    with pytest.raises(BrokenAuditError, match="names 2 acts that are gone"):
        verify(core)


@pytest.mark.requirement("X9")
def test_end_is_compared_with_a_copy_kept_elsewhere(core: Core, tmp_path: Any) -> None:
    here = core.settings.data_dir / "audit.log"
    shipped = tmp_path / "shipped.log"
    shipped.write_bytes(here.read_bytes() + b'{"cut": "in the mid')
    execute(core, "DELETE FROM audit_event WHERE seq > 5")
    here.write_text("")  # whoever can change the store may be able to empty the file beside it
    assert verify(core) == 5
    with pytest.raises(BrokenAuditError, match="after row 5"):
        verify(core, log=shipped)


def test_an_act_that_is_taken_back_is_not_in_the_file(core: Core) -> None:
    def act(session: Any) -> None:
        record(session, core, WHO, "try")
        message = "no"
        raise ValueError(message)

    with pytest.raises(ValueError, match="no"):
        core.store.write(act)
    assert verify(core) == 7
    lines = (core.settings.data_dir / "audit.log").read_text().splitlines()
    assert len(lines) == 7


@pytest.mark.requirement("X9")
def test_what_duty_deletes_is_sealed_into_the_rest(core: Core) -> None:
    moment = utc_now() + timedelta(seconds=1)
    assert core.store.write(lambda session: prune(session, core, ADMIN, moment)) == 7
    record_read(core, WHO, "places.list", rows=1)
    assert verify(core) == 2
    assert core.store.write(lambda session: prune(session, core, ADMIN, moment - timedelta(days=1))) == 0
    execute(core, "DELETE FROM audit_event WHERE act = 'audit.prune'")
    with pytest.raises(BrokenAuditError, match="rows before its first one"):
        verify(core)


@pytest.mark.requirement("X9")
def test_file_names_who_and_what_and_never_where(core: Core) -> None:
    lines = [json.loads(line) for line in (core.settings.data_dir / "audit.log").read_text().splitlines()]
    assert all(set(line) == {"time", "level", "logger", "event", "principal", "role", "hash"} for line in lines)
    assert (core.settings.data_dir / "audit.log").stat().st_mode & 0o777 == 0o600


def test_list_is_narrowed_and_paged(core: Core) -> None:
    for number in range(120):
        core.store.write(lambda session, n=number: record(session, core, ADMIN, "key.make", subject=f"k{n}"))
    first, cursor = list_events(core, ADMIN, AuditQuery(act="key."))
    second, end = list_events(core, ADMIN, AuditQuery(act="key.", before=cursor))
    assert [row.subject for row in first + second] == [f"k{n}" for n in reversed(range(120))]
    assert end is None
    assert [row.subject for row in list_events(core, ADMIN, AuditQuery(actor="worker", subject="s3"))[0]] == ["s3"]
    today = utc_now().date()
    assert list_events(core, ADMIN, AuditQuery(until=today - timedelta(days=2)))[0] == []
    assert len(list_events(core, ADMIN, AuditQuery(since=today - timedelta(days=2)))[0]) == 100


@pytest.mark.requirement("X9")
def test_command_tells_the_row_and_ends_with_2(
    demo_core: Core, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from service import cli

    monkeypatch.setenv("SAFER_PLACES_DATA_DIR", str(demo_core.settings.data_dir))
    for number in range(3):
        record_read(demo_core, WHO, "places.list", rows=number)
    assert "3 rows" in CliRunner().invoke(cli.app, ["audit", "verify"]).output
    execute(demo_core, "UPDATE audit_event SET role = 'admin' WHERE seq = 2")
    monkeypatch.setattr("sys.argv", ["safer-places", "audit", "verify"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert "row 2 was changed" in capsys.readouterr().err
