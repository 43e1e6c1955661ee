"""What map pages load after they were opened: marks by viewport, numbers by area, tiles near the borough."""

from __future__ import annotations

import math
from typing import Any, Final

import shapely

from service.areas import workflow as areas
from service.core import Core
from service.errors import NotFoundError
from service.maps import by_area, ground, marks
from service.maps.schemas import AreaNumber, AreaNumbers
from service.maps.state import MapState
from service.maps.words import boundary_source
from service.people.access import Principal
from service.web.queries import Bbox

FREE_ZOOM: Final = 8  # tiles of the whole country are few; finer ones only near the borough
MARGIN_DEGREES: Final = 0.1


def places_in_view(core: Core, principal: Principal, state: MapState, bbox: Bbox, zoom: float) -> bytes:
    """Return groups and marks of a viewport as JSON.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the caller may not see exact positions.
    """
    return marks.in_view(core, principal, state, bbox, zoom)


def area_numbers(core: Core, principal: Principal, state: MapState) -> AreaNumbers:
    """Return the numbers that the map shades by.

    Raises
    ------
    NotFoundError, InvalidInputError, UnavailableError
        If the set, months or crime type cannot be.
    """
    found = by_area.read_by_area(core, principal, state)
    shapes = areas.area_shapes(core, found.view.name)
    by_code = {area.area_gss: area for area in found.crimes.areas} if found.has_crimes else {}
    source = boundary_source(found.view)
    sources = [f"{source.name}. {source.licence}".strip()]
    if found.has_crimes:
        sources.insert(0, f"{found.crimes.provenance.source}. {found.crimes.provenance.licence}")
    return AreaNumbers(
        set=found.view.name,
        first=found.crimes.first if found.crimes else None,
        last=found.crimes.last if found.crimes else None,
        missing=found.crimes.missing if found.crimes else {},
        sources=sources,
        caveats=list(found.crimes.provenance.caveats) if found.has_crimes else [],
        areas=[
            _number(found, by_code.get(code), code, name)
            for code, name in zip(shapes.codes.tolist(), shapes.names.tolist(), strict=True)
        ],
    )


def _number(found: by_area.ByArea, area: Any, code: str, name: str) -> AreaNumber:
    counts = (found.marks or {}).get(code)
    share = by_area.unsafe_share(counts) if counts and code not in found.few else None
    return AreaNumber(
        area_gss=code,
        name=name,
        crimes=area.count if area else None,
        crimes_km2=by_area.known(by_area.crime_value(area, "crimes_km2")) if area else None,
        crimes_rate=by_area.known(by_area.crime_value(area, "crimes_rate")) if area else None,
        near_line_share=area.near_line_share if area else None,
        marks=None if found.marks is None else counts.total if counts else 0,
        unsafe_share=None if share is None else by_area.known(share),
        few=code in found.few,
    )


def ground_tile(core: Core, z: int, x: int, y: int) -> tuple[bytes, str]:
    """Return a tile and its media type; only near the borough, so that nobody fills the cache with the world.

    Raises
    ------
    NotFoundError
        If the tile lies far away, or the deployment passes no tiles on.
    UnavailableError
        If the tile service does not answer with a picture.
    """
    cache = ground.tile_cache(core)
    if z > FREE_ZOOM:
        west, south, east, north = shapely.bounds(areas.outline_shape(core)).tolist()
        tile = tile_box(z, x, y)
        near = (
            tile.east >= west - MARGIN_DEGREES
            and tile.west <= east + MARGIN_DEGREES
            and tile.north >= south - MARGIN_DEGREES
            and tile.south <= north + MARGIN_DEGREES
        )
        if not near:
            raise NotFoundError("This tile lies outside the borough.")
    return cache.get(z, x, y)


def tile_box(z: int, x: int, y: int) -> Bbox:
    """Return the box of a Web Mercator tile [degrees].

    Examples
    --------
    >>> tile_box(1, 0, 0)
    Bbox(west=-180.0, south=0.0, east=0.0, north=85.05112877980659)
    """
    side = 2.0**z

    def latitude(row: float) -> float:
        return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * row / side))))

    return Bbox(x / side * 360 - 180, latitude(y + 1), (x + 1) / side * 360 - 180, latitude(y))
