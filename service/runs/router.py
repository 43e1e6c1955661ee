"""Runs and hot spots as JSON and GeoJSON; for staff, since the gate of P8 that would make one public is not built."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from service.errors import Problem
from service.jobs.schemas import JobOut
from service.jobs.workflow import get_job
from service.people.access import Right
from service.people.dependencies import PrincipalDep
from service.runs import workflow
from service.runs.schemas import HotspotCollection, RunKind, RunList, RunOut, RunRequest
from service.web.dependencies import CoreDep

STAFF: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "Nobody is signed in."},
    403: {"model": Problem, "description": "The role may not do this."},
}
ONE = STAFF | {404: {"model": Problem, "description": "There is no such run."}}
RunId = Annotated[uuid.UUID, Path(description="Id of the run.")]
router = APIRouter(prefix="/api/v1", tags=["runs"])


@router.get("/runs", summary="List runs, the newest first", responses=STAFF)
def list_runs(
    core: CoreDep,
    principal: PrincipalDep,
    kind: Annotated[RunKind | None, Query(description="Only runs of this kind.")] = None,
    limit: Annotated[int, Query(description="At most so many.", ge=1, le=500)] = 100,
) -> RunList:
    """Return the newest runs with their caveats; for staff."""
    principal.require(Right.RUNS_READ)
    return RunList(runs=workflow.list_runs(core, kind=kind, limit=limit))


@router.get("/runs/{run_id}", summary="Read one run", responses=ONE)
def read_run(core: CoreDep, principal: PrincipalDep, run_id: RunId) -> RunOut:
    """Return method, parameters, input digests, code version and summary of one run; for staff."""
    principal.require(Right.RUNS_READ)
    return workflow.get_run(core, run_id)


@router.post("/runs", summary="Start a run", status_code=202, responses=STAFF)
def start_run(core: CoreDep, principal: PrincipalDep, request: RunRequest, response: Response) -> JobOut:
    """Queue a run; the job's result names it. Refused at once where too few months are held."""
    job_id = workflow.start_run(core, principal, request)
    response.headers["Location"] = f"{core.settings.base_path}/api/v1/jobs/{job_id}"
    return JobOut.model_validate(get_job(core, principal, job_id))


@router.get("/hotspots", summary="Hot spots of a run as GeoJSON", responses=ONE)
def read_hotspots(
    core: CoreDep,
    principal: PrincipalDep,
    run: Annotated[
        str, Query(description="Id of a run, or 'current'.", max_length=36, examples=["current"])
    ] = workflow.CURRENT,
) -> HotspotCollection:
    """Return ranked polygons with method, period, p-values after the false discovery rate, and caveats; for staff."""
    return workflow.hotspot_collection(core, principal, run)
