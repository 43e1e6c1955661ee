"""Nearest boundary line of a set of areas, exact, for one point or millions."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely

from geo.area_grid import FloatArray, IntArray, expand

TIE_M: Final = 0.1  # two edges whose distances differ by less count as one shared line [m]

_POINTS_PER_CELL: Final = 2  # points that share one search; more of them get longer lists of lines
_BLOCK: Final = 4096  # points at a time: the working arrays stay in the cache
_FEW: Final = 64  # below, the tree of lines alone is quicker than building a second one
_ROUNDING: Final = 1 + 1e-9  # a search goes this much further than the geometry asks for

PositionArray = npt.NDArray[np.int32]


class EdgeLines:
    """All ring edges of a set of areas with a search tree.

    Points near each other share a search: with r the distance from their middle to the furthest of them, and b the
    distance from their middle to any line, no line further than ``b + 2 r`` from the middle is nearest to one of them.

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
        start, stop = points[:-1][joined], points[1:][joined]
        step = stop - start
        squared = (step**2).sum(axis=1)
        inverse = np.divide(1.0, squared, out=np.zeros_like(squared), where=squared > 0)
        self._lines = np.stack([*start.T, *step.T, inverse])
        self._area = area[1:][joined].astype(np.int32)
        self._tree = shapely.STRtree(shapely.linestrings(np.stack([start, stop], axis=1)))
        self._spots: Any = None

    def nearest(self, x: FloatArray, y: FloatArray, own: PositionArray) -> tuple[FloatArray, PositionArray]:
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
        cell = _search_cells(x[known], y[known])
        order = known[np.argsort(cell, kind="stable")]
        cell.sort()
        for begin, stop in _blocks(cell):
            here = order[begin:stop]
            edge_m[here], neighbour[here] = self._block(x[here], y[here], own[here], cell[begin:stop])
        return edge_m, neighbour

    def nearest_one(self, x: float, y: float, own: int) -> tuple[float, int]:
        """Answer ``nearest`` for one point, to the last bit, without the steps that only many points need.

        Parameters
        ----------
        x, y : float
            A point [m].
        own : int
            Position of its area, -1 outside.

        Returns
        -------
        edge_m : float
            Distance [m], NaN where a coordinate is not finite.
        neighbour : int
            Position of the other area, -1 where there is none.
        """
        if not (math.isfinite(x) and math.isfinite(y)):
            return math.nan, -1
        _, distance = self._tree.query_nearest(shapely.Point(x, y), all_matches=False, return_distance=True)
        radius = (float(distance[0]) + TIE_M) * _ROUNDING
        line = self._tree.query(shapely.box(x - radius, y - radius, x + radius, y + radius))
        squared = self._squared(x, y, line)
        least = float(np.sqrt(squared.min()))
        others = self._area[line[squared <= (least + TIE_M) ** 2]]
        others = others[others != own]
        return least, int(others.min()) if len(others) else -1

    def _block(
        self, x: FloatArray, y: FloatArray, own: PositionArray, cell: IntArray
    ) -> tuple[FloatArray, PositionArray]:
        """Search once a cell, then measure every point against the lines of its cell."""
        first = np.flatnonzero(np.diff(cell, prepend=-1))
        size = np.diff(np.append(first, len(cell)))
        search = np.repeat(np.arange(len(first)), size)
        middle_x, middle_y = np.add.reduceat(x, first) / size, np.add.reduceat(y, first) / size
        apart = np.maximum.reduceat(np.hypot(x - middle_x[search], y - middle_y[search]), first)
        starts, lines = self._candidates(middle_x, middle_y, apart)
        point, step = expand((starts[1:] - starts[:-1])[search])
        line = lines[starts[search[point]] + step]
        squared = self._squared(x[point], y[point], line)
        begin = np.flatnonzero(np.diff(point, prepend=-1))
        least = np.sqrt(np.minimum.reduceat(squared, begin))
        area, none = self._area[line], np.iinfo(np.int32).max
        as_near = squared <= ((least + TIE_M) ** 2)[point]
        lowest = np.minimum.reduceat(np.where(as_near & (area != own[point]), area, none), begin)
        return least, np.where(lowest == none, -1, lowest).astype(np.int32)

    def _candidates(self, x: FloatArray, y: FloatArray, apart: FloatArray) -> tuple[IntArray, IntArray]:
        """Lines that can be nearest to a point within ``apart`` of each middle: starts into one list."""
        radius = (self._bound(x, y) + 2 * apart + TIE_M) * _ROUNDING
        search, line = self._tree.query(shapely.box(x - radius, y - radius, x + radius, y + radius))
        near = self._squared(x[search], y[search], line) <= (radius**2)[search]
        search, line = search[near], line[near]
        return np.searchsorted(search, np.arange(len(x) + 1)).astype(np.int64), line.astype(np.int64)

    def _bound(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Distance to some line near each middle: never less than to the nearest."""
        if len(x) < _FEW and self._spots is None:
            (_, _), distance = self._tree.query_nearest(shapely.points(x, y), all_matches=False, return_distance=True)
            return np.asarray(distance, dtype=np.float64)
        if self._spots is None:
            self._spots = self._spots_along()
        return np.asarray(self._spots.query(np.column_stack([x, y]))[0], dtype=np.float64)

    def _spots_along(self) -> Any:
        """Tree of points along all lines, close enough that the nearest one is a good bound."""
        from scipy.spatial import cKDTree  # noqa: PLC0415  a single place does not need it

        start_x, start_y, step_x, step_y, _ = self._lines
        length = np.hypot(step_x, step_y)
        line, number = expand(np.ceil(length / max(float(np.median(length)), 1.0)).astype(np.int64))
        share = (number + 0.5) / np.bincount(line, minlength=len(length))[line]
        return cKDTree(np.column_stack([start_x[line] + share * step_x[line], start_y[line] + share * step_y[line]]))

    def _squared(self, x: FloatArray | float, y: FloatArray | float, line: IntArray) -> FloatArray:
        """Squared distance of each point to its line [m2]."""
        start_x, start_y, step_x, step_y, inverse = self._lines[:, line]
        dx, dy = x - start_x, y - start_y
        along = (dx * step_x + dy * step_y) * inverse
        np.fmin(np.fmax(along, 0.0, out=along), 1.0, out=along)
        squared: FloatArray = (dx - along * step_x) ** 2 + (dy - along * step_y) ** 2
        return squared


def _search_cells(x: FloatArray, y: FloatArray) -> IntArray:
    """Give each point the number of its square cell; the cells are such that a few points share one."""
    if not len(x):
        return np.empty(0, dtype=np.int64)
    west, south = x.min(), y.min()
    width, height = max(x.max() - west, 1.0), max(y.max() - south, 1.0)
    side = float(np.sqrt(width * height * _POINTS_PER_CELL / len(x)))
    column, row = ((x - west) // side).astype(np.int64), ((y - south) // side).astype(np.int64)
    cells: IntArray = row * (int(width // side) + 1) + column
    return cells


def _blocks(cell: IntArray) -> list[tuple[int, int]]:
    """Cut sorted cells into runs of about ``_BLOCK`` points."""
    return [(begin, min(begin + _BLOCK, len(cell))) for begin in range(0, len(cell), _BLOCK)]
