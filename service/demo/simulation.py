"""A seeded simulation of recorded crime and of marks: arrays and records in, nothing read, nothing stored."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely

from service.demo.material import Category, Centre, Material, Meeting, Profile, Spot

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

IN_CENTRES: Final = 0.55  # of the snap points; the rest lie anywhere in the borough
GATHERED: Final = 3.0  # how unequal snap points are: a few hold many records, as on the police's map
MONTHS_A_YEAR: Final = 12
DAY_TIMES: Final = ("weekday_day", "after_school", "weekend_day")
DARK_TIMES: Final = ("evening", "night")
SHARE_DARK: Final = 0.42
JITTER_M: Final = {"place": 130.0, "park": 110.0, "street": 160.0, "station": 60.0, "landmark": 40.0}
NEAR_MEETING_M: Final = 900.0
STATUSES: Final = (("approved", 0.86), ("pending", 0.11), ("rejected", 0.02), ("held", 0.01))
KINDS: Final = (("point", 0.89), ("route", 0.06), ("area", 0.04), ("border", 0.01))
SHARE_NOTE: Final = 0.4
SHARE_SUGGESTION: Final = 0.2
SHARE_NEVER: Final = 0.04
SHARE_GROUP: Final = 0.06
DAYS_BACK: Final = 300


@dataclass(frozen=True)
class SampleMark:
    """One made-up mark, in metres of ``crs.METRIC``."""

    id: uuid.UUID
    meeting: int
    contributor: int
    people: int
    day: date
    kind: str
    feeling: str
    times: tuple[str, ...]
    reasons: tuple[str, ...]
    note: str | None
    suggestion: str | None
    publish: str
    status: str
    geometry: Any


@dataclass(frozen=True)
class SampleCrimes:
    """Made-up records: row i is of ``category[i]`` in ``month[i]`` at ``point[i]``, all of them indices."""

    month: Ints
    category: Ints
    point: Ints


def snap_points(outline: Any, centres: tuple[Centre, ...], *, count: int, seed: int) -> Floats:
    """Draw the points that crimes may be moved to, as the police move them.

    Parameters
    ----------
    outline : Geometry
        The borough [m]; every point lies inside.
    centres : tuple of Centre
        Town centres, around which somewhat more than half of the points lie.
    count : int
        Number of points; the police have about 1,700 in the borough.
    seed : int
        Same seed, same points.

    Returns
    -------
    ndarray, shape (count, 2)
        Easting and northing [m], rounded to whole metres.
    """
    rng = np.random.default_rng([seed, 1])
    west, south, east, north = outline.bounds
    weights = np.array([centre.weight for centre in centres])
    spreads = np.array([centre.spread_m for centre in centres])
    middles = np.array([(centre.x, centre.y) for centre in centres])
    found = np.empty((0, 2))
    shapely.prepare(outline)
    while len(found) < count:
        near = rng.choice(len(centres), size=count, p=weights / weights.sum())
        clustered = middles[near] + rng.normal(size=(count, 2)) * 1.6 * spreads[near, None]
        spread = rng.uniform((west, south), (east, north), size=(count, 2))
        drawn = np.round(np.where(rng.random((count, 1)) < IN_CENTRES, clustered, spread))
        found = np.concatenate([found, drawn[shapely.contains_xy(outline, drawn)]])
    return found[:count]


def closeness(points: Floats, centres: tuple[Centre, ...]) -> Floats:
    """Return how much each point lies in a town centre: about 1 in the middle of the largest, 0 far from all."""
    total = np.zeros(len(points))
    for centre in centres:
        squared = (points[:, 0] - centre.x) ** 2 + (points[:, 1] - centre.y) ** 2
        total += centre.weight * np.exp(-squared / (2 * centre.spread_m**2))
    return total


def simulate_crimes(
    points: Floats, centres: tuple[Centre, ...], categories: tuple[Category, ...], *, months: list[str], mean: float,
    seed: int,
) -> SampleCrimes:  # fmt: skip
    """Draw the records of some months.

    Parameters
    ----------
    points : ndarray, shape (n_points, 2)
        Snap points [m].
    centres : tuple of Centre
        Town centres.
    categories : tuple of Category
        Offence types with their shares.
    months : list of str
        ``YYYY-MM``, in order.
    mean : float
        Mean number of records a month.
    seed : int
        Same seed, same records.

    Returns
    -------
    SampleCrimes
        About ``mean * len(months)`` records, ordered by month and category.
    """
    rng = np.random.default_rng([seed, 2])
    unequal = rng.gamma(1 / GATHERED, GATHERED, size=len(points)) + 0.02
    near = closeness(points, centres)
    parts: list[tuple[Ints, Ints, Ints]] = []
    for at, month in enumerate(months):
        # Warm months in July, cold ones in January.
        warmth = -np.cos(2 * np.pi * (int(month[5:7]) - 1) / MONTHS_A_YEAR)
        for which, category in enumerate(categories):
            number = rng.poisson(mean * category.share * (1 + category.season * warmth))
            weights = unequal * (1 + category.pull * near)
            chosen = rng.choice(len(points), size=number, p=weights / weights.sum())
            parts.append((np.full(number, at), np.full(number, which), np.sort(chosen)))
    month_of, category_of, point_of = (np.concatenate(column) for column in zip(*parts, strict=True))
    return SampleCrimes(month_of, category_of, point_of)


def simulate_marks(
    material: Material, outline: Any, *, contributors: int, marks: int, last_day: date, seed: int
) -> list[SampleMark]:
    """Draw the marks of the sample workshops.

    Parameters
    ----------
    material : Material
        Spots, what people say of them, and the workshops.
    outline : Geometry
        The borough [m]; every mark lies inside.
    contributors : int
        Number of people over all workshops.
    marks : int
        Number of marks.
    last_day : date
        Day of the last workshop; the first was about ten months before.
    seed : int
        Same seed, same marks, ids too.

    Returns
    -------
    list of SampleMark
        Ordered by workshop and person.
    """
    rng = np.random.default_rng([seed, 3])
    shapely.prepare(outline)
    meeting_of = np.sort(rng.integers(len(material.meetings), size=contributors))
    # Everybody marks once; who marks more is drawn, some people mark a lot.
    keen = rng.gamma(2.0, 1.0, size=contributors)
    person_of = np.sort(
        np.concatenate([np.arange(contributors), rng.choice(contributors, size=marks, p=keen / keen.sum())])[:marks]
    )
    days = _meeting_days(len(material.meetings), last_day)
    made = []
    for person in person_of:
        meeting = int(meeting_of[person])
        spot = _choose_spot(rng, material, material.meetings[meeting])
        geometry, kind = _draw(rng, spot, outline)
        made.append(_mark(rng, material.profiles[spot.kind], geometry, kind, (meeting, int(person), days[meeting])))
    return made


def _meeting_days(count: int, last_day: date) -> list[date]:
    """Spread the workshops evenly over about ten months, the last on ``last_day``."""
    step = DAYS_BACK / max(count - 1, 1)
    return [last_day - timedelta(days=round(DAYS_BACK - step * at)) for at in range(count)]


def _choose_spot(rng: np.random.Generator, material: Material, meeting: Meeting) -> Spot:
    distance = np.array([np.hypot(spot.x - meeting.x, spot.y - meeting.y) for spot in material.spots])
    weights = np.exp(-distance / NEAR_MEETING_M) + 0.01
    return material.spots[int(rng.choice(len(material.spots), p=weights / weights.sum()))]


def _draw(rng: np.random.Generator, spot: Spot, outline: Any) -> tuple[Any, str]:
    """Return a geometry near the spot, inside the outline, and its kind."""
    kind = _pick(rng, KINDS)
    for _ in range(50):
        at = np.round((spot.x, spot.y) + rng.normal(size=2) * JITTER_M[spot.kind], 1)
        shape = _shape(rng, at, kind)
        if outline.contains(shape):
            return shape, kind
    return shapely.Point(spot.x, spot.y), "point"


def _shape(rng: np.random.Generator, at: Floats, kind: str) -> Any:
    if kind == "point":
        return shapely.Point(at)
    turns = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.4, size=5))
    if kind == "area":
        corners = np.linspace(0, 2 * np.pi, 7)[:-1]
        radii = rng.uniform(60, 140, size=6)
        return shapely.Polygon(np.round(at + np.column_stack([np.cos(corners), np.sin(corners)]) * radii[:, None], 1))
    steps = np.column_stack([np.cos(turns), np.sin(turns)]) * rng.uniform(60, 160, size=(5, 1))
    return shapely.LineString(np.round(np.concatenate([[at], at + np.cumsum(steps, axis=0)]), 1))


def _mark(
    rng: np.random.Generator, profile: Profile, geometry: Any, kind: str, who: tuple[int, int, date]
) -> SampleMark:
    meeting, contributor, day = who
    dark = rng.random() < SHARE_DARK
    feeling = "unsafe" if kind == "border" else _feeling(rng, profile, dark=dark)
    reasons = _reasons(rng, profile, feeling, kind, dark=dark)
    notes = {"unsafe": profile.notes_unsafe, "safe": profile.notes_safe}.get(
        feeling, profile.notes_unsafe + profile.notes_safe
    )
    return SampleMark(
        id=uuid.UUID(bytes=rng.bytes(16), version=4),
        meeting=meeting,
        contributor=contributor,
        people=int(rng.integers(2, 6)) if rng.random() < SHARE_GROUP else 1,
        day=day,
        kind=kind,
        feeling=feeling,
        times=_times(rng, dark=dark),
        reasons=reasons,
        note=_some(rng, notes, SHARE_NOTE),
        suggestion=_some(rng, profile.suggestions, SHARE_SUGGESTION if feeling != "safe" else 0.0),
        publish="never" if rng.random() < SHARE_NEVER else "count",
        status=_pick(rng, STATUSES),
        geometry=geometry,
    )


def _feeling(rng: np.random.Generator, profile: Profile, *, dark: bool) -> str:
    if rng.random() < profile.mixed:
        return "mixed"
    return "unsafe" if rng.random() < (profile.unsafe_dark if dark else profile.unsafe_day) else "safe"


def _reasons(rng: np.random.Generator, profile: Profile, feeling: str, kind: str, *, dark: bool) -> tuple[str, ...]:
    choices = {"unsafe": profile.unsafe, "safe": profile.safe}.get(feeling, profile.unsafe + profile.safe)
    if not dark:
        choices = tuple(code for code in choices if code not in {"poor_lighting", "good_lighting"})
    number = min(int(rng.integers(1, 4)), len(choices))
    # The first reasons of a list are the commonest.
    weights = 1 / np.arange(1, len(choices) + 1)
    chosen = rng.choice(len(choices), size=number, replace=False, p=weights / weights.sum())
    found = [choices[index] for index in sorted(chosen)]
    return tuple(["postcode_border", *found[:1]] if kind == "border" and "postcode_border" not in found else found)


def _times(rng: np.random.Generator, *, dark: bool) -> tuple[str, ...]:
    choices = DARK_TIMES if dark else DAY_TIMES
    number = int(rng.integers(1, len(choices) + 1))
    return tuple(choices[index] for index in sorted(rng.choice(len(choices), size=number, replace=False)))


def _some(rng: np.random.Generator, sentences: tuple[str, ...], share: float) -> str | None:
    chosen = sentences[int(rng.integers(len(sentences)))]
    return chosen if rng.random() < share else None


def _pick(rng: np.random.Generator, shares: tuple[tuple[str, float], ...]) -> str:
    return shares[int(rng.choice(len(shares), p=[share for _, share in shares]))][0]
