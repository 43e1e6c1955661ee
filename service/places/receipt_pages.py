"""The receipt page: see, correct, move and take back a mark, by form, with or without script (C7)."""

from __future__ import annotations

import io
import json
from typing import Annotated, Any

import segno
from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import HTMLResponse

from service.core import Core
from service.errors import ServiceError, problem_of
from service.people.dependencies import get_principal
from service.places import marking, receipts
from service.places.forms import ReceiptForm, plain_refusal
from service.places.reasons import choices
from service.places.schemas import ReceiptCorrect, ReceiptRead
from service.web.dependencies import CoreDep
from service.web.limits import require_tokens
from service.web.templates import render_page

router = APIRouter(include_in_schema=False, dependencies=[Depends(get_principal)])
SAID = {
    "correct": "Changed. Staff will look at it again.",
    "move": "Moved. Staff will look at it again.",
    "take-back-now": "Taken back. It is gone from every map.",
}

ALSO_HELD = (
    "the exact place, for staff only",
    "your words, if you wrote some: never shown here, in case somebody else has your receipt",
    "a hash of your receipt",
)
NOT_HELD = ("your name", "your school", "your phone or its number", "where you are")


@router.get("/receipt")
def show_receipt(request: Request) -> HTMLResponse:
    """Ask for the receipt; a code in the fragment never reaches us in an address."""
    return render_page(request, "receipt.html", problem="")


@router.post("/receipt", response_class=HTMLResponse)
def use_receipt(request: Request, core: CoreDep, form: Annotated[ReceiptForm, Form()]) -> Response:
    """Do what the holder of the receipt asks and show what is stored now."""
    require_tokens(core, request, "receipts", core.settings.receipt_tries_per_minute)
    try:
        place = receipts.read_receipt(core, form.receipt)
    except ServiceError as error:
        return render_page(request, "receipt.html", status=problem_of(error).status, problem=error.detail)
    return _act(request, core, form, place)


@router.post("/receipt/qr")
def draw_receipt(request: Request, body: ReceiptRead) -> Response:
    """Draw a receipt as a QR code that opens this page with the secret in the fragment."""
    address = f"{request.url_for('show_receipt')}#{body.receipt}"
    drawing = io.BytesIO()
    segno.make_qr(address, error="m").save(drawing, kind="svg", scale=4, border=2, dark="#000", light="#fff")
    return Response(drawing.getvalue(), media_type="image/svg+xml")


def _download(place: dict[str, Any]) -> Response:
    """Give what the receipt shows as a file, and the kinds of data beside it; never the words (product.md 3.1)."""
    body = {"mark": place, "also_held": list(ALSO_HELD), "not_held": list(NOT_HELD)}
    headers = {"Content-Disposition": 'attachment; filename="my-mark.json"'}
    return Response(json.dumps(body, default=str, indent=1), media_type="application/json", headers=headers)


def _act(request: Request, core: Core, form: ReceiptForm, place: dict[str, Any]) -> Response:
    problem = ""
    if form.action == "download":
        return _download(place)
    if form.action == "take-back":
        return render_page(request, "receipt_take_back.html", receipt=form.receipt, place=place)
    try:
        if form.action == "take-back-now":
            place = receipts.withdraw_receipt(core, form.receipt)
        elif form.action in {"correct", "move"} and not form.search:
            place = receipts.correct_receipt(core, _change(core, form))
    except ServiceError as error:
        problem = error.errors[0].message if error.errors else error.detail
    said = "" if problem or form.search else SAID.get(form.action, "")
    return _show(request, core, form, {"place": place, "problem": problem, "said": said})


def _change(core: Core, form: ReceiptForm) -> ReceiptCorrect:
    """Return what the form changes: the position, or what was said about it."""
    if form.action == "move":
        picked = marking.pick(core, form.picked)
        return ReceiptCorrect(receipt=form.receipt, kind=picked.kind, geometry=picked.geometry)
    values = {"receipt": form.receipt, "feeling": form.feeling, "times": form.times, "reasons": form.reasons}
    try:
        return ReceiptCorrect.model_validate(values)
    except ValueError as error:
        raise plain_refusal(error) from error


def _show(request: Request, core: Core, form: ReceiptForm, values: dict[str, Any]) -> HTMLResponse:
    found = marking.found_places(core, form.find) if form.find else []
    groups = marking.listed_places(core)
    status = 422 if values["problem"] else 200
    return render_page(
        request, "receipt_place.html", status=status, form=form, choices=choices(), groups=groups, found=found, **values
    )
