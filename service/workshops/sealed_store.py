"""Queries for sealed marks: the private keys of workshops."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.workshops.models import Workshop


def read_private_keys(session: Session, workshops: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Return the private key of each workshop that has one, as it is stored: encrypted."""
    rows = session.execute(
        select(Workshop.uuid, Workshop.private_key_sealed).where(
            Workshop.uuid.in_(workshops), Workshop.private_key_sealed.is_not(None)
        )
    )
    return {row[0]: str(row[1]) for row in rows}
