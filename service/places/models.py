"""Tables of places: the mark, its receipt, and what was derived from its position."""

from __future__ import annotations

import uuid
from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import JSON

from service.store.base import Base, BigKey, Seq, Wkb

KINDS = ("point", "route", "area", "border")
FEELINGS = ("safe", "unsafe", "mixed")
TIMES = ("weekday_day", "after_school", "weekend_day", "evening", "night")
STATUSES = ("pending", "held", "approved", "rejected", "withdrawn")
PUBLISH = ("count", "never")


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


class Place(Base):
    """What somebody marked. Stored with the day, never the second; a withdrawn one keeps only its tombstone."""

    __tablename__ = "place"
    __table_args__ = (
        CheckConstraint(_one_of("kind", KINDS), name="kind"),
        CheckConstraint(_one_of("feeling", FEELINGS), name="feeling"),
        CheckConstraint(_one_of("status", STATUSES), name="status"),
        CheckConstraint(_one_of("publish", PUBLISH), name="publish"),
        CheckConstraint("people >= 1", name="people"),
        Index("ix_place_status_version", "status", "seq", "version"),  # lists, and the version of the data (counting)
        Index("ix_place_day", "day"),
    )

    seq: Mapped[Seq]
    id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True)  # random UUID4, may be made on the device
    request_hash: Mapped[str] = mapped_column(String(64))  # keyed hash: the same id with another content is refused
    workshop_id: Mapped[int | None] = mapped_column(ForeignKey("workshop.id"), index=True)
    contributor_key: Mapped[str | None] = mapped_column(String(64), index=True)
    people: Mapped[int] = mapped_column(default=1)
    day: Mapped[date]
    kind: Mapped[str] = mapped_column(String(10))
    feeling: Mapped[str] = mapped_column(String(10))
    times: Mapped[list[str]] = mapped_column(JSON)
    reasons: Mapped[list[str]] = mapped_column(JSON)
    note: Mapped[str | None]
    suggestion: Mapped[str | None]
    public_text: Mapped[str | None]
    status: Mapped[str] = mapped_column(String(10), default="pending")
    publish: Mapped[str] = mapped_column(String(10), default="count")
    geometry: Mapped[bytes | None] = mapped_column(Wkb)  # EPSG:4326; gone once withdrawn
    longitude_e7: Mapped[int | None]  # a point on the geometry, in 1e-7 degrees
    latitude_e7: Mapped[int | None]
    withdrawn_on: Mapped[date | None]  # day its owner took it back; a held one then waits for the lead (S5)
    source: Mapped[str] = mapped_column(String(20), default="staff")  # staff, demo, workshop, paper, open, import
    version: Mapped[int] = mapped_column(default=1)  # goes up with every change: counts are kept by it
    is_sample: Mapped[bool] = mapped_column(default=False)
    urgency: Mapped[int] = mapped_column(default=0)  # of the detector: orders the queue, decides nothing (S3)
    merged_into: Mapped[int | None] = mapped_column(BigKey)  # seq of the mark that speaks for it
    merged_people: Mapped[int] = mapped_column(default=0)  # how many of its people that mark counts
    decided_on: Mapped[date | None]  # day of the last moderation; retention counts from it
    erased_on: Mapped[date | None]  # day on which retention took what it said


class Receipt(Base):
    """The keyed hash of the secret that lets its holder see, correct and withdraw one place."""

    __tablename__ = "receipt"

    place_seq: Mapped[int] = mapped_column(BigKey, ForeignKey("place.seq", ondelete="CASCADE"), primary_key=True)
    receipt_hash: Mapped[str] = mapped_column(String(64), unique=True)
    day: Mapped[date]


class PlaceArea(Base):
    """The area of a boundary set that a place falls in; derived, and swapped by generation."""

    __tablename__ = "place_area"
    __table_args__ = (Index("ix_place_area_counted", "set_id", "generation", "area_gss", "place_seq", "share"),)

    place_seq: Mapped[int] = mapped_column(BigKey, ForeignKey("place.seq", ondelete="CASCADE"), primary_key=True)
    set_id: Mapped[int] = mapped_column(BigKey, ForeignKey("boundary_set.id", ondelete="CASCADE"), primary_key=True)
    generation: Mapped[int] = mapped_column(primary_key=True)
    area_gss: Mapped[str] = mapped_column(String(20), primary_key=True)  # "" is outside every area
    share: Mapped[float] = mapped_column(default=1.0)  # of length or area; 1 for a point
    edge_m: Mapped[float | None]
    neighbour_gss: Mapped[str | None] = mapped_column(String(20))
    near_border: Mapped[bool] = mapped_column(default=False)


class PlaceHotspot(Base):
    """The hot spot of a run that a place is in, or the metres to the nearest."""

    __tablename__ = "place_hotspot"

    place_seq: Mapped[int] = mapped_column(BigKey, ForeignKey("place.seq", ondelete="CASCADE"), primary_key=True)
    run_id: Mapped[uuid.UUID] = mapped_column(Uuid, ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    rank: Mapped[int | None]  # of the hot spot it is in
    nearest_rank: Mapped[int | None]
    distance_m: Mapped[float | None]  # 0 inside; NULL where the run found none
