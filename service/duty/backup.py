"""Back up a deployment while it serves: a consistent copy of the store, and every file that belongs to it.

The secret key is never in it: with it, whoever finds a backup could try receipts and join what is kept apart.
"""

from __future__ import annotations

import os
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO, Final

from sqlalchemy import text

from service.core import Core
from service.duty.apart import FILE as APART_FILE
from service.duty.apart import apart_path, open_apart
from service.duty.archive import ArchiveWriter, new_file
from service.erasures import begin_journal
from service.errors import UnavailableError
from service.people.access import Principal
from service.people.audit import record
from service.store.base import utc_now
from service.store.store import Store

STORE_FILE: Final = "safer-places.sqlite"
KEY_FILE: Final = "secret.key"
# What can be fetched again, belongs to a process, or is copied in another way.
LEFT_OUT: Final = ("cache", "tiles", "fetch", KEY_FILE, "server.log")
LEFT_OUT_STARTS: Final = (STORE_FILE, APART_FILE, "tmp-", ".")
CITED: Final = "SELECT f.path FROM crime_manifest m JOIN crime_file f ON f.id = m.file_id"


@dataclass(frozen=True)
class BackupMade:
    """What a backup holds."""

    path: Path
    files: int
    size: int
    engine: str


def key_mark(core: Core) -> str:
    """Return what tells whether a secret key is the one of a backup, and nothing else."""
    return core.keyed_hash("backup", "which key")


def make_backup(core: Core, path: Path, principal: Principal) -> BackupMade:
    """Write a backup to a new file; the service may go on serving and writing meanwhile.

    Parameters
    ----------
    core : Core
        The deployment.
    path : Path
        The file; it appears once it is whole.
    principal : Principal
        Who asks, for the audit.

    Returns
    -------
    BackupMade
        How much is in it.

    Raises
    ------
    ConflictError
        If the file is there already.
    UnavailableError
        If crime files were replaced meanwhile.
    """
    begin_journal(core)
    engine = "sqlite" if core.store.is_sqlite else "postgresql"
    with new_file(path) as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            writer = ArchiveWriter(tar)
            # The audit's file first: it may name no act that the copy of the store does not hold.
            files = dict(_files(core.settings.data_dir))
            for name in [name for name in files if name.startswith("audit")]:
                writer.add_file(name, files.pop(name))
            cited = _add_stores(core, writer, path)
            for name, found in (files | dict(_files(core.settings.data_dir))).items():
                if name not in writer.files:
                    writer.add_file(name, found)
            missing = [name for name in cited if name not in writer.files]
            if missing:
                message = "Crimes were imported while the backup was made. Make it again."
                raise UnavailableError(message)
            writer.finish(_facts(core, engine))
        size = file.tell()
    core.store.write(lambda session: record(session, core, principal, "backup.make", files=len(writer.files)))
    return BackupMade(path, len(writer.files), size, engine)


def _facts(core: Core, engine: str) -> dict[str, Any]:
    return {
        "version": version("safer-places"),
        "made_at": utc_now().isoformat(),
        "engine": engine,
        "mode": core.mode,
        "area_gss": core.area_gss,
        "key": key_mark(core),
    }


def _add_stores(core: Core, writer: ArchiveWriter, target: Path) -> list[str]:
    """Add the stores that are files; return the crime files that the manifest names before and after."""
    cited = _cited(core)
    if core.store.is_sqlite:
        with _copied(core.store, target) as file:
            writer.add(STORE_FILE, file, os.fstat(file.fileno()).st_size)
        apart = apart_path(core.settings)
        if apart is not None and apart.exists():
            with open_apart(core) as store, _copied(store, target) as file:
                writer.add(APART_FILE, file, os.fstat(file.fileno()).st_size)
    return cited + _cited(core)


def _cited(core: Core) -> list[str]:
    with core.store.read() as session:
        return list(session.scalars(text(CITED)))


@contextmanager
def _copied(store: Store, target: Path) -> Iterator[BinaryIO]:
    """Copy a SQLite store as it is at one moment into a file without a name, and give it."""
    part = target.with_name(f".{target.name}.copy-{os.getpid()}")
    handle = os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    copy = sqlite3.connect(part)
    with os.fdopen(handle, "rb") as file:
        try:
            # No journal and no other reader: nothing needs the name, so a killed process leaves no copy of words.
            copy.execute("PRAGMA journal_mode=OFF")
            copy.execute("PRAGMA locking_mode=EXCLUSIVE")
            part.unlink()
            source = store.engine.raw_connection()
            try:
                source.driver_connection.backup(copy)  # type: ignore[union-attr]
            finally:
                source.close()
        finally:
            copy.close()
            part.unlink(missing_ok=True)
        yield file


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files of the data folder that belong to the deployment, by their names below it."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        left_out = parts[0] in LEFT_OUT or any(part.startswith(LEFT_OUT_STARTS) for part in parts)
        if path.is_file() and not path.is_symlink() and not left_out and not path.name.endswith(".lock"):
            yield "/".join(parts), path
