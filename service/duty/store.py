"""Every query of duty's own tables; the first argument is the session."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.duty.models import RetentionRun, Share


def add_run(session: Session, at: datetime, report: dict[str, Any]) -> None:
    """Store that retention ran, and what it did."""
    session.add(RetentionRun(at=at, report=report))


def read_runs(session: Session, limit: int) -> Sequence[RetentionRun]:
    """Return the newest runs of retention."""
    return session.scalars(select(RetentionRun).order_by(RetentionRun.id.desc()).limit(limit)).all()


def add_share(session: Session, values: dict[str, Any]) -> None:
    """Store one onward share."""
    session.add(Share(**values))


def read_shares(session: Session, limit: int) -> Sequence[Share]:
    """Return the newest onward shares."""
    return session.scalars(select(Share).order_by(Share.id.desc()).limit(limit)).all()
