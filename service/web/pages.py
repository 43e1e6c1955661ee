"""Pages that belong to no subject: front page, workshop sheet, data, privacy, accessibility."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from service.areas import workflow as areas
from service.core import Core
from service.crimes import workflow as crimes
from service.people.access import Right
from service.people.dependencies import PrincipalDep
from service.releases import workflow as releases
from service.web.dependencies import CoreDep
from service.web.sketch import sketch_areas
from service.web.templates import render_page

router = APIRouter(include_in_schema=False)


@router.get("/")
def show_front(request: Request, core: CoreDep, principal: PrincipalDep) -> HTMLResponse:
    """Tell each kind of person where to go."""
    return render_page(request, "front.html", principal=principal, sketch=sketch_areas(core), **_lately(core))


def _lately(core: Core) -> dict[str, Any]:
    """Return the current release with its sentence; nothing else about marks is public."""
    release = releases.current_or_none(core)
    return {"release": release, "said": releases.found_of(release).sentence if release else ""}


@router.get("/run-a-workshop")
def show_workshop_sheet(request: Request, principal: PrincipalDep) -> HTMLResponse:
    """Tell a youth worker how to run a session."""
    return render_page(request, "run_a_workshop.html", can_run=principal.may(Right.WORKSHOPS_RUN))


@router.get("/accessibility")
def show_accessibility(request: Request, principal: PrincipalDep) -> HTMLResponse:
    """Say what works for whom, what was tested and what is missing."""
    return render_page(request, "accessibility.html", principal=principal)


@router.get("/privacy")
def show_privacy(request: Request, core: CoreDep, principal: PrincipalDep) -> HTMLResponse:
    """Say what is kept and who sees it: in short words, then at length."""
    return render_page(request, "privacy.html", principal=principal, kept=core.settings)


@router.get("/about-data")
def show_data(request: Request, core: CoreDep, principal: PrincipalDep) -> HTMLResponse:
    """Say where the data comes from and what it cannot say."""
    values: dict[str, Any] = {"held": crimes.months_held(core), "sets": areas.list_sets(core)}
    return render_page(request, "about_data.html", principal=principal, **values)
