"""Hot spots: the statistic against esda and by hand, the permutations against all cases, polygons and refusals."""

from __future__ import annotations

import itertools
import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy import sparse

from geo import columns, crs
from geo.errors import ColumnError, CRSError, MethodError
from geo.getis import confidence_classes, fdr_threshold, gi_star, hot_p_values, permutation_p_values
from geo.grid import SquareGrid, square_grid
from geo.hotspots import (
    AREA_KM2,
    CELLS,
    HOTSPOT_M,
    HOTSPOT_RANK,
    MAX_GI_STAR,
    RANK,
    TOP,
    assign_hotspots,
    find_hotspots,
)

YEAR = [f"2018-{month:02d}" for month in range(1, 13)]


def esda_z_and_p(counts: np.ndarray, neighbours: sparse.csr_array) -> tuple[np.ndarray, np.ndarray]:
    """Independent answer: esda with binary weights, star, one process."""
    from esda.getisord import G_Local
    from libpysal.weights import W

    lists = {i: neighbours.indices[a:b].tolist() for i, (a, b) in enumerate(itertools.pairwise(neighbours.indptr))}
    found = G_Local(
        counts.astype(float), W(lists, silence_warnings=True), transform="B", star=True, permutations=0, n_jobs=1
    )
    return np.asarray(found.Zs), np.asarray(found.p_norm)


@pytest.fixture(scope="module")
def lattice() -> SquareGrid:
    """Twenty by fifteen cells with a bite taken out, so that cells differ in their number of neighbours."""
    return square_grid(shapely.box(0, 0, 2000, 1500) - shapely.box(900, 600, 1300, 1500), cell_size_m=100)


def test_gi_star_by_hand() -> None:
    # 30 cells in a row, 3 in the first and 0 elsewhere: mean 0.1, mean of squares 0.3, sd = sqrt(0.29).
    # First cell: itself and one neighbour weigh 1, W = 2, sum 3: z = (3 - 0.2) / (sd * sqrt((30 * 2 - 4) / 29))
    ones = np.ones(29, dtype=np.int8)
    row = sparse.csr_array(sparse.diags_array([ones, ones], offsets=[-1, 1], dtype=np.int8))
    z = gi_star([3, *[0] * 29], row)
    assert z[0] == pytest.approx((3 - 0.2) / (math.sqrt(0.29) * math.sqrt(56 / 29)), abs=1e-12)
    # third cell: W = 3, nothing near: z = (0 - 0.3) / (sd * sqrt((90 - 9) / 29))
    assert z[2] == pytest.approx(-0.3 / (math.sqrt(0.29) * math.sqrt(81 / 29)), abs=1e-12)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_gi_star_equals_esda(lattice: SquareGrid, seed: int) -> None:
    counts = np.random.default_rng(seed).negative_binomial(1, 0.05, len(lattice))
    neighbours = lattice.neighbours()
    z, p = esda_z_and_p(counts, neighbours)
    np.testing.assert_allclose(gi_star(counts, neighbours), z, rtol=0, atol=1e-9)
    np.testing.assert_allclose(hot_p_values(z)[z > 0], p[z > 0], rtol=0, atol=1e-12)


def test_hot_p_values_are_one_sided() -> None:
    # standard normal: 5 % above 1.6448536, half above 0
    assert hot_p_values([1.6448536269514722, 0.0, -1.6448536269514722]).tolist() == pytest.approx([0.05, 0.5, 0.95])


def test_fdr_by_hand() -> None:
    # alpha 0.05, n = 5, bounds .01 .02 .03 .04 .05: the third is the last that passes
    assert fdr_threshold([0.9, 0.029, 0.005, 0.015, 0.045], alpha=0.05) == pytest.approx(0.03)
    # p_(2) fails its own bound, p_(3) passes: all three are significant
    assert fdr_threshold([0.001, 0.025, 0.03, 0.9, 0.9], alpha=0.05) == pytest.approx(0.03)
    assert fdr_threshold([0.5, 0.6], alpha=0.05) == pytest.approx(0.025)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("alpha", [0.1, 0.05, 0.01])
def test_fdr_equals_esda(seed: int, alpha: float) -> None:
    from esda import fdr

    p = np.random.default_rng(seed).beta(0.3, 2, 400)
    assert fdr_threshold(p, alpha=alpha) == pytest.approx(fdr(p, alpha), abs=1e-15)


def test_confidence_classes_nest() -> None:
    # n = 3: at 90 % bounds .033 .067 .1; at 95 % .017 .033 .05; at 99 % .0033 .0067 .01
    assert confidence_classes([0.001, 0.02, 0.09]).tolist() == [99, 95, 90]
    assert confidence_classes([0.001, 0.3, 0.9]).tolist() == [99, 0, 0]


def test_permutation_p_equals_all_cases_within_its_error() -> None:
    # 40 cells, each with its two neighbours on a ring: draw 2 of the 39 others without putting back
    counts = np.random.default_rng(4).poisson(4, 40)
    i = np.arange(40)
    both = np.r_[i, i], np.r_[(i + 1) % 40, (i - 1) % 40]
    ring = sparse.csr_array((np.ones(80, dtype=np.int8), both), shape=(40, 40))
    draws = 20_000
    p = permutation_p_values(counts, ring, permutations=draws, seed=1)
    for cell in range(40):
        others = np.delete(counts, cell)
        sums = np.array([a + b for a, b in itertools.combinations(others, 2)])
        exact = (sums >= counts[(cell + 1) % 40] + counts[(cell - 1) % 40]).mean()
        # four standard errors of a binomial share
        assert p[cell] == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / draws) + 2 / draws)


def test_permutation_p_equals_doing_every_draw_by_hand(lattice: SquareGrid) -> None:
    """The same draws, cell by cell and draw by draw, without the shortcut."""
    counts, neighbours = np.random.default_rng(5).poisson(2, len(lattice)), lattice.neighbours()
    from geo.getis import _distinct_draws

    degree = np.diff(neighbours.indptr)
    table = _distinct_draws(len(lattice), int(degree.max()) + 1, 199, 7)
    assert all(len(set(row)) == len(row) for row in table.tolist())
    expected = []
    for cell, k in enumerate(degree):
        observed = counts[neighbours.indices[neighbours.indptr[cell] : neighbours.indptr[cell + 1]]].sum()
        sums = [counts[row[row != cell][:k]].sum() for row in table]
        expected.append((1 + sum(total >= observed for total in sums)) / 200)
    found = permutation_p_values(counts, neighbours, permutations=199, seed=7)
    assert found.tolist() == pytest.approx(expected, abs=1e-15)


def test_permutations_agree_with_esda_on_what_is_hot(lattice: SquareGrid) -> None:
    from esda.getisord import G_Local
    from libpysal.weights import W

    counts, neighbours = np.random.default_rng(6).poisson(3, len(lattice)), lattice.neighbours()
    counts[:40] += 6
    lists = {i: neighbours.indices[a:b].tolist() for i, (a, b) in enumerate(itertools.pairwise(neighbours.indptr))}
    with pytest.warns(DeprecationWarning, match="directed"):  # G_Local does not hand the choice on
        esda = G_Local(counts.astype(float), W(lists), transform="B", star=True, permutations=999, n_jobs=1, seed=1)
    ours = permutation_p_values(counts, neighbours, permutations=999, seed=1)
    hot = esda.Zs > 0  # esda folds its p to the nearer side
    sure = hot & ((esda.p_sim < 0.02) | (esda.p_sim > 0.08))
    assert ((esda.p_sim < 0.05) == (ours < 0.05))[sure].all()
    assert sure.sum() > 50


def test_a_cell_without_neighbours_is_never_hot_by_permutation() -> None:
    counts = np.arange(30)
    p = permutation_p_values(counts, sparse.csr_array((30, 30), dtype=np.int8), permutations=99, seed=1)
    assert (p == 1).all()


@pytest.mark.parametrize(
    ("counts", "message"),
    [(np.ones(40), "same count"), (np.r_[np.nan, np.arange(39)], "not a number"), (np.arange(29), "too few")],
)
def test_nothing_to_compare_is_refused(counts: np.ndarray, message: str) -> None:
    with pytest.raises(MethodError, match=message):
        gi_star(counts, sparse.csr_array((len(counts), len(counts)), dtype=np.int8))


def test_other_refusals_of_the_statistics() -> None:
    empty = sparse.csr_array((40, 40), dtype=np.int8)
    with pytest.raises(MethodError, match="shape"):
        gi_star(np.arange(39), empty)
    with pytest.raises(MethodError, match="at least 99"):
        permutation_p_values(np.arange(40), empty, permutations=50, seed=1)
    full = sparse.csr_array(np.ones((40, 40), dtype=np.int8) - np.eye(40, dtype=np.int8))
    with pytest.raises(MethodError, match="too many"):
        permutation_p_values(np.arange(40), full, permutations=99, seed=1)
    with pytest.raises(MethodError, match="alpha"):
        fdr_threshold([0.1], alpha=0)


def test_a_cell_beside_all_others_has_no_score() -> None:
    full = sparse.csr_array(np.ones((40, 40), dtype=np.int8) - np.eye(40, dtype=np.int8))
    assert (gi_star(np.arange(40), full) == 0).all()


@pytest.fixture(scope="module")
def crimes() -> gpd.GeoDataFrame:
    """One crime at the centre of each of 400 cells; 20 more in 4 cells in the south-west, 12 more in one far off."""
    x, y = square_grid((0, 0, 5000, 5000), cell_size_m=250).centres()
    hot_x, hot_y = np.repeat([375, 625, 375, 625], 20), np.repeat([375, 375, 625, 625], 20)
    far_x, far_y = np.full(12, 4125), np.full(12, 4125)
    category = np.r_[["other-crime"] * 400, ["robbery", "drugs"] * 40, ["burglary"] * 12]
    xs, ys = np.r_[x, hot_x, far_x], np.r_[y, hot_y, far_y]
    month = [YEAR[i % 12] for i in range(len(xs))]
    frame = {columns.MONTH: month, columns.CATEGORY: category}
    return gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(xs, ys), crs=crs.METRIC)


def run(crimes: gpd.GeoDataFrame, **changed: object):  # noqa: ANN201
    options = {"months": YEAR, "least_confidence": 95, "permutations": 999, "seed": 1} | changed
    return find_hotspots(crimes, square_grid((0, 0, 5000, 5000), cell_size_m=250), **options)


@pytest.mark.requirement("P8")
def test_the_planted_hot_spot_is_found_and_described(crimes: gpd.GeoDataFrame) -> None:
    found = run(crimes)
    first = found.polygons.iloc[0]
    # 4 planted cells of 21 crimes and the ring of 12 around them, each with at least one planted cell beside it
    assert first[CELLS] == 16
    assert first[columns.COUNT] == 4 * 21 + 12
    assert first[AREA_KM2] == pytest.approx(16 * 0.0625)
    assert first[TOP] == [["drugs", 40], ["robbery", 40], ["other-crime", 16]]
    assert first[columns.CONFIDENCE] == 99
    assert first.geometry.equals(shapely.box(0, 0, 1000, 1000))
    assert first[MAX_GI_STAR] == found.cells[columns.GI_Z].max()
    assert found.polygons[RANK].tolist() == list(range(1, len(found.polygons) + 1))
    assert (np.diff(found.polygons[MAX_GI_STAR]) <= 0).all()
    assert found.cells.crs == found.polygons.crs == crs.METRIC


@pytest.mark.requirement("P8")
def test_meta_says_what_a_reader_must_know(crimes: gpd.GeoDataFrame) -> None:
    outside = gpd.GeoDataFrame(
        {columns.MONTH: ["2018-01", "2017-12"], columns.CATEGORY: "drugs"},
        geometry=gpd.points_from_xy([-5, 10], [-5, 10]),
        crs=crs.METRIC,
    )
    meta = run(pd.concat([crimes, outside], ignore_index=True)).meta
    assert meta["months"] == YEAR
    assert (meta["points"], meta["points_outside"], meta["points_other_months"]) == (493, 1, 1)
    assert (meta["cells"], meta["cells_that_can_hold_a_point"]) == (400, 400)
    assert meta["hot_cells"]["90"] >= meta["hot_cells"]["95"] >= meta["hot_cells"]["99"] > 0
    assert 0 < meta["hot_cells_by_permutation"] <= meta["hot_cells"]["95"]
    assert "Gi*" in meta["method"]
    assert "250 m" in meta["units"]
    import json

    assert json.loads(json.dumps(meta)) == meta


def test_cells_that_can_hold_a_point_counts_distinct_cells() -> None:
    x = np.r_[np.full(50, 100.0), np.linspace(10, 4990, 30)]
    spots = gpd.points_from_xy(x, np.full(80, 5.0))
    frame = gpd.GeoDataFrame({columns.MONTH: ["2018-01"] * 80}, geometry=spots, crs=crs.METRIC)
    # one row of points across the 20 cells of the south row
    assert run(frame).meta["cells_that_can_hold_a_point"] == 20


def test_a_run_repeats_to_the_digit_and_does_not_ask_for_order(crimes: gpd.GeoDataFrame) -> None:
    one, two = run(crimes), run(crimes.sample(frac=1, random_state=3), months=YEAR[::-1])
    pd.testing.assert_frame_equal(one.cells, two.cells, check_exact=True)
    pd.testing.assert_frame_equal(one.polygons, two.polygons, check_exact=True)
    assert one.meta == two.meta


def test_the_input_is_not_changed(crimes: gpd.GeoDataFrame) -> None:
    before = crimes.copy()
    run(crimes)
    pd.testing.assert_frame_equal(crimes, before)


def test_nothing_significant_gives_no_polygons_but_their_columns() -> None:
    x, y = square_grid((0, 0, 5000, 5000), cell_size_m=250).centres()
    # a chessboard: high and low side by side, nowhere a concentration
    twice = (np.arange(400) + np.arange(400) // 20) % 2 == 0
    spots = gpd.points_from_xy(np.r_[x, x[twice]], np.r_[y, y[twice]])
    frame = gpd.GeoDataFrame({columns.MONTH: ["2018-01"] * len(spots)}, geometry=spots, crs=crs.METRIC)
    found = run(frame)
    assert len(found.polygons) == 0
    assert {RANK, columns.COUNT, TOP, columns.CONFIDENCE, AREA_KM2, "geometry"} <= set(found.polygons.columns)
    assert found.polygons.crs == crs.METRIC
    assert found.meta["hot_cells_by_permutation"] == 0


def test_points_without_a_category_have_no_top(crimes: gpd.GeoDataFrame) -> None:
    assert run(crimes.drop(columns=columns.CATEGORY)).polygons[TOP].tolist()[0] == []


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"months": YEAR[:11]}, "11 months"),
        ({"months": [*YEAR, "2018-12"]}, "each once"),
        ({"months": [*YEAR[:11], "2018-13"]}, "2018-13"),
        ({"least_confidence": 80}, "least_confidence is 80"),
    ],
)
def test_unusable_parameters_are_refused(crimes: gpd.GeoDataFrame, changed: dict[str, object], message: str) -> None:
    with pytest.raises(MethodError, match=message):
        run(crimes, **changed)


def test_wrong_frames_are_refused(crimes: gpd.GeoDataFrame) -> None:
    with pytest.raises(CRSError):
        run(crimes.set_crs(crs.WGS84, allow_override=True))
    with pytest.raises(ColumnError, match="month"):
        run(crimes.drop(columns=columns.MONTH))


def test_each_place_knows_its_hot_spot_or_the_metres_to_it() -> None:
    spots = gpd.GeoDataFrame(
        {RANK: [2, 1]}, geometry=[shapely.box(0, 0, 100, 100), shapely.box(300, 0, 400, 100)], crs=crs.METRIC
    )
    shapes = [
        shapely.Point(50, 50),
        shapely.Point(130, 50),
        shapely.Point(200, 50),  # as near to both: the lower rank
        shapely.LineString([(290, 200), (350, 50)]),
        None,
        shapely.Point(),
        shapely.Point(103, 104),  # 3-4-5 from the corner
    ]
    places = gpd.GeoDataFrame(geometry=shapes, index=list("abcdefg"), crs=crs.METRIC)
    found = assign_hotspots(places, spots)
    assert found[HOTSPOT_RANK].tolist() == [2, 2, 1, 1, 0, 0, 2]
    np.testing.assert_allclose(found[HOTSPOT_M], [0, 30, 100, 0, np.nan, np.nan, 5], atol=1e-12)
    assert found.index.tolist() == list("abcdefg")
    assert list(places.columns) == ["geometry"]


def test_without_hot_spots_no_place_is_in_one() -> None:
    places = gpd.GeoDataFrame(geometry=[shapely.Point(0, 0)], crs=crs.METRIC)
    found = assign_hotspots(places, gpd.GeoDataFrame({RANK: []}, geometry=[], crs=crs.METRIC))
    assert found[HOTSPOT_RANK].tolist() == [0]
    assert found[HOTSPOT_M].isna().all()
