"""Jobs: put long work in the queue; run it under a lease with progress, cancel and retry."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.jobs.models import Job


def enqueue(session: Session, kind: str, parameters: dict[str, Any], *, dedupe_key: str | None = None) -> uuid.UUID:
    """Queue a job inside the caller's write, so that it exists if and only if that write is committed.

    Parameters
    ----------
    session : Session
        Of the running ``store.write``.
    kind : str
        A key of ``service.jobs.kinds.KINDS``.
    parameters : dict
        JSON-able arguments of the kind.
    dedupe_key : str, optional
        Where a job with this key waits already, its id is returned and nothing is added.

    Returns
    -------
    UUID
        Of the waiting job.
    """
    if dedupe_key is not None:
        waiting = session.scalar(select(Job.id).where(Job.dedupe_key == dedupe_key, Job.status == "queued"))
        if waiting is not None:
            return waiting
    job = Job(id=uuid.uuid4(), kind=kind, parameters=parameters, dedupe_key=dedupe_key)
    session.add(job)
    session.flush()
    return job.id
