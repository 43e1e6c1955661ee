"""Read venues from a CSV or GeoJSON file; every refused row is told with its line and reason."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from service.errors import InvalidInputError
from service.venues.hours import parse_hours
from service.venues.schemas import VenueIn

YES = frozenset({"yes", "y", "true", "1"})
NEEDED = ("name", "kind", "longitude", "latitude", "checked_by", "checked_on", "expires_on", "consent")
LARGEST = 20_000_000  # bytes; a borough has hundreds of venues


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the file: its line, and the venue or why it was refused."""

    line: int
    venue: VenueIn | str


def read_rows(path: Path) -> Iterator[Row]:
    """Return the rows of a file, good and refused.

    Raises
    ------
    InvalidInputError
        If it is no readable CSV or GeoJSON, or columns are missing.
    """
    if not path.is_file():
        raise InvalidInputError(f"{path} does not exist. Give a CSV or GeoJSON file.")
    if path.stat().st_size > LARGEST:
        raise InvalidInputError(f"{path} is larger than {LARGEST // 1_000_000} MB; split it.")
    is_json = path.suffix.lower() in {".geojson", ".json"}
    rows = _geojson_rows(path) if is_json else _csv_rows(path)
    return (Row(line, _to_venue(fields)) for line, fields in rows)


def _csv_rows(path: Path) -> list[tuple[int, dict[str, Any]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            names = [name.strip().lower() for name in reader.fieldnames or []]
            missing = [name for name in NEEDED if name not in names]
            if missing:
                raise InvalidInputError(f"{path} lacks the columns {', '.join(missing)}.")
            reader.fieldnames = names
            # the line a row ends on is the one an editor shows
            return [(reader.line_num, row) for row in reader if any(row.values())]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInputError(f"{path} is not a CSV file in UTF-8: save it as such.") from error


def _geojson_rows(path: Path) -> list[tuple[int, dict[str, Any]]]:
    try:
        features = orjson.loads(path.read_bytes())["features"]
        return [(number, _from_feature(feature)) for number, feature in enumerate(features, start=1)]
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInputError(f"{path} is not a GeoJSON FeatureCollection.") from error


def _from_feature(feature: dict[str, Any]) -> dict[str, Any]:
    geometry = feature.get("geometry") or {}
    pair = geometry.get("coordinates") if geometry.get("type") == "Point" else None
    longitude, latitude = (pair or [None, None])[:2]
    return dict(feature.get("properties") or {}) | {"longitude": longitude, "latitude": latitude}


def _to_venue(fields: dict[str, Any]) -> VenueIn | str:
    """Return the venue of a row, or why there is none."""
    known = {name: value for name, value in fields.items() if name in VenueIn.model_fields and value not in (None, "")}
    try:
        if isinstance(known.get("hours"), str):
            known["hours"] = parse_hours(known["hours"])
        known["consent"] = str(known.get("consent", "")).strip().lower() in YES
        if not known["consent"]:
            return "consent: the venue did not agree to be listed; ask it first."
        return VenueIn.model_validate(known)
    except ValidationError as error:
        items = error.errors(include_input=False, include_url=False)
        return "; ".join(f"{'.'.join(map(str, item['loc'])) or 'row'}: {item['msg']}" for item in items)
    except ValueError as error:
        return f"hours: {error}"
