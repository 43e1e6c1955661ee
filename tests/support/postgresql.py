"""A throwaway PostgreSQL cluster with PostGIS on loopback, and databases cloned from one migrated template."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

USER = "safer_places_test"
# Tests may lose everything with the machine; they only need it to be quick.
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=64MB", "jit=off")


def find_binaries() -> Path | None:
    """Return the folder of the newest installed server that has PostGIS, or None."""
    found = [
        folder
        for folder in Path("/usr/lib/postgresql").glob("*/bin")
        if (folder / "initdb").exists()
        and Path(f"/usr/share/postgresql/{folder.parent.name}/extension/postgis.control").exists()
    ]
    return max(found, key=lambda folder: int(folder.parent.name), default=None)


def _as_server_user(command: list[str]) -> None:
    """Run as an ordinary user: the server refuses root."""
    if os.geteuid() == 0:
        command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "env", "HOME=/tmp", *command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise RuntimeError(f"{command} failed:\n{done.stdout}\n{done.stderr}")


@contextmanager
def running_cluster(folder: Path) -> Iterator[str]:
    """Make a cluster below ``folder``, start it on a free port, give its URL, and take all of it away at the end."""
    binaries = find_binaries()
    assert binaries is not None
    data = folder / "data"
    data.mkdir(parents=True)
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        shutil.chown(data, "postgres", "postgres")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    locale = ["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    _as_server_user([str(binaries / "initdb"), "-D", str(data), "-U", USER, *locale])
    lines = ["listen_addresses='127.0.0.1'", f"port={port}", f"unix_socket_directories='{folder}'", *QUICK]
    with (data / "postgresql.conf").open("a") as file:
        file.write("\n".join(["", *lines, ""]))
    control = [str(binaries / "pg_ctl"), "-D", str(data), "-w"]
    _as_server_user([*control, "-l", str(folder / "log"), "start"])
    try:
        yield f"postgresql://{USER}@127.0.0.1:{port}/postgres"
    finally:
        _as_server_user([*control, "-m", "immediate", "stop"])
        shutil.rmtree(folder, ignore_errors=True)


def create_database(url: str, *, template: str | None = None) -> str:
    """Make a database of a new name in the cluster of ``url`` and return its URL."""
    name = f"t_{uuid.uuid4().hex}"
    _run(url, f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))
    return make_url(url).set(database=name).render_as_string()


def drop_database(url: str) -> None:
    """Drop the database of ``url``."""
    name = make_url(url).database
    _run(make_url(url).set(database="postgres").render_as_string(), f'DROP DATABASE "{name}" WITH (FORCE)')


def _run(url: str, statement: str) -> None:
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(statement))
    finally:
        engine.dispose()
