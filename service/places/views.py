"""Places as the caller may see them: the one function that leaves fields out, and the receipt's own view."""

from __future__ import annotations

from typing import Any

import orjson
import shapely

from service.people.access import Principal
from service.places.joining import Joiner
from service.places.store import PlaceRecord

PROPERTIES = (
    *("day", "kind", "feeling", "times", "reasons", "status", "publish", "people", "version", "is_sample"),
    *("note", "suggestion"),
)
AREA_FIELDS = ("area_gss", "share", "edge_m", "neighbour_gss", "near_border")


def place_feature(principal: Principal, record: PlaceRecord, joiner: Joiner) -> dict[str, Any]:
    """Return a place as a GeoJSON Feature with the fields that the role may see, and no others.

    Parameters
    ----------
    principal : Principal
        Who asks; the table in ``people/access.py`` names the fields.
    record : PlaceRecord
        A row that the role may see at all.
    joiner : Joiner
        Knows the names of the sets and areas.

    Returns
    -------
    dict
        GeoJSON Feature, ready for JSON.
    """
    seen = principal.place_fields_of(record.team_id)
    properties = {name: getattr(record, name) for name in PROPERTIES if name in seen}
    properties["areas"] = [_area(row, joiner, seen) for row in record.areas]
    if "hotspot" in seen:
        properties["hotspot"] = _hotspot(record.hotspot)
    return {
        "type": "Feature",
        "id": str(record.id),
        "geometry": to_geojson(record.geometry) if "geometry" in seen else None,
        "properties": properties,
    }


def receipt_view(record: PlaceRecord, joiner: Joiner) -> dict[str, Any]:
    """Return what the holder of a receipt sees: ward, day and state, never the words.

    Whether a mark is with the lead is not told: somebody who makes a child show the receipt would learn it.
    """
    fields = ("day", "kind", "feeling", "times", "reasons", "version")
    said = {name: getattr(record, name) for name in fields}
    if record.withdrawn_on is not None:
        return {"ward": None, "state": "withdrawn"} | said | {"times": [], "reasons": []}
    # a mark that another one speaks for counts with that one
    merged = record.merged_into is not None and record.status == "rejected"
    state = "approved" if merged else "pending" if record.status == "held" else record.status
    return {"ward": ward_of(record, joiner), "state": state} | said


def to_geojson(geometry: bytes | None) -> dict[str, Any] | None:
    """Return stored WKB as a GeoJSON geometry."""
    if geometry is None:
        return None
    shape: dict[str, Any] = orjson.loads(shapely.to_geojson(shapely.from_wkb(geometry)))
    return shape


def ward_of(record: PlaceRecord, joiner: Joiner) -> str | None:
    """Return the ward of the default set that holds the largest share of the place."""
    sets = {one.id: one for one in joiner.state.sets if one.level == "ward"}
    rows = [row for row in record.areas if row["set_id"] in sets and row["area_gss"]]
    if not rows:
        return None
    main = max(rows, key=lambda row: (sets[row["set_id"]].is_default, row["share"]))
    return joiner.names[main["set_id"]].get(main["area_gss"])


def _area(row: dict[str, Any], joiner: Joiner, seen: frozenset[str]) -> dict[str, Any]:
    names = joiner.names[row["set_id"]]
    fields = {"set": joiner.set_names[row["set_id"]], "name": names.get(row["area_gss"], "")}
    fields |= {name: row[name] for name in AREA_FIELDS}
    return {name: value for name, value in fields.items() if name in seen}


def _hotspot(row: dict[str, Any] | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {"run": row["run_id"]} | {name: row[name] for name in ("rank", "nearest_rank", "distance_m")}
