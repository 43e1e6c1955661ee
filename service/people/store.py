"""Every query of staff; the first argument is the session."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from service.people.models import PrincipalRow, Team


def find_by_key(session: Session, secret_hash: str, now: datetime) -> PrincipalRow | None:
    """Return the API key with this hash that is neither expired nor revoked."""
    return session.scalar(
        select(PrincipalRow).where(
            PrincipalRow.kind == "api_key",
            PrincipalRow.secret_hash == secret_hash,
            PrincipalRow.revoked_at.is_(None),
            or_(PrincipalRow.expires_at.is_(None), PrincipalRow.expires_at > now),
        )
    )


def find_active(session: Session, number: int, now: datetime) -> PrincipalRow | None:
    """Return the principal with this number that is neither expired nor revoked."""
    return session.scalar(
        select(PrincipalRow).where(
            PrincipalRow.id == number,
            PrincipalRow.revoked_at.is_(None),
            or_(PrincipalRow.expires_at.is_(None), PrincipalRow.expires_at > now),
        )
    )


def find_label(session: Session, label: str) -> PrincipalRow | None:
    """Return the principal that colleagues know by this name."""
    return session.scalar(select(PrincipalRow).where(PrincipalRow.label == label))


def find_team(session: Session, name: str) -> Team | None:
    """Return the team with this name."""
    return session.scalar(select(Team).where(Team.name == name))


def note_use(session: Session, number: int, day: date) -> None:
    """Keep the day on which a key was last used."""
    session.execute(update(PrincipalRow).where(PrincipalRow.id == number).values(last_used_on=day))
