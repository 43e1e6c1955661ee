"""Queries on boundary sets and their areas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.orm import Session

from service.areas.models import Area, BoundarySet


def read_sets(session: Session, *, name: str | None = None) -> Sequence[Row[BoundarySet, int]]:
    """Return sets with their number of areas: the default first, then by level and name."""
    counted = select(func.count()).where(Area.set_id == BoundarySet.id).scalar_subquery()
    query = select(BoundarySet, counted).order_by(BoundarySet.is_default.desc(), BoundarySet.level, BoundarySet.name)
    if name is not None:
        query = query.where(BoundarySet.name == name)
    return session.execute(query).all()


def read_areas(session: Session, set_id: int) -> Sequence[Row[str, str, bytes, float, int | None]]:
    """Return code, name, WKB, km2 and residents of each area, ascending by code."""
    columns = (Area.area_gss, Area.name, Area.geometry, Area.area_km2, Area.residents)
    return session.execute(select(*columns).where(Area.set_id == set_id).order_by(Area.area_gss)).all()


def read_digest(session: Session, name: str) -> str | None:
    """Return the digest of the set, or None where there is no such set."""
    return session.scalar(select(BoundarySet.digest).where(BoundarySet.name == name))


def replace_set(session: Session, values: dict[str, Any], areas: list[dict[str, Any]], *, default: bool) -> int:
    """Store a set and its areas, in place of one of the same name; return its id.

    The new set is a new row with a higher id: what was joined to the old areas goes with the old row, and a join that
    still runs for the old id cannot write into the new set.
    """
    old = session.scalar(select(BoundarySet).where(BoundarySet.name == values["name"]))
    default = default or (old is not None and old.is_default)
    if old is not None:
        old.name = f"~{old.id}"  # the name is unique, and free from here on
        session.flush()
    fresh = BoundarySet(**values, is_default=False)
    session.add(fresh)
    session.flush()
    session.execute(insert(Area), [area | {"set_id": fresh.id} for area in areas])
    if old is not None:
        session.execute(delete(BoundarySet).where(BoundarySet.id == old.id))
    if default or (values["level"] == "ward" and not has_default(session)):
        set_default(session, values["name"])
    return fresh.id


def has_default(session: Session) -> bool:
    """Return whether a set is the default."""
    return session.scalar(select(BoundarySet.id).where(BoundarySet.is_default).limit(1)) is not None


def set_default(session: Session, name: str) -> None:
    """Make the set the only default."""
    options = {"synchronize_session": False}
    session.execute(
        update(BoundarySet).values(is_default=False).where(BoundarySet.is_default), execution_options=options
    )
    session.execute(
        update(BoundarySet).values(is_default=True).where(BoundarySet.name == name), execution_options=options
    )
