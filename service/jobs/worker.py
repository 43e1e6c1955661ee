"""The worker process beside the web process: ``python -m service.jobs.worker [--parent PID]``.

It ends when it is told to (SIGTERM, Ctrl-C) and by itself when its parent is gone, so that no orphan is left. Heavy
libraries are imported by the jobs that need them, not here.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from types import FrameType

from sqlalchemy.exc import OperationalError

from service.core import Core, StartError, open_core, require_assessment
from service.jobs.runner import Runner
from service.jobs.schedule import enqueue_due
from service.logs import configure_logs
from service.settings import Settings

LOG = logging.getLogger("safer_places.worker")
POLL_S = 0.5
LOOK_S = 5.0  # how often it looks whether regular work is due
TROUBLE_S = 5.0  # wait this long after the store could not be reached
WATCH_S = 0.5
GRACE_S = 20.0  # a step that says nothing for so long is left where it is: its lease runs out, it is done again
USAGE_ERROR = 2


def run_worker(core: Core, stop: threading.Event) -> None:
    """Run jobs until ``stop`` is set.

    Parameters
    ----------
    core : Core
        The deployment whose jobs are run.
    stop : threading.Event
        Set it to end; a running job goes back into the queue at its next progress.
    """
    runner = Runner(core, stop=stop)
    LOG.info("worker started")
    looked = -LOOK_S
    while not stop.is_set():
        try:
            if time.monotonic() - looked >= LOOK_S:
                looked = time.monotonic()
                enqueue_due(core)
            idle = runner.run_one() is None
        except (OperationalError, OSError):
            LOG.exception("the store cannot be reached")
            stop.wait(TROUBLE_S)
        else:
            if idle:
                stop.wait(POLL_S)
    LOG.info("worker ended")


def watch_parent(parent: int, stop: threading.Event) -> None:
    """Set ``stop`` when the parent process is gone, and end this process if that is not heard in ``GRACE_S``."""
    while not stop.wait(WATCH_S):
        if os.getppid() != parent:
            stop.set()
    if os.getppid() != parent:
        threading.Event().wait(GRACE_S)
        os._exit(1)


def main(arguments: list[str] | None = None) -> int:
    """Run a worker with the settings of the environment.

    Parameters
    ----------
    arguments : list of str, optional
        ``--parent PID`` ends the worker with that process; those of the command line if None.

    Returns
    -------
    int
        Exit code: 0 after a stop, 2 where the deployment is not ready.
    """
    given = sys.argv[1:] if arguments is None else arguments
    settings = Settings()
    stop = threading.Event()

    def hear(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, hear)
    if given[:1] == ["--parent"]:
        threading.Thread(target=watch_parent, args=(int(given[1]), stop), daemon=True).start()
    try:
        core = open_core(settings)
        configure_logs(settings)
        require_assessment(core)
    except StartError as error:
        LOG.error("%s", error)
        return USAGE_ERROR
    try:
        run_worker(core, stop)
    finally:
        core.store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
