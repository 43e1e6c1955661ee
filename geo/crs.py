"""The two coordinate reference systems, the guard, and the one transform between them (OSTN15 accuracy)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely
from convertbng.cutil import convert_bng, convert_lonlat

from geo.errors import CRSError

WGS84: Final = "EPSG:4326"
METRIC: Final = "EPSG:27700"

FloatArray = npt.NDArray[np.float64]


def require_metric(*frames: Any) -> None:
    """Raise unless every frame is in ``METRIC``; geopandas itself only warns.

    Parameters
    ----------
    *frames : GeoDataFrame or GeoSeries
        Frames as the caller gave them.

    Raises
    ------
    CRSError
        If a frame has no CRS or another one.
    """
    _require(METRIC, "metres", frames)


def require_wgs84(*frames: Any) -> None:
    """Raise unless every frame is in ``WGS84`` (longitude, latitude in degrees).

    Parameters
    ----------
    *frames : GeoDataFrame or GeoSeries
        Frames as the caller gave them.

    Raises
    ------
    CRSError
        If a frame has no CRS or another one.
    """
    _require(WGS84, "degrees", frames)


def _require(wanted: str, unit: str, frames: tuple[Any, ...]) -> None:
    for frame in frames:
        if frame.crs is None or frame.crs != wanted:
            given = "no CRS" if frame.crs is None else frame.crs.to_string()
            message = f"The frame is in {given}; wanted {wanted} ({unit}). Convert it with geo.crs first."
            raise CRSError(message)


def to_metric_xy(longitude: npt.ArrayLike, latitude: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Convert degrees to metres with OSTN15 accuracy.

    Parameters
    ----------
    longitude, latitude : array_like, shape (n,)
        Positions in ``WGS84`` [degrees].

    Returns
    -------
    easting, northing : ndarray, shape (n,)
        The same positions in ``METRIC`` [m]; NaN where the grid shift is not defined (outside Great Britain).
    """
    lon = np.atleast_1d(np.asarray(longitude, dtype=np.float64))
    lat = np.atleast_1d(np.asarray(latitude, dtype=np.float64))
    easting, northing = convert_bng(lon, lat)
    return np.asarray(easting, dtype=np.float64), np.asarray(northing, dtype=np.float64)


def to_wgs84_xy(easting: npt.ArrayLike, northing: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Convert metres to degrees with OSTN15 accuracy.

    Parameters
    ----------
    easting, northing : array_like, shape (n,)
        Positions in ``METRIC`` [m].

    Returns
    -------
    longitude, latitude : ndarray, shape (n,)
        The same positions in ``WGS84`` [degrees]; NaN where the grid shift is not defined.
    """
    x = np.atleast_1d(np.asarray(easting, dtype=np.float64))
    y = np.atleast_1d(np.asarray(northing, dtype=np.float64))
    longitude, latitude = convert_lonlat(x, y)
    return np.asarray(longitude, dtype=np.float64), np.asarray(latitude, dtype=np.float64)


def geometry_to_metric(geometry: Any) -> Any:
    """Convert one shapely geometry, or an array of them, from ``WGS84`` to ``METRIC``.

    Parameters
    ----------
    geometry : Geometry or array_like of Geometry
        Geometries in ``WGS84`` [degrees], two-dimensional.

    Returns
    -------
    Geometry or ndarray of Geometry
        New geometries in ``METRIC`` [m], of the same shape.
    """
    return shapely.transform(geometry, lambda c: np.column_stack(to_metric_xy(c[:, 0], c[:, 1])))


def geometry_to_wgs84(geometry: Any) -> Any:
    """Convert one shapely geometry, or an array of them, from ``METRIC`` to ``WGS84``.

    Parameters
    ----------
    geometry : Geometry or array_like of Geometry
        Geometries in ``METRIC`` [m], two-dimensional.

    Returns
    -------
    Geometry or ndarray of Geometry
        New geometries in ``WGS84`` [degrees], of the same shape.
    """
    return shapely.transform(geometry, lambda c: np.column_stack(to_wgs84_xy(c[:, 0], c[:, 1])))
