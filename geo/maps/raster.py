"""From square cells in metres to the layer that paints them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geo import crs
from geo.errors import MapError
from geo.maps.elements import DensityLayer


def density_layer(
    west: npt.ArrayLike,
    south: npt.ArrayLike,
    density: npt.ArrayLike,
    *,
    cell_size_m: float,
    label: str,
    note: str = "",
) -> DensityLayer:
    """Make the layer of a density grid.

    Parameters
    ----------
    west, south : array_like, shape (n_cells,)
        South-west corners of square cells aligned to their size, in ``crs.METRIC`` [m].
    density : array_like, shape (n_cells,)
        Density of each cell [1 / km2 / month].
    cell_size_m : float
        Side of a cell [m].
    label : str
        Words of the layer.
    note : str
        A sentence below its legend.

    Returns
    -------
    DensityLayer
        Cells that are not there are not painted.

    Raises
    ------
    MapError
        If there are no cells.
    """
    x, y = np.asarray(west, dtype=np.float64), np.asarray(south, dtype=np.float64)
    if x.size == 0:
        message = "There are no cells to paint; wanted at least one."
        raise MapError(message)
    first_x, first_y = float(x.min()), float(y.min())
    column = np.round((x - first_x) / cell_size_m).astype(int)
    row = np.round((y - first_y) / cell_size_m).astype(int)
    grid = np.full((row.max() + 1, column.max() + 1), np.nan)
    grid[row, column] = density
    last_x, last_y = first_x + cell_size_m * grid.shape[1], first_y + cell_size_m * grid.shape[0]
    lon, lat = crs.to_wgs84_xy([first_x, last_x, last_x, first_x], [first_y, first_y, last_y, last_y])
    corners = [(round(float(a), 6), round(float(b), 6)) for a, b in zip(lon, lat, strict=True)]
    return DensityLayer(grid, corners, label=label, note=note)
