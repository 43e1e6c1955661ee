"""Tables of recorded analyses: the run, and the hot spots it found."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import JSON

from service.store.base import AwareDateTime, Base, Wkb, utc_now


class Run(Base):
    """One analysis: method, parameters, input digests, code version, time; repeated, it gives the same digits."""

    __tablename__ = "run"
    __table_args__ = (Index("ix_run_kind_current", "kind", "is_current"),)

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=uuid.uuid4)
    kind: Mapped[str] = mapped_column(String(20))  # hotspots, density
    method: Mapped[str] = mapped_column(String(200))
    parameters: Mapped[dict[str, Any]] = mapped_column(JSON)
    inputs: Mapped[dict[str, Any]] = mapped_column(JSON)  # digests of crime files and boundary sets
    code_version: Mapped[str] = mapped_column(String(60))
    summary: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    result_digest: Mapped[str] = mapped_column(String(64))
    result_path: Mapped[str] = mapped_column(String(300))  # cells as Parquet, below the data folder
    is_current: Mapped[bool] = mapped_column(default=False)
    is_sample: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(AwareDateTime, default=utc_now)


class Hotspot(Base):
    """Contiguous significant cells of a run, dissolved and ranked."""

    __tablename__ = "hotspot"

    run_id: Mapped[uuid.UUID] = mapped_column(Uuid, ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    rank: Mapped[int] = mapped_column(primary_key=True)
    geometry: Mapped[bytes] = mapped_column(Wkb)
    count: Mapped[int]
    cells: Mapped[int]
    confidence: Mapped[int]  # 90, 95 or 99 after FDR
    gi_star: Mapped[float]  # largest of its cells
    p_adjusted: Mapped[float]  # smallest of its cells, after the false discovery rate (P8)
    area_km2: Mapped[float]
    top: Mapped[list[dict[str, Any]]] = mapped_column(JSON)  # most frequent categories with counts
