"""A finding as staff send and see it."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Status = Literal["draft", "ready", "withdrawn"]
LONGEST = 600
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=10, max_length=LONGEST)]


class FindingIn(BaseModel):
    """What staff write."""

    model_config = ConfigDict(extra="forbid")

    text: Words = Field(
        description="One or two plain sentences. No child, person or single address may be known from it."
    )
    theme: str = Field(default="", max_length=60, description="Code of a reason it is about, or empty.")
    area: str = Field(default="", max_length=20, description="Code of a ward, or empty for the whole borough.")


class FindingOut(BaseModel):
    """A finding as staff see it."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    text: str
    theme: str
    area_set: str | None = Field(description="Boundary set of the ward.")
    area_gss: str | None = Field(description="Code of the ward; null for the whole borough.")
    status: Status = Field(description="ready: in the next release; withdrawn: not in the next one.")
    created_by: str
    created_at: datetime
    changed_at: datetime


class FindingList(BaseModel):
    """All findings."""

    findings: list[FindingOut]


class StatusIn(BaseModel):
    """What staff decide of a finding."""

    model_config = ConfigDict(extra="forbid")

    status: Status
