"""Queries that count marks by area; the first argument is the session."""

from __future__ import annotations

from json import loads
from typing import Any

from sqlalchemy import Text, and_, case, cast, distinct, func, or_, select
from sqlalchemy.orm import Session, aliased

from service.places.store import AREA, FEELING_CODES, PLACE, JoinSet, PlaceFilter, Visible, narrow_marks

# one contributor of one session; a mark that names none stands for itself
_SPEAKER = func.coalesce(PLACE.c.contributor_key, cast(PLACE.c.seq, Text))
_MIX = 1_000_003  # a prime: two marks that swap their versions do not cancel out

Version = tuple[tuple[Any, ...], ...]
"""What is stored of places, as numbers that change with every change of a mark."""


def read_version(session: Session) -> Version:
    """Return the version of all places: of each status how many, and sums over their keys and versions.

    Every write of a place changes its status or its version, so that whatever is counted of places may be kept under
    it, in every process and on both engines, without a row that all writers would have to wait for. It is read from one
    index.
    """
    mixed = (PLACE.c.seq % _MIX) * PLACE.c.version
    query = (
        select(PLACE.c.status, func.count(), func.sum(PLACE.c.seq), func.sum(PLACE.c.version), func.sum(mixed))
        .group_by(PLACE.c.status)
        .order_by(PLACE.c.status)
    )
    return tuple((status, *map(int, sums)) for status, *sums in session.execute(query))


def read_people(session: Session, one: JoinSet, wanted: PlaceFilter, visible: Visible) -> list[dict[str, Any]]:
    """Return ``area_gss``, ``everyone``, ``keyed`` and, by feeling, ``marks_`` and ``people_``, a row an area.

    People are contributors, each once, with the most people it spoke for; ``keyed`` are those that have a key.
    """
    # one pass over the marks, grouped by area and speaker, then one over the speakers
    share, people = AREA.c.share, AREA.c.share * PLACE.c.people
    feels = {feeling: PLACE.c.feeling == feeling for feeling in FEELING_CODES}
    speakers = (
        _joined(select(AREA.c.area_gss), one, wanted, visible)
        .add_columns(
            func.max(people).label("everyone"),
            func.max(case((PLACE.c.contributor_key.is_not(None), 1), else_=0)).label("keyed"),
            *(func.sum(case((here, share), else_=0.0)).label(f"marks_{name}") for name, here in feels.items()),
            *(func.max(case((here, people), else_=0.0)).label(f"people_{name}") for name, here in feels.items()),
        )
        .group_by(AREA.c.area_gss, _SPEAKER)
        .subquery()
    )
    sums = [func.sum(column).label(column.name) for column in speakers.c if column.name != "area_gss"]
    query = select(speakers.c.area_gss, *sums).group_by(speakers.c.area_gss)
    return [dict(row) for row in session.execute(query).mappings()]


def read_sessions(session: Session, one: JoinSet, wanted: PlaceFilter, visible: Visible) -> list[tuple[Any, ...]]:
    """Return (area, workshops, those of them with marks that name no contributor); a mark without one counts by day."""
    keyless = PLACE.c.contributor_key.is_(None)
    alone = PLACE.c.workshop_id.is_(None)

    def meetings(*conditions: Any) -> Any:
        workshops = func.count(distinct(case((and_(~alone, *conditions), PLACE.c.workshop_id))))
        return workshops + func.count(distinct(case((and_(alone, *conditions), PLACE.c.day))))

    query = (
        _joined(select(AREA.c.area_gss), one, wanted, visible)
        .add_columns(meetings(), meetings(keyless))
        .group_by(AREA.c.area_gss)
    )
    return [tuple(row) for row in session.execute(query)]


def read_reasons(session: Session, one: JoinSet, wanted: PlaceFilter, visible: Visible) -> list[tuple[Any, ...]]:
    """Return (area, reasons, marks), grouped by equal lists of reasons; of one area where the filter names one."""
    text = cast(PLACE.c.reasons, Text)
    query = (
        _joined(select(AREA.c.area_gss), one, wanted, visible)
        .add_columns(text, func.sum(AREA.c.share))
        .group_by(AREA.c.area_gss, text)
    )
    if wanted.area is not None:
        query = query.where(AREA.c.area_gss == wanted.area[1])
    return [(area, loads(reasons), marks) for area, reasons, marks in session.execute(query)]


def read_main_areas(session: Session, one: JoinSet, wanted: PlaceFilter, visible: Visible) -> list[tuple[Any, ...]]:
    """Return (area, feeling, marks), each mark once: in the area that holds most of it, of two the lowest code."""
    other = aliased(AREA, name="other")
    larger = (
        select(other.c.place_seq)
        .where(
            other.c.place_seq == AREA.c.place_seq,
            other.c.set_id + 0
            == AREA.c.set_id,  # the sum keeps SQLite to the key of the place: not the whole set a row
            other.c.generation + 0 == AREA.c.generation,
            or_(
                other.c.share > AREA.c.share,
                and_(other.c.share == AREA.c.share, other.c.area_gss < AREA.c.area_gss),
            ),
        )
        .exists()
    )
    query = (
        _joined(select(AREA.c.area_gss, PLACE.c.feeling), one, wanted, visible)
        .add_columns(func.count())
        .where(PLACE.c.longitude_e7.is_not(None), or_(AREA.c.share >= 1, ~larger))
        .group_by(AREA.c.area_gss, PLACE.c.feeling)
    )
    return [tuple(row) for row in session.execute(query)]


def _joined(query: Any, one: JoinSet, wanted: PlaceFilter, visible: Visible) -> Any:
    return (
        query.select_from(AREA)
        .join(PLACE, PLACE.c.seq == AREA.c.place_seq)
        .where(AREA.c.set_id == one.id, AREA.c.generation == one.generation, *narrow_marks(wanted, visible))
    )
