"""The frame of areas that all of ``geo`` expects, and the check of its polygons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely

from geo import crs
from geo.columns import AREA_GSS, AREA_NAME
from geo.errors import BoundaryError

LISTED_ABOVE_M2: Final = 1.0  # overlaps and gaps below this are rounding
CODE_LENGTH: Final = 20  # a GSS code has nine characters, a grid's own code may have more

_POLYGON, _MULTIPOLYGON = 3, 6  # GEOS' numbers of types
_TOUCHING_M = 0.01  # an area that bounds a gap lies this close to it, whatever the rounding
_SHOWN = 8  # values a message lists before it says "and more"

GeometryArray = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Flaw:
    """An overlap or a gap: the areas that share it and its size [m2]."""

    area_gss: tuple[str, ...]
    area_m2: float


@dataclass(frozen=True, slots=True)
class BoundaryReport:
    """What a check found; ``areas`` are the areas after repair.

    Parameters
    ----------
    areas : GeoDataFrame
        Areas with valid rings, in ``crs.WGS84``, indexed by ``area_gss``.
    repaired : tuple of str
        Codes whose rings were repaired.
    multipart : tuple of str
        Codes with more than one polygon.
    overlaps, gaps : tuple of Flaw
        Those over ``LISTED_ABOVE_M2``, largest first.
    total_km2 : float
        Sum of the areas [km2].
    """

    areas: Any
    repaired: tuple[str, ...] = ()
    multipart: tuple[str, ...] = ()
    overlaps: tuple[Flaw, ...] = ()
    gaps: tuple[Flaw, ...] = ()
    total_km2: float = 0.0

    @property
    def clean(self) -> bool:
        """Whether nothing was repaired and neither overlap nor gap is listed."""
        return not (self.repaired or self.overlaps or self.gaps)


def to_areas(codes: npt.ArrayLike, names: npt.ArrayLike, geometries: Any) -> Any:
    """Return areas as the frame that the whole of ``geo`` expects.

    Parameters
    ----------
    codes, names : array_like of str, shape (n_areas,)
        Area codes and names.
    geometries : array_like of Geometry, shape (n_areas,)
        Polygons in ``crs.WGS84``.

    Returns
    -------
    GeoDataFrame
        ``area_name`` and geometry in ``crs.WGS84``, indexed by ``area_gss``.

    Raises
    ------
    ValueError
        If the lengths differ.
    """
    import geopandas as gpd  # noqa: PLC0415  1.9 s that a reader of arrays need not wait for
    import pandas as pd  # noqa: PLC0415

    index = pd.Index(np.asarray(codes, dtype=object), name=AREA_GSS)
    return gpd.GeoDataFrame(
        {AREA_NAME: np.asarray(names, dtype=object)},
        geometry=np.asarray(geometries, dtype=object),
        index=index,
        crs=crs.WGS84,
    )


def require_codes(index: Any) -> None:
    """Raise unless every code is a text of its own, not blank and not over ``CODE_LENGTH``.

    Parameters
    ----------
    index : Index of str
        Area codes.

    Raises
    ------
    BoundaryError
        Naming the codes.
    """
    blank = sum(1 for code in index if not isinstance(code, str) or not code)
    if blank:
        message = f"{blank} rows have no code. Every area needs one."
        raise BoundaryError(message)
    long = [code for code in index if len(code) > CODE_LENGTH]
    if long:
        message = (
            f"{len(long)} codes are longer than {CODE_LENGTH} characters ({some(long)}). Choose another code field."
        )
        raise BoundaryError(message)
    repeated = sorted(set(index[index.duplicated()]))
    if repeated:
        message = f"{len(repeated)} codes occur more than once ({some(repeated)}). Every area needs one row of its own."
        raise BoundaryError(message)


def require_polygons(areas: Any) -> None:
    """Raise unless every row is a polygon or multipolygon with a surface.

    Parameters
    ----------
    areas : GeoDataFrame
        Areas indexed by ``area_gss``, any CRS.

    Raises
    ------
    BoundaryError
        Naming the codes.
    """
    geometries = areas.geometry.to_numpy()
    polygonal = np.isin(shapely.get_type_id(geometries), (_POLYGON, _MULTIPOLYGON)) & ~shapely.is_empty(geometries)
    if not polygonal.all():
        codes = list(areas.index[~polygonal])
        message = f"{len(codes)} rows are not polygons ({some(codes)}). Remove or correct them."
        raise BoundaryError(message)


def some(values: list[str]) -> str:
    """Join the first few values for a message."""
    return ", ".join(values[:_SHOWN]) + (" and more" if len(values) > _SHOWN else "")


def check_boundaries(areas: Any) -> BoundaryReport:
    """Repair rings and list overlaps and gaps.

    Parameters
    ----------
    areas : GeoDataFrame, shape (n_areas,)
        Polygons of one set indexed by ``area_gss``, in ``crs.WGS84``.

    Returns
    -------
    BoundaryReport
        The repaired areas, which were repaired, and overlaps and gaps measured in ``crs.METRIC``. A gap is a hole of
        the union: one that opens to the outside cannot be told from the outside.

    Raises
    ------
    BoundaryError
        If a code is repeated, a row is no polygon, or nothing is left of one after repair.
    CRSError
        If the areas are not in ``crs.WGS84`` or lie outside Great Britain.
    """
    crs.require_wgs84(areas)
    require_codes(areas.index)
    require_polygons(areas)
    geometries = areas.geometry.to_numpy()
    broken = ~shapely.is_valid(geometries)
    repaired = geometries.copy()
    repaired[broken] = polygons_only(geometries[broken])
    result = to_areas(areas.index, areas[AREA_NAME], repaired)
    require_polygons(result)
    metric = crs.to_metric(result).geometry.to_numpy()
    invalid = ~shapely.is_valid(metric)  # rounding to the millimetre can fold a sliver
    metric[invalid] = polygons_only(metric[invalid])
    codes = result.index.to_numpy()
    return BoundaryReport(
        areas=result,
        repaired=tuple(codes[broken]),
        multipart=tuple(codes[shapely.get_num_geometries(repaired) > 1]),
        overlaps=_overlaps(codes, metric),
        gaps=_gaps(codes, metric),
        total_km2=float(shapely.area(metric).sum()) / 1e6,
    )


def polygons_only(geometries: GeometryArray) -> GeometryArray:
    """Make rings valid and keep polygons only: a repair can leave lines and points behind.

    Parameters
    ----------
    geometries : ndarray of Geometry, shape (n,)
        Polygons or multipolygons, any CRS.

    Returns
    -------
    ndarray of Geometry, shape (n,)
        Valid polygons or multipolygons; empty where no surface is left.
    """
    valid = shapely.make_valid(geometries, method="structure", keep_collapsed=False)
    parts, owners = shapely.get_parts(valid, return_index=True)
    surface = shapely.get_type_id(parts) == _POLYGON
    result = np.full(len(geometries), shapely.Polygon(), dtype=object)
    for owner in np.unique(owners[surface]):
        result[owner] = shapely.union_all(parts[surface & (owners == owner)])
    return result


def _overlaps(codes: npt.NDArray[Any], metric: GeometryArray) -> tuple[Flaw, ...]:
    left, right = shapely.STRtree(metric).query(metric, predicate="intersects")
    once = left < right
    left, right = left[once], right[once]
    sizes = shapely.area(shapely.intersection(metric[left], metric[right]))
    flaws = [
        Flaw(tuple(sorted((codes[i], codes[j]))), round(float(size), 1))
        for i, j, size in zip(left, right, sizes, strict=True)
        if size > LISTED_ABOVE_M2
    ]
    return tuple(sorted(flaws, key=_largest_first))


def _gaps(codes: npt.NDArray[Any], metric: GeometryArray) -> tuple[Flaw, ...]:
    union = shapely.union_all(metric)
    parts = shapely.get_parts(union)
    rings = [ring for part in parts for ring in part.interiors]
    if not rings:
        return ()
    holes = shapely.difference(shapely.polygons(rings), union)  # an area may stand as an island in the hole
    holes = holes[shapely.area(holes) > LISTED_ABOVE_M2]
    which, neighbours = shapely.STRtree(metric).query(holes, predicate="dwithin", distance=_TOUCHING_M)
    flaws = [
        Flaw(tuple(sorted(codes[neighbours[which == k]])), round(float(size), 1))
        for k, size in enumerate(shapely.area(holes))
    ]
    return tuple(sorted(flaws, key=_largest_first))


def _largest_first(flaw: Flaw) -> tuple[float, tuple[str, ...]]:
    return (-flaw.area_m2, flaw.area_gss)
