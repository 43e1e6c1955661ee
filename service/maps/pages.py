"""Map pages: the planner's map, each layer alone, embedded, and as one file."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse

from geo.maps.assets import Assets
from service.errors import NotFoundError
from service.maps import shell, workflow
from service.maps.state import MapKind, StateDep
from service.people.dependencies import PrincipalDep
from service.web.dependencies import CoreDep
from service.web.headers import NONCE_KEY

router = APIRouter(include_in_schema=False)
Embed = Annotated[bool, Query(description="Without header, filters and footer, for a frame of another page.")]
_ALONE: dict[str, MapKind] = {
    "wards": "wards",
    "places": "places",
    "hotspots": "hotspots",
    "density": "density",
    "venues": "venues",
}


@router.get("/maps")
def show_planner(
    request: Request, core: CoreDep, principal: PrincipalDep, state: StateDep, embed: Embed = False
) -> HTMLResponse:
    """Show the planner's map: every layer the caller may see."""
    return _page(request, core, principal, "maps", state, embed=embed)


@router.get("/maps/download")
def download_planner(core: CoreDep, principal: PrincipalDep, state: StateDep) -> Response:
    """Give the planner's map as one HTML file."""
    return _file(core, principal, "maps", state)


@router.get("/maps/{name}")
def show_one(
    request: Request, core: CoreDep, principal: PrincipalDep, state: StateDep, name: str, embed: Embed = False
) -> HTMLResponse:
    """Show one layer alone."""
    return _page(request, core, principal, _kind(name), state, embed=embed)


@router.get("/maps/{name}/download")
def download_one(core: CoreDep, principal: PrincipalDep, state: StateDep, name: str) -> Response:
    """Give one layer as one HTML file."""
    return _file(core, principal, _kind(name), state)


def _kind(name: str) -> MapKind:
    if name not in _ALONE:
        raise NotFoundError(f"There is no map of this name; there are {', '.join(_ALONE)}.")
    return _ALONE[name]


def _page(
    request: Request, core: CoreDep, principal: PrincipalDep, kind: MapKind, state: StateDep, *, embed: bool
) -> HTMLResponse:
    page = workflow.draw(core, principal, kind, state, embed=embed)
    around = shell.embed_slots() if embed else shell.slots(request, core, principal, kind, state, page)
    assets = Assets(f"{core.settings.base_path}/static/maps")
    return HTMLResponse(workflow.render_page(page, nonce=request.scope[NONCE_KEY], assets=assets, slots=around))


def _file(core: CoreDep, principal: PrincipalDep, kind: MapKind, state: StateDep) -> Response:
    page = workflow.draw(core, principal, kind, state, offline=True)
    name = f"safer-places-{kind}-{page.view.name}.html"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(workflow.render_file(page), media_type="text/html; charset=utf-8", headers=headers)
