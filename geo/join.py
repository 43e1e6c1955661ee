"""Join places and crimes to the areas of a boundary set: each point to exactly one area, routes and areas by share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import shapely

from geo import columns, crs
from geo.area_index import AreaIndex, invalid_reason
from geo.errors import ColumnError, GeometryError, MethodError

if TYPE_CHECKING:  # geopandas costs two seconds to import, and the write path needs only the index
    from geopandas import GeoDataFrame
    from pandas import DataFrame

__all__ = [
    "AreaIndex",
    "assign_areas",
    "assign_shares",
    "border_share",
    "index_areas",
    "nearest_centre",
    "shares_table",
]

_NO_SHARE = 1e-9  # shares below this are rounding in the overlay, not a part of a route
_POINT, _MIXED = 0, 7  # shapely type ids of Point and GeometryCollection


def index_areas(areas: GeoDataFrame | AreaIndex) -> AreaIndex:
    """Build the index of a boundary set, or return the one given.

    Parameters
    ----------
    areas : GeoDataFrame or AreaIndex
        Polygons of one boundary set in ``crs.METRIC`` [m], with ``area_gss`` as a column or as the index.

    Returns
    -------
    AreaIndex
        Keep it: building takes 50 ms for 19 wards and about a second for 4,994 LSOAs.

    Raises
    ------
    CRSError
        If the frame is not in ``crs.METRIC``.
    ColumnError
        If neither a column nor the index is named ``area_gss``.
    BoundaryError, GeometryError
        As ``AreaIndex``.
    """
    if isinstance(areas, AreaIndex):
        return areas
    crs.require_metric(areas)
    if columns.AREA_GSS in areas.columns:
        codes = areas[columns.AREA_GSS]
    elif areas.index.name == columns.AREA_GSS:
        codes = areas.index
    else:
        raise ColumnError(
            f"The areas have neither a column nor an index named {columns.AREA_GSS}; name their codes so."
        )
    return AreaIndex(codes.astype(str), areas.geometry)


def assign_areas(
    places: GeoDataFrame, areas: GeoDataFrame | AreaIndex, *, edges: bool, near_border_m: float
) -> GeoDataFrame:
    """Give each point the area that holds it and, on request, how near it lies to a border.

    A point on a shared edge belongs to the area with the lowest code; a point on the outer edge belongs to its area.

    Parameters
    ----------
    places : GeoDataFrame, shape (n,)
        Points in ``crs.METRIC`` [m], places or crimes; a missing or empty point counts as outside.
    areas : GeoDataFrame or AreaIndex
        Boundary set as ``index_areas`` takes it.
    edges : bool
        Whether to add the distance to the nearest edge and the neighbour across it.
    near_border_m : float
        A point this near to an edge, or nearer, is near a border [m]; used only with ``edges``.

    Returns
    -------
    GeoDataFrame, shape (n,)
        The same rows in the same order with the same index; added: ``area_gss`` (``columns.OUTSIDE`` when no area holds
        the point) and, with ``edges``, ``edge_m`` [m, NaN without a point], ``neighbour_gss`` (``columns.OUTSIDE`` when
        nothing lies across), ``near_border``.

    Raises
    ------
    CRSError
        If a frame is not in ``crs.METRIC``.
    GeometryError
        If a geometry is not a point: ``assign_shares`` is for routes and areas.
    MethodError
        If ``near_border_m`` is negative.

    Examples
    --------
    >>> import geopandas as gpd
    >>> squares = [shapely.box(0, 0, 1000, 1000), shapely.box(1000, 0, 2000, 1000)]
    >>> wards = gpd.GeoDataFrame({"area_gss": ["E2", "E1"]}, geometry=squares, crs=crs.METRIC)
    >>> places = gpd.GeoDataFrame(geometry=gpd.points_from_xy([990, 1000], [500, 500]), crs=crs.METRIC)
    >>> joined = assign_areas(places, wards, edges=True, near_border_m=25)
    >>> joined[["area_gss", "edge_m", "neighbour_gss", "near_border"]].to_dict("records")
    [{'area_gss': 'E2', 'edge_m': 10.0, 'neighbour_gss': 'E1', 'near_border': True}, \
{'area_gss': 'E1', 'edge_m': 0.0, 'neighbour_gss': 'E2', 'near_border': True}]
    """
    crs.require_metric(places)
    index = index_areas(areas)
    if near_border_m < 0:
        raise MethodError(f"near_border_m is {near_border_m}; give a distance of at least 0 metres.")
    points = np.asarray(places.geometry.values, dtype=object)
    if not np.isin(shapely.get_type_id(points), (-1, _POINT)).all():
        raise GeometryError("assign_areas takes points; give routes and areas to assign_shares.")
    x, y = _coordinates(points)
    position = index.lookup(x, y)
    added: dict[str, Any] = {columns.AREA_GSS: _codes_of(index, position)}
    if edges:
        edge_m, neighbour = index.edge_distance(x, y, position)
        added[columns.EDGE_M] = edge_m
        added[columns.NEIGHBOUR_GSS] = _codes_of(index, neighbour)
        added[columns.NEAR_BORDER] = edge_m <= near_border_m
    return places.assign(**added)


def _coordinates(points: npt.NDArray[np.object_]) -> npt.NDArray[np.float64]:
    """Coordinates of points as two rows; NaN where a point is missing or empty (GEOS raises there)."""
    known, at = shapely.get_coordinates(points, return_index=True)
    xy = np.full((2, len(points)), np.nan)
    xy[:, at] = known.T
    return xy


def _codes_of(index: AreaIndex, position: npt.NDArray[np.int32]) -> Any:
    import pandas as pd  # noqa: PLC0415  only frames need it

    codes = pd.array([*index.codes.tolist(), columns.OUTSIDE], dtype="str")
    return codes.take(np.where(position < 0, len(index), position))


def assign_shares(geometry: Any, areas: GeoDataFrame | AreaIndex) -> list[tuple[str, float]]:
    """Share of a route, border or area in each area of a set.

    Routes and borders are shared by length, areas by area, a point goes whole to its area. What runs along a shared
    edge, or lies where areas overlap, belongs to the area with the lowest code.

    Parameters
    ----------
    geometry : Geometry
        Point, line or polygon (or several of one kind) in ``crs.METRIC`` [m], valid and not empty.
    areas : GeoDataFrame or AreaIndex
        Boundary set as ``index_areas`` takes it.

    Returns
    -------
    list of (str, float)
        Code and share, in the order of the codes, ``columns.OUTSIDE`` first when some of it lies in no area; the shares
        add to 1.

    Raises
    ------
    CRSError
        If the areas are not in ``crs.METRIC``.
    GeometryError
        If the geometry is missing, empty, not valid (a line without length is not) or of mixed kinds.
    """
    index = index_areas(areas)
    measure, rest = _pieces_of(geometry)
    parts: dict[str, float] = {}
    for position in index.meeting(geometry).tolist():
        polygon = index.polygons[position]
        held = float(measure(shapely.intersection(rest, polygon)).sum())
        if held > 0:
            parts[str(index.codes[position])] = held
            rest = shapely.difference(rest, polygon)
    parts[columns.OUTSIDE] = float(measure(rest).sum())
    total = sum(parts.values())
    kept = {code: part for code, part in parts.items() if part / total > _NO_SHARE}
    total = sum(kept.values())
    return sorted((code, part / total) for code, part in kept.items())


def _pieces_of(geometry: Any) -> tuple[Any, npt.NDArray[np.object_]]:
    """Return what is shared (number of points, length or area) and the pieces to cut, after the checks."""
    if geometry is None or not shapely.is_geometry(geometry) or shapely.is_empty(geometry):
        raise GeometryError("The geometry is missing or empty; give a point, a line or a polygon.")
    if shapely.get_type_id(geometry) == _MIXED:
        raise GeometryError("The geometry mixes kinds; give points, lines or polygons, one kind at a time.")
    if not shapely.is_valid(geometry):
        raise GeometryError(f"The geometry is not valid ({invalid_reason(geometry)}). Repair it first.")
    pieces = shapely.get_parts(shapely.force_2d(geometry))
    if shapely.get_dimensions(geometry) == 0:
        return shapely.get_num_coordinates, pieces
    if shapely.get_dimensions(geometry) == 1:
        return shapely.length, _segments(pieces)
    return shapely.area, pieces


def _segments(lines: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """Cut lines at their vertices: an overlay would count a stretch that is walked there and back only once."""
    points, line = shapely.get_coordinates(lines, return_index=True)
    joined = line[1:] == line[:-1]
    segments: npt.NDArray[np.object_] = shapely.linestrings(np.stack([points[:-1][joined], points[1:][joined]], axis=1))
    return segments


def shares_table(places: GeoDataFrame, areas: GeoDataFrame | AreaIndex) -> DataFrame:
    """Shares of many routes, borders or areas.

    Parameters
    ----------
    places : GeoDataFrame, shape (n,)
        Geometries in ``crs.METRIC`` [m], each as ``assign_shares`` takes it.
    areas : GeoDataFrame or AreaIndex
        Boundary set as ``index_areas`` takes it.

    Returns
    -------
    DataFrame
        ``area_gss`` and ``share``, one row a place and area, with the place's label as index, in the places' order.

    Raises
    ------
    CRSError, GeometryError
        As ``assign_shares``.
    """
    import pandas as pd  # noqa: PLC0415  only frames need it

    crs.require_metric(places)
    index = index_areas(areas)
    shares = [assign_shares(geometry, index) for geometry in places.geometry]
    rows = [row for one in shares for row in one]
    labels = places.index.repeat([len(one) for one in shares])
    return pd.DataFrame(rows, columns=[columns.AREA_GSS, columns.SHARE], index=labels)


def nearest_centre(
    x: npt.ArrayLike, y: npt.ArrayLike, codes: npt.ArrayLike, centres: npt.ArrayLike
) -> npt.NDArray[np.str_]:
    """Code of the nearest centre: the second rule by which ward counts are given (P2), beside point in polygon.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Points in ``crs.METRIC`` [m].
    codes : array_like of str, shape (n_areas,)
        Code of each centre.
    centres : array_like, shape (n_areas, 2)
        Centres in ``crs.METRIC`` [m].

    Returns
    -------
    ndarray of str, shape (n,)
        Code of the nearest centre, the lowest code where several are as near; ``columns.OUTSIDE`` for a point with NaN.

    Raises
    ------
    GeometryError
        If there is no centre, or codes and centres differ in number.
    """
    from scipy.spatial import cKDTree  # noqa: PLC0415  the write path does not need it

    names = np.asarray(codes, dtype=np.str_)
    spots = np.asarray(centres, dtype=np.float64).reshape(-1, 2)
    if not len(names) or len(names) != len(spots):
        raise GeometryError(
            f"{len(names):,} codes were given for {len(spots):,} centres; give at least one, one for each."
        )
    order = np.argsort(names, kind="stable")
    points = np.column_stack([np.atleast_1d(np.asarray(x, dtype=np.float64)), np.atleast_1d(np.asarray(y, np.float64))])
    tree = cKDTree(spots[order])
    found = np.full(len(points), columns.OUTSIDE, dtype=names.dtype)
    pending, looked_at = np.flatnonzero(np.isfinite(points).all(axis=1)), 2
    while len(pending):
        distance, position = tree.query(points[pending], k=[*range(1, looked_at + 1)])
        # the tree returns ties in any order: of the centres that are as near, take the lowest code
        tied = distance <= distance[:, :1]
        found[pending] = names[order][np.where(tied, position, len(names)).min(axis=1)]
        pending = pending[tied.all(axis=1)]  # there may be more of them than were looked at
        looked_at *= 2
    return found


def border_share(edge_m: npt.ArrayLike, *, within_m: float) -> float:
    """Share of points that lie within a distance of a boundary line (rule P2).

    Parameters
    ----------
    edge_m : array_like, shape (n,)
        Distance of each point to the nearest edge [m]; NaN is not counted.
    within_m : float
        Distance that counts as on the line [m], edge included.

    Returns
    -------
    float
        Share between 0 and 1; NaN when no point has a distance.

    Raises
    ------
    MethodError
        If ``within_m`` is negative.
    """
    if within_m < 0:
        raise MethodError(f"within_m is {within_m}; give a distance of at least 0 metres.")
    distance = np.asarray(edge_m, dtype=np.float64)
    known = distance[~np.isnan(distance)]
    return float((known <= within_m).mean()) if len(known) else float("nan")
