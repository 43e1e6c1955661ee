"""What a person drew is taken or refused with a word on what to do; the borough here is one square kilometre."""

from typing import Any

import numpy as np
import pytest
import shapely

from geo import crs
from geo.boundaries import PlaceLimits, geometry_from_geojson, prepare_outline, validate_place_geometry
from geo.errors import GeometryError

WEST, SOUTH = 537_000.0, 174_000.0
BOROUGH = shapely.box(WEST, SOUTH, WEST + 1000, SOUTH + 1000)
OUTLINE = prepare_outline(BOROUGH, outside_m=500)
LIMITS = PlaceLimits(route_m=10_000, area_km2=0.5, vertices=100)


def degrees(*metres: Any) -> Any:
    """Coordinates in metres from the corner, as longitude and latitude."""
    x, y = np.array(metres, dtype=float).T
    return np.column_stack(crs.to_wgs84_xy(WEST + x, SOUTH + y))


def point(x: Any, y: Any) -> Any:
    return shapely.Point(degrees((x, y))[0])


def line(*metres: Any) -> Any:
    return shapely.LineString(degrees(*metres))


def polygon(*metres: Any) -> Any:
    return shapely.Polygon(degrees(*metres))


def check(geometry: Any, kind: Any, outline: Any = OUTLINE, limits: Any = LIMITS) -> Any:
    return validate_place_geometry(geometry, kind=kind, outline=outline, limits=limits)


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("point", point(500, 500)),
        ("route", line((0, 0), (1000, 1000))),
        ("border", line((0, 0), (1000, 0))),
        ("area", polygon((0, 0), (500, 0), (500, 500))),
    ],
)
def test_shape_inside_comes_back_in_metres(kind: Any, shape: Any) -> None:
    metric = check(shape, kind)
    assert metric.geom_type == shape.geom_type
    assert shapely.equals_exact(metric, crs.geometry_to_metric(shape), tolerance=0)
    assert shapely.distance(metric, BOROUGH) <= 0.001  # m


@pytest.mark.parametrize("kind", ["point", "route", "border", "area"])
def test_other_shape_than_the_kind_needs_is_refused(kind: Any) -> None:
    shapes = [point(1, 1), line((0, 0), (1, 1)), polygon((0, 0), (9, 0), (9, 9)), shapely.MultiPoint(degrees((1, 1)))]
    wanted = {"point": "Point", "route": "LineString", "border": "LineString", "area": "Polygon"}[kind]
    for shape in shapes:
        if shape.geom_type != wanted:
            with pytest.raises(GeometryError, match=f"of kind {kind} needs a {wanted}, not a {shape.geom_type}"):
                check(shape, kind)


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(GeometryError, match="no kind 'blob'; use one of point, route, border, area"):
        check(point(1, 1), "blob")


@pytest.mark.parametrize(("east", "taken"), [(1499.9, True), (1500.1, False), (-499.9, True), (-500.1, False)])
def test_point_may_lie_five_hundred_metres_outside(east: Any, taken: Any) -> None:
    shape = point(east, 500)
    if taken:
        check(shape, "point")
    else:
        with pytest.raises(GeometryError, match="outside the borough by more than 500 m"):
            check(shape, "point")


def test_margin_at_a_corner_is_round_to_four_centimetres() -> None:
    # (1353.5, 1353.5) lies 353.5 * sqrt(2) = 499.92 m from the corner, (1353.6, 1353.6) 500.06 m
    check(point(1353.5, 1353.5), "point")
    with pytest.raises(GeometryError, match="outside"):
        check(point(1353.6, 1353.6), "point")


def test_margin_is_a_parameter_and_may_be_nothing() -> None:
    strict = prepare_outline(BOROUGH, outside_m=0)
    check(point(999, 999), "point", outline=strict)
    with pytest.raises(GeometryError, match=r"outside the borough\. Choose"):
        check(point(1001, 999), "point", outline=strict)


def test_route_that_leaves_the_margin_is_refused_wherever_its_ends_are() -> None:
    with pytest.raises(GeometryError, match="outside"):
        check(line((0, 0), (500, 1800), (1000, 0)), "route")


def test_swapped_longitude_and_latitude_are_told_as_such() -> None:
    for kind, shape in (("point", point(500, 500)), ("route", line((0, 0), (900, 900)))):
        swapped = shapely.transform(shape, lambda c: c[:, ::-1])
        with pytest.raises(GeometryError, match="swapped"):
            check(swapped, kind)


def test_metres_are_told_as_such() -> None:
    with pytest.raises(GeometryError, match="look like metres"):
        check(shapely.Point(WEST + 1, SOUTH + 1), "point")


@pytest.mark.parametrize("far", [(2.35, 48.86), (0.0, 0.0), (-3.19, 55.95), (180.0, 90.0)])
def test_other_places_are_outside(far: Any) -> None:
    with pytest.raises(GeometryError, match="outside the borough"):
        check(shapely.Point(far), "point")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_number_that_is_none_is_told_as_such(bad: Any) -> None:
    with np.errstate(invalid="ignore"):
        shape = shapely.LineString([(0.0, 51.5), (bad, 51.5)])
    with pytest.raises(GeometryError, match="not a number"):
        check(shape, "route")
    with pytest.raises(GeometryError, match="not a number"):
        geometry_from_geojson({"type": "LineString", "coordinates": [[0.0, 51.5], [bad, 51.5]]})


def test_nan_point_is_refused() -> None:
    with pytest.raises(GeometryError, match=r"not a number|no points"):
        check(shapely.Point(np.nan, np.nan), "point")


@pytest.mark.parametrize(("shape", "kind"), [(shapely.Point(), "point"), (shapely.Polygon(), "area")])
def test_empty_shape_is_refused(shape: Any, kind: Any) -> None:
    with pytest.raises(GeometryError, match="no points"):
        check(shape, kind)


def test_area_that_crosses_itself_is_refused() -> None:
    with pytest.raises(GeometryError, match="crosses itself"):
        check(polygon((0, 0), (500, 500), (500, 0), (0, 500)), "area")


def test_area_without_surface_is_refused() -> None:
    with pytest.raises(GeometryError, match="too few corners"):
        check(polygon((0, 0), (500, 0), (0, 0)), "area")


def test_area_over_its_limit_is_refused_with_its_size() -> None:
    check(polygon((0, 0), (700, 0), (700, 700), (0, 700)), "area")  # 0.49 km2
    with pytest.raises(GeometryError, match=r"covers 0\.6 km2; at most 0\.5 km2"):
        check(polygon((0, 0), (800, 0), (800, 800), (0, 800)), "area")  # 0.64 km2


@pytest.mark.parametrize("kind", ["route", "border"])
def test_line_over_ten_kilometres_is_refused_with_its_length(kind: Any) -> None:
    there_and_back = [(0, 0), (1000, 0)] * 5  # 9 legs of 1 km
    check(line(*there_and_back), kind)
    with pytest.raises(GeometryError, match=r"11\.0 km long; at most 10 km"):
        check(line(*there_and_back, (0, 0), (1000, 0)), kind)


def test_line_without_length_is_refused() -> None:
    with pytest.raises(GeometryError, match="no length"):
        check(line((5, 5), (5, 5)), "route")


def test_too_many_points_are_refused_before_anything_is_computed() -> None:
    with pytest.raises(GeometryError, match="has 101 points; at most 100"):
        check(line(*[(k, 0) for k in range(101)]), "route")


def test_messages_hold_no_coordinates() -> None:
    """X9: what is refused may be logged."""
    for shape in (point(9000, 9000), shapely.Point(51.4, -0.02), shapely.Point(537001, 174001)):
        with pytest.raises(GeometryError) as caught:
            check(shape, "point")
        assert not any(text in str(caught.value) for text in ("51.", "0.02", "5370", "174001"))


@pytest.mark.parametrize(
    "outline", [shapely.Polygon(), shapely.Point(1, 1), shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])]
)
def test_outline_that_is_no_surface_is_refused(outline: Any) -> None:
    with pytest.raises(GeometryError, match="outline"):
        prepare_outline(outline, outside_m=500)


@pytest.mark.parametrize(
    ("geometry", "wkt"),
    [
        ({"type": "Point", "coordinates": [1, 2]}, "POINT (1 2)"),
        ({"type": "Point", "coordinates": [1, 2, 3]}, "POINT (1 2)"),
        ({"type": "LineString", "coordinates": [[1, 2], [3, 4.5]]}, "LINESTRING (1 2, 3 4.5)"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [4, 0], [4, 4], [0, 0]]]}, "POLYGON ((0 0, 4 0, 4 4, 0 0))"),
        (
            {"type": "Polygon", "coordinates": [[[0, 0], [4, 0], [4, 4], [0, 0]], [[2, 1], [3, 1], [3, 2], [2, 1]]]},
            "POLYGON ((0 0, 4 0, 4 4, 0 0), (2 1, 3 1, 3 2, 2 1))",
        ),
    ],
)
def test_geojson_becomes_a_shape_without_heights(geometry: Any, wkt: Any) -> None:
    assert shapely.to_wkt(geometry_from_geojson(geometry), trim=True) == wkt


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Point"},
        {"type": "Point", "coordinates": []},
        {"type": "Point", "coordinates": [1]},
        {"type": "Point", "coordinates": ["1", "2"]},
        {"type": "Point", "coordinates": [True, False]},
        {"type": "Point", "coordinates": [None, 2]},
        {"type": "Point", "coordinates": "12"},
        {"type": "Point", "coordinates": None},
        {"type": "Point", "coordinates": {"lon": 1, "lat": 2}},
        {"type": "Point", "coordinates": [[1, 2], [3, 4]]},
        {"type": "LineString", "coordinates": [[1, 2]]},
        {"type": "LineString", "coordinates": [1, 2]},
        {"type": "LineString", "coordinates": []},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[[1, 2], [3, 4]]]},
        {"type": "Polygon", "coordinates": [[1, 2], [3, 4], [5, 6]]},
        {"type": "MultiPoint", "coordinates": [[1, 2]]},
        {"type": "GeometryCollection", "geometries": []},
        {"type": ["Point"], "coordinates": [1, 2]},
        {},
    ],
)
def test_geojson_that_makes_no_shape_is_refused(geometry: Any) -> None:
    with pytest.raises(GeometryError, match="send"):
        geometry_from_geojson(geometry)
