"""What goes in and out of the venues API."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import UUID4, AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from service.venues.hours import Hours, check_hours
from service.web.queries import BboxText
from service.web.words import clean_words

VenueKind = Literal["youth_club", "library", "shop", "station", "other"]
LONGEST = 200
EXAMPLE_VENUE: dict[str, Any] = {
    "name": "Corner Library",
    "kind": "library",
    "longitude": -0.0146,
    "latitude": 51.4615,
    "address": "1 High Street",
    "hours": {"mon": [["09:00", "17:30"]], "sat": [["10:00", "14:00"]]},
    "staff": "Librarians at the desk",
    "access": "Step-free",
    "for_whom": "Anybody",
    "checked_by": "Community safety team",
    "checked_on": "2026-06-01",
    "expires_on": "2027-06-01",
    "consent": True,
}
EXAMPLE_FEATURE: dict[str, Any] = {
    "type": "Feature",
    "id": "5b0c4b57-6d5e-5a0e-8d0c-6a3c2f0f7a11",
    "geometry": {"type": "Point", "coordinates": [EXAMPLE_VENUE["longitude"], EXAMPLE_VENUE["latitude"]]},
    "properties": {name: value for name, value in EXAMPLE_VENUE.items() if name not in {"longitude", "latitude"}}
    | {"source": "Checked by the team", "is_sample": False, "is_open": True},
}


def _clean(text: str) -> str:
    return clean_words(text, limit=LONGEST) or ""


Words = Annotated[str, StringConstraints(max_length=LONGEST), AfterValidator(_clean)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True), AfterValidator(_clean)]
HoursField = Annotated[Hours, AfterValidator(check_hours)]
Longitude = Annotated[float, Field(allow_inf_nan=False)]  # the check of the borough tells more than a range could


class VenueIn(BaseModel):
    """A verified safe place, as staff enter it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE_VENUE]})

    id: UUID4 | None = Field(default=None, description="Own identifier; sent twice with it, a venue is stored once.")
    name: Title = Field(description="Name.")
    kind: VenueKind = Field(description="What it is.")
    longitude: Longitude = Field(description="Longitude in degrees (EPSG:4326).")
    latitude: Longitude = Field(description="Latitude in degrees (EPSG:4326).")
    address: Words = Field(default="", description="Address.")
    hours: HoursField = Field(default={}, description="Day (mon..sun) to spans of local time; closed days left out.")
    staff: Words = Field(default="", description="Who is there to help.")
    access: Words = Field(default="", description="Access for wheelchairs and others.")
    for_whom: Words = Field(default="", description="Who it is for.")
    checked_by: Title = Field(description="Body that checked it.")
    checked_on: date = Field(description="Day it was checked.")
    expires_on: date = Field(description="Last day it is shown; check it again before.")
    consent: Literal[True] = Field(description="The venue agreed to be listed. Without that it is not taken.")
    source: Words = Field(default="", description="Where the entry comes from.")

    @model_validator(mode="after")
    def _check_days(self) -> Self:
        if self.expires_on < self.checked_on:
            message = "expires_on lies before checked_on."
            raise ValueError(message)
        return self


class VenuePatch(BaseModel):
    """Changes to a venue; what is left out stays."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"checked_on": "2026-11-02", "expires_on": "2027-11-02"}]}
    )

    name: Title | None = Field(default=None, description="Name.")
    kind: VenueKind | None = Field(default=None, description="What it is.")
    longitude: Longitude | None = Field(default=None, description="Longitude; only together with a latitude.")
    latitude: Longitude | None = Field(default=None, description="Latitude; only together with a longitude.")
    address: Words | None = Field(default=None, description="Address.")
    hours: HoursField | None = Field(default=None, description="Opening hours.")
    staff: Words | None = Field(default=None, description="Who is there to help.")
    access: Words | None = Field(default=None, description="Access.")
    for_whom: Words | None = Field(default=None, description="Who it is for.")
    checked_by: Title | None = Field(default=None, description="Body that checked it.")
    checked_on: date | None = Field(default=None, description="Day it was checked.")
    expires_on: date | None = Field(default=None, description="Last day it is shown.")
    consent: bool | None = Field(default=None, description="False takes it off the public list at once.")
    source: Words | None = Field(default=None, description="Where the entry comes from.")


class VenueProperties(BaseModel):
    """What is known of a venue."""

    name: str = Field(description="Name.")
    kind: VenueKind = Field(description="What it is.")
    address: str = Field(description="Address.")
    hours: dict[str, list[tuple[str, str]]] = Field(description="Day (mon..sun) to spans of local time.")
    staff: str = Field(description="Who is there to help.")
    access: str = Field(description="Access.")
    for_whom: str = Field(description="Who it is for.")
    checked_by: str = Field(description="Body that checked it.")
    checked_on: date = Field(description="Day it was checked.")
    expires_on: date = Field(description="Last day it is shown.")
    consent: bool = Field(description="Whether the venue agreed to be listed.")
    source: str = Field(description="Where the entry comes from.")
    is_sample: bool = Field(description="Whether it is made up.")
    is_open: bool | None = Field(default=None, description="Whether it is open at the moment asked for.")


class PointOut(BaseModel):
    """A GeoJSON Point."""

    type: Literal["Point"] = Field(description="Always 'Point'.")
    coordinates: tuple[float, float] = Field(description="Longitude, latitude.")


class VenueOut(BaseModel):
    """A venue as a GeoJSON Feature."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_FEATURE]})

    type: Literal["Feature"] = Field(description="Always 'Feature'.")
    id: uuid.UUID = Field(description="Identifier.")
    geometry: PointOut = Field(description="Where.")
    properties: VenueProperties = Field(description="What is known of it.")


class VenueCollection(BaseModel):
    """Venues as a GeoJSON FeatureCollection."""

    type: Literal["FeatureCollection"] = Field(description="Always 'FeatureCollection'.")
    features: list[VenueOut] = Field(description="Venues by name.")


class VenueQuery(BaseModel):
    """Which venues to list."""

    model_config = ConfigDict(extra="forbid")

    bbox: BboxText | None = Field(default=None, description="Box in degrees: west,south,east,north.")
    kind: VenueKind | None = Field(default=None, description="What it is.")
    open_at: datetime | None = Field(
        default=None,
        description="Only venues open then; local time unless it has a zone.",
        examples=["2026-06-05T18:30"],
    )
    hidden: bool = Field(default=False, description="Staff: expired venues and those without consent too.")
