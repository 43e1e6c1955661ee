"""Laws of the boundary check and of the check of drawn places, on squares of the National Grid."""

import itertools
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import crs
from geo.boundaries import PlaceLimits, check_boundaries, prepare_outline, to_areas, validate_place_geometry
from geo.errors import GeometryError

WEST, SOUTH = 537_000.0, 174_000.0
BOROUGH = shapely.box(WEST, SOUTH, WEST + 2000, SOUTH + 1000)
MARGIN_M = 500.0
OUTLINE = prepare_outline(BOROUGH, outside_m=MARGIN_M)
ROUNDING_M = 0.05  # 4 cm of the round corners, millimetres of the transform
metres = st.floats(-1500, 3500, allow_nan=False)


def areas_of(shapes: Any) -> Any:
    codes = [f"E05{k:06d}" for k in range(len(shapes))]
    return to_areas(codes, codes, crs.geometry_to_wgs84(np.array(shapes, dtype=object)))


@given(metres, metres)
@settings(max_examples=200, deadline=None)
def test_point_is_taken_exactly_within_the_margin(x: float, y: float) -> None:
    longitude, latitude = crs.to_wgs84_xy(WEST + x, SOUTH + y)
    point = shapely.Point(longitude[0], latitude[0])
    away_m = shapely.distance(BOROUGH, shapely.Point(WEST + x, SOUTH + y))
    if abs(away_m - MARGIN_M) < ROUNDING_M:
        return
    if away_m < MARGIN_M:
        metric = validate_place_geometry(point, kind="point", outline=OUTLINE, limits=PlaceLimits())
        assert np.hypot(metric.x - WEST - x, metric.y - SOUTH - y) < 0.003
    else:
        with pytest.raises(GeometryError, match="outside"):
            validate_place_geometry(point, kind="point", outline=OUTLINE, limits=PlaceLimits())


@given(st.lists(st.tuples(st.floats(0, 2000), st.floats(0, 1000)), min_size=2, max_size=8))
@settings(max_examples=100, deadline=None)
def test_route_inside_is_taken_unless_it_has_no_length_or_too_much(corners: list[tuple[float, float]]) -> None:
    x, y = np.array(corners).T
    line = shapely.LineString(np.column_stack(crs.to_wgs84_xy(WEST + x, SOUTH + y)))
    metric = crs.geometry_to_metric(line)
    limits = PlaceLimits(route_m=3000)
    if 0 < metric.length <= 3000:
        assert validate_place_geometry(line, kind="route", outline=OUTLINE, limits=limits).equals(metric)
    else:
        with pytest.raises(GeometryError, match=r"no length|km long"):
            validate_place_geometry(line, kind="route", outline=OUTLINE, limits=limits)


cuts = st.lists(st.integers(1, 99), min_size=0, max_size=4, unique=True).map(lambda inner: [0, *sorted(inner), 100])


@given(cuts, cuts)
@settings(max_examples=40, deadline=None)
def test_any_tiling_of_a_square_is_clean_and_adds_up(columns: list[int], rows: list[int]) -> None:
    tiles = [
        shapely.box(WEST + 10 * a, SOUTH + 10 * c, WEST + 10 * b, SOUTH + 10 * d)
        for a, b in itertools.pairwise(columns)
        for c, d in itertools.pairwise(rows)
    ]
    report = check_boundaries(areas_of(tiles))
    assert report.clean
    # 1 km2; each of at most 2 x 6 x 1 km of lines moves by a millimetre or two
    assert report.total_km2 == pytest.approx(1.0, abs=3e-5)


@given(st.integers(1, 900), st.integers(0, 3), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_overlap_is_found_with_its_size_in_any_order(depth_m: int, quarter_turns: int, shuffle: Any) -> None:
    pair = [
        shapely.box(WEST, SOUTH, WEST + 1000, SOUTH + 1000),
        shapely.box(WEST + 1000 - depth_m, SOUTH, WEST + 2000, SOUTH + 1000),
    ]
    turned = [shapely.affinity.rotate(shape, 90 * quarter_turns, origin=(WEST + 500, SOUTH + 500)) for shape in pair]
    shuffle.shuffle(turned)
    report = check_boundaries(areas_of(turned))
    assert [flaw.area_gss for flaw in report.overlaps] == [("E05000000", "E05000001")]
    # 2 km of edges at most, millimetres each
    assert report.overlaps[0].area_m2 == pytest.approx(depth_m * 1000, abs=8)
