"""Findings as JSON, for staff; the public reads them in a release."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Path

from service.actions import workflow
from service.actions.schemas import FindingIn, FindingList, FindingOut, StatusIn
from service.errors import Problem
from service.people.dependencies import PrincipalDep
from service.web.dependencies import CoreDep

STAFF: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "Nobody is signed in."},
    403: {"model": Problem, "description": "The role may not do this."},
}
ONE = STAFF | {404: {"model": Problem, "description": "There is no such finding."}}
FindingId = Annotated[uuid.UUID, Path(description="Id of the finding.")]

router = APIRouter(prefix="/api/v1/findings", tags=["findings"])


@router.get("", summary="List findings", responses=STAFF)
def list_findings(core: CoreDep, principal: PrincipalDep) -> FindingList:
    """Return drafts, ready and withdrawn findings; for staff."""
    return FindingList(findings=workflow.list_findings(core, principal))


@router.post("", summary="Write a finding", status_code=201, responses=STAFF)
def write_finding(core: CoreDep, principal: PrincipalDep, given: FindingIn) -> FindingOut:
    """Store a draft; nobody outside sees it before it is ready and a release took it in."""
    return workflow.write_finding(core, principal, given)


@router.put("/{finding_id}/status", summary="Decide on a finding", responses=ONE)
def set_status(core: CoreDep, principal: PrincipalDep, finding_id: FindingId, given: StatusIn) -> FindingOut:
    """Make it ready for the next release, or withdraw it from the next one; former releases never change."""
    return workflow.set_status(core, principal, finding_id, given.status)
