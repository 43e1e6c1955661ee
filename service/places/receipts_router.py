"""JSON of receipts: the secret comes in the body, so that it never stands in an address or a log (X4)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request

from service.places import receipts
from service.places.schemas import ReceiptCorrect, ReceiptPlace, ReceiptRead
from service.web.dependencies import CoreDep
from service.web.limits import require_tokens
from service.web.openapi import problems


def throttle(request: Request, core: CoreDep) -> None:
    """Take a token of the caller's network before a receipt is tried."""
    require_tokens(core, request, "receipts", core.settings.receipt_tries_per_minute)


router = APIRouter(
    prefix="/api/v1/receipts",
    tags=["receipts"],
    dependencies=[Depends(throttle)],
    responses=problems((404, "The receipt is not known."), (429, "Too many tries from this network.")),
)


@router.post("/read", summary="See what came of a mark")
def read_receipt(core: CoreDep, body: ReceiptRead) -> ReceiptPlace:
    """Return ward, day and state of the mark; never its words."""
    return _answer(receipts.read_receipt(core, body.receipt))


@router.post(
    "/correct",
    summary="Correct or move a mark",
    responses=problems((409, "An adult is looking at it."), (410, "The mark was taken back.")),
)
def correct_receipt(core: CoreDep, body: ReceiptCorrect) -> ReceiptPlace:
    """Change feeling, times, reasons or position; what is left out stays. The mark is pending again."""
    return _answer(receipts.correct_receipt(core, body))


@router.post("/withdraw", summary="Take a mark back")
def withdraw_receipt(core: CoreDep, body: ReceiptRead) -> ReceiptPlace:
    """Erase the mark; only the fact that there was one stays. Asking again changes nothing."""
    return _answer(receipts.withdraw_receipt(core, body.receipt))


def _answer(view: dict[str, Any]) -> ReceiptPlace:
    return ReceiptPlace.model_validate(view)
