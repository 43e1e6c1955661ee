"""Table of venues: verified safe places."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from sqlalchemy import String, Uuid
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import JSON

from service.store.base import Base, Seq, Wkb


class Venue(Base):
    """A safe place that a named body checked; public until it expires."""

    __tablename__ = "venue"

    seq: Mapped[Seq]
    id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True, default=uuid.uuid4)
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(30))  # youth_club, library, shop, station, other
    geometry: Mapped[bytes] = mapped_column(Wkb)
    longitude: Mapped[float]
    latitude: Mapped[float]
    address: Mapped[str] = mapped_column(String(200), default="")
    hours: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # mon..sun -> [["09:00", "17:30"], ...]
    staff: Mapped[str] = mapped_column(String(200), default="")
    access: Mapped[str] = mapped_column(String(200), default="")
    for_whom: Mapped[str] = mapped_column(String(200), default="")
    checked_by: Mapped[str] = mapped_column(String(120))
    checked_on: Mapped[date]
    consent: Mapped[bool] = mapped_column(default=False)
    expires_on: Mapped[date]
    source: Mapped[str] = mapped_column(String(200), default="")
    is_sample: Mapped[bool] = mapped_column(default=False)
