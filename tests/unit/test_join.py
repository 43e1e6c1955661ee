"""The join on squares known by hand: 1 km wards, shared edges, holes, borders, shares."""

from __future__ import annotations

import math
import pickle
import subprocess
import sys

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo import columns, crs
from geo.errors import BoundaryError, ColumnError, CRSError, GeometryError, MethodError
from geo.join import (
    AreaIndex,
    assign_areas,
    assign_shares,
    border_share,
    index_areas,
    nearest_centre,
    shares_table,
)

KM = 1000.0


def square(column: int, row: int) -> shapely.Polygon:
    return shapely.box(column * KM, row * KM, (column + 1) * KM, (row + 1) * KM)


# E3 | E1        the codes are not in the order of the squares, so that order and code can be told apart
# E4 | E2
FOUR_CODES = ["E4", "E2", "E3", "E1"]
FOUR = [square(0, 0), square(1, 0), square(0, 1), square(1, 1)]


@pytest.fixture(scope="module")
def four() -> AreaIndex:
    return AreaIndex(FOUR_CODES, FOUR)


@pytest.fixture
def wards() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({columns.AREA_GSS: FOUR_CODES}, geometry=FOUR, crs=crs.METRIC)


def points(*xy: tuple[float, float]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=[shapely.Point(p) for p in xy], crs=crs.METRIC)


def code_of(index: AreaIndex, x: float, y: float) -> str:
    """Ask both ways at once: they must agree."""
    many = int(index.lookup([x], [y])[0])
    assert index.lookup_one(x, y) == many
    return str(index.codes[many]) if many >= 0 else columns.OUTSIDE


def test_codes_are_sorted_so_that_the_lowest_position_is_the_lowest_code(four: AreaIndex) -> None:
    assert four.codes.tolist() == ["E1", "E2", "E3", "E4"]
    assert len(four) == 4


@pytest.mark.parametrize(
    ("x", "y", "code"), [(500, 500, "E4"), (1500, 500, "E2"), (500, 1500, "E3"), (1500, 1500, "E1")]
)
def test_point_inside_gets_its_square(four: AreaIndex, x: float, y: float, code: str) -> None:
    assert code_of(four, x, y) == code


@pytest.mark.parametrize(
    ("x", "y", "code"),
    [(1000, 500, "E2"), (1000, 1500, "E1"), (500, 1000, "E3"), (1500, 1000, "E1"), (1000, 1000, "E1")],
)
def test_point_on_shared_edge_gets_lowest_code(four: AreaIndex, x: float, y: float, code: str) -> None:
    assert code_of(four, x, y) == code


@pytest.mark.parametrize(("x", "y", "code"), [(0, 0, "E4"), (2000, 0, "E2"), (0, 700, "E4"), (2000, 2000, "E1")])
def test_point_on_the_outer_edge_belongs_to_its_area(four: AreaIndex, x: float, y: float, code: str) -> None:
    assert code_of(four, x, y) == code


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (np.nextafter(0, -1), 500),
        (np.nextafter(2000, 3000), 500),
        (1e9, 1e9),
        (-1e300, 5),
        (np.inf, 5),
        (5, -np.inf),
        (np.nan, 500),
        (500, np.nan),
    ],
)
def test_point_outside_or_without_a_number_gets_no_area(four: AreaIndex, x: float, y: float) -> None:
    assert code_of(four, x, y) == columns.OUTSIDE


def test_the_last_digit_decides_beside_an_edge(four: AreaIndex) -> None:
    assert code_of(four, np.nextafter(1000, 0), 500) == "E4"
    assert code_of(four, np.nextafter(1000, 2000), 500) == "E2"


def test_point_in_a_hole_is_outside_and_on_its_rim_inside() -> None:
    ring = shapely.Polygon([(0, 0), (90, 0), (90, 90), (0, 90)], [[(30, 30), (60, 30), (60, 60), (30, 60)]])
    index = AreaIndex(["E1"], [ring])
    assert code_of(index, 45, 45) == columns.OUTSIDE
    assert code_of(index, 30, 45) == "E1"
    assert code_of(index, 15, 45) == "E1"


def test_area_inside_the_hole_of_another_is_found() -> None:
    hole = [(30, 30), (60, 30), (60, 60), (30, 60)]
    index = AreaIndex(
        ["E1", "E2"], [shapely.Polygon([(0, 0), (90, 0), (90, 90), (0, 90)], [hole]), shapely.Polygon(hole)]
    )
    assert code_of(index, 45, 45) == "E2"
    assert code_of(index, 60, 45) == "E1"


def test_every_part_of_a_multipolygon_counts() -> None:
    index = AreaIndex(["E1", "E2"], [shapely.MultiPolygon([square(0, 0), square(5, 0)]), square(2, 0)])
    assert [code_of(index, x, 500) for x in (500, 5500, 2500, 1500)] == ["E1", "E1", "E2", columns.OUTSIDE]


def test_sliver_thinner_than_a_grid_cell_is_exact() -> None:
    # 1 cm wide and 1 km long, between two squares: a grid cell is about a metre
    index = AreaIndex(
        ["E1", "E2", "E3"],
        [shapely.box(0, 0, 1000, 1000), shapely.box(1000, 0, 1000.01, 1000), shapely.box(1000.01, 0, 2000, 1000)],
    )
    assert [code_of(index, x, 123.4) for x in (999.999, 1000.005, 1000.02)] == ["E1", "E2", "E3"]


def test_overlap_gets_the_lowest_code_even_deep_inside() -> None:
    index = AreaIndex(["E2", "E1", "E0"], [square(0, 0), square(0, 0), shapely.box(200, 200, 201, 201)])
    assert code_of(index, 500, 500) == "E1"
    assert code_of(index, 200.5, 200.5) == "E0"


def test_area_without_an_edge_in_a_cell_is_still_a_candidate_there() -> None:
    # the small E9 crosses cells that E1 covers whole: E1 wins in it although only E9 has edges there
    index = AreaIndex(["E9", "E1"], [shapely.box(500.3, 500.3, 500.4, 500.4), square(0, 0)])
    assert code_of(index, 500.35, 500.35) == "E1"
    assert (
        code_of(AreaIndex(["E1", "E9"], [shapely.box(500.3, 500.3, 500.4, 500.4), square(0, 0)]), 500.35, 500.35)
        == "E1"
    )
    assert (
        code_of(AreaIndex(["E1", "E9"], [shapely.box(500.3, 500.3, 500.4, 500.4), square(0, 0)]), 500.45, 500.35)
        == "E9"
    )


def test_pickled_index_gives_the_same_answers(four: AreaIndex) -> None:
    again = pickle.loads(pickle.dumps(four))
    x, y = np.random.default_rng(1).uniform(-100, 2100, (2, 1000))
    assert (again.lookup(x, y) == four.lookup(x, y)).all()
    assert again.edge_distance([990], [500], [3])[0].tolist() == [10]


def test_no_points_give_no_positions(four: AreaIndex) -> None:
    assert four.lookup([], []).shape == (0,)
    edge_m, neighbour = four.edge_distance([], [], [])
    assert edge_m.shape == neighbour.shape == (0,)


@pytest.mark.parametrize(
    ("codes", "polygons", "error", "message"),
    [
        ([], [], BoundaryError, "no area"),
        (["E1"], [square(0, 0), square(1, 0)], BoundaryError, "1 codes were given for 2"),
        (["E1", "E1"], [square(0, 0), square(1, 0)], BoundaryError, "more than once in the set: E1"),
        (["E1"], [shapely.Point(0, 0)], GeometryError, "E1 cannot be used"),
        (["E1"], [None], GeometryError, "E1 cannot be used"),
        (["E1"], [shapely.Polygon()], GeometryError, "empty"),
        (["E1"], [shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])], GeometryError, "Self-intersection"),
    ],
)
def test_unusable_set_is_refused(
    codes: list[str], polygons: list[object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        AreaIndex(codes, polygons)


def test_unequal_arrays_are_refused(four: AreaIndex) -> None:
    with pytest.raises(GeometryError, match="same length"):
        four.lookup([1, 2], [1])
    with pytest.raises(GeometryError, match="2 points were given with 1 positions"):
        four.edge_distance([1, 2], [1, 2], [0])


@pytest.mark.parametrize(
    ("x", "y", "edge_m", "neighbour"),
    [
        (990, 500, 10, "E2"),  # E4 beside E2
        (1010, 500, 10, "E4"),
        (500, 940, 60, "E3"),
        (20, 500, 20, ""),  # the outer edge: nobody across
        (1000, 400, 0, "E4"),  # on the line, E2 holds it
        (-30, 500, 30, "E4"),  # outside: the nearest area
        (-30, -40, 50, "E4"),  # 3-4-5 from the corner
        (1030, 1040, 30, "E3"),
    ],
)
def test_edge_distance_and_the_neighbour_across(
    four: AreaIndex, x: float, y: float, edge_m: float, neighbour: str
) -> None:
    distance, across = four.edge_distance([x], [y], four.lookup([x], [y]))
    assert distance[0] == pytest.approx(edge_m, abs=1e-9)
    assert (four.codes[across[0]] if across[0] >= 0 else "") == neighbour


def test_edge_distance_of_many_points_equals_one_by_one(four: AreaIndex) -> None:
    x, y = np.random.default_rng(2).uniform(-300, 2300, (2, 6000))
    own = four.lookup(x, y)
    many, across = four.edge_distance(x, y, own)
    for i in range(0, 6000, 40):
        one, other = four.edge_distance(x[i : i + 1], y[i : i + 1], own[i : i + 1])
        assert (one[0], other[0]) == (many[i], across[i])
        assert four.edge_distance_one(float(x[i]), float(y[i]), int(own[i])) == (many[i], across[i])


def test_missing_points_have_no_edge_distance(four: AreaIndex) -> None:
    distance, across = four.edge_distance([np.nan, 990], [1, 500], [-1, 3])
    assert np.isnan(distance[0])
    assert across[0] == -1
    assert distance[1] == 10
    assert np.isnan(four.edge_distance_one(math.nan, 1, -1)[0])


def test_assign_areas_keeps_rows_order_and_index_and_leaves_the_input_alone(wards: gpd.GeoDataFrame) -> None:
    places = points((1500, 500), (500, 500), (5000, 0), (1000, 1000)).set_index(
        pd.Index(["b", "a", "b", "c"], name="id")
    )
    before = places.copy()
    joined = assign_areas(places, wards, edges=True, near_border_m=25)
    assert joined.index.equals(places.index)
    assert joined[columns.AREA_GSS].tolist() == ["E2", "E4", "", "E1"]
    assert joined.crs == places.crs
    assert joined.geometry.geom_equals(places.geometry).all()
    pd.testing.assert_frame_equal(places, before)
    assert list(places.columns) == ["geometry"]


def test_assign_areas_without_edges_adds_one_column(wards: gpd.GeoDataFrame) -> None:
    joined = assign_areas(points((500, 500)), wards, edges=False, near_border_m=25)
    assert list(joined.columns) == ["geometry", columns.AREA_GSS]


def test_near_border_counts_the_distance_itself(wards: gpd.GeoDataFrame) -> None:
    joined = assign_areas(points((975, 500), (974.5, 500), (500, 500)), wards, edges=True, near_border_m=25)
    assert joined[columns.EDGE_M].tolist() == [25, 25.5, 500]
    assert joined[columns.NEAR_BORDER].tolist() == [True, False, False]
    assert joined[columns.NEIGHBOUR_GSS].tolist() == ["E2", "E2", "E2"]  # in the middle all edges are as near: lowest


def test_missing_and_empty_points_are_outside(wards: gpd.GeoDataFrame) -> None:
    places = gpd.GeoDataFrame(geometry=[None, shapely.Point(), shapely.Point(500, 500)], crs=crs.METRIC)
    joined = assign_areas(places, wards, edges=True, near_border_m=25)
    assert joined[columns.AREA_GSS].tolist() == ["", "", "E4"]
    assert joined[columns.NEAR_BORDER].tolist() == [False, False, False]
    assert joined[columns.EDGE_M].isna().tolist() == [True, True, False]


def test_areas_may_be_indexed_by_their_code(wards: gpd.GeoDataFrame) -> None:
    joined = assign_areas(points((500, 500)), wards.set_index(columns.AREA_GSS), edges=False, near_border_m=25)
    assert joined[columns.AREA_GSS].tolist() == ["E4"]


def test_an_index_is_taken_as_it_is(four: AreaIndex) -> None:
    assert index_areas(four) is four


def test_join_refuses_what_it_cannot_answer(wards: gpd.GeoDataFrame) -> None:
    places = points((500, 500))
    with pytest.raises(CRSError):
        assign_areas(places.set_crs(crs.WGS84, allow_override=True), wards, edges=False, near_border_m=25)
    with pytest.raises(CRSError):
        assign_areas(places, wards.set_crs(crs.WGS84, allow_override=True), edges=False, near_border_m=25)
    with pytest.raises(ColumnError, match="area_gss"):
        assign_areas(places, wards.drop(columns=columns.AREA_GSS), edges=False, near_border_m=25)
    with pytest.raises(MethodError, match="near_border_m"):
        assign_areas(places, wards, edges=True, near_border_m=-1)
    line = gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (1, 1)])], crs=crs.METRIC)
    with pytest.raises(GeometryError, match="assign_shares"):
        assign_areas(line, wards, edges=False, near_border_m=25)


@pytest.mark.parametrize(
    ("geometry", "shares"),
    [
        (shapely.LineString([(500, 500), (1500, 500)]), [("E2", 0.5), ("E4", 0.5)]),
        (shapely.LineString([(-300, 500), (700, 500)]), [("", 0.3), ("E4", 0.7)]),
        (shapely.LineString([(1000, 0), (1000, 2000)]), [("E1", 0.5), ("E2", 0.5)]),  # along the shared edge
        (shapely.box(900, 900, 1100, 1100), [("E1", 0.25), ("E2", 0.25), ("E3", 0.25), ("E4", 0.25)]),
        (shapely.box(1900, 0, 2100, 100), [("", 0.5), ("E2", 0.5)]),
        (shapely.box(9000, 9000, 9001, 9001), [("", 1.0)]),
        (shapely.Point(1000, 1000), [("E1", 1.0)]),
        (shapely.MultiLineString([[(100, 100), (400, 100)], [(1100, 100), (1200, 100)]]), [("E2", 0.25), ("E4", 0.75)]),
        (shapely.MultiPoint([(1, 1), (1500, 500), (-1, -1), (2, 2)]), [("", 0.25), ("E2", 0.25), ("E4", 0.5)]),
    ],
)
def test_shares_by_length_and_area(
    four: AreaIndex, geometry: shapely.Geometry, shares: list[tuple[str, float]]
) -> None:
    found = assign_shares(geometry, four)
    assert [code for code, _ in found] == [code for code, _ in shares]
    assert [share for _, share in found] == pytest.approx([share for _, share in shares], abs=1e-9)


def test_a_stretch_walked_there_and_back_counts_twice(four: AreaIndex) -> None:
    # 300 m there and 300 m back in E4, then 400 m more of which 200 m lie in E2: 800 of 1,000 m in E4
    walk = shapely.LineString([(800, 500), (500, 500), (800, 500), (1200, 500)])
    assert assign_shares(walk, four) == [("E2", pytest.approx(0.2)), ("E4", pytest.approx(0.8))]


def test_overlapping_areas_share_a_route_once() -> None:
    index = AreaIndex(["E1", "E2"], [shapely.box(0, 0, 60, 10), shapely.box(40, 0, 100, 10)])
    assert assign_shares(shapely.LineString([(0, 5), (100, 5)]), index) == [
        ("E1", pytest.approx(0.6)),
        ("E2", pytest.approx(0.4)),
    ]


@pytest.mark.parametrize(
    ("geometry", "message"),
    [
        (None, "missing or empty"),
        (shapely.LineString(), "missing or empty"),
        (shapely.GeometryCollection([shapely.Point(0, 0), square(0, 0)]), "mixes kinds"),
        (shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]), "not valid"),
        (shapely.LineString([(1, 1), (1, 1)]), "not valid"),
    ],
)
def test_shares_refuse_what_has_no_measure(four: AreaIndex, geometry: object, message: str) -> None:
    with pytest.raises(GeometryError, match=message):
        assign_shares(geometry, four)


def test_shares_table_has_one_row_a_place_and_area(wards: gpd.GeoDataFrame) -> None:
    routes = gpd.GeoDataFrame(
        geometry=[shapely.LineString([(500, 500), (1500, 500)]), shapely.LineString([(1, 1), (2, 2)])],
        index=["r", "s"],
        crs=crs.METRIC,
    )
    table = shares_table(routes, wards)
    assert table.index.tolist() == ["r", "r", "s"]
    assert table[columns.AREA_GSS].tolist() == ["E2", "E4", "E4"]
    assert table[columns.SHARE].tolist() == pytest.approx([0.5, 0.5, 1.0])


@pytest.mark.requirement("P2")
def test_nearest_centre_gives_ties_to_the_lowest_code() -> None:
    # 5 centres on a circle of radius 10 (3-4-5 triangles), the lowest code last
    codes = ["E5", "E4", "E3", "E2", "E1"]
    centres = [(10, 0), (-10, 0), (0, 10), (6, 8), (8, 6)]
    found = nearest_centre([0, 9.9, np.nan, 0], [0, 0, 0, -3], codes, centres)
    # (0, -3): 10.44 m from E5 and E4 alike, so E4
    assert found.tolist() == ["E1", "E5", "", "E4"]


def test_nearest_centre_needs_a_centre_for_each_code() -> None:
    with pytest.raises(GeometryError, match="2 codes"):
        nearest_centre([0], [0], ["E1", "E2"], [(0, 0)])
    with pytest.raises(GeometryError, match="at least one"):
        nearest_centre([0], [0], [], [])


@pytest.mark.requirement("P2")
def test_border_share_counts_points_on_the_line_and_skips_missing_ones() -> None:
    assert border_share([0, 15, 15.01, 300, np.nan], within_m=15) == 0.5
    assert np.isnan(border_share([np.nan], within_m=15))
    with pytest.raises(MethodError, match="within_m"):
        border_share([1], within_m=-1)


def test_the_write_path_imports_neither_geopandas_nor_pandas() -> None:
    code = "import sys; import geo.join; print([m for m in ('geopandas', 'pandas', 'scipy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_edge_distance_of_no_point_is_empty() -> None:
    index = AreaIndex(["E1"], [shapely.box(0, 0, 1000, 1000)])
    edge_m, neighbour = index.edge_distance([], [], [])
    assert edge_m.shape == neighbour.shape == (0,)


@pytest.mark.requirement("X9")
def test_refusal_of_a_shape_holds_no_coordinates() -> None:
    bow = shapely.Polygon([(537_000, 174_000), (537_100, 174_100), (537_100, 174_000), (537_000, 174_100)])
    with pytest.raises(GeometryError, match=r"\(Self-intersection\)") as drawn:
        assign_shares(bow, AreaIndex(["E1"], [shapely.box(537_000, 174_000, 538_000, 175_000)]))
    with pytest.raises(GeometryError, match=r"\(Self-intersection\)") as area:
        AreaIndex(["E1"], [bow])
    assert "537" not in str(drawn.value) + str(area.value)
