"""Import police files and fetched answers: all of them or nothing, swapped in one write."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy.orm import Session

from geo.crimes import CATEGORY_NAMES, Key, force_slug
from service.core import Core
from service.crimes import intake, joining, lake, store
from service.crimes.models import CrimeFile
from service.crimes.schemas import Change, ImportReport, KeyReport
from service.errors import ConflictError, InvalidInputError
from service.jobs.context import JobContext, Silent
from service.jobs.workflow import on_new_crimes
from service.store.base import utc_now

WHOLE_FORCE: Final = "force"
API_AREA: Final = "area asked of the API"
_READ_SHARE: Final = 0.9  # of the progress; the rest is counting and the swap


@dataclass(frozen=True)
class _Plan:
    """One import: its inputs and what decides its result."""

    inputs: list[intake.InputFile]
    passed_over: list[str]
    force: str | None
    replace: bool
    extent: str
    digest: str


def import_files(
    core: Core,
    paths: Sequence[Path],
    *,
    force: str | None = None,
    replace: bool = False,
    extent: str = API_AREA,
    job: JobContext | None = None,
) -> ImportReport:
    """Import police files: all of them or nothing; readers see the old months until the one swap at the end.

    Parameters
    ----------
    core : Core
        The deployment; the files of a demo are marked as sample.
    paths : sequence of Path
        Street-level CSV (also gzipped), archives, API answers, or folders of them.
    force : str or None
        Force of rows that name none: needed for API answers.
    replace : bool
        Whether API rows may take the place of archive rows, or the other way round.
    extent : str
        What API answers cover.
    job : JobContext or None
        Told of the progress; asked whether to stop.

    Returns
    -------
    ImportReport
        Force by force and month by month; ``unchanged`` where the same was held already.

    Raises
    ------
    CrimeFileError
        If a file is not one of the police's or is broken.
    InvalidInputError
        If there is nothing to read, or not one line is a crime.
    ConflictError
        If archive and API rows would mix, two files hold the same month, or another import runs.
    """
    started = time.monotonic()
    context = job or Silent()
    folder = joining.lake_folder(core)
    slug = require_force(force)
    with lake.import_lock(folder):
        with core.store.read() as session:
            lake.sweep(folder, store.all_paths(session))
        plan = _plan(paths, force=slug, replace=replace, extent=extent)
        held = _held_already(core, plan)
        if held:
            keys = [KeyReport(f.force, f.month, f.rows, f.rejected, f.digest, "unchanged") for f in held]
            return ImportReport(keys, sum(f.rows for f in held), {}, None, plan.passed_over, 0.0, [])
        return _import_plan(core, plan, context, started)


def require_force(force: str | None) -> str | None:
    """Return the slug of a force that a person named.

    Raises
    ------
    InvalidInputError
        If there is no such force.
    """
    slug = None if force is None else force_slug(force)
    if force is not None and slug is None:
        message = f"{force[:40]!r} is no force of the police's archive; write a slug such as metropolitan or kent."
        raise InvalidInputError(message)
    return slug


def _plan(paths: Sequence[Path], *, force: str | None, replace: bool, extent: str) -> _Plan:
    files, passed_over = intake.expand(paths)
    inputs: dict[str, intake.InputFile] = {}
    for path in files:
        item = intake.fingerprint(path)
        if item.sha256 in inputs:
            passed_over.append(f"{path.name} (the same bytes as {inputs[item.sha256].path.name})")
        else:
            inputs[item.sha256] = item
    found = list(inputs.values())
    return _Plan(found, passed_over, force, replace, extent, intake.import_digest(found, force, extent))


def _held_already(core: Core, plan: _Plan) -> list[CrimeFile]:
    """Files of an earlier import of the same bytes, if every one of them is still current and on disk."""
    with core.store.read() as session:
        files = [file for file in store.current_files(session) if file.details.get("import") == plan.digest]
    whole = bool(files) and len(files) == files[0].details.get("import_keys")
    return files if whole and all((core.settings.data_dir / file.path).is_file() for file in files) else []


def _import_plan(core: Core, plan: _Plan, context: JobContext, started: float) -> ImportReport:
    folder = joining.lake_folder(core)
    report = core.settings.data_dir / "reports" / f"crimes-{utc_now():%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}.csv"
    with intake.Intake(folder, report) as reading:
        _read_all(reading, plan, context)
        if not reading.kinds:
            raise InvalidInputError(_nothing_read(reading))
        with core.store.read() as session:
            _require_one_source(session, reading.kinds, plan)
        taken = reading.finish()
    counts = joining.count_files(core, [item.file for item in taken], joining.After(context, _READ_SHARE))
    now = utc_now()

    def swap(session: Session) -> tuple[list[KeyReport], list[str]]:
        _require_one_source(session, reading.kinds, plan)
        return _swap(core, session, plan, taken, counts, now)

    keys, waiting = core.store.write(swap)
    context.progress(1.0, f"{reading.totals.rows:,} rows")
    return ImportReport(
        keys,
        reading.totals.rows,
        dict(reading.totals.rejected.most_common()),
        reading.report,
        plan.passed_over + reading.totals.passed_over,
        time.monotonic() - started,
        waiting,
        _new_types(taken),
    )


def _new_types(taken: list[intake.KeyIntake]) -> dict[str, int]:
    """Return the crime types that the table of the police's categories does not know, with their rows (P6)."""
    met: Counter[str] = Counter()
    for item in taken:
        met.update({slug: rows for slug, rows in item.file.categories.items() if slug not in CATEGORY_NAMES})
    return dict(met.most_common())


def _read_all(reading: intake.Intake, plan: _Plan, context: JobContext) -> None:
    total = max(sum(item.size for item in plan.inputs), 1)
    done = 0
    for item in plan.inputs:

        def progress(share: float, message: str, *, before: int = done, size: int = item.size) -> None:
            context.progress(_READ_SHARE * (before + share * size) / total, message)

        reading.take(item, plan.force, progress)
        done += item.size


def _nothing_read(reading: intake.Intake) -> str:
    reasons = ", ".join(f"{count:,} x {reason}" for reason, count in reading.totals.rejected.most_common(3))
    where = f" See {reading.report}." if reading.report else ""
    return f"Not one line is a crime that can be used ({reasons or 'the files hold no rows'}).{where}"


def _require_one_source(session: Session, kinds: dict[Key, str], plan: _Plan) -> None:
    """Refuse to put API rows in place of archive rows, or the other way round, unless asked to."""
    if plan.replace:
        return
    current = store.current_keys(session)
    mixed = [key for key, kind in sorted(kinds.items()) if key in current and current[key].source != kind]
    if mixed:
        force, month = mixed[0]
        message = (
            f"{force} {month} is held from the police's {current[mixed[0]].source}; rows from the {kinds[mixed[0]]} "
            f"never mix with it{f' ({len(mixed)} months)' if len(mixed) > 1 else ''}. Replace it with --replace."
        )
        raise ConflictError(message)


def _swap(
    core: Core, session: Session, plan: _Plan, taken: list[intake.KeyIntake], counts: joining.Counts, now: datetime
) -> tuple[list[KeyReport], list[str]]:
    """Make the new files current, with their counts, in the caller's one write."""
    current = store.current_keys(session)
    keys: list[KeyReport] = []
    for item in taken:
        file = item.file
        old = current.get(file.key)
        change: Change = "new" if old is None else "unchanged" if old.digest == file.digest else "replaced"
        file_id = store.put_file(session, _file_values(core, plan, item, now, len(taken)))
        store.point_manifest(session, file.key, file_id)
        for (key, counted), rows in counts.items():
            if key == file.key and store.is_current(session, counted):
                store.put_counts(session, file_id, counted, rows)
        keys.append(KeyReport(file.force, file.month, file.rows, item.rejected, file.digest, change))
    if all(key.change == "unchanged" for key in keys):
        return keys, []
    waiting = joining.uncounted_sets(session)
    on_new_crimes(session, waiting)
    return keys, waiting


def _file_values(core: Core, plan: _Plan, item: intake.KeyIntake, now: datetime, n_keys: int) -> dict[str, Any]:
    file = item.file
    return {
        "digest": file.digest,
        "force": file.force,
        "month": file.month,
        "source": item.source,
        "extent": WHOLE_FORCE if item.source == intake.ARCHIVE else plan.extent,
        "path": file.path,
        "rows": file.rows,
        "rejected": item.rejected,
        "is_sample": core.is_demo,
        "imported_at": now,
        "details": {
            "import": plan.digest,
            "import_keys": n_keys,
            "inputs": list(item.inputs),
            "categories": file.categories,
        },
    }
