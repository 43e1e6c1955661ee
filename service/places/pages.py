"""Pages of marking: the map page, and the same journey as plain forms without map and script (A1)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse

from service.core import Core
from service.errors import InvalidInputError, ServiceError, problem_of
from service.people.access import Principal, Right
from service.people.dependencies import PrincipalDep
from service.places import marking, workflow
from service.places.forms import ListForm, fresh_ids, to_place
from service.places.reasons import choices
from service.web.dependencies import CoreDep
from service.web.limits import require_tokens
from service.web.templates import render_page

router = APIRouter(include_in_schema=False)
OK = 200


@router.get("/mark")
def show_mark(request: Request, core: CoreDep, principal: PrincipalDep) -> HTMLResponse:
    """Show the marking page to whoever may mark, and to everybody else where marking happens."""
    if not principal.may(Right.PLACES_CREATE):
        return render_page(request, "mark_closed.html")
    parts = marking.mark_parts(core, nonce=request.scope.get("csp_nonce", ""), base_path=core.settings.base_path)
    return render_page(request, "mark.html", map=parts, **_questions(core, principal))


@router.get("/mark/list")
def show_list(request: Request, core: CoreDep, principal: PrincipalDep) -> HTMLResponse:
    """Ask where and how it feels, without the map."""
    if not principal.may(Right.PLACES_CREATE):
        return render_page(request, "mark_closed.html")
    return _ask_where(request, core, ListForm())


@router.post("/mark/list")
def take_list(
    request: Request, core: CoreDep, principal: PrincipalDep, form: Annotated[ListForm, Form()]
) -> HTMLResponse:
    """Take the answers of one page of the form and show the next."""
    principal.require(Right.PLACES_CREATE)
    if form.action == "search":
        return _ask_where(request, core, form)
    if form.action == "back":
        return _ask_where(request, core, form.model_copy(update={"place": form.picked, "found": ""}))
    if form.action == "send":
        return _send(request, core, principal, form)
    return _ask_why(request, core, principal, form)


def _questions(core: Core, principal: Principal) -> dict[str, Any]:
    """Return what the questions depend on: choices, and whether words and groups are taken."""
    settings = core.settings
    return {
        "choices": choices(),
        "takes_words": core.is_demo,  # S2: a real deployment takes words in workshops only
        "is_staff": principal.is_staff,
        "note_max": settings.note_max,
        "people_max": settings.people_max,
    }


def _ask_where(request: Request, core: Core, form: ListForm, *, problem: str = "", status: int = OK) -> HTMLResponse:
    found = marking.found_places(core, form.find) if form.find else []
    values = {"groups": marking.listed_places(core), "found": found, "form": form, "problem": problem}
    return render_page(request, "mark_list.html", status=status, **values)


def _ask_why(
    request: Request, core: Core, principal: Principal, form: ListForm, *, problem: str = "", status: int = OK
) -> HTMLResponse:
    try:
        picked = marking.pick(core, form.picked)
        if form.feeling not in {"safe", "unsafe", "mixed"}:
            message = "Say how it feels there."
            raise InvalidInputError(message)
    except InvalidInputError as error:
        return _ask_where(request, core, form, problem=str(error), status=problem_of(error).status)
    fitting = [reason for reason in choices().reasons if reason.fits(form.feeling)]
    ids = {"id": form.id, "receipt": form.receipt} if form.id else fresh_ids()
    values = {"form": form, "picked": picked, "reasons": fitting, "ids": ids, "problem": problem}
    return render_page(request, "mark_list_why.html", status=status, **values, **_questions(core, principal))


def _send(request: Request, core: Core, principal: Principal, form: ListForm) -> HTMLResponse:
    require_tokens(core, request, "marks", core.settings.marks_per_minute)
    try:
        picked = marking.pick(core, form.picked)
        made = workflow.create_place(core, principal, to_place(form, picked))
    except ServiceError as error:
        words = error.errors[0].message if error.errors else error.detail
        return _ask_why(request, core, principal, form, problem=words, status=problem_of(error).status)
    receipt_words = " ".join(made.words or [made.receipt])
    return render_page(request, "mark_sent.html", status=201, receipt=made.receipt, words=receipt_words)
