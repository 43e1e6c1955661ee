"""What the other subjects read of boundary sets: views, arrays, frames, indexes, the outline, GeoJSON."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import orjson
import shapely
from sqlalchemy import Row

from geo import boundaries, crs
from geo.area_index import AreaIndex
from geo.boundaries import Outline
from service.areas import store
from service.areas.models import BoundarySet
from service.areas.sets import AreaShapes, SetView
from service.core import Core
from service.errors import NotFoundError, NotSetUpError, UnavailableError

Detail = Literal["full", "map"]
_MAP_TOLERANCE_M = 8.0  # lines of a map lose corners that move them by about this much, together on both sides
_MAP_DECIMALS = 5  # about a metre


def list_sets(core: Core) -> list[SetView]:
    """Return every set, the default first."""
    with core.store.read() as session:
        return [_view(core, row) for row in store.read_sets(session)]


def get_set(core: Core, name: str) -> SetView:
    """Return one set.

    Raises
    ------
    NotFoundError
        If there is none of this name.
    """
    with core.store.read() as session:
        rows = store.read_sets(session, name=name)
    if not rows:
        raise NotFoundError(
            f"There is no boundary set {name[:60]!r} here; /api/v1/boundary-sets lists those there are."
        )
    return _view(core, rows[0])


def default_set(core: Core) -> SetView:
    """Return the set that pages use where none is asked for.

    Raises
    ------
    UnavailableError
        If no set is stored yet.
    """
    return _require_some(list_sets(core))[0]


def _require_some(sets: list[SetView]) -> list[SetView]:
    if not sets:
        raise NotSetUpError("There are no boundaries yet. An operator imports them: safer-places boundaries import.")
    return sets


def area_shapes(core: Core, set_name: str) -> AreaShapes:
    """Return the areas of a set as arrays in WGS84, without geopandas; cached, not to be changed."""
    return _shapes(core, get_set(core, set_name))


def area_index(core: Core, set_name: str) -> AreaIndex:
    """Return the index that finds the area of a point in ``crs.METRIC``; built once for each version of the set."""
    view = get_set(core, set_name)

    def make() -> AreaIndex:
        shapes = _shapes(core, view)
        return AreaIndex(shapes.codes, crs.geometry_to_metric(shapes.geometries))

    return core.cache.get(("area-index", view.name, view.digest), make)


def areas_frame(core: Core, set_name: str, *, metric: bool = True) -> Any:
    """Return the areas as a GeoDataFrame indexed by ``area_gss``; cached, not to be changed.

    Parameters
    ----------
    core : Core
        The deployment.
    set_name : str
        Name of the set.
    metric : bool
        In ``crs.METRIC``, else in ``crs.WGS84``.

    Returns
    -------
    GeoDataFrame
        ``area_name``, ``area_km2``, ``residents`` (NaN where not known) and geometry, ascending by code.
    """
    view = get_set(core, set_name)

    def make() -> Any:
        shapes = _shapes(core, view)
        frame = boundaries.to_areas(shapes.codes, shapes.names, shapes.geometries)
        frame = frame.assign(area_km2=shapes.area_km2, residents=shapes.residents)
        return crs.to_metric(frame) if metric else frame

    return core.cache.get(("areas-frame", view.name, view.digest, metric), make)


def outline(core: Core) -> Outline:
    """Return the borough in ``crs.METRIC`` with the margin a mark may lie outside; prepared, cached.

    The finest of: the area of the borough in a set of level borough, and the union of the default set.

    Raises
    ------
    UnavailableError
        If no set is stored yet.
    """
    view, code = _outline_source(core)
    margin = core.settings.outside_m

    def make() -> Outline:
        return boundaries.prepare_outline(_outline_metric(core, view, code), outside_m=margin)

    return core.cache.get(("outline", view.name, view.digest, code, margin), make)


def outline_shape(core: Core) -> Any:
    """Return the borough as one geometry in WGS84, for drawing; cached, not to be changed."""
    view, code = _outline_source(core)
    return core.cache.get(
        ("outline-wgs84", view.name, view.digest, code),
        lambda: crs.geometry_to_wgs84(_outline_metric(core, view, code)),
    )


def _outline_source(core: Core) -> tuple[SetView, str | None]:
    """Return the set to take the outline from, and the code of the one area, None for the union of all."""
    sets = _require_some(list_sets(core))  # one read: every mark that comes in asks for the outline
    candidates: list[tuple[SetView, str | None]] = [(sets[0], None)]
    for view in sets:
        if view.level == "borough" and core.area_gss in _shapes(core, view).codes:
            candidates.append((view, core.area_gss))
    return min(candidates, key=lambda candidate: (candidate[0].resolution_m, candidate[1] is None))


def _outline_metric(core: Core, view: SetView, code: str | None) -> Any:
    shapes = _shapes(core, view)
    chosen = shapes.geometries if code is None else shapes.geometries[shapes.codes == code]
    return shapely.union_all(crs.geometry_to_metric(chosen))


def _shapes(core: Core, view: SetView) -> AreaShapes:
    def make() -> AreaShapes:
        with core.store.read() as session:
            rows = store.read_areas(session, view.id)
        if not rows:  # replaced between two reads: the caller's next one sees the new set
            raise UnavailableError(f"The boundary set {view.name} is being replaced. Try again.")
        codes, names, texts, sizes, residents = zip(*rows, strict=True)
        return AreaShapes(
            np.array(codes, dtype=str),
            np.array(names, dtype=str),
            shapely.from_wkb(np.array(texts, dtype=object)),
            np.array(sizes, dtype=np.float64),
            np.array([np.nan if count is None else count for count in residents], dtype=np.float64),
        )

    return core.cache.get(("area-shapes", view.id, view.digest), make)


def _view(core: Core, row: Row[BoundarySet, int]) -> SetView:
    stored, count = row
    fields = {name: getattr(stored, name) for name in SetView.__dataclass_fields__ if hasattr(stored, name)}
    approximate = stored.resolution_m > core.settings.exact_resolution_m
    return SetView(**fields, approximate=approximate, area_count=count)


def areas_geojson(core: Core, set_name: str, detail: Detail) -> bytes:
    """Return the areas of a set as a GeoJSON FeatureCollection that says what the set is and whether it is approximate.

    Parameters
    ----------
    core : Core
        The deployment.
    set_name : str
        Name of the set.
    detail : {"full", "map"}
        As stored, or simplified for maps: edges stay shared, corners within 8 m go, five decimals.

    Returns
    -------
    bytes
        JSON text; cached for each version of the set.
    """
    view = get_set(core, set_name)

    def make() -> bytes:
        shapes = _shapes(core, view)
        geometries = shapes.geometries if detail == "full" else _simplified(shapes.geometries)
        features = [_feature(view, shapes, k, geometries[k]) for k in range(len(shapes.codes))]
        return orjson.dumps({"type": "FeatureCollection", **set_words(view), "features": features})

    return core.cache.get(("areas-geojson", view.name, view.digest, view.approximate, detail), make)


def area_geojson(core: Core, set_name: str, code: str) -> bytes:
    """Return one area as a GeoJSON Feature with the words of its set.

    Raises
    ------
    NotFoundError
        If there is no such set, or no such area in it.
    """
    view = get_set(core, set_name)
    shapes = _shapes(core, view)
    found = np.flatnonzero(shapes.codes == code)
    if not found.size:
        raise NotFoundError(f"The boundary set {view.name} has no area {code[:20]!r}.")
    feature = _feature(view, shapes, int(found[0]), shapes.geometries[found[0]])
    return orjson.dumps({**feature, **set_words(view)})


def set_words(view: SetView) -> dict[str, Any]:
    """Return what every payload of a set says about it (P7)."""
    return {
        "set": view.name,
        "title": view.title,
        "approximate": view.approximate,
        "resolution_m": view.resolution_m,
        "caveat": view.caveat,
        "source": view.source,
        "licence": view.licence,
        "attribution": view.attribution,
    }


def _feature(view: SetView, shapes: AreaShapes, k: int, geometry: Any) -> dict[str, Any]:
    residents = shapes.residents[k]
    return {
        "type": "Feature",
        "id": str(shapes.codes[k]),
        "properties": {
            "area_gss": str(shapes.codes[k]),
            "area_name": str(shapes.names[k]),
            "level": view.level,
            "area_km2": round(float(shapes.area_km2[k]), 4),
            "residents": None if np.isnan(residents) else int(residents),
        },
        "geometry": orjson.Fragment(shapely.to_geojson(geometry)),
    }


def _simplified(geometries: Any) -> Any:
    metric = shapely.coverage_simplify(crs.geometry_to_metric(geometries), _MAP_TOLERANCE_M)
    return shapely.transform(crs.geometry_to_wgs84(metric), lambda xy: xy.round(_MAP_DECIMALS))
