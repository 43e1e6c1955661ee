"""Kernel density per square kilometre and month: exact for compact kernels, of bounded error for the Gaussian."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from geopandas import GeoDataFrame

from geo import columns, crs
from geo.errors import MethodError
from geo.grid import SquareGrid

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

QUARTIC: Final = "quartic"
EPANECHNIKOV: Final = "epanechnikov"
GAUSSIAN: Final = "gaussian"
KERNELS: Final = (QUARTIC, EPANECHNIKOV, GAUSSIAN)

_M2_PER_KM2: Final = 1e6
_CHUNK: Final = 1 << 15  # points at a time: the working arrays of one chunk stay in the cache
_BAND: Final = 1 << 12  # points of one band of the Gaussian: its two matrices take some megabytes


def kernel_density(
    points: GeoDataFrame,
    grid: SquareGrid,
    *,
    bandwidth_m: float,
    months: int,
    kernel: str,
    tolerance: float | None = None,
) -> GeoDataFrame:
    """Density of points at the centre of each cell.

    Compact kernels (with ``u = distance / bandwidth_m``): quartic ``3 / (pi h**2) * (1 - u**2)**2`` and Epanechnikov
    ``2 / (pi h**2) * (1 - u**2)`` for u < 1, summed over all points within the bandwidth: exact but for rounding.
    Gaussian ``1 / (2 pi h**2) * exp(-u**2 / 2)``: points so far that all of them together add less than ``tolerance``
    are left out. Nothing is reflected at the rim of the data: density near it is too low.

    Parameters
    ----------
    points : GeoDataFrame, shape (n,)
        Points in ``crs.METRIC`` [m], those of the months counted; missing and empty points are left out.
    grid : SquareGrid
        Cells at whose centres the density is wanted; its ``cell_size_m`` is the resolution.
    bandwidth_m : float
        Bandwidth h [m]: the radius of a compact kernel, the standard deviation of the Gaussian; 300 m is usual here.
    months : int
        Months observed; a missing month is not counted.
    kernel : {"quartic", "epanechnikov", "gaussian"}
        Form of the kernel.
    tolerance : float, optional
        For the Gaussian alone, where it is required: largest absolute error of any cell [1 / km2 / month].

    Returns
    -------
    GeoDataFrame, shape (n_cells,)
        ``cell``, ``density`` [1 / km2 / month] and geometry [m], in the order of the grid.

    Raises
    ------
    CRSError
        If ``points`` is not in ``crs.METRIC``.
    MethodError
        If bandwidth, months or tolerance is not positive, or the kernel is not one of the three.

    References
    ----------
    Silverman, B. W. (1986). Density Estimation for Statistics and Data Analysis. Chapman and Hall, section 4.2 (the
    kernels K2 and Epanechnikov in two dimensions).
    """
    crs.require_metric(points)
    x, y = points.geometry.x.to_numpy(), points.geometry.y.to_numpy()
    density = density_of(
        np.column_stack([x, y]), grid, bandwidth_m=bandwidth_m, months=months, kernel=kernel, tolerance=tolerance
    )
    cells = grid.cells.assign(**{columns.DENSITY: density})
    return cells[[columns.CELL, columns.DENSITY, columns.GEOMETRY]]


def density_of(
    xy: npt.ArrayLike,
    grid: SquareGrid,
    *,
    bandwidth_m: float,
    months: int,
    kernel: str,
    tolerance: float | None = None,
) -> FloatArray:
    """Density at the centre of each cell, from arrays.

    Parameters
    ----------
    xy : array_like, shape (n, 2)
        Points in ``crs.METRIC`` [m]; points with NaN are left out.
    grid, bandwidth_m, months, kernel, tolerance
        As ``kernel_density``.

    Returns
    -------
    ndarray, shape (n_cells,)
        Density [1 / km2 / month] in the order of ``grid``.

    Raises
    ------
    MethodError
        As ``kernel_density``.
    """
    _require_options(bandwidth_m, months, kernel, tolerance)
    east, north, weight = _distinct(np.asarray(xy, dtype=np.float64).reshape(-1, 2))
    factor = _M2_PER_KM2 / months / (np.pi * bandwidth_m**2)
    if kernel == GAUSSIAN:
        reach = _gaussian_reach(float(weight.sum()) * factor / 2, float(tolerance or 0)) * bandwidth_m
        return _gaussian_sum(east, north, weight, grid, bandwidth_m, reach) * (factor / 2)
    power, peak = (2, 3) if kernel == QUARTIC else (1, 2)
    return _compact_sum(east, north, weight, grid, bandwidth_m, power) * (factor * peak)


def _require_options(bandwidth_m: float, months: int, kernel: str, tolerance: float | None) -> None:
    if kernel not in KERNELS:
        raise MethodError(f"The kernel {kernel!r} is not known; give one of {', '.join(KERNELS)}.")
    if not (bandwidth_m > 0 and np.isfinite(bandwidth_m)):
        raise MethodError(f"bandwidth_m is {bandwidth_m}; give a positive distance in metres.")
    if months < 1:
        raise MethodError(f"months is {months}; give the number of months observed, at least 1.")
    if kernel == GAUSSIAN and not (tolerance is not None and tolerance > 0):
        raise MethodError("The Gaussian never ends: give a positive tolerance [1 / km2 / month], such as 0.001.")
    if kernel != GAUSSIAN and tolerance is not None:
        raise MethodError(f"The {kernel} kernel is exact and takes no tolerance.")


def _distinct(xy: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Each position once with how often it came, by y, then x: police points repeat a few thousand positions."""
    known = np.isfinite(xy).all(axis=1)
    # complex numbers sort by their first part, then by their second: one sort instead of two
    ordered = np.empty(int(known.sum()), dtype=np.complex128)
    ordered.real, ordered.imag = xy[known, 1], xy[known, 0]
    ordered.sort()
    is_new = np.ones(len(ordered), dtype=bool)
    is_new[1:] = ordered[1:] != ordered[:-1]
    first = np.flatnonzero(is_new)
    counts = np.diff(np.append(first, len(ordered))).astype(np.float64)
    return ordered.imag[first], ordered.real[first], counts


def _gaussian_reach(peak: float, tolerance: float) -> float:
    """Distance in bandwidths beyond which all points together add less than ``tolerance``.

    A point at distance u adds at most ``exp(-u**2 / 2)`` of its peak, so points beyond ``sqrt(2 ln(peak / tolerance))``
    add less than the tolerance even if all of them lay there.
    """
    return float(np.sqrt(2 * np.log(max(peak / tolerance, 1.0))))


def _compact_sum(
    x: FloatArray, y: FloatArray, weight: FloatArray, grid: SquareGrid, h: float, power: int
) -> FloatArray:
    """Sum of ``(1 - u**2) ** power`` at the centres: source cell by source cell, offset by offset."""
    size = grid.cell_size_m
    table = _Table(grid, margin=int(np.ceil(h / size + 0.5)))
    column, row = np.floor(x / size), np.floor(y / size)
    near = table.holds(column, row)
    x, y, weight, column, row = (values[near] for values in (x, y, weight, column, row))
    order = np.lexsort((column, row))
    x, y, weight, column, row = (values[order] for values in (x, y, weight, column, row))
    cell = table.cell(column, row)
    for begin in range(0, len(x), _CHUNK):
        part = slice(begin, begin + _CHUNK)
        table.add_compact((x[part], y[part], weight[part]), (column[part], row[part], cell[part]), h, power)
    return table.at_cells()


class _Table:
    """Dense table of sums over the grid's bounding box and a margin wide enough for every source."""

    def __init__(self, grid: SquareGrid, *, margin: int) -> None:
        self._grid, self._margin, self._size = grid, margin, grid.cell_size_m
        # sources reach `margin` cells, and stand at most `margin` cells outside: two margins hold every target
        self._column, self._row = int(grid.column.min()) - 2 * margin, int(grid.row.min()) - 2 * margin
        self._columns = int(grid.column.max()) - self._column + 2 * margin + 1
        self._rows = int(grid.row.max()) - self._row + 2 * margin + 1
        self._sums = np.zeros(self._columns * self._rows)

    def holds(self, column: FloatArray, row: FloatArray) -> npt.NDArray[np.bool_]:
        """Whether a source cell is near enough to reach a cell of the grid."""
        inner, m = self._grid, self._margin
        near: npt.NDArray[np.bool_] = (column >= inner.column.min() - m) & (column <= inner.column.max() + m)
        near &= (row >= inner.row.min() - m) & (row <= inner.row.max() + m)
        return near

    def cell(self, column: FloatArray, row: FloatArray) -> IntArray:
        """Place of a cell in the table."""
        return ((row - self._row) * self._columns + (column - self._column)).astype(np.int64)

    def at_cells(self) -> FloatArray:
        """Return the sums at the cells of the grid."""
        return self._sums[self.cell(self._grid.column.astype(np.float64), self._grid.row.astype(np.float64))]

    def add_compact(self, points: tuple[FloatArray, ...], source: tuple[Any, ...], h: float, power: int) -> None:
        """Add what points, sorted by cell, give to the centres of all cells that the kernel can reach."""
        x, y, weight = points
        column, row, cell = source
        first = np.flatnonzero(np.diff(cell, prepend=-1))
        steps = range(-self._margin, self._margin + 1)
        # squared distances to the centres of the columns and rows around, in bandwidths
        across = [((x - (column + step + 0.5) * self._size) / h) ** 2 for step in steps]
        up = [((y - (row + step + 0.5) * self._size) / h) ** 2 for step in steps]
        for i, step_row in enumerate(steps):
            for j, step_column in enumerate(steps):
                if self._out_of_reach(step_row, step_column, h):
                    continue
                rest = np.maximum(1.0 - (across[j] + up[i]), 0.0)
                if power > 1:
                    rest *= rest
                rest *= weight
                target = cell[first] + step_row * self._columns + step_column
                self._sums[target] += np.add.reduceat(rest, first)

    def _out_of_reach(self, step_row: int, step_column: int, h: float) -> bool:
        """Whether even the nearest corner of the source cell is further than the bandwidth."""
        away = np.maximum(np.abs([step_row, step_column]) - 0.5, 0) * self._size
        return bool(np.hypot(*away) >= h)


def _gaussian_sum(
    x: FloatArray, y: FloatArray, weight: FloatArray, grid: SquareGrid, h: float, reach: float
) -> FloatArray:
    """Sum of ``exp(-u**2 / 2)`` at the centres: a product of a row part and a column part, band of rows by band."""
    size = grid.cell_size_m
    columns_ = np.arange(grid.column.min(), grid.column.max() + 1)
    rows = np.arange(grid.row.min(), grid.row.max() + 1)
    centre_x, centre_y = (columns_ + 0.5) * size, (rows + 0.5) * size
    near = (x > centre_x[0] - reach) & (x < centre_x[-1] + reach)
    x, y, weight = x[near], y[near], weight[near]  # y is ascending: see _distinct
    sums = np.zeros((len(rows), len(columns_)))
    # few large products: many small ones lose their time handing work between threads
    for begin in range(0, len(y), _BAND):
        part = slice(begin, begin + _BAND)
        # target rows within reach of any point of the band
        low, high = np.searchsorted(centre_y, [y[part][0] - reach, y[part][-1] + reach])
        up = np.exp(-0.5 * ((centre_y[low:high, None] - y[part]) / h) ** 2) * weight[part]
        across = np.exp(-0.5 * ((x[part, None] - centre_x) / h) ** 2)
        sums[low:high] += up @ across
    at_cells: FloatArray = sums[grid.row - rows[0], grid.column - columns_[0]]
    return at_cells
