"""One area in numbers: crimes reported to the police by both rules, the year before, the trend, the types (3.5)."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from geo.crimes import CATEGORY_NAMES, month_range, shift_month
from service.areas.sets import SetView
from service.core import Core
from service.crimes import workflow as crimes
from service.crimes.schemas import AreaSummary, CrimeQuery, MonthCount, Provenance, SeriesBreak, SummaryAnswer
from service.errors import UnavailableError

YEAR: Final = 12
TREND_MONTHS: Final = 36
Z_95: Final = 1.959964  # two-sided 95 % of the normal distribution


@dataclass(frozen=True, slots=True)
class Change:
    """Crimes of a year beside those of the year before, as a ratio with its 95 % interval.

    Parameters
    ----------
    before, after : int
        Crimes of each year.
    percent, low, high : float
        Change and its interval [%].
    """

    before: int
    after: int
    percent: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out "no change"."""
        return self.low > 0 or self.high < 0


def compare_years(before: int, after: int) -> Change | None:
    """Compare two counts of equal periods.

    Parameters
    ----------
    before, after : int
        Counts of two periods of the same length.

    Returns
    -------
    Change or None
        The interval is the usual one of a rate ratio, on the log scale, for counts that vary as chance alone would have
        it (Poisson); crimes come in series, so the true interval is wider. None where a count is 0.
    """
    if not before or not after:
        return None
    ratio = after / before
    spread = math.exp(Z_95 * math.sqrt(1 / before + 1 / after))
    return Change(before, after, (ratio - 1) * 100, (ratio / spread - 1) * 100, (ratio * spread - 1) * 100)


@dataclass(frozen=True, slots=True)
class TypeCount:
    """Crimes of one type, as the police name it."""

    name: str
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class CrimeProfile:
    """What is known of the crimes reported to the police in one area.

    Parameters
    ----------
    first, last : str
        The year counted, months included.
    area : AreaSummary
        Counts of that year by both rules (P2).
    complete : int
        Months of the year in which every local force is held (P4).
    per_km2_month, borough_per_km2_month : float or None
        Density of the area and of all areas together [1 / km2 / month].
    change : Change or None
        Beside the year before; None where that year is not complete.
    months : list of MonthCount
        The trend, up to three years.
    mean : float or None
        Mean month of the trend.
    """

    first: str
    last: str
    area: AreaSummary
    complete: int
    near_line_m: float
    per_km2_month: float | None
    borough_per_km2_month: float | None
    change: Change | None
    months: list[MonthCount]
    mean: float | None
    types: list[TypeCount]
    missing: dict[str, list[str]]
    breaks: list[SeriesBreak]
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class AreaRow:
    """One line of the list of areas."""

    code: str
    name: str
    summary: AreaSummary | None


@dataclass(frozen=True, slots=True)
class AreaList:
    """The areas of a set with the crimes of the latest year, or why there are none."""

    view: SetView
    rows: list[AreaRow]
    summary: SummaryAnswer | None = None
    why_not: str = ""
    per_km2_month: dict[str, float] = field(default_factory=dict)


def latest_year(core: Core) -> tuple[str, str] | None:
    """Return first and last month of the latest twelve held, or None where nothing is held."""
    last = crimes.months_held(core).last
    return (shift_month(last, 1 - YEAR), last) if last else None


def list_areas(core: Core, view: SetView, names: dict[str, str]) -> AreaList:
    """Return the areas of a set by name, with the crimes of the latest year where they are counted.

    Parameters
    ----------
    core : Core
        The deployment.
    view : SetView
        The set.
    names : dict of str to str
        Name of each area by code.

    Returns
    -------
    AreaList
        In order of names.
    """
    year = latest_year(core)
    summary, why_not = None, "No police data is here yet. An operator imports it: safer-places crimes import."
    if view.why_no_numbers:
        why_not = view.why_no_numbers
    elif year is not None:
        try:
            summary = crimes.summary(core, view.name, CrimeQuery(first=year[0], last=year[1]))
        except UnavailableError as error:
            why_not = str(error)
    by_code = {row.area_gss: row for row in summary.areas} if summary else {}
    rows = [AreaRow(code, name, by_code.get(code)) for code, name in sorted(names.items(), key=lambda item: item[1])]
    rates = {code: rate for code, row in by_code.items() if (rate := _rate([row], _complete(summary))) is not None}
    return AreaList(view, rows, summary, "" if summary else why_not, rates)


def crime_profile(core: Core, view: SetView, code: str) -> CrimeProfile | None:
    """Return the crimes reported to the police in one area.

    Parameters
    ----------
    core : Core
        The deployment.
    view : SetView
        The set.
    code : str
        Code of an area of it.

    Returns
    -------
    CrimeProfile or None
        None where no month is held.

    Raises
    ------
    NotFoundError
        If the set has no such area.
    UnavailableError
        If the crimes are not joined to the set yet.
    """
    year = latest_year(core)
    if year is None:
        return None
    first, last = year
    summary = crimes.summary(core, view.name, CrimeQuery(first=first, last=last))
    start = shift_month(last, 1 - TREND_MONTHS)
    held = crimes.months_held(core).first or first
    trend = crimes.series(core, view.name, code, CrimeQuery(first=max(start, held), last=last))
    area = next(row for row in summary.areas if row.area_gss == code)
    known = [month.count for month in trend.months if month.count is not None]
    return CrimeProfile(
        first=first,
        last=last,
        area=area,
        complete=summary.months_complete,
        near_line_m=summary.near_line_m,
        per_km2_month=_rate([area], summary.months_complete),
        borough_per_km2_month=_rate(summary.areas, summary.months_complete),
        change=_change(trend.months, first),
        months=trend.months,
        mean=sum(known) / len(known) if len(known) >= YEAR else None,
        types=_types([month for month in trend.months if month.month >= first]),
        missing=summary.missing,
        breaks=trend.breaks,
        provenance=summary.provenance,
    )


def _complete(summary: SummaryAnswer | None) -> int:
    return summary.months_complete if summary else 0


def _rate(areas: list[AreaSummary], months: int) -> float | None:
    """Return crimes per square kilometre and month; None without a complete month."""
    known = [(area.polygon, area.area_km2) for area in areas if area.polygon is not None]
    if not known or not months:
        return None
    return sum(count for count, _ in known) / sum(size for _, size in known) / months


def _change(months: list[MonthCount], first: str) -> Change | None:
    """Compare the latest year with the one before; None unless every month of both is known (P4)."""
    before = month_range(shift_month(first, -YEAR), shift_month(first, -1))
    counts = {month.month: month.count for month in months}
    earlier = [counts.get(month) for month in before]
    later = [month.count for month in months if month.month >= first]
    if None in earlier or None in later:
        return None
    return compare_years(sum(filter(None, earlier)), sum(filter(None, later)))


def _types(months: list[MonthCount]) -> list[TypeCount]:
    found: Counter[str] = Counter()
    for month in months:
        found.update(month.categories)
    total = found.total()
    return [TypeCount(CATEGORY_NAMES.get(slug, slug), count, count / total) for slug, count in found.most_common()]
