"""Data that map pages load: marks by viewport, numbers by area, the ground map."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import FileResponse

from service.errors import Problem
from service.maps import data, ground
from service.maps.schemas import AreaNumbers, PlacesInView
from service.maps.state import StateDep
from service.people.dependencies import PrincipalDep
from service.web.dependencies import CoreDep
from service.web.queries import BboxText, parse_bbox

STAFF: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "Nobody is signed in."},
    403: {"model": Problem, "description": "The role may not do this."},
}
NO_GROUND: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "There is no such part of the ground map."}
}
KEEP = "public, max-age=604800, immutable"  # the address holds the version of the source
Zoom = Annotated[float, Query(description="Zoom of the map; fractions too.", ge=0, le=22)]

Version = Annotated[str, Path(description="Version of the ground map, as a map page names it.")]

router = APIRouter(prefix="/maps", tags=["maps"])


@router.get(
    "/data/places",
    summary="Marks in a viewport, grouped (staff)",
    response_model=PlacesInView,
    responses=STAFF,
)
def read_places(core: CoreDep, principal: PrincipalDep, state: StateDep, bbox: BboxText, zoom: Zoom) -> Response:
    """Return groups and single marks of a viewport; a group is what would overlap on the screen."""
    return Response(data.places_in_view(core, principal, state, parse_bbox(bbox), zoom), media_type="application/json")


@router.get("/data/areas", summary="Numbers by area")
def read_areas(core: CoreDep, principal: PrincipalDep, state: StateDep) -> AreaNumbers:
    """Return the numbers that the map shades by; marks for staff only."""
    return data.area_numbers(core, principal, state)


@router.get(
    "/ground/{version}/map.pmtiles",
    summary="The ground map file",
    response_class=FileResponse,
    responses={200: {"content": {"application/vnd.pmtiles": {}}, "description": "Ranges of the file."}, **NO_GROUND},
)
def read_ground_file(core: CoreDep, version: Version) -> FileResponse:  # noqa: ARG001 - part of the address only
    """Return the vector file; browsers ask for ranges of it."""
    headers = {"Cache-Control": KEEP, "Content-Encoding": "identity"}
    return FileResponse(ground.pmtiles_path(core), media_type="application/vnd.pmtiles", headers=headers)


@router.get(
    "/ground/{version}/{z}/{x}/{y}",
    summary="A tile of the ground map",
    response_class=Response,
    responses={200: {"content": {"image/png": {}, "image/jpeg": {}}, "description": "The tile."}, **NO_GROUND},
)
def read_ground_tile(
    core: CoreDep,
    version: Version,  # noqa: ARG001 - part of the address only
    z: Annotated[int, Path(description="Zoom of the tile.", ge=0, le=ground.MAX_TILE_ZOOM)],
    x: Annotated[int, Path(description="Column of the tile.", ge=0)],
    y: Annotated[int, Path(description="Row of the tile, from the north.", ge=0)],
) -> Response:
    """Return a tile that we fetched once and keep; the service it comes from never sees who looks."""
    content, kind = data.ground_tile(core, z, x, y)
    return Response(content, media_type=kind, headers={"Cache-Control": KEEP})
