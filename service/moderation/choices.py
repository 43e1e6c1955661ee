"""What moderators and leads can choose: data, read once from ``choices.toml``."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from pydantic import BaseModel, Field


class Option(BaseModel):
    """A code and its words."""

    code: str = Field(description="Stable code, as stored.", examples=["no_place"])
    label: str = Field(description="Plain words.", examples=["It says nothing about a place"])


class Check(Option):
    """Something to look at before a mark is approved (S7)."""

    warning: str = Field(description="What to do where it is so.")
    labels: list[str] = Field(description="Classes of the detector that hint at it.")


class Options(BaseModel):
    """Everything that can be chosen in the queue and by the lead."""

    reject: list[Option] = Field(description="Reasons to reject a mark.")
    check: list[Check] = Field(description="The moderator's checklist.")
    outcome: list[Option] = Field(description="What a lead decided.")
    after: list[Option] = Field(description="What happens to a mark after the lead's decision.")

    def label(self, group: str, code: str) -> str:
        """Return the words of a code; the code itself where an older version knew it."""
        found: list[Option] = getattr(self, group)
        return next((one.label for one in found if one.code == code), code)


@cache
def options() -> Options:
    """Return the choices of ``choices.toml``."""
    with (Path(__file__).parent / "choices.toml").open("rb") as file:
        return Options.model_validate(tomllib.load(file))
