"""Nearest boundary line of a set of areas, exact, for one point or millions."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import shapely

from geo.area_grid import FloatArray, IntArray, expand

TIE_M: Final = 0.1  # two edges whose distances differ by less count as one shared line [m]

_POINTS_PER_CELL: Final = 16  # a search cell must serve about so many points to be worth its list of lines
_PAIRS: Final = 1 << 20  # point-line pairs at a time: bounds memory
_BULK: Final = 4096  # fewer points are searched one by one


class EdgeLines:
    """All ring edges of a set of areas with a search tree.

    Many points share a search: the lines that can be nearest to any point of a square cell lie within the distance of
    the cell's centre to its nearest line, plus the cell's diagonal.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        Vertices of all rings in order [m].
    ring : ndarray of int, shape (n,)
        Number of the ring of each vertex.
    area : ndarray of int, shape (n,)
        Position of the area of each vertex.
    """

    def __init__(self, points: FloatArray, ring: IntArray, area: IntArray) -> None:
        joined = ring[1:] == ring[:-1]
        self._start = points[:-1][joined]
        self._step = points[1:][joined] - self._start
        self._area = area[1:][joined].astype(np.int32)
        squared = (self._step**2).sum(axis=1)
        self._inverse = np.divide(1.0, squared, out=np.zeros_like(squared), where=squared > 0)
        self._tree = shapely.STRtree(shapely.linestrings(np.stack([self._start, self._start + self._step], axis=1)))

    def nearest(
        self, x: FloatArray, y: FloatArray, own: npt.NDArray[np.int32]
    ) -> tuple[FloatArray, npt.NDArray[np.int32]]:
        """Distance to the nearest line and the lowest other area that has a line as near.

        Parameters
        ----------
        x, y : ndarray, shape (n,)
            Points [m].
        own : ndarray of int32, shape (n,)
            Position of the area of each point, -1 outside.

        Returns
        -------
        edge_m : ndarray, shape (n,)
            Distance [m], NaN where a coordinate is not finite.
        neighbour : ndarray of int32, shape (n,)
            Position of the other area, -1 where there is none.
        """
        edge_m = np.full(len(x), np.nan)
        neighbour = np.full(len(x), -1, dtype=np.int32)
        known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
        if len(known):
            centres, reach, cell = _search_cells(x[known], y[known])
            starts, lines = self._candidates(centres, reach)
            counts = (starts[1:] - starts[:-1])[cell]
            cuts = np.searchsorted(np.cumsum(counts), np.arange(_PAIRS, counts.sum(), _PAIRS))
            for part in np.split(np.arange(len(known)), cuts):
                here = known[part]
                pair, step = expand(counts[part])
                line = lines[starts[cell[part]][pair] + step]
                edge_m[here], neighbour[here] = self._reduce(x[here], y[here], own[here], pair, line)
        return edge_m, neighbour

    def _candidates(self, centres: FloatArray, reach: float) -> tuple[IntArray, IntArray]:
        """Lines that can be nearest to a point within ``reach`` of each centre: starts into one list."""
        points = shapely.points(centres)
        (_, _), distance = self._tree.query_nearest(points, all_matches=False, return_distance=True)
        # a little more than the geometry asks for, against rounding
        radius = (distance + 2 * reach + TIE_M) * (1 + 1e-9)
        cell, line = self._tree.query(points, predicate="dwithin", distance=radius)
        order = np.argsort(cell, kind="stable")
        starts = np.searchsorted(cell[order], np.arange(len(centres) + 1))
        return starts.astype(np.int64), line[order].astype(np.int64)

    def _reduce(
        self, x: FloatArray, y: FloatArray, own: npt.NDArray[np.int32], pair: IntArray, line: IntArray
    ) -> tuple[FloatArray, npt.NDArray[np.int32]]:
        """Least distance over the pairs of each point, and the lowest other area within ``TIE_M`` of it."""
        if not len(x):
            return np.empty(0), np.empty(0, dtype=np.int32)
        dx, dy = x[pair] - self._start[line, 0], y[pair] - self._start[line, 1]
        step_x, step_y = self._step[line, 0], self._step[line, 1]
        along = np.clip((dx * step_x + dy * step_y) * self._inverse[line], 0.0, 1.0)
        distance = np.hypot(dx - along * step_x, dy - along * step_y)
        first = np.flatnonzero(np.diff(pair, prepend=-1))
        least = np.minimum.reduceat(distance, first)
        area = self._area[line]
        none = np.int32(np.iinfo(np.int32).max)
        across = np.where((distance <= least[pair] + TIE_M) & (area != own[pair]), area, none)
        lowest = np.minimum.reduceat(across, first)
        return least, np.where(lowest == none, np.int32(-1), lowest)


def _search_cells(x: FloatArray, y: FloatArray) -> tuple[FloatArray, float, IntArray]:
    """Centres to search from, how far a point can lie from its centre, and the centre of each point."""
    if len(x) < _BULK:
        return np.column_stack([x, y]), 0.0, np.arange(len(x))
    west, south = x.min(), y.min()
    width, height = max(x.max() - west, 1.0), max(y.max() - south, 1.0)
    side = np.sqrt(width * height * _POINTS_PER_CELL / len(x))
    column, row = ((x - west) // side).astype(np.int64), ((y - south) // side).astype(np.int64)
    columns = int(width // side) + 1
    cells, cell = np.unique(row * columns + column, return_inverse=True)
    centres = np.column_stack([west + (cells % columns + 0.5) * side, south + (cells // columns + 0.5) * side])
    return centres, float(side * np.sqrt(0.5) * (1 + 1e-9)), cell
