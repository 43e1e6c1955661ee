"""Tables of duty: runs of the retention job, and the ledger of onward shares."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import JSON

from service.store.base import AwareDateTime, Base, Seq, utc_now


class RetentionRun(Base):
    """That the job ran, and how many rows of each class it erased (L6)."""

    __tablename__ = "retention_run"

    id: Mapped[Seq]
    at: Mapped[datetime] = mapped_column(AwareDateTime, default=utc_now)
    report: Mapped[dict[str, Any]] = mapped_column(JSON)


class Share(Base):
    """One onward share: who got what, why, under which agreement (L8)."""

    __tablename__ = "share"

    id: Mapped[Seq]
    at: Mapped[datetime] = mapped_column(AwareDateTime, default=utc_now)
    actor: Mapped[str] = mapped_column(String(120))
    recipient: Mapped[str] = mapped_column(String(200))
    purpose: Mapped[str] = mapped_column(String(300))
    agreement_id: Mapped[str] = mapped_column(String(60))
    fields: Mapped[list[str]] = mapped_column(JSON)
    rows: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
