"""The borough as a small drawing: simplified outlines as SVG paths, for links to a map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from geo import crs
from service.areas import workflow as areas
from service.core import Core
from service.errors import UnavailableError

WIDTH = 400.0  # units of the drawing
TOLERANCE_M = 60.0  # a corner of this size is half a pixel


@dataclass(frozen=True, slots=True)
class Sketch:
    """An SVG drawing: its view box, one path an area in ascending order of code, and how metres fall on it."""

    view_box: str
    paths: tuple[str, ...]
    west: float  # [m] in crs.METRIC
    north: float
    scale: float  # units a metre

    def at(self, longitude: float, latitude: float) -> tuple[float, float]:
        """Return where a position in EPSG:4326 lies on the drawing."""
        x, y = crs.to_metric_xy([longitude], [latitude])
        return round((float(x[0]) - self.west) * self.scale, 1), round((self.north - float(y[0])) * self.scale, 1)


def sketch_areas(core: Core, set_name: str | None = None) -> Sketch | None:
    """Return the areas of a set as a drawing; None while there are no boundaries.

    Parameters
    ----------
    core : Core
        The deployment.
    set_name : str, optional
        Boundary set; the default set where unset.

    Returns
    -------
    Sketch or None
        Cached for each version of the set.
    """
    try:
        view = areas.default_set(core) if set_name is None else areas.get_set(core, set_name)
    except UnavailableError:
        return None
    return core.cache.get(
        ("sketch", view.name, view.digest), lambda: _draw(areas.area_shapes(core, view.name).geometries)
    )


def _draw(geometries: Any) -> Sketch:
    metric = shapely.coverage_simplify(crs.geometry_to_metric(geometries), TOLERANCE_M)
    west, south, east, north = shapely.total_bounds(metric)
    scale = WIDTH / (east - west)

    def place(ring: Any) -> str:
        xy = shapely.get_coordinates(ring)[:-1]
        across = np.round((xy[:, 0] - west) * scale, 1)
        down = np.round((north - xy[:, 1]) * scale, 1)
        return "M" + "L".join(f"{x:g} {y:g}" for x, y in zip(across, down, strict=True)) + "Z"

    paths = tuple("".join(place(ring) for ring in _rings(shape)) for shape in metric)
    return Sketch(f"-2 -2 {WIDTH + 4:g} {(north - south) * scale + 4:.0f}", paths, west, north, scale)


def _rings(shape: Any) -> list[Any]:
    return [ring for polygon in shapely.get_parts(shape) for ring in (polygon.exterior, *polygon.interiors)]
