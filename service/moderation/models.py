"""Tables of moderation: versions, decisions, who reads what now, marks with the lead, notices, second looks."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import JSON

from service.store.base import AwareDateTime, Base, BigKey, Seq, Wkb, utc_now


class PlaceVersion(Base):
    """What a place said before a change; kept until retention, read by whoever may read its words."""

    __tablename__ = "place_version"
    __table_args__ = (UniqueConstraint("place_seq", "version"),)

    id: Mapped[Seq]
    place_seq: Mapped[int] = mapped_column(BigKey, ForeignKey("place.seq", ondelete="CASCADE"))
    version: Mapped[int]
    saved_on: Mapped[date]
    changed_by: Mapped[str] = mapped_column(String(120))  # label of staff, or 'owner' for the holder of the receipt
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    geometry: Mapped[bytes | None] = mapped_column(Wkb)


OTHER_REASON: Final = "other"  # of a decision: somebody's own words stand behind it


class Decision(Base):
    """One act of a moderator on a place, with what it takes to undo it."""

    __tablename__ = "decision"

    id: Mapped[Seq]
    place_seq: Mapped[int] = mapped_column(BigKey, ForeignKey("place.seq", ondelete="CASCADE"), index=True)
    principal_id: Mapped[int | None] = mapped_column(BigKey, ForeignKey("principal.id"))
    actor: Mapped[str] = mapped_column(String(120))
    act: Mapped[str] = mapped_column(String(20))  # approve, reject, reword, redact, never, count, merge, hold, decide
    reason: Mapped[str] = mapped_column(String(300), default="")
    before: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    at: Mapped[datetime] = mapped_column(AwareDateTime, default=utc_now)
    undone_at: Mapped[datetime | None] = mapped_column(AwareDateTime)


class QueueLease(Base):
    """Which desk reads a mark right now, so that two moderators never get the same one; short, and renewed."""

    __tablename__ = "queue_lease"

    place_seq: Mapped[int] = mapped_column(BigKey, ForeignKey("place.seq", ondelete="CASCADE"), primary_key=True)
    holder: Mapped[str] = mapped_column(String(200))  # member of staff and the page they read it on
    until: Mapped[datetime] = mapped_column(AwareDateTime)


_UNDECIDED = text("decided_at IS NULL")  # a mark waits for one decision at a time


class Hold(Base):
    """A mark with the safeguarding lead: clock, escalation, decision and reason (S4, S5)."""

    __tablename__ = "hold"
    __table_args__ = (
        Index("ix_hold_open", "decided_at", "due_at"),
        Index("uq_hold_place_open", "place_seq", unique=True, sqlite_where=_UNDECIDED, postgresql_where=_UNDECIDED),
    )

    id: Mapped[Seq]
    place_seq: Mapped[int] = mapped_column(BigKey, ForeignKey("place.seq", ondelete="CASCADE"), index=True)
    status_before: Mapped[str] = mapped_column(String(10))
    held_by: Mapped[str] = mapped_column(String(120))
    held_at: Mapped[datetime] = mapped_column(AwareDateTime, default=utc_now)
    due_at: Mapped[datetime] = mapped_column(AwareDateTime)
    escalations: Mapped[int] = mapped_column(default=0)
    escalated_at: Mapped[datetime | None] = mapped_column(AwareDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(AwareDateTime)
    decided_by: Mapped[str | None] = mapped_column(String(120))
    outcome: Mapped[str | None] = mapped_column(String(30))
    reason: Mapped[str | None] = mapped_column(String(1000))


class Notice(Base):
    """One e-mail to a member of staff that something waits; kept until it is sent, or nothing waits any more (S4)."""

    __tablename__ = "notice"
    __table_args__ = (Index("ix_notice_open", "sent_at", "settled_at"),)

    id: Mapped[Seq]
    kind: Mapped[str] = mapped_column(String(12))  # new, late, unread
    hold_id: Mapped[int | None] = mapped_column(BigKey, ForeignKey("hold.id", ondelete="CASCADE"))
    day: Mapped[date | None]  # of the oldest words that nobody has read
    step: Mapped[int]
    principal_id: Mapped[int | None] = mapped_column(BigKey, ForeignKey("principal.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(AwareDateTime)
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime] = mapped_column(AwareDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(AwareDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(AwareDateTime)  # what it was about was done before it was sent
    problem: Mapped[str] = mapped_column(String(40), default="")  # why it could not be sent; never an address


class SecondLook(Base):
    """A decision that another moderator makes again without seeing the first (E3)."""

    __tablename__ = "second_look"

    id: Mapped[Seq]
    place_seq: Mapped[int] = mapped_column(BigKey, ForeignKey("place.seq", ondelete="CASCADE"), index=True)
    first_act: Mapped[str] = mapped_column(String(20))
    first_by: Mapped[str] = mapped_column(String(120))
    asked_at: Mapped[datetime] = mapped_column(AwareDateTime, default=utc_now)
    second_act: Mapped[str | None] = mapped_column(String(20))
    second_by: Mapped[str | None] = mapped_column(String(120))
    judged_at: Mapped[datetime | None] = mapped_column(AwareDateTime)
