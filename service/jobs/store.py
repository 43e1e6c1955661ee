"""Queries on jobs: claim, renew, finish, release, cancel; each one statement, so that two workers never share a job."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from service.jobs.models import Job

MAX_ATTEMPTS = 3
MESSAGE_MAX = 300
CLAIM_LOCK = 7_305_541_001  # any fixed number: names the advisory lock under which PostgreSQL claims a job
GAVE_UP = f"The job was started {MAX_ATTEMPTS} times and its worker was lost each time; it is not tried again."


@dataclass(frozen=True)
class Lease:
    """A job that this worker may run; ``attempt`` tells it from an earlier lease of the same worker."""

    job_id: uuid.UUID
    kind: str
    parameters: dict[str, Any]
    attempt: int
    worker: str


def has_claimable(session: Session, now: datetime) -> bool:
    """Return whether a job waits; a plain read, so that polling writes nothing."""
    return session.scalar(_claimable(now).limit(1)) is not None


def claim(session: Session, worker: str, now: datetime, lease_for: timedelta) -> Lease | None:
    """Lease the oldest waiting job, or one whose lease ran out, to ``worker``.

    Parameters
    ----------
    session : Session
        Of the running ``store.write``.
    worker : str
        Unique name of the process that asks.
    now : datetime
        The time, in UTC.
    lease_for : timedelta
        How long the lease holds unless renewed.

    Returns
    -------
    Lease or None
        None where no job waits. Of jobs with one ``dedupe_key`` only one is leased at a time.
    """
    if session.get_bind().dialect.name == "postgresql":
        # Two claims at once would each miss the other's uncommitted lease of the same dedupe_key.
        session.execute(select(func.pg_advisory_xact_lock(CLAIM_LOCK)))
    _close_lost(session, now)
    oldest = _claimable(now).order_by(Job.created_at, Job.id).limit(1).with_for_update(skip_locked=True)
    row = session.execute(
        update(Job)
        .where(Job.id == oldest.scalar_subquery())
        .values(
            status="running",
            worker=worker,
            leased_until=now + lease_for,
            attempts=Job.attempts + 1,
            started_at=now,
            progress=0.0,
            message="",
            error=None,
        )
        .returning(Job.id, Job.kind, Job.parameters, Job.attempts)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    return None if row is None else Lease(row[0], row[1], row[2], row[3], worker)


def _claimable(now: datetime) -> Select[uuid.UUID]:
    other = aliased(Job)
    same_runs = exists().where(
        other.dedupe_key == Job.dedupe_key,
        other.id != Job.id,
        other.status == "running",
        other.leased_until >= now,
    )
    # Of a queued job leased_until is the moment before which a retry waits.
    waits = and_(Job.status == "queued", or_(Job.leased_until.is_(None), Job.leased_until <= now))
    return select(Job.id).where(or_(waits, _lost(now)), ~same_runs)


def _lost(now: datetime) -> ColumnElement[bool]:
    return and_(Job.status == "running", Job.leased_until < now)


def _close_lost(session: Session, now: datetime) -> None:
    """End the jobs whose worker was lost and that are not to be tried again."""
    closed = {"leased_until": None, "finished_at": now}
    for condition, values in (
        (Job.cancel_requested.is_(True), {"status": "cancelled"}),
        (Job.attempts >= MAX_ATTEMPTS, {"status": "failed", "error": GAVE_UP}),
    ):
        session.execute(
            update(Job)
            .where(_lost(now), condition)
            .values(closed | values)
            .execution_options(synchronize_session=False)
        )


def _held(lease: Lease) -> ColumnElement[bool]:
    return and_(
        Job.id == lease.job_id,
        Job.status == "running",
        Job.worker == lease.worker,
        Job.attempts == lease.attempt,
    )


def _change(session: Session, lease: Lease, values: dict[str, Any]) -> bool | None:
    """Change the job if the lease still holds; return its ``cancel_requested``, or None if the lease is lost."""
    statement = update(Job).where(_held(lease)).values(values).returning(Job.cancel_requested)
    return session.scalar(statement.execution_options(synchronize_session=False))


def renew(session: Session, lease: Lease, until: datetime, progress: tuple[float, str] | None = None) -> bool | None:
    """Make the lease last until ``until`` and store how far the job is.

    Parameters
    ----------
    session : Session
        Of the running ``store.write``.
    lease : Lease
        The lease to renew.
    until : datetime
        Its new end, in UTC.
    progress : (float, str), optional
        Fraction (0 to 1) and message; None keeps those stored.

    Returns
    -------
    bool or None
        Whether a cancel was asked for; None if the lease is lost.
    """
    values: dict[str, Any] = {"leased_until": until}
    if progress is not None:
        values |= {"progress": progress[0], "message": progress[1][:MESSAGE_MAX]}
    return _change(session, lease, values)


def finish(session: Session, lease: Lease, now: datetime, values: dict[str, Any]) -> bool:
    """End the job with ``values`` (status, result, error); False if the lease was lost meanwhile."""
    ended = {"finished_at": now, "leased_until": None} | values
    return _change(session, lease, ended) is not None


def release(session: Session, lease: Lease, *, not_before: datetime | None, error: str | None = None) -> bool:
    """Put the job back into the queue; without an error the attempt does not count."""
    values: dict[str, Any] = {"status": "queued", "worker": None, "leased_until": not_before, "error": error}
    if error is None:
        values["attempts"] = lease.attempt - 1
    return _change(session, lease, values) is not None


def request_cancel(session: Session, job_id: uuid.UUID, now: datetime) -> Job | None:
    """Cancel a queued job at once and ask a running one to stop; return the job as it is now."""
    for status, values in (
        ("queued", {"status": "cancelled", "finished_at": now, "leased_until": None}),
        ("running", {"cancel_requested": True}),
    ):
        session.execute(
            update(Job)
            .where(Job.id == job_id, Job.status == status)
            .values(values)
            .execution_options(synchronize_session=False)
        )
    return session.get(Job, job_id, populate_existing=True)


def read_job(session: Session, job_id: uuid.UUID) -> Job | None:
    """Return the job, or None."""
    return session.get(Job, job_id)


def read_jobs(session: Session, *, status: str | None, kind: str | None, limit: int) -> Sequence[Job]:
    """Return the newest jobs first."""
    query = select(Job).order_by(Job.created_at.desc(), Job.id).limit(limit)
    if status is not None:
        query = query.where(Job.status == status)
    if kind is not None:
        query = query.where(Job.kind == kind)
    return session.scalars(query).all()


def count_by_status(session: Session) -> dict[str, int]:
    """Return how many jobs there are of each status."""
    return dict(session.execute(select(Job.status, func.count()).group_by(Job.status)).all())


def find_queued(session: Session, dedupe_key: str) -> uuid.UUID | None:
    """Return the job that waits under the key, locked so that nobody starts it before the caller's commit."""
    query = select(Job.id).where(Job.dedupe_key == dedupe_key, Job.status == "queued")
    # A job started in between would miss what the caller is about to commit: the row lock makes claims skip it.
    return session.scalar(query.order_by(Job.created_at).limit(1).with_for_update())
