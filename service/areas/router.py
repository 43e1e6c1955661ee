"""Boundary sets and areas as JSON and GeoJSON: open data, cacheable."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from service.areas import workflow
from service.areas.schemas import AreaCollection, BoundarySetList, BoundarySetOut, CheckedSetOut, OneArea
from service.areas.workflow import Detail
from service.errors import Problem
from service.web.dependencies import CoreDep

CACHED = "public, max-age=300"
NO_SET: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "There is no such set or area."}}
UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "Unchanged since the ETag that was sent."}}
SetName = Annotated[str, Path(description="Name of the boundary set.", max_length=60, examples=["wards-2022"])]
AreaCode = Annotated[str, Path(description="Code of the area.", max_length=20, examples=["E05013714"])]

router = APIRouter(prefix="/api/v1", tags=["boundaries"])


class GeoJsonResponse(Response):
    """An answer whose body is GeoJSON already."""

    media_type = "application/geo+json"


@router.get("/boundary-sets", summary="List the boundary sets, the default first")
def list_sets(core: CoreDep) -> BoundarySetList:
    """Return every set with its source, validity and resolution; approximate ones say so."""
    return BoundarySetList(sets=[BoundarySetOut.model_validate(view) for view in workflow.list_sets(core)])


@router.get("/boundary-sets/{set_name}", summary="Read one boundary set", responses=NO_SET)
def read_set(core: CoreDep, set_name: SetName) -> CheckedSetOut:
    """Return the set and what the check at its import found."""
    return CheckedSetOut.model_validate(workflow.get_set(core, set_name))


@router.get(
    "/boundary-sets/{set_name}/areas",
    summary="Areas of a set as GeoJSON",
    response_class=GeoJsonResponse,
    responses={200: {"model": AreaCollection}} | NO_SET | UNCHANGED,
)
def read_areas(
    request: Request,
    core: CoreDep,
    set_name: SetName,
    detail: Annotated[
        Detail,
        Query(description="full: as stored; map: simplified for drawing, edges still shared, five decimals."),
    ] = "full",
) -> Response:
    """Return every area; says whether the set is approximate, its source and its licence."""
    return _cacheable(request, workflow.areas_geojson(core, set_name, detail))


@router.get(
    "/areas/{set_name}/{code}",
    summary="One area as GeoJSON",
    response_class=GeoJsonResponse,
    responses={200: {"model": OneArea}} | NO_SET | UNCHANGED,
)
def read_area(request: Request, core: CoreDep, set_name: SetName, code: AreaCode) -> Response:
    """Return the area of that code in that set, with the words of the set."""
    return _cacheable(request, workflow.area_geojson(core, set_name, code))


def _cacheable(request: Request, body: bytes) -> Response:
    """Answer with an ETag, or 304 where the caller holds the same; weak, since the body may be compressed."""
    etag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": CACHED}
    held = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if etag.removeprefix("W/") in held or "*" in held:
        return Response(status_code=304, headers=headers)
    return GeoJsonResponse(body, headers=headers)
