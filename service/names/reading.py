"""Read a file of names: a CSV with a header, or the headerless CSV of the Ordnance Survey's Open Names."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from geo import crs
from service.errors import InvalidInputError

KINDS: Final = ("street", "station", "landmark", "park", "place")
BATCH: Final = 10_000  # rows converted in one call
OPEN_NAMES_COLUMNS: Final = 30  # the product has 34; a CSV of ours never comes near
_NAME1, _NAME2, _TYPE, _LOCAL_TYPE, _X, _Y = 2, 4, 6, 7, 8, 9
_LOCAL_KINDS: Final = {
    "Named Road": "street",
    "Section Of Named Road": "street",
    "Railway Station": "station",
    "Bus Station": "station",
    "Underground Station": "station",
    "Light Rapid Transit Station": "station",
    "Urban Greenspace": "park",
    "Suburban Area": "place",
    "Village": "place",
    "Town": "place",
}
_LANDMARK_TYPES: Final = {"landform", "landcover", "other", "transportNetwork"}
_HEADINGS: Final = {
    "name": ("name", "name1"),
    "kind": ("kind", "type", "local_type"),
    "x": ("lon", "longitude", "lng", "easting", "geometry_x", "x"),
    "y": ("lat", "latitude", "northing", "geometry_y", "y"),
}
SHORT: Final = {
    "rd": "road", "ave": "avenue", "av": "avenue", "ln": "lane", "gdns": "gardens", "gr": "grove", "sq": "square",
    "cres": "crescent", "pl": "place", "ter": "terrace", "ct": "court", "pk": "park", "stn": "station",
}  # fmt: skip
_MAX_NAME: Final = 120


@dataclass(frozen=True, slots=True)
class FoundName:
    """A street or landmark as read: position in EPSG:4326 [degrees]."""

    name: str
    kind: str
    longitude: float
    latitude: float


def fold(text: str) -> str:
    """Return what the search compares: lower case, no accents, no marks, common short forms written out.

    Examples
    --------
    >>> fold("St. Mary's  Rd")
    'st marys road'
    """
    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    plain = re.sub(r"['’`.]", "", plain.casefold())
    words = re.sub(r"[^\w]+", " ", plain).split()
    return " ".join(SHORT.get(word, word) for word in words)


def read_names(path: Path) -> Iterator[FoundName]:
    """Yield the names of a file; a row without a name or a usable position is left out.

    Parameters
    ----------
    path : Path
        A UTF-8 CSV with a header (name, kind, and longitude and latitude or easting and northing), or a file of OS
        Open Names.

    Yields
    ------
    FoundName
        In the order of the file.

    Raises
    ------
    InvalidInputError
        If the file is not there, is not UTF-8 text, or has neither layout.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file)
            first = next(rows, None)
            if first is None:
                raise InvalidInputError(f"{path.name} is empty.")
            if len(first) >= OPEN_NAMES_COLUMNS:
                yield from _open_names([first])
                yield from _batched(rows, _open_names)
            else:
                places = _places_of(first, path.name)
                metric = _is_metric(first[places["x"]])
                yield from _batched(rows, lambda some: _plain(some, places, metric=metric))
    except FileNotFoundError as error:
        raise InvalidInputError(f"There is no file {path}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInputError(f"{path.name} is not a UTF-8 CSV file.") from error


def _batched(rows: Iterator[list[str]], read: Callable[[list[list[str]]], Iterator[FoundName]]) -> Iterator[FoundName]:
    batch: list[list[str]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield from read(batch)
            batch = []
    yield from read(batch)


def _places_of(header: Sequence[str], name: str) -> dict[str, int]:
    """Return the column of each part, or say which are missing."""
    folded = [heading.strip().casefold() for heading in header]
    found = {
        part: next((folded.index(spelling) for spelling in spellings if spelling in folded), -1)
        for part, spellings in _HEADINGS.items()
    }
    missing = [part for part in ("name", "x", "y") if found[part] < 0]
    if missing:
        raise InvalidInputError(
            f"{name} has the columns {', '.join(header)}; wanted name, kind, and longitude and latitude "
            "(or easting and northing)."
        )
    return found


def _is_metric(heading: str) -> bool:
    return heading.strip().casefold() in {"easting", "geometry_x", "x"}


def _plain(rows: list[list[str]], at: dict[str, int], *, metric: bool) -> Iterator[FoundName]:
    kept = [row for row in rows if len(row) > max(at.values()) and row[at["name"]].strip()]
    kinds = [_kind(row[at["kind"]]) if at["kind"] >= 0 else "landmark" for row in kept]
    yield from _placed(
        [row[at["name"]] for row in kept], kinds, [(row[at["x"]], row[at["y"]]) for row in kept], metric=metric
    )


def _open_names(rows: list[list[str]]) -> Iterator[FoundName]:
    kept = [(row, _local_kind(row)) for row in rows if len(row) > _Y and row[_NAME1].strip()]
    kept = [(row, kind) for row, kind in kept if kind]
    at = [(row[_X], row[_Y]) for row, _ in kept]
    yield from _placed([row[_NAME1] for row, _ in kept], [kind for _, kind in kept], at, metric=True)


def _kind(text: str) -> str:
    folded = text.strip().casefold()
    return folded if folded in KINDS else _LOCAL_KINDS.get(text.strip(), "landmark")


def _local_kind(row: list[str]) -> str:
    """Return our kind of an Open Names row; empty for postcodes, road numbers and the like."""
    local = row[_LOCAL_TYPE].strip()
    if local in _LOCAL_KINDS:
        return _LOCAL_KINDS[local]
    named = row[_TYPE].strip() in _LANDMARK_TYPES and "Road" not in local and local != "Postcode"
    return "landmark" if named else ""


def _placed(
    names: list[str], kinds: list[str], positions: list[tuple[str, str]], *, metric: bool
) -> Iterator[FoundName]:
    numbers = [(_number(x), _number(y)) for x, y in positions]
    xs, ys = [x for x, _ in numbers], [y for _, y in numbers]
    if metric and names:
        lons, lats = crs.to_wgs84_xy(xs, ys)
        xs, ys = lons.tolist(), lats.tolist()
    for name, kind, lon, lat in zip(names, kinds, xs, ys, strict=True):
        if -180 <= lon <= 180 and -90 <= lat <= 90:  # noqa: PLR2004 - degrees; NaN is out
            yield FoundName(" ".join(name.split())[:_MAX_NAME], kind, round(lon, 6), round(lat, 6))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
