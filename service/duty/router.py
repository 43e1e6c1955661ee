"""Duty by JSON: onward shares."""

from __future__ import annotations

from fastapi import APIRouter, Response

from service.duty import workflow
from service.duty.schemas import ExportRequest
from service.people.dependencies import PrincipalDep
from service.web.dependencies import CoreDep

router = APIRouter(prefix="/api/v1", tags=["duty"])


@router.post("/exports/places", summary="Share marks with somebody", response_class=Response)
def export_places(core: CoreDep, principal: PrincipalDep, wanted: ExportRequest) -> Response:
    """Return a file of approved marks and record who got it, why and under which agreement.

    Counts by ward unless `detail` is `exact`; exact places need a recorded agreement. No words and no borders.
    """
    made = workflow.export_places(core, principal, wanted)
    headers = {"Content-Disposition": f'attachment; filename="{made.name}"', "X-Rows": str(made.rows)}
    return Response(made.content, media_type=made.media_type, headers=headers)
