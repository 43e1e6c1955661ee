"""Group marks by the screen: one cell of a grid of pixels at the zoom asked for becomes one group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

TILE_PX: Final = 256
CELL_PX: Final = 84  # a group is up to 56 px wide
MARGIN_PX: Final = 22  # groups of neighbouring cells stay this far from their common edge
MAX_GROUPS: Final = 600
FEELINGS: Final = 3  # unsafe, safe, mixed: the order of the codes

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Clusters:
    """Groups of two or more marks, and the marks that stand alone.

    Attributes
    ----------
    groups : list of [float, float, int, int, int]
        Longitude and latitude [degrees], then the number that feel unsafe, safe and mixed.
    alone : ndarray of int, shape (n_alone,)
        Positions in the arrays given.
    """

    groups: list[list[float]]
    alone: IntArray


def cluster(longitude: FloatArray, latitude: FloatArray, feeling: IntArray, *, zoom: float) -> Clusters:
    """Group marks that would lie over each other on the screen.

    Parameters
    ----------
    longitude, latitude : ndarray of float, shape (n,)
        Positions in EPSG:4326 [degrees].
    feeling : ndarray of int, shape (n,)
        0 unsafe, 1 safe, 2 mixed.
    zoom : float
        Zoom of the map; coarser grids are taken while there are more than ``MAX_GROUPS`` cells.

    Returns
    -------
    Clusters
        Every mark is in one group or alone.
    """
    if longitude.size == 0:
        return Clusters([], np.empty(0, dtype=np.int64))
    x, y = _pixels(longitude, latitude, zoom)
    cell = float(CELL_PX)
    while True:
        column, row = np.floor(x / cell).astype(np.int64), np.floor(y / cell).astype(np.int64)
        keys = (row - row.min()) * (int(np.ptp(column)) + 1) + (column - column.min())
        _, number, counts = np.unique(keys, return_inverse=True, return_counts=True)
        if counts.size <= MAX_GROUPS:
            break
        cell *= 1.5
    together = counts > 1
    alone = np.flatnonzero(~together[number])
    at_x, at_y = _held_in(x, number, counts, cell), _held_in(y, number, counts, cell)
    lon, lat = _degrees(at_x[together], at_y[together], zoom)
    tally = np.bincount(number * FEELINGS + feeling.astype(np.int64), minlength=counts.size * FEELINGS).reshape(
        -1, FEELINGS
    )[together]
    groups = [
        [round(float(a), 6), round(float(b), 6), *row_] for a, b, row_ in zip(lon, lat, tally.tolist(), strict=True)
    ]
    return Clusters(groups, alone)


def _held_in(position: FloatArray, number: IntArray, counts: IntArray, cell: float) -> FloatArray:
    """Mean position of each group, kept off the edges of its cell so that neighbours do not overlap."""
    mean = np.bincount(number, weights=position) / counts
    edge = np.floor(mean / cell) * cell
    return np.asarray(np.clip(mean, edge + MARGIN_PX, edge + cell - MARGIN_PX))


def _pixels(longitude: FloatArray, latitude: FloatArray, zoom: float) -> tuple[FloatArray, FloatArray]:
    """Web Mercator pixels at a zoom, from the north-west corner of the world."""
    world = TILE_PX * 2.0**zoom
    sine = np.sin(np.radians(latitude))
    return (longitude + 180) / 360 * world, (0.5 - np.log((1 + sine) / (1 - sine)) / (4 * np.pi)) * world


def _degrees(x: FloatArray, y: FloatArray, zoom: float) -> tuple[FloatArray, FloatArray]:
    world = TILE_PX * 2.0**zoom
    return x / world * 360 - 180, np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * y / world))))
