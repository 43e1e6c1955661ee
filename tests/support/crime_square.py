"""A square borough of 20 by 20 cells of 250 m with one crime a cell and month, and a block of nine cells with more."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geo import crs
from service.areas.workflow import Fields, SetWords, import_file
from service.core import Core
from service.crimes.workflow import import_files

WEST, SOUTH, CELL, SIDE = 535_000.0, 170_000.0, 250.0, 20
HOT = [(column, row) for row in (8, 9, 10) for column in (8, 9, 10)]
MORE = 20  # robberies a month in each cell of the block
MONTHS = [f"2016-{n:02}" for n in (11, 12)] + [f"2017-{n:02}" for n in range(1, 13)]
HEADER = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Crime type,"
    "Last outcome category,Context"
)


@cache
def centres() -> tuple[Any, Any]:
    """Longitude and latitude of the centre of each cell, row by row."""
    steps = np.arange(SIDE) * CELL + CELL / 2
    x, y = (part.ravel() for part in np.meshgrid(WEST + steps, SOUTH + steps))
    return crs.to_wgs84_xy(x, y)


def counts(months: int) -> Any:
    """Crimes of each cell in so many months, rows from the south."""
    table = np.full((SIDE, SIDE), months)
    for column, row in HOT:
        table[row, column] += MORE * months
    return table


def write_month(folder: Path, month: str, *, force: str = "metropolitan", more: int = MORE) -> Path:
    """Write the street file of one month."""
    path = folder / month / f"{month}-{force}-street.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    names = {"metropolitan": "Metropolitan Police Service", "btp": "British Transport Police"}
    longitude, latitude = centres()
    cells = [(at, "Anti-social behaviour") for at in range(SIDE * SIDE)]
    cells += [(row * SIDE + column, "Robbery") for column, row in HOT for _ in range(more)]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER.split(","))
        for at, kind in cells:
            place = [f"{longitude[at]:.8f}", f"{latitude[at]:.8f}", "On or near Test Road"]
            writer.writerow(["", month, names[force], names[force], *place, "", "", kind, "", ""])
    return path


def import_borough(core: Core, folder: Path) -> None:
    """Store the square as the only boundary set; a metre smaller, so that no rounding reaches into a next cell."""
    folder.mkdir(parents=True, exist_ok=True)
    side = SIDE * CELL
    square = crs.geometry_to_wgs84(shapely.box(WEST + 1, SOUTH + 1, WEST + side - 1, SOUTH + side - 1))
    feature = '{"type":"Feature","properties":{"code":"E05000001","name":"Square"},"geometry":%s}'
    path = folder / "square.geojson"
    path.write_text('{"type":"FeatureCollection","features":[%s]}' % (feature % shapely.to_geojson(square)))
    words = SetWords(name="square", level="ward", resolution_m=1.0)
    import_file(core, path, words, fields=Fields(), default=True)


def import_months(core: Core, folder: Path, months: list[str], **options: Any) -> None:
    """Import the street files of some months."""
    import_files(core, [write_month(folder, month, **options) for month in months])
