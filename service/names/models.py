"""Table of names: streets and landmarks for the search."""

from __future__ import annotations

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from service.store.base import Base, Seq


class Name(Base):
    """A street or landmark with a point; ``folded`` is what the search compares."""

    __tablename__ = "name"
    __table_args__ = (Index("ix_name_folded", "folded"),)

    id: Mapped[Seq]
    name: Mapped[str] = mapped_column(String(120))
    folded: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(30))  # street, landmark, station, park, place
    longitude: Mapped[float]
    latitude: Mapped[float]
    source: Mapped[str] = mapped_column(String(200), default="")
    is_sample: Mapped[bool] = mapped_column(default=False)
