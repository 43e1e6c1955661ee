"""The duty roster page: which lead is on duty when, and whom to call out of hours (S3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse

from service.core import Core
from service.errors import ServiceError, problem_of
from service.people.access import Principal
from service.people.dependencies import PrincipalDep
from service.store.base import utc_now
from service.web.dependencies import CoreDep
from service.web.templates import render_page
from service.workshops import workflow
from service.workshops.forms import DutyForm, time_value
from service.workshops.windows import time_words

router = APIRouter(include_in_schema=False)
OK = 200
USUAL = timedelta(hours=8)


@router.get("/duty")
def show_duty(request: Request, core: CoreDep, principal: PrincipalDep) -> HTMLResponse:
    """Show the roster from now on."""
    now = utc_now()
    form = DutyForm(opens_at=time_value(now), closes_at=time_value(now + USUAL))
    return _show(request, core, principal, form)


@router.post("/duty")
def change_duty(
    request: Request, core: CoreDep, principal: PrincipalDep, form: Annotated[DutyForm, Form()]
) -> HTMLResponse:
    """Put a lead on duty, or take a turn away."""
    if form.action == "remove":
        touched = workflow.remove_duty(core, principal, form.number)
        said = "Taken away."
        if touched:
            said += f" No words are taken any more in: {', '.join(touched)}."
        return _show(request, core, principal, DutyForm(), said=said)
    try:
        workflow.add_duty(core, principal, form.to_duty())
    except ServiceError as error:
        return _show(request, core, principal, form, error=error)
    return _show(request, core, principal, DutyForm(), said="Entered.")


def _show(
    request: Request,
    core: Core,
    principal: Principal,
    form: DutyForm,
    *,
    said: str = "",
    error: ServiceError | None = None,
) -> HTMLResponse:
    values = {
        "turns": workflow.list_duty(core, principal),
        "leads": workflow.leads(core, principal),
        "form": form,
        "said": said,
        "now": utc_now(),
        "problem": error.detail if error else "",
        "problems": {one.field: one.message for one in error.errors} if error else {},
        "time_words": time_words,
    }
    return render_page(request, "workshops/duty.html", status=problem_of(error).status if error else OK, **values)
