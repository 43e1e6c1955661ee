"""Queries of what a release counts; the first argument is the session."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.places.store import AREA, PLACE, JoinSet

_COLUMNS = [
    PLACE.c[name]
    for name in (
        *("seq", "workshop_id", "contributor_key", "people", "day", "kind", "feeling"),
        *("times", "reasons", "status", "publish", "source"),
    )
]


def read_countable(session: Session) -> list[dict[str, Any]]:
    """Return every approved mark without words and position; which of them count is for the disclosure function."""
    rows = session.execute(select(*_COLUMNS).where(PLACE.c.status == "approved").order_by(PLACE.c.seq))
    return [dict(row) for row in rows.mappings()]


def read_area_codes(session: Session, one: JoinSet) -> dict[int, list[str]]:
    """Return the areas of a set that each approved mark touches, by seq."""
    query = (
        select(AREA.c.place_seq, AREA.c.area_gss)
        .join(PLACE, PLACE.c.seq == AREA.c.place_seq)
        .where(AREA.c.set_id == one.id, AREA.c.generation == one.generation, PLACE.c.status == "approved")
        .order_by(AREA.c.place_seq, AREA.c.area_gss)
    )
    found: dict[int, list[str]] = {}
    for seq, code in session.execute(query):
        found.setdefault(seq, []).append(code)
    return found
