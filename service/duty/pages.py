"""Staff pages of duty: what is erased when, and the ledger of shares."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from service.duty import workflow
from service.duty.words import EASY_READ
from service.people.dependencies import PrincipalDep
from service.web.dependencies import CoreDep
from service.web.templates import render_page

router = APIRouter(include_in_schema=False)
SEE_OTHER = 303
SAID = "Queued. It runs in the background; load this page again in a minute."


@router.get("/staff/retention")
def show_retention(request: Request, core: CoreDep, principal: PrincipalDep, asked: bool = False) -> HTMLResponse:
    """Show the periods, what would go now, and the last runs."""
    state = workflow.retention_state(core, principal)
    said = SAID if asked else ""
    return render_page(request, "duty/retention.html", state=state, classes=workflow.CLASSES, said=said)


@router.post("/staff/retention")
def ask_retention(core: CoreDep, principal: PrincipalDep) -> RedirectResponse:
    """Queue a run."""
    workflow.ask_retention(core, principal)
    return RedirectResponse(f"{core.settings.base_path}/staff/retention?asked=true", SEE_OTHER)


@router.get("/staff/shares")
def show_shares(request: Request, core: CoreDep, principal: PrincipalDep) -> HTMLResponse:
    """Show the ledger of onward shares."""
    return render_page(request, "duty/shares.html", shares=workflow.list_shares(core, principal))


@router.get("/privacy/easy-read")
def show_easy_read(request: Request, _principal: PrincipalDep) -> HTMLResponse:
    """Say what is kept in the shortest sentences, each part with a picture."""
    return render_page(request, "duty/privacy_easy_read.html", parts=EASY_READ)
