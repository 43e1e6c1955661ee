"""Numbers by area for the shaded map and its table: recorded crime by both rules (P2), marks by people for staff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from geo.maps.elements import Measure
from geo.maps.facts import Cell, Column, Table
from service.areas import workflow as areas
from service.core import Core
from service.crimes import workflow as crimes
from service.crimes.schemas import CrimeQuery
from service.errors import UnavailableError
from service.maps.state import MARK_MEASURES, MapState
from service.maps.words import MEASURE_WORDS, category_words, listed, marks_words
from service.people.access import Principal, Right
from service.places import workflow as places

NAMED: Final = 3  # areas named in the sentence above a map
PER_RESIDENTS: Final = 1000
UNSAFE_LIMITS: Final = (20.0, 40.0, 60.0, 80.0)


@dataclass(frozen=True, slots=True)
class ByArea:
    """Everything known by area of one set for one state of the map.

    Attributes
    ----------
    view : SetView
        The boundary set.
    crimes : SummaryAnswer or None
        Recorded crime; None where it is not joined to the set yet.
    marks : dict or None
        Marks by area code; None where the caller may not see counts, or they are not joined to the set.
    few : frozenset of str
        Areas whose marks come from too few people to say anything of.
    """

    view: Any
    crimes: Any
    marks: dict[str, Any] | None
    few: frozenset[str]

    @property
    def has_crimes(self) -> bool:
        """Whether any recorded crime is held."""
        return self.crimes is not None and self.crimes.total is not None

    @property
    def has_residents(self) -> bool:
        """Whether the set knows residents of any area."""
        return self.crimes is not None and any(area.residents for area in self.crimes.areas)

    def measures(self) -> list[str]:
        """Return the measures that can be shown."""
        if not self.view.join_points:
            return []
        found = ["crimes", "crimes_km2"]
        found += ["crimes_rate"] if self.has_residents else []
        return found + (["marks", "unsafe_share"] if self.marks is not None else [])


def read_by_area(core: Core, principal: Principal, state: MapState, *, numbers: bool = True) -> ByArea:
    """Return the numbers of a boundary set that the caller may see; without ``numbers`` the set alone.

    Raises
    ------
    NotFoundError
        If there is no such set.
    InvalidInputError
        If months or crime type cannot be.
    UnavailableError
        If there are no boundaries yet.
    """
    view = areas.get_set(core, state.set) if state.set else areas.default_set(core)
    if not numbers:
        return ByArea(view, None, None, frozenset())
    return ByArea(view, _crimes(core, view, state), *_marks(core, principal, view, state))


def _crimes(core: Core, view: Any, state: MapState) -> Any:
    if not view.join_points:
        return None
    try:
        asked = CrimeQuery(
            first=state.first or None, last=state.last or None, categories=state.categories, rule=state.rule
        )
        return crimes.summary(core, view.name, asked)
    except UnavailableError:  # the join to this set is still running: the page says so
        return None


def _marks(
    core: Core, principal: Principal, view: Any, state: MapState
) -> tuple[dict[str, Any] | None, frozenset[str]]:
    if not principal.may(Right.MARK_COUNTS) or not view.join_points:
        return None, frozenset()
    try:
        found = places.counts_by_area(core, principal, view.name, times=mark_times(state))
    except UnavailableError:
        return None, frozenset()
    least = core.settings.few_people
    few = {code for code, counts in found.items() if counts.total > 0 and counts.contributors < least}
    return found, frozenset(few)


def mark_times(state: MapState) -> tuple[str, ...]:
    """Return the times of day that a state of the map asks for."""
    times = {"day": ("weekday_day", "after_school", "weekend_day"), "night": ("evening", "night")}
    return times.get(state.time, (state.time,) if state.time else ())


def measure_of(found: ByArea, state: MapState) -> Measure | None:
    """Return the measure that the map shades by; None where there is nothing to shade."""
    label, unit = MEASURE_WORDS[state.measure]
    if state.measure in MARK_MEASURES:
        return _marks_measure(found, state.measure, label, unit) if found.marks is not None else None
    if not found.has_crimes:
        return None
    values = pd.Series({area.area_gss: crime_value(area, state.measure) for area in found.crimes.areas}, dtype=float)
    words = f"{label}: {category_words(state.category)}" if state.category else label
    return Measure(words, unit, values, whole=state.measure == "crimes")


def crime_value(area: Any, measure: str) -> float:
    """Return a measure of recorded crime in one area; NaN where it is not known."""
    if area.count is None:
        return np.nan
    if measure == "crimes_km2":
        return float(area.count / area.area_km2)
    if measure == "crimes_rate":
        return PER_RESIDENTS * area.count / area.residents if area.residents else np.nan
    return float(area.count)


def _marks_measure(found: ByArea, measure: str, label: str, unit: str) -> Measure:
    marks = found.marks or {}
    if measure == "marks":
        values = pd.Series({code: counts.total for code, counts in marks.items()}, dtype=float)
        return Measure(label, unit, values, ramp="count")
    values = pd.Series({code: unsafe_share(counts) for code, counts in marks.items()}, dtype=float)
    return Measure(label, unit, values, found.few, "share", UNSAFE_LIMITS, suffix=" %")


def unsafe_share(counts: Any) -> float:
    """Return the share of people who marked a place as unsafe [%]; NaN where nobody marked."""
    return 100 * counts.people["unsafe"] / counts.everyone if counts.everyone else np.nan


def table_of(found: ByArea, links: dict[str, str], names: dict[str, str]) -> Table:
    """Return the table with the same content as the map, and both assignment rules (P2)."""
    columns = [Column(found.view.level.capitalize() if found.view.level != "lsoa" else "LSOA")]
    if found.has_crimes:
        columns += [
            Column("Crimes, point in outline", numeric=True),
            Column("Crimes, nearest LSOA centre", numeric=True),
            Column(f"Within {found.crimes.near_line_m:g} m of a line, %", numeric=True),
            Column("Crimes per km²", numeric=True),
        ]
        columns += [Column("Crimes per 1,000 residents", numeric=True)] if found.has_residents else []
    if found.marks is not None:
        columns += [Column("Marks", numeric=True), Column("Feel unsafe, % of people", numeric=True)]
    by_code = {area.area_gss: area for area in found.crimes.areas} if found.has_crimes else {}
    rows = [
        [Cell(name, links[code]) if code in links else name, *_cells(found, by_code.get(code), code)]
        for code, name in names.items()
    ]
    return Table(_caption(found), columns, rows, _below(found))


def _cells(found: ByArea, area: Any, code: str) -> list[Any]:
    cells: list[Any] = []
    if found.has_crimes:
        near = None if area.near_line_share is None else 100 * area.near_line_share
        cells += [area.polygon, area.nearest, near, crime_value(area, "crimes_km2")]
        if found.has_residents:
            cells.append(known(crime_value(area, "crimes_rate")))
    if found.marks is not None:
        counts = found.marks.get(code)
        cells.append(round(counts.total) if counts else 0)
        if code in found.few:
            cells.append("not enough people yet")
        else:
            cells.append(unsafe_share(counts) if counts and counts.everyone else None)
    return cells


def _caption(found: ByArea) -> str:
    parts = ["reported to the police"] if found.has_crimes else []
    parts += ["marked by young people"] if found.marks is not None else []
    return (
        f"{found.view.title}: {' and '.join(parts) or ('no numbers yet' if found.view.join_points else 'drawn only')}"
    )


def _below(found: ByArea) -> str:
    if not found.has_crimes:
        return ""
    outside = found.crimes.outside
    share = found.crimes.near_line_share
    near = (
        ""
        if share is None
        else (
            f" {100 * share:.0f} % of the points inside lie within {found.crimes.near_line_m:g} m of a line: they "
            "could belong to either side."
        )
    )
    return f"{outside:,} of {found.crimes.total:,} crimes lie outside every area shown and are not in the rows.{near}"


def sentence(found: ByArea, state: MapState, *, nobody: str) -> str:
    """Return the one sentence above the map: where most was reported, or how much was marked (``nobody``: nothing)."""
    if state.measure in MARK_MEASURES:
        return _marks_sentence(found, nobody)
    if not found.has_crimes:
        return ""
    ranked = sorted(found.crimes.areas, key=lambda area: (-_or_zero(crime_value(area, state.measure)), area.name))
    inside = sum(area.count or 0 for area in ranked)
    if not inside:
        return "No crime of this kind was reported in these months."
    top = ranked[:NAMED]
    kind = f" of {category_words(state.category).lower()}" if state.category else ""
    if state.measure != "crimes":
        return f"Most crime{kind} was reported {MEASURE_WORDS[state.measure][1]} in {listed([a.name for a in top])}."
    share = 100 * sum(area.count or 0 for area in top) / inside
    return (
        f"{listed([area.name for area in top])} hold {share:.0f} % of the {inside:,} crimes{kind} reported to the "
        "police in the areas shown."
    )


def _marks_sentence(found: ByArea, nobody: str) -> str:
    """Say how many areas were marked, and in how many too few people did: no ranking of small numbers."""
    marked = [counts for code, counts in (found.marks or {}).items() if code and counts.total]
    if not marked:
        return nobody
    total = round(sum(counts.total for counts in marked))
    few = len([code for code in found.few if code])
    return (
        f"{marks_words(total)} in {len(marked)} of {found.view.area_count} areas; in {few} of these too few people "
        "marked to say a share."
    )


def _or_zero(value: float) -> float:
    return 0.0 if np.isnan(value) else value


def known(value: float) -> float | None:
    """Return a number, or None for NaN."""
    return None if np.isnan(value) else value
