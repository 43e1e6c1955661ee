"""A finding as staff send and see it."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Status = Literal["draft", "ready", "withdrawn"]
LONGEST = 600
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=10, max_length=LONGEST)]
EXAMPLE: dict[str, Any] = {
    "text": "Young people asked for lights on the path by the station.",
    "theme": "poor_lighting",
    "area": "",
}


class FindingIn(BaseModel):
    """What staff write."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    text: Words = Field(
        description="One or two plain sentences. No child, person or single address may be known from it."
    )
    theme: str = Field(default="", max_length=60, description="Code of a reason it is about, or empty.")
    area: str = Field(default="", max_length=20, description="Code of a ward, or empty for the whole borough.")
    override: str = Field(
        default="", max_length=300, description="Why a word that published text avoids has to stay (E2), or empty."
    )


class FindingForm(BaseModel):
    """The same as the page's form sends it; checked as ``FindingIn`` then."""

    text: str = Field(default="", max_length=2 * LONGEST)
    theme: str = Field(default="", max_length=60)
    area: str = Field(default="", max_length=20)
    override: str = Field(default="", max_length=300)


class FindingOut(BaseModel):
    """A finding as staff see it."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID = Field(description="Identifier.")
    text: str = Field(description="The sentence.", examples=["Young people asked for lights on the path."])
    theme: str = Field(description="Code of a reason it is about, or empty.")
    area_set: str | None = Field(description="Boundary set of the ward.")
    area_gss: str | None = Field(description="Code of the ward; null for the whole borough.")
    status: Status = Field(description="ready: in the next release; withdrawn: not in the next one.")
    created_by: str = Field(description="Who wrote it: the label of staff.")
    created_at: datetime = Field(description="When it was written.")
    changed_at: datetime = Field(description="When it was last changed.")


class FindingList(BaseModel):
    """All findings."""

    findings: list[FindingOut] = Field(description="The newest first.")


class StatusIn(BaseModel):
    """What staff decide of a finding."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"status": "ready"}]})

    status: Status = Field(description="ready: into the next release; withdrawn: out of it; draft: neither.")
