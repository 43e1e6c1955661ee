"""Read a file of names: a CSV with a header, or the headerless CSV of the Ordnance Survey's Open Names."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

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
_SHORT: Final = {
    "rd": "road", "ave": "avenue", "av": "avenue", "ln": "lane", "gdns": "gardens", "gr": "grove", "sq": "square",
    "cres": "crescent", "pl": "place", "ter": "terrace", "ct": "court", "pk": "park", "stn": "station",
}  # fmt: skip
_MAX_NAME: Final = 120

Line = tuple[int, list[str]]
Refuse = Callable[[int, str], None]


@dataclass(frozen=True, slots=True)
class FoundName:
    """A street or landmark as read: position in EPSG:4326 [degrees]."""

    name: str
    kind: str
    longitude: float
    latitude: float


class _Cells(NamedTuple):
    """The cells of one row that can be a name."""

    line: int
    name: str
    kind: str
    x: str
    y: str


def _ignore(_line: int, _reason: str) -> None:
    """Let a refused row go; for callers that only want the names."""


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
    return " ".join(_SHORT.get(word, word) for word in words)


def read_names(path: Path, *, refuse: Refuse = _ignore) -> Iterator[FoundName]:
    """Yield the names of a file; ``refuse`` is told of each row that holds none.

    Parameters
    ----------
    path : Path
        A UTF-8 CSV with a header (name, kind, and longitude and latitude or easting and northing), or a file of OS
        Open Names; of these, rows of other kinds (postcodes, road numbers) are passed over.
    refuse : callable of (int, str)
        Told the line and the reason of each row without a name, a known kind or a usable position.

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
                yield from _open_names([(1, first)], refuse)
                yield from _batched(rows, lambda some: _open_names(some, refuse))
            else:
                places = _places_of(first, path.name)
                metric = _is_metric(first[places["x"]])
                yield from _batched(rows, lambda some: _plain(some, places, refuse, metric=metric))
    except FileNotFoundError as error:
        raise InvalidInputError(f"There is no file {path}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInputError(f"{path.name} is not a UTF-8 CSV file.") from error


def _batched(rows: Any, read: Callable[[list[Line]], Iterator[FoundName]]) -> Iterator[FoundName]:
    batch: list[Line] = []
    for row in rows:
        batch.append((rows.line_num, row))
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


def _plain(rows: list[Line], at: dict[str, int], refuse: Refuse, *, metric: bool) -> Iterator[FoundName]:
    kept: list[_Cells] = []
    for line, row in rows:
        if not any(cell.strip() for cell in row):
            continue  # a blank line holds nothing to lose
        if len(row) <= max(at.values()):
            refuse(line, "fewer columns than the first line")
            continue
        kind = _kind(row[at["kind"]]) if at["kind"] >= 0 else "landmark"
        if not row[at["name"]].strip():
            refuse(line, "no name")
        elif not kind:
            refuse(line, f"kind is none of {', '.join(KINDS)}")
        else:
            kept.append(_Cells(line, row[at["name"]], kind, row[at["x"]], row[at["y"]]))
    yield from _placed(kept, refuse, metric=metric)


def _open_names(rows: list[Line], refuse: Refuse) -> Iterator[FoundName]:
    kept: list[_Cells] = []
    for line, row in rows:
        if len(row) <= _Y or not row[_NAME1].strip():
            refuse(line, "no name, or fewer columns than Open Names has")
        elif kind := _local_kind(row):
            kept.append(_Cells(line, row[_NAME1], kind, row[_X], row[_Y]))
    yield from _placed(kept, refuse, metric=True)


def _kind(text: str) -> str:
    """Return our kind of a word: a landmark where the cell is blank, nothing where the word is not known."""
    folded = text.strip().casefold()
    return folded if folded in KINDS else _LOCAL_KINDS.get(text.strip(), "" if folded else "landmark")


def _local_kind(row: list[str]) -> str:
    """Return our kind of an Open Names row; empty for postcodes, road numbers and the like."""
    local = row[_LOCAL_TYPE].strip()
    if local in _LOCAL_KINDS:
        return _LOCAL_KINDS[local]
    named = row[_TYPE].strip() in _LANDMARK_TYPES and "Road" not in local and local != "Postcode"
    return "landmark" if named else ""


def _placed(rows: list[_Cells], refuse: Refuse, *, metric: bool) -> Iterator[FoundName]:
    xs, ys = [_number(row.x) for row in rows], [_number(row.y) for row in rows]
    if metric and rows:
        lons, lats = crs.to_wgs84_xy(xs, ys)
        xs, ys = lons.tolist(), lats.tolist()
    for row, lon, lat in zip(rows, xs, ys, strict=True):
        if -180 <= lon <= 180 and -90 <= lat <= 90:  # noqa: PLR2004 - degrees; NaN is out
            yield FoundName(" ".join(row.name.split())[:_MAX_NAME], row.kind, round(lon, 6), round(lat, 6))
        else:
            refuse(row.line, "no usable position")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
