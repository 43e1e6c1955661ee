"""Tables of staff: teams and principals."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from service.store.base import AwareDateTime, Base, Seq, utc_now


class Team(Base):
    """A team of staff: who may see a workshop's raw notes."""

    __tablename__ = "team"

    id: Mapped[Seq]
    name: Mapped[str] = mapped_column(String(120), unique=True)
    created_at: Mapped[datetime] = mapped_column(AwareDateTime, default=utc_now)


class PrincipalRow(Base):
    """A member of staff or an API key that may act; keys and passwords only as hashes."""

    __tablename__ = "principal"

    id: Mapped[Seq]
    kind: Mapped[str] = mapped_column(String(20))  # staff, api_key
    label: Mapped[str] = mapped_column(String(120), unique=True)
    role: Mapped[str] = mapped_column(String(30))
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"))
    secret_hash: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(AwareDateTime, default=utc_now)
    expires_at: Mapped[datetime | None] = mapped_column(AwareDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(AwareDateTime)
