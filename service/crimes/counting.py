"""Count the crimes of one file by area and category, under both assignment rules (P2); arrays in, counts out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from geo import columns, crs
from geo.area_index import AreaIndex
from geo.join import nearest_centre

COUNTED_COLUMNS: Final = (columns.LONGITUDE, columns.LATITUDE, columns.CATEGORY)


class AreaCount(NamedTuple):
    """Rows of one category in one area."""

    area_gss: str  # columns.OUTSIDE where no area holds the point
    category: str
    in_polygon: int
    nearest_centre: int
    near_line: int


@dataclass(frozen=True)
class CountingAreas:
    """A boundary set made ready for counting.

    Attributes
    ----------
    index : AreaIndex
        The areas.
    centre_codes : ndarray of str, shape (n_centres,)
        Code of each centre of the second rule; ties go to the lowest.
    centres : ndarray, shape (n_centres, 2)
        The centres in ``crs.METRIC`` [m].
    centre_area : ndarray of int, shape (n_centres,)
        Position in ``index`` of the area that each centre lies in.
    line_m : float
        A point this near to an edge counts as near a line [m].
    """

    index: AreaIndex
    centre_codes: npt.NDArray[np.str_]
    centres: npt.NDArray[np.float64]
    centre_area: npt.NDArray[np.int64]
    line_m: float


def prepare_areas(index: AreaIndex, lsoas: AreaIndex | None, *, line_m: float) -> CountingAreas:
    """Make a boundary set ready for counting.

    Parameters
    ----------
    index : AreaIndex
        The areas to count by.
    lsoas : AreaIndex or None
        LSOAs whose centres the second rule takes; None, or none of them inside the areas, takes the areas' own.
    line_m : float
        A point this near to an edge counts as near a line [m].

    Returns
    -------
    CountingAreas
        Ready for ``count_points``.

    Raises
    ------
    GeometryError
        If an area is empty.
    """
    for source in (lsoas, index):
        if source is None:
            continue
        centres = _inner_points(source.polygons)
        area = index.lookup(centres[:, 0], centres[:, 1])
        inside = area >= 0
        if inside.any():
            return CountingAreas(index, source.codes[inside], centres[inside], area[inside].astype(np.int64), line_m)
    return CountingAreas(index, index.codes, _inner_points(index.polygons), np.arange(len(index)), line_m)


def _inner_points(polygons: npt.NDArray[np.object_]) -> npt.NDArray[np.float64]:
    """Centroids, or a point inside where the centroid lies outside its own area."""
    centroid = shapely.centroid(polygons)
    inside = shapely.contains(polygons, centroid)
    points = np.where(inside, centroid, shapely.point_on_surface(polygons))
    return np.column_stack([shapely.get_x(points), shapely.get_y(points)])


def count_points(rows: pa.Table, areas: CountingAreas) -> list[AreaCount]:
    """Count crimes by area and category.

    Points outside every area stay outside under both rules: the nearest centre of a borough says nothing about the
    next borough.

    Parameters
    ----------
    rows : Table, shape (n,)
        ``COUNTED_COLUMNS`` of crimes, points in ``crs.WGS84`` [degrees].
    areas : CountingAreas
        From ``prepare_areas``.

    Returns
    -------
    list of AreaCount
        In order of area and category, only what is not all zero; ``in_polygon`` adds up to ``n`` and so does
        ``nearest_centre``.

    Raises
    ------
    KeyError
        If a column is missing.
    """
    category = rows[columns.CATEGORY].combine_chunks().dictionary_encode()
    names = category.dictionary.to_pylist()
    code = category.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    # a month of a borough has some 1,500 distinct points: everything exact is asked once a point
    point = rows[columns.LONGITUDE].to_numpy() + 1j * rows[columns.LATITUDE].to_numpy()
    unique, of_row = np.unique(point, return_inverse=True)
    x, y = crs.to_metric_xy(unique.real, unique.imag)
    position = areas.index.lookup(x, y).astype(np.int64)
    nearest = _nearest_area(x, y, position, areas)
    near = _near_line(x, y, position, areas)
    shape = (len(areas.index) + 1, len(names))
    tables = [
        _table(position[of_row], code, shape),
        _table(nearest[of_row], code, shape),
        _table(position[of_row][near[of_row]], code[near[of_row]], shape),
    ]
    codes = [columns.OUTSIDE, *areas.index.codes.tolist()]
    found = [
        AreaCount(codes[area], names[at], *(int(table[area, at]) for table in tables))
        for area, at in zip(*np.nonzero(tables[0] + tables[1]), strict=True)
    ]
    return sorted(found)


def _table(
    position: npt.NDArray[np.int64], category: npt.NDArray[np.int64], shape: tuple[int, int]
) -> npt.NDArray[np.int64]:
    """Rows by area (the first is outside) and category."""
    cells = (position + 1) * shape[1] + category
    return np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)


def _nearest_area(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], position: npt.NDArray[np.int64], areas: CountingAreas
) -> npt.NDArray[np.int64]:
    nearest = np.full(len(x), -1, dtype=np.int64)
    inside = position >= 0
    found = nearest_centre(x[inside], y[inside], areas.centre_codes, areas.centres)
    order = np.argsort(areas.centre_codes)
    at = np.searchsorted(areas.centre_codes[order], found)
    nearest[inside] = areas.centre_area[order][at]
    return nearest


def _near_line(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], position: npt.NDArray[np.int64], areas: CountingAreas
) -> npt.NDArray[np.bool_]:
    west, south, east, north = shapely.total_bounds(areas.index.polygons)
    close = (x >= west - areas.line_m) & (x <= east + areas.line_m)
    close &= (y >= south - areas.line_m) & (y <= north + areas.line_m)
    near = np.zeros(len(x), dtype=np.bool_)
    edge_m, _ = areas.index.edge_distance(x[close], y[close], position[close])
    near[close] = edge_m <= areas.line_m
    return near
