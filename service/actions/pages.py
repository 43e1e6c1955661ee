"""Staff write findings on a page, and say which go into the next release."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError

from service.actions import workflow
from service.actions.schemas import LONGEST, FindingForm, FindingIn, Status
from service.areas import workflow as areas
from service.core import Core
from service.errors import InvalidInputError
from service.people.access import Principal
from service.people.dependencies import PrincipalDep, require_same_origin
from service.places import workflow as places
from service.web.dependencies import CoreDep
from service.web.templates import render_page

router = APIRouter(include_in_schema=False)
SEE_OTHER, UNPROCESSABLE = 303, 422


@router.get("/findings")
def show_findings(request: Request, core: CoreDep, principal: PrincipalDep) -> HTMLResponse:
    """List findings and offer the form for a new one."""
    return _page(request, core, principal)


@router.post("/findings")
def write_finding(
    request: Request,
    core: CoreDep,
    principal: PrincipalDep,
    form: Annotated[FindingForm, Form()],
) -> Response:
    """Store a draft, or show the form again with what to change."""
    require_same_origin(request)
    try:
        workflow.write_finding(core, principal, FindingIn(**form.model_dump()))
    except ValidationError:
        words = f"Write one or two sentences: at least 10 and at most {LONGEST} characters."
        return _page(request, core, principal, error=words, given=form)
    except InvalidInputError as error:
        return _page(request, core, principal, error=str(error), given=form)
    return RedirectResponse(f"{core.settings.base_path}/findings", SEE_OTHER)


@router.post("/findings/{finding_id}")
def set_status(
    request: Request, core: CoreDep, principal: PrincipalDep, finding_id: uuid.UUID, status: Annotated[Status, Form()]
) -> Response:
    """Make a finding ready for the next release, or withdraw it."""
    require_same_origin(request)
    workflow.set_status(core, principal, finding_id, status)
    return RedirectResponse(f"{core.settings.base_path}/findings", SEE_OTHER)


def _page(
    request: Request, core: Core, principal: Principal, *, error: str = "", given: FindingForm | None = None
) -> HTMLResponse:
    found = workflow.list_findings(core, principal)
    view = areas.default_set(core)
    shapes = areas.area_shapes(core, view.name)
    wards = sorted(zip(shapes.codes.tolist(), shapes.names.tolist(), strict=True), key=lambda one: str(one[1]))
    reasons = [(reason.code, reason.label) for reason in places.choices().reasons]
    values = {"wards": wards, "reasons": reasons, "error": error, "given": given or FindingForm(), "longest": LONGEST}
    names = dict(wards) | dict(reasons)
    status = UNPROCESSABLE if error else 200
    return render_page(request, "findings.html", status=status, findings=found, names=names, **values)
