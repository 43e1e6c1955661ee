"""The seat of a request: a random token in a cookie that scripts cannot read, gone when the browser closes."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends, Request, Response

from service.core import Core
from service.errors import GoneError, NotFoundError, NotSignedInError
from service.people.dependencies import require_same_origin
from service.web.dependencies import CoreDep
from service.web.limits import count_failure, require_few_failures, require_tokens, require_tokens_of
from service.workshops import workflow
from service.workshops.workflow import SeatView

COOKIE: Final = "seat"


def get_seat(request: Request, core: CoreDep) -> SeatView:
    """Return the seat of this browser in a workshop that is open.

    Raises
    ------
    NotSignedInError
        If it has none.
    GoneError
        If the window is over.
    ForbiddenError
        If a page of another site sent a change along with the cookie.
    """
    return read_seat(request, core)


def get_late_seat(request: Request, core: CoreDep) -> SeatView:
    """Return the seat of this browser, also for what it still has to deliver after the window.

    Raises
    ------
    NotSignedInError, ForbiddenError
        As ``get_seat``.
    """
    return read_seat(request, core, late=True)


def find_seat(request: Request, core: Core) -> SeatView | None:
    """Return the seat of this browser in an open workshop, if it has one."""
    token = request.cookies.get(COOKIE, "")
    if not token:
        return None
    try:
        return workflow.seat_of_token(core, token)
    except (NotSignedInError, GoneError):
        return None


def take_seat(request: Request, response: Response, core: Core, code: str) -> SeatView:
    """Exchange a code for a seat and put its token into the cookie; wrong codes are counted by network (X3, X4).

    Raises
    ------
    NotFoundError, ConflictError, GoneError, TooManyRequestsError, ForbiddenError
        As ``workflow.join`` and ``require_same_origin``.
    """
    require_same_origin(request)
    limit = core.settings.join_tries_per_minute
    require_few_failures(core, request, "join", limit)
    try:
        seat, token = workflow.join(core, code)
    except NotFoundError:
        count_failure(core, request, "join", limit)
        raise
    secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, token, path=_path(core), secure=secure, httponly=True, samesite="strict")
    return seat


def leave_seat(response: Response, core: Core) -> None:
    """Forget the seat of this browser."""
    response.delete_cookie(COOKIE, path=_path(core), httponly=True, samesite="strict")


def require_seat_tokens(request: Request, core: Core, seat: SeatView) -> None:
    """Take a token of the device, then a generous one of its network: 60 phones share one address (X3).

    Raises
    ------
    TooManyRequestsError
        If there is none.
    """
    require_tokens_of(core, seat.key, "seat-marks", core.settings.seat_marks_per_minute)
    require_tokens(core, request, "marks", core.settings.marks_per_minute)


def read_seat(request: Request, core: Core, *, late: bool = False) -> SeatView:
    """Return the seat of this browser, for a route that is in a thread already.

    Raises
    ------
    NotSignedInError, GoneError, ForbiddenError
        As ``get_seat``.
    """
    if request.method != "GET":
        require_same_origin(request)
    return workflow.seat_of_token(core, request.cookies.get(COOKIE, ""), late=late)


def _path(core: Core) -> str:
    return f"{core.settings.base_path}/"


SeatDep = Annotated[SeatView, Depends(get_seat)]
LateSeatDep = Annotated[SeatView, Depends(get_late_seat)]
