"""The audit of staff acts and exact reads: rows that only grow, each sealed to the one before it (X9)."""

from __future__ import annotations

import json
import logging
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from service.core import Core
from service.people.access import Principal
from service.people.models import AuditEvent
from service.store.base import utc_now

LOG = logging.getLogger("safer_places.audit")
FIRST: Final = "0" * 64  # what the first row holds in place of the hash before it
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
    LOG.info(act, extra={"principal": principal.id, "role": principal.role, "hash": row.hash})


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
