"""Ways of marking: by staff, in a workshop, without a code. One journey, and what differs between them."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from service.core import Core
from service.errors import InvalidInputError, ServiceError, problem_of
from service.places.forms import ListForm, fresh_ids, to_place
from service.places.marking import Picked, found_places, listed_places, mark_parts, pick
from service.places.reasons import choices
from service.places.schemas import PlaceIn
from service.places.workflow import Created
from service.web.templates import render_page

__all__ = [
    "ListForm",
    "Picked",
    "Way",
    "answer_list",
    "ask_where",
    "found_places",
    "listed_places",
    "mark_parts",
    "pick",
    "show_map",
]
OK, CREATED = 200, 201
KEY_BYTES = 16


@dataclass(frozen=True, slots=True)
class Way:
    """What one way of marking takes, and where its pages stand.

    Parameters
    ----------
    send : callable of PlaceIn
        Stores a mark.
    url : str
        Where scripts send marks.
    start, list, stop : str
        Addresses of the first screen, of the journey without a map, and of where "Stop here" leads.
    words, groups, borders, times, reasons : bool
        What is asked.
    title : str
        Title of the workshop; empty outside of one.
    sealed : dict, optional
        What a device needs to seal and keep marks while it has no network.
    bbox : tuple of float, optional
        West, south, east, north that the map begins at; the whole borough where left out.
    """

    send: Callable[[PlaceIn], Created]
    url: str
    start: str
    list: str
    stop: str
    words: bool = False
    groups: bool = False
    borders: bool = False
    times: bool = True
    reasons: bool = True
    title: str = ""
    sealed: dict[str, Any] | None = None
    bbox: tuple[float, float, float, float] | None = None

    @property
    def script(self) -> dict[str, Any]:
        """What the scripts of the marking page have to know."""
        names = ("url", "list", "stop", "times", "reasons", "words", "groups", "borders", "title", "bbox", "sealed")
        return {name: getattr(self, name) for name in names}


def show_map(request: Request, core: Core, way: Way) -> HTMLResponse:
    """Show the marking page."""
    parts = mark_parts(core, nonce=request.scope.get("csp_nonce", ""), base_path=core.settings.base_path)
    return render_page(request, "mark.html", map=parts, **_questions(core, way))


def ask_where(
    request: Request, core: Core, way: Way, form: ListForm, *, problem: str = "", status: int = OK
) -> HTMLResponse:
    """Ask where and how it feels, without the map."""
    found = found_places(core, form.find) if form.find else []
    person = form.person or secrets.token_urlsafe(KEY_BYTES)
    values = {"groups": listed_places(core), "found": found, "form": form, "problem": problem, "way": way}
    return render_page(request, "mark_list.html", status=status, person=person, **values)


def answer_list(request: Request, core: Core, way: Way, form: ListForm) -> HTMLResponse:
    """Take the answers of one page of the form and show the next."""
    if form.action in {"search", "again"}:
        return ask_where(request, core, way, form)
    if form.action == "back":
        return ask_where(request, core, way, form.model_copy(update={"place": form.picked, "found": ""}))
    if form.action == "send":
        return _send(request, core, way, form)
    return _ask_why(request, core, way, form)


def _questions(core: Core, way: Way) -> dict[str, Any]:
    """Return what the questions depend on: choices, limits, and what this way of marking takes."""
    settings = core.settings
    return {"way": way, "choices": choices(), "note_max": settings.note_max, "people_max": settings.people_max}


def _ask_why(
    request: Request, core: Core, way: Way, form: ListForm, *, problem: str = "", status: int = OK
) -> HTMLResponse:
    try:
        picked = pick(core, form.picked)
        if form.feeling not in {"safe", "unsafe", "mixed"}:
            message = "Say how it feels there."
            raise InvalidInputError(message)
    except InvalidInputError as error:
        return ask_where(request, core, way, form, problem=str(error), status=problem_of(error).status)
    fitting = [reason for reason in choices().reasons if reason.fits(form.feeling)]
    ids = {"id": form.id, "receipt": form.receipt} if form.id else fresh_ids()
    values = {"form": form, "picked": picked, "reasons": fitting, "ids": ids, "problem": problem}
    return render_page(request, "mark_list_why.html", status=status, **values, **_questions(core, way))


def _send(request: Request, core: Core, way: Way, form: ListForm) -> HTMLResponse:
    try:
        picked = pick(core, form.picked)
        made = way.send(to_place(form, picked))
    except ServiceError as error:
        words = error.errors[0].message if error.errors else error.detail
        return _ask_why(request, core, way, form, problem=words, status=problem_of(error).status)
    said = " ".join(made.words or [made.receipt])
    values = {"receipt": made.receipt, "words": said, "way": way, "person": form.person}
    return render_page(request, "mark_sent.html", status=CREATED, **values)
