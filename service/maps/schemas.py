"""What the data addresses of the maps answer."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field


class PlacesInView(BaseModel):
    """Marks of a viewport."""

    groups: list[tuple[float, float, int, int, int]] = Field(
        description="Longitude, latitude, then how many feel unsafe, safe, and that it depends.",
        examples=[[[-0.0213, 51.4571, 12, 5, 1]]],
    )
    places: list[dict[str, Any]] = Field(description="Single marks: kind, feeling, position, shape, words of the card.")


class AreaNumber(BaseModel):
    """Numbers of one area; null where there is none or the caller may not see it."""

    area_gss: str = Field(description="Code.", examples=["E05013724"])
    name: str = Field(description="Name.", examples=["Ladywell"])
    crimes: int | None = Field(description="Crimes, by the rule asked for.")
    crimes_km2: float | None = Field(description="Crimes per square kilometre.")
    crimes_rate: float | None = Field(description="Crimes per 1,000 residents, where residents are known.")
    near_line_share: float | None = Field(description="Share of the points that lie near a line (P2).")
    marks: float | None = Field(description="Marks; staff only.")
    unsafe_share: float | None = Field(description="Share of people who marked it unsafe [%]; staff only.")
    few: bool = Field(description="Whether too few people marked to say a share.")


class AreaNumbers(BaseModel):
    """Numbers by area with what has to be said beside them (P7)."""

    set: str = Field(description="Boundary set.", examples=["wards-2022"])
    first: str | None = Field(description="First month of recorded crime.")
    last: str | None = Field(description="Last month.")
    missing: dict[str, list[str]] = Field(description="Months of each force that are not held (P4).")
    sources: list[str] = Field(description="Publishers and licences.")
    caveats: list[str] = Field(description="What the numbers cannot say.")
    areas: list[AreaNumber] = Field(description="One entry an area.")
