"""Write simulated crimes as the police publish theirs: one street-level CSV of 12 columns for each month."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, Final

from geo import crs
from geo.crimes import CATEGORY_NAMES
from service.demo.material import Category
from service.demo.simulation import Floats, SampleCrimes

FORCE: Final = "Metropolitan Police Service"
FORCE_SLUG: Final = "metropolitan"
HEADER: Final = (
    "Crime ID", "Month", "Reported by", "Falls within", "Longitude", "Latitude", "Location", "LSOA code", "LSOA name",
    "Crime type", "Last outcome category", "Context",
)  # fmt: skip
WITHOUT_ID: Final = "anti-social-behaviour"  # incidents carry no Crime ID in the police's files either


def write_crime_files(
    folder: Path, crimes: SampleCrimes, points: Floats, categories: tuple[Category, ...], *, months: list[str]
) -> list[Path]:
    """Write one file a month.

    Parameters
    ----------
    folder : Path
        An empty folder.
    crimes : SampleCrimes
        Records as indices into the other arguments.
    points : ndarray, shape (n_points, 2)
        Snap points in ``crs.METRIC`` [m].
    categories : tuple of Category
        Offence types.
    months : list of str
        ``YYYY-MM``.

    Returns
    -------
    list of Path
        ``YYYY-MM-metropolitan-street.csv``, in order.
    """
    longitude, latitude = crs.to_wgs84_xy(points[:, 0], points[:, 1])
    places = [
        (f"{x:.6f}", f"{y:.6f}", f"On or near sample point {number}")
        for number, (x, y) in enumerate(zip(longitude, latitude, strict=True), 1)
    ]
    written = []
    for at, month in enumerate(months):
        path = folder / f"{month}-{FORCE_SLUG}-street.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(HEADER)
            for number in (crimes.month == at).nonzero()[0]:
                rows.writerow(_row(number, month, categories[crimes.category[number]], places[crimes.point[number]]))
        written.append(path)
    return written


def _row(number: Any, month: str, category: Category, place: tuple[str, str, str]) -> tuple[str, ...]:
    crime_id = "" if category.slug == WITHOUT_ID else f"{number:064x}"
    return (crime_id, month, FORCE, FORCE, *place, "", "", CATEGORY_NAMES[category.slug], "", "")
