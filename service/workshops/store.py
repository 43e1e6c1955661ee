"""Every query of workshops; the first argument is the session."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.workshops.models import Workshop


def known(session: Session, identifiers: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
    """Return the row number of each workshop that is there."""
    wanted = list(identifiers)
    rows = session.execute(select(Workshop.uuid, Workshop.id).where(Workshop.uuid.in_(wanted)))
    return {row[0]: row[1] for row in rows}


def add(session: Session, rows: Iterable[dict[str, Any]]) -> None:
    """Store workshops."""
    session.add_all(Workshop(**row) for row in rows)
