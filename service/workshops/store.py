"""Every query of workshops; the first argument is the session."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from typing import cast as cast_type

from sqlalchemy import Row, Table, bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from service.store.fast import driver_of
from service.store.spatial import is_sqlite
from service.workshops.models import Duty, Seat, WallBatch, Workshop

SEAT = cast_type("Table", Seat.__table__)
_COUNT_TEXT = "UPDATE seat SET marks = marks + 1 WHERE id = ? RETURNING marks"
# columns, not entities: this is asked for each mark of each phone
_SEAT_QUERY = (
    select(
        *(column for column in cast_type("Table", Workshop.__table__).c),
        *(SEAT.c[name].label(f"seat_{name}") for name in ("id", "token_hash", "day", "expires_at", "marks")),
    )
    .join_from(SEAT, Workshop, Workshop.id == SEAT.c.workshop_id)
    .where(SEAT.c.token_hash == bindparam("token_hash"))
)
_DUTY = cast_type("Table", Duty.__table__)
_ON_DUTY = (
    select(_DUTY.c.id)
    .where(_DUTY.c.opens_at < bindparam("until"), _DUTY.c.closes_at > bindparam("start"), _DUTY.c.out_of_hours != "")
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Unsent:
    """What devices said they still hold."""

    marks: int
    devices: int


@dataclass(frozen=True, slots=True)
class Wall:
    """What stands on a wall: the number of the last batch and its content."""

    on: bool
    paused: bool
    batch: int
    content: dict[str, Any]


def known(session: Session, identifiers: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
    """Return the row number of each workshop that is there."""
    wanted = list(identifiers)
    rows = session.execute(select(Workshop.uuid, Workshop.id).where(Workshop.uuid.in_(wanted)))
    return {row[0]: row[1] for row in rows}


def add(session: Session, rows: Iterable[dict[str, Any]]) -> None:
    """Store workshops."""
    session.add_all(Workshop(**row) for row in rows)


def add_one(session: Session, values: dict[str, Any]) -> Workshop:
    """Store a workshop and return it."""
    row = Workshop(**values)
    session.add(row)
    session.flush()
    return row


def find(session: Session, identifier: uuid.UUID, *, lock: bool = False) -> Workshop | None:
    """Return a workshop; with ``lock`` two changes of it wait for each other on PostgreSQL."""
    query = select(Workshop).where(Workshop.uuid == identifier)
    return session.scalar(query.with_for_update() if lock else query)


def find_by_code(session: Session, code_hash: str) -> Workshop | None:
    """Return the workshop with this code."""
    return session.scalar(select(Workshop).where(Workshop.code_hash == code_hash))


def code_is_taken(session: Session, code_hash: str) -> bool:
    """Return whether another workshop has this code."""
    return session.scalar(select(Workshop.id).where(Workshop.code_hash == code_hash)) is not None


def listed(session: Session, *, limit: int) -> list[Workshop]:
    """Return the newest workshops, of every team; the workflow leaves out what the caller may not see."""
    query = select(Workshop).order_by(Workshop.opens_at.desc(), Workshop.id.desc()).limit(limit)
    return list(session.scalars(query))


def add_seat(session: Session, values: dict[str, Any]) -> Seat:
    """Store a seat and return it."""
    row = Seat(**values)
    session.add(row)
    session.flush()
    return row


def find_seat(session: Session, token_hash: str) -> Row[Any] | None:
    """Return a seat and its workshop as one row of columns; the seat's own have names of their own."""
    return session.connection().execute(_SEAT_QUERY, {"token_hash": token_hash}).first()


def count_seats(session: Session, workshop_id: int) -> int:
    """Return how many devices joined."""
    return session.scalar(select(func.count()).select_from(Seat).where(Seat.workshop_id == workshop_id)) or 0


def count_mark(session: Session, seat_id: int) -> int:
    """Count one mark of a seat and return how many it has sent."""
    if is_sqlite(session):
        (marks,) = driver_of(session).execute(_COUNT_TEXT, (seat_id,)).fetchone()
        return int(marks)
    query = update(SEAT).where(SEAT.c.id == seat_id).values(marks=SEAT.c.marks + 1).returning(SEAT.c.marks)
    return int(session.execute(query).scalar_one())


def count_marks(session: Session, workshop_id: int) -> int:
    """Return how many marks the devices of a workshop sent; what was taken back stays counted."""
    return session.scalar(select(func.sum(Seat.marks)).where(Seat.workshop_id == workshop_id)) or 0


def note_unsent(session: Session, seat_id: int, unsent: int, now: datetime) -> None:
    """Keep how many marks a device said it still holds."""
    session.execute(update(Seat).where(Seat.id == seat_id).values(unsent=unsent, unsent_at=now))


def read_unsent(session: Session, workshop_id: int) -> Unsent:
    """Return how many marks are still on how many devices."""
    query = select(func.coalesce(func.sum(Seat.unsent), 0), func.count()).where(
        Seat.workshop_id == workshop_id, Seat.unsent > 0
    )
    marks, devices = session.execute(query).one()
    return Unsent(int(marks), int(devices))


def move_seats(session: Session, workshop_id: int, expires_at: datetime) -> None:
    """Let every seat of a workshop last until a new time."""
    session.execute(update(Seat).where(Seat.workshop_id == workshop_id).values(expires_at=expires_at))


def read_duty(session: Session, start: datetime, end: datetime) -> list[Duty]:
    """Return who is on duty at any time between two."""
    query = select(Duty).where(Duty.opens_at < end, Duty.closes_at > start).order_by(Duty.opens_at, Duty.id)
    return list(session.scalars(query))


def any_on_duty(session: Session, start: datetime, end: datetime) -> bool:
    """Return whether a lead with a number for out of hours is on duty at any time between two."""
    return session.connection().execute(_ON_DUTY, {"start": start, "until": end}).first() is not None


def add_duty(session: Session, values: dict[str, Any]) -> Duty:
    """Store a turn of duty and return it."""
    row = Duty(**values)
    session.add(row)
    session.flush()
    return row


def find_duty(session: Session, number: int) -> Duty | None:
    """Return a turn of duty."""
    return session.get(Duty, number)


def delete_duty(session: Session, number: int) -> None:
    """Take a turn of duty away."""
    session.execute(delete(Duty).where(Duty.id == number))


def words_between(session: Session, start: datetime, end: datetime) -> list[Workshop]:
    """Return the workshops that take words at any time between two."""
    query = select(Workshop).where(
        Workshop.takes_words, Workshop.ended_at.is_(None), Workshop.opens_at < end, Workshop.closes_at > start
    )
    return list(session.scalars(query))


def add_batch(session: Session, workshop_id: int, content: dict[str, Any]) -> int:
    """Store what was released to the wall and return its number."""
    row = WallBatch(workshop_id=workshop_id, content=content)
    session.add(row)
    session.flush()
    return row.id


def read_wall(session: Session, workshop_id: int) -> Wall:
    """Return what stands on the wall of a workshop."""
    row = session.execute(select(Workshop.wall_on, Workshop.wall_paused).where(Workshop.id == workshop_id)).one()
    query = select(WallBatch).where(WallBatch.workshop_id == workshop_id).order_by(WallBatch.id.desc()).limit(1)
    batch = session.scalar(query)
    return Wall(row.wall_on, row.wall_paused, batch.id if batch else 0, batch.content if batch else {})
