"""Laws of the density: order does not matter, sets add up, months divide, nothing is negative."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.density import EPANECHNIKOV, QUARTIC, density_of
from geo.grid import square_grid

GRID = square_grid((0, 0, 1000, 800), cell_size_m=100)
# whole hundreds and fifties fall on edges and centres of cells
COORDINATE = st.one_of(st.integers(-10, 30).map(lambda k: k * 50.0), st.floats(-500, 1500))
POINTS = st.lists(st.tuples(COORDINATE, COORDINATE), min_size=1, max_size=40).map(np.array)
OPTIONS = st.fixed_dictionaries(
    {"kernel": st.sampled_from([QUARTIC, EPANECHNIKOV]), "bandwidth_m": st.sampled_from([40.0, 100.0, 333.0])}
)


@settings(max_examples=80, deadline=None)
@given(POINTS, OPTIONS, st.randoms(use_true_random=False))
def test_order_does_not_matter_and_nothing_is_negative(points, options, random) -> None:  # noqa: ANN001
    shuffled = points.copy().tolist()
    random.shuffle(shuffled)
    one, two = (density_of(xy, GRID, months=1, **options) for xy in (points, shuffled))
    assert (one == two).all()
    assert (one >= 0).all()


@settings(max_examples=80, deadline=None)
@given(POINTS, POINTS, OPTIONS, st.integers(1, 60))
def test_sets_of_points_add_up_and_months_divide(one, two, options, months) -> None:  # noqa: ANN001
    both = density_of(np.concatenate([one, two]), GRID, months=months, **options)
    apart = density_of(one, GRID, months=1, **options) + density_of(two, GRID, months=1, **options)
    np.testing.assert_allclose(both * months, apart, rtol=1e-9, atol=1e-12)


@settings(max_examples=80, deadline=None)
@given(POINTS, OPTIONS)
def test_equals_the_direct_sum(points, options) -> None:  # noqa: ANN001
    x, y = GRID.centres()
    h = options["bandwidth_m"]
    u2 = ((x[:, None] - points[:, 0]) ** 2 + (y[:, None] - points[:, 1]) ** 2) / h**2
    rest = np.clip(1 - u2, 0, None)
    kernel = 3 * rest**2 if options["kernel"] == QUARTIC else 2 * rest
    expected = kernel.sum(axis=1) * 1e6 / (np.pi * h**2)
    # where a point lies on the very rim of the kernel the last digit of 1 - u**2 is all there is
    np.testing.assert_allclose(density_of(points, GRID, months=1, **options), expected, rtol=1e-9, atol=1e-12)
