"""Laws of the join, against a brute-force answer from shapely on partitions whose vertices lie on grid lines."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.area_grid import FINE
from geo.join import AreaIndex, assign_shares

SIDE = 12  # the world is SIDE by SIDE cells of a metre: few numbers, so that points fall on edges and vertices often
SLOW = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])

coordinate = st.integers(0, SIDE).map(float)
# integers hit vertices and edges, halves the middle of edges, thirds nothing, 1e-9 the last digits
wobble = st.sampled_from([0.0, 0.0, 0.5, 1 / 3, 1e-9, -1e-9])
point = st.tuples(st.integers(-1, SIDE + 1), wobble, st.integers(-1, SIDE + 1), wobble).map(
    lambda t: (t[0] + t[1], t[2] + t[3])
)


@st.composite
def partitions(draw: st.DrawFn) -> list[shapely.Geometry]:
    """Cut a square by random lines and deal the pieces to areas: holes, multipolygons, slivers come by themselves."""
    ends = draw(st.lists(st.tuples(coordinate, coordinate, coordinate, coordinate), min_size=1, max_size=6))
    frame = shapely.box(0, 0, SIDE, SIDE)
    lines = [shapely.LineString([(a, b), (c, d)]) for a, b, c, d in ends if (a, b) != (c, d)]
    pieces = shapely.get_parts(shapely.polygonize([shapely.union_all([frame.boundary, *lines])]))
    owners = draw(st.lists(st.integers(0, 5), min_size=len(pieces), max_size=len(pieces)))
    areas = [
        shapely.union_all([piece for piece, owner in zip(pieces, owners, strict=True) if owner == k])
        for k in sorted(set(owners) - {5})  # pieces of owner 5 stay gaps
    ]
    return [area for area in areas if area.geom_type in {"Polygon", "MultiPolygon"} and area.is_valid]


@st.composite
def overlapping(draw: st.DrawFn) -> list[shapely.Geometry]:
    """Boxes and triangles on integer corners, one on top of another."""
    shapes = []
    for a, b, c, d in draw(st.lists(st.tuples(coordinate, coordinate, coordinate, coordinate), min_size=1, max_size=6)):
        shape = shapely.box(min(a, c), min(b, d), max(a, c), max(b, d))
        shapes.append(shape if draw(st.booleans()) else shapely.Polygon([(a, b), (c, b), (c, d)]))
    return [shape for shape in shapes if shape.is_valid and shape.area > 0]


def brute_force(polygons: list[shapely.Geometry], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Lowest polygon that covers each point, asked one by one of the plain predicate."""
    spots = shapely.points(x, y)
    answer = np.full(len(x), -1)
    for position in reversed(range(len(polygons))):
        answer[shapely.covers(polygons[position], spots)] = position
    return answer


def codes_for(polygons: list[shapely.Geometry]) -> list[str]:
    return [f"E{k:02d}" for k in range(len(polygons))]


@SLOW
@given(st.one_of(partitions(), overlapping()), st.lists(point, min_size=1, max_size=60), st.integers(4, 4000))
def test_lookup_equals_brute_force_whatever_the_grid(
    polygons: list[shapely.Geometry], spots: list[tuple[float, float]], cells: int
) -> None:
    if not polygons:
        return
    # with every vertex too: on an edge of several areas at once
    vertices = shapely.get_coordinates(polygons)
    x, y = np.concatenate([np.array(spots), vertices]).T
    index = AreaIndex(codes_for(polygons), polygons, cells=cells)
    expected = brute_force(polygons, x, y)
    assert index.lookup(x, y).tolist() == expected.tolist()
    assert [index.lookup_one(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)] == expected.tolist()


@SLOW
@given(partitions(), st.lists(point, min_size=1, max_size=60), st.randoms(use_true_random=False))
def test_order_of_points_and_areas_does_not_matter(polygons, spots, random) -> None:  # noqa: ANN001
    if not polygons:
        return
    codes = codes_for(polygons)
    pairs = list(zip(codes, polygons, strict=True))
    random.shuffle(pairs)
    order = list(range(len(spots)))
    random.shuffle(order)
    x, y = np.array(spots).T
    first = AreaIndex(codes, polygons).lookup(x, y)
    second = AreaIndex([code for code, _ in pairs], [polygon for _, polygon in pairs]).lookup(x[order], y[order])
    assert second.tolist() == first[order].tolist()


@SLOW
@given(st.integers(1, 40), st.integers(0, 10_000))
def test_points_on_grid_lines_of_the_index_itself(columns_: int, seed: int) -> None:
    # square areas whose edges coincide with coarse and fine lines of the index, points on all of these lines
    polygons = [shapely.box(k, 0, k + 1, 1) for k in range(columns_)]
    index = AreaIndex(codes_for(polygons), polygons, cells=columns_ * FINE)
    random = np.random.default_rng(seed)
    x = np.concatenate([np.arange(columns_ + 1.0), random.integers(0, columns_ * FINE, 50) / FINE])
    y = np.concatenate([np.full(columns_ + 1, 0.5), random.integers(0, FINE + 1, 50) / FINE])
    # a point on the line x = k belongs to area k - 1 (lowest code), on x = 0 to area 0
    expected = np.maximum(np.ceil(x) - 1, 0).astype(int)
    assert index.lookup(x, y).tolist() == expected.tolist()


@SLOW
@given(partitions(), st.lists(point, min_size=1, max_size=40))
def test_edge_distance_equals_the_distance_to_all_boundaries(polygons, spots) -> None:  # noqa: ANN001
    if not polygons:
        return
    index = AreaIndex(codes_for(polygons), polygons)
    x, y = np.array(spots).T
    own = index.lookup(x, y)
    edge_m, neighbour = index.edge_distance(x, y, own)
    one_by_one = [index.edge_distance_one(*each) for each in zip(x.tolist(), y.tolist(), own.tolist(), strict=True)]
    assert one_by_one == list(zip(edge_m.tolist(), neighbour.tolist(), strict=True))
    apart = np.array([shapely.distance(shapely.points(x, y), polygon.boundary) for polygon in polygons])
    np.testing.assert_allclose(edge_m, apart.min(axis=0), rtol=0, atol=1e-9)
    assert ((neighbour != own) | (own == -1)).all()
    for i in range(len(x)):
        others = [k for k in range(len(polygons)) if k != own[i] and apart[k, i] <= edge_m[i] + 0.1 - 1e-9]
        surely = [k for k in range(len(polygons)) if k != own[i] and apart[k, i] <= edge_m[i] + 0.1 + 1e-9]
        assert neighbour[i] in {min(others, default=-1), min(surely, default=-1)}


@SLOW
@given(
    st.one_of(partitions(), overlapping()),
    st.lists(st.tuples(st.floats(-2, SIDE + 2), st.floats(-2, SIDE + 2)), min_size=2, max_size=6),
    st.booleans(),
)
def test_shares_add_to_one(polygons, spots, as_area: bool) -> None:  # noqa: ANN001
    geometry = shapely.convex_hull(shapely.MultiPoint(spots)) if as_area else shapely.LineString(spots)
    if not polygons or not geometry.is_valid or (geometry.area if as_area else geometry.length) < 1e-6:
        return
    if as_area and geometry.geom_type != "Polygon":
        return
    shares = assign_shares(geometry, AreaIndex(codes_for(polygons), polygons))
    assert sum(share for _, share in shares) == pytest.approx(1, abs=1e-12)
    assert all(0 < share <= 1 for _, share in shares)
    # the union of the areas holds what is not outside
    pieces = [geometry] if as_area else [shapely.LineString(pair) for pair in pairwise(spots)]
    measure = shapely.area if as_area else shapely.length
    held = measure(shapely.intersection(pieces, shapely.union_all(polygons))).sum() / measure(geometry)
    assert dict(shares).get("", 0) == pytest.approx(1 - held, abs=1e-6)
