"""Table of findings: sentences that staff wrote from marks."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from service.store.base import AwareDateTime, Base, utc_now


class Finding(Base):
    """A sentence of a worker or planner; public from the release that takes it in."""

    __tablename__ = "finding"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=uuid.uuid4)
    text: Mapped[str] = mapped_column(String(600))
    theme: Mapped[str] = mapped_column(String(60))  # code of a reason, or '' for none
    area_set: Mapped[str | None] = mapped_column(String(60))
    area_gss: Mapped[str | None] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(10), default="draft")  # draft, ready, withdrawn
    wording_override: Mapped[str | None] = mapped_column(String(300))  # why a word of the list was kept (E2)
    created_by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime] = mapped_column(AwareDateTime, default=utc_now)
    changed_at: Mapped[datetime] = mapped_column(AwareDateTime, default=utc_now)
