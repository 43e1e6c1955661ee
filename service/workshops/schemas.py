"""What goes in and out of the workshop API of devices."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from service.places.schemas import ReceiptOut

EXAMPLE_CODE = "maple-river-sock"
CodeIn = Annotated[str, StringConstraints(min_length=1, max_length=80)]


class JoinIn(BaseModel):
    """A join code, in the body so that it never stands in an address or a log."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"code": EXAMPLE_CODE}]})

    code: CodeIn = Field(description="Three words; capitals, blanks and hyphens do not matter.")


class UnsentIn(BaseModel):
    """How many marks a device still holds."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"unsent": 3}]})

    unsent: int = Field(ge=0, le=1000, description="Marks that were not delivered yet.")


class WordsIn(BaseModel):
    """Words that somebody is about to send."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"texts": ["It is dark here"]}]})

    texts: list[Annotated[str, StringConstraints(max_length=4000)]] = Field(
        max_length=2, description="The note and the suggestion as they were typed; nothing of them is kept."
    )


class WordsMarked(BaseModel):
    """What stands out in them."""

    personal: list[str] = Field(description="Words that may tell who somebody is.")
    help: bool = Field(description="Whether somebody may be at risk.")


class QuestionsOut(BaseModel):
    """Which questions are asked besides where and how it feels."""

    times: bool = Field(description="When it feels so.")
    reasons: bool = Field(description="Why.")
    groups: bool = Field(description="How many people say it.")


class WorkshopOut(BaseModel):
    """What the marking page of a workshop has to know."""

    title: str = Field(description="Title of the workshop.", examples=["Ladywell youth club"])
    workshop: uuid.UUID = Field(description="Id of the workshop.")
    centre: tuple[float, float] | None = Field(description="Centre of its area in degrees; null for the whole borough.")
    bbox: tuple[float, float, float, float] | None = Field(description="Box of its area: west, south, east, north.")
    questions: QuestionsOut = Field(description="What is asked.")
    takes_words: bool = Field(description="Whether words are taken right now: only while a lead is on duty.")
    takes_borders: bool = Field(description="Whether facilitated borders are taken.")
    closes_at: datetime | None = Field(description="When the window closes.")
    public_key: str | None = Field(
        description="Key that devices seal unsent marks to: raw P-256 point, uncompressed, base64url."
    )


class MarkTaken(BaseModel):
    """A stored mark; its words and position are not said back."""

    id: uuid.UUID = Field(description="Id of the mark.")
    receipt: ReceiptOut = Field(description="Give it to the person; it is not shown again by anything but this call.")
