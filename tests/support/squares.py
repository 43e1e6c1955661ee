"""A borough of four square wards of 1 km, known by hand, and marks in it."""

from __future__ import annotations

import uuid
from typing import Any

import shapely

from geo import crs
from service.areas.models import Area, BoundarySet
from service.core import Core

WEST, SOUTH = 538_000.0, 174_000.0  # south-west corner of the borough, in metres
WARDS = {
    # name, column and row by code
    "E05000001": ("South West", 0, 0),
    "E05000002": ("South East", 1, 0),
    "E05000003": ("North West", 0, 1),
    "E05000004": ("North East", 1, 1),
}


def square(column: int, row: int, side: float = 1000.0) -> Any:
    west, south = WEST + column * side, SOUTH + row * side
    return shapely.box(west, south, west + side, south + side)


def add_squares(core: Core, name: str = "squares", *, wards: dict[str, Any] | None = None) -> int:
    """Store the square wards as the default set and return its number."""
    shapes = wards or {code: (title, square(column, row)) for code, (title, column, row) in WARDS.items()}

    def write(session: Any) -> int:
        one = BoundarySet(
            name=name,
            level="ward",
            title="Square wards",
            source="made for a test",
            licence="none",
            resolution_m=0.0,
            digest=uuid.uuid4().hex,
            is_default=name == "squares",
        )
        session.add(one)
        session.flush()
        for code, (title, polygon) in shapes.items():
            wkb = shapely.to_wkb(crs.geometry_to_wgs84(polygon))
            session.add(Area(set_id=one.id, area_gss=code, name=title, geometry=wkb, area_km2=polygon.area / 1e6))
        session.flush()
        return one.id

    return core.store.write(write)


def at(east_m: float, north_m: float) -> list[float]:
    """Return longitude and latitude of a point so many metres from the south-west corner."""
    longitude, latitude = crs.to_wgs84_xy(WEST + east_m, SOUTH + north_m)
    return [float(longitude[0]), float(latitude[0])]


def mark(east_m: float = 500, north_m: float = 500, **properties: Any) -> dict[str, Any]:
    """Return a mark at a point so many metres from the south-west corner."""
    return {
        "type": "Feature",
        "id": str(uuid.uuid4()),
        "geometry": {"type": "Point", "coordinates": at(east_m, north_m)},
        "properties": {"feeling": "unsafe"} | properties,
    }


def drawn(kind: str, *corners: tuple[float, float], **properties: Any) -> dict[str, Any]:
    """Return a route, border or area through corners in metres from the south-west corner."""
    line = [at(*corner) for corner in corners]
    geometry = (
        {"type": "Polygon", "coordinates": [[*line, line[0]]]}
        if kind == "area"
        else {"type": "LineString", "coordinates": line}
    )
    return mark(kind=kind, **properties) | {"geometry": geometry}
