"""Exact and fast answer to "which area holds this point", on numpy and shapely alone."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely

from geo.area_edges import EdgeLines
from geo.area_grid import FINE, NOWHERE, Edges, FloatArray, build_tables
from geo.errors import BoundaryError, GeometryError

PositionArray = npt.NDArray[np.int32]

_COARSE_CELLS: Final = 1_000_000  # 4 MB: the first level stays in the processor's cache
_SMALLEST_FINE_CELL_M: Final = 0.01  # far above the last digit of a coordinate in metres (1e-10 m)
_CHUNK: Final = 1 << 15  # points at a time: the working arrays of one chunk stay in the cache
_POLYGONAL: Final = (3, 6)  # shapely type ids of Polygon and MultiPolygon


class AreaIndex:
    """Index of the areas of one boundary set.

    A coarse grid answers for every cell that no edge crosses; a crossed cell is cut into ``FINE`` by ``FINE`` cells
    that do the same; only points in fine cells that an edge crosses are tested against the polygons themselves, with
    the exact predicate of GEOS. Areas are closed: a point on an edge or a vertex belongs to the area, and to the area
    with the lowest code where several hold it.

    Parameters
    ----------
    codes : sequence of str, shape (n_areas,)
        Code of each area, unique within the set.
    polygons : sequence of Polygon or MultiPolygon, shape (n_areas,)
        The areas in ``crs.METRIC`` [m], valid and not empty; holes, overlaps and gaps are allowed.
    cells : int, default 1,000,000
        About how many coarse cells to use. It changes speed and memory, never an answer.

    Attributes
    ----------
    codes : ndarray of str, shape (n_areas,)
        The codes in ascending order; a *position* is an index into it, -1 is outside every area.
    polygons : ndarray of Geometry, shape (n_areas,)
        The areas in the order of ``codes`` [m].

    Raises
    ------
    BoundaryError
        If there is no area, codes and polygons differ in number, or a code appears twice.
    GeometryError
        If a geometry is missing, empty, not polygonal or not valid.

    Examples
    --------
    >>> index = AreaIndex(["E2", "E1"], [shapely.box(0, 0, 1000, 1000), shapely.box(1000, 0, 2000, 1000)])
    >>> index.codes.tolist()
    ['E1', 'E2']
    >>> index.lookup([500.0, 1000.0, 5000.0], [500.0, 500.0, 500.0]).tolist()
    [1, 0, -1]
    """

    def __init__(self, codes: Any, polygons: Any, *, cells: int = _COARSE_CELLS) -> None:
        names = np.asarray(list(codes), dtype=np.str_)
        shapes = np.asarray(list(polygons), dtype=object)
        _require_areas(names, shapes)
        order = np.argsort(names, kind="stable")
        self.codes: npt.NDArray[np.str_] = names[order]
        self.polygons: npt.NDArray[np.object_] = shapely.force_2d(shapes[order])
        self._build(cells)
        self._prepare()

    def _build(self, cells: int) -> None:
        west, south, east, north = shapely.total_bounds(self.polygons)
        side = max(np.sqrt((east - west) * (north - south) / cells), _SMALLEST_FINE_CELL_M * FINE)
        self._per_m = float(1.0 / side)
        # one empty coarse cell on every side: points outside are clipped into it
        self._west, self._south = float(west - side), float(south - side)
        self._columns = int(np.floor((east - self._west) * self._per_m)) + 2
        self._rows = int(np.floor((north - self._south) * self._per_m)) + 2
        points, ring, area = _ring_points(self.polygons)
        u, v = self._to_cells(points[:, 0], self._west) * FINE, self._to_cells(points[:, 1], self._south) * FINE
        inside_ring = ring[1:] == ring[:-1]
        ends = [values[part][inside_ring] for values in (u, v) for part in (slice(None, -1), slice(1, None))]
        edges = Edges(u0=ends[0], u1=ends[1], v0=ends[2], v1=ends[3], area=area[1:][inside_ring])
        self._tables = build_tables(edges, columns=self._columns, rows=self._rows, areas=len(self.codes))

    def _to_cells(self, values: FloatArray, origin: float) -> FloatArray:
        """Coarse cells from the grid's corner; the same two operations as in a lookup, so that they round alike."""
        cells: FloatArray = (values - origin) * self._per_m
        return cells

    def _prepare(self) -> None:
        shapely.prepare(self.polygons)
        # GEOS builds a polygon's own index at its first question; ask it here, so that threads only ever read
        first = shapely.get_coordinates(shapely.get_point(shapely.get_exterior_ring(_first_part(self.polygons)), 0))
        shapely.intersects_xy(self.polygons, first[:, 0], first[:, 1])
        self._edges: EdgeLines | None = None
        self._tree = shapely.STRtree(self.polygons)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without what each process prepares for itself."""
        return {name: value for name, value in self.__dict__.items() if name not in {"_edges", "_tree"}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the state and prepare the polygons again (a pickled geometry loses it)."""
        self.__dict__.update(state)
        self._prepare()

    def __len__(self) -> int:
        """Return the number of areas."""
        return len(self.codes)

    def lookup(self, x: npt.ArrayLike, y: npt.ArrayLike) -> PositionArray:
        """Position of the area that holds each point.

        Parameters
        ----------
        x, y : array_like, shape (n,)
            Points in ``crs.METRIC`` [m]; a point with NaN is outside.

        Returns
        -------
        ndarray of int32, shape (n,)
            Positions in ``codes``, the lowest where several areas hold the point; -1 outside.

        Raises
        ------
        GeometryError
            If ``x`` and ``y`` differ in length.
        """
        east, north = _require_points(x, y)
        positions = np.empty(len(east), dtype=np.int32)
        for begin in range(0, len(east), _CHUNK):
            part = slice(begin, begin + _CHUNK)
            self._lookup_chunk(east[part], north[part], positions[part])
        open_points = np.flatnonzero(positions < NOWHERE)
        if len(open_points):
            cell = -2 - positions[open_points]
            positions[open_points] = self._exact(east[open_points], north[open_points], cell)
        return positions

    def _lookup_chunk(self, x: FloatArray, y: FloatArray, positions: PositionArray) -> None:
        """Write what the two tables say; values below -1 name the boundary cell still to be tested."""
        u, v = self._to_cells(x, self._west), self._to_cells(y, self._south)
        # fmin and fmax, not clip: they send NaN into the empty rim too
        np.fmin(np.fmax(u, 0.0, out=u), self._columns - 1, out=u)
        np.fmin(np.fmax(v, 0.0, out=v), self._rows - 1, out=v)
        column, row = u.astype(np.int64), v.astype(np.int64)
        found = self._tables.coarse.take(row * self._columns + column)
        positions[:] = found
        crossed = np.flatnonzero(found < NOWHERE)
        if len(crossed):
            fine_column = ((u[crossed] - column[crossed]) * FINE).astype(np.int64)
            fine_row = ((v[crossed] - row[crossed]) * FINE).astype(np.int64)
            block = -2 - found[crossed].astype(np.int64)
            positions[crossed] = self._tables.fine.take(block * FINE**2 + fine_row * FINE + fine_column)

    def _exact(self, x: FloatArray, y: FloatArray, cell: PositionArray) -> PositionArray:
        """Test the polygons of each boundary cell, lowest position first, until one holds the point."""
        found = np.full(len(x), NOWHERE, dtype=np.int32)
        at, end = self._tables.start[cell], self._tables.start[cell + 1]
        pending = np.arange(len(x))
        while len(pending):
            candidate = self._tables.candidates[at[pending]]
            hit = shapely.intersects_xy(self.polygons[candidate], x[pending], y[pending])
            found[pending[hit]] = candidate[hit]
            at[pending] += 1
            pending = pending[~hit & (at[pending] < end[pending])]
        return found

    def lookup_one(self, x: float, y: float) -> int:
        """Position of the area that holds one point: the quick way for the write path.

        Parameters
        ----------
        x, y : float
            The point in ``crs.METRIC`` [m].

        Returns
        -------
        int
            As ``lookup``; -1 outside.
        """
        u, v = (x - self._west) * self._per_m, (y - self._south) * self._per_m
        if not (0.0 <= u < self._columns and 0.0 <= v < self._rows):
            return NOWHERE
        column, row = int(u), int(v)
        tables = self._tables
        found: int = tables.coarse.item(row * self._columns + column)
        if found < NOWHERE:
            inner = int((v - row) * FINE) * FINE + int((u - column) * FINE)
            found = tables.fine.item((-2 - found) * FINE**2 + inner)
        if found >= NOWHERE:
            return found
        for candidate in tables.candidates[tables.start.item(-2 - found) : tables.start.item(-1 - found)].tolist():
            if shapely.intersects_xy(self.polygons[candidate], x, y):
                return int(candidate)
        return NOWHERE

    def meeting(self, geometry: Any) -> npt.NDArray[np.int64]:
        """Positions of the areas that a geometry touches or crosses.

        Parameters
        ----------
        geometry : Geometry
            One geometry in ``crs.METRIC`` [m].

        Returns
        -------
        ndarray of int
            Positions in ascending order.
        """
        return np.sort(self._tree.query(geometry, predicate="intersects"))

    def edge_distance(
        self, x: npt.ArrayLike, y: npt.ArrayLike, position: npt.ArrayLike
    ) -> tuple[FloatArray, PositionArray]:
        """Distance to the nearest boundary line of the set, and the area across it.

        Parameters
        ----------
        x, y : array_like, shape (n,)
            Points in ``crs.METRIC`` [m].
        position : array_like of int, shape (n,)
            The area of each point, as ``lookup`` gives it.

        Returns
        -------
        edge_m : ndarray of float, shape (n,)
            Distance to the nearest edge of any area [m]; for a point outside, to the nearest area. NaN where a
            coordinate is NaN.
        neighbour : ndarray of int32, shape (n,)
            The lowest other position whose edge is as near (within 0.1 m: neighbours whose shared line was rounded
            differently still count); -1 where nothing lies across.

        Raises
        ------
        GeometryError
            If the arrays differ in length.
        """
        east, north = _require_points(x, y)
        own = np.atleast_1d(np.asarray(position, dtype=np.int32))
        if own.shape != east.shape:
            raise GeometryError(
                f"{len(east):,} points were given with {len(own):,} positions; give one for each point."
            )
        return self._edge_lines().nearest(east, north, own)

    def edge_distance_one(self, x: float, y: float, position: int) -> tuple[float, int]:
        """Answer ``edge_distance`` for a single point, to the last bit and several times as fast.

        Parameters
        ----------
        x, y : float
            A point in ``crs.METRIC`` [m].
        position : int
            Its area, as ``lookup_one`` gives it.

        Returns
        -------
        edge_m : float
            Distance to the nearest edge of any area [m], NaN where a coordinate is not finite.
        neighbour : int
            The lowest other position whose edge is as near, -1 where nothing lies across.
        """
        return self._edge_lines().nearest_one(x, y, position)

    def _edge_lines(self) -> EdgeLines:
        if self._edges is None:
            self._edges = EdgeLines(*_ring_points(self.polygons))
        return self._edges


def _ring_points(polygons: npt.NDArray[np.object_]) -> tuple[FloatArray, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Coordinates of all rings, with the number of their ring and the position of their area."""
    parts, part_area = shapely.get_parts(polygons, return_index=True)
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    return points, ring, part_area[ring_part][ring]


def _first_part(polygons: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    return np.asarray(shapely.get_geometry(polygons, 0), dtype=object)


def _require_points(x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    east = np.atleast_1d(np.asarray(x, dtype=np.float64))
    north = np.atleast_1d(np.asarray(y, dtype=np.float64))
    if east.ndim != 1 or east.shape != north.shape:
        raise GeometryError(f"x has shape {east.shape} and y {north.shape}; give two arrays of the same length.")
    return east, north


def invalid_reason(geometry: Any) -> str:
    """Say why a geometry is not valid, without the coordinates that GEOS adds: the words may be logged (X9).

    Parameters
    ----------
    geometry : Geometry
        A geometry that is not valid.

    Returns
    -------
    str
        Such as ``Self-intersection``.
    """
    return str(shapely.is_valid_reason(geometry)).partition("[")[0].strip()


def _require_areas(codes: npt.NDArray[np.str_], polygons: npt.NDArray[np.object_]) -> None:
    if not len(codes):
        raise BoundaryError("The boundary set holds no area; give at least one.")
    if len(codes) != len(polygons):
        raise BoundaryError(f"{len(codes):,} codes were given for {len(polygons):,} polygons; give one for each.")
    unique, counts = np.unique(codes, return_counts=True)
    if len(unique) < len(codes):
        twice = ", ".join(unique[counts > 1][:5])
        raise BoundaryError(f"Codes appear more than once in the set: {twice}. Dissolve the parts of an area first.")
    polygonal = np.isin(shapely.get_type_id(polygons), _POLYGONAL) & ~shapely.is_empty(polygons)
    usable = polygonal & shapely.is_valid(polygons)
    if not usable.all():
        bad = int(np.flatnonzero(~usable)[0])
        why = invalid_reason(polygons[bad]) if polygonal[bad] else "not a polygon, or empty"
        raise GeometryError(f"The geometry of area {codes[bad]} cannot be used ({why}). Repair it first.")
