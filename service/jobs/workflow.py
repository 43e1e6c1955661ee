"""Jobs: put long work in the queue, list it, ask it to stop, run what waits."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy.orm import Session

from service.core import Core
from service.errors import ConflictError, NotFoundError
from service.jobs.models import Job
from service.jobs.runner import Outcome, Runner
from service.jobs.store import count_by_status, find_queued, read_job, read_jobs, request_cancel
from service.people.access import Principal, Right
from service.people.audit import record
from service.store.base import utc_now

WAIT_S = 0.5


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
        Where a job with this key waits already, its id is returned and nothing is added; and of the jobs with one key
        only one runs at a time.

    Returns
    -------
    UUID
        Of the waiting job.
    """
    if dedupe_key is not None:
        waiting = find_queued(session, dedupe_key)
        if waiting is not None:
            return waiting
    job = Job(id=uuid.uuid4(), kind=kind, parameters=parameters, dedupe_key=dedupe_key)
    session.add(job)
    session.flush()
    return job.id


def on_new_boundary_set(session: Session, set_name: str) -> list[uuid.UUID]:
    """Queue what a new or changed boundary set needs: every place and every crime joined to it."""
    kinds = ("join_places", "join_crimes")
    return [enqueue(session, kind, {"set": set_name}, dedupe_key=f"{kind}:{set_name}") for kind in kinds]


def on_new_crimes(session: Session, set_names: Iterable[str]) -> list[uuid.UUID]:
    """Queue what new crimes need: the counts of every set, then hot spots and density of the newest months.

    Parameters
    ----------
    session : Session
        Of the write that swaps the manifest.
    set_names : iterable of str
        The boundary sets that crimes are counted for.

    Returns
    -------
    list of UUID
        Of the waiting jobs.
    """
    jobs = [enqueue(session, "join_crimes", {"set": name}, dedupe_key=f"join_crimes:{name}") for name in set_names]
    for kind in ("hotspots", "density"):
        # Automatic: with too few months held yet, the job ends in words and not as failed.
        jobs.append(enqueue(session, kind, {"automatic": True}, dedupe_key=f"{kind}:newest"))
    return jobs


def on_new_run(session: Session, run_id: uuid.UUID) -> uuid.UUID:
    """Queue what new hot spots need: every place joined to them."""
    return enqueue(session, "join_hotspots", {"run": str(run_id)}, dedupe_key=f"join_hotspots:{run_id}")


def list_jobs(
    core: Core, principal: Principal, *, status: str | None = None, kind: str | None = None, limit: int = 100
) -> Sequence[Job]:
    """Return the newest jobs first, for staff."""
    principal.require(Right.JOBS_READ)
    with core.store.read() as session:
        return read_jobs(session, status=status, kind=kind, limit=limit)


def count_jobs(core: Core) -> dict[str, int]:
    """Return how many jobs there are of each status; for the command line."""
    with core.store.read() as session:
        return count_by_status(session)


def get_job(core: Core, principal: Principal, job_id: uuid.UUID) -> Job:
    """Return one job, for staff.

    Raises
    ------
    NotFoundError
        If there is none with this id.
    """
    principal.require(Right.JOBS_READ)
    with core.store.read() as session:
        return _require_found(read_job(session, job_id))


def cancel_job(core: Core, principal: Principal, job_id: uuid.UUID) -> Job:
    """Cancel a waiting job at once; ask a running one to stop at its next progress.

    Raises
    ------
    NotFoundError
        If there is none with this id.
    ConflictError
        If it has ended already.
    """
    principal.require(Right.RUNS_START)

    def write(session: Session) -> Job | None:
        found = request_cancel(session, job_id, utc_now())
        if found is not None:
            record(session, core, principal, "job.cancel", subject=str(job_id))
        return found

    job = _require_found(core.store.write(write))
    if job.status in {"done", "failed"}:
        message = f"The job has ended already ({job.status}); there is nothing to cancel."
        raise ConflictError(message)
    return job


def run_all(core: Core) -> list[Outcome]:
    """Run every waiting job in this process, and those that they queue; in silence.

    Parameters
    ----------
    core : Core
        The deployment whose jobs are run.

    Returns
    -------
    list of Outcome
        How each ended; a job that met an unexpected error is there once for each attempt.
    """
    return Runner(core, retry_after_s=0.0).run_all()


def run_all_with_bar(core: Core) -> int:
    """Run every waiting job in this process with bars on the terminal; for the command line.

    Parameters
    ----------
    core : Core
        The deployment whose jobs are run.

    Returns
    -------
    int
        How many jobs failed; each is told in one line.
    """
    from rich.console import Console

    from service.jobs.bar import JobBars

    console = Console(stderr=True)
    with JobBars(console) as bars:
        outcomes = Runner(core, listener=bars.listen, retry_after_s=0.0).run_all()
    failed = [outcome for outcome in outcomes if outcome.status == "failed"]
    for outcome in failed:
        console.print(f"{outcome.lease.kind} failed: {outcome.error}", markup=False)
    if not outcomes:
        return 0
    done = sum(outcome.status == "done" for outcome in outcomes)
    elsewhere = count_jobs(core).get("running", 0)
    more = f" {elsewhere} more being run by the server's worker." if elsewhere else ""
    console.print(f"{done} {'job' if done == 1 else 'jobs'} done.{more}")
    return len(failed)


def run_to_end(core: Core, job_id: uuid.UUID) -> Job:
    """Run what waits, with bars, until one job has ended, here or in the server's worker; for the command line.

    Parameters
    ----------
    core : Core
        The deployment.
    job_id : UUID
        The job to wait for.

    Returns
    -------
    Job
        As it ended.

    Raises
    ------
    NotFoundError
        If there is none with this id.
    """
    while True:  # the server's worker may have taken it: then there is nothing to run here, and we wait
        run_all_with_bar(core)
        with core.store.read() as session:
            job = _require_found(read_job(session, job_id))
        if job.status not in {"queued", "running"}:
            return job
        time.sleep(WAIT_S)


def _require_found(job: Job | None) -> Job:
    if job is None:
        message = "There is no job with this id."
        raise NotFoundError(message)
    return job
