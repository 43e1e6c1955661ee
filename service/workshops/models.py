"""Table of workshops: who leads, when marks are taken, whether words are."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from service.store.base import AwareDateTime, Base, Seq, Wkb, utc_now


class Workshop(Base):
    """A window in which a group marks places, led by a named adult of a team."""

    __tablename__ = "workshop"

    id: Mapped[Seq]
    uuid: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True, default=uuid.uuid4)
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"))
    lead_id: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    title: Mapped[str] = mapped_column(String(120))
    code_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    opens_at: Mapped[datetime | None] = mapped_column(AwareDateTime)
    closes_at: Mapped[datetime | None] = mapped_column(AwareDateTime)
    takes_words: Mapped[bool] = mapped_column(default=False)
    takes_borders: Mapped[bool] = mapped_column(default=False)
    area: Mapped[bytes | None] = mapped_column(Wkb)
    public_key: Mapped[str | None] = mapped_column(String(500))
    is_sample: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(AwareDateTime, default=utc_now)
