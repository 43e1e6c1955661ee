"""Queries of the jobs that join every place again; the first argument is the session."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import delete, func, insert, literal, select, update
from sqlalchemy.orm import Session

from service.areas.models import BoundarySet
from service.places.store import AREA, HOTSPOT, PLACE, JoinSet
from service.runs.models import Run
from service.store.spatial import is_sqlite

Chunk = list[tuple[int, int, bytes]]
"""Sequence number, version and geometry (WKB, EPSG:4326) of places."""


def has_unjoined(session: Session, one: JoinSet) -> bool:
    """Return whether a place with a position still lacks its area of the set."""
    query = select(PLACE.c.seq).where(*_lacks_area(one.id, one.generation)).limit(1)
    return session.scalar(query) is not None


def count_positions(session: Session) -> int:
    """Return the number of places that have a position."""
    return session.scalar(select(func.count()).where(PLACE.c.geometry.is_not(None))) or 0


def read_unjoined(session: Session, set_id: int, generation: int, *, after: int, limit: int) -> Chunk:
    """Return places that lack their area of a set in a generation, in order of arrival."""
    return _chunk(session, _lacks_area(set_id, generation), after, limit)


def read_without_hotspot(session: Session, run_id: uuid.UUID, *, after: int, limit: int) -> Chunk:
    """Return places that do not know yet where they stand to the hot spots of a run, in order of arrival."""
    there = select(HOTSPOT.c.place_seq).where(HOTSPOT.c.place_seq == PLACE.c.seq, HOTSPOT.c.run_id == run_id)
    return _chunk(session, [PLACE.c.geometry.is_not(None), ~there.exists()], after, limit)


def read_unchanged(session: Session, chunk: Chunk) -> set[int]:
    """Return the places of a chunk that nobody has moved or taken back since it was read."""
    query = select(PLACE.c.seq, PLACE.c.version).where(PLACE.c.seq.in_([seq for seq, _, _ in chunk]))
    versions = {row.seq: row.version for row in session.execute(query)}
    return {seq for seq, version, _ in chunk if versions.get(seq) == version}


def read_generation(session: Session, set_id: int) -> int | None:
    """Return the generation of a set that counts, locked until the transaction ends; None if the set is gone."""
    query = select(BoundarySet.place_generation).where(BoundarySet.id == set_id)
    return session.scalar(query if is_sqlite(session) else query.with_for_update())


def swap_generation(session: Session, set_id: int, generation: int) -> None:
    """Make a generation the one that counts."""
    statement = update(BoundarySet).where(BoundarySet.id == set_id).values(place_generation=generation)
    session.execute(statement, execution_options={"synchronize_session": False})


def carry_erased(session: Session, set_id: int, old: int, new: int) -> None:
    """Take the areas of places whose position retention erased into a new generation: nothing could join them again."""
    there = select(AREA.c.place_seq).where(AREA.c.set_id == set_id, AREA.c.generation == new)
    names = [column.name for column in AREA.columns]
    rows = (
        select(*(literal(new).label(name) if name == "generation" else AREA.c[name] for name in names))
        .join(PLACE, PLACE.c.seq == AREA.c.place_seq)
        .where(
            AREA.c.set_id == set_id,
            AREA.c.generation == old,
            PLACE.c.geometry.is_(None),
            AREA.c.place_seq.not_in(there),
        )
    )
    session.execute(insert(AREA).from_select(names, rows))


def sweep_generations(session: Session, set_id: int, generation: int, *, seqs: tuple[int, int]) -> None:
    """Delete the rows of older generations for a range of places."""
    first, last = seqs
    session.execute(
        delete(AREA).where(
            AREA.c.set_id == set_id, AREA.c.generation < generation, AREA.c.place_seq.between(first, last)
        )
    )


def last_seq(session: Session) -> int:
    """Return the highest sequence number."""
    return session.scalar(select(func.max(PLACE.c.seq))) or 0


def is_current_run(session: Session, run_id: uuid.UUID) -> bool:
    """Return whether a run is the one that pages show."""
    return session.scalar(select(Run.id).where(Run.id == run_id, Run.is_current)) is not None


def sweep_runs(session: Session, *, seqs: tuple[int, int]) -> None:
    """Delete the hot spot rows of runs that are no longer current, for a range of places."""
    current = select(Run.id).where(Run.is_current)
    session.execute(delete(HOTSPOT).where(HOTSPOT.c.run_id.not_in(current), HOTSPOT.c.place_seq.between(*seqs)))


def _lacks_area(set_id: int, generation: int) -> list[Any]:
    there = select(AREA.c.place_seq).where(
        AREA.c.place_seq == PLACE.c.seq, AREA.c.set_id == set_id, AREA.c.generation == generation
    )
    return [PLACE.c.geometry.is_not(None), ~there.exists()]


def _chunk(session: Session, conditions: list[Any], after: int, limit: int) -> Chunk:
    query = (
        select(PLACE.c.seq, PLACE.c.version, PLACE.c.geometry)
        .where(PLACE.c.seq > after, *conditions)
        .order_by(PLACE.c.seq)
        .limit(limit)
    )
    return [(row.seq, row.version, row.geometry) for row in session.execute(query)]
