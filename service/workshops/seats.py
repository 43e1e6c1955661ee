"""Seats: a browser gives the code of a workshop and may mark in it; nothing of the browser or the person is kept."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Final

import shapely
from sqlalchemy.orm import Session

from service.core import Core
from service.errors import (
    ConflictError,
    FieldProblem,
    ForbiddenError,
    GoneError,
    InvalidInputError,
    NotFoundError,
    NotSignedInError,
    TooManyRequestsError,
)
from service.people.access import PUBLIC
from service.places.schemas import PlaceIn
from service.places.workflow import Created, Terms, take_place, today
from service.store.base import utc_now
from service.workshops import duty, store
from service.workshops.codes import code_hash, read_code
from service.workshops.views import SeatPage, SeatView, WorkshopView
from service.workshops.windows import delivery_end, time_words

TOKEN_BYTES: Final = 32
UNSENT_MAX: Final = 1000
UNKNOWN_CODE: Final = "We do not know this code. Check each word, or ask the adult who runs the session."
OVER: Final = "This workshop is over, so it takes no new marks."
NO_WORDS: Final = "Words are not taken in this workshop right now. Leave them out and send the rest."
NO_BORDERS: Final = "Borders are not marked in this workshop."


def join(core: Core, code: str) -> tuple[SeatView, str]:
    """Exchange a join code for a seat; the token is returned this once and stored only as a keyed hash.

    Parameters
    ----------
    core : Core
        The deployment.
    code : str
        As it was typed.

    Returns
    -------
    tuple of SeatView and str
        The seat and its token.

    Raises
    ------
    NotFoundError
        If no workshop has this code.
    ConflictError
        If its window is not open yet.
    GoneError
        If its window is over.
    TooManyRequestsError
        If too many devices joined it.
    """
    read = read_code(code)
    if read is None:
        raise NotFoundError(UNKNOWN_CODE)
    token = secrets.token_urlsafe(TOKEN_BYTES)

    def write(session: Session) -> SeatView:
        now = utc_now()
        workshop = store.find_by_code(session, code_hash(core, read))
        if workshop is None:
            raise NotFoundError(UNKNOWN_CODE)
        _require_open(WorkshopView.of(workshop), now)
        if store.count_seats(session, workshop.id) >= core.settings.seats_max:
            message = "Too many devices have joined this workshop. Please tell the adult who runs it."
            raise TooManyRequestsError(message)
        assert workshop.closes_at is not None  # it is open
        values = {
            "workshop_id": workshop.id,
            "token_hash": _token_hash(core, token),
            "day": today(),
            "expires_at": delivery_end(core, workshop.closes_at),
        }
        return SeatView.of(store.add_seat(session, values), workshop)

    return core.store.write(write), token


def seat_of_token(core: Core, token: str, *, late: bool = False) -> SeatView:
    """Return the seat of a device.

    Parameters
    ----------
    core : Core
        The deployment.
    token : str
        What ``join`` gave it.
    late : bool
        Whether a window that is over is good enough: for marks that were made in it and not yet delivered.

    Returns
    -------
    SeatView
        The seat and its workshop.

    Raises
    ------
    NotSignedInError
        If there is no such seat, or its time for late delivery is over too.
    GoneError
        If the window is over and ``late`` is not set.
    """
    with core.store.read() as session:
        found = store.find_seat(session, _token_hash(core, token)) if token else None
    now = utc_now()
    if found is None or found.seat_expires_at <= now:
        message = "This device is in no workshop. Type the code of the workshop first."
        raise NotSignedInError(message)
    seat = SeatView.of_row(found)
    if not late:
        _require_open(seat.workshop, now)
    return seat


def create_in_workshop(
    core: Core, seat: SeatView, place: PlaceIn, *, late: bool = False, made_at: datetime | None = None
) -> Created:
    """Store a mark that was made in a workshop.

    Parameters
    ----------
    core : Core
        The deployment.
    seat : SeatView
        The device that sends it.
    place : PlaceIn
        The mark.
    late : bool
        Whether it was made before and is delivered now.
    made_at : datetime, optional
        When the device says that it was made; counts only inside the window.

    Returns
    -------
    Created
        The stored mark and the receipt of its owner.

    Raises
    ------
    GoneError
        If the window is over and the mark is no late one, or it was taken back.
    InvalidInputError
        Naming each field that cannot be taken: words without a lead on duty, a border where none are marked.
    ConflictError
        If its id belongs to another mark.
    TooManyRequestsError
        If the device sent too many.
    """
    workshop = seat.workshop
    if not late:
        _require_open(workshop, utc_now())
    _require_own(place, workshop)
    has_words = place.properties.note is not None or place.properties.suggestion is not None
    terms = Terms(
        source="workshop",
        session=str(workshop.uuid),
        day=seat.day if late else today(),
        words=has_words and takes_words(core, workshop, late=late, made_at=made_at),
        borders=workshop.takes_borders,
        no_words=NO_WORDS,
        no_borders=NO_BORDERS,
        workshop_id=workshop.id,
        once=lambda session: _count_mark(core, session, seat),
    )
    return take_place(core, PUBLIC, place, terms)


def create_open(core: Core, place: PlaceIn) -> Created:
    """Store a mark that somebody made without a code (S2): fixed reasons, no words, no border, counted by staff only.

    Raises
    ------
    ForbiddenError
        If this deployment takes marks in workshops only.
    InvalidInputError, ConflictError, GoneError
        As ``create_in_workshop``.
    """
    if not core.settings.open_marking:
        message = "Marks are taken in workshops only. Ask a youth worker or a teacher when the next one is."
        raise ForbiddenError(message)
    if place.properties.people != 1 or place.properties.workshop is not None:
        message = "Without a code a mark speaks for one person, and belongs to no workshop."
        raise InvalidInputError(message, errors=[FieldProblem(field="properties.people", message=message)])
    day = today()
    return take_place(core, PUBLIC, place, Terms(source="open", session=str(day), day=day))


def takes_words(core: Core, workshop: WorkshopView, *, late: bool = False, made_at: datetime | None = None) -> bool:
    """Return whether words are taken: the workshop does, and a lead is on duty now or was when they were written."""
    if not workshop.takes_words:
        return False
    start, end = workshop.opens_at, workshop.closes_at
    with core.store.read() as session:
        if duty.on_duty(session, utc_now()):
            return True
        if not late or start is None or end is None:
            return False
        if made_at is not None and start <= made_at <= end:
            return duty.on_duty(session, made_at)
        return duty.on_duty_between(session, start, end)


def seat_page(core: Core, seat: SeatView) -> SeatPage:
    """Return what the marking page of a workshop has to know."""
    workshop = seat.workshop
    shape = shapely.from_wkb(workshop.area) if workshop.area is not None else None
    west, south, east, north = shape.bounds if shape is not None else (0.0, 0.0, 0.0, 0.0)
    return SeatPage(
        title=workshop.title,
        centre=((west + east) / 2, (south + north) / 2) if shape is not None else None,
        bbox=(west, south, east, north) if shape is not None else None,
        questions=workshop.questions,
        takes_words=takes_words(core, workshop),
        takes_borders=workshop.takes_borders,
        closes_at=workshop.closes_at,
        public_key=workshop.public_key,
        workshop=workshop.uuid,
    )


def note_unsent(core: Core, seat: SeatView, unsent: int) -> None:
    """Keep how many marks a device still holds, so that the adult in the room sees it."""
    held = min(max(unsent, 0), UNSENT_MAX)
    core.store.write(lambda session: store.note_unsent(session, seat.id, held, utc_now()))


def _require_open(workshop: WorkshopView, now: datetime) -> None:
    state = workshop.state(now)
    if state == "over":
        raise GoneError(OVER)
    if state == "early":
        assert workshop.opens_at is not None
        message = f"This workshop has not started yet. It starts on {time_words(workshop.opens_at)}."
        raise ConflictError(message)


def _count_mark(core: Core, session: Session, seat: SeatView) -> None:
    """Count a new mark of a seat inside its write, up to the limit; one that is stored already is never refused."""
    if store.count_mark(session, seat.id) > core.settings.seat_marks_max:
        message = "This device has sent as many marks as one device can. Please tell the adult who runs the session."
        raise TooManyRequestsError(message)


def _require_own(place: PlaceIn, workshop: WorkshopView) -> None:
    named = place.properties.workshop
    if named is not None and named != workshop.uuid:
        message = "This mark names another workshop. Leave that out."
        raise InvalidInputError(message, errors=[FieldProblem(field="properties.workshop", message=message)])
    if place.properties.people != 1 and not workshop.questions["groups"]:
        message = "In this workshop a mark speaks for one person."
        raise InvalidInputError(message, errors=[FieldProblem(field="properties.people", message=message)])


def _token_hash(core: Core, token: str) -> str:
    return core.keyed_hash("seat", token)
