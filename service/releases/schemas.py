"""A release as the public reads it: the content of its file, and the list of releases."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, Field

HIDDEN: str = (
    "Not enough people yet, or showing it would give another hidden number away. It does not mean that nobody said so."
)


class RulesOut(BaseModel):
    """The rules that the numbers went through."""

    method: str = Field(description="Version of the method; see docs/disclosure.md.")
    people_min: int = Field(description="Fewest people behind a number, or behind a change of one.")
    workshops_min: int = Field(description="Fewest workshops behind either.")
    others_min: int = Field(description="Fewest people outside the largest workshop behind either.")
    base: int = Field(description="Numbers are rounded to the nearest multiple.")
    interval_min: int = Field(description="No hidden number can be bounded to fewer people than this.")


class AreaOut(BaseModel):
    """An area of the one published partition."""

    code: str = Field(description="Code of a ward, or of a union of wards of this release.", examples=["E05013714"])
    name: str = Field(description="Name; a union is named by its wards.")
    level: Literal["union", "ward"] = Field(description="Whether it is a ward or a union of wards.")
    wards: list[str] = Field(description="Codes of its wards.")
    union: str = Field(description="Code of the union it is in, or its own.")


class PartitionOut(BaseModel):
    """The areas a release speaks of."""

    set: str = Field(description="Boundary set of the wards.", examples=["wards-2022"])
    title: str = Field(description="Name of that set.")
    source: str = Field(description="Where the lines come from.")
    licence: str = Field(description="Licence of the lines.")
    approximate: bool = Field(description="Whether the lines are for drawing only.")
    areas: list[AreaOut] = Field(description="Unions, then wards.")


class CellOut(BaseModel):
    """One number of the fixed table, shown or hidden."""

    area: str = Field(description="'borough', or the code of an area.", examples=["borough"])
    feeling: Literal["all", "safe", "unsafe", "mixed"] = Field(description="What people said of places there.")
    item: str = Field(description="'', 'day', 'night', or 'reason:' and a code.", examples=["reason:poor_lighting"])
    people: int | None = Field(description="Distinct people, rounded; null where hidden.")
    since: int | None = Field(description="Number of the release in which this was counted; null where hidden.")


class FindingOut(BaseModel):
    """A sentence that staff wrote from marks."""

    text: str = Field(description="The sentence.")
    theme: str = Field(description="Code of a reason, or empty.")
    area: str = Field(description="Code of an area of this release, or empty for the borough.")
    area_name: str = Field(description="Its name, or empty.")


class ReleaseContent(BaseModel):
    """One release: immutable, the only thing public pages know of marks."""

    number: int = Field(description="Counts up.")
    made_on: date = Field(description="Day it was made.")
    borough: str = Field(description="Name of the borough.")
    is_sample: bool = Field(description="Whether every number is made up for a demonstration.")
    rules: RulesOut = Field(description="What every number here went through, with the thresholds.")
    partition: PartitionOut = Field(description="The areas that numbers are given for.")
    reasons: dict[str, str] = Field(description="Words of each reason by code.")
    cells: list[CellOut] = Field(description="Every approved slice: the table is the same whatever the marks say.")
    hidden: int = Field(description="How many of the cells are hidden.")
    hidden_because: str = Field(description="Why a number is hidden (D9).")
    findings: list[FindingOut] = Field(description="What staff found and wrote down.")


class ReleaseOut(ReleaseContent):
    """A release and the digest of its file."""

    digest: str = Field(description="SHA-256 of the stored file.")


class ReleaseLine(BaseModel):
    """One line of the list of releases."""

    number: int = Field(description="Counts up.")
    made_on: date = Field(description="Day it was made.")
    digest: str = Field(description="SHA-256 of the stored file.")
    is_current: bool = Field(description="Whether public pages show it now.")
    shown: int = Field(description="Numbers shown.")
    hidden: int = Field(description="Numbers hidden.")
    findings: int = Field(description="Findings.")


class ReleaseList(BaseModel):
    """All releases."""

    releases: list[ReleaseLine] = Field(description="The newest first.")
