"""Square cells and areas as units of analysis, on shapes known by hand."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geo import columns, crs
from geo.errors import CRSError, GeometryError, MethodError
from geo.grid import AreaUnits, square_grid


def test_cells_are_multiples_of_their_size_whatever_the_outline() -> None:
    grid = square_grid(shapely.box(130, 260, 510, 499), cell_size_m=250)
    # columns 0, 1, 2 (510 reaches into the third), row 1 alone
    assert grid.cells[columns.CELL].tolist() == ["250mN250E0", "250mN250E250", "250mN250E500"]
    assert grid.cells.crs == crs.METRIC
    assert (grid.cells.area == 250**2).all()


def test_cells_that_only_touch_the_outline_are_left_out() -> None:
    assert len(square_grid((0, 0, 500, 500), cell_size_m=250)) == 4


def test_cells_in_a_hole_or_beside_a_slope_are_left_out() -> None:
    triangle = shapely.Polygon([(0, 0), (400, 0), (0, 400)])
    # 16 squares of 100 m; the hypotenuse runs from corner to corner through the diagonal: 6 above are left out
    assert len(square_grid(triangle, cell_size_m=100)) == 10
    ring = shapely.box(0, 0, 300, 300) - shapely.box(100, 100, 200, 200)
    assert len(square_grid(ring, cell_size_m=100)) == 8


def test_every_point_belongs_to_one_cell_and_the_last_edges_are_closed() -> None:
    grid = square_grid((0, 0, 500, 500), cell_size_m=250)
    x = [0, 249.9, 250, 500, 500, 100, 500.1, -0.1, np.nan, 250]
    y = [0, 249.9, 250, 500, 100, 500, 100.0, 100, 100, np.inf]
    assert grid.cell_of(x, y).tolist() == [0, 0, 3, 3, 1, 2, -1, -1, -1, -1]


def test_point_on_the_edge_towards_a_missing_cell_stays_in_the_grid() -> None:
    # an L of three cells: the north-east one is missing
    ell = shapely.union_all([shapely.box(0, 0, 200, 100), shapely.box(0, 100, 100, 200)])
    grid = square_grid(ell, cell_size_m=100)
    assert grid.cells[columns.CELL].tolist() == ["100mN0E0", "100mN0E100", "100mN100E0"]
    assert grid.cell_of([150, 100, 100, 150], [100, 150, 100, 150]).tolist() == [1, 2, 2, -1]


def test_queen_neighbours_of_three_by_three() -> None:
    grid = square_grid((0, 0, 300, 300), cell_size_m=100)
    matrix = grid.neighbours().toarray()
    assert matrix.sum(axis=1).tolist() == [3, 5, 3, 5, 8, 5, 3, 5, 3]
    assert (matrix == matrix.T).all()
    assert (np.diag(matrix) == 0).all()
    assert np.flatnonzero(matrix[0]).tolist() == [1, 3, 4]


def test_centres() -> None:
    x, y = square_grid((0, 0, 200, 100), cell_size_m=100).centres()
    assert x.tolist() == [50, 150]
    assert y.tolist() == [50, 50]


def test_the_frame_of_cells_is_a_copy() -> None:
    grid = square_grid((0, 0, 200, 100), cell_size_m=100)
    grid.cells[columns.CELL] = "spoilt"
    assert "spoilt" not in set(grid.cells[columns.CELL])


def test_frames_are_covered_by_the_union() -> None:
    frame = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 90, 90), shapely.box(100, 0, 190, 90)], crs=crs.METRIC)
    assert len(square_grid(frame, cell_size_m=100)) == 2
    with pytest.raises(CRSError):
        square_grid(frame.set_crs(crs.WGS84, allow_override=True), cell_size_m=100)


def test_unusable_grids_are_refused() -> None:
    with pytest.raises(GeometryError, match="no area"):
        square_grid(shapely.LineString([(0, 0), (1, 1)]), cell_size_m=100)
    with pytest.raises(MethodError, match="positive"):
        square_grid((0, 0, 1, 1), cell_size_m=0)
    with pytest.raises(MethodError, match=r"9,000,000 cells .* larger cells"):
        square_grid((0, 0, 3000, 3000), cell_size_m=1)


def test_areas_as_units_are_ordered_by_code_and_neighbour_over_corners() -> None:
    boxes = [shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1), shapely.box(2, 1, 3, 2), shapely.box(10, 10, 11, 11)]
    units = AreaUnits(gpd.GeoDataFrame({columns.AREA_GSS: ["E4", "E3", "E2", "E1"]}, geometry=boxes, crs=crs.METRIC))
    assert units.cells[columns.CELL].tolist() == ["E1", "E2", "E3", "E4"]
    assert units.cell_of([0.5, 2.5, 5], [0.5, 1.5, 5]).tolist() == [3, 1, -1]
    # E2 - E3 share a corner, E3 - E4 an edge, E1 is an island
    assert units.neighbours().toarray().tolist() == [[0, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0]]
    assert len(units) == 4
