"""Staff see what a release would publish, what it hides and why, and publish it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from service.people.access import Right
from service.people.dependencies import PrincipalDep, require_same_origin
from service.releases import words, workflow
from service.web.dependencies import CoreDep
from service.web.templates import render_page

router = APIRouter(include_in_schema=False)
SEE_OTHER = 303


@router.get("/releases")
def show_preview(request: Request, core: CoreDep, principal: PrincipalDep, asked: bool = False) -> HTMLResponse:
    """Show the release as it would be now, and how it differs from the current one."""
    seen = workflow.preview(core, principal)
    values: dict[str, Any] = {
        "seen": seen,
        "found": words.found_of(workflow.as_out(seen.made)),
        "why": Counter(seen.made.disclosed.why.values()),
        "names": {area.code: area.name for area in seen.made.content.partition.areas} | {"borough": core.area_name},
        "may_publish": principal.may(Right.RELEASES_MAKE),
        "may_write": principal.may(Right.FINDINGS_WRITE),
        "lines": workflow.list_releases(core),
        "asked": asked,
        "every": core.settings.release_every_days,
    }
    return render_page(request, "releases.html", principal=principal, **values)


@router.post("/releases")
def publish(request: Request, core: CoreDep, principal: PrincipalDep) -> Response:
    """Queue a release; the worker makes it within seconds."""
    require_same_origin(request)
    workflow.request_release(core, principal)
    return RedirectResponse(f"{core.settings.base_path}/releases?asked=true", SEE_OTHER)
