"""The public pages of releases: what was found, its map, and former releases."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse

from service.errors import NotFoundError
from service.people.dependencies import PrincipalDep
from service.releases import found_map, words, workflow
from service.releases.schemas import ReleaseOut
from service.web.dependencies import CoreDep
from service.web.headers import NONCE_KEY
from service.web.templates import render_page

router = APIRouter(include_in_schema=False)
Number = Annotated[int, Path(ge=1, le=1_000_000)]
Shown = Annotated[str, Query(description="unsafe, safe or all.", max_length=10)]


@router.get("/what-was-found")
def show_found(request: Request, core: CoreDep, principal: PrincipalDep, measure: Shown = "unsafe") -> HTMLResponse:
    """Show the current release, or say that there is none yet and what to do."""
    return _page(request, principal, workflow.current_or_none(core), _known(measure))


@router.get("/what-was-found/releases")
def show_list(request: Request, core: CoreDep, principal: PrincipalDep) -> HTMLResponse:
    """List the releases: former ones stay readable."""
    return render_page(request, "found_list.html", principal=principal, lines=workflow.list_releases(core))


@router.get("/what-was-found/releases/{number}")
def show_former(
    request: Request, core: CoreDep, principal: PrincipalDep, number: Number, measure: Shown = "unsafe"
) -> HTMLResponse:
    """Show a release as it was published."""
    return _page(request, principal, workflow.read_release(core, number), _known(measure))


@router.get("/what-was-found/releases/{number}/map")
def show_map(request: Request, core: CoreDep, number: Number, measure: Shown = "unsafe") -> HTMLResponse:
    """Give the map of a release for the frame of its page."""
    release = workflow.read_release(core, number)
    return HTMLResponse(found_map.found_map(core, release, _known(measure), nonce=request.scope[NONCE_KEY]))


def _page(request: Request, principal: object, release: ReleaseOut | None, measure: str) -> HTMLResponse:
    found = words.found_of(release) if release else None
    values: dict[str, Any] = {"release": release, "found": found, "measure": measure, "measures": found_map.MEASURES}
    return render_page(request, "found.html", principal=principal, **values)


def _known(measure: str) -> str:
    if measure not in found_map.MEASURES:
        message = f"There is no map of this; there are {', '.join(found_map.MEASURES)}."
        raise NotFoundError(message)
    return measure
