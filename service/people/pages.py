"""Staff sign in to pages with their key and out again; the form itself is a page of ``web``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from service.errors import NotSignedInError
from service.people.dependencies import COOKIE, require_same_origin
from service.people.workflow import start_session
from service.web.dependencies import CoreDep
from service.web.limits import count_failure, require_few_failures
from service.web.templates import render_page

router = APIRouter(include_in_schema=False)
SEE_OTHER, UNAUTHORIZED = 303, 401


@router.post("/sign-in")
def sign_in(request: Request, core: CoreDep, key: Annotated[str, Form(max_length=300)]) -> Response:
    """Check the key and start a session in a cookie that scripts cannot read and other sites cannot send."""
    require_same_origin(request)
    limit = core.settings.sign_in_tries_per_minute
    require_few_failures(core, request, "sign-in", limit)
    try:
        _, cookie = start_session(core, key)
    except NotSignedInError as error:
        count_failure(core, request, "sign-in", limit)
        return _ask_again(request, core, error.detail)
    response = RedirectResponse(f"{core.settings.base_path}/", SEE_OTHER)
    seconds = core.settings.staff_session_minutes * 60
    secure = request.url.scheme == "https"
    response.set_cookie(
        COOKIE, cookie, max_age=seconds, path=_path(core), secure=secure, httponly=True, samesite="strict"
    )
    return response


@router.post("/sign-out")
def sign_out(request: Request, core: CoreDep) -> Response:
    """End the session of this browser."""
    require_same_origin(request)
    response = RedirectResponse(f"{core.settings.base_path}/", SEE_OTHER)
    response.delete_cookie(COOKIE, path=_path(core), httponly=True, samesite="strict")
    return response


def _ask_again(request: Request, core: CoreDep, words: str) -> Response:
    minutes = core.settings.staff_session_minutes
    return render_page(request, "sign_in.html", status=UNAUTHORIZED, principal=None, minutes=minutes, error=words)


def _path(core: CoreDep) -> str:
    return f"{core.settings.base_path}/"
