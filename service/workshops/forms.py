"""The staff pages of workshops as plain forms: what a browser sends, and what it becomes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, Field

from service.errors import FieldProblem, InvalidInputError
from service.workshops.windows import from_local, to_local
from service.workshops.workflow import DutyIn, WorkshopIn

QUARTER = 15
USUAL = timedelta(hours=2)


class SetUpForm(BaseModel):
    """The page that sets a workshop up."""

    title: str = Field(default="", max_length=300)
    opens_at: str = Field(default="", max_length=40)
    closes_at: str = Field(default="", max_length=40)
    room_contact: str = Field(default="", max_length=300)
    area: str = Field(default="", max_length=200)
    drawn: str = Field(default="", max_length=20_000)
    words: str = Field(default="", max_length=4)
    borders: str = Field(default="", max_length=4)
    groups: str = Field(default="", max_length=4)
    asks: list[str] = Field(default=[], max_length=10)

    def to_workshop(self) -> WorkshopIn:
        """Return what is set up.

        Raises
        ------
        InvalidInputError
            If a time is none.
        """
        return WorkshopIn(
            title=self.title,
            opens_at=read_time(self.opens_at, "opens_at"),
            closes_at=read_time(self.closes_at, "closes_at"),
            room_contact=self.room_contact,
            area=self.drawn if self.area == "drawn" else self.area,
            takes_words=bool(self.words),
            takes_borders=bool(self.borders),
            questions={"times": "times" in self.asks, "reasons": "reasons" in self.asks, "groups": bool(self.groups)},
        )


def fresh_form(now: datetime) -> SetUpForm:
    """Return the form as it is first shown: two hours from now on, all questions, words and borders off."""
    start = to_local(now).replace(second=0, microsecond=0)
    end = start + USUAL
    end += timedelta(minutes=-end.minute % QUARTER)
    return SetUpForm(opens_at=time_value(start), closes_at=time_value(end), asks=["times", "reasons"])


class RunForm(BaseModel):
    """The buttons on the page of a workshop."""

    action: Literal["extend", "end", "new-code", "wall-on", "wall-off", "wall-pause", "wall-go", "wall-release"]
    closes_at: str = Field(default="", max_length=40)


class PaperForm(BaseModel):
    """The page on which filled paper forms are typed in."""

    action: Literal["store", "undo"] = "store"
    boxes: str = Field(default="", max_length=300)
    find: str = Field(default="", max_length=80)
    people: str = Field(default="", max_length=4)
    receipt: str = Field(default="", max_length=90)


class DutyForm(BaseModel):
    """The duty roster page."""

    action: Literal["add", "remove"] = "add"
    number: int = Field(default=0, ge=0)
    lead: int = Field(default=0, ge=0)
    opens_at: str = Field(default="", max_length=40)
    closes_at: str = Field(default="", max_length=40)
    out_of_hours: str = Field(default="", max_length=300)

    def to_duty(self) -> DutyIn:
        """Return the turn of duty.

        Raises
        ------
        InvalidInputError
            If a time is none.
        """
        times = read_time(self.opens_at, "opens_at"), read_time(self.closes_at, "closes_at")
        return DutyIn(self.lead, *times, self.out_of_hours.strip())


def read_time(typed: str, field: str) -> datetime:
    """Return a time of a form in UTC.

    Raises
    ------
    InvalidInputError
        If it is none.
    """
    try:
        return from_local(typed)
    except ValueError as error:
        message = "Give day and time, such as 3 June 2026 at 16:00."
        raise InvalidInputError(message, errors=[FieldProblem(field=field, message=message)]) from error


def time_value(moment: datetime) -> str:
    """Return a time as the field of a form holds it."""
    return f"{to_local(moment):%Y-%m-%dT%H:%M}"
