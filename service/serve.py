"""Serve a deployment: check that the port is free, start the worker beside the web process, run uvicorn."""

from __future__ import annotations

import errno
import gc
import signal
import socket
import sys

import uvicorn

from service.app import create_app
from service.core import StartError, open_core, require_assessment
from service.jobs.supervise import WorkerProcess
from service.logs import configure_logs
from service.maps.ground import require_ground
from service.settings import Settings


def run_server(settings: Settings) -> None:
    """Serve until stopped.

    Parameters
    ----------
    settings : Settings
        Host, port and data folder; ``worker`` starts the worker process too.

    Raises
    ------
    StartError
        If the store is not ready or the port is taken.
    """
    core = open_core(settings)
    try:
        require_assessment(core)
        require_ground(settings)
    finally:
        core.store.close()
    listener = _listen(settings)
    configure_logs(settings)
    # uvicorn raises the signal that stopped it once more: by default that would end us before the worker is told.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    worker = WorkerProcess(settings) if settings.worker else None
    sys.stdout.write(
        f"Safer Places ({core.area_name}, {core.mode}) on http://{settings.host}:{listener.getsockname()[1]}\n"
    )
    sys.stdout.flush()
    config = uvicorn.Config(
        create_app(settings),
        log_level=settings.log_level,
        log_config=None,  # ours: uvicorn's own would print the message of an error, which may hold a person's words
        access_log=False,  # access lines hold addresses of children's devices
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    gc.collect()
    gc.freeze()  # modules and routes stay: without this each full collection goes through all of them again
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        listener.close()
        if worker is not None:
            worker.stop()


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        if error.errno != errno.EADDRINUSE:
            why = error.strerror or "it is none"
            where = f"{settings.host} port {settings.port}"
            message = f"{where} cannot be listened on: {why}. Choose another with --host or --port."
            raise StartError(message) from error
        message = (
            f"Port {settings.port} on {settings.host} is in use: stop the other program, or take another port "
            f"(--port {settings.port + 1}; make run PORT={settings.port + 1})."
        )
        raise StartError(message) from error
    listener.listen(2048)
    return listener
