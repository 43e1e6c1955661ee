"""JSON of sealed marks: a device delivers what it kept while it had no network."""

from __future__ import annotations

from fastapi import APIRouter, Request

from service.web.dependencies import CoreDep
from service.web.limits import require_tokens
from service.web.openapi import problems
from service.workshops.dependencies import COOKIE, SeatDep
from service.workshops.sealed import seat_pass, take_sealed
from service.workshops.sealed_schemas import PassOut, SealedAnswer, SealedBatch

router = APIRouter(prefix="/api/v1", tags=["workshops"])


@router.get(
    "/workshop/pass",
    summary="The sealed pass of this device's seat",
    responses=problems((401, "The device is in no workshop."), (410, "The workshop is over.")),
)
def read_pass(request: Request, core: CoreDep, seat: SeatDep) -> PassOut:  # noqa: ARG001 - there has to be one
    """Return the token of the seat, encrypted: a device may keep it, only this server can read it."""
    return PassOut.model_validate({"pass": seat_pass(core, request.cookies[COOKIE])})


@router.post(
    "/sealed",
    summary="Deliver sealed marks",
    responses=problems((413, "The body is too large: send fewer at once."), (429, "Too many from this network.")),
)
def take_marks(request: Request, core: CoreDep, batch: SealedBatch) -> SealedAnswer:
    """Open and store marks that were sealed to a workshop; needs no session, the pass of the seat is sealed inside.

    A workshop that is over takes no new marks, but every mark that was made in it.
    """
    require_tokens(core, request, "sealed", core.settings.marks_per_minute)
    return SealedAnswer(marks=take_sealed(core, batch))
