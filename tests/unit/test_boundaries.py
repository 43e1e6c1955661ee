"""Reading, guessing and checking of boundary sets, on squares of one kilometre known by hand."""

import warnings
from typing import Any

import geopandas as gpd
import numpy as np
import orjson
import pytest
import shapely

from geo import crs
from geo.boundaries import check_boundaries, read_boundaries, read_bundled, to_areas
from geo.errors import BoundaryError, CRSError

WEST, SOUTH = 537_000.0, 174_000.0  # a corner in Lewisham


def square(column: Any, row: Any, east: Any = 1000.0, north: Any = 1000.0) -> Any:
    """A box of the National Grid, ``column`` and ``row`` kilometres from the corner."""
    x, y = WEST + 1000 * column, SOUTH + 1000 * row
    return shapely.box(x, y, x + east, y + north)


def areas_of(*shapes: Any) -> Any:
    codes = [f"E0500000{k}" for k in range(1, len(shapes) + 1)]
    return to_areas(codes, [f"Ward {k}" for k in range(1, len(shapes) + 1)], crs.geometry_to_wgs84(np.array(shapes)))


def written(path: Any, *, columns: Any, shapes: Any = None, code: Any = "EPSG:27700", **options: Any) -> Any:
    shapes = [square(0, 0), square(1, 0)] if shapes is None else shapes
    frame = gpd.GeoDataFrame(columns, geometry=shapes, crs=code)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # GDAL says that a format without a CRS cannot keep one
        frame.to_file(path, **options)
    return path


WARDS = {
    "OBJECTID": [1, 2],
    "LAD22CD": ["E09000023", "E09000023"],
    "WD22CD": ["E05013714", "E05013715"],
    "WD22NM": ["Bellingham", "Blackheath"],
    "WD22NMW": ["", " "],
}


@pytest.mark.parametrize("suffix", [".geojson", ".gpkg", ".shp", ".fgb"])
def test_code_and_name_are_guessed_in_every_format(tmp_path: Any, suffix: Any) -> None:
    path = written(tmp_path / f"wards{suffix}", columns=WARDS)
    file = read_boundaries(path)
    assert (file.code_field, file.name_field) == ("WD22CD", "WD22NM")
    assert file.areas["area_name"].to_dict() == {"E05013714": "Bellingham", "E05013715": "Blackheath"}
    assert file.areas.index.name == "area_gss"
    assert file.areas.crs == crs.WGS84


def test_metric_file_comes_back_within_millimetres_of_the_grid(tmp_path: Any) -> None:
    file = read_boundaries(written(tmp_path / "wards.gpkg", columns=WARDS))
    corner = shapely.total_bounds(crs.to_metric(file.areas).geometry.to_numpy())
    assert corner == pytest.approx([WEST, SOUTH, WEST + 2000, SOUTH + 1000], abs=0.003)  # m; 1e-8 degrees is 1.1 mm


def test_fields_can_be_named_and_a_grid_needs_no_gss(tmp_path: Any) -> None:
    path = written(tmp_path / "grid.geojson", columns={"cell": ["a-1", "a-2"], "label": ["One", "Two"]})
    with pytest.raises(BoundaryError, match="Name the code field; the columns are cell, label"):
        read_boundaries(path)
    file = read_boundaries(path, code_field="cell", name_field="label")
    assert list(file.areas.index) == ["a-1", "a-2"]
    assert list(file.areas["area_name"]) == ["One", "Two"]


def test_name_falls_back_on_the_code(tmp_path: Any) -> None:
    file = read_boundaries(written(tmp_path / "wards.geojson", columns={"gss": ["E05000001", "E05000002"]}))
    assert file.name_field == "gss"
    assert list(file.areas["area_name"]) == ["E05000001", "E05000002"]


def test_column_written_code_finds_its_name_column(tmp_path: Any) -> None:
    columns = {"ward_code": ["E05000001", "E05000002"], "borough_name": ["L", "L"], "ward_name": ["A", "B"]}
    assert read_boundaries(written(tmp_path / "w.geojson", columns=columns)).name_field == "ward_name"


def test_unknown_field_names_the_columns_that_are_there(tmp_path: Any) -> None:
    path = written(tmp_path / "wards.geojson", columns=WARDS)
    with pytest.raises(BoundaryError, match=r"no column nothing; the columns are OBJECTID, LAD22CD"):
        read_boundaries(path, code_field="nothing")


def test_repeated_code_is_refused_and_named(tmp_path: Any) -> None:
    path = written(tmp_path / "w.geojson", columns={"code": ["E05000001", "E05000001"]})
    with pytest.raises(BoundaryError, match=r"1 codes occur more than once \(E05000001\)"):
        read_boundaries(path, code_field="code")


@pytest.mark.parametrize("blank", ["", "  ", None])
def test_blank_code_is_refused(tmp_path: Any, blank: Any) -> None:
    path = written(tmp_path / "w.geojson", columns={"code": ["E05000001", blank]})
    with pytest.raises(BoundaryError, match="1 rows have no code"):
        read_boundaries(path, code_field="code")


def test_file_without_crs_is_refused(tmp_path: Any) -> None:
    path = written(tmp_path / "w.shp", columns={"code": ["E05000001", "E05000002"]})
    path.with_suffix(".prj").unlink()
    with pytest.raises(BoundaryError, match="does not say its coordinate reference system"):
        read_boundaries(path)


def test_metres_labelled_as_degrees_are_refused(tmp_path: Any) -> None:
    path = written(tmp_path / "w.gpkg", columns={"code": ["E05000001", "E05000002"]}, code="EPSG:4326")
    with pytest.raises(CRSError, match="10 of 10 coordinates"):
        check_boundaries(read_boundaries(path).areas)


def test_points_are_refused(tmp_path: Any) -> None:
    shapes = [shapely.Point(WEST, SOUTH), square(0, 0)]
    path = written(tmp_path / "w.gpkg", columns={"code": ["E05000001", "E05000002"]}, shapes=shapes)
    with pytest.raises(BoundaryError, match=r"1 rows are not polygons \(E05000001\)"):
        read_boundaries(path)


def test_row_without_geometry_is_refused(tmp_path: Any) -> None:
    path = written(tmp_path / "w.gpkg", columns={"code": ["E05000001", "E05000002"]}, shapes=[None, square(0, 0)])
    with pytest.raises(BoundaryError, match=r"1 rows are not polygons \(E05000001\)"):
        read_boundaries(path)


def test_several_layers_need_a_choice(tmp_path: Any) -> None:
    path = tmp_path / "two.gpkg"
    written(path, columns=WARDS, layer="wards")
    written(path, columns=WARDS, layer="other")
    with pytest.raises(BoundaryError, match=r"2 layers with shapes \((wards, other|other, wards)\)"):
        read_boundaries(path)
    assert read_boundaries(path, layer="wards").layer == "wards"
    with pytest.raises(BoundaryError, match="cannot be read"):
        read_boundaries(path, layer="nothing")


@pytest.mark.parametrize("content", [b"", b"not a map", b'{"type":"FeatureCollection","features":[]}'])
def test_file_that_is_no_map_is_refused(tmp_path: Any, content: Any) -> None:
    path = tmp_path / "w.geojson"
    path.write_bytes(content)
    with pytest.raises(BoundaryError):
        read_boundaries(path)


def test_missing_file_is_refused() -> None:
    with pytest.raises(BoundaryError, match=r"nowhere\.gpkg does not exist"):
        read_boundaries("nowhere.gpkg")


def test_tiled_squares_are_clean() -> None:
    report = check_boundaries(areas_of(square(0, 0), square(1, 0), square(0, 1), square(1, 1)))
    assert report.clean
    assert report.total_km2 == pytest.approx(4.0, abs=1e-4)  # 4 boxes of 1 km2; 2 mm x 8 km of edges is 16 m2 at most
    assert report.multipart == ()


def test_overlap_is_listed_with_both_codes_and_its_size() -> None:
    # the second box starts 3 m west of the shared edge: 3 m x 1000 m
    report = check_boundaries(areas_of(square(0, 0), square(0.997, 0, east=1003.0)))
    assert [flaw.area_gss for flaw in report.overlaps] == [("E05000001", "E05000002")]
    assert report.overlaps[0].area_m2 == pytest.approx(3000, abs=3)  # m2; 1 km of edge, millimetres
    assert report.gaps == ()


def test_area_inside_another_is_an_overlap() -> None:
    report = check_boundaries(areas_of(square(0, 0), square(0.4, 0.4, east=100.0, north=50.0)))
    assert report.overlaps[0].area_m2 == pytest.approx(5000, abs=1)


def test_gap_is_listed_with_its_neighbours_and_its_size() -> None:
    # four boxes around a hole of 20 m x 10 m, like a pinwheel
    hole = shapely.box(WEST + 990, SOUTH + 990, WEST + 1010, SOUTH + 1000)
    shapes = [shapely.difference(square(*corner), hole) for corner in ((0, 0), (1, 0), (0, 1), (1, 1))]
    report = check_boundaries(areas_of(*shapes))
    assert [flaw.area_gss for flaw in report.gaps] == [("E05000001", "E05000002", "E05000003", "E05000004")]
    assert report.gaps[0].area_m2 == pytest.approx(200, abs=0.5)  # m2; 60 m of edge, millimetres


def test_island_in_a_gap_is_not_counted_as_gap() -> None:
    ring = shapely.difference(square(0, 0), shapely.box(WEST + 100, SOUTH + 100, WEST + 200, SOUTH + 200))
    island = shapely.box(WEST + 140, SOUTH + 140, WEST + 160, SOUTH + 160)
    report = check_boundaries(areas_of(ring, island))
    assert report.gaps[0].area_m2 == pytest.approx(100 * 100 - 20 * 20, abs=1)


def test_flaw_of_a_square_metre_is_rounding() -> None:
    report = check_boundaries(areas_of(square(0, 0, north=100.0), square(0.999992, 0, north=100.0)))  # 8 mm x 100 m
    assert report.overlaps == ()


def test_crossed_ring_is_repaired_into_polygons_only() -> None:
    # a bow tie of two triangles of 0.25 km2, with a spike that a repair turns into a line
    x, y = WEST, SOUTH
    tie = shapely.Polygon([(x, y), (x + 1000, y + 1000), (x + 1000, y), (x, y + 1000), (x, y), (x - 500, y), (x, y)])
    report = check_boundaries(areas_of(tie, square(3, 0)))
    assert report.repaired == ("E05000001",)
    assert report.multipart == ("E05000001",)
    assert set(report.areas.geometry.geom_type) == {"MultiPolygon", "Polygon"}
    assert report.areas.geometry.is_valid.all()
    assert report.total_km2 == pytest.approx(0.5 + 1.0, abs=1e-4)


def test_area_that_repair_leaves_without_surface_is_refused() -> None:
    line = shapely.Polygon([(WEST, SOUTH), (WEST + 10, SOUTH), (WEST, SOUTH), (WEST, SOUTH)])
    with pytest.raises(BoundaryError, match=r"not polygons \(E05000002\)"):
        check_boundaries(areas_of(square(0, 0), line))


def test_check_leaves_its_input_alone() -> None:
    x, y = WEST, SOUTH
    tie = shapely.Polygon([(x, y), (x + 1000, y + 1000), (x + 1000, y), (x, y + 1000), (x, y)])
    areas = areas_of(tie)
    before = areas.geometry.to_wkb().tolist()
    check_boundaries(areas)
    assert areas.geometry.to_wkb().tolist() == before


def test_check_refuses_metres_and_repeated_codes() -> None:
    areas = areas_of(square(0, 0), square(1, 0))
    with pytest.raises(CRSError, match="EPSG:27700; wanted EPSG:4326"):
        check_boundaries(crs.to_metric(areas))
    with pytest.raises(BoundaryError, match="more than once"):
        check_boundaries(areas.rename(index={"E05000002": "E05000001"}))


def test_code_longer_than_the_store_takes_is_refused() -> None:
    areas = areas_of(square(0, 0)).rename(index={"E05000001": "x" * 21})
    with pytest.raises(BoundaryError, match="longer than 20 characters"):
        check_boundaries(areas)


BUNDLED = {
    "name": "squares",
    "level": "ward",
    "title": "Squares",
    "source": "made here",
    "licence": "none",
    "attribution": "nobody",
    "valid_from": "2022-05-05",
    "valid_to": None,
    "resolution_m": 200,
    "area_gss": "E09000023",
}


def bundle(folder: Any, **changes: Any) -> Any:
    features = [
        {"type": "Feature", "properties": {"area_gss": code, "area_name": name}, "geometry": geometry}
        for code, name, geometry in (
            ("E05000002", "Two", {"type": "Polygon", "coordinates": [[[1, 51], [2, 51], [2, 52], [1, 51]]]}),
            ("E05000001", "One", {"type": "Polygon", "coordinates": [[[0, 51], [1, 51], [1, 52], [0, 51]]]}),
        )
    ]
    (folder / "areas.geojson").write_bytes(orjson.dumps({"type": "FeatureCollection", "features": features}))
    (folder / "set.json").write_bytes(orjson.dumps({**BUNDLED, **changes}))
    return folder


def test_bundled_folder_is_read_in_order_of_code(tmp_path: Any) -> None:
    bundled = read_bundled(bundle(tmp_path))
    assert bundled.codes.tolist() == ["E05000001", "E05000002"]
    assert bundled.names.tolist() == ["One", "Two"]
    assert bundled.info.name == "squares"
    assert bundled.to_frame().loc["E05000002"].geometry.bounds == (1, 51, 2, 52)


@pytest.mark.parametrize(("resolution_m", "approximate"), [(0.0, False), (20.0, False), (20.1, True), (200, True)])
def test_set_over_twenty_metres_is_approximate(tmp_path: Any, resolution_m: Any, approximate: Any) -> None:
    assert read_bundled(bundle(tmp_path, resolution_m=resolution_m)).info.approximate is approximate


def test_folder_that_is_no_set_is_refused(tmp_path: Any) -> None:
    with pytest.raises(BoundaryError, match="not a bundled boundary set"):
        read_bundled(tmp_path)
    bundle(tmp_path)
    (tmp_path / "set.json").write_text("{}")
    with pytest.raises(BoundaryError, match="KeyError"):
        read_bundled(tmp_path)
