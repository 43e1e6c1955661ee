"""The two coordinate reference systems, the guard, and the one transform between them (OSTN15 accuracy).

The transform is ``convertbng``: Ordnance Survey's OSTN15 grid, the definition of the National Grid on the ground. The
wheels of pyproj carry no such grid and fall back on seven parameters, 1.8 m off in Lewisham (measured in
``tests/unit/test_crs.py``), so pyproj is used only where the datum stays the same. The library rounds metres to 0.001
and degrees to 1e-8 (1.1 mm), the precision that Ordnance Survey publishes: there and back is exact to about 1 mm.
"""

from __future__ import annotations

from collections.abc import Callable
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
    longitude, latitude : array_like, shape (n,) or scalar
        Positions in ``WGS84`` [degrees].

    Returns
    -------
    easting, northing : ndarray, shape (n,)
        The same positions in ``METRIC`` [m], to the millimetre; a scalar gives one element. NaN where a coordinate is
        not finite or the grid shift is not defined (outside Great Britain and its coastal water).

    Raises
    ------
    ValueError
        If the two differ in length or have more than one dimension.

    References
    ----------
    Ordnance Survey, *Transformations and OSGM15 user guide*, 2020.

    Examples
    --------
    Test point TP09 of Ordnance Survey, Lambeth:

    >>> easting, northing = to_metric_xy(-0.11992557180, 51.48936564950)
    >>> float(easting[0]), float(northing[0])
    (530624.974, 178388.464)
    """
    easting, northing = convert_bng(_vector(longitude), _vector(latitude))
    return easting, northing


def to_wgs84_xy(easting: npt.ArrayLike, northing: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Convert metres to degrees with OSTN15 accuracy.

    Parameters
    ----------
    easting, northing : array_like, shape (n,) or scalar
        Positions in ``METRIC`` [m].

    Returns
    -------
    longitude, latitude : ndarray, shape (n,)
        The same positions in ``WGS84`` [degrees], to 1e-8; a scalar gives one element. NaN where a coordinate is not
        finite or the grid shift is not defined.

    Raises
    ------
    ValueError
        If the two differ in length or have more than one dimension.
    """
    longitude, latitude = convert_lonlat(_vector(easting), _vector(northing))
    return longitude, latitude


def _vector(values: npt.ArrayLike) -> FloatArray:
    return np.atleast_1d(np.asarray(values, dtype=np.float64))


def geometry_to_metric(geometry: Any) -> Any:
    """Convert one shapely geometry, or an array of them, from ``WGS84`` to ``METRIC``.

    Parameters
    ----------
    geometry : Geometry or array_like of Geometry
        Geometries in ``WGS84`` [degrees]; heights are dropped, None and empty ones stay.

    Returns
    -------
    Geometry or ndarray of Geometry
        New geometries in ``METRIC`` [m], of the same shape.

    Raises
    ------
    CRSError
        If a coordinate is not finite or lies where the National Grid is not defined: a ring with NaN is no ring.
    """
    return _moved(geometry, to_metric_xy)


def geometry_to_wgs84(geometry: Any) -> Any:
    """Convert one shapely geometry, or an array of them, from ``METRIC`` to ``WGS84``.

    Parameters
    ----------
    geometry : Geometry or array_like of Geometry
        Geometries in ``METRIC`` [m]; heights are dropped, None and empty ones stay.

    Returns
    -------
    Geometry or ndarray of Geometry
        New geometries in ``WGS84`` [degrees], of the same shape.

    Raises
    ------
    CRSError
        If a coordinate is not finite or lies where the National Grid is not defined.
    """
    return _moved(geometry, to_wgs84_xy)


def _moved(geometry: Any, convert: Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]) -> Any:
    def convert_all(coordinates: FloatArray) -> FloatArray:
        moved = np.column_stack(convert(coordinates[:, 0], coordinates[:, 1]))
        lost = int(np.isnan(moved).any(axis=1).sum())
        if lost:
            message = (
                f"{lost} of {len(moved)} coordinates lie where the National Grid (OSTN15) is not defined: outside "
                "Great Britain, or longitude and latitude are swapped. Correct or drop them first."
            )
            raise CRSError(message)
        return moved

    return shapely.transform(geometry, convert_all)


def to_metric(frame: Any) -> Any:
    """Convert a frame in any known CRS to ``METRIC``.

    Parameters
    ----------
    frame : GeoDataFrame
        A frame whose CRS is set; it is not changed. One on the datum of the National Grid is projected, any other goes
        to ``WGS84`` with pyproj and from there with OSTN15.

    Returns
    -------
    GeoDataFrame
        The same rows, order, index and columns, geometry in ``METRIC`` [m].

    Raises
    ------
    CRSError
        If the frame has no CRS, or if a geometry lies where the National Grid is not defined.
    """
    given = _known_crs(frame)
    if given == METRIC:
        return frame.copy(deep=False)
    if _is_osgb36(given):  # one datum: a projection without a shift, which pyproj does exactly
        return _on_source_crs(frame, given).to_crs(METRIC)
    if not given.equals(WGS84, ignore_axis_order=True):
        frame = frame.to_crs(WGS84)
    return frame.set_geometry(geometry_to_metric(frame.geometry.to_numpy()), crs=METRIC)


def to_wgs84(frame: Any) -> Any:
    """Convert a frame in any known CRS to ``WGS84``.

    Parameters
    ----------
    frame : GeoDataFrame
        A frame whose CRS is set; it is not changed. One on the datum of the National Grid goes through OSTN15, any
        other through pyproj.

    Returns
    -------
    GeoDataFrame
        The same rows, order, index and columns, geometry in ``WGS84`` [degrees].

    Raises
    ------
    CRSError
        If the frame has no CRS, or if a geometry lies where the National Grid is not defined.
    """
    given = _known_crs(frame)
    if _is_osgb36(given):
        return frame.set_geometry(geometry_to_wgs84(to_metric(frame).geometry.to_numpy()), crs=WGS84)
    if given.equals(WGS84, ignore_axis_order=True):
        return frame.set_crs(WGS84, allow_override=True)
    return frame.to_crs(WGS84)


def _known_crs(frame: Any) -> Any:
    if frame.crs is None:
        message = "The frame has no CRS. Set the one its coordinates are in, for example frame.set_crs('EPSG:27700')."
        raise CRSError(message)
    return frame.crs


def _is_osgb36(given: Any) -> bool:
    """Tell whether the datum is that of the National Grid, also where a file only describes it (Airy 1830)."""
    geodetic = (given.source_crs if given.is_bound else given).geodetic_crs
    return geodetic is not None and geodetic.ellipsoid.name.replace("_", " ") == "Airy 1830"


def _on_source_crs(frame: Any, given: Any) -> Any:
    # A bound CRS carries its own seven parameters to WGS84; on the way to METRIC they would be applied and undone.
    return frame.set_crs(given.source_crs, allow_override=True) if given.is_bound else frame
