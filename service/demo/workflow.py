"""Fill the sample deployment: every part goes in through the same way as real data; what is there stays."""

from __future__ import annotations

import csv
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely

from geo import crs
from geo.crimes import month_range, shift_month
from geo.errors import DisclosureError
from service.actions import workflow as findings
from service.actions.schemas import FindingIn
from service.areas import workflow as areas
from service.core import Core
from service.crimes import workflow as crimes
from service.demo.crime_files import write_crime_files
from service.demo.material import DATA, Material, read_material
from service.demo.simulation import SampleMark, simulate_crimes, simulate_marks, snap_points
from service.errors import ServiceError
from service.jobs import workflow as jobs
from service.moderation import workflow as moderation
from service.names import workflow as names
from service.people.access import DEMO
from service.places import workflow as places
from service.releases import workflow as releases
from service.venues import workflow as venues
from service.workshops.workflow import SampleWorkshop, add_sample_duty, add_samples

SEED: Final = 2026
SNAP_POINTS: Final = 1700
CRIMES_A_MONTH: Final = 2000.0
LAG_MONTHS: Final = 2  # the police publish a month about two months later
MARKS_A_PERSON: Final = 400 / 150
LAST_WORKSHOP: Final = timedelta(days=3)
VENUE_CHECKED: Final = timedelta(days=30)
VENUE_EXPIRES: Final = timedelta(days=335)
OPENS: Final = time(16, 0, tzinfo=UTC)
CLOSES: Final = time(18, 0, tzinfo=UTC)
NAMES_SOURCE: Final = "Names of the sample deployment, positions approximate"
COORDINATE_DECIMALS: Final = 7
FINDINGS: Final = (
    ("poor_lighting", "Young people in several workshops asked for better light on the ways to their stations."),
    (
        "staff",
        "Places with staff whom they know, such as libraries and youth clubs, were named as safe again and again.",
    ),
)
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Size:
    """How much sample data to make."""

    marks: int = 400
    months: int = 24


def fill(core: Core, size: Size, *, today: date, tell: Tell) -> int:
    """Fill what is empty in a sample deployment and run the jobs that wait.

    Parameters
    ----------
    core : Core
        An open demo.
    size : Size
        How much to make.
    today : date
        The police's months end two months before; the last workshop was three days before.
    tell : callable of str
        Told what is being done.

    Returns
    -------
    int
        How many jobs failed.
    """
    if not areas.list_sets(core):
        tell("Wards, neighbourhoods and the outline of the borough")
        areas.load_bundled(core)
    add_sample_duty(core)
    if not names.landmarks(core):
        tell("Names of stations, parks and streets")
        names.import_names(core, DATA / "names.csv", source=NAMES_SOURCE, is_sample=True)
    if not venues.list_venues(core, today=today):
        _fill_venues(core, today, tell)
    material = read_material()
    outline = crs.geometry_to_metric(areas.outline_shape(core))
    if crimes.months_held(core).last is None:
        _fill_crimes(core, material, outline, month_range(*_months(size, today)), tell)
    if not places.list_places(core, DEMO, places.PlaceFilter(), limit=1)[0]:
        _fill_marks(core, material, outline, size, today - LAST_WORKSHOP, tell)
    failed = 0
    if jobs.count_jobs(core).get("queued"):
        tell("Joins, hot spots and density")
        failed = jobs.run_all_with_bar(core)
    if not failed and releases.current_or_none(core) is None:
        _fill_release(core, tell)
    return failed


def _fill_release(core: Core, tell: Tell) -> None:
    """Publish what the made-up marks say, as staff would: two sentences, then a release."""
    tell("Two findings and a first release")
    for theme, words in FINDINGS:
        made = findings.write_finding(core, DEMO, FindingIn(text=words, theme=theme))
        findings.set_status(core, DEMO, made.id, "ready")
    try:
        releases.make_release(core, DEMO)
    except DisclosureError as error:  # a demo of very few marks: nothing can be said safely, and nothing is
        tell(f"No release: {error}")


def _fill_venues(core: Core, today: date, tell: Tell) -> None:
    tell("Verified safe places")
    with (DATA / "venues.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    checked = {
        "checked_by": "Sample youth team",
        "checked_on": (today - VENUE_CHECKED).isoformat(),
        "expires_on": (today + VENUE_EXPIRES).isoformat(),
        "consent": "yes",
        "source": "Made up for the sample deployment",
    }
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "venues.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            out = csv.DictWriter(file, [*rows[0], *checked])
            out.writeheader()
            out.writerows(row | checked for row in rows)
        result = venues.import_venues(core, path)
    if result.rejected:
        line, reason = result.rejected[0]
        message = f"{len(result.rejected)} sample venues were refused; the first, line {line}: {reason}"
        raise ServiceError(message)


def _months(size: Size, today: date) -> tuple[str, str]:
    last = shift_month(f"{today:%Y-%m}", -LAG_MONTHS)
    return shift_month(last, 1 - size.months), last


def _fill_crimes(core: Core, material: Material, outline: Any, months: list[str], tell: Tell) -> None:
    tell(f"Recorded crime of {len(months)} months")
    points = snap_points(outline, material.centres, count=SNAP_POINTS, seed=SEED)
    made = simulate_crimes(points, material.centres, material.categories, months=months, mean=CRIMES_A_MONTH, seed=SEED)
    with tempfile.TemporaryDirectory() as scratch:
        files = write_crime_files(Path(scratch), made, points, material.categories, months=months)
        crimes.import_files(core, files)


def _fill_marks(core: Core, material: Material, outline: Any, size: Size, last_day: date, tell: Tell) -> None:
    contributors = max(1, round(size.marks / MARKS_A_PERSON))
    tell(f"{size.marks} marks of {contributors} young people in {len(material.meetings)} workshops")
    marks = simulate_marks(material, outline, contributors=contributors, marks=size.marks, last_day=last_day, seed=SEED)
    workshops = _workshops(material, {mark.meeting: mark.day for mark in marks})
    add_samples(core, list(workshops.values()))
    features = (_feature(mark, workshops[mark.meeting].id) for mark in marks)
    with _bar(len(marks)) as advance:
        result = places.import_places(core, features, source="demo", tell=advance)
    if result.rejected:
        number, problems = result.rejected[0]
        message = f"{len(result.rejected)} sample marks were refused; the first, {number}: {problems[0].message}"
        raise ServiceError(message)
    moderation.adopt_held(core, by="sample worker")


@contextmanager
def _bar(total: int) -> Iterator[Callable[[int], None]]:
    """Show on a terminal how many marks are in, how many a second, and how long it will take."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("  marks"), BarColumn(), MofNCompleteColumn(), TextColumn("left:"), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("marks", total=total)
        yield lambda done: bar.update(task, completed=done)


def _workshops(material: Material, days: dict[int, date]) -> dict[int, SampleWorkshop]:
    """Return the workshops that marks come from, with ids that follow from the seed."""
    found = {}
    for at, day in sorted(days.items()):
        identifier = uuid.UUID(bytes=np.random.default_rng([SEED, 4, at]).bytes(16), version=4)
        window = (datetime.combine(day, OPENS), datetime.combine(day, CLOSES))
        found[at] = SampleWorkshop(identifier, material.meetings[at].title, *window)
    return found


def _feature(mark: SampleMark, workshop: uuid.UUID) -> dict[str, Any]:
    """Return the mark as the API takes it."""
    shape = shapely.set_precision(crs.geometry_to_wgs84(mark.geometry), 10.0**-COORDINATE_DECIMALS)
    fields = ("people", "kind", "feeling", "note", "suggestion", "publish", "status")
    return {
        "type": "Feature",
        "id": str(mark.id),
        "geometry": shapely.geometry.mapping(shape),
        "properties": {name: getattr(mark, name) for name in fields}
        | {
            "day": mark.day.isoformat(),
            "times": list(mark.times),
            "reasons": list(mark.reasons),
            "contributor_key": f"sample-contributor-{mark.contributor:05}",
            "workshop": str(workshop),
        },
    }
