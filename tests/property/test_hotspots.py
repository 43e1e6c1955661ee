"""Laws of Gi*: unmoved by scale, shift and order; the false discovery rate keeps its promise; counts add up."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import sparse

from geo import columns, crs
from geo.getis import confidence_classes, fdr_threshold, gi_star, permutation_p_values
from geo.grid import square_grid
from geo.hotspots import find_hotspots

GRID = square_grid((0, 0, 800, 600), cell_size_m=100)
NEIGHBOURS = GRID.neighbours()
COUNTS = st.lists(st.integers(0, 50), min_size=48, max_size=48).filter(lambda c: len(set(c)) > 1).map(np.array)


@settings(max_examples=60, deadline=None)
@given(COUNTS, st.integers(1, 1000), st.integers(0, 1000))
def test_scale_and_shift_of_the_counts_do_not_matter(counts: np.ndarray, scale: int, shift: int) -> None:
    np.testing.assert_allclose(gi_star(counts * scale + shift, NEIGHBOURS), gi_star(counts, NEIGHBOURS), atol=1e-8)


@settings(max_examples=60, deadline=None)
@given(COUNTS, st.permutations(range(48)))
def test_order_of_cells_does_not_matter(counts: np.ndarray, order: list[int]) -> None:
    shuffled = sparse.csr_array(NEIGHBOURS[order][:, order])
    np.testing.assert_allclose(gi_star(counts[order], shuffled), gi_star(counts, NEIGHBOURS)[order], atol=1e-10)


@settings(max_examples=60, deadline=None)
@given(COUNTS)
def test_gi_star_equals_the_sums_written_out(counts: np.ndarray) -> None:
    weights = NEIGHBOURS.toarray().astype(float) + np.eye(48)
    mean, sd = counts.mean(), np.sqrt((counts.astype(float) ** 2).mean() - counts.mean() ** 2)
    w1, w2 = weights.sum(axis=1), (weights**2).sum(axis=1)
    expected = (weights @ counts - mean * w1) / (sd * np.sqrt((48 * w2 - w1**2) / 47))
    np.testing.assert_allclose(gi_star(counts, NEIGHBOURS), expected, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=80), st.sampled_from([0.1, 0.05, 0.01]))
def test_as_many_are_significant_as_the_threshold_says(p: list[float], alpha: float) -> None:
    threshold = fdr_threshold(p, alpha=alpha)
    significant = int((np.array(p) <= threshold).sum())
    assert threshold <= max(significant, 1) * alpha / len(p) * (1 + 1e-12)
    classes = confidence_classes(p)
    assert (np.diff(classes[np.argsort(p, kind="stable")]) <= 0).all()


@settings(max_examples=40, deadline=None)
@given(COUNTS, st.integers(0, 99))
def test_permutation_p_is_a_share_of_draws(counts: np.ndarray, seed: int) -> None:
    p = permutation_p_values(counts, NEIGHBOURS, permutations=199, seed=seed)
    assert ((p >= 1 / 200) & (p <= 1)).all()
    np.testing.assert_allclose(p * 200, np.round(p * 200), atol=1e-9)
    again = permutation_p_values(counts, NEIGHBOURS, permutations=199, seed=seed)
    assert (p == again).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(20, 400))
def test_counts_in_cells_and_outside_add_up(seed: int, n: int) -> None:
    random = np.random.default_rng(seed)
    # half the points on round numbers: on edges and corners of cells
    x, y = random.uniform(-100, 900, (2, n))
    x[::2], y[::2] = np.round(x[::2], -2), np.round(y[::2], -2)
    months = [f"2018-{month:02d}" for month in range(1, 13)]
    frame = {columns.MONTH: random.choice(months, n), columns.CATEGORY: random.choice(["a", "b"], n)}
    points = gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(x, y), crs=crs.METRIC)
    assume(len(np.unique(np.bincount(GRID.cell_of(x, y) + 1, minlength=49)[1:])) > 1)
    found = find_hotspots(points, GRID, months=months, least_confidence=90, permutations=99, seed=1)
    assert found.cells[columns.COUNT].sum() + found.meta["points_outside"] == n
    inside = (x >= 0) & (x <= 800) & (y >= 0) & (y <= 600)
    assert found.meta["points_outside"] == (~inside).sum()
    hot = found.cells[found.cells[columns.CONFIDENCE] >= 90]
    assert found.polygons[columns.COUNT].sum() == hot[columns.COUNT].sum()
    assert all(sum(count for _, count in top) == total for top, total in found.polygons[["top", "count"]].to_numpy())
