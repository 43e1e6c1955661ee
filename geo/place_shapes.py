"""Check a point, route, area or border that a person drew, and say what to do when it cannot be taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely

from geo import crs
from geo.errors import GeometryError

SHAPE_OF_KIND: Final = {"point": "Point", "route": "LineString", "border": "LineString", "area": "Polygon"}

_METRES_FROM = 400.0  # no longitude or latitude is as large; National Grid numbers are
_BUFFER_SEGMENTS = 64  # of a quarter circle: 500 m are met within 4 cm


@dataclass(frozen=True, slots=True)
class PlaceLimits:
    """How large a drawn place may be.

    Parameters
    ----------
    route_m : float
        Longest route or border [m].
    area_km2 : float
        Largest area [km2].
    vertices : int
        Most points of one shape.
    """

    route_m: float = 10_000.0
    area_km2: float = 4.0
    vertices: int = 1_000


@dataclass(frozen=True, slots=True)
class Outline:
    """The borough with its margin, prepared for many checks.

    Parameters
    ----------
    area : Polygon or MultiPolygon
        The borough itself, in ``crs.METRIC``, prepared.
    reach : Geometry
        Where a place may lie, in ``crs.METRIC``, prepared: the borough and ``outside_m`` around it.
    outside_m : float
        The margin [m].
    """

    area: Any
    reach: Any
    outside_m: float


def prepare_outline(outline_metric: Any, *, outside_m: float) -> Outline:
    """Widen and prepare the borough once, so that each place is checked in microseconds.

    Parameters
    ----------
    outline_metric : Polygon or MultiPolygon
        The borough in ``crs.METRIC``.
    outside_m : float
        Metres a place may lie outside [m], met within 4 cm.

    Returns
    -------
    Outline
        Safe to share between threads.

    Raises
    ------
    GeometryError
        If the outline is empty, not valid or no surface, or the margin is negative.
    """
    surface = outline_metric.geom_type in ("Polygon", "MultiPolygon")
    if not surface or outline_metric.is_empty or not outline_metric.is_valid or outside_m < 0:
        message = f"The outline must be a valid, non-empty polygon and its margin not negative ({outside_m} m given)."
        raise GeometryError(message)
    reach = shapely.buffer(outline_metric, outside_m, quad_segs=_BUFFER_SEGMENTS) if outside_m else outline_metric
    for shape in (outline_metric, reach):
        shapely.prepare(shape)
        # GEOS builds its index at the first question: ask it before threads do
        shapely.covers(shape, shapely.point_on_surface(shape))
    return Outline(outline_metric, reach, outside_m)


def geometry_from_geojson(geometry: Mapping[str, Any]) -> Any:
    """Build a shape from the geometry of a GeoJSON feature.

    Parameters
    ----------
    geometry : mapping
        ``type`` and ``coordinates`` in ``crs.WGS84``, longitude first.

    Returns
    -------
    Geometry
        A Point, LineString or Polygon without heights, not yet checked against any limit.

    Raises
    ------
    GeometryError
        If it is another type or the coordinates do not make one.
    """
    shape = geometry.get("type")
    if shape not in SHAPE_OF_KIND.values():
        message = f"The geometry is {shape!r}; send a Point, a LineString or a Polygon."
        raise GeometryError(message)
    try:
        coordinates = geometry["coordinates"]
        if shape == "Point":
            return shapely.Point(_positions([coordinates])[0])
        if shape == "LineString":
            return shapely.LineString(_positions(coordinates))
        return shapely.Polygon(_positions(coordinates[0]), [_positions(ring) for ring in coordinates[1:]])
    except GeometryError:
        raise
    except (KeyError, IndexError, TypeError, ValueError, shapely.errors.ShapelyError) as error:
        message = f"The coordinates do not make a {shape}; send [longitude, latitude] pairs as RFC 7946 writes them."
        raise GeometryError(message) from error


def _positions(positions: Any) -> npt.NDArray[np.float64]:
    """Take the first two numbers of each position; a text that looks like a number is none, and no shape is empty."""
    pairs = [(position[0], position[1]) for position in positions]
    if any(isinstance(one, bool) or not isinstance(one, int | float) for position in positions for one in position):
        message = "a coordinate is no number"
        raise TypeError(message)
    if not pairs:
        message = "there is no position"
        raise ValueError(message)
    coordinates = np.array(pairs, dtype=np.float64)
    _require_finite(coordinates)  # GEOS would warn on standard error and go on
    return coordinates


def _require_finite(coordinates: npt.NDArray[np.float64]) -> None:
    if not np.isfinite(coordinates).all():
        message = "A coordinate is not a number (NaN or infinite). Send finite longitudes and latitudes."
        raise GeometryError(message)


def validate_place_geometry(geometry: Any, *, kind: str, outline: Outline, limits: PlaceLimits) -> Any:
    """Raise unless a drawn shape can be stored as a place of its kind.

    Parameters
    ----------
    geometry : Geometry
        The shape in ``crs.WGS84`` [degrees], longitude first.
    kind : str
        One of ``SHAPE_OF_KIND``: point, route, area, border.
    outline : Outline
        The borough and its margin, from ``prepare_outline``.
    limits : PlaceLimits
        Longest route, largest area, most points.

    Returns
    -------
    Geometry
        The same shape in ``crs.METRIC`` [m], ready for the join.

    Raises
    ------
    GeometryError
        If the shape is of another type, empty, not finite, swapped, outside, crossing itself, or over a limit. The
        message says what to do and holds no coordinates, so that it may be logged (X9).
    """
    coordinates = _require_shape(geometry, kind, limits)
    easting, northing = crs.to_metric_xy(coordinates[:, 0], coordinates[:, 1])
    if np.isnan(easting).any():
        raise GeometryError(_why_outside(coordinates, outline))
    if kind == "point":
        metric = shapely.Point(easting[0], northing[0])
    else:
        metric = shapely.transform(geometry, lambda _: np.column_stack((easting, northing)))
        _require_size(metric, kind, limits)
    if not shapely.covers(outline.reach, metric):
        raise GeometryError(_why_outside(coordinates, outline))
    return metric


def _require_shape(geometry: Any, kind: str, limits: PlaceLimits) -> Any:
    wanted = SHAPE_OF_KIND.get(kind)
    if wanted is None:
        message = f"There is no kind {kind!r}; use one of {', '.join(SHAPE_OF_KIND)}."
        raise GeometryError(message)
    if geometry.geom_type != wanted:
        message = (
            f"A place of kind {kind} needs a {wanted}, not a {geometry.geom_type}. Draw it again or change the kind."
        )
        raise GeometryError(message)
    coordinates = shapely.get_coordinates(geometry)
    _require_finite(coordinates)
    if not len(coordinates):
        message = "The shape has no points. Draw it again."
        raise GeometryError(message)
    if len(coordinates) > limits.vertices:
        message = f"The shape has {len(coordinates)} points; at most {limits.vertices} are taken. Draw it with fewer."
        raise GeometryError(message)
    return coordinates


def _why_outside(coordinates: Any, outline: Outline) -> str:
    if np.abs(coordinates).max() > _METRES_FROM:
        return "The coordinates look like metres (National Grid). Send longitude and latitude in degrees."
    easting, northing = crs.to_metric_xy(coordinates[:, 1], coordinates[:, 0])
    if not np.isnan(easting).any() and shapely.contains_xy(outline.reach, easting, northing).all():
        return "Longitude and latitude are swapped. Send longitude first: [longitude, latitude]."
    margin = f" by more than {outline.outside_m:g} m" if outline.outside_m else ""
    return f"The place lies outside the borough{margin}. Choose a place inside it."


def _require_size(metric: Any, kind: str, limits: PlaceLimits) -> None:
    if kind == "area":
        _require_area(metric, limits)
        return
    length_m = metric.length
    if not length_m:
        message = f"The {kind} has no length: all its points are the same. Draw it to a second point."
        raise GeometryError(message)
    if length_m > limits.route_m:
        message = (
            f"The {kind} is {length_m / 1000:.1f} km long; at most {limits.route_m / 1000:g} km are taken. "
            "Draw only the part you mean."
        )
        raise GeometryError(message)


def _require_area(metric: Any, limits: PlaceLimits) -> None:
    if not shapely.is_valid(metric):
        message = "The area crosses itself or has too few corners. Draw it again as one loop whose sides do not cross."
        raise GeometryError(message)
    area_km2 = metric.area / 1e6
    if area_km2 > limits.area_km2:
        message = f"The area covers {area_km2:.1f} km2; at most {limits.area_km2:g} km2 are taken. Draw a smaller one."
        raise GeometryError(message)
