"""Join crimes to boundary sets: counts of each file by area and category, swapped in one step by generation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from geo.crimes import Key
from service.areas import workflow as areas
from service.areas.workflow import SetView
from service.core import Core
from service.crimes import counting, lake, store
from service.crimes.lake import LakeFile
from service.crimes.models import CrimeFile
from service.crimes.store import CountedSet
from service.jobs.context import JobContext

Counts = dict[tuple[Key, CountedSet], list[counting.AreaCount]]


def lake_folder(core: Core) -> Path:
    """Return the folder of the immutable files."""
    return core.settings.data_dir / "crimes"


@dataclass(frozen=True)
class After:
    """The part of a progress bar from ``start`` on."""

    context: JobContext
    start: float

    def progress(self, fraction: float, message: str = "") -> None:
        """Pass on."""
        self.context.progress(self.start + (1 - self.start) * fraction, message)


def _prepare(core: Core, view: SetView) -> counting.CountingAreas:
    """Make a set ready for counting; the centres of the second rule are those of the finest set of LSOAs."""
    lsoas = [other for other in areas.list_sets(core) if other.level == "lsoa" and other.id != view.id]
    finest = min(lsoas, key=lambda other: (other.resolution_m, other.name), default=None)
    use_lsoas = finest is not None and view.level != "lsoa"
    key = ("counting-areas", view.digest, finest.digest if finest and use_lsoas else "", core.settings.line_share_m)

    def make() -> counting.CountingAreas:
        centres = areas.area_index(core, finest.name) if finest is not None and use_lsoas else None
        return counting.prepare_areas(areas.area_index(core, view.name), centres, line_m=core.settings.line_share_m)

    return core.cache.get(key, make)


def count_files(core: Core, files: Sequence[LakeFile], job: JobContext) -> Counts:
    """Count new files by every set that has counts already.

    Parameters
    ----------
    core : Core
        The deployment.
    files : sequence of LakeFile
        Files in their place that no table names yet.
    job : JobContext
        Told of the progress.

    Returns
    -------
    dict
        By key of the file, and by set and generation.
    """
    views = [view for view in areas.list_sets(core) if view.join_points and view.crime_generation > 0]
    prepared = [(CountedSet(view.id, view.crime_generation), _prepare(core, view)) for view in views]
    counts: Counts = {}
    for done, file in enumerate(files):
        job.progress(done / len(files), f"counting {file.force} {file.month}")
        rows = lake.read_rows(core.settings.data_dir / file.path, counting.COUNTED_COLUMNS) if prepared else None
        for counted, ready in prepared:
            counts[file.key, counted] = counting.count_points(rows, ready)
    return counts


def uncounted_sets(session: Session) -> list[str]:
    """Return the names of the sets that lack counts of a current file."""
    return [
        name
        for name, counted in store.joinable_sets(session)
        if counted.generation == 0 or store.uncounted_files(session, counted)
    ]


def rejoin_crimes(core: Core, set_name: str, job: JobContext) -> int:
    """Count every current file by a set anew, and swap the counts in one step.

    Parameters
    ----------
    core : Core
        The deployment.
    set_name : str
        Name of the set.
    job : JobContext
        Told of the progress; a cancel leaves the old counts whole.

    Returns
    -------
    int
        Crimes counted; 0 where the set was replaced meanwhile, which queues a join of its own.

    Raises
    ------
    NotFoundError
        If there is no such set.
    """
    view = areas.get_set(core, set_name)
    target = CountedSet(view.id, view.crime_generation + 1)
    before = CountedSet(view.id, view.crime_generation)
    core.store.write(lambda session: _drop_rests(session, before))
    prepared = _prepare(core, view)
    crimes = 0
    while True:
        with core.store.read() as session:
            files = store.uncounted_files(session, target)
        for done, file in enumerate(files):
            job.progress(done / len(files), f"{file.force} {file.month}")
            if not _count_file(core, file, target, prepared):
                return 0
            crimes += file.rows
        if core.store.write(lambda session: _adopt(session, target)):
            job.progress(1.0, f"{crimes:,} crimes")
            return crimes


def _drop_rests(session: Session, before: CountedSet) -> None:
    """Remove what an attempt that was cut off left, unless another join has swapped its counts in meanwhile."""
    if store.is_current(session, before):
        store.drop_other_counts(session, before)


def _count_file(core: Core, file: CrimeFile, target: CountedSet, prepared: counting.CountingAreas) -> bool:
    """Count one file; False if the set is gone."""
    rows = lake.read_rows(core.settings.data_dir / file.path, counting.COUNTED_COLUMNS)
    counts = counting.count_points(rows, prepared)

    def write(session: Session) -> bool:
        if not store.has_set(session, target.set_id):
            return False
        store.put_counts(session, file.id, target, counts)
        return True

    return core.store.write(write)


def _adopt(session: Session, target: CountedSet) -> bool:
    """Make the new counts the ones that count, unless an import brought files in between."""
    if store.uncounted_files(session, target):
        return False
    store.adopt_generation(session, target)
    return True
