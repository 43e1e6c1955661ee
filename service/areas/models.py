"""Tables of boundary sets and their areas."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import JSON

from service.store.base import AwareDateTime, Base, BigKey, Seq, Wkb, utc_now


class BoundarySet(Base):
    """Dated polygons of one level; several stand side by side."""

    __tablename__ = "boundary_set"

    id: Mapped[Seq]
    name: Mapped[str] = mapped_column(String(60), unique=True)  # slug, such as wards-2022
    level: Mapped[str] = mapped_column(String(20))  # ward, lsoa, borough, grid
    title: Mapped[str] = mapped_column(String(200))
    source: Mapped[str] = mapped_column(String(500))
    licence: Mapped[str] = mapped_column(String(200))
    attribution: Mapped[str] = mapped_column(String(500), default="")
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    resolution_m: Mapped[float]
    digest: Mapped[str] = mapped_column(String(64))
    is_default: Mapped[bool] = mapped_column(default=False)
    join_points: Mapped[bool] = mapped_column(default=True)  # false: the set is for drawing only
    place_generation: Mapped[int] = mapped_column(default=0)  # which place_area rows count; 0 is "not joined yet"
    crime_generation: Mapped[int] = mapped_column(default=0)
    report: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    imported_at: Mapped[datetime] = mapped_column(AwareDateTime, default=utc_now)


class Area(Base):
    """One polygon of a set, keyed (set, code)."""

    __tablename__ = "area"

    set_id: Mapped[int] = mapped_column(BigKey, ForeignKey("boundary_set.id", ondelete="CASCADE"), primary_key=True)
    area_gss: Mapped[str] = mapped_column(String(20), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    geometry: Mapped[bytes] = mapped_column(Wkb)
    area_km2: Mapped[float]
    residents: Mapped[int | None] = mapped_column(BigInteger)
