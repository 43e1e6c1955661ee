"""Running workshops: set up, show, extend, end, a new code; by the youth workers of the team, in the demo by all."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import orjson
import shapely
from sqlalchemy.orm import Session

from service.areas import workflow as areas
from service.core import Core
from service.errors import ConflictError, FieldProblem, InvalidInputError, NotFoundError
from service.people.access import Principal, Right
from service.people.audit import record
from service.people.workflow import labels_of, teams_of
from service.store.base import utc_now
from service.web.words import clean_words
from service.workshops import duty, sealing, store
from service.workshops.codes import code_hash, make_code, read_code
from service.workshops.models import Workshop
from service.workshops.seats import takes_words
from service.workshops.store import Unsent
from service.workshops.views import QUESTIONS, State, WorkshopView
from service.workshops.windows import delivery_end, window_problems

TITLE_MAX: Final = 120
CONTACT_MAX: Final = 120
LISTED: Final = 200
CODE_ATTEMPTS: Final = 8
NO_LEAD: Final = (
    "Words need a safeguarding lead on duty through the whole window, with a number out of hours. "
    "Ask your lead to enter it on the duty page, or leave words off."
)


@dataclass(frozen=True, slots=True)
class WorkshopIn:
    """What a youth worker sets up.

    Parameters
    ----------
    title : str
        What colleagues call it.
    opens_at, closes_at : datetime
        Window in which marks are taken, in UTC.
    room_contact : str
        How the lead reaches the adult in the room (S6).
    area : str
        Empty for the whole borough, ``in|set|code`` for an area of a set, or a GeoJSON Polygon.
    takes_words, takes_borders : bool
        Whether words and facilitated borders are taken; off unless asked for (C3).
    questions : dict
        Which of times, reasons and groups are asked.
    """

    title: str
    opens_at: datetime
    closes_at: datetime
    room_contact: str = ""
    area: str = ""
    takes_words: bool = False
    takes_borders: bool = False
    questions: dict[str, bool] = field(default_factory=lambda: dict(QUESTIONS))


@dataclass(frozen=True, slots=True)
class Room:
    """A workshop as staff see it: where, when, who was in the room (S6)."""

    workshop: WorkshopView
    state: State
    team: str
    led_by: str
    is_own: bool


@dataclass(frozen=True, slots=True)
class Live:
    """What the page of a workshop counts."""

    marks: int
    seats: int
    unsent: Unsent
    words_now: bool


def create_workshop(core: Core, principal: Principal, wanted: WorkshopIn) -> uuid.UUID:
    """Set a workshop up: window, area, questions, code and key pair.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the caller may not run workshops.
    InvalidInputError
        Naming each field that cannot be taken; words without a lead on duty among them (S3).
    """
    principal.require(Right.WORKSHOPS_RUN)
    area, problems = _checked(core, wanted)
    public, private = sealing.make_keypair(core)
    values = {name: getattr(wanted, name) for name in ("opens_at", "closes_at", "takes_words", "takes_borders")}
    values |= {
        "title": clean_words(wanted.title, limit=TITLE_MAX) if not problems else "",
        "room_contact": wanted.room_contact.strip(),
        "questions": {name: bool(wanted.questions.get(name, asked)) for name, asked in QUESTIONS.items()},
        "team_id": principal.team_id,
        "lead_id": principal.number,
        "area": area,
        "public_key": public,
        "private_key_sealed": private,
        "is_sample": core.is_demo,
    }

    def write(session: Session) -> uuid.UUID:
        if wanted.takes_words and not duty.covers(session, max(wanted.opens_at, utc_now()), wanted.closes_at):
            problems.append(FieldProblem(field="takes_words", message=NO_LEAD))
        if problems:
            raise _refused(problems)
        row = store.add_one(session, values | _fresh_code(core, session))
        record(session, core, principal, "workshop.create", subject=str(row.uuid), words=int(row.takes_words))
        return row.uuid

    return core.store.write(write)


def list_workshops(core: Core, principal: Principal) -> list[Room]:
    """Return the workshops of one's own team, or of every team for a safeguarding lead; the newest first.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the caller may neither run nor see workshops.
    """
    _require_any(principal)
    with core.store.read() as session:
        rows = store.listed(session, limit=LISTED)
        rooms = _rooms(session, principal, rows)
    return [room for room in rooms if room.is_own or principal.may(Right.WORKSHOPS_SEE)]


def read_room(core: Core, principal: Principal, identifier: uuid.UUID) -> Room:
    """Return one workshop that the caller may see.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the caller may neither run nor see workshops.
    NotFoundError
        If there is none, or it is another team's.
    """
    _require_any(principal)
    with core.store.read() as session:
        row = store.find(session, identifier)
        room = _rooms(session, principal, [row])[0] if row is not None else None
    if room is None or not (room.is_own or principal.may(Right.WORKSHOPS_SEE)):
        raise _absent()
    return room


def room_of_code(core: Core, principal: Principal, code: str) -> Room:
    """Return the workshop that a code belongs to, so that the lead reaches the adult in the room (S6).

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the caller may neither run nor see workshops.
    NotFoundError
        If none has this code, or it is another team's.
    """
    _require_any(principal)
    read = read_code(code)
    with core.store.read() as session:
        row = store.find_by_code(session, code_hash(core, read)) if read else None
    if row is None:
        raise _absent()
    return read_room(core, principal, row.uuid)


def code_of(core: Core, principal: Principal, identifier: uuid.UUID) -> str:
    """Return the join code to those who run the workshop.

    Raises
    ------
    NotSignedInError, ForbiddenError, NotFoundError
        If the caller does not run it.
    """
    with core.store.read() as session:
        row = own_row(session, principal, identifier)
    return core.decrypt("join-code", row.code_sealed).decode() if row.code_sealed else ""


def live(core: Core, room: Room) -> Live:
    """Return what the page of a workshop counts right now."""
    number = room.workshop.id
    with core.store.read() as session:
        marks, seats = store.count_marks(session, number), store.count_seats(session, number)
        unsent = store.read_unsent(session, number)
    return Live(marks, seats, unsent, takes_words(core, room.workshop))


def extend_workshop(core: Core, principal: Principal, identifier: uuid.UUID, closes_at: datetime) -> None:
    """Give a workshop another end; its seats last as much longer.

    Raises
    ------
    NotSignedInError, ForbiddenError, NotFoundError
        If the caller does not run it.
    ConflictError
        If it was ended by hand.
    InvalidInputError
        If the new end is none, or no lead is on duty until then and words are taken (S3).
    """

    def write(session: Session) -> None:
        row = own_row(session, principal, identifier, lock=True)
        if row.ended_at is not None or row.opens_at is None:
            message = "This workshop was ended. Set up a new one."
            raise ConflictError(message)
        problems = window_problems(core, row.opens_at, closes_at, utc_now())
        if not problems and row.takes_words and not duty.covers(session, max(row.opens_at, utc_now()), closes_at):
            problems.append(FieldProblem(field="closes_at", message=NO_LEAD))
        if problems:
            raise _refused(problems)
        row.closes_at = closes_at
        store.move_seats(session, row.id, delivery_end(core, closes_at))
        record(session, core, principal, "workshop.extend", subject=str(identifier))

    core.store.write(write)


def end_workshop(core: Core, principal: Principal, identifier: uuid.UUID) -> None:
    """End a workshop now: no new marks; what devices still hold may be delivered.

    Raises
    ------
    NotSignedInError, ForbiddenError, NotFoundError
        If the caller does not run it.
    """

    def write(session: Session) -> None:
        row = own_row(session, principal, identifier, lock=True)
        if row.ended_at is None:
            row.ended_at = utc_now()
            row.wall_on = False
            record(session, core, principal, "workshop.end", subject=str(identifier))

    core.store.write(write)


def renew_code(core: Core, principal: Principal, identifier: uuid.UUID) -> None:
    """Give a workshop another code; the one before lets nobody in any more, and who is in stays in (X4).

    Raises
    ------
    NotSignedInError, ForbiddenError, NotFoundError
        If the caller does not run it.
    """

    def write(session: Session) -> None:
        row = own_row(session, principal, identifier, lock=True)
        for name, value in _fresh_code(core, session).items():
            setattr(row, name, value)
        record(session, core, principal, "workshop.new-code", subject=str(identifier))

    core.store.write(write)


def read_own(core: Core, principal: Principal, identifier: uuid.UUID) -> WorkshopView:
    """Return a workshop that the caller runs.

    Raises
    ------
    NotSignedInError, ForbiddenError, NotFoundError
        If the caller does not run it.
    """
    with core.store.read() as session:
        return WorkshopView.of(own_row(session, principal, identifier))


def is_own(principal: Principal, row: Workshop) -> bool:
    """Return whether a workshop is of the caller's own team; in the demo everything is everybody's."""
    if not principal.may(Right.WORKSHOPS_RUN):
        return False
    if not principal.is_staff:
        return row.is_sample
    same_team = row.team_id is not None and row.team_id == principal.team_id
    return same_team or (row.lead_id is not None and row.lead_id == principal.number)


def own_row(session: Session, principal: Principal, identifier: uuid.UUID, *, lock: bool = False) -> Workshop:
    """Return a workshop that the caller runs, inside a session of the caller.

    Raises
    ------
    NotSignedInError, ForbiddenError, NotFoundError
        If the caller does not run it.
    """
    principal.require(Right.WORKSHOPS_RUN)
    row = store.find(session, identifier, lock=lock)
    if row is None or not is_own(principal, row):
        raise _absent()
    return row


def _rooms(session: Session, principal: Principal, rows: Sequence[Workshop]) -> list[Room]:
    names = labels_of(session, [row.lead_id for row in rows])
    teams = teams_of(session, [row.team_id for row in rows])
    now = utc_now()
    return [
        Room(
            workshop := WorkshopView.of(row),
            workshop.state(now),
            teams.get(row.team_id or 0, ""),
            names.get(row.lead_id or 0, ""),
            is_own(principal, row),
        )
        for row in rows
    ]


def _require_any(principal: Principal) -> None:
    if not principal.may(Right.WORKSHOPS_SEE):
        principal.require(Right.WORKSHOPS_RUN)


def _absent() -> NotFoundError:
    return NotFoundError("There is no such workshop that you may see.")


def _fresh_code(core: Core, session: Session) -> dict[str, str]:
    for _ in range(CODE_ATTEMPTS):
        code = make_code()
        if not store.code_is_taken(session, code_hash(core, code)):
            return {"code_hash": code_hash(core, code), "code_sealed": core.encrypt("join-code", code.encode())}
    message = "No free code was found. Try again."
    raise ConflictError(message)


def _checked(core: Core, wanted: WorkshopIn) -> tuple[bytes | None, list[FieldProblem]]:
    problems = window_problems(core, wanted.opens_at, wanted.closes_at, utc_now())
    try:
        if clean_words(wanted.title, limit=TITLE_MAX) is None:
            problems.append(FieldProblem(field="title", message="Give it a title."))
    except ValueError as error:
        problems.append(FieldProblem(field="title", message=f"The title: {error}"))
    if not 1 <= len(wanted.room_contact.strip()) <= CONTACT_MAX:
        message = "Say how to reach the adult in the room, such as a phone number."
        problems.append(FieldProblem(field="room_contact", message=message))
    try:
        return _area(core, wanted.area), problems
    except (ValueError, KeyError, IndexError, NotFoundError, shapely.errors.GEOSException):
        problems.append(FieldProblem(field="area", message="Choose the borough or a ward, or draw the area again."))
        return None, problems


def _area(core: Core, wanted: str) -> bytes | None:
    if not wanted:
        return None
    if wanted.startswith("in|"):
        set_name, code = wanted.split("|")[1:3]
        shapes = areas.area_shapes(core, set_name)
        return _wkb(shapes.geometries[shapes.codes.tolist().index(code)])
    value: Any = orjson.loads(wanted)
    shape = shapely.from_geojson(orjson.dumps(value))
    inside = areas.outline_shape(core)
    if shape.geom_type != "Polygon" or not shape.is_valid or shape.is_empty or not shape.intersects(inside):
        message = "no area in the borough"
        raise ValueError(message)
    if shapely.get_num_coordinates(shape) > core.settings.vertices_max:
        message = "too many points"
        raise ValueError(message)
    return _wkb(shape)


def _wkb(shape: Any) -> bytes:
    return bytes(shapely.to_wkb(shape))


def _refused(problems: list[FieldProblem]) -> InvalidInputError:
    return InvalidInputError(" ".join(problem.message for problem in problems), errors=problems)
