"""Every query of releases; the first argument is the session."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service.releases.models import Release


def read_current(session: Session) -> Release | None:
    """Return the release that the public reads."""
    return session.scalar(select(Release).where(Release.is_current).order_by(Release.number.desc()).limit(1))


def read_last(session: Session, *, lock: bool = False) -> Release | None:
    """Return the release with the highest number; with ``lock`` a second maker waits on PostgreSQL."""
    query = select(Release).order_by(Release.number.desc()).limit(1)
    return session.scalar(query.with_for_update() if lock else query)


def read_number(session: Session, number: int) -> Release | None:
    """Return one release."""
    return session.scalar(select(Release).where(Release.number == number))


def read_all(session: Session) -> list[Release]:
    """Return all releases, the newest first."""
    return list(session.scalars(select(Release).order_by(Release.number.desc())))


def insert_current(session: Session, values: dict[str, Any]) -> None:
    """Add a release and let the public read it from now on."""
    session.execute(update(Release).where(Release.is_current).values(is_current=False))
    session.add(Release(is_current=True, **values))
    session.flush()
