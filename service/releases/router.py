"""Releases as JSON, CSV and GeoJSON: public, cacheable, and the only public numbers about marks (D7)."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response

from service.errors import InvalidInputError, Problem
from service.releases import workflow
from service.releases.schemas import ReleaseList, ReleaseOut
from service.web.dependencies import CoreDep

CACHED = "public, max-age=300"
NONE: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "There is no such release."}}
UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "Unchanged since the ETag that was sent."}}
Number = Annotated[int, Path(description="Number of the release.", ge=1, le=1_000_000, examples=[1])]


def refuse_filters(request: Request) -> None:
    """Raise where a filter is asked for: a release has its fixed slices and no others (D7).

    Raises
    ------
    InvalidInputError
        Naming what there is.
    """
    if request.query_params:
        message = "A release has no filters: it is one fixed table of approved slices. Leave the query out."
        raise InvalidInputError(message)


router = APIRouter(prefix="/api/v1/releases", tags=["releases"], dependencies=[Depends(refuse_filters)])


class CsvResponse(Response):
    """An answer whose body is CSV."""

    media_type = "text/csv; charset=utf-8"


class GeoJsonResponse(Response):
    """An answer whose body is GeoJSON already."""

    media_type = "application/geo+json"


@router.get("", summary="List the releases, the newest first")
def list_releases(core: CoreDep) -> ReleaseList:
    """Return number, day, digest and size of every release; former ones stay readable."""
    return ReleaseList(releases=workflow.list_releases(core))


@router.get("/current", summary="The current release", responses={200: {"model": ReleaseOut}} | NONE | UNCHANGED)
def read_current(request: Request, core: CoreDep) -> Response:
    """Return every approved slice of what young people marked, shown or hidden, with the rules and the findings."""
    return _json(request, workflow.current(core))


@router.get("/current/table.csv", summary="The current release as CSV", response_class=CsvResponse, responses=NONE)
def read_current_csv(request: Request, core: CoreDep) -> Response:
    """Return the table, one line a cell, hidden ones with the reason."""
    return _csv(request, workflow.current(core))


@router.get(
    "/current/areas.geojson", summary="Areas of the current release", response_class=GeoJsonResponse, responses=NONE
)
def read_current_geojson(request: Request, core: CoreDep) -> Response:
    """Return the published areas, wards and unions of wards, with their numbers; never a position of a mark."""
    return _geojson(request, core, workflow.current(core))


@router.get("/{number}", summary="One release", responses={200: {"model": ReleaseOut}} | NONE | UNCHANGED)
def read_release(request: Request, core: CoreDep, number: Number) -> Response:
    """Return a release as it was published; it never changes."""
    return _json(request, workflow.read_release(core, number))


@router.get("/{number}/table.csv", summary="One release as CSV", response_class=CsvResponse, responses=NONE)
def read_release_csv(request: Request, core: CoreDep, number: Number) -> Response:
    """Return the table, one line a cell, hidden ones with the reason."""
    return _csv(request, workflow.read_release(core, number))


@router.get("/{number}/areas.geojson", summary="Areas of one release", response_class=GeoJsonResponse, responses=NONE)
def read_release_geojson(request: Request, core: CoreDep, number: Number) -> Response:
    """Return the published areas of that release with their numbers."""
    return _geojson(request, core, workflow.read_release(core, number))


def _json(request: Request, release: ReleaseOut) -> Response:
    return _cacheable(request, Response(release.model_dump_json(), media_type="application/json"))


def _csv(request: Request, release: ReleaseOut) -> Response:
    name = f"what-was-found-{release.number}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return _cacheable(request, CsvResponse(workflow.as_csv(release), headers=headers))


def _geojson(request: Request, core: CoreDep, release: ReleaseOut) -> Response:
    return _cacheable(request, GeoJsonResponse(workflow.as_geojson(core, release)))


def _cacheable(request: Request, response: Response) -> Response:
    """Answer with an ETag, or 304 where the caller holds the same; weak, since the body may be compressed."""
    tag = hashlib.sha256(bytes(response.body)).hexdigest()[:32]
    headers = {"ETag": f'W/"{tag}"', "Cache-Control": CACHED}
    held = {one.strip().removeprefix("W/").strip('"') for one in request.headers.get("if-none-match", "").split(",")}
    if tag in held or "*" in held:
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return response
