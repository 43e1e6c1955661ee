"""Units that an analysis counts in: square cells on the national grid, or the areas of a boundary set."""

from __future__ import annotations

from typing import Any, Final, Protocol

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from geopandas import GeoDataFrame
from scipy import sparse

from geo import columns, crs
from geo.area_edges import TIE_M
from geo.area_index import AreaIndex
from geo.errors import GeometryError, MethodError
from geo.join import index_areas

FloatArray = npt.NDArray[np.float64]
PositionArray = npt.NDArray[np.int32]

_MOST_CELLS: Final = 5_000_000  # 20 times the 100 m cells of London: more is a wrong unit, not an analysis


class AnalysisUnits(Protocol):
    """What a method needs of its units; ``SquareGrid`` and ``AreaUnits`` are the two kinds.

    Attributes
    ----------
    cells : GeoDataFrame, shape (n_cells,)
        ``cell`` (id) and geometry in ``crs.METRIC`` [m].
    label : str
        What the units are, for people.
    """

    @property
    def cells(self) -> GeoDataFrame:
        """Cells with id and geometry."""

    @property
    def label(self) -> str:
        """What the units are, for people."""

    def cell_of(self, x: npt.ArrayLike, y: npt.ArrayLike) -> PositionArray:
        """Position in ``cells`` of the cell that holds each point, -1 for none."""

    def neighbours(self) -> Any:
        """Binary queen contiguity as a CSR matrix, without the cell itself."""


class SquareGrid:
    """Square cells aligned to multiples of their size, so that two runs over one area have the same cells.

    Cells are whole squares: those on the rim reach beyond the outline. A cell holds its south and west edges; a point
    on the outermost east or north edge goes to the last cell, so that no point of the outline is lost.

    Parameters
    ----------
    column, row : ndarray of int, shape (n_cells,)
        Multiples of ``cell_size_m`` of each cell's south-west corner, ordered by row, then column.
    cell_size_m : float
        Side of a cell [m].
    """

    def __init__(self, column: npt.NDArray[np.int64], row: npt.NDArray[np.int64], *, cell_size_m: float) -> None:
        self.cell_size_m = cell_size_m
        self.column, self.row = column, row
        self._first_column, self._first_row = int(column.min()), int(row.min())
        shape = (int(row.max()) - self._first_row + 1, int(column.max()) - self._first_column + 1)
        # one empty cell around, so that neighbours and points outside need no special case
        self._position = np.full((shape[0] + 2, shape[1] + 2), -1, dtype=np.int32)
        self._position[row - self._first_row + 1, column - self._first_column + 1] = np.arange(len(column))
        west, south = column * cell_size_m, row * cell_size_m
        ids = [f"{cell_size_m:g}mN{y:.0f}E{x:.0f}" for x, y in zip(west, south, strict=True)]
        squares = shapely.box(west, south, west + cell_size_m, south + cell_size_m)
        self._cells = GeoDataFrame({columns.CELL: ids}, geometry=squares, crs=crs.METRIC)

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self.column)

    @property
    def cells(self) -> GeoDataFrame:
        """A copy of the cells: ``cell`` such as ``250mN178000E537500`` (south-west corner) and geometry [m]."""
        return self._cells.copy()

    @property
    def label(self) -> str:
        """What the units are, for people."""
        return f"square cells of {self.cell_size_m:g} m"

    def centres(self) -> tuple[FloatArray, FloatArray]:
        """Return the centres of the cells.

        Returns
        -------
        x, y : ndarray, shape (n_cells,)
            Centres in ``crs.METRIC`` [m].
        """
        half = np.float64(0.5)
        return (self.column + half) * self.cell_size_m, (self.row + half) * self.cell_size_m

    def cell_of(self, x: npt.ArrayLike, y: npt.ArrayLike) -> PositionArray:
        """Position of the cell that holds each point.

        Parameters
        ----------
        x, y : array_like, shape (n,)
            Points in ``crs.METRIC`` [m].

        Returns
        -------
        ndarray of int32, shape (n,)
            Position in ``cells``; -1 outside all cells and for NaN.
        """
        u = np.atleast_1d(np.asarray(x, dtype=np.float64)) / self.cell_size_m
        v = np.atleast_1d(np.asarray(y, dtype=np.float64)) / self.cell_size_m
        found = self._at(np.floor(u), np.floor(v))
        rim = (found < 0) & ((u == np.floor(u)) | (v == np.floor(v)))
        if rim.any():
            u, v = u[rim], v[rim]
            west, south = np.ceil(u) - 1, np.ceil(v) - 1
            best = self._at(west, np.floor(v))
            for other in (self._at(np.floor(u), south), self._at(west, south)):
                best = np.where(best < 0, other, best)
            found[rim] = best
        return found

    def _at(self, column: FloatArray, row: FloatArray) -> PositionArray:
        """Positions by column and row numbers; what lies off the table is clipped into its empty rim."""
        rows, across = self._position.shape
        i = np.fmin(np.fmax(row - self._first_row + 1, 0), rows - 1).astype(np.int64)
        j = np.fmin(np.fmax(column - self._first_column + 1, 0), across - 1).astype(np.int64)
        return self._position[i, j]

    def neighbours(self) -> sparse.csr_array:
        """Queen contiguity of the cells present.

        Returns
        -------
        csr_array of int8, shape (n_cells, n_cells)
            1 where two cells share an edge or a corner, the cell itself left out.
        """
        middle = self._position[1:-1, 1:-1]
        steps = [(i, j) for i in (0, 1, 2) for j in (0, 1, 2) if (i, j) != (1, 1)]
        rows, across = middle.shape
        around = np.stack([self._position[i : i + rows, j : j + across][middle >= 0] for i, j in steps], axis=1)
        present = around >= 0
        start = np.concatenate([[0], np.cumsum(present.sum(axis=1))])
        of, n = around[present], len(self)
        return sparse.csr_array((np.ones(len(of), dtype=np.int8), of, start), shape=(n, n))


class AreaUnits:
    """Areas of a boundary set (LSOAs, wards) as units, with queen contiguity of their polygons.

    Parameters
    ----------
    areas : GeoDataFrame or AreaIndex
        Boundary set as ``geo.join.index_areas`` takes it, in ``crs.METRIC`` [m].
    """

    def __init__(self, areas: GeoDataFrame | AreaIndex) -> None:
        self._index = index_areas(areas)

    def __len__(self) -> int:
        """Return the number of areas."""
        return len(self._index)

    @property
    def cells(self) -> GeoDataFrame:
        """The areas in the order of their codes: ``cell`` (the code) and geometry [m]."""
        codes = self._index.codes.tolist()
        return GeoDataFrame({columns.CELL: codes}, geometry=list(self._index.polygons), crs=crs.METRIC)

    @property
    def label(self) -> str:
        """What the units are, for people."""
        return "areas of a boundary set"

    def cell_of(self, x: npt.ArrayLike, y: npt.ArrayLike) -> PositionArray:
        """Position of the area that holds each point.

        Parameters
        ----------
        x, y : array_like, shape (n,)
            Points in ``crs.METRIC`` [m].

        Returns
        -------
        ndarray of int32, shape (n,)
            Position in ``cells``; -1 outside.
        """
        return self._index.lookup(x, y)

    def neighbours(self) -> sparse.csr_array:
        """Queen contiguity of the polygons.

        Returns
        -------
        csr_array of int8, shape (n_cells, n_cells)
            1 where two areas come within 0.1 m of each other (shared lines may be rounded differently), the area itself
            left out.
        """
        polygons, n = self._index.polygons, len(self._index)
        pairs = shapely.STRtree(polygons).query(polygons, predicate="dwithin", distance=TIE_M)
        one, other = pairs[:, pairs[0] != pairs[1]]
        return sparse.csr_array((np.ones(len(one), dtype=np.int8), (one, other)), shape=(n, n))


def square_grid(outline: Any, *, cell_size_m: float) -> SquareGrid:
    """Cover an outline with square cells.

    Parameters
    ----------
    outline : GeoDataFrame, GeoSeries, Geometry or (west, south, east, north)
        What to cover, in ``crs.METRIC`` [m]; a frame is covered by the union of its geometries.
    cell_size_m : float
        Side of a cell [m].

    Returns
    -------
    SquareGrid
        The whole cells that share some area with the outline.

    Raises
    ------
    CRSError
        If a frame is not in ``crs.METRIC``.
    GeometryError
        If the outline has no area.
    MethodError
        If ``cell_size_m`` is not positive, or so small that more than 5,000,000 cells would be needed.

    Examples
    --------
    >>> grid = square_grid((0, 0, 500, 300), cell_size_m=250)
    >>> grid.cells["cell"].tolist()
    ['250mN0E0', '250mN0E250', '250mN250E0', '250mN250E250']
    >>> grid.cell_of([10, 260, 500], [10, 10, 300]).tolist()
    [0, 1, 3]
    """
    shape = _outline_of(outline)
    if not cell_size_m > 0:
        raise MethodError(f"cell_size_m is {cell_size_m}; give a positive side in metres.")
    west, south, east, north = (bound / cell_size_m for bound in shapely.bounds(shape))
    across, up = np.arange(np.floor(west), np.ceil(east)), np.arange(np.floor(south), np.ceil(north))
    if len(across) * len(up) > _MOST_CELLS:
        message = f"{len(across) * len(up):,} cells of {cell_size_m:g} m would be needed; the most is {_MOST_CELLS:,}."
        raise MethodError(message + " Use larger cells.")
    row, column = (part.ravel() for part in np.meshgrid(up, across, indexing="ij"))
    corners = column * cell_size_m, row * cell_size_m
    squares = shapely.box(*corners, corners[0] + cell_size_m, corners[1] + cell_size_m)
    shapely.prepare(shape)
    shared = shapely.intersects(shape, squares) & ~shapely.touches(shape, squares)
    return SquareGrid(column[shared].astype(np.int64), row[shared].astype(np.int64), cell_size_m=cell_size_m)


def _outline_of(outline: Any) -> Any:
    if isinstance(outline, GeoDataFrame | gpd.GeoSeries):
        crs.require_metric(outline)
        shape = outline.geometry.union_all()
    else:
        shape = outline if isinstance(outline, shapely.Geometry) else shapely.box(*outline)
    if not shapely.area(shape) > 0:
        raise GeometryError("The outline has no area; give polygons or (west, south, east, north) in metres.")
    return shape
