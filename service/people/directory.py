"""Colleagues by number: what other subjects may know of staff, and that is how they are called and what they may do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from service.core import Core
from service.people.models import PrincipalRow, Team
from service.store.base import utc_now

SAMPLE_LEAD = "Sample safeguarding lead"


@dataclass(frozen=True, slots=True)
class Colleague:
    """A member of staff as colleagues see them."""

    number: int
    label: str
    role: str


def colleagues(core: Core, role: str) -> list[Colleague]:
    """Return the staff of a role whose accounts are neither expired nor revoked, by name."""
    now = utc_now()
    query = (
        select(PrincipalRow.id, PrincipalRow.label, PrincipalRow.role)
        .where(
            PrincipalRow.role == role,
            PrincipalRow.revoked_at.is_(None),
            or_(PrincipalRow.expires_at.is_(None), PrincipalRow.expires_at > now),
        )
        .order_by(PrincipalRow.label)
    )
    with core.store.read() as session:
        return [Colleague(*row) for row in session.execute(query)]


def labels_of(session: Session, numbers: Iterable[int | None]) -> dict[int, str]:
    """Return how colleagues call each of these members of staff."""
    wanted = {number for number in numbers if number is not None}
    rows = session.execute(select(PrincipalRow.id, PrincipalRow.label).where(PrincipalRow.id.in_(wanted)))
    return {row.id: row.label for row in rows}


def teams_of(session: Session, numbers: Iterable[int | None]) -> dict[int, str]:
    """Return the name of each of these teams."""
    wanted = {number for number in numbers if number is not None}
    rows = session.execute(select(Team.id, Team.name).where(Team.id.in_(wanted)))
    return {row.id: row.name for row in rows}


def add_sample_lead(core: Core) -> int:
    """Return the number of the made-up safeguarding lead of a demo; nobody can sign in as it."""

    def write(session: Session) -> int:
        found = session.scalar(select(PrincipalRow.id).where(PrincipalRow.label == SAMPLE_LEAD))
        if found is not None:
            return found
        row = PrincipalRow(kind="staff", label=SAMPLE_LEAD, role="safeguarding_lead", secret_hash=None)
        session.add(row)
        session.flush()
        return row.id

    return core.store.write(write)
