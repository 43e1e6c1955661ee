"""What goes in and out of the places API: GeoJSON features with described fields."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import UUID4, BaseModel, ConfigDict, Field, StringConstraints

from service.places.store import PlaceFilter
from service.web.queries import BboxText, parse_bbox

Kind = Literal["point", "route", "area", "border"]
Feeling = Literal["safe", "unsafe", "mixed"]
Time = Literal["weekday_day", "after_school", "weekend_day", "evening", "night"]
Status = Literal["pending", "held", "approved", "rejected", "withdrawn"]
Publish = Literal["count", "never"]

RECEIPT_CHARACTERS = 22  # 128 bits in base64url
ContributorKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{16,64}$")]
ReceiptIn = Annotated[str, StringConstraints(min_length=RECEIPT_CHARACTERS, max_length=300)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=40)]

EXAMPLE_RECEIPT = "AAECAwQFBgcICQoLDA0ODw"
EXAMPLE_PLACE: dict[str, Any] = {
    "type": "Feature",
    "id": "0b9f6a3e-1a52-4c8e-9d0f-2f6f0f5f9a11",
    "geometry": {"type": "Point", "coordinates": [-0.0213, 51.4571]},
    "properties": {
        "kind": "point",
        "feeling": "unsafe",
        "times": ["evening"],
        "reasons": ["poor_lighting", "nobody_around"],
    },
}
EXAMPLE_RECEIPT_PLACE: dict[str, Any] = {
    "ward": "Ladywell",
    "day": "2026-11-02",
    "state": "pending",
    "kind": "point",
    "feeling": "unsafe",
    "times": ["evening"],
    "reasons": ["poor_lighting"],
    "version": 1,
}


class Closed(BaseModel):
    """A model that refuses properties it does not know: a name typed into one would be stored otherwise (L3)."""

    model_config = ConfigDict(extra="forbid")


class GeometryIn(Closed):
    """A GeoJSON geometry in EPSG:4326, longitude first."""

    type: Literal["Point", "LineString", "Polygon"] = Field(description="Point, LineString (route, border) or Polygon.")
    coordinates: list[Any] = Field(
        description="Coordinates as RFC 7946 writes them: longitude, latitude.", examples=[[-0.0213, 51.4571]]
    )


class PlaceProperties(Closed):
    """What a person says about a place. Nothing here says who they are."""

    id: UUID4 | None = Field(default=None, description="Same as the feature's `id`, for tools that cannot set that.")
    kind: Kind = Field(default="point", description="What was drawn.")
    feeling: Feeling = Field(description="How it feels there; 'mixed' means it depends.")
    times: list[Time] = Field(default=[], description="When it feels so; empty means not said.", max_length=5)
    reasons: list[Code] = Field(
        default=[], description="Why: codes of GET /api/v1/reasons that fit the feeling.", max_length=10
    )
    note: str | None = Field(default=None, description="The person's own words; demo and workshops only.")
    suggestion: str | None = Field(default=None, description="What would help, in their own words; likewise.")
    people: int = Field(default=1, ge=1, description="How many people the mark speaks for.")
    contributor_key: ContributorKey | None = Field(
        default=None, description="Random key made on the device for one person in one session; kept only as a hash."
    )
    publish: Publish = Field(default="count", description="'never' keeps it out of everything public, counts too.")
    workshop: uuid.UUID | None = Field(default=None, description="Workshop that it was made in.")


class PlaceIn(Closed):
    """A mark as it is sent: a GeoJSON Feature."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE_PLACE]})

    type: Literal["Feature"] = Field(description="Always 'Feature'.")
    id: UUID4 | None = Field(
        default=None, description="Random UUID4 made on the device. Sent twice with it, a mark is stored once."
    )
    geometry: GeometryIn = Field(description="Where.")
    properties: PlaceProperties = Field(description="How it feels, when and why.")
    receipt: ReceiptIn | None = Field(
        default=None,
        description="Secret made on the device, at least 128 bits in base64url (22 characters); unset: one is made.",
    )


class PlaceAreaOut(BaseModel):
    """The area of one boundary set that a place falls in."""

    set: str = Field(description="Boundary set.", examples=["wards-2022"])
    area_gss: str = Field(description="Code of the area; empty outside every area.", examples=["E05013724"])
    name: str = Field(description="Name of the area.", examples=["Ladywell"])
    share: float = Field(description="Share of a route's length or an area's surface; 1 for a point.")
    edge_m: float | None = Field(default=None, description="Metres to the nearest edge of the area.")
    neighbour_gss: str | None = Field(default=None, description="Area across that edge.")
    near_border: bool | None = Field(default=None, description="Whether it is nearer than the setting near_border_m.")


class PlaceHotspotOut(BaseModel):
    """Where a place stands to the hot spots of the current run."""

    run: uuid.UUID = Field(description="The run that found them.")
    rank: int | None = Field(description="Rank of the hot spot it is in.")
    nearest_rank: int | None = Field(description="Rank of the nearest one.")
    distance_m: float | None = Field(description="Metres to the nearest; 0 inside; null where the run found none.")


class PlacePropertiesOut(BaseModel):
    """What the caller's role may see of a place; other fields are left out."""

    day: date = Field(description="Day it was made; never the second.")
    kind: Kind = Field(description="What was drawn.")
    feeling: Feeling = Field(description="How it feels there.")
    times: list[Time] = Field(description="When it feels so.")
    reasons: list[str] = Field(description="Why: codes of GET /api/v1/reasons.")
    status: Status = Field(description="How far moderation is.")
    publish: Publish = Field(description="Whether it may be counted in public.")
    people: int = Field(description="How many people it speaks for.")
    version: int = Field(description="Grows when the person corrects it.")
    is_sample: bool = Field(description="Whether it is made up.")
    areas: list[PlaceAreaOut] = Field(description="The area of each boundary set.")
    hotspot: PlaceHotspotOut | None = Field(default=None, description="Hot spot of the current run.")
    note: str | None = Field(default=None, description="The person's words; moderators only.")
    suggestion: str | None = Field(default=None, description="What would help; moderators only.")


class PlaceQuery(Closed):
    """Which places to list; every filter narrows further."""

    bbox: BboxText | None = Field(default=None, description="Box in degrees: west,south,east,north.")
    area: str | None = Field(
        default=None,
        description="Boundary set and code.",
        pattern=r"^[a-z0-9-]{1,60}:[A-Za-z0-9_.-]{0,20}$",
        examples=["wards-2022:E05013724"],
    )
    feeling: Feeling | None = Field(default=None, description="How it feels.")
    kind: Kind | None = Field(default=None, description="What was drawn.")
    times: list[Time] = Field(default=[], description="Any of these times.", max_length=5)
    reason: Code | None = Field(default=None, description="A code of GET /api/v1/reasons.")
    since: date | None = Field(default=None, description="First day.", examples=["2026-01-01"])
    until: date | None = Field(default=None, description="Last day.")
    status: Status | None = Field(default=None, description="How far moderation is.")
    limit: int = Field(default=100, ge=1, le=1000, description="Most places on the page.")
    cursor: int = Field(default=0, ge=0, le=2**53, description="Where the page starts: from the 'next' link.")

    def to_filter(self) -> PlaceFilter:
        """Return the filter of the store."""
        fields = self.model_dump(exclude={"limit", "cursor", "bbox", "area", "times"})
        set_name, _, code = (self.area or "").partition(":")
        return PlaceFilter(
            bbox=parse_bbox(self.bbox) if self.bbox else None,
            area=(set_name, code) if self.area else None,
            times=tuple(self.times),
            **fields,
        )


class Link(BaseModel):
    """A link to another page of the answer."""

    rel: str = Field(description="'next' or 'self'.")
    href: str = Field(description="Address.")
    type: str = Field(default="application/geo+json", description="Media type.")


class PlaceOut(BaseModel):
    """A stored place: a GeoJSON Feature."""

    type: Literal["Feature"] = Field(description="Always 'Feature'.")
    id: uuid.UUID = Field(description="Identifier.")
    geometry: dict[str, Any] | None = Field(description="GeoJSON geometry; null where the role may not see it.")
    properties: PlacePropertiesOut = Field(description="What the caller may see of it.")


class PlaceCollection(BaseModel):
    """A page of places: a GeoJSON FeatureCollection."""

    type: Literal["FeatureCollection"] = Field(description="Always 'FeatureCollection'.")
    features: list[PlaceOut] = Field(description="Places, oldest first.")
    number_returned: int = Field(description="Places on this page.")
    links: list[Link] = Field(description="'next' where there are more.")


class ReceiptOut(BaseModel):
    """The secret that lets its holder see, correct and take back the mark."""

    secret: str = Field(description="128 bits or more, in base64url. Kept by us only as a keyed hash.")
    words: list[str] | None = Field(description="The same secret as 16 short words; null for another length.")


class PlaceCreated(BaseModel):
    """A stored mark and its receipt."""

    place: PlaceOut = Field(description="The mark as stored, as far as the caller may see it.")
    receipt: ReceiptOut = Field(description="Give it to the person; it is not shown again by anything but this call.")


class ReceiptRead(Closed):
    """A receipt, in the body so that it never stands in an address or a log."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"receipt": EXAMPLE_RECEIPT}]})

    receipt: ReceiptIn = Field(description="The secret, or its 16 words.")


class ReceiptCorrect(ReceiptRead):
    """What the holder of a receipt wants to change; what is left out stays."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"receipt": EXAMPLE_RECEIPT, "feeling": "safe", "reasons": ["good_lighting"]}]},
    )

    kind: Kind | None = Field(default=None, description="New kind; only together with a geometry.")
    feeling: Feeling | None = Field(default=None, description="New feeling.")
    times: list[Time] | None = Field(default=None, description="New times.", max_length=5)
    reasons: list[Code] | None = Field(default=None, description="New reasons.", max_length=10)
    geometry: GeometryIn | None = Field(default=None, description="New position.")


class ReceiptPlace(BaseModel):
    """What a receipt shows of its mark: never the words."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_RECEIPT_PLACE]})

    ward: str | None = Field(description="Name of the ward; null outside all wards or once taken back.")
    day: date = Field(description="Day it was made.")
    state: Status = Field(description="How far it is.")
    kind: Kind = Field(description="What was drawn.")
    feeling: Feeling = Field(description="How it feels there.")
    times: list[Time] = Field(description="When it feels so.")
    reasons: list[str] = Field(description="Why.")
    version: int = Field(description="Grows with each correction.")
