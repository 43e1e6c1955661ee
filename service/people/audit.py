"""The audit of staff acts and exact reads: rows that only grow, each sealed to the one before it (X9)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from service.core import Core
from service.logs import tell_audit
from service.people.access import Principal
from service.people.models import AuditEvent
from service.store.base import utc_now
from service.store.store import after_commit

FIRST: Final = "0" * 64  # what the first row holds in place of the hash before it
PRUNE: Final = "audit.prune"
LOCK: Final = 5_214_003  # PostgreSQL: one act after another, or two rows would name the same one before them


def record(
    session: Session, core: Core, principal: Principal, act: str, *, subject: str = "", **details: int | str | None
) -> None:
    """Add one act to the audit inside the caller's write, so that both are stored or neither.

    Parameters
    ----------
    session : Session
        Of the running ``store.write``.
    core : Core
        The deployment; its secret seals the row.
    principal : Principal
        Who acted.
    act : str
        What was done, such as ``place.approve``.
    subject : str, optional
        Id of what it was done to.
    **details
        Counts, codes and ids; never words of a person, positions, codes of workshops or secrets.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    previous = session.scalar(select(AuditEvent.hash).order_by(AuditEvent.seq.desc()).limit(1)) or FIRST
    row = AuditEvent(
        at=utc_now(),
        actor=principal.id,
        role=principal.role,
        act=act,
        subject=subject,
        details={name: value for name, value in details.items() if value is not None},
        previous=previous,
    )
    row.hash = seal(core, row)
    session.add(row)
    session.flush()
    values = {"principal": principal.id, "role": principal.role, "hash": row.hash}
    after_commit(session, lambda: tell_audit(core.settings, act, **values))


def record_read(core: Core, principal: Principal, act: str, *, subject: str = "", rows: int) -> None:
    """Record that staff read exact data: who, what and how many; never where (X9)."""
    if principal.is_staff:
        core.store.write(lambda session: record(session, core, principal, act, subject=subject, rows=rows))


def seal(core: Core, row: AuditEvent) -> str:
    """Return the keyed hash of a row and of the hash before it; without the deployment's secret nobody can make it."""
    content: list[Any] = [
        *(row.previous, row.at.isoformat(timespec="microseconds"), row.actor, row.role, row.act, row.subject),
        row.details,
    ]
    return core.keyed_hash("audit", json.dumps(content, sort_keys=True, ensure_ascii=True))


def prune(session: Session, core: Core, principal: Principal, before: datetime) -> int:
    """Delete the acts of before a time, and seal what was deleted into a new row, so that the rest still verifies (L6).

    Returns
    -------
    int
        How many rows are gone.
    """
    last = session.execute(
        select(AuditEvent.seq, AuditEvent.hash).where(AuditEvent.at < before).order_by(AuditEvent.seq.desc()).limit(1)
    ).first()
    if last is None:
        return 0
    old = AuditEvent.seq <= last.seq
    rows = session.scalar(select(func.count()).select_from(AuditEvent).where(old)) or 0
    record(session, core, principal, PRUNE, rows=rows, last=last.hash, before=before.isoformat())
    session.execute(delete(AuditEvent).where(old))
    return rows
