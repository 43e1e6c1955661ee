"""Reasons and times that a mark may name: data, read once from ``reasons.toml``."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, TypeAdapter

LANGUAGE = "en"


class Choice(BaseModel):
    """Something a person can choose, with its words and its icon."""

    code: str = Field(description="Stable code, as stored.", examples=["poor_lighting"])
    icon: str = Field(description="Name of the icon.", examples=["dark"])
    label: str = Field(description="Plain words, for a reading age of about ten.", examples=["It is too dark"])


class Reason(Choice):
    """Why a place feels as it does."""

    feeling: Literal["safe", "unsafe", "both"] = Field(description="Feeling it fits; 'mixed' marks take any.")

    def fits(self, feeling: str) -> bool:
        """Return whether a mark with this feeling may name the reason."""
        return feeling == "mixed" or self.feeling in {feeling, "both"}


class Choices(BaseModel):
    """All reasons and times, in the order in which pages show them."""

    language: str = Field(description="Language of the words.", examples=["en"])
    reasons: list[Reason] = Field(description="Reasons, unsafe ones first.")
    times: list[Choice] = Field(description="Times of day and week.")


@cache
def choices() -> Choices:
    """Return the reasons and times of ``reasons.toml``."""
    with (Path(__file__).parent / "reasons.toml").open("rb") as file:
        data = tomllib.load(file)
    for row in (*data["reason"], *data["time"]):
        row["label"] = row["label"][LANGUAGE]
    return TypeAdapter(Choices).validate_python(
        {"language": LANGUAGE, "reasons": data["reason"], "times": data["time"]}
    )


@cache
def reasons_by_code() -> dict[str, Reason]:
    """Return the reasons keyed by code."""
    return {reason.code: reason for reason in choices().reasons}
