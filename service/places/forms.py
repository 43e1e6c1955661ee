"""The marking and receipt pages as plain forms: what a browser without scripts sends, and what it gets back."""

from __future__ import annotations

import secrets
import uuid
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError

from service.errors import FieldProblem, InvalidInputError
from service.places.marking import Picked
from service.places.schemas import PlaceIn, PlaceProperties

SECRET_BYTES = 16
Words = Annotated[str, Field(max_length=4000)]


class ListForm(BaseModel):
    """The marking form without map and script; every answer travels with it, nothing is kept between its two pages."""

    action: Literal["search", "next", "back", "send", "again"] = "next"
    find: str = Field(default="", max_length=80)
    place: str = Field(default="", max_length=300)
    found: str = Field(default="", max_length=300)
    feeling: str = Field(default="", max_length=20)
    times: list[str] = Field(default=[], max_length=10)
    reasons: list[str] = Field(default=[], max_length=40)
    note: Words = ""
    suggestion: Words = ""
    people: str = Field(default="", max_length=4)
    never: str = Field(default="", max_length=4)
    id: str = Field(default="", max_length=40)
    receipt: str = Field(default="", max_length=90)
    person: str = Field(default="", max_length=64)  # random key of one person in one session

    @property
    def picked(self) -> str:
        """The place: one of the search results if one was picked, else the one of the list."""
        return self.found or self.place


class ReceiptForm(BaseModel):
    """The receipt page as a form."""

    action: Literal["look", "correct", "move", "take-back", "take-back-now"] = "look"
    receipt: str = Field(default="", max_length=300)
    feeling: str = Field(default="", max_length=20)
    times: list[str] = Field(default=[], max_length=10)
    reasons: list[str] = Field(default=[], max_length=40)
    find: str = Field(default="", max_length=80)
    place: str = Field(default="", max_length=300)
    found: str = Field(default="", max_length=300)
    search: str = Field(default="", max_length=4)

    @property
    def picked(self) -> str:
        """The new place: one of the search results if one was picked, else the one of the list."""
        return self.found or self.place


def fresh_ids() -> dict[str, str]:
    """Return an id and a receipt for a form, made before it is sent: sent twice, it is stored once."""
    return {"id": str(uuid.uuid4()), "receipt": secrets.token_urlsafe(SECRET_BYTES)}


def to_place(form: ListForm, picked: Picked) -> PlaceIn:
    """Return the mark of a filled form.

    Raises
    ------
    InvalidInputError
        If an answer is none of those offered.
    """
    properties: dict[str, Any] = {
        "kind": picked.kind,
        "feeling": form.feeling,
        "times": form.times,
        "reasons": form.reasons,
        "note": form.note.strip() or None,
        "suggestion": form.suggestion.strip() or None,
        "people": form.people.strip() or 1,
        "publish": "never" if form.never else "count",
        "contributor_key": form.person or None,
    }
    try:
        return PlaceIn(
            type="Feature",
            id=uuid.UUID(form.id, version=4),
            geometry=picked.geometry,
            properties=PlaceProperties.model_validate(properties),
            receipt=form.receipt or None,
        )
    except ValueError as error:  # pydantic's too
        raise plain_refusal(error) from error


def plain_refusal(error: ValueError) -> InvalidInputError:
    """Return the error in words for the form; it holds none of what was typed."""
    field = "form"
    if isinstance(error, ValidationError):
        field = str(error.errors()[0]["loc"][0])
    message = {
        "feeling": "Say how it feels there.",
        "reasons": "Pick ten reasons at most.",
        "people": "Write how many people say this as a number, such as 3.",
    }.get(field, "Something in the form cannot be used. Start again.")
    return InvalidInputError(message, errors=[FieldProblem(field=field, message=message)])
