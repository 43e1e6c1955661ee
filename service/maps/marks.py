"""Marks for the map: groups and single marks of a viewport, with what a popup says; never the words of a person."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import orjson
import shapely

from service.core import Core
from service.maps.by_area import mark_times
from service.maps.clusters import cluster
from service.maps.state import MapState
from service.people.access import Principal
from service.places import workflow as places
from service.web.queries import Bbox

FEELINGS: Final = ("unsafe", "safe", "mixed")
KINDS: Final = ("point", "route", "area", "border")
FEELING_WORDS: Final = {"unsafe": "Feels unsafe", "safe": "Feels safe", "mixed": "It depends"}
KIND_WORDS: Final = {"route": "A route", "area": "An area", "border": "A border"}
STATUS_WORDS: Final = {"pending": "Not read yet", "held": "With the safeguarding lead", "rejected": "Rejected"}
LEVELS: Final = (11, 12, 13, 14, 15, 16)  # zooms of an offline file; the last serves all finer ones
MAX_ZOOM: Final = 19
OFFLINE_ENTRIES: Final = 2_500  # groups and marks of one level of an offline file


def wanted(state: MapState) -> Any:
    """Return the filter of places that a map's address says."""
    return places.PlaceFilter(
        feeling=state.feeling or None,
        times=mark_times(state),
        reason=state.reason or None,
    )


def in_view(core: Core, principal: Principal, state: MapState, bbox: Bbox, zoom: float) -> bytes:
    """Return the groups and marks of a viewport as JSON.

    Parameters
    ----------
    core : Core
        The deployment.
    principal : Principal
        Who asks.
    state : MapState
        Filters of marks.
    bbox : Bbox
        The viewport in EPSG:4326.
    zoom : float
        Zoom of the map.

    Returns
    -------
    bytes
        ``{"groups": [[lon, lat, unsafe, safe, mixed]], "places": [...]}``.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the caller may not see exact positions.
    """
    found = places.places_in_bbox(core, principal, bbox, wanted(state))
    return orjson.dumps(_entries(found, zoom=min(zoom, MAX_ZOOM)))


def levels(core: Core, principal: Principal, state: MapState) -> dict[int, dict[str, Any]]:
    """Return groups and marks of the whole borough for an offline file: a few zooms, each of bounded size."""
    found = places.places_in_bbox(core, principal, None, wanted(state))
    made: dict[int, dict[str, Any]] = {}
    for zoom in LEVELS:
        entries = _entries(found, zoom=zoom)
        if made and len(entries["groups"]) + len(entries["places"]) > OFFLINE_ENTRIES:
            break
        made[zoom] = entries
    return made


def _entries(found: Any, *, zoom: float) -> dict[str, Any]:
    grouped = cluster(found.longitude, found.latitude, found.feeling, zoom=zoom)
    if found.features is not None:
        single = [_place(found, k, found.features[k]) for k in grouped.alone.tolist()]
    else:
        single = [_bare(found, k) for k in grouped.alone.tolist()]
    return {"groups": grouped.groups, "places": single}


def _at(found: Any, k: int) -> list[float]:
    return [round(float(found.longitude[k]), 6), round(float(found.latitude[k]), 6)]


def _bare(found: Any, k: int) -> dict[str, Any]:
    """Return a mark among so many that what it says has to wait until the map is nearer."""
    feeling = FEELINGS[int(found.feeling[k])]
    card = {"title": FEELING_WORDS[feeling], "rows": [], "note": "Zoom in to read when and why."}
    return {"kind": "point", "feeling": feeling, "at": _at(found, k), "geometry": None, "card": card}


def _place(found: Any, k: int, feature: dict[str, Any]) -> dict[str, Any]:
    said = feature["properties"]
    geometry = feature["geometry"] if said["kind"] != "point" else None
    return {
        "kind": said["kind"],
        "feeling": said["feeling"],
        "at": _at(found, k),
        "geometry": _rounded(geometry),
        "card": _card(said),
    }


def _rounded(geometry: dict[str, Any] | None) -> dict[str, Any] | None:
    if geometry is None:
        return None
    shape = shapely.transform(shapely.geometry.shape(geometry), lambda xy: np.round(xy, 6))
    return dict(shapely.geometry.mapping(shape))


def _card(said: dict[str, Any]) -> dict[str, Any]:
    times = {choice.code: choice.label for choice in places.choices().times}
    reasons = places.reasons_by_code()
    rows = [
        ["What", KIND_WORDS.get(said["kind"], "")],
        ["When", "; ".join(times.get(code, code) for code in said["times"])],
        ["Why", "; ".join(reasons[code].label if code in reasons else code for code in said["reasons"])],
        ["Speaks for", f"{said['people']} people" if said["people"] > 1 else ""],
        ["State", STATUS_WORDS.get(said["status"], "")],
    ]
    return {"title": FEELING_WORDS[said["feeling"]], "rows": [row for row in rows if row[1]]}
