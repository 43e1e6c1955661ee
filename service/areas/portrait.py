"""Everything that a page of one area shows, gathered from the other subjects as far as the reader may see it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import shapely

from geo import crs
from service.areas.chart import Chart, trend_chart
from service.areas.profile import Z_95, CrimeProfile, crime_profile
from service.areas.reading import area_shapes, get_set
from service.areas.sets import SetView
from service.core import Core
from service.errors import NotFoundError, UnavailableError
from service.people.access import Principal, Right
from service.places import workflow as places
from service.runs import workflow as runs
from service.venues import workflow as venues

NEAR_M: Final = 500.0  # a hot spot this near to an area is named on its page
MOST_REASONS: Final = 8


@dataclass(frozen=True, slots=True)
class Marks:
    """What young people marked in an area.

    Parameters
    ----------
    safe, unsafe, mixed : float
        People by feeling; whoever marked both safe and unsafe places counts in each.
    total : float
        People of all feelings, each once.
    contributors, workshops : int
        Distinct contributors and workshops (D1).
    enough : bool
        Whether a share may be said.
    percent, low, high : float or None
        Share unsafe with its 95 % interval (Wilson) [%].
    """

    safe: float
    unsafe: float
    mixed: float
    total: float
    contributors: int
    workshops: int
    enough: bool
    percent: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class NearHotspot:
    """A hot spot in or near an area; ``distance_m`` is 0 where they overlap."""

    rank: int
    count: int
    confidence: int
    p_adjusted: float
    distance_m: float


@dataclass(frozen=True, slots=True)
class Hotspots:
    """Hot spots of the current run in or near an area, with what must be said beside them (P8)."""

    found: list[NearHotspot]
    run: Any


@dataclass(frozen=True, slots=True)
class Portrait:
    """One area; a part that is None may not be seen or is not there, and ``crime_why_not`` says why."""

    view: SetView
    code: str
    name: str
    area_km2: float
    crime: CrimeProfile | None
    crime_why_not: str
    chart: Chart | None
    marks: Marks | None
    reasons: dict[str, float] | None
    hotspots: Hotspots | None
    venues: list[dict[str, Any]]
    neighbours: list[tuple[str, str]]


def portrait(core: Core, principal: Principal, set_name: str, code: str) -> Portrait:
    """Return what is known of one area.

    Parameters
    ----------
    core : Core
        The deployment.
    principal : Principal
        Who reads.
    set_name, code : str
        The area.

    Returns
    -------
    Portrait
        As far as the principal may see it.

    Raises
    ------
    NotFoundError
        If there is no such set or area.
    """
    view = get_set(core, set_name)
    shapes = area_shapes(core, view.name)
    codes = shapes.codes.tolist()
    if code not in codes:
        message = f"{view.title} has no area with the code {code[:20]!r}. Choose one from the list."
        raise NotFoundError(message)
    at = codes.index(code)
    crime, why_not = _crime(core, view, code)
    return Portrait(
        view=view,
        code=code,
        name=str(shapes.names[at]),
        area_km2=float(shapes.area_km2[at]),
        crime=crime,
        crime_why_not=why_not,
        chart=trend_chart(crime.months, crime.mean, crime.breaks) if crime else None,
        marks=marks_of_set(core, principal, view).get(code),
        reasons=_reasons(core, principal, view, code),
        hotspots=_hotspots(core, principal, shapes.geometries[at]),
        venues=_venues(core, shapes.geometries[at]),
        neighbours=_neighbours(core, view, at),
    )


def names_of(core: Core, view: SetView) -> dict[str, str]:
    """Return the name of each area of a set by code."""
    shapes = area_shapes(core, view.name)
    return dict(zip(shapes.codes.tolist(), shapes.names.tolist(), strict=True))


def marks_of_set(core: Core, principal: Principal, view: SetView) -> Mapping[str, Marks]:
    """Return what was marked in each area of a set; every area is there where the reader may see counts, else none."""
    if not principal.may(Right.MARK_COUNTS) or not view.join_points:
        return {}
    try:
        counted = places.counts_by_area(core, principal, view.name)
    except UnavailableError:  # the join to this set still runs
        return {}
    few = core.settings.few_people
    return {code: _marks(counted.get(code), few) for code in names_of(core, view)}


def wilson(part: float, whole: float) -> tuple[float, float]:
    """Return the 95 % interval of a share by Wilson's score method.

    Parameters
    ----------
    part, whole : float
        People who said so, and all; ``whole`` above 0.

    Returns
    -------
    tuple of float
        Low and high end of the share, 0 to 1.

    References
    ----------
    .. [1] Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. JASA 22:209-212.
    """
    share = part / whole
    squared = Z_95 * Z_95
    middle = (share + squared / (2 * whole)) / (1 + squared / whole)
    spread = Z_95 / (1 + squared / whole) * math.sqrt(share * (1 - share) / whole + squared / (4 * whole * whole))
    return middle - spread, middle + spread


def _marks(counted: Any, few: int) -> Marks:
    if counted is None:
        return Marks(0, 0, 0, 0, 0, 0, enough=False, percent=None, low=None, high=None)
    people = counted.people
    total = counted.everyone
    enough = counted.contributors >= few and total > 0
    low, high = wilson(people["unsafe"], total) if enough else (None, None)
    return Marks(
        safe=people["safe"],
        unsafe=people["unsafe"],
        mixed=people["mixed"],
        total=total,
        contributors=counted.contributors,
        workshops=counted.workshops,
        enough=enough,
        percent=100 * people["unsafe"] / total if enough else None,
        low=None if low is None else 100 * low,
        high=None if high is None else 100 * high,
    )


def _crime(core: Core, view: SetView, code: str) -> tuple[CrimeProfile | None, str]:
    if view.why_no_numbers:
        return None, view.why_no_numbers
    try:
        found = crime_profile(core, view, code)
    except UnavailableError as error:
        return None, str(error)
    return found, "" if found else "No police data is here yet."


def _reasons(core: Core, principal: Principal, view: SetView, code: str) -> dict[str, float] | None:
    """Return the reasons most often named, or None where they may not be seen."""
    if not principal.may(Right.MARK_COUNTS) or not view.join_points:
        return None
    try:
        named = places.reasons_by_area(core, principal, view.name, area_gss=code).get(code, {})
    except UnavailableError:
        return None
    return dict(sorted(named.items(), key=lambda item: -item[1])[:MOST_REASONS])


def _hotspots(core: Core, principal: Principal, geometry: Any) -> Hotspots | None:
    run = runs.current_run(core, "hotspots") if principal.may(Right.RUNS_READ) else None
    if run is None:
        return None
    area = crs.geometry_to_metric(geometry)
    found = []
    for spot in runs.hotspots_of(core, run.id):
        distance_m = float(shapely.distance(area, crs.geometry_to_metric(spot.geometry)))
        if distance_m <= NEAR_M:
            found.append(NearHotspot(spot.rank, spot.count, spot.confidence, spot.p_adjusted, distance_m))
    return Hotspots(found, run)


def _venues(core: Core, geometry: Any) -> list[dict[str, Any]]:
    """Return the public properties of the verified safe places inside an area, by name."""
    found = venues.list_venues(core)
    inside = [one for one in found if shapely.intersects_xy(geometry, *one["geometry"]["coordinates"])]
    return sorted((one["properties"] for one in inside), key=lambda properties: str(properties["name"]))


def _neighbours(core: Core, view: SetView, at: int) -> list[tuple[str, str]]:
    """Return code and name of the areas that share an edge."""
    shapes = area_shapes(core, view.name)
    others = shapely.intersects(shapes.geometries[at], shapes.geometries)
    pairs = zip(shapes.codes.tolist(), shapes.names.tolist(), strict=True)
    return sorted(
        ((code, name) for k, (code, name) in enumerate(pairs) if others[k] and k != at), key=lambda pair: pair[1]
    )


def reason_labels() -> dict[str, str]:
    """Return the words of each reason by code."""
    return {reason.code: reason.label for reason in places.choices().reasons}
