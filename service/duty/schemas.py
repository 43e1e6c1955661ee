"""What callers send to duty, and what it answers."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Format = Literal["geojson", "csv", "gpkg"]
Detail = Literal["ward", "exact"]
EXAMPLE: dict[str, Any] = {
    "recipient": "Public Health",
    "purpose": "Where lighting is poor",
    "detail": "ward",
    "format": "csv",
}


class ExportRequest(BaseModel):
    """Which marks are shared, with whom, why and under which agreement."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, json_schema_extra={"examples": [EXAMPLE]})

    recipient: str = Field(min_length=2, max_length=200, description="Who gets the file: an organisation.")
    purpose: str = Field(min_length=5, max_length=300, description="What it is used for.")
    agreement_id: str = Field(
        default="", max_length=60, description="Reference of the data sharing agreement; exact places need one."
    )
    detail: Detail = Field(default="ward", description="Counts by ward, or exact approved marks.")
    format: Format = Field(default="geojson", description="Format of the file.")
