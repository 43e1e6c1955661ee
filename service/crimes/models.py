"""Tables of crimes: immutable files, the manifest that names the current one, and the counts kept per file."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import JSON

from service.store.base import AwareDateTime, Base, BigKey, Seq, utc_now


class CrimeFile(Base):
    """One immutable GeoParquet file of one force and month, named by its digest."""

    __tablename__ = "crime_file"

    id: Mapped[Seq]
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    force: Mapped[str] = mapped_column(String(60))
    month: Mapped[str] = mapped_column(String(7))
    source: Mapped[str] = mapped_column(String(20))  # archive, api
    extent: Mapped[str] = mapped_column(String(200))  # what the file covers: "force", or the area asked for
    path: Mapped[str] = mapped_column(String(300))  # below the data folder
    rows: Mapped[int]
    rejected: Mapped[int] = mapped_column(default=0)
    is_sample: Mapped[bool] = mapped_column(default=False)
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # counts by category, input digests
    imported_at: Mapped[datetime] = mapped_column(AwareDateTime, default=utc_now)


class CrimeManifest(Base):
    """Which file is current for a force and month; swapped atomically."""

    __tablename__ = "crime_manifest"

    force: Mapped[str] = mapped_column(String(60), primary_key=True)
    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    file_id: Mapped[int] = mapped_column(BigKey, ForeignKey("crime_file.id"))
    updated_at: Mapped[datetime] = mapped_column(AwareDateTime, default=utc_now, onupdate=utc_now)


class CrimeCount(Base):
    """Rows of one file in one area, by category, under both assignment rules (P2)."""

    __tablename__ = "crime_count"
    __table_args__ = (Index("ix_crime_count_lookup", "set_id", "generation", "file_id", "area_gss"),)

    file_id: Mapped[int] = mapped_column(BigKey, ForeignKey("crime_file.id", ondelete="CASCADE"), primary_key=True)
    set_id: Mapped[int] = mapped_column(BigKey, ForeignKey("boundary_set.id", ondelete="CASCADE"), primary_key=True)
    generation: Mapped[int] = mapped_column(primary_key=True)
    area_gss: Mapped[str] = mapped_column(String(20), primary_key=True)  # "" is outside every area
    category: Mapped[str] = mapped_column(String(60), primary_key=True)
    in_polygon: Mapped[int] = mapped_column(default=0)
    nearest_centre: Mapped[int] = mapped_column(default=0)
    near_line: Mapped[int] = mapped_column(default=0)  # of in_polygon, points within line_share_m of an edge
