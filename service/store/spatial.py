"""The one place where the two engines index positions differently: integer R*Tree on SQLite, GiST on PostGIS."""

from __future__ import annotations

from typing import Any

import shapely
from sqlalchemy import Double, and_, column, delete, func, select, table
from sqlalchemy.orm import Session

E7 = 10_000_000  # integer units a degree: a float R*Tree rounds its boxes and returns rows outside the one asked for


def to_e7(degrees: float) -> int:
    """Return the nearest 1e-7 degree (11 mm)."""
    return round(degrees * E7)


def _tree(name: str) -> Any:
    columns = ("seq", "west", "east", "south", "north")
    return table(f"{name}_rtree", *(column(part) for part in columns))


PLACE_TREE = _tree("place")
VENUE_TREE = _tree("venue")
_TREES = {"place": PLACE_TREE, "venue": VENUE_TREE}


def is_sqlite(session: Session) -> bool:
    """Return whether the session runs on the embedded engine."""
    return session.get_bind().dialect.name == "sqlite"


def box_row(seq: int, geometry: Any) -> dict[str, int]:
    """Return the row of the integer index for one geometry in EPSG:4326."""
    west, south, east, north = shapely.bounds(geometry).tolist()
    return {"seq": seq, "west": to_e7(west), "east": to_e7(east), "south": to_e7(south), "north": to_e7(north)}


def index_geometries(session: Session, name: str, rows: list[tuple[int, Any]], *, replace: bool = False) -> None:
    """Put geometries into the index of a table; PostGIS does so by itself.

    Parameters
    ----------
    session : Session
        Of the running ``store.write``.
    name : str
        Table: place or venue.
    rows : list of (int, Geometry)
        Sequence number and geometry in EPSG:4326.
    replace : bool
        Whether older boxes of the same numbers are taken out first.
    """
    if not rows or not is_sqlite(session):
        return
    if replace:
        unindex(session, name, [seq for seq, _ in rows])
    boxes = [tuple(box_row(seq, geometry).values()) for seq, geometry in rows]
    driver: Any = session.connection().connection.driver_connection
    driver.executemany(f"INSERT INTO {name}_rtree (seq, west, east, south, north) VALUES (?, ?, ?, ?, ?)", boxes)


def unindex(session: Session, name: str, seqs: list[int]) -> None:
    """Take geometries out of the index of a table; PostGIS does so by itself."""
    if seqs and is_sqlite(session):
        session.execute(delete(_TREES[name]).where(_TREES[name].c.seq.in_(seqs)))


def in_bbox(session: Session, name: str, model: Any, bbox: tuple[float, float, float, float]) -> Any:
    """Return the condition that a row's own box meets ``bbox``, edges included.

    Both engines compare boxes: the query is the same on both, and a line's box may meet where the line does not.
    """
    west, south, east, north = bbox
    if is_sqlite(session):
        tree = _TREES[name]
        return model.seq.in_(
            select(tree.c.seq).where(
                tree.c.west <= to_e7(east),
                tree.c.east >= to_e7(west),
                tree.c.south <= to_e7(north),
                tree.c.north >= to_e7(south),
            )
        )
    # && finds candidates by boxes of 32-bit floats that reach outward; the comparison of doubles decides
    shape = model.geometry
    return and_(
        shape.bool_op("&&")(func.ST_MakeEnvelope(west, south, east, north, 4326)),
        func.ST_XMin(shape, type_=Double) <= east,
        func.ST_XMax(shape, type_=Double) >= west,
        func.ST_YMin(shape, type_=Double) <= north,
        func.ST_YMax(shape, type_=Double) >= south,
    )
