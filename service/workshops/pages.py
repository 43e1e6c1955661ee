"""Staff pages of workshops: the list, set up, run, print, and type paper forms in."""

from __future__ import annotations

import io
import uuid
from dataclasses import dataclass
from typing import Annotated, Any

import segno
from fastapi import APIRouter, Form, Path, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from service.areas import workflow as areas
from service.core import Core
from service.errors import ServiceError, problem_of
from service.people.access import Principal, Right
from service.people.dependencies import PrincipalDep
from service.places import ways
from service.store.base import utc_now
from service.web.dependencies import CoreDep
from service.web.limits import count_failure, require_few_failures
from service.web.templates import render_page
from service.workshops import workflow
from service.workshops.forms import PaperForm, RunForm, SetUpForm, fresh_form, read_time, time_value
from service.workshops.windows import time_words, to_local
from service.workshops.workflow import Room

router = APIRouter(include_in_schema=False)
SEE_OTHER, OK = 303, 200
WorkshopId = Annotated[uuid.UUID, Path(description="Id of the workshop.")]
TIMES: dict[str, Any] = {"time_words": time_words, "to_local": to_local, "time_value": time_value}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the form before."""

    said: str = ""
    receipt: str = ""
    error: ServiceError | None = None


@router.get("/workshops")
def show_list(request: Request, core: CoreDep, principal: PrincipalDep) -> HTMLResponse:
    """List the workshops of one's own team, or of all teams for a safeguarding lead."""
    return _list(request, core, principal)


@router.post("/workshops/find")
def find_by_code(
    request: Request, core: CoreDep, principal: PrincipalDep, code: Annotated[str, Form(max_length=80)] = ""
) -> Response:
    """Find the adult in the room by the code of the workshop (S6); the code comes in the body."""
    limit = core.settings.join_tries_per_minute
    require_few_failures(core, request, "join", limit)
    try:
        room = workflow.room_of_code(core, principal, code)
    except ServiceError as error:
        count_failure(core, request, "join", limit)
        return _list(request, core, principal, problem=error.detail, status=problem_of(error).status)
    return RedirectResponse(_address(core, room.workshop.uuid), SEE_OTHER)


@router.get("/workshops/new")
def show_new(request: Request, core: CoreDep, principal: PrincipalDep) -> HTMLResponse:
    """Ask what a new workshop needs."""
    principal.require(Right.WORKSHOPS_RUN)
    return _set_up(request, core, fresh_form(utc_now()))


@router.post("/workshops/new")
def create(request: Request, core: CoreDep, principal: PrincipalDep, form: Annotated[SetUpForm, Form()]) -> Response:
    """Set a workshop up and go to its page."""
    principal.require(Right.WORKSHOPS_RUN)
    try:
        made = workflow.create_workshop(core, principal, form.to_workshop())
    except ServiceError as error:
        return _set_up(request, core, form, error=error)
    return RedirectResponse(_address(core, made), SEE_OTHER)


@router.get("/workshops/{identifier}")
def show_workshop(request: Request, core: CoreDep, principal: PrincipalDep, identifier: WorkshopId) -> HTMLResponse:
    """Show code, counts and buttons to those who run it; to a lead, where it is and who is in the room."""
    return _show(request, core, principal, identifier)


@router.post("/workshops/{identifier}")
def run_workshop(
    request: Request, core: CoreDep, principal: PrincipalDep, identifier: WorkshopId, form: Annotated[RunForm, Form()]
) -> Response:
    """Do what a button says."""
    try:
        said = _act(core, principal, identifier, form)
    except ServiceError as error:
        return _show(request, core, principal, identifier, error=error)
    return _show(request, core, principal, identifier, said=said)


@router.get("/workshops/{identifier}/live")
def read_live(core: CoreDep, principal: PrincipalDep, identifier: WorkshopId) -> dict[str, Any]:
    """Return what the page counts."""
    live = workflow.live(core, workflow.read_room(core, principal, identifier))
    return {
        "marks": live.marks,
        "seats": live.seats,
        "unsent": live.unsent.marks,
        "devices": live.unsent.devices,
        "words": live.words_now,
    }


@router.get("/workshops/{identifier}/sheet")
def print_sheet(request: Request, core: CoreDep, principal: PrincipalDep, identifier: WorkshopId) -> HTMLResponse:
    """Show the one page for the wall, to those who run the workshop: it has the code on it."""
    workflow.read_own(core, principal, identifier)
    room = workflow.read_room(core, principal, identifier)
    return render_page(
        request, "workshops/sheet.html", room=room, **code_values(request, core, principal, room), **TIMES
    )


@router.get("/workshops/{identifier}/form")
def print_form(request: Request, core: CoreDep, principal: PrincipalDep, identifier: WorkshopId) -> HTMLResponse:
    """Show the plain paper form."""
    workflow.read_own(core, principal, identifier)
    return render_page(request, "workshops/form.html", boxes=workflow.form_boxes(core))


@router.get("/workshops/{identifier}/paper")
def show_paper(request: Request, core: CoreDep, principal: PrincipalDep, identifier: WorkshopId) -> HTMLResponse:
    """Ask for the numbers of a filled form."""
    return _paper(request, core, principal, identifier, PaperForm(), Outcome())


@router.post("/workshops/{identifier}/paper")
def take_paper(
    request: Request, core: CoreDep, principal: PrincipalDep, identifier: WorkshopId, form: Annotated[PaperForm, Form()]
) -> HTMLResponse:
    """Store one form and ask for the next, or take the last one back."""
    workflow.read_own(core, principal, identifier)
    if form.action == "undo":
        workflow.withdraw_form(core, principal, identifier, form.receipt)
        return _paper(request, core, principal, identifier, PaperForm(), Outcome("Taken out again."))
    try:
        made, words = workflow.take_form(core, principal, identifier, _filled(core, form))
    except ServiceError as error:
        return _paper(request, core, principal, identifier, form, Outcome(error=error))
    return _paper(request, core, principal, identifier, PaperForm(), Outcome(f"Stored: {words}.", made.receipt))


def _list(request: Request, core: Core, principal: Principal, *, problem: str = "", status: int = OK) -> HTMLResponse:
    rooms = workflow.list_workshops(core, principal)
    may = {"run": principal.may(Right.WORKSHOPS_RUN), "see": principal.may(Right.WORKSHOPS_SEE)}
    values = {"rooms": rooms, "may": may, "problem": problem, **TIMES}
    return render_page(request, "workshops/list.html", status=status, **values)


def _set_up(request: Request, core: Core, form: SetUpForm, *, error: ServiceError | None = None) -> HTMLResponse:
    parts = ways.mark_parts(core, nonce=request.scope.get("csp_nonce", ""), base_path=core.settings.base_path)
    shapes = areas.area_shapes(core, (one := areas.default_set(core)).name)
    wards = sorted(zip(shapes.names.tolist(), shapes.codes.tolist(), strict=True))
    values = {"form": form, "map": parts, "wards": wards, "ward_set": one.name, **_said(error), **TIMES}
    values["covered_until"] = workflow.covered_until(core)
    return render_page(request, "workshops/new.html", status=_status(error), **values)


def _show(
    request: Request,
    core: Core,
    principal: Principal,
    identifier: uuid.UUID,
    *,
    said: str = "",
    error: ServiceError | None = None,
) -> HTMLResponse:
    room = workflow.read_room(core, principal, identifier)
    values = {"room": room, "live": workflow.live(core, room), "said": said, **_said(error), **TIMES}
    if room.is_own:
        values |= code_values(request, core, principal, room)
        values["wall"] = workflow.read_wall(core, room.workshop.id)
    return render_page(request, "workshops/workshop.html", status=_status(error), **values)


def code_values(request: Request, core: Core, principal: Principal, room: Room) -> dict[str, Any]:
    """Return the code, and as a QR that opens the page with the code in the fragment."""
    code = workflow.code_of(core, principal, room.workshop.uuid)
    address = str(request.url_for("show_join"))
    if not code:
        return {"code": "", "qr": "", "address": address}
    drawing = io.BytesIO()
    made = segno.make_qr(f"{address}#{code}", error="m")
    made.save(drawing, kind="svg", xmldecl=False, svgns=True, border=2, dark="#000", light="#fff", omitsize=True)
    return {"code": code, "qr": drawing.getvalue().decode(), "address": address.split("://", 1)[-1]}


def _act(core: Core, principal: Principal, identifier: uuid.UUID, form: RunForm) -> str:
    match form.action:
        case "extend":
            workflow.extend_workshop(core, principal, identifier, read_time(form.closes_at, "closes_at"))
            return "The new end is set."
        case "end":
            workflow.end_workshop(core, principal, identifier)
            return "The workshop is over. Phones that still hold marks can deliver them."
        case "new-code":
            workflow.renew_code(core, principal, identifier)
            return "There is a new code. The old one lets nobody in. Print the sheet again."
        case "wall-release":
            changed = workflow.release_batch(core, principal, identifier)
            return f"Released to the wall: {changed} {'area' if changed == 1 else 'areas'} changed."
    wall: dict[str, dict[str, bool]] = {
        "wall-on": {"on": True, "paused": False},
        "wall-off": {"on": False},
        "wall-pause": {"paused": True},
        "wall-go": {"paused": False},
    }
    workflow.set_wall(core, principal, identifier, **wall[form.action])
    said = {
        "wall-on": "The wall is on. It is empty until you release.",
        "wall-off": "The wall is off.",
        "wall-pause": "The wall is paused: nothing is shown.",
        "wall-go": "The wall goes on.",
    }
    return said[form.action]


def _paper(
    request: Request, core: Core, principal: Principal, identifier: uuid.UUID, form: PaperForm, came: Outcome
) -> HTMLResponse:
    workshop = workflow.read_own(core, principal, identifier)
    values: dict[str, Any] = {"workshop": workshop, "boxes": workflow.form_boxes(core), "form": form}
    values |= {"said": came.said, "receipt": came.receipt, "places": ways.listed_places(core)[:-1]}
    return render_page(request, "workshops/paper.html", status=_status(came.error), **values, **_said(came.error))


def _filled(core: Core, form: PaperForm) -> workflow.Filled:
    """Return what was typed; a written place is one of the list, or the best that the search finds.

    Raises
    ------
    InvalidInputError
        If the place is not found, or the number of people is none.
    """
    people = form.people.strip() or "1"
    if not people.isdecimal() or not 1 <= int(people) <= core.settings.people_max:
        raise workflow.wrong("people", "Type how many people filled it in, such as 3.")
    words = form.find.strip()
    if not words:
        return workflow.Filled(form.boxes, people=int(people))
    listed = [one for group in ways.listed_places(core)[:-1] for one in group.choices]
    same = [one for one in listed if one.label.lower() == words.lower()]
    found = (same or ways.found_places(core, words))[:1]
    if not found:
        raise workflow.wrong("find", "This street or place is not known here. Try another word, or type the ward.")
    picked = ways.pick(core, found[0].value)
    place = {"kind": picked.kind, "geometry": picked.geometry.model_dump()}
    return workflow.Filled(form.boxes, place, picked.label, int(people))


def _said(error: ServiceError | None) -> dict[str, Any]:
    problems = {one.field: one.message for one in error.errors} if error else {}
    return {"problem": error.detail if error else "", "problems": problems}


def _status(error: ServiceError | None) -> int:
    return problem_of(error).status if error else OK


def _address(core: Core, identifier: uuid.UUID) -> str:
    return f"{core.settings.base_path}/workshops/{identifier}"
