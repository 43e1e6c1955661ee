"""Tables of workshops: who leads, when marks are taken, whether words are, who sits in, who is on duty, the wall."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import JSON

from service.store.base import AwareDateTime, Base, BigKey, Seq, Wkb, utc_now


class Workshop(Base):
    """A window in which a group marks places, led by a named adult of a team."""

    __tablename__ = "workshop"

    id: Mapped[Seq]
    uuid: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True, default=uuid.uuid4)
    team_id: Mapped[int | None] = mapped_column(BigKey, ForeignKey("team.id"), index=True)
    lead_id: Mapped[int | None] = mapped_column(BigKey, ForeignKey("principal.id"))  # the adult in the room
    title: Mapped[str] = mapped_column(String(120))
    code_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    code_sealed: Mapped[str | None] = mapped_column(String(300))  # encrypted, so that its worker can show it again
    opens_at: Mapped[datetime | None] = mapped_column(AwareDateTime)
    closes_at: Mapped[datetime | None] = mapped_column(AwareDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(AwareDateTime)  # ended by hand before its window closed
    takes_words: Mapped[bool] = mapped_column(default=False)
    takes_borders: Mapped[bool] = mapped_column(default=False)
    questions: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # which are asked, in whose words
    room_contact: Mapped[str] = mapped_column(
        String(120), default=""
    )  # how the lead reaches the adult in the room (S6)
    area: Mapped[bytes | None] = mapped_column(Wkb)
    public_key: Mapped[str | None] = mapped_column(String(500))  # devices seal marks to it (X7)
    private_key_sealed: Mapped[str | None] = mapped_column(String(1000))  # encrypted; never leaves the server
    wall_on: Mapped[bool] = mapped_column(default=False)
    wall_paused: Mapped[bool] = mapped_column(default=False)
    is_sample: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(AwareDateTime, default=utc_now)


class Seat(Base):
    """One browser that gave the code of a workshop: a random token until the window ends, nothing of the browser."""

    __tablename__ = "seat"

    id: Mapped[Seq]
    workshop_id: Mapped[int] = mapped_column(BigKey, ForeignKey("workshop.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    day: Mapped[date]
    expires_at: Mapped[datetime] = mapped_column(AwareDateTime)
    marks: Mapped[int] = mapped_column(default=0)  # how many it sent, for the limit
    unsent: Mapped[int] = mapped_column(default=0)  # how many it said it still holds
    unsent_at: Mapped[datetime | None] = mapped_column(AwareDateTime)


class Duty(Base):
    """A safeguarding lead on duty: words are taken only while one is (S3)."""

    __tablename__ = "duty"
    __table_args__ = (Index("ix_duty_window", "opens_at", "closes_at"),)

    id: Mapped[Seq]
    principal_id: Mapped[int] = mapped_column(BigKey, ForeignKey("principal.id", ondelete="CASCADE"))
    opens_at: Mapped[datetime] = mapped_column(AwareDateTime)
    closes_at: Mapped[datetime] = mapped_column(AwareDateTime)
    out_of_hours: Mapped[str] = mapped_column(String(120))  # the number to call when nobody is at a desk


class WallBatch(Base):
    """What the facilitator released to the wall at one time: coarse areas only."""

    __tablename__ = "wall_batch"

    id: Mapped[Seq]
    workshop_id: Mapped[int] = mapped_column(BigKey, ForeignKey("workshop.id", ondelete="CASCADE"), index=True)
    released_at: Mapped[datetime] = mapped_column(AwareDateTime, default=utc_now)
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
