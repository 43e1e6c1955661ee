"""The optional questions about a person, for whoever sits in a workshop; and what staff may see of the answers."""

from __future__ import annotations

import secrets
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from service.duty import workflow
from service.people.dependencies import PrincipalDep, require_same_origin
from service.web.dependencies import CoreDep
from service.web.limits import require_tokens_of
from service.web.templates import render_page
from service.workshops.workflow import seat_of_token

router = APIRouter()
SEAT_COOKIE: Final = "seat"
ANSWERS_PER_MINUTE: Final = 20  # of one device: a tablet goes round a table


class AboutForm(BaseModel):
    """What the form sends; every answer may be left out."""

    model_config = ConfigDict(extra="ignore")

    person: str = Field(default="", max_length=100)
    action: str = Field(default="send", max_length=10)
    age_band: str = Field(default="", max_length=20)
    gender: str = Field(default="", max_length=20)
    ethnic_group: str = Field(default="", max_length=20)
    disability: str = Field(default="", max_length=20)
    home_area: str = Field(default="", max_length=20)


@router.get("/j/about-you", include_in_schema=False)
def show_about(request: Request, core: CoreDep) -> HTMLResponse:
    """Ask the optional questions; the page's key of the person comes in the fragment, and to us by POST only."""
    workflow.require_asked(core)
    seat_of_token(core, request.cookies.get(SEAT_COOKIE, ""))
    person, homes = secrets.token_urlsafe(24), workflow.home_areas(core)
    return render_page(request, "duty/about_you.html", person=person, questions=workflow.questions(), homes=homes)


@router.post("/j/about-you", include_in_schema=False)
def take_about(request: Request, core: CoreDep, form: Annotated[AboutForm, Form()]) -> HTMLResponse:
    """Store what was said apart from the marks, or nothing."""
    require_same_origin(request)
    workflow.require_asked(core)
    seat = seat_of_token(core, request.cookies.get(SEAT_COOKIE, ""))
    require_tokens_of(core, seat.key, "about", ANSWERS_PER_MINUTE)
    answers = form.model_dump(exclude={"person", "action"}) if form.action == "send" else {}
    person = form.person or secrets.token_urlsafe(24)
    kept = workflow.store_answers(core, workshop=str(seat.workshop.uuid), person=person, answers=answers)
    return render_page(request, "duty/about_done.html", kept=kept)


@router.get("/api/v1/characteristics/counts", tags=["duty"], summary="How many people gave each answer")
def read_counts(core: CoreDep, principal: PrincipalDep) -> dict[str, dict[str, int | None]]:
    """Return counts of people by answer, to the nearest five; null where too few people or workshops are behind it."""
    return workflow.counts_of(core, principal)


@router.get("/staff/participation", include_in_schema=False)
def show_participation(request: Request, core: CoreDep, principal: PrincipalDep) -> HTMLResponse:
    """Show who took part beside who lives here."""
    return render_page(request, "duty/participation.html", report=workflow.participation(core, principal))
