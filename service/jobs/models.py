"""Tables of jobs: leased rows of long work, and when regular work is next due."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import JSON

from service.store.base import AwareDateTime, Base, utc_now


class Job(Base):
    """One piece of long work: queued, leased by a worker, with progress, cancel and retry."""

    __tablename__ = "job"
    __table_args__ = (Index("ix_job_status_created", "status", "created_at"),)

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=uuid.uuid4)
    kind: Mapped[str] = mapped_column(String(40))
    parameters: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    dedupe_key: Mapped[str | None] = mapped_column(String(120), index=True)  # one queued job a key
    status: Mapped[str] = mapped_column(String(10), default="queued")  # queued, running, done, failed, cancelled
    progress: Mapped[float] = mapped_column(default=0.0)
    message: Mapped[str] = mapped_column(String(300), default="")
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    error: Mapped[str | None] = mapped_column(String(300))
    attempts: Mapped[int] = mapped_column(default=0)
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    leased_until: Mapped[datetime | None] = mapped_column(AwareDateTime)
    worker: Mapped[str | None] = mapped_column(String(60))
    created_at: Mapped[datetime] = mapped_column(AwareDateTime, default=utc_now)
    started_at: Mapped[datetime | None] = mapped_column(AwareDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(AwareDateTime)


class Schedule(Base):
    """When one kind of regular work is next due; the code says how often."""

    __tablename__ = "schedule"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    next_at: Mapped[datetime] = mapped_column(AwareDateTime)
    last_at: Mapped[datetime | None] = mapped_column(AwareDateTime)
