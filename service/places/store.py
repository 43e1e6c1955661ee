"""Every query of places; the first argument is the session."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from typing import cast as cast_type

from sqlalchemy import Select, Table, Text, case, cast, delete, func, or_, select, update
from sqlalchemy.orm import Session

from service.areas.models import BoundarySet
from service.places.models import Place, PlaceArea, PlaceHotspot, Receipt
from service.runs.models import Hotspot, Run
from service.store.fast import driver_of, insert_rows, text_of
from service.store.spatial import in_bbox, is_sqlite
from service.web.queries import Bbox
from service.workshops.models import Workshop

PLACE = cast_type("Table", Place.__table__)
AREA = cast_type("Table", PlaceArea.__table__)
HOTSPOT = cast_type("Table", PlaceHotspot.__table__)
RECEIPT = cast_type("Table", Receipt.__table__)
FEELING_CODES = {"unsafe": 0, "safe": 1, "mixed": 2}
KIND_CODES = {"point": 0, "route": 1, "area": 2, "border": 3}
FIRST_GENERATION = 1


@dataclass(frozen=True, slots=True)
class JoinSet:
    """A boundary set as the join needs to know it."""

    id: int
    name: str
    level: str
    digest: str
    stored_generation: int  # 0 until the job that joins the places of before has swapped its rows in
    joins: bool
    is_default: bool

    @property
    def generation(self) -> int:
        """Generation that a new place is written to: that job fills the first one up, so arrivals start it."""
        return max(self.stored_generation, FIRST_GENERATION)


@dataclass(frozen=True, slots=True)
class JoinState:
    """Everything that what is derived from a position depends on; compared again inside the write."""

    sets: tuple[JoinSet, ...]
    run_id: uuid.UUID | None

    @property
    def joined(self) -> tuple[JoinSet, ...]:
        """The sets that a place is joined to."""
        return tuple(one for one in self.sets if one.joins)


@dataclass(slots=True)
class PlaceRecord:
    """A place as it is stored, with what was derived for it."""

    seq: int
    id: uuid.UUID
    day: date
    kind: str
    feeling: str
    times: list[str]
    reasons: list[str]
    note: str | None
    suggestion: str | None
    status: str
    publish: str
    people: int
    version: int
    is_sample: bool
    workshop_id: int | None
    geometry: bytes | None
    withdrawn_on: date | None = None
    merged_into: int | None = None
    team_id: int | None = None  # of the workshop
    areas: list[dict[str, Any]] = field(default_factory=list)
    hotspot: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class PlaceFilter:
    """Which places are asked for; what is None does not narrow."""

    bbox: Bbox | None = None
    area: tuple[str, str] | None = None  # set and code
    feeling: str | None = None
    kind: str | None = None
    times: tuple[str, ...] = ()  # any of them
    reason: str | None = None
    since: date | None = None
    until: date | None = None
    status: str | None = None
    publish: str | None = None


@dataclass(frozen=True, slots=True)
class Visible:
    """Which rows a role may see at all: of everybody, and of the workshops of its own team beside them."""

    statuses: frozenset[str]
    borders: bool
    own_statuses: frozenset[str] = frozenset()
    own_team: int | None = None


_LATER = {"team_id", "areas", "hotspot"}  # read beside the row, see _complete
RECORD_COLUMNS = [PLACE.c[name] for name in PlaceRecord.__dataclass_fields__ if name not in _LATER]

_SETS = select(
    BoundarySet.id,
    BoundarySet.name,
    BoundarySet.level,
    BoundarySet.digest,
    BoundarySet.place_generation,
    BoundarySet.join_points,
    BoundarySet.is_default,
).order_by(BoundarySet.id)
_RUN = select(Run.id).where(Run.kind == "hotspots", Run.is_current).order_by(Run.created_at.desc()).limit(1)
_SETS_TEXT, _RUN_TEXT = text_of(_SETS), text_of(_RUN)
_KNOWN_TEXT = "SELECT seq, request_hash, status FROM place WHERE id = ?"


def read_join_state(session: Session, *, lock: bool = False) -> JoinState:
    """Return the sets and the run that places are joined to.

    With ``lock`` a swap of generations waits for this transaction on PostgreSQL; SQLite has one writer anyway.
    """
    if is_sqlite(session):
        driver = driver_of(session)
        rows = driver.execute(_SETS_TEXT).fetchall()
        run = driver.execute(_RUN_TEXT).fetchone()
        sets = tuple(
            JoinSet(number, name, level, digest, generation, bool(joins), bool(default))
            for number, name, level, digest, generation, joins, default in rows
        )
        return JoinState(sets, uuid.UUID(run[0]) if run else None)
    query = _SETS.with_for_update(read=True) if lock else _SETS
    return JoinState(tuple(JoinSet(*row) for row in session.execute(query)), session.scalar(_RUN))


def find_known(session: Session, place_id: uuid.UUID) -> tuple[int, str, str] | None:
    """Return seq, request hash and status of the place with this id."""
    if is_sqlite(session):
        known: tuple[int, str, str] | None = driver_of(session).execute(_KNOWN_TEXT, (place_id.hex,)).fetchone()
        return known
    row = session.execute(select(PLACE.c.seq, PLACE.c.request_hash, PLACE.c.status).where(PLACE.c.id == place_id))
    found = row.first()
    return (found.seq, found.request_hash, found.status) if found else None


def find_workshop(session: Session, identifier: uuid.UUID, *teams: int | None) -> int | None:
    """Return the key of a workshop; of one of some teams only, where any are named."""
    mine = [Workshop.team_id.in_(teams)] if teams else []
    return session.scalar(select(Workshop.id).where(Workshop.uuid == identifier, *mine))


def insert_place(session: Session, values: dict[str, Any]) -> int:
    """Insert one place and return its sequence number."""
    number = insert_rows(session, PLACE, [values])
    assert number is not None
    return number


def insert_places(session: Session, rows: list[dict[str, Any]]) -> list[int]:
    """Insert many places and return their sequence numbers in the same order."""
    if not rows:
        return []
    if is_sqlite(session):  # one writer: the next numbers are free; RETURNING grew slower with the table (measured)
        first = (session.scalar(select(func.max(PLACE.c.seq))) or 0) + 1
        seqs = list(range(first, first + len(rows)))
    else:
        sequence = func.nextval(func.pg_get_serial_sequence("place", "seq"))
        seqs = list(session.scalars(select(sequence).select_from(func.generate_series(1, len(rows)))))
    insert_rows(session, PLACE, [row | {"seq": seq} for seq, row in zip(seqs, rows, strict=True)])
    return seqs


def insert_receipts(session: Session, rows: list[dict[str, Any]]) -> None:
    """Insert receipts (keyed hashes only)."""
    insert_rows(session, RECEIPT, rows)


def insert_areas(session: Session, rows: list[dict[str, Any]]) -> None:
    """Insert derived area rows."""
    insert_rows(session, AREA, rows)


def insert_hotspots(session: Session, rows: list[dict[str, Any]]) -> None:
    """Insert derived hot spot rows."""
    insert_rows(session, HOTSPOT, rows)


def delete_derived(session: Session, seq: int) -> None:
    """Delete what was derived from a place's position, of every generation and run."""
    session.execute(delete(AREA).where(AREA.c.place_seq == seq))
    session.execute(delete(HOTSPOT).where(HOTSPOT.c.place_seq == seq))


def update_place(session: Session, seq: int, values: dict[str, Any]) -> None:
    """Change columns of one place."""
    session.execute(update(PLACE).where(PLACE.c.seq == seq).values(**values))


def find_receipt(session: Session, receipt_hash: str) -> int | None:
    """Return the place that a receipt belongs to."""
    return session.scalar(select(RECEIPT.c.place_seq).where(RECEIPT.c.receipt_hash == receipt_hash))


def lock_place(session: Session, seq: int) -> None:
    """Wait for whoever changes a place, and let nobody change it until the end of the write."""
    session.execute(select(PLACE.c.seq).where(PLACE.c.seq == seq).with_for_update())


def read_record(session: Session, seq: int, state: JoinState) -> PlaceRecord | None:
    """Return one place with what was derived for it, whoever asks."""
    row = session.execute(select(*RECORD_COLUMNS).where(PLACE.c.seq == seq)).first()
    return _complete(session, [PlaceRecord(*row)], state)[0] if row else None


def read_seen(session: Session, place_id: uuid.UUID, visible: Visible, state: JoinState) -> PlaceRecord | None:
    """Return one place by id, if it may be seen."""
    query = select(*RECORD_COLUMNS).where(PLACE.c.id == place_id, *_visible(visible))
    row = session.execute(query).first()
    return _complete(session, [PlaceRecord(*row)], state)[0] if row else None


def read_page(
    session: Session, wanted: PlaceFilter, visible: Visible, state: JoinState, *, after: int, limit: int
) -> list[PlaceRecord]:
    """Return up to ``limit`` places after a sequence number, in order of arrival."""
    query = (
        _narrow(session, select(*RECORD_COLUMNS), wanted, visible, state)
        .where(PLACE.c.seq > after)
        .order_by(PLACE.c.seq)
        .limit(limit)
    )
    return _complete(session, [PlaceRecord(*row) for row in session.execute(query)], state)


def read_positions(session: Session, wanted: PlaceFilter, visible: Visible, state: JoinState) -> list[tuple[int, ...]]:
    """Return (seq, longitude e7, latitude e7, feeling code, kind code, people) of places, as plain integers."""
    query = _narrow(
        session,
        select(
            PLACE.c.seq,
            PLACE.c.longitude_e7,
            PLACE.c.latitude_e7,
            _code_of(PLACE.c.feeling, FEELING_CODES),
            _code_of(PLACE.c.kind, KIND_CODES),
            PLACE.c.people,
        ),
        wanted,
        visible,
        state,
    ).where(PLACE.c.longitude_e7.is_not(None))
    query = query.order_by(PLACE.c.seq)
    return [tuple(row) for row in session.execute(query)]


def read_shapes(session: Session, seqs: list[int]) -> dict[int, bytes]:
    """Return the geometry (WKB, EPSG:4326) of places."""
    query = select(PLACE.c.seq, PLACE.c.geometry).where(PLACE.c.seq.in_(seqs), PLACE.c.geometry.is_not(None))
    return {row.seq: row.geometry for row in session.execute(query)}


def _code_of(column: Any, codes: dict[str, int]) -> Any:
    return case(*((column == name, code) for name, code in codes.items()))


def _visible(visible: Visible) -> list[Any]:
    seen: Any = PLACE.c.status.in_(sorted(visible.statuses))
    if visible.own_statuses and visible.own_team is not None:
        workshops = select(Workshop.id).where(Workshop.team_id == visible.own_team)
        own = PLACE.c.status.in_(sorted(visible.own_statuses)) & PLACE.c.workshop_id.in_(workshops)
        seen = or_(seen, own)
    conditions: list[Any] = [seen]
    if not visible.borders:
        conditions.append(PLACE.c.kind != "border")
    return conditions


def narrow_marks(wanted: PlaceFilter, visible: Visible) -> list[Any]:
    """Return the conditions of a filter that concern the mark itself, not its position."""
    conditions = _visible(visible)
    for name in ("feeling", "kind", "status", "publish"):
        if (value := getattr(wanted, name)) is not None:
            conditions.append(PLACE.c[name] == value)
    if wanted.times:
        conditions.append(or_(*(_holds(PLACE.c.times, time) for time in wanted.times)))
    if wanted.reason is not None:
        conditions.append(_holds(PLACE.c.reasons, wanted.reason))
    if wanted.since is not None:
        conditions.append(PLACE.c.day >= wanted.since)
    if wanted.until is not None:
        conditions.append(PLACE.c.day <= wanted.until)
    return conditions


def _holds(column: Any, code: str) -> Any:
    """Return whether a JSON list of codes holds a code: its quoted text does, on both engines."""
    return cast(column, Text).contains(f'"{code}"', autoescape=True)


def _narrow(session: Session, query: Select[Any], wanted: PlaceFilter, visible: Visible, state: JoinState) -> Any:
    query = query.where(*narrow_marks(wanted, visible))
    if wanted.bbox is not None:
        query = query.where(in_bbox(session, "place", Place, wanted.bbox))
    if wanted.area is not None:
        name, code = wanted.area
        one = next((one for one in state.sets if one.name == name), None)
        inside = select(AREA.c.place_seq).where(
            AREA.c.set_id == (one.id if one else -1),
            AREA.c.generation == (one.generation if one else -1),
            AREA.c.area_gss == code,
        )
        query = query.where(PLACE.c.seq.in_(inside))
    return query


def _complete(session: Session, records: list[PlaceRecord], state: JoinState) -> list[PlaceRecord]:
    """Add the team, the current areas and the hot spot to records."""
    by_seq = {record.seq: record for record in records}
    if not by_seq:
        return records
    _add_teams(session, records)
    current = {one.id: one for one in state.joined}
    areas = select(AREA).where(AREA.c.place_seq.in_(by_seq)).order_by(AREA.c.set_id, AREA.c.area_gss)
    for row in session.execute(areas).mappings():
        if row["set_id"] in current and current[row["set_id"]].generation == row["generation"]:
            by_seq[row["place_seq"]].areas.append(dict(row))
    if state.run_id is not None:
        hotspots = select(HOTSPOT).where(HOTSPOT.c.place_seq.in_(by_seq), HOTSPOT.c.run_id == state.run_id)
        for row in session.execute(hotspots).mappings():
            by_seq[row["place_seq"]].hotspot = dict(row)
    return records


def _add_teams(session: Session, records: list[PlaceRecord]) -> None:
    workshops = {record.workshop_id for record in records if record.workshop_id is not None}
    if workshops:
        rows = session.execute(select(Workshop.id, Workshop.team_id).where(Workshop.id.in_(workshops)))
        teams = {row.id: row.team_id for row in rows}
        for record in records:
            record.team_id = teams.get(record.workshop_id) if record.workshop_id is not None else None


def read_hotspots(session: Session, run_id: uuid.UUID) -> list[tuple[int, bytes]]:
    """Return rank and polygon (WKB, EPSG:4326) of the hot spots of a run."""
    query = select(Hotspot.rank, Hotspot.geometry).where(Hotspot.run_id == run_id).order_by(Hotspot.rank)
    return [(row.rank, row.geometry) for row in session.execute(query)]


def find_new(session: Session, identifiers: list[uuid.UUID]) -> set[uuid.UUID]:
    """Return those ids under which nothing is stored yet."""
    known = select(PLACE.c.id).where(PLACE.c.id.in_(identifiers))
    return set(identifiers).difference(session.scalars(known))
