"""JSON of devices in a workshop: join, what to ask, send a mark; and marks without a code where that is open (S2)."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from service.people.dependencies import require_same_origin
from service.places.schemas import PlaceIn
from service.places.workflow import Created
from service.web.dependencies import CoreDep
from service.web.limits import require_tokens
from service.web.openapi import problems
from service.workshops import wording, workflow
from service.workshops.dependencies import LateSeatDep, SeatDep, leave_seat, read_seat, require_seat_tokens, take_seat
from service.workshops.schemas import JoinIn, MarkTaken, UnsentIn, WordsIn, WordsMarked, WorkshopOut

CREATED, KNOWN, NO_CONTENT = 201, 200, 204
TAKEN: dict[int | str, dict[str, Any]] = {
    KNOWN: {"model": MarkTaken, "description": "Stored before: the same answer as then."},
    **problems(
        (403, "It came from another site, or marks are not open."),
        (409, "Another mark is stored under this id."),
        (410, "The mark was taken back, or the workshop is over."),
        (413, "The body is too large."),
        (429, "Too many marks from this device or network."),
    ),
}
FOREIGN = problems((403, "It came from another site."))
router = APIRouter(prefix="/api/v1", tags=["workshops"])


@router.post(
    "/workshop/join",
    summary="Join a workshop",
    responses=problems(
        (403, "It came from another site."),
        (404, "No workshop has this code."),
        (409, "The workshop has not started."),
        (410, "The workshop is over."),
        (429, "Too many wrong codes from this network, or too many devices."),
    ),
)
def join(request: Request, response: Response, core: CoreDep, body: JoinIn) -> WorkshopOut:
    """Exchange a code for a seat: a random token in a cookie until the browser closes, and nothing else."""
    seat = take_seat(request, response, core, body.code)
    return WorkshopOut.model_validate(workflow.seat_page(core, seat).to_json())


@router.get(
    "/workshop",
    summary="What the workshop of this device asks",
    responses=problems((401, "The device is in no workshop."), (410, "The workshop is over.")),
)
def read_workshop(core: CoreDep, seat: SeatDep) -> WorkshopOut:
    """Return title, area, questions, whether words are taken now, and the key that devices seal marks to."""
    return WorkshopOut.model_validate(workflow.seat_page(core, seat).to_json())


@router.post(
    "/workshop/places",
    summary="Mark a place in a workshop",
    status_code=CREATED,
    response_model=MarkTaken,
    responses=TAKEN | problems((401, "The device is in no workshop.")),
)
def create_in_workshop(request: Request, core: CoreDep, place: PlaceIn) -> Response:
    """Store a mark, pending until somebody moderates it. Sent twice under one id, it is stored once."""
    seat = read_seat(request, core)  # not a dependency: that would be another wait for a thread
    require_seat_tokens(request, core, seat)
    return _taken(workflow.create_in_workshop(core, seat, place))


@router.post(
    "/workshop/unsent",
    summary="Say how many marks a device still holds",
    status_code=NO_CONTENT,
    responses=problems((401, "The device is in no workshop."), (403, "It came from another site.")),
)
def note_unsent(core: CoreDep, seat: LateSeatDep, body: UnsentIn) -> None:
    """Tell the adult in the room, who sees the sum of all devices and nothing else."""
    workflow.note_unsent(core, seat, body.unsent)


@router.post("/workshop/leave", summary="Leave the workshop", status_code=NO_CONTENT, responses=FOREIGN)
def leave(request: Request, response: Response, core: CoreDep) -> None:
    """Forget the seat of this browser; nothing of it is left on the device."""
    require_same_origin(request)
    leave_seat(response, core)


@router.post(
    "/open/places",
    summary="Mark a place without a code",
    status_code=CREATED,
    response_model=MarkTaken,
    responses=TAKEN,
)
def create_open(request: Request, core: CoreDep, place: PlaceIn) -> Response:
    """Store a mark without words where the setting open_marking allows it; staff count it, nobody else sees it."""
    require_tokens(core, request, "marks", core.settings.marks_per_minute)
    return _taken(workflow.create_open(core, place))


@router.post(
    "/words/check",
    summary="What stands out in words before they are sent",
    responses=problems((429, "Too many from this network.")),
)
def check_words(request: Request, core: CoreDep, body: WordsIn) -> WordsMarked:
    """Mark what may tell who somebody is, so that its writer can take it out. Nothing is stored or sent on."""
    require_tokens(core, request, "words", core.settings.word_checks_per_minute)
    marked = wording.check_words([text[: core.settings.note_max] for text in body.texts])
    return WordsMarked(personal=marked.personal, help=marked.help)


def _taken(made: Created) -> Response:
    body = {"id": made.place["id"], "receipt": {"secret": made.receipt, "words": made.words}}
    return Response(orjson.dumps(body), CREATED if made.is_new else KNOWN, media_type="application/json")
