"""Jobs as JSON: list them, watch one, ask it to stop."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from service.errors import Problem
from service.jobs import workflow
from service.jobs.schemas import JobList, JobOut, JobStatus
from service.people.dependencies import PrincipalDep
from service.web.dependencies import CoreDep

STAFF: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "Nobody is signed in."},
    403: {"model": Problem, "description": "The role may not do this."},
}
ONE = STAFF | {404: {"model": Problem, "description": "There is no such job."}}
JobId = Annotated[uuid.UUID, Path(description="Id of the job.")]
router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"])


@router.get("", summary="List jobs, the newest first", responses=STAFF)
def list_jobs(
    core: CoreDep,
    principal: PrincipalDep,
    status: Annotated[JobStatus | None, Query(description="Only jobs of this status.")] = None,
    kind: Annotated[str | None, Query(description="Only jobs of this kind.", max_length=40)] = None,
    limit: Annotated[int, Query(description="At most so many.", ge=1, le=500)] = 100,
) -> JobList:
    """Return the newest jobs; for staff."""
    found = workflow.list_jobs(core, principal, status=status, kind=kind, limit=limit)
    return JobList(jobs=[JobOut.model_validate(job) for job in found])


@router.get("/{job_id}", summary="Read one job", responses=ONE)
def read_job(core: CoreDep, principal: PrincipalDep, job_id: JobId) -> JobOut:
    """Return how far the job is and what came of it; for staff."""
    return JobOut.model_validate(workflow.get_job(core, principal, job_id))


@router.post(
    "/{job_id}/cancel",
    summary="Ask a job to stop",
    responses=ONE | {409: {"model": Problem, "description": "The job has ended already."}},
)
def cancel_job(core: CoreDep, principal: PrincipalDep, job_id: JobId) -> JobOut:
    """Cancel a waiting job at once; a running one stops at its next progress. Cancelled twice is cancelled once."""
    return JobOut.model_validate(workflow.cancel_job(core, principal, job_id))
