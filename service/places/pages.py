"""Pages of marking: the map page, and the same journey as plain forms without map and script (A1)."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse

from service.core import Core
from service.people.access import Principal, Right
from service.people.dependencies import PrincipalDep
from service.places import ways, workflow
from service.places.forms import ListForm
from service.places.schemas import PlaceIn
from service.places.ways import Way
from service.web.dependencies import CoreDep
from service.web.limits import require_tokens
from service.web.templates import render_page
from service.workshops.workflow import create_open

router = APIRouter(include_in_schema=False)


@router.get("/mark")
def show_mark(request: Request, core: CoreDep, principal: PrincipalDep) -> HTMLResponse:
    """Show the marking page to whoever may mark, and to everybody else where marking happens."""
    way = _way(request, core, principal)
    return ways.show_map(request, core, way) if way else render_page(request, "mark_closed.html")


@router.get("/mark/list")
def show_list(request: Request, core: CoreDep, principal: PrincipalDep) -> HTMLResponse:
    """Ask where and how it feels, without the map."""
    way = _way(request, core, principal)
    return ways.ask_where(request, core, way, ListForm()) if way else render_page(request, "mark_closed.html")


@router.post("/mark/list")
def take_list(
    request: Request, core: CoreDep, principal: PrincipalDep, form: Annotated[ListForm, Form()]
) -> HTMLResponse:
    """Take the answers of one page of the form and show the next."""
    way = _way(request, core, principal)
    if way is None:
        principal.require(Right.PLACES_CREATE)
        return render_page(request, "mark_closed.html")
    return ways.answer_list(request, core, way, form)


def _way(request: Request, core: Core, principal: Principal) -> Way | None:
    """Return how the caller may mark: as staff or a visitor of the demo, without a code where that is open, or not."""
    base = core.settings.base_path
    limit = core.settings.marks_per_minute

    def send(place: PlaceIn) -> workflow.Created:
        require_tokens(core, request, "marks", limit)
        return workflow.create_place(core, principal, place)

    def send_open(place: PlaceIn) -> workflow.Created:
        require_tokens(core, request, "marks", limit)
        return create_open(core, place)

    url = f"{base}/api/v1/open/places"
    way = Way(send_open, url, start=f"{base}/mark", list=f"{base}/mark/list", stop=f"{base}/")
    if principal.may(Right.PLACES_CREATE):
        # S2: a real deployment takes words in workshops only
        url = f"{base}/api/v1/places"
        return replace(way, send=send, url=url, words=core.is_demo, groups=principal.is_staff)
    return way if core.settings.open_marking and not principal.is_staff else None
