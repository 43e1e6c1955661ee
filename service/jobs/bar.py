"""Progress bars of jobs on a terminal."""

from __future__ import annotations

import uuid
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from service.jobs.store import Lease


class JobBars:
    """One bar for each job that runs; plain silence where the output is no terminal.

    Parameters
    ----------
    console : Console
        Where to draw.
    """

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[message]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._tasks: dict[uuid.UUID, TaskID] = {}

    def __enter__(self) -> Self:
        """Start to draw."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop to draw."""
        self._progress.stop()

    def listen(self, lease: Lease, fraction: float, message: str) -> None:
        """Draw how far the job is; the listener of a ``Runner``."""
        if lease.job_id not in self._tasks:
            words = lease.kind.replace("_", " ") + "".join(f" {value}" for value in lease.parameters.values())
            self._tasks[lease.job_id] = self._progress.add_task(words[:60], total=1.0, message="")
        self._progress.update(self._tasks[lease.job_id], completed=fraction, message=message)
