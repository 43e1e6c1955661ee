"""What the API says about jobs."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

JobStatus = Literal["queued", "running", "done", "failed", "cancelled"]


class JobOut(BaseModel):
    """One piece of long work."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "id": "0b7f6a3e-6a3c-4b1e-9d55-0c6f3f1f9a11",
                    "kind": "join_crimes",
                    "parameters": {"set": "wards-2022"},
                    "status": "running",
                    "progress": 0.4,
                    "message": "12 of 29 files",
                    "result": None,
                    "error": None,
                    "attempts": 1,
                    "cancel_requested": False,
                    "created_at": "2026-11-23T12:00:00Z",
                    "started_at": "2026-11-23T12:00:01Z",
                    "finished_at": None,
                }
            ]
        },
    )

    id: uuid.UUID = Field(description="Id of the job.")
    kind: str = Field(description="What it does: join_places, join_crimes, join_hotspots, hotspots or density.")
    parameters: dict[str, Any] = Field(description="What it was asked for.")
    status: JobStatus = Field(description="queued, running, done, failed or cancelled.")
    progress: float = Field(description="How far it is, 0 to 1.", ge=0, le=1)
    message: str = Field(description="What it is doing, in words.")
    result: dict[str, Any] | None = Field(description="What came of it, once it is done.")
    error: str | None = Field(description="Why it failed, or why it is tried again.")
    attempts: int = Field(description="How often it was started.")
    cancel_requested: bool = Field(description="Whether it was asked to stop.")
    created_at: datetime = Field(description="When it was queued.")
    started_at: datetime | None = Field(description="When it was last started.")
    finished_at: datetime | None = Field(description="When it ended.")


class JobList(BaseModel):
    """The newest jobs first."""

    jobs: list[JobOut] = Field(description="The newest first.")
