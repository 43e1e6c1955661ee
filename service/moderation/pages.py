"""Pages of moderators: the queue, second looks, how well they agree."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from service.errors import ServiceError, problem_of
from service.moderation import workflow
from service.moderation.schemas import SecondAct
from service.people.access import Right
from service.people.dependencies import PrincipalDep
from service.web.dependencies import CoreDep
from service.web.templates import render_page

router = APIRouter(include_in_schema=False)
SEE_OTHER, OK = 303, 200


@router.get("/queue")
def show_queue(request: Request, core: CoreDep, principal: PrincipalDep) -> HTMLResponse:
    """Show the queue; its script asks for one mark at a time."""
    if not principal.may(Right.MODERATE):
        principal.require(Right.MODERATE_OWN)
    settings = core.settings
    values: dict[str, Any] = {"options": workflow.options(), "support": settings.support_contact}
    values |= {"lease_seconds": settings.queue_lease_seconds, "note_max": settings.note_max}
    return render_page(request, "queue/queue.html", rights=_links(principal), **values)


@router.get("/queue/second")
def show_second(request: Request, core: CoreDep, principal: PrincipalDep) -> HTMLResponse:
    """Show a mark to be judged again, without what was decided."""
    return _second(request, core, principal)


@router.post("/queue/second/{number}")
def judge_second(
    request: Request, core: CoreDep, principal: PrincipalDep, number: int, act: Annotated[SecondAct, Form()]
) -> Response:
    """Take a second judgement and show the next mark."""
    try:
        workflow.judge_second(core, principal, number, act)
    except ServiceError as error:
        if not principal.may(Right.SECOND_LOOK):
            raise
        return _second(request, core, principal, problem=error.detail, status=problem_of(error).status)
    return RedirectResponse(f"{core.settings.base_path}/queue/second", SEE_OTHER)


@router.get("/queue/agreement")
def show_agreement(request: Request, core: CoreDep, principal: PrincipalDep) -> HTMLResponse:
    """Show how well moderators agree, by class of act and never by person."""
    found = workflow.agreement(core, principal)
    return render_page(request, "queue/agreement.html", found=found, rights=_links(principal))


def _second(
    request: Request, core: CoreDep, principal: PrincipalDep, *, problem: str = "", status: int = OK
) -> HTMLResponse:
    asked = workflow.ask_second(core, principal).asked
    values: dict[str, Any] = {"asked": asked, "problem": problem, "support": core.settings.support_contact}
    return render_page(request, "queue/second.html", status=status, rights=_links(principal), **values)


def _links(principal: PrincipalDep) -> dict[str, bool]:
    """Return which pages of moderation the caller may open."""
    rights = {"agreement": Right.MODERATE, "second": Right.SECOND_LOOK, "lead": Right.LEAD_DECIDE}
    return {name: principal.may(right) for name, right in rights.items()}
