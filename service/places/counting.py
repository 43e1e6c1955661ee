"""Queries that count marks by area; the first argument is the session."""

from __future__ import annotations

from json import loads
from typing import Any

from sqlalchemy import Text, case, cast, distinct, func, select
from sqlalchemy.orm import Session

from service.places.store import AREA, PLACE, JoinSet, PlaceFilter, Visible, narrow_marks

# one contributor of one session; a mark that names none stands for itself
_SPEAKER = func.coalesce(PLACE.c.contributor_key, cast(PLACE.c.seq, Text))
_DAY = cast(PLACE.c.day, Text)


def read_marks(session: Session, one: JoinSet, wanted: PlaceFilter, visible: Visible) -> list[tuple[Any, ...]]:
    """Return (area, feeling, marks, people): each contributor once, with the most people it spoke for."""
    speakers = (
        _joined(select(AREA.c.area_gss, PLACE.c.feeling), one, wanted, visible)
        .add_columns(
            func.sum(AREA.c.share).label("marks"),
            func.max(AREA.c.share * PLACE.c.people).label("people"),
        )
        .group_by(AREA.c.area_gss, PLACE.c.feeling, _SPEAKER)
        .subquery()
    )
    query = select(
        speakers.c.area_gss, speakers.c.feeling, func.sum(speakers.c.marks), func.sum(speakers.c.people)
    ).group_by(speakers.c.area_gss, speakers.c.feeling)
    return [tuple(row) for row in session.execute(query)]


def read_everyone(session: Session, one: JoinSet, wanted: PlaceFilter, visible: Visible) -> list[tuple[Any, ...]]:
    """Return (area, people): each contributor once, whatever it marked, with the most people it spoke for."""
    speakers = (
        _joined(select(AREA.c.area_gss), one, wanted, visible)
        .add_columns(func.max(AREA.c.share * PLACE.c.people).label("people"))
        .group_by(AREA.c.area_gss, _SPEAKER)
        .subquery()
    )
    query = select(speakers.c.area_gss, func.sum(speakers.c.people)).group_by(speakers.c.area_gss)
    return [tuple(row) for row in session.execute(query)]


def read_sessions(session: Session, one: JoinSet, wanted: PlaceFilter, visible: Visible) -> list[tuple[Any, ...]]:
    """Return (area, contributors, workshops); marks of a session that name no contributor count as one."""
    meeting = case((PLACE.c.workshop_id.is_(None), _DAY), else_=cast(PLACE.c.workshop_id, Text))
    contributor = func.coalesce(PLACE.c.contributor_key, "session " + meeting)
    query = (
        _joined(select(AREA.c.area_gss), one, wanted, visible)
        .add_columns(func.count(distinct(contributor)), func.count(distinct(meeting)))
        .group_by(AREA.c.area_gss)
    )
    return [tuple(row) for row in session.execute(query)]


def read_reasons(session: Session, one: JoinSet, wanted: PlaceFilter, visible: Visible) -> list[tuple[Any, ...]]:
    """Return (area, reasons, marks), grouped by equal lists of reasons."""
    text = cast(PLACE.c.reasons, Text)
    query = (
        _joined(select(AREA.c.area_gss), one, wanted, visible)
        .add_columns(text, func.sum(AREA.c.share))
        .group_by(AREA.c.area_gss, text)
    )
    return [(area, loads(reasons), marks) for area, reasons, marks in session.execute(query)]


def _joined(query: Any, one: JoinSet, wanted: PlaceFilter, visible: Visible) -> Any:
    return (
        query.select_from(AREA)
        .join(PLACE, PLACE.c.seq == AREA.c.place_seq)
        .where(AREA.c.set_id == one.id, AREA.c.generation == one.generation, *narrow_marks(wanted, visible))
    )
