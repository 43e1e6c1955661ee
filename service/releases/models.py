"""Table of releases: immutable, disclosed snapshots that the public may see."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import String, Uuid
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import JSON

from service.store.base import AwareDateTime, Base, utc_now


class Release(Base):
    """A snapshot that all public routes read; the next one is checked against it."""

    __tablename__ = "release"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=uuid.uuid4)
    number: Mapped[int] = mapped_column(unique=True)
    digest: Mapped[str] = mapped_column(String(64))
    path: Mapped[str] = mapped_column(String(300))
    summary: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    is_current: Mapped[bool] = mapped_column(default=False)
    made_by: Mapped[str] = mapped_column(String(120), default="")  # label of staff, or 'schedule'
    basis: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # private: what the next one is checked against
    created_at: Mapped[datetime] = mapped_column(AwareDateTime, default=utc_now)
