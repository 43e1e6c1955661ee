"""JSON of the queue: what a moderator is shown, what they decide, how well moderators agree."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Act = Literal["approve", "reject", "reword", "redact", "never", "count", "merge"]
CheckCode = Literal["home", "venue", "allegation"]
TextField = Literal["note", "suggestion"]
SecondAct = Literal["approve", "reject", "hold"]
After = Literal["return", "reject", "erase"]
Desk = Annotated[
    str,
    Field(
        pattern="^[A-Za-z0-9_-]{8,64}$",
        description="Random name of the open page, so that two pages of one person get different marks.",
        examples=["q7Hn3xWz"],
    ),
]
SPANS_MAX = 50
EXAMPLE_DESK = "q7Hn3xWz"
EXAMPLE_ID = "0b7c9f4e-3f0a-4f6e-9f0e-2d8f4f1f6a11"


class Closed(BaseModel):
    """A body that takes no field it does not know."""

    model_config = ConfigDict(extra="forbid")


class DeskIn(Closed):
    """Which page asks."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"desk": EXAMPLE_DESK}]})

    desk: Desk


class NextIn(DeskIn):
    """Which mark to show next."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"desk": EXAMPLE_DESK, "skip": []}]})

    skip: list[uuid.UUID] = Field(default=[], max_length=200, description="Marks to leave out: put off on this page.")
    prefer: uuid.UUID | None = Field(default=None, description="Mark to take first if nobody else reads it.")


class Span(Closed):
    """A piece of a person's words."""

    field: TextField = Field(description="Which words.")
    start: int = Field(ge=0, le=10_000, description="First character (Unicode code point), from 0.")
    stop: int = Field(ge=1, le=10_000, description="One after the last character.")


class DecideIn(DeskIn):
    """An act on a mark."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"desk": EXAMPLE_DESK, "act": "reject", "version": 1, "reason": "no_place"},
                {
                    "desk": EXAMPLE_DESK,
                    "act": "redact",
                    "version": 1,
                    "spans": [{"field": "note", "start": 4, "stop": 9}],
                },
            ]
        },
    )

    act: Act = Field(description="What to do.")
    version: int = Field(ge=1, description="Version that was read; a newer one is told and nothing is changed.")
    reason: str | None = Field(default=None, max_length=30, description="Code of the reason to reject.")
    text: str | None = Field(default=None, max_length=2000, description="Public wording, or a reason in words.")
    spans: list[Span] = Field(default=[], max_length=SPANS_MAX, description="Pieces to take out (redact).")
    into: uuid.UUID | None = Field(default=None, description="Mark that speaks for this one (merge).")
    checks: list[CheckCode] = Field(default=[], max_length=3, description="What of the checklist is so (S7).")
    override: str | None = Field(
        default=None, max_length=200, description="Why the warnings about the wording are set aside; goes to the audit."
    )


class FoundOut(BaseModel):
    """What the detector points at: it orders and never decides."""

    field: TextField = Field(description="Which words.")
    label: str = Field(description="Class.")
    words: str = Field(description="The class in words for people.")
    start: int = Field(description="First character (Unicode code point).")
    stop: int = Field(description="One after the last character.")


class MarkOut(BaseModel):
    """A mark as its moderator reads it: the words, not the position."""

    id: uuid.UUID = Field(description="Identifier.")
    version: int = Field(description="Send it back with what is decided.")
    day: date = Field(description="Day it was made.")
    kind: str = Field(description="point, route, area or border.")
    feeling: str = Field(description="safe, unsafe or mixed.")
    times: list[str] = Field(description="When, in words.")
    reasons: list[str] = Field(description="Why, in words.")
    note: str | None = Field(description="The person's own words.")
    suggestion: str | None = Field(description="What would help, in their own words.")
    public_text: str | None = Field(description="Wording that a moderator wrote for publishing.")
    publish: str = Field(description="count, or never.")
    people: int = Field(description="How many it speaks for.")
    status: str = Field(description="pending, approved or rejected.")
    urgency: int = Field(description="0 to 3, of the detector.")
    found: list[FoundOut] = Field(description="What the detector points at.")
    hints: list[CheckCode] = Field(description="Points of the checklist that the detector hints at.")
    has_others: bool = Field(description="Whether the same workshop has other marks it could be merged with.")


class NextOut(BaseModel):
    """The mark to read now."""

    mark: MarkOut | None = Field(description="null where nothing waits that nobody else reads.")
    waiting: int = Field(description="Marks that wait, this one too.")


class WordingOut(BaseModel):
    """A word of the agreed list (E2)."""

    said: str = Field(description="As it stands in the text.")
    instead: str = Field(description="What to write.")
    why: str = Field(description="The reason.")


class DecidedOut(BaseModel):
    """What was decided."""

    decision: int = Field(description="Number of the act, to undo it.")
    done: bool = Field(description="Whether the mark has left the queue.")
    mark: MarkOut | None = Field(description="The mark as it is now, where it stays to be decided.")


class HeldOut(BaseModel):
    """That a mark is with the lead."""

    hold: int = Field(description="Number of the hold.")
    due_at: datetime = Field(description="By when the lead decides.")


class WhereOut(BaseModel):
    """Where a mark is: shown on request only."""

    ward: str | None = Field(description="Name of the ward; null outside all.")
    near: str | None = Field(description="Nearest station, park or other landmark, and how far.")
    view_box: str | None = Field(description="View box of a small drawing of the wards.")
    paths: list[str] = Field(description="Outlines of the wards in that drawing.")
    x: float = Field(description="Position across in the drawing.")
    y: float = Field(description="Position down in the drawing.")


class OtherOut(BaseModel):
    """Another mark of the same workshop."""

    id: uuid.UUID = Field(description="Identifier.")
    feeling: str = Field(description="safe, unsafe or mixed.")
    status: str = Field(description="pending or approved.")
    note: str | None = Field(description="The person's own words.")
    metres: int | None = Field(description="How far from this mark; null where one has no position.")


class OthersOut(BaseModel):
    """Marks that this one could be merged with, the nearest first."""

    others: list[OtherOut] = Field(description="At most 30.")


class DecisionOut(BaseModel):
    """An act of one's own."""

    number: int = Field(description="Number of the act.")
    mark: uuid.UUID = Field(description="Mark it was on.")
    act: str = Field(description="What was done.")
    words: str = Field(description="The same in words.")
    at: datetime = Field(description="When.")
    undone: bool = Field(description="Whether it was undone.")


class DecisionsOut(BaseModel):
    """One's own newest acts."""

    decisions: list[DecisionOut] = Field(description="Newest first, at most 20.")


class UndoneOut(BaseModel):
    """What was undone."""

    mark: uuid.UUID = Field(description="Mark that is as it was before the act.")


class AskedOut(BaseModel):
    """A mark to judge again, without what the first moderator did."""

    number: int = Field(description="Number of the question.")
    mark: MarkOut = Field(description="As the first moderator read it.")


class SecondOut(BaseModel):
    """The next second look."""

    asked: AskedOut | None = Field(description="null where nothing is asked.")


class SecondIn(Closed):
    """A second judgement."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"act": "approve"}]})

    act: SecondAct = Field(description="What the second moderator would do; 'hold' does pass the mark to the lead.")


class AgreementRow(BaseModel):
    """How often the second moderator did the same as the first."""

    act: str = Field(description="What the first moderator did.")
    same: int = Field(description="Second looks with the same act.")
    total: int = Field(description="Second looks.")
    percent: float = Field(description="Share of the same [%].")
    low: float = Field(description="Lower end of the 95 % Wilson interval [%].")
    high: float = Field(description="Upper end [%].")


class AgreementOut(BaseModel):
    """Agreement of moderators by class of act, never by person (E3)."""

    total: int = Field(description="Second looks so far.")
    least: int = Field(description="From how many on anything is shown.")
    rows: list[AgreementRow] = Field(description="By what the first moderator did; empty below the least number.")
    kappa: float | None = Field(description="Cohen's kappa; null where it is hidden or cannot be computed.")
    kappa_low: float | None = Field(description="Lower end of its 95 % interval.")
    kappa_high: float | None = Field(description="Upper end.")


class RoomOut(BaseModel):
    """The adult who was in the room: no child is named anywhere (S6)."""

    title: str = Field(description="Workshop.")
    opens_at: datetime | None = Field(description="When it began.")
    closes_at: datetime | None = Field(description="When it ended.")
    adult: str | None = Field(description="The worker who led it.")
    contact: str = Field(description="How to reach them.")


class HoldOut(BaseModel):
    """A mark with the lead."""

    number: int = Field(description="Number of the hold.")
    held_at: datetime = Field(description="Since when.")
    held_by: str = Field(description="Who passed it on.")
    due_at: datetime = Field(description="By when it is decided.")
    late: bool = Field(description="Whether that time is over.")
    taken_back: bool = Field(description="Whether its owner took it back: it is erased after the decision (S5).")
    mark: MarkOut = Field(description="The mark.")
    ward: str | None = Field(description="Ward it lies in.")
    room: RoomOut | None = Field(description="Who was in the room; null where it was sent outside a workshop.")


class HoldsOut(BaseModel):
    """What waits for the lead, the earliest due first."""

    holds: list[HoldOut] = Field(description="Undecided holds.")
    unsent: int = Field(description="E-mails that could not be sent yet.")


class HoldDecideIn(Closed):
    """The decision of a lead."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"outcome": "talked_with_worker", "reason": "The worker knew already.", "then": "return"}]
        },
    )

    outcome: str = Field(max_length=30, description="Code of what was decided; 'no_action' too is a decision.")
    reason: str = Field(min_length=3, max_length=1000, description="Why, in words.")
    then: After = Field(description="What happens to the mark; one that was taken back is erased whatever is asked.")


class HoldDecidedOut(BaseModel):
    """That a lead decided."""

    number: int = Field(description="Number of the hold.")
    status: str = Field(description="State of the mark now.")
