"""A release as files: CSV, and GeoJSON with the areas of its partition and no other geometry (D5)."""

from __future__ import annotations

import csv
import io
import json
from typing import Any, Final

import shapely

from service.areas import workflow as areas
from service.core import Core
from service.errors import UnavailableError
from service.releases.schemas import ReleaseOut

DECIMALS: Final = 6


def as_csv(release: ReleaseOut) -> str:
    """Return the whole table, one line a cell; a hidden number is an empty field with the word 'hidden' beside it.

    Parameters
    ----------
    release : ReleaseOut
        As ``workflow.read_release`` returns it.

    Returns
    -------
    str
        CSV with a header line.
    """
    names = {area.code: area.name for area in release.partition.areas} | {"borough": release.borough}
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\r\n")
    lines.writerow(["release", "made_on", "area", "area_name", "feeling", "item", "people_about", "counted_in", "note"])
    for cell in release.cells:
        note = "" if cell.people is not None else f"hidden: {release.hidden_because}"
        people = "" if cell.people is None else cell.people
        since = "" if cell.since is None else cell.since
        words = names.get(cell.area, "")
        row = [release.number, release.made_on, cell.area, words, cell.feeling, cell.item, people, since, note]
        lines.writerow(row)
    return out.getvalue()


def as_geojson(core: Core, release: ReleaseOut) -> bytes:
    """Return the published areas with their numbers.

    Parameters
    ----------
    core : Core
        The deployment, for the lines of the wards.
    release : ReleaseOut
        As ``workflow.read_release`` returns it.

    Returns
    -------
    bytes
        A FeatureCollection in EPSG:4326, unions first.

    Raises
    ------
    UnavailableError
        If the ward lines of that release are no longer here.
    """
    features = [
        {
            "type": "Feature",
            "id": area["code"],
            "geometry": json.loads(shapely.to_geojson(shapely.set_precision(area["shape"], 10.0**-DECIMALS))),
            "properties": area["properties"],
        }
        for area in area_shapes_of(core, release)
    ]
    body = {
        "type": "FeatureCollection",
        "release": release.number,
        "made_on": release.made_on.isoformat(),
        "hidden_because": release.hidden_because,
        "source": release.partition.source,
        "licence": release.partition.licence,
        "approximate": release.partition.approximate,
        "features": features,
    }
    return json.dumps(body, ensure_ascii=False).encode()


def area_shapes_of(core: Core, release: ReleaseOut) -> list[dict[str, Any]]:
    """Return code, shape (EPSG:4326) and public properties of every area of a release.

    Raises
    ------
    UnavailableError
        If the ward lines of that release are no longer here.
    """
    shapes = areas.area_shapes(core, release.partition.set)
    by_code = dict(zip(shapes.codes.tolist(), shapes.geometries, strict=True))
    people = {(cell.area, cell.feeling): cell.people for cell in release.cells if not cell.item}
    found = []
    for area in release.partition.areas:
        if not set(area.wards) <= set(by_code):
            message = "The ward lines of this release are no longer held here. The CSV file has the same numbers."
            raise UnavailableError(message)
        numbers = {f"people_{name}": people[area.code, name] for name in ("all", "safe", "unsafe", "mixed")}
        hidden = [name for name, value in numbers.items() if value is None]
        properties = area.model_dump() | numbers | {"hidden": hidden}
        shape = shapely.union_all([by_code[ward] for ward in area.wards])
        found.append({"code": area.code, "shape": shape, "properties": properties})
    return found
