"""Kernel density: one point by hand, the direct sum, scikit-learn, units, refusals."""

from __future__ import annotations

import math

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geo import columns, crs
from geo.density import EPANECHNIKOV, GAUSSIAN, KERNELS, QUARTIC, density_of, kernel_density
from geo.errors import CRSError, MethodError
from geo.grid import SquareGrid, square_grid


@pytest.fixture(scope="module")
def grid() -> SquareGrid:
    return square_grid((0, 0, 3000, 2000), cell_size_m=100)


def options(kernel: str, **changed: object) -> dict[str, object]:
    tolerance = 1e-6 if kernel == GAUSSIAN else None
    return {"bandwidth_m": 300, "months": 1, "kernel": kernel, "tolerance": tolerance} | changed


def direct_sum(xy: np.ndarray, grid: SquareGrid, kernel: str, bandwidth_m: float) -> np.ndarray:
    """Every point at every centre, in plain words."""
    x, y = grid.centres()
    total = np.zeros(len(grid))
    for east, north in xy:
        u2 = ((x - east) ** 2 + (y - north) ** 2) / bandwidth_m**2
        if kernel == QUARTIC:
            total += np.where(u2 < 1, 3 * (1 - u2) ** 2, 0)
        elif kernel == EPANECHNIKOV:
            total += np.where(u2 < 1, 2 * (1 - u2), 0)
        else:
            total += np.exp(-u2 / 2) / 2
    return total * 1e6 / (math.pi * bandwidth_m**2)


@pytest.mark.parametrize(("kernel", "peak"), [(QUARTIC, 3), (EPANECHNIKOV, 2), (GAUSSIAN, 0.5)])
def test_peak_of_one_point_by_hand(grid: SquareGrid, kernel: str, peak: float) -> None:
    # one point on a centre: peak / (pi * 0.3 km * 0.3 km) a km2, shared by 4 months
    density = density_of([[1550, 950]], grid, **options(kernel, months=4))
    assert density.max() == pytest.approx(peak / (math.pi * 0.09) / 4, rel=1e-12)
    x, y = grid.centres()
    assert (x[density.argmax()], y[density.argmax()]) == (1550, 950)


def test_quartic_beside_its_point_by_hand(grid: SquareGrid) -> None:
    # 150 m off is half a bandwidth: (1 - 1/4)**2 = 0.5625 of the peak; 300 m off is nothing
    density = density_of([[1400, 950]], grid, **options(QUARTIC))
    by_x = {x: value for x, y, value in zip(*grid.centres(), density, strict=True) if y == 950}
    assert by_x[1550] == pytest.approx(0.5625 * 3 / (math.pi * 0.09), rel=1e-12)
    assert by_x[1250] == pytest.approx(by_x[1550], rel=1e-12)
    assert density_of([[1250, 950]], grid, **options(QUARTIC))[grid.cell_of([1550], [950])[0]] == 0


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(("bandwidth_m", "cell_size_m"), [(300, 100), (90, 100), (30, 100), (777, 130)])
def test_equals_the_direct_sum(kernel: str, bandwidth_m: float, cell_size_m: float) -> None:
    grid = square_grid((0, 0, 3000, 2000), cell_size_m=cell_size_m)
    xy = np.random.default_rng(1).uniform([-900, -900], [3900, 2900], (400, 2))
    xy[:200] = np.round(xy[:200], -2)  # on edges and corners of cells, and many of them twice
    expected = direct_sum(xy, grid, kernel, bandwidth_m)
    found = density_of(xy, grid, **options(kernel, bandwidth_m=bandwidth_m))
    if kernel == GAUSSIAN:
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
        assert (found <= expected * (1 + 1e-12)).all()  # what is left out can only be missing
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=0)


def test_gaussian_keeps_a_coarse_tolerance_and_gets_faster_by_it(grid: SquareGrid) -> None:
    xy = np.random.default_rng(2).uniform(0, 2000, (2000, 2))
    expected = direct_sum(xy, grid, GAUSSIAN, 300)
    found = density_of(xy, grid, **options(GAUSSIAN, tolerance=50.0))
    assert 0 < np.abs(found - expected).max() <= 50


def test_repeated_points_weigh_as_often_as_they_come(grid: SquareGrid) -> None:
    once = density_of([[1234, 567]], grid, **options(QUARTIC))
    often = density_of([[1234, 567]] * 1000, grid, **options(QUARTIC))
    np.testing.assert_allclose(often, 1000 * once, rtol=1e-12)


@pytest.mark.parametrize("kernel", KERNELS)
def test_all_points_are_found_again_in_the_integral(kernel: str) -> None:
    # a grid wide enough for the whole kernel: density * area adds up to the number of points, within the rule's error
    grid = square_grid((-3000, -3000, 3000, 3000), cell_size_m=50)
    density = density_of([[10, 20], [-130, 75]], grid, **options(kernel))
    assert density.sum() * 0.05**2 == pytest.approx(2, abs=1e-2)


def test_epanechnikov_equals_scikit_learn(grid: SquareGrid) -> None:
    from sklearn.neighbors import KernelDensity

    xy = np.random.default_rng(3).uniform(0, 2000, (500, 2))
    model = KernelDensity(bandwidth=300, kernel="epanechnikov", algorithm="kd_tree", rtol=0, atol=0).fit(xy)
    expected = np.exp(model.score_samples(np.column_stack(grid.centres()))) * 500 * 1e6
    np.testing.assert_allclose(density_of(xy, grid, **options(EPANECHNIKOV)), expected, rtol=1e-9, atol=1e-12)


def test_points_far_away_or_missing_add_nothing(grid: SquareGrid) -> None:
    xy = [[1550, 950], [np.nan, 1], [1, np.inf], [1e12, 1e12], [-1e300, 0]]
    alone = density_of([[1550, 950]], grid, **options(QUARTIC))
    assert density_of(xy, grid, **options(QUARTIC)).tolist() == alone.tolist()
    assert (density_of(np.empty((0, 2)), grid, **options(GAUSSIAN)) == 0).all()
    assert (density_of(np.empty((0, 2)), grid, **options(QUARTIC)) == 0).all()


def test_frames_in_frames_out(grid: SquareGrid) -> None:
    points = gpd.GeoDataFrame(geometry=[shapely.Point(1550, 950), None, shapely.Point()], crs=crs.METRIC)
    cells = kernel_density(points, grid, bandwidth_m=300, months=12, kernel=QUARTIC)
    assert list(cells.columns) == [columns.CELL, columns.DENSITY, "geometry"]
    assert cells.crs == crs.METRIC
    assert cells[columns.DENSITY].max() == pytest.approx(3 / (math.pi * 0.09) / 12)
    with pytest.raises(CRSError):
        kernel_density(points.to_crs(crs.WGS84), grid, bandwidth_m=300, months=12, kernel=QUARTIC)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"kernel": "square"}, "'square' is not known"),
        ({"bandwidth_m": 0}, "bandwidth_m is 0"),
        ({"bandwidth_m": np.nan}, "bandwidth_m is nan"),
        ({"months": 0}, "months is 0"),
        ({"kernel": GAUSSIAN}, "positive tolerance"),
        ({"kernel": GAUSSIAN, "tolerance": 0.0}, "positive tolerance"),
        ({"tolerance": 0.1}, "takes no tolerance"),
    ],
)
def test_unusable_options_are_refused(grid: SquareGrid, changed: dict[str, object], message: str) -> None:
    with pytest.raises(MethodError, match=message):
        density_of([[1, 1]], grid, **({"bandwidth_m": 300, "months": 1, "kernel": QUARTIC} | changed))
