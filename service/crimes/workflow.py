"""Crimes: what pages, routes and the analysis read of them, and the door to import, fetch and join."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from geo import columns
from geo.crimes import CATEGORY_NAMES, is_month, missing_months, month_range
from service.areas import workflow as areas
from service.areas.workflow import AreaShapes, SetView
from service.core import Core
from service.crimes import answers, store
from service.crimes.fetching import fetch_months
from service.crimes.importing import import_files
from service.crimes.joining import rejoin_crimes
from service.crimes.models import CrimeFile
from service.crimes.schemas import CrimePoints, CrimeQuery, MonthsAnswer, SeriesAnswer, SummaryAnswer
from service.crimes.store import CountedSet, Period
from service.errors import FieldProblem, ForbiddenError, InvalidInputError, NotFoundError, UnavailableError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "crime_points", "fetch_months", "import_files", "months_held", "rejoin_crimes", "series", "summary",
]  # fmt: skip

GRID_MIN_KM2: Final = 0.25 * 0.25 * 0.999  # P1: no grid finer than 250 m, rounding allowed for


def months_held(core: Core) -> MonthsAnswer:
    """Return which months of which force are held, and which are missing."""
    with core.store.read() as session:
        return answers.months_answer(store.current_files(session))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a question about counts comes down to."""

    view: SetView
    shapes: AreaShapes
    counted: CountedSet
    period: Period | None  # None where nothing is held and no period was given
    files: list[CrimeFile]
    forces: set[str]

    @property
    def gaps(self) -> answers.Gaps | None:
        """Months missing in the period."""
        if self.period is None:
            return None
        return answers.Gaps(answers.held_keys(self.files), self.forces, self.period.first, self.period.last)


def summary(core: Core, set_name: str | None = None, query: CrimeQuery | None = None) -> SummaryAnswer:
    """Count the crimes of a period in each area of a set, by both assignment rules.

    Parameters
    ----------
    core : Core
        The deployment.
    set_name : str or None
        Boundary set; None for the default one.
    query : CrimeQuery or None
        Period, categories, rule; None for everything held.

    Returns
    -------
    SummaryAnswer
        Months not held are named as missing and never count as zero (P4).

    Raises
    ------
    InvalidInputError
        If a month or category cannot be, or the set is only drawn.
    NotFoundError
        If there is no such set.
    ForbiddenError
        If the set is finer than police points may be shown (P1).
    UnavailableError
        If the crimes are not joined to the set yet.
    """
    query = query or CrimeQuery()
    asked = _ask(core, set_name, query)
    gaps = asked.gaps
    counts: dict[str, tuple[int, int, int]] | None = None
    # with the transport police alone, every area without a station would stand there as zero (P4)
    if asked.period is not None and gaps is not None and gaps.complete:
        with core.store.read() as session:
            counts = {row[0]: row[1:] for row in store.counts_by_area(session, asked.counted, asked.period)}
    return SummaryAnswer(
        set=asked.view.name,
        set_title=asked.view.title,
        level=asked.view.level,
        first=asked.period.first if asked.period else None,
        last=asked.period.last if asked.period else None,
        categories=list(query.categories),
        rule=query.rule,
        months=len(gaps.months) if gaps else 0,
        months_complete=gaps.complete if gaps else 0,
        missing=gaps.missing if gaps else {},
        areas=[answers.area_summary(area, counts, query.rule) for area in _area_rows(asked.shapes)],
        outside=None if counts is None else counts.get(columns.OUTSIDE, (0, 0, 0))[0],
        total=None if counts is None else sum(row[0] for row in counts.values()),
        near_line_share=None if counts is None else answers.near_line_share(counts),
        near_line_m=core.settings.line_share_m,
        provenance=answers.provenance(asked.files, [asked.view.caveat]),
    )


def series(
    core: Core, set_name: str | None = None, area: str | None = None, query: CrimeQuery | None = None
) -> SeriesAnswer:
    """Count crimes month by month in one area, or in all areas of a set together.

    Parameters
    ----------
    core, set_name, query
        As ``summary``.
    area : str or None
        Code of the area; None for all areas.

    Returns
    -------
    SeriesAnswer
        Every month of the period; its count is None where a local force is missing (P4).

    Raises
    ------
    NotFoundError
        If there is no such set or area.
    InvalidInputError, ForbiddenError, UnavailableError
        As ``summary``.
    """
    query = query or CrimeQuery()
    asked = _ask(core, set_name, query)
    names = dict(zip(asked.shapes.codes.tolist(), asked.shapes.names.tolist(), strict=True))
    if area is not None and area not in names:
        raise NotFoundError(f"The boundary set {asked.view.name} has no area {area[:20]!r}.")
    gaps = asked.gaps
    rows: list[tuple[str, str, int, int]] = []
    if asked.period is not None:
        with core.store.read() as session:
            rows = store.counts_by_month(session, asked.counted, asked.period, area)
    return SeriesAnswer(
        set=asked.view.name,
        area=area,
        name=names[area] if area is not None else None,
        categories=list(query.categories),
        rule=query.rule,
        months=answers.month_counts(rows, gaps, query.rule) if gaps else [],
        breaks=answers.breaks_between(asked.forces, asked.period.first, asked.period.last) if asked.period else [],
        source="police-points",
        provenance=answers.provenance(asked.files, [asked.view.caveat]),
    )


def _ask(core: Core, set_name: str | None, query: CrimeQuery) -> _Asked:
    view = areas.default_set(core) if set_name is None else areas.get_set(core, set_name)
    shapes = areas.area_shapes(core, view.name)
    _require_counted(view)
    _require_coarse(view, shapes)
    counted = CountedSet(view.id, view.crime_generation)
    with core.store.read() as session:
        files = store.current_files(session)
        known = {slug for file in files for slug in file.details.get("categories", ())}
        period = _period(files, query, _require_categories(query.categories, known))
        if files and (view.crime_generation == 0 or store.uncounted_files(session, counted)):
            raise UnavailableError(f"The crimes are still being joined to {view.name}. Try again in a minute.")
        forces = store.forces_inside(session, counted) or {file.force for file in files}
    chosen = [file for file in files if period is not None and period.first <= file.month <= period.last]
    return _Asked(view, shapes, counted, period, chosen, forces)


def _period(files: Sequence[CrimeFile], query: CrimeQuery, categories: tuple[str, ...]) -> Period | None:
    for name, month in (("from", query.first), ("to", query.last)):
        if month is not None and not is_month(month):
            problem = FieldProblem(field=name, message="Write a month as YYYY-MM, for example 2018-06.")
            raise InvalidInputError(f"{month[:20]!r} is not a month; write it as YYYY-MM.", errors=[problem])
    months = sorted({file.month for file in files})
    start = query.first or (months[0] if months else query.last)
    stop = query.last or (months[-1] if months else query.first)
    if start is None or stop is None:
        return None
    if stop < start:
        problem = FieldProblem(field="to", message="Give a month that does not come before 'from'.")
        raise InvalidInputError(f"The last month {stop} comes before the first, {start}.", errors=[problem])
    return Period(start, stop, categories)


def _require_categories(categories: Sequence[str], known: set[str]) -> tuple[str, ...]:
    for slug in categories:
        if slug not in CATEGORY_NAMES and slug not in known:
            problem = FieldProblem(field="category", message=f"Use {', '.join(CATEGORY_NAMES)}.")
            raise InvalidInputError(f"The police have no category {slug[:60]!r}.", errors=[problem])
    return tuple(categories)


def _require_counted(view: SetView) -> None:
    """Refuse a set that is only drawn: to wait would not help."""
    if view.why_no_numbers:
        problem = FieldProblem(field="set", message="Choose a set with join_points true from /api/v1/boundary-sets.")
        raise InvalidInputError(f"{view.name}: {view.why_no_numbers}", errors=[problem])


def _require_coarse(view: SetView, shapes: AreaShapes) -> None:
    """Refuse a grid finer than 250 m: police points are never shown any finer (P1)."""
    if view.level == "grid" and float(np.median(shapes.area_km2)) < GRID_MIN_KM2:
        raise ForbiddenError(f"The cells of {view.name} are smaller than 250 m: police points are not shown any finer.")


def _area_rows(shapes: AreaShapes) -> list[tuple[str, str, float, int | None]]:
    residents = [None if np.isnan(count) else int(count) for count in shapes.residents]
    sizes = [round(float(size), 4) for size in shapes.area_km2]
    return list(zip(shapes.codes.tolist(), shapes.names.tolist(), sizes, residents, strict=True))


def crime_points(
    core: Core,
    start: str,
    end: str,
    categories: Sequence[str] | None = None,
    *,
    digests: Sequence[str] | None = None,
) -> CrimePoints:
    """Return the crimes of a period as arrays, for the analysis.

    Parameters
    ----------
    core : Core
        The deployment.
    start, end : str
        Months ``YYYY-MM``, both included.
    categories : sequence of str or None
        Slugs; None or none for all.
    digests : sequence of str or None
        Exactly these files of the period, current or not, so that a run repeats after a re-import; None for the
        current ones.

    Returns
    -------
    CrimePoints
        In order of force, month and row: the same files give the same arrays.

    Raises
    ------
    MethodError
        If a month is none or ``end`` comes before ``start``.
    UnavailableError
        If one of ``digests`` is not held.
    """
    months = tuple(month_range(start, end))
    with core.store.read() as session:
        files = (
            store.current_files(session, start, end)
            if digests is None
            else [file for file in store.files_of(session, digests) if start <= file.month <= end]
        )
    if digests is not None and len(files) < len(set(digests)):
        raise UnavailableError("A crime file that this analysis cites is not held; restore it from the backup.")
    tables = [_read_points(core, file, categories) for file in files]
    slugs = [np.asarray(table[columns.CATEGORY].to_numpy(zero_copy_only=False), dtype=np.str_) for table in tables]
    met, codes = np.unique(np.concatenate(slugs) if slugs else np.empty(0, np.str_), return_inverse=True)
    lengths = [table.num_rows for table in tables]
    held = tuple((file.force, file.month) for file in files)
    return CrimePoints(
        longitude=_joined(tables, columns.LONGITUDE),
        latitude=_joined(tables, columns.LATITUDE),
        month=np.repeat(np.array([months.index(file.month) for file in files], dtype=np.int16), lengths),
        category=codes.astype(np.int16),
        months=months,
        categories=tuple(met.tolist()),
        digests=tuple(file.digest for file in files),
        held=held,
        missing=missing_months(held, forces={file.force for file in files}, first=start, last=end),
        is_sample=any(file.is_sample for file in files),
    )


def _read_points(core: Core, file: CrimeFile, categories: Sequence[str] | None) -> pa.Table:
    from service.crimes.lake import read_rows

    wanted = (columns.LONGITUDE, columns.LATITUDE, columns.CATEGORY)
    return read_rows(core.settings.data_dir / file.path, wanted, categories or None)


def _joined(tables: Sequence[Any], name: str) -> Any:
    return np.concatenate([table[name].to_numpy() for table in tables]) if tables else np.empty(0, np.float64)
