"""Pages of a phone in a workshop: the code, the marking journey with and without map and script, the way out (A1)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from service.core import Core
from service.errors import GoneError, NotSignedInError, ServiceError, problem_of
from service.people.dependencies import get_principal, require_same_origin
from service.places import ways
from service.places.schemas import PlaceIn
from service.places.ways import ListForm, Way
from service.places.workflow import Created
from service.web.dependencies import CoreDep
from service.web.templates import render_page
from service.workshops import workflow
from service.workshops.dependencies import COOKIE, find_seat, leave_seat, require_seat_tokens, take_seat
from service.workshops.shell import sealed_facts
from service.workshops.workflow import SeatView

router = APIRouter(include_in_schema=False, dependencies=[Depends(get_principal)])
SEE_OTHER, GONE = 303, 410


@router.get("/j")
def show_join(request: Request, core: CoreDep) -> HTMLResponse:
    """Ask for the code; one that comes in the fragment never reaches us in an address."""
    seat = find_seat(request, core)
    return render_page(request, "workshops/join.html", problem="", joined=seat.workshop.title if seat else "")


@router.post("/j")
def take_code(request: Request, core: CoreDep, code: Annotated[str, Form(max_length=80)] = "") -> Response:
    """Exchange the code for a seat and go on to the first screen."""
    response = RedirectResponse(f"{core.settings.base_path}/j/mark", SEE_OTHER)
    try:
        take_seat(request, response, core, code)
    except GoneError as error:
        return _over(request, error)
    except ServiceError as error:
        status = problem_of(error).status
        return render_page(request, "workshops/join.html", status=status, problem=error.detail, joined="")
    return response


@router.get("/j/mark")
def show_mark(request: Request, core: CoreDep) -> Response:
    """Show the marking page of the workshop that this browser joined."""
    found = _seat_or_answer(request, core)
    return ways.show_map(request, core, _way(request, core, found)) if isinstance(found, SeatView) else found


@router.get("/j/list")
def show_list(request: Request, core: CoreDep) -> Response:
    """Ask where and how it feels, without the map."""
    found = _seat_or_answer(request, core)
    if not isinstance(found, SeatView):
        return found
    return ways.ask_where(request, core, _way(request, core, found), ListForm())


@router.post("/j/list")
def take_list(request: Request, core: CoreDep, form: Annotated[ListForm, Form()]) -> Response:
    """Take the answers of one page of the form and show the next."""
    require_same_origin(request)
    found = _seat_or_answer(request, core)
    if not isinstance(found, SeatView):
        return found
    return ways.answer_list(request, core, _way(request, core, found), form)


@router.get("/j/done")
def show_done(request: Request, core: CoreDep) -> HTMLResponse:
    """Say thank you, and where to talk."""
    return render_page(request, "workshops/done.html", joined=find_seat(request, core) is not None)


@router.post("/j/leave")
def leave(request: Request, core: CoreDep) -> Response:
    """Forget the seat of this browser."""
    require_same_origin(request)
    response = RedirectResponse(f"{core.settings.base_path}/j/done", SEE_OTHER)
    leave_seat(response, core)
    return response


def _seat_or_answer(request: Request, core: Core) -> SeatView | Response:
    """Return the seat of this browser, or what to show it instead."""
    try:
        return workflow.seat_of_token(core, request.cookies.get(COOKIE, ""))
    except NotSignedInError:
        return RedirectResponse(f"{core.settings.base_path}/j", SEE_OTHER)
    except GoneError as error:
        return _over(request, error)


def _over(request: Request, error: GoneError) -> HTMLResponse:
    return render_page(request, "workshops/over.html", status=GONE, detail=error.detail)


def _way(request: Request, core: Core, seat: SeatView) -> Way:
    base = core.settings.base_path
    page = workflow.seat_page(core, seat)

    def send(place: PlaceIn) -> Created:
        require_seat_tokens(request, core, seat)
        return workflow.create_in_workshop(core, seat, place)

    return Way(
        send,
        f"{base}/api/v1/workshop/places",
        start=f"{base}/j/mark",
        list=f"{base}/j/list",
        stop=f"{base}/j/done",
        words=page.takes_words,
        groups=page.questions["groups"],
        borders=page.takes_borders,
        times=page.questions["times"],
        reasons=page.questions["reasons"],
        title=page.title,
        sealed=sealed_facts(core, page, request.cookies.get(COOKIE, "")),
        bbox=page.bbox,
    )
