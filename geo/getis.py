"""Local statistics on arrays: Getis-Ord Gi*, false discovery rate, conditional permutations."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import special

from geo.errors import MethodError

FloatArray = npt.NDArray[np.float64]

CONFIDENCE_CLASSES: Final = (90, 95, 99)  # in percent, after the false discovery rate
FEWEST_UNITS: Final = 30  # rule of thumb for the normal approximation; desktop GIS manuals ask for the same
FEWEST_PERMUTATIONS: Final = 99


def gi_star(counts: npt.ArrayLike, neighbours: Any) -> FloatArray:
    """Standardised Getis-Ord Gi* with binary weights, the cell itself included.

    With the cell and its neighbours weighing 1 and all other cells 0, W the number of cells so weighed, and mean and
    standard deviation over all n cells:
    ``z = (sum over the W cells - mean * W) / (sd * sqrt((n * W - W**2) / (n - 1)))``.

    Parameters
    ----------
    counts : array_like, shape (n,)
        Count in each cell.
    neighbours : sparse array, shape (n, n)
        Binary contiguity without the cell itself, as ``AnalysisUnits.neighbours`` gives it.

    Returns
    -------
    ndarray, shape (n,)
        z scores; 0 for a cell that neighbours all others, since nothing is left to compare it with.

    Raises
    ------
    MethodError
        If there are fewer than 30 cells, the matrix does not fit, or all counts are equal.

    References
    ----------
    Ord, J. K. and Getis, A. (1995). Local spatial autocorrelation statistics: distributional issues and an application.
    Geographical Analysis 27(4), 286-306, equation 14.

    Getis, A. and Ord, J. K. (1992). The analysis of spatial association by use of distance statistics. Geographical
    Analysis 24(3), 189-206.
    """
    values = _require_counts(counts, neighbours)
    n = len(values)
    weight = np.diff(neighbours.indptr) + 1.0
    total = neighbours @ values + values
    spread = values.std() * np.sqrt((n * weight - weight**2) / (n - 1))
    z = np.zeros(n)
    np.divide(total - values.mean() * weight, spread, out=z, where=spread > 0)
    return z


def hot_p_values(z: npt.ArrayLike) -> FloatArray:
    """One-sided p-values of the hot side under the normal distribution.

    Parameters
    ----------
    z : array_like, shape (n,)
        Standard scores.

    Returns
    -------
    ndarray, shape (n,)
        Probability of a score as high or higher.
    """
    return np.asarray(special.ndtr(-np.asarray(z, dtype=np.float64)), dtype=np.float64)


def fdr_threshold(p_values: npt.ArrayLike, *, alpha: float) -> float:
    """Largest p-value to call significant at a false discovery rate.

    Parameters
    ----------
    p_values : array_like, shape (n,)
        One p-value a test.
    alpha : float
        False discovery rate, between 0 and 1.

    Returns
    -------
    float
        ``k * alpha / n`` for the largest k with ``p_(k) <= k * alpha / n``; ``alpha / n`` (Bonferroni) when there is
        none.

    Raises
    ------
    MethodError
        If there is no p-value, or ``alpha`` is not between 0 and 1.

    References
    ----------
    Benjamini, Y. and Hochberg, Y. (1995). Controlling the false discovery rate: a practical and powerful approach to
    multiple testing. Journal of the Royal Statistical Society B 57(1), 289-300.

    Caldas de Castro, M. and Singer, B. H. (2006). Controlling the false discovery rate: a new application to account
    for multiple and dependent tests in local statistics of spatial association. Geographical Analysis 38(2), 180-208.
    """
    p = np.sort(np.asarray(p_values, dtype=np.float64))
    if not len(p) or not 0 < alpha < 1:
        raise MethodError(f"{len(p):,} p-values and alpha {alpha} were given; give at least one, and 0 < alpha < 1.")
    bounds = np.arange(1, len(p) + 1) * alpha / len(p)
    passed = np.flatnonzero(p <= bounds)
    return float(bounds[passed[-1]] if len(passed) else alpha / len(p))


def confidence_classes(p_values: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Confidence class of each test after the false discovery rate.

    Parameters
    ----------
    p_values : array_like, shape (n,)
        One-sided p-values.

    Returns
    -------
    ndarray of int, shape (n,)
        99, 95 or 90 [%]; 0 when not significant at 90.
    """
    p = np.asarray(p_values, dtype=np.float64)
    classes = np.zeros(len(p), dtype=np.int64)
    for level in CONFIDENCE_CLASSES:
        classes[p <= fdr_threshold(p, alpha=1 - level / 100)] = level
    return classes


def permutation_p_values(counts: npt.ArrayLike, neighbours: Any, *, permutations: int, seed: int) -> FloatArray:
    """Conditional-permutation p-values of the hot side: each cell stays, its neighbours are drawn from all others.

    All cells share their draws (as in esda): one draw is a random order of a few cells. For a cell with k neighbours it
    gives the first k of them, the cell itself skipped. Since the skip matters only in the few draws that name the cell,
    the sums of all cells are counted from one sorted list a k, and corrected there; this is exact, and a thousand times
    as fast as drawing for each cell.

    Parameters
    ----------
    counts : array_like of int, shape (n,)
        Count in each cell.
    neighbours : sparse array, shape (n, n)
        Binary contiguity without the cell itself.
    permutations : int
        Number of draws, at least 99.
    seed : int
        Seed of the draws: the same seed gives the same digits.

    Returns
    -------
    ndarray, shape (n,)
        ``(1 + draws with a sum as high) / (1 + permutations)``; never below ``1 / (1 + permutations)``.

    Raises
    ------
    MethodError
        As ``gi_star``; or if fewer than 99 draws are asked for, or a cell neighbours nearly all others.

    References
    ----------
    Anselin, L. (1995). Local indicators of spatial association - LISA. Geographical Analysis 27(2), 93-115, section 3.
    """
    values = _require_counts(counts, neighbours)
    if permutations < FEWEST_PERMUTATIONS:
        raise MethodError(
            f"{permutations} permutations cannot tell 0.05 from chance; ask for at least {FEWEST_PERMUTATIONS}."
        )
    degree = np.diff(neighbours.indptr)
    draws = _distinct_draws(len(values), int(degree.max()) + 1, permutations, seed)
    running = np.cumsum(values[draws], axis=1)
    observed = neighbours @ values
    as_high = np.empty(len(values), dtype=np.int64)
    for k in np.unique(degree):
        cells = np.flatnonzero(degree == k)
        if k == 0:
            as_high[cells] = permutations
            continue
        as_high[cells] = permutations - np.searchsorted(np.sort(running[:, k - 1]), observed[cells], side="left")
        # draws whose first k name the cell itself: take it out and the next one in
        draw, place = np.nonzero(degree[draws[:, :k]] == k)
        cell = draws[draw, place]
        corrected = running[draw, k] - values[cell]
        change = (corrected >= observed[cell]).astype(np.int64) - (running[draw, k - 1] >= observed[cell])
        np.add.at(as_high, cell, change)
    return (1 + as_high) / (1 + permutations)


def _distinct_draws(n: int, length: int, draws: int, seed: int) -> npt.NDArray[np.int64]:
    """Random sequences of distinct positions, each sequence equally likely (drawn again until distinct)."""
    if 2 * length > n:
        raise MethodError(f"A cell has {length - 1} neighbours among {n} cells; too many to draw others at random.")
    random = np.random.default_rng(seed)
    table = np.empty((draws, length), dtype=np.int64)
    pending = np.arange(draws)
    while len(pending):
        table[pending] = random.integers(0, n, (len(pending), length))
        ordered = np.sort(table[pending], axis=1)
        pending = pending[(ordered[:, 1:] == ordered[:, :-1]).any(axis=1)]
    return table


def _require_counts(counts: npt.ArrayLike, neighbours: Any) -> FloatArray:
    values = np.asarray(counts, dtype=np.float64)
    if neighbours.shape != (len(values), len(values)):
        raise MethodError(
            f"{len(values):,} counts were given with a matrix of shape {neighbours.shape}; give one a cell."
        )
    if len(values) < FEWEST_UNITS:
        raise MethodError(f"{len(values):,} cells are too few for Gi*; use at least {FEWEST_UNITS} (smaller cells).")
    if not np.isfinite(values).all() or values.min() == values.max():
        raise MethodError("All cells hold the same count, or a count is not a number: nothing stands out.")
    return values
