"""JSON of sealed marks: a device delivers what it kept while it had no network."""

from __future__ import annotations

from fastapi import APIRouter, Request

from service.web.dependencies import CoreDep
from service.web.limits import require_tokens
from service.web.openapi import problems
from service.workshops.sealed import take_sealed
from service.workshops.sealed_schemas import SealedAnswer, SealedBatch

router = APIRouter(prefix="/api/v1", tags=["workshops"])


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
    return take_sealed(core, batch)
