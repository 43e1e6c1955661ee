"""Pages of areas: the list of a boundary set, and one area with everything that is known of it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from service.areas import portrait, profile, reading
from service.people.dependencies import PrincipalDep
from service.releases import workflow as releases
from service.web.dependencies import CoreDep
from service.web.sketch import sketch_areas
from service.web.templates import render_page

router = APIRouter(include_in_schema=False)


@router.get("/wards")
def show_default_set(request: Request, core: CoreDep, principal: PrincipalDep) -> HTMLResponse:
    """List the areas of the default set."""
    return show_set(request, core, principal, reading.default_set(core).name)


@router.get("/wards/{set_name}")
def show_set(request: Request, core: CoreDep, principal: PrincipalDep, set_name: str) -> HTMLResponse:
    """List the areas of a set with the crimes of the latest year."""
    view = reading.get_set(core, set_name)
    listed = profile.list_areas(core, view, portrait.names_of(core, view))
    sets = [one for one in reading.list_sets(core) if one.join_points and one.level != "borough"]
    marks = portrait.marks_of_set(core, principal, view)
    few = core.settings.few_people
    return render_page(request, "wards.html", listed=listed, sets=sets, marks=marks, few_people=few)


@router.get("/wards/{set_name}/{code}")
def show_area(request: Request, core: CoreDep, principal: PrincipalDep, set_name: str, code: str) -> HTMLResponse:
    """Show one area: numbers, trend, types, marks, hot spots, venues, map."""
    ward = portrait.portrait(core, principal, set_name, code)
    sketch, here = sketch_areas(core, set_name), list(portrait.names_of(core, ward.view)).index(code)
    released = releases.current_or_none(core)
    said = releases.area_words(released, set_name, code) if released else None
    values: dict[str, Any] = {
        "released": released,
        "said": said,
        "labels": portrait.reason_labels(),
        "few_people": core.settings.few_people,
    }
    return render_page(request, "ward.html", ward=ward, sketch=sketch, here=here, **values)
