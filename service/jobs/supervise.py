"""Keep one worker process alive beside the web process: start it, start it again if it dies, stop it at the end."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time

from service.settings import Settings

LOG = logging.getLogger("safer_places.worker")
RESTART_AFTER_S = 1.0  # doubled after each quick death
RESTART_MAX_S = 60.0
STOP_S = 25.0  # longer than the grace that the worker gives a step that says nothing


class WorkerProcess:
    """The worker as a child process; a job that crashes it (memory, a fault in a library) does not end the queue.

    Parameters
    ----------
    settings : Settings
        The environment is inherited; the data folder is passed on as an absolute path.
    """

    def __init__(self, settings: Settings) -> None:
        self._environment = os.environ | {"SAFER_PLACES_DATA_DIR": str(settings.data_dir.absolute())}
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._process = self._start()
        self._thread = threading.Thread(target=self._watch, name="worker-watch", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """Process id of the worker that runs now."""
        return self._process.pid

    def stop(self) -> None:
        """End the worker: gently, and after ``STOP_S`` without mercy (its job is done again by the next one)."""
        with self._lock:
            self._stopping.set()
            process = self._process
        process.terminate()
        try:
            process.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._thread.join()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "service.jobs.worker", "--parent", str(os.getpid())]
        # A session of its own: Ctrl-C reaches the web process alone, which then stops the worker in its turn.
        return subprocess.Popen(command, env=self._environment, start_new_session=True)

    def _watch(self) -> None:
        delay = RESTART_AFTER_S
        while True:
            started = time.monotonic()
            code = self._process.wait()
            delay = RESTART_AFTER_S if time.monotonic() - started > RESTART_MAX_S else min(delay * 2, RESTART_MAX_S)
            if not self._stopping.is_set():
                LOG.error("the worker ended with code %s and is started again in %.0f s", code, delay)
            if self._stopping.wait(delay):
                return
            with self._lock:
                if self._stopping.is_set():
                    return
                self._process = self._start()
