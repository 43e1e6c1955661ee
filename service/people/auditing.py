"""Look through the audit, and verify it: a changed, removed or inserted row shows, and so does a cut end (X9)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from service.core import Core
from service.errors import ConflictError
from service.logs import AUDIT_FILE
from service.people.access import Principal, Right
from service.people.audit import FIRST, PRUNE, seal
from service.people.models import AuditEvent
from service.people.schemas import AuditQuery

CHUNK: Final = 5_000
PAGE: Final = 100
LOCAL_TIME: Final = ZoneInfo("Europe/London")


class BrokenAuditError(ConflictError):
    """The audit is not what was written; the message names the first row that shows it."""


@dataclass(slots=True)
class _Walk:
    """How far the chain is known to be whole, and what its beginning leans on."""

    rows: int = 0
    previous: str | None = None
    start: str = FIRST
    pruned: dict[str, str] = field(default_factory=dict)  # hash of the last row deleted by duty -> time it went up to


def list_events(core: Core, principal: Principal, wanted: AuditQuery) -> tuple[list[AuditEvent], int | None]:
    """Return a page of acts, the newest first, and where the next page begins if there is one.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the principal may not read the audit.
    """
    principal.require(Right.AUDIT_READ)
    query = _narrow(select(AuditEvent), wanted).order_by(AuditEvent.seq.desc()).limit(PAGE + 1)
    if wanted.before is not None:
        query = query.where(AuditEvent.seq < wanted.before)
    with core.store.read() as session:
        rows = list(session.scalars(query))
    return rows[:PAGE], rows[PAGE - 1].seq if len(rows) > PAGE else None


def _narrow(query: Select[Any], wanted: AuditQuery) -> Select[Any]:
    if wanted.actor:
        query = query.where(AuditEvent.actor == wanted.actor)
    if wanted.act:
        query = query.where(AuditEvent.act.startswith(wanted.act, autoescape=True))
    if wanted.subject:
        query = query.where(AuditEvent.subject == wanted.subject)
    if wanted.since is not None:
        query = query.where(AuditEvent.at >= _midnight(wanted.since))
    if wanted.until is not None:
        query = query.where(AuditEvent.at < _midnight(wanted.until) + timedelta(days=1))
    return query


def local_words(moment: datetime) -> str:
    """Return a time as people in the borough write it: 3 June 2018, 14:05:09."""
    here = moment.astimezone(LOCAL_TIME)
    return f"{here.day} {here:%B %Y, %H:%M:%S}"


def _midnight(day: date) -> datetime:
    """Return the beginning of a day in the borough."""
    return datetime(day.year, day.month, day.day, tzinfo=LOCAL_TIME)


def verify(core: Core, *, log: Path | None = None, tell: Callable[[int], None] = lambda _: None) -> int:
    """Walk the whole audit and return how many rows it has.

    Parameters
    ----------
    core : Core
        The deployment; rows are sealed with its secret.
    log : Path, optional
        The copy to compare with, such as one kept elsewhere; the audit file of the data folder where left out.
    tell : callable of int
        Called with the rows done so far, now and then.

    Returns
    -------
    int
        Rows of the audit.

    Raises
    ------
    BrokenAuditError
        Naming the first row that was changed, or before which rows were removed or inserted, or after which the end
        was cut off.
    """
    walk = _Walk()
    copied = _hashes(log or core.settings.data_dir / AUDIT_FILE)
    last = 0
    with core.store.read() as session:
        while rows := _next(session, last):
            for row in rows:
                _check(core, row, walk)
                copied.pop(row.hash, None)
            last = rows[-1].seq
            session.expunge_all()
            tell(walk.rows)
    if walk.start != FIRST and walk.start not in walk.pruned:
        message = "The audit is not whole: rows before its first one were removed."
        raise BrokenAuditError(message)
    pruned_until = walk.pruned.get(walk.start, "")
    lost = [time for time in copied.values() if not pruned_until or time >= pruned_until]
    if lost:
        where = f"after row {last}" if last else "from the beginning"
        message = f"The audit is not whole: its file names {len(lost)} acts that are gone; the end was cut {where}."
        raise BrokenAuditError(message)
    return walk.rows


def _next(session: Session, after: int) -> list[AuditEvent]:
    query = select(AuditEvent).where(AuditEvent.seq > after).order_by(AuditEvent.seq).limit(CHUNK)
    return list(session.scalars(query))


def _check(core: Core, row: AuditEvent, walk: _Walk) -> None:
    if row.hash != seal(core, row):
        message = f"The audit is not whole: row {row.seq} was changed, or did not come from this deployment."
        raise BrokenAuditError(message)
    if walk.previous is None:
        walk.start = row.previous
    elif row.previous != walk.previous:
        message = f"The audit is not whole: before row {row.seq} a row was removed or put in."
        raise BrokenAuditError(message)
    if row.act == PRUNE:
        walk.pruned[str(row.details.get("last"))] = str(row.details.get("before"))
    walk.previous = row.hash
    walk.rows += 1


def _hashes(path: Path) -> dict[str, str]:
    """Return the hash of every line of an audit file, with its time."""
    found: dict[str, str] = {}
    if not path.exists():
        return found
    with path.open(encoding="utf-8") as file:
        for text in file:
            try:
                line: dict[str, Any] = json.loads(text)
            except ValueError:
                continue  # a line cut by a full disk; its row is in the store
            if line.get("hash"):
                found[str(line["hash"])] = str(line.get("time", ""))
    return found
