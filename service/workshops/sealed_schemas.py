"""What goes in and out of the route that takes sealed marks."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import UUID4, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from service.errors import Problem
from service.places.schemas import PlaceIn

BATCH_MAX = 20
UNSENT_MAX = 1000
Envelope = Annotated[str, StringConstraints(min_length=1, max_length=90_000, pattern="^[A-Za-z0-9_-]+$")]
Pass = Annotated[str, StringConstraints(min_length=1, max_length=600, pattern="^[A-Za-z0-9_=-]+$")]
EXAMPLE_BATCH: dict[str, Any] = {
    "marks": [{"id": "0b9f6a3e-1a52-4c8e-9d0f-2f6f0f5f9a11", "sealed": "ARERERERERERgREREREREREE"}],
    "held": [{"seat": "gAAAAABnRSkA", "unsent": 3}],
}
OutcomeCode = Literal["stored", "already", "gone", "refused", "later"]


class Closed(BaseModel):
    """A model that refuses properties it does not know."""

    model_config = ConfigDict(extra="forbid")


class SealedMark(Closed):
    """One mark as a device keeps and sends it."""

    id: UUID4 = Field(description="Id of the mark, made on the device. Sent twice with it, a mark is stored once.")
    sealed: Envelope = Field(
        description="The mark and the pass of its seat, encrypted to the workshop's public key: base64url of version, "
        "workshop, ephemeral P-256 point, nonce, and AES-256-GCM ciphertext."
    )


class HeldMarks(Closed):
    """How many marks of one seat a device holds, those of this request among them."""

    seat: Pass = Field(description="The sealed pass of the seat, as the device was given it.")
    unsent: int = Field(ge=0, le=UNSENT_MAX, description="How many it holds.")


class SealedBatch(Closed):
    """What a device sends when it has a network again."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE_BATCH]})

    marks: list[SealedMark] = Field(default=[], max_length=BATCH_MAX, description="In the order they were made.")
    held: list[HeldMarks] = Field(
        default=[], max_length=BATCH_MAX, description="What the device holds, so that the adult in the room sees it."
    )


class SealedOutcome(BaseModel):
    """What became of one mark."""

    id: UUID4 = Field(description="Id of the mark.")
    outcome: OutcomeCode = Field(
        description="stored; already (stored by an earlier request); gone (it was taken back and stays so); refused "
        "(an adult has to look at it; the device keeps it); later (send it again)."
    )
    problem: Problem | None = Field(default=None, description="Why, for refused and later.")


class SeatWindow(BaseModel):
    """Whether the workshop of a seat takes new marks, as it is now: it may have been made longer, or ended."""

    workshop: uuid.UUID = Field(description="Id of the workshop.")
    is_open: bool = Field(description="Whether new marks are taken.")
    closes_at: datetime | None = Field(description="When its window closes.")


class SealedAnswer(BaseModel):
    """What became of each mark, in the order sent."""

    marks: list[SealedOutcome] = Field(description="One for each mark of the request.")
    windows: list[SeatWindow] = Field(description="One for each workshop that `held` names a seat of.")


class Content(Closed):
    """What an envelope holds."""

    v: Literal[1]
    seat: Pass
    made: AwareDatetime | None = None
    mark: PlaceIn

    @property
    def made_at(self) -> datetime | None:
        """When the device says that the mark was made."""
        return self.made
