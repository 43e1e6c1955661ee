"""What a running job is given: a way to say how far it is, and to hear that it should stop."""

from __future__ import annotations

from typing import Protocol


class JobCancelledError(RuntimeError):
    """Somebody asked the job to stop."""


class JobInterruptedError(JobCancelledError):
    """The process that runs the job is stopping; the job goes back into the queue."""


class LeaseLostError(JobCancelledError):
    """Another worker holds the job now: nothing more may be stored for it here."""


class JobContext(Protocol):
    """Progress and cancel of a running job; the command line gives one that draws a bar."""

    def progress(self, fraction: float, message: str = "") -> None:
        """Say how far the job is (0 to 1); also the moment at which a cancel is heard.

        Raises
        ------
        JobCancelledError
            If somebody asked the job to stop, the process is stopping, or the lease was lost.
        """


class Silent:
    """A context that tells nobody; for tests and notebooks."""

    def progress(self, fraction: float, message: str = "") -> None:
        """Ignore the progress."""
