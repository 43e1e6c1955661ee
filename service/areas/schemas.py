"""Boundary sets and areas as JSON."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

EXAMPLE_SET: JsonDict = {
    "name": "wards-2022",
    "level": "ward",
    "title": "Wards of Lewisham since May 2022 (approximate)",
    "source": "ONS, LSOA (December 2011) BSC, dissolved",
    "licence": "Open Government Licence v3.0",
    "attribution": "Source: Office for National Statistics. Contains OS data © Crown copyright 2011.",
    "valid_from": "2022-05-05",
    "valid_to": None,
    "resolution_m": 200.0,
    "approximate": True,
    "caveat": "Approximate boundaries: lines lie up to about 200 m from the true ones.",
    "digest": "9f2c" + 60 * "0",
    "is_default": True,
    "join_points": True,
    "area_count": 19,
    "imported_at": "2026-11-23T12:00:00Z",
}
EXAMPLE_WORDS: JsonDict = {
    "set": "wards-2022",
    **{key: EXAMPLE_SET[key] for key in ("title", "approximate", "resolution_m", "caveat")},
    **{key: EXAMPLE_SET[key] for key in ("source", "licence", "attribution")},
}
EXAMPLE_AREA: JsonDict = {
    "type": "Feature",
    "id": "E05013714",
    "properties": {
        "area_gss": "E05013714",
        "area_name": "Bellingham",
        "level": "ward",
        "area_km2": 2.0512,
        "residents": None,
    },
    "geometry": {
        "type": "Polygon",
        "coordinates": [[[-0.02, 51.43], [-0.01, 51.43], [-0.01, 51.44], [-0.02, 51.43]]],
    },
}


class BoundarySetOut(BaseModel):
    """One dated set of areas of one level, with its source and how exact it is."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [EXAMPLE_SET]})

    name: str = Field(description="Key of the set; an area is keyed by set and code, since sets share codes.")
    level: Literal["ward", "lsoa", "borough", "grid"] = Field(description="What the areas are.")
    title: str = Field(description="Name for people.")
    source: str = Field(description="Where the lines come from.")
    licence: str = Field(description="Licence of the lines.")
    attribution: str = Field(description="What the licence asks to be said beside every use.")
    valid_from: date | None = Field(description="First day the areas were in force; null where not known.")
    valid_to: date | None = Field(description="Last day; null while they are in force, or where not known.")
    resolution_m: float = Field(description="How far a line may lie from the true one, in metres.")
    approximate: bool = Field(description="True where the set is only good enough to draw and demonstrate with.")
    caveat: str = Field(description="The sentence to show with every use of the set; empty for an exact one.")
    digest: str = Field(description="SHA-256 of areas and words; changes whenever they do.")
    is_default: bool = Field(description="Whether pages use this set where none is asked for.")
    join_points: bool = Field(description="Whether places and crimes are joined to it; false: it is only drawn.")
    area_count: int = Field(description="Number of areas.")
    imported_at: datetime = Field(description="When the set was stored, in UTC.")


class BoundarySetList(BaseModel):
    """Every boundary set, the default first."""

    sets: list[BoundarySetOut] = Field(description="The sets; empty in a deployment that has none yet.")


class CheckedSetOut(BoundarySetOut):
    """One set and what the check at its import found."""

    report: dict[str, Any] = Field(
        description="Check at import: rings repaired, overlaps and gaps over 1 m2 with area codes and sizes, km2.",
        examples=[{"rows": 19, "total_km2": 35.1483, "repaired": [], "overlaps": [], "gaps": []}],
    )


class AreaProperties(BaseModel):
    """What an area is called and how large it is."""

    area_gss: str = Field(description="Code of the area: nine-character GSS, or the grid's own.")
    area_name: str = Field(description="Name of the area.")
    level: Literal["ward", "lsoa", "borough", "grid"] = Field(description="What the area is.")
    area_km2: float = Field(description="Size in square kilometres.")
    residents: int | None = Field(description="Residents; null where not known.")


class _Words(BaseModel):
    """What every payload of a set says about it."""

    set: str = Field(description="Name of the boundary set.")
    title: str = Field(description="Name of the set for people.")
    approximate: bool = Field(description="True where the lines are only good enough to draw and demonstrate with.")
    resolution_m: float = Field(description="How far a line may lie from the true one, in metres.")
    caveat: str = Field(description="The sentence to show with the areas; empty for an exact set.")
    source: str = Field(description="Where the lines come from.")
    licence: str = Field(description="Licence of the lines.")
    attribution: str = Field(description="What the licence asks to be said beside every use.")


class AreaFeature(BaseModel):
    """One area as a GeoJSON Feature."""

    type: Literal["Feature"] = Field(description="Always Feature.")
    id: str = Field(description="Code of the area.")
    properties: AreaProperties = Field(description="What it is called and how large it is.")
    geometry: dict[str, Any] = Field(description="Polygon or MultiPolygon in EPSG:4326, longitude first.")


class OneArea(AreaFeature, _Words):
    """One area with the words of its set, as foreign members."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**EXAMPLE_AREA, **EXAMPLE_WORDS}]})


class AreaCollection(_Words):
    """The areas of a set as a GeoJSON FeatureCollection, with the words of the set as foreign members."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"type": "FeatureCollection", **EXAMPLE_WORDS, "features": [EXAMPLE_AREA]}]}
    )

    type: Literal["FeatureCollection"] = Field(description="Always FeatureCollection.")
    features: list[AreaFeature] = Field(description="The areas, ascending by code.")
