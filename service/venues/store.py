"""Every query of venues; the first argument is the session."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.store.spatial import in_bbox, index_geometries, unindex
from service.venues.models import Venue
from service.web.queries import Bbox


def read_venues(
    session: Session, *, shown_on: date | None, bbox: Bbox | None = None, kind: str | None = None
) -> Sequence[Venue]:
    """Return venues by name; with ``shown_on`` only those that the public may see that day."""
    query = select(Venue).order_by(Venue.name, Venue.seq)
    if shown_on is not None:
        query = query.where(Venue.consent, Venue.expires_on >= shown_on, Venue.checked_on <= shown_on)
    if bbox is not None:
        query = query.where(in_bbox(session, "venue", Venue, bbox))
    if kind is not None:
        query = query.where(Venue.kind == kind)
    return session.scalars(query).all()


def find_venue(session: Session, identifier: uuid.UUID) -> Venue | None:
    """Return one venue."""
    return session.scalar(select(Venue).where(Venue.id == identifier))


def put_venue(session: Session, identifier: uuid.UUID, values: dict[str, Any], point: Any) -> bool:
    """Store a venue under its id, in place of an older one; return whether it is new."""
    venue = find_venue(session, identifier)
    is_new = venue is None
    if venue is None:
        venue = Venue(id=identifier, **values)
        session.add(venue)
    else:
        change_venue(venue, values)
    session.flush()
    if point is not None:
        index_geometries(session, "venue", [(venue.seq, point)], replace=not is_new)
    return is_new


def change_venue(venue: Venue, values: dict[str, Any]) -> None:
    """Change columns of a venue."""
    for name, value in values.items():
        setattr(venue, name, value)


def delete_venue(session: Session, venue: Venue) -> None:
    """Delete a venue and its place in the index."""
    unindex(session, "venue", [venue.seq])
    session.delete(venue)
