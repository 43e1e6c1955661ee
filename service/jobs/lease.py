"""The context of a leased job: stores progress, renews the lease, hears cancels and a stopping process."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy.exc import OperationalError

from service.jobs.context import JobCancelledError, JobInterruptedError, LeaseLostError
from service.jobs.store import Lease, renew
from service.store.base import utc_now
from service.store.store import Store

LOG = logging.getLogger("safer_places.jobs")
LEASE = timedelta(seconds=60)
BEAT_S = 15.0  # a quarter of the lease: three beats may be missed
SILENT_MAX_S = 1800.0  # a job that says nothing for half an hour hangs, and loses its lease
STORE_EVERY_S = 0.5  # progress is stored and a cancel heard at most this often

Listener = Callable[[Lease, float, str], None]


class LeasedJob:
    """Progress and cancel of one leased job.

    Parameters
    ----------
    store : Store
        Holds the job.
    lease : Lease
        The lease under which it runs.
    stop : threading.Event
        Set where the process is stopping.
    listener : callable of (Lease, float, str), optional
        Told of every progress, for a bar on the screen.
    """

    def __init__(self, store: Store, lease: Lease, stop: threading.Event, listener: Listener | None = None) -> None:
        self._store = store
        self._lease = lease
        self._stop = stop
        self._listener = listener
        self._heard = time.monotonic()
        self._stored = 0.0
        self._lost = threading.Event()

    def progress(self, fraction: float, message: str = "") -> None:
        """Store how far the job is, renew its lease, and hear whether it should stop.

        Raises
        ------
        JobCancelledError
            If somebody asked the job to stop.
        JobInterruptedError
            If the process is stopping.
        LeaseLostError
            If another worker holds the job now.
        """
        if self._stop.is_set():
            message = "The worker is stopping."
            raise JobInterruptedError(message)
        self._heard = time.monotonic()
        share = min(max(fraction, 0.0), 1.0)
        if self._listener is not None:
            self._listener(self._lease, share, message)
        if self._heard - self._stored >= STORE_EVERY_S or self._lost.is_set():
            self._stored = self._heard
            self._renew((share, message))

    def _renew(self, progress: tuple[float, str] | None) -> None:
        until = utc_now() + LEASE
        cancelled = self._store.write(lambda session: renew(session, self._lease, until, progress))
        if cancelled is None:
            self._lost.set()
            message = "Another worker holds the job now."
            raise LeaseLostError(message)
        if cancelled:
            message = "Somebody asked the job to stop."
            raise JobCancelledError(message)

    @contextmanager
    def heartbeat(self) -> Iterator[None]:
        """Keep the lease while one long step runs that says nothing; for at most ``SILENT_MAX_S``."""
        done = threading.Event()
        thread = threading.Thread(target=self._beat, args=(done,), name="job-heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _beat(self, done: threading.Event) -> None:
        while not done.wait(BEAT_S):
            if time.monotonic() - self._heard > SILENT_MAX_S:
                return
            try:
                self._renew(None)
            except LeaseLostError:
                return
            except JobCancelledError:
                continue  # heard by the job itself at its next progress
            except OperationalError:
                LOG.warning("lease not renewed", extra={"job": str(self._lease.job_id)})
