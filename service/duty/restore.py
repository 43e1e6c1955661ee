"""Restore a backup into a new folder, and forget again what was withdrawn or erased since it was made."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from service import erasures
from service.core import Core, open_core, upgrade_store
from service.duty.archive import read_manifest, unpack
from service.duty.backup import KEY_FILE, key_mark
from service.duty.replay import replay
from service.duty.retention import RetentionReport, run_retention
from service.errors import ConflictError, InvalidInputError
from service.people.access import OPERATOR
from service.people.audit import record
from service.settings import Settings
from service.store.base import utc_now


@dataclass(frozen=True)
class Restored:
    """What a restore did."""

    folder: Path
    replayed: dict[str, int]
    retention: RetentionReport
    has_newer_journal: bool  # without one, what was withdrawn since the backup cannot be known


@dataclass(frozen=True)
class RestorePlan:
    """What to restore, where to, with which key and journal.

    Parameters
    ----------
    backup : Path
        The file.
    into : Path
        The new data folder; it must not hold anything.
    key : Path, optional
        The secret key of the deployment; the setting ``secret_key`` where left out.
    journal : Path, optional
        ``erasures.jsonl`` of the deployment as it was last; the backup's own where left out.
    """

    backup: Path
    into: Path
    key: Path | None = None
    journal: Path | None = None


def restore_backup(settings: Settings, plan: RestorePlan, *, now: datetime | None = None) -> Restored:
    """Restore a backup: the folder gets its name only once everything erased since is erased again.

    Parameters
    ----------
    settings : Settings
        Of the deployment; its data folder is not touched.
    plan : RestorePlan
        What, where, with which key and journal.
    now : datetime, optional
        The time, aware; the clock's where left out.

    Returns
    -------
    Restored
        What was erased again.

    Raises
    ------
    ConflictError
        If the folder holds something.
    InvalidInputError
        If the file is no backup, is damaged, or the key is not the one it was made with.
    StartError
        If the store cannot be opened.
    """
    facts = read_manifest(plan.backup)
    _require_room(plan.into)
    _require_engine(settings, facts)
    part = plan.into.with_name(f".{plan.into.name}.restoring")
    shutil.rmtree(part, ignore_errors=True)  # of a restore that was stopped
    part.mkdir(parents=True, mode=0o700)
    try:
        unpack(plan.backup, facts, part)
        _place_key(settings, plan, part)
        has_newer = _place_journal(plan, part)
        replayed, report = _forget(settings.model_copy(update={"data_dir": part}), facts, now or utc_now())
        if plan.into.exists():
            plan.into.rmdir()
        part.rename(plan.into)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Restored(plan.into, replayed, report, has_newer)


def _require_room(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        message = f"{folder} is not empty. Restore into a new folder, look at it, then point the service there."
        raise ConflictError(message)


def _require_engine(settings: Settings, facts: dict[str, Any]) -> None:
    if (facts["engine"] == "postgresql") != bool(settings.database_url):
        message = (
            "This backup belongs to PostgreSQL: load the dump with pg_restore into a new database first, set "
            "SAFER_PLACES_DATABASE_URL to it, then restore the rest."
            if facts["engine"] == "postgresql"
            else "This backup holds its own store: unset SAFER_PLACES_DATABASE_URL to restore it."
        )
        raise InvalidInputError(message)


def _place_key(settings: Settings, plan: RestorePlan, folder: Path) -> None:
    if settings.secret_key is not None and plan.key is None:
        return
    if plan.key is None or not plan.key.is_file():
        message = "A backup never holds the secret key. Give the file that you keep apart: --key secret.key"
        raise InvalidInputError(message)
    handle = os.open(folder / KEY_FILE, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(plan.key.read_bytes())
        file.flush()
        os.fsync(file.fileno())


def _place_journal(plan: RestorePlan, folder: Path) -> bool:
    """Add the lines of the given journal to those of the backup; return whether it is at least as new as that."""
    path = folder / erasures.FILE
    own = path.read_text(encoding="ascii").splitlines() if path.exists() else []
    if plan.journal is None or not plan.journal.is_file():
        return False
    given = plan.journal.read_text(encoding="ascii", errors="replace").splitlines()
    lines = [*own, *(line for line in given if line not in set(own))]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="ascii", errors="replace")
    path.chmod(0o600)
    return set(own) <= set(given)


def _forget(settings: Settings, facts: dict[str, Any], now: datetime) -> tuple[dict[str, int], RetentionReport]:
    upgrade_store(settings)
    core = open_core(settings)
    try:
        _require_key(core, facts)
        replayed = replay(core, erasures.journal_path(core), now)
        erased = sum(replayed.values())
        core.store.write(lambda session: record(session, core, OPERATOR, "restore", marks=erased))
        return replayed, run_retention(core, OPERATOR, now=now)
    finally:
        core.store.close()


def _require_key(core: Core, facts: dict[str, Any]) -> None:
    if facts["key"] != key_mark(core):
        message = "The secret key is not the one this backup was made with: receipts and the journal would not fit."
        raise InvalidInputError(message)
