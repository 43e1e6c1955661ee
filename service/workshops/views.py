"""Workshops as callers see them: the staff's view, the device's view, and what is in the room."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal

from service.workshops.models import Seat, Workshop

State = Literal["early", "open", "over"]
QUESTIONS: Final = {"times": True, "reasons": True, "groups": False}


@dataclass(frozen=True, slots=True)
class WorkshopView:
    """A workshop without its secrets."""

    id: int
    uuid: uuid.UUID
    title: str
    team_id: int | None
    lead_id: int | None
    opens_at: datetime | None
    closes_at: datetime | None
    ended_at: datetime | None
    takes_words: bool
    takes_borders: bool
    questions: dict[str, bool]
    room_contact: str
    area: bytes | None
    public_key: str | None
    wall_on: bool
    wall_paused: bool
    is_sample: bool

    @classmethod
    def of(cls, row: Workshop | Any) -> WorkshopView:
        """Return the view of a row; sample workshops of before have no questions of their own."""
        plain = {name: getattr(row, name) for name in cls.__dataclass_fields__ if name != "questions"}
        return cls(questions=QUESTIONS | {k: bool(v) for k, v in row.questions.items() if k in QUESTIONS}, **plain)

    def state(self, now: datetime) -> State:
        """Return whether marks are not yet, now, or no longer taken."""
        if self.ended_at is not None or self.closes_at is None or now >= self.closes_at:
            return "over"
        return "early" if self.opens_at is not None and now < self.opens_at else "open"


@dataclass(frozen=True, slots=True)
class SeatView:
    """A browser that sits in a workshop."""

    id: int
    key: str  # hash of its token: names the seat to throttles, and to nobody else
    day: date
    expires_at: datetime
    marks: int
    workshop: WorkshopView

    @classmethod
    def of(cls, seat: Seat, workshop: Workshop) -> SeatView:
        """Return the view of a seat and its workshop."""
        view = WorkshopView.of(workshop)
        return cls(seat.id, seat.token_hash, seat.day, seat.expires_at, seat.marks, view)

    @classmethod
    def of_row(cls, row: Any) -> SeatView:
        """Return the view of a row of ``store.find_seat``."""
        seat = (row.seat_id, row.seat_token_hash, row.seat_day, row.seat_expires_at, row.seat_marks)
        return cls(*seat, WorkshopView.of(row))


@dataclass(frozen=True, slots=True)
class SeatPage:
    """What the marking page of a workshop has to know."""

    title: str
    centre: tuple[float, float] | None  # longitude, latitude
    bbox: tuple[float, float, float, float] | None
    questions: dict[str, bool]
    takes_words: bool  # right now
    takes_borders: bool
    closes_at: datetime | None
    public_key: str | None
    workshop: uuid.UUID

    def to_json(self) -> dict[str, Any]:
        """Return it as the API gives it."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}
