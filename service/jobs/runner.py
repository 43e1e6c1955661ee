"""Run leased jobs: one at a time, to an outcome that is stored only while the lease holds."""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from geo.errors import GeoError
from service.core import Core
from service.errors import ServiceError
from service.jobs.context import JobCancelledError, JobInterruptedError, LeaseLostError
from service.jobs.kinds import KINDS
from service.jobs.lease import LEASE, LeasedJob, Listener
from service.jobs.store import MAX_ATTEMPTS, MESSAGE_MAX, Lease, claim, finish, has_claimable, release
from service.store.base import utc_now

LOG = logging.getLogger("safer_places.jobs")
RETRY_AFTER_S = 5.0
Status = Literal["done", "failed", "cancelled", "requeued", "lost"]


@dataclass(frozen=True)
class Outcome:
    """How one run of a job ended."""

    lease: Lease
    status: Status
    result: dict[str, Any] | None = None
    error: str | None = None


class Runner:
    """Claims and runs jobs, one at a time.

    Parameters
    ----------
    core : Core
        The deployment whose jobs are run.
    stop : threading.Event, optional
        Set it to hand the running job back at its next progress.
    listener : callable of (Lease, float, str), optional
        Told of every progress.
    retry_after_s : float
        Seconds before a job that met an unexpected error is tried again.
    """

    def __init__(
        self,
        core: Core,
        *,
        stop: threading.Event | None = None,
        listener: Listener | None = None,
        retry_after_s: float = RETRY_AFTER_S,
    ) -> None:
        self.name = f"{socket.gethostname()[:30]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._core = core
        self._stop = stop or threading.Event()
        self._listener = listener
        self._retry_after = timedelta(seconds=retry_after_s)

    def run_one(self) -> Outcome | None:
        """Run the job that waits longest; None where none waits."""
        store = self._core.store
        with store.read() as session:
            if not has_claimable(session, utc_now()):
                return None
        lease = store.write(lambda session: claim(session, self.name, utc_now(), LEASE))
        return None if lease is None else self._run(lease)

    def run_all(self) -> list[Outcome]:
        """Run until no job can be claimed; those that jobs add on the way too."""
        outcomes = []
        while not self._stop.is_set() and (outcome := self.run_one()) is not None:
            outcomes.append(outcome)
        return outcomes

    def _run(self, lease: Lease) -> Outcome:
        context = LeasedJob(self._core.store, lease, self._stop, self._listener)
        LOG.info("job started", extra=_names(lease))
        try:
            with context.heartbeat():
                result = _call(self._core, lease, context)
        except LeaseLostError:
            outcome = Outcome(lease, "lost")
        except JobInterruptedError:
            outcome = self._requeue(lease)
        except JobCancelledError:
            outcome = self._finish(Outcome(lease, "cancelled"))
        except (GeoError, ServiceError) as error:  # told in plain words, and the same the next time
            outcome = self._finish(Outcome(lease, "failed", error=str(error)))
        except Exception as error:
            # The last line of defence, as the web process has one: a bug in one job must not end the worker.
            LOG.exception("job met an unexpected error", extra=_names(lease))
            outcome = self._retry_or_fail(lease, error)
        except BaseException:
            self._requeue(lease)
            raise
        else:
            outcome = self._finish(Outcome(lease, "done", result=result))
        LOG.info("job ended: %s", outcome.status, extra=_names(lease))
        return outcome

    def _finish(self, outcome: Outcome) -> Outcome:
        values: dict[str, Any] = {"status": outcome.status, "result": outcome.result}
        if outcome.error is not None:
            values["error"] = outcome.error[:MESSAGE_MAX]
        if outcome.status == "done":
            values |= {"progress": 1.0}
        kept = self._core.store.write(lambda session: finish(session, outcome.lease, utc_now(), values))
        return outcome if kept else Outcome(outcome.lease, "lost")

    def _requeue(self, lease: Lease) -> Outcome:
        kept = self._core.store.write(lambda session: release(session, lease, not_before=None))
        return Outcome(lease, "requeued" if kept else "lost")

    def _retry_or_fail(self, lease: Lease, error: Exception) -> Outcome:
        # Only the class: the text of an unexpected error may hold a coordinate or a person's words.
        reason = f"The job met an unexpected error ({type(error).__name__}); the worker's log says more."
        if lease.attempt >= MAX_ATTEMPTS:
            return self._finish(Outcome(lease, "failed", error=reason))
        later = utc_now() + self._retry_after
        kept = self._core.store.write(lambda session: release(session, lease, not_before=later, error=reason))
        return Outcome(lease, "requeued" if kept else "lost", error=reason)


def _call(core: Core, lease: Lease, context: LeasedJob) -> dict[str, Any]:
    if lease.kind not in KINDS:
        message = f"This version knows no job of the kind {lease.kind}."
        raise ServiceError(message)
    result = KINDS[lease.kind](core, lease.parameters, context)
    json.dumps(result, allow_nan=False)  # here, where it counts as the job's error, not when it is stored
    return result


def _names(lease: Lease) -> dict[str, str]:
    return {"job": str(lease.job_id), "kind": lease.kind}
