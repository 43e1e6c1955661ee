"""The ``Principal`` of a request: a staff key in the header, a staff session in the cookie, the demo, or the public."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from service.core import Core
from service.errors import ForbiddenError, NotSignedInError
from service.people.access import DEMO, PUBLIC, Principal
from service.people.workflow import find_session, principal_of_key, require_fresh
from service.web.dependencies import CoreDep
from service.web.headers import set_late_cookie
from service.web.limits import count_failure, require_few_failures

COOKIE = "staff"
ASKED_BY_PAGES = ("/live", "/wall/events", "/keep")  # by a clock of the page, whether or not anybody is there
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


async def get_principal(request: Request, core: CoreDep) -> Principal:
    """Return who asks; a thread is taken only where a key or a cookie has to be looked up.

    Raises
    ------
    NotSignedInError
        If a key was sent that nobody holds; a wrong key never falls back to the public view.
    ForbiddenError
        If a page of another site sent a change along with the cookie.
    TooManyRequestsError
        After too many wrong keys from one network.
    """
    header, cookie = request.headers.get("authorization", ""), request.cookies.get(COOKIE, "")
    nobody = DEMO if core.is_demo else PUBLIC
    principal = await run_in_threadpool(_find_principal, request, core, header, cookie) if header or cookie else nobody
    request.state.principal = principal
    return principal


def _find_principal(request: Request, core: Core, header: str, cookie: str) -> Principal:
    if header:
        return _by_key(request, core, header)
    found = find_session(core, cookie, is_use=not request.url.path.endswith(ASKED_BY_PAGES))
    if found is None:
        return DEMO if core.is_demo else PUBLIC
    if request.method not in SAFE_METHODS:
        require_same_origin(request)
    if found.new_token is not None:
        set_late_cookie(request.scope, cookie_of(core, request, found.new_token))
    return found.principal


def cookie_of(core: Core, request: Request, token: str) -> str:
    """Return the header that keeps a session in a browser: unread by scripts, unsent by other sites, gone with it."""
    carrier, path = Response(), f"{core.settings.base_path}/"
    secure = request.url.scheme == "https"
    carrier.set_cookie(COOKIE, token, path=path, secure=secure, httponly=True, samesite="strict")
    return carrier.headers["set-cookie"]


def _by_key(request: Request, core: Core, header: str) -> Principal:
    scheme, _, key = header.partition(" ")
    limit = core.settings.sign_in_tries_per_minute
    require_few_failures(core, request, "sign-in", limit)
    try:
        if scheme.lower() == "bearer":
            return principal_of_key(core, key)
    except NotSignedInError:
        count_failure(core, request, "sign-in", limit)
        raise
    message = "Send the staff key as 'Authorization: Bearer KEY', or leave the header out."
    raise NotSignedInError(message)


def require_same_origin(request: Request) -> None:
    """Raise unless a page of our own sent the request.

    Raises
    ------
    ForbiddenError
        If the browser says that another site did, or does not say.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    own = site == "same-origin" if site else bool(origin) and urlsplit(origin).netloc == request.headers.get("host")
    if not own:
        message = "This came from another site, so nothing was changed. Open the page here and try again."
        raise ForbiddenError(message)


PrincipalDep = Annotated[Principal, Depends(get_principal)]


def get_fresh_principal(core: CoreDep, principal: PrincipalDep) -> Principal:
    """Return who asks, once password and code were given a short while ago (X5).

    Raises
    ------
    ConfirmFirstError
        If they have to be given again.
    """
    require_fresh(core, principal)
    return principal


FreshPrincipalDep = Annotated[Principal, Depends(get_fresh_principal)]
