"""What the sample deployment is made from, read from the files beside this module and put on the map's metres."""

from __future__ import annotations

import csv
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from geo import crs

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Spot:
    """A named place: its kind decides what people say of it; position in ``crs.METRIC`` [m]."""

    name: str
    kind: str
    x: float
    y: float


@dataclass(frozen=True)
class Centre:
    """A town centre: how much gathers there and how far it spreads."""

    x: float
    y: float
    weight: float
    spread_m: float


@dataclass(frozen=True)
class Category:
    """An offence type: its share, how strongly it gathers in town centres, and its swing over the year."""

    slug: str
    share: float
    pull: float
    season: float


@dataclass(frozen=True)
class Profile:
    """What people say of one kind of place."""

    unsafe_day: float
    unsafe_dark: float
    mixed: float
    unsafe: tuple[str, ...]
    safe: tuple[str, ...]
    notes_unsafe: tuple[str, ...]
    notes_safe: tuple[str, ...]
    suggestions: tuple[str, ...]


@dataclass(frozen=True)
class Meeting:
    """A sample workshop: its title and where it was held [m]."""

    title: str
    x: float
    y: float


@dataclass(frozen=True)
class Material:
    """Everything the simulation needs besides its seed and the outline."""

    spots: tuple[Spot, ...]
    centres: tuple[Centre, ...]
    categories: tuple[Category, ...]
    profiles: dict[str, Profile]
    meetings: tuple[Meeting, ...]


@cache
def read_material() -> Material:
    """Read the files of the folder ``data``."""
    with (DATA / "simulation.toml").open("rb") as file:
        data = tomllib.load(file)
    spots = _read_spots()
    at = {spot.name: spot for spot in spots}
    return Material(
        spots=spots,
        centres=tuple(
            Centre(at[row["name"]].x, at[row["name"]].y, row["weight"], row["spread_m"]) for row in data["centre"]
        ),
        categories=tuple(Category(**row) for row in data["category"]),
        profiles={kind: _profile(row) for kind, row in data["profile"].items()},
        meetings=tuple(Meeting(row["title"], at[row["near"]].x, at[row["near"]].y) for row in data["workshop"]),
    )


def _read_spots() -> tuple[Spot, ...]:
    with (DATA / "names.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    x, y = crs.to_metric_xy([float(row["longitude"]) for row in rows], [float(row["latitude"]) for row in rows])
    return tuple(
        Spot(row["name"], row["kind"], float(east), float(north)) for row, east, north in zip(rows, x, y, strict=True)
    )


def _profile(row: dict[str, Any]) -> Profile:
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return Profile(**values)
