"""Take marks that a device sealed while it had no network: each exactly once, each with its own outcome (X7)."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from geo.errors import GeoError
from service.core import Core
from service.errors import (
    FieldProblem,
    GoneError,
    InvalidInputError,
    NotSignedInError,
    ServiceError,
    UnavailableError,
    problem_of,
)
from service.store.base import utc_now
from service.web.limits import throttle_of
from service.workshops import sealed_store
from service.workshops.sealed_schemas import (
    Content,
    HeldMarks,
    SealedAnswer,
    SealedBatch,
    SealedMark,
    SealedOutcome,
    SeatWindow,
)
from service.workshops.sealing import open_sealed, workshop_of
from service.workshops.workflow import SeatView, create_in_workshop, note_unsent, seat_of_token

PASS_PURPOSE: Final = "seat-pass"
SEAT_MARKS_PER_MINUTE: Final = 120  # a day's marks of a shared tablet come in one go
DELIVERED: Final = frozenset({"stored", "already", "gone"})


@dataclass(frozen=True, slots=True)
class _Taken:
    outcome: SealedOutcome
    seat: int | None = None  # row of the seat, once the envelope said which


def seat_pass(core: Core, token: str) -> str:
    """Return the token of a seat, encrypted: what a device may keep on its disk and put into its envelopes."""
    return core.encrypt(PASS_PURPOSE, token.encode("utf-8"))


def take_sealed(core: Core, batch: SealedBatch) -> SealedAnswer:
    """Open and store sealed marks, one after another in the order they were made.

    Parameters
    ----------
    core : Core
        The deployment.
    batch : SealedBatch
        The envelopes, and how many marks the device holds for each seat.

    Returns
    -------
    SealedAnswer
        An outcome for each mark, one that is refused stays on the device until an adult has looked; and whether the
        workshops take new marks.
    """
    keys = _private_keys(core, batch.marks)
    taken = [_take(core, keys, one) for one in batch.marks]
    delivered = Counter(one.seat for one in taken if one.outcome.outcome in DELIVERED)
    windows = _note_held(core, batch.held, delivered)
    return SealedAnswer(marks=[one.outcome for one in taken], windows=windows)


def _private_keys(core: Core, marks: list[SealedMark]) -> dict[uuid.UUID, str]:
    named = set()
    for one in marks:
        try:
            named.add(workshop_of(one.sealed))
        except InvalidInputError:
            continue  # its own outcome says so
    if not named:
        return {}
    with core.store.read() as session:
        return sealed_store.read_private_keys(session, named)


def _take(core: Core, keys: dict[uuid.UUID, str], one: SealedMark) -> _Taken:
    seat: SeatView | None = None
    try:
        content = _open(core, keys, one)
        seat = _seat_of_pass(core, content.seat)
        if seat.workshop.uuid != workshop_of(one.sealed):
            raise InvalidInputError("The sealed mark comes from a seat of another workshop.")
        if not _is_calm(core, seat):
            raise UnavailableError("Too many marks from this device in a minute. They are sent a little later.")
        made = create_in_workshop(core, seat, content.mark, late=True, made_at=content.made_at)
        return _Taken(SealedOutcome(id=one.id, outcome="stored" if made.is_new else "already"), seat.id)
    except GoneError:
        return _Taken(SealedOutcome(id=one.id, outcome="gone"), seat.id if seat else None)
    except UnavailableError as error:
        return _Taken(SealedOutcome(id=one.id, outcome="later", problem=problem_of(error)))
    except (ServiceError, GeoError) as error:
        return _Taken(SealedOutcome(id=one.id, outcome="refused", problem=problem_of(error)))


def _open(core: Core, keys: dict[uuid.UUID, str], one: SealedMark) -> Content:
    workshop = workshop_of(one.sealed)
    if workshop not in keys:
        raise InvalidInputError("This sealed mark is for a workshop that is not known here.")
    plain = open_sealed(core, keys[workshop], one.id, one.sealed)
    try:
        content = Content.model_validate_json(plain)
    except ValidationError as error:
        fields = [_named(item["loc"], item["type"]) for item in error.errors(include_input=False, include_url=False)]
        problems = [FieldProblem(field=name, message="This part of the mark cannot be used.") for name in fields]
        raise InvalidInputError("The sealed mark cannot be used as it is.", errors=problems) from None
    if content.mark.id != one.id:
        raise InvalidInputError("The sealed mark has another id inside than outside.")
    if content.mark.properties.workshop not in {None, workshop}:
        raise InvalidInputError("The sealed mark names another workshop than its envelope.")
    return content


def _named(loc: tuple[int | str, ...], kind: str) -> str:
    """Return where a problem is; a name that the sender chose is left out, it may be anything."""
    parts = loc[:-1] if kind in {"extra_forbidden", "json_invalid"} else loc
    return ".".join(str(part) for part in parts if part != "mark") or "body"


def _seat_of_pass(core: Core, sealed_pass: str) -> SeatView:
    try:
        token = core.decrypt(PASS_PURPOSE, sealed_pass).decode("utf-8")
    except ValueError as error:
        raise NotSignedInError("This device is in no workshop. Type the code of the workshop first.") from error
    return seat_of_token(core, token, late=True)


def _is_calm(core: Core, seat: SeatView) -> bool:
    return not throttle_of(core, "sealed-seat", SEAT_MARKS_PER_MINUTE).take(seat.key)


def _note_held(core: Core, held: list[HeldMarks], delivered: Counter[int | None]) -> list[SeatWindow]:
    """Keep what each seat still holds once the delivered ones are off; a device may have been given several passes."""
    seats: dict[int, SeatView] = {}
    counts: Counter[int] = Counter()
    for one in held:
        try:
            seat = _seat_of_pass(core, one.seat)
        except ServiceError:
            continue  # a seat of long ago counts for nobody any more
        seats[seat.id] = seat
        counts[seat.id] += one.unsent
    for number, seat in seats.items():
        note_unsent(core, seat, max(counts[number] - delivered[number], 0))
    now = utc_now()
    shops = {seat.workshop.uuid: seat.workshop for seat in seats.values()}
    return [
        SeatWindow(workshop=name, is_open=one.state(now) == "open", closes_at=one.closes_at)
        for name, one in shops.items()
    ]
