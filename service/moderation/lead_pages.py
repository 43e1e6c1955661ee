"""The page of the safeguarding lead: what waits, who was in the room, and the decision."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service.errors import ServiceError, problem_of
from service.moderation import workflow
from service.moderation.schemas import HoldDecideIn
from service.people.access import Right
from service.people.dependencies import PrincipalDep
from service.web.dependencies import CoreDep
from service.web.templates import render_page

router = APIRouter(include_in_schema=False)
SEE_OTHER, OK, REFUSED = 303, 200, 422


class LeadForm(BaseModel):
    """The form of a decision."""

    model_config = ConfigDict(extra="ignore")

    outcome: str = Field(default="", max_length=30)
    reason: str = Field(default="", max_length=2000)
    then: str = Field(default="", max_length=10)


@router.get("/lead")
def show_lead(request: Request, core: CoreDep, principal: PrincipalDep) -> HTMLResponse:
    """Show what waits for the lead, the late ones first."""
    return _show(request, core, principal)


@router.post("/lead/{number}")
def decide(
    request: Request, core: CoreDep, principal: PrincipalDep, number: int, form: Annotated[LeadForm, Form()]
) -> Response:
    """Record a decision and show what still waits."""
    principal.require(Right.LEAD_DECIDE)
    try:
        asked = HoldDecideIn.model_validate(form.model_dump())
        workflow.decide_hold(core, principal, number, asked)
    except ValidationError:
        words = "Nothing was decided. Choose what was decided, write why, and say what happens to the mark."
        return _show(request, core, principal, (number, words), form=form, status=REFUSED)
    except ServiceError as error:
        found = (number, error.detail)
        return _show(request, core, principal, found, form=form, status=problem_of(error).status)
    return RedirectResponse(f"{core.settings.base_path}/lead#decided", SEE_OTHER)


def _show(
    request: Request,
    core: CoreDep,
    principal: PrincipalDep,
    problem: tuple[int, str] = (0, ""),
    *,
    form: LeadForm | None = None,
    status: int = OK,
) -> HTMLResponse:
    values = {
        "found": workflow.list_holds(core, principal),
        "decided": workflow.list_decided(core, principal),
        "options": workflow.options(),
        "local": workflow.local,
        "problem": problem,
        "form": form or LeadForm(),
        "support": core.settings.support_contact,
    }
    return render_page(request, "queue/lead.html", status=status, **values)
