"""Layers of things at a spot: marks, verified safe places, names, and the streets below."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from geo import crs
from geo.columns import OUTSIDE
from geo.maps.facts import Column, Table
from geo.maps.points import GroundLayer, LandmarkLayer, PlacesLayer, VenueLayer
from service.areas import workflow as areas
from service.core import Core
from service.errors import UnavailableError
from service.maps import marks
from service.maps.drawn import Drawn
from service.maps.ground import ground_of
from service.maps.state import MapState
from service.maps.words import MARKS_CAVEATS, MARKS_SOURCE, VENUES_SOURCE, month_words
from service.names import workflow as names
from service.people.access import Principal, Right
from service.places import workflow as places
from service.venues import workflow as venues

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def venue_layer(core: Core, *, shown: bool = True) -> Drawn:
    """Return the verified safe places that are open to the public list."""
    found = [(feature["geometry"]["coordinates"], feature["properties"]) for feature in venues.list_venues(core)]
    if not found:
        return Drawn(
            None,
            empty="No verified safe place is listed yet. Staff import or enter them: safer-places venues import.",
            sources=[VENUES_SOURCE],
        )
    element = VenueLayer([{"at": at, "card": _venue_card(said)} for at, said in found], shown=shown)
    count = "1 verified safe place is" if len(found) == 1 else f"{len(found)} verified safe places are"
    oldest = min(said["checked_on"] for _, said in found)
    return Drawn(
        element,
        _venue_table([said for _, said in found]),
        f"Checked since {day_words(oldest)}",
        f"{count} listed; each was checked by a named body.",
        [VENUES_SOURCE],
        ["A safe place on the map was checked by people. A mark that says safe never becomes one by itself."],
    )


def _venue_table(found: list[dict[str, Any]]) -> Table:
    columns = [Column(name) for name in ("Name", "Kind", "Address", "Open", "For", "Checked")]
    rows = [
        [
            said["name"],
            _kind_words(said["kind"]),
            said["address"] or None,
            hours_words(said["hours"]) or None,
            said["for_whom"] or None,
            f"{said['checked_by']}, {day_words(said['checked_on'])}; good until {day_words(said['expires_on'])}",
        ]
        for said in found
    ]
    return Table("Verified safe places", columns, rows)


def _venue_card(said: dict[str, Any]) -> dict[str, Any]:
    rows = [
        ["What", _kind_words(said["kind"])],
        ["Where", said["address"]],
        ["Open", hours_words(said["hours"])],
        ["For", said["for_whom"]],
        ["Access", said["access"]],
        ["Checked", f"{said['checked_by']}, {day_words(said['checked_on'])}"],
    ]
    return {"title": said["name"], "rows": [row for row in rows if row[1]]}


def _kind_words(kind: str) -> str:
    return kind.replace("_", " ").capitalize()


def day_words(day: Any) -> str:
    """Return a day in words, from a date or its ISO text.

    Examples
    --------
    >>> day_words("2026-06-01")
    '1 June 2026'
    """
    text = str(day)
    return f"{int(text[8:10])} {month_words(text[:7])}"


def hours_words(hours: dict[str, Any]) -> str:
    """Return opening hours as a person says them, days with equal hours together.

    Examples
    --------
    >>> hours_words({"mon": [["09:00", "17:00"]], "tue": [["09:00", "17:00"]], "sat": [["10:00", "12:00"]]})
    'Mon–Tue 09:00–17:00; Sat 10:00–12:00'
    """
    runs_: list[tuple[str, str, str]] = []
    for number, day in enumerate(DAYS):
        spans = ", ".join(f"{start}–{end}" for start, end in hours.get(day, []))
        if not spans:
            continue
        if runs_ and runs_[-1][2] == spans and DAYS.index(runs_[-1][1]) == number - 1:
            runs_[-1] = (runs_[-1][0], day, spans)
        else:
            runs_.append((day, day, spans))
    return "; ".join(
        f"{first.capitalize() if first == last else f'{first.capitalize()}–{last.capitalize()}'} {spans}"
        for first, last, spans in runs_
    )


def landmark_layer(core: Core, *, shown: bool = True) -> LandmarkLayer | None:
    """Return the names that help to find the way; None where none were imported."""
    found = names.landmarks(core)
    return LandmarkLayer(found, shown=shown) if found else None


def ground_layer(core: Core, *, offline: bool) -> GroundLayer | None:
    """Return the streets below; None without a ground map and in an offline file, which may ask nobody."""
    ground = None if offline else ground_of(core)
    if ground is None:
        return None
    base = core.settings.base_path
    path = f"{base}/maps/ground/{ground.version}"
    url = f"{path}/map.pmtiles" if ground.kind == "pmtiles" else f"{path}/{{z}}/{{x}}/{{y}}"
    return GroundLayer(ground.kind, url, attribution=ground.attribution, max_zoom=ground.max_zoom)


# --- marks -----------------------------------------------------------------------------------------------------------


def places_layer(core: Core, principal: Principal, state: MapState, *, offline: bool, shown: bool = True) -> Drawn:
    """Return the marks that the caller may see; exact positions need the right.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the caller may not see exact positions.
    """
    principal.require(Right.PLACES_EXACT)
    note = "Exact places, for staff." if principal.is_staff else ""
    if offline:
        element = PlacesLayer(levels=marks.levels(core, principal, state), note=note, shown=shown)
    else:
        url = f"{core.settings.base_path}/maps/data/places"
        element = PlacesLayer(url=url, query=state.mark_query, note=note, shown=shown)
    return Drawn(element, sources=[MARKS_SOURCE], caveats=MARKS_CAVEATS)


def places_table(
    core: Core, principal: Principal, view: Any, area_names: dict[str, str], state: MapState
) -> tuple[Table, int]:
    """Return the marks on the map counted by area and feeling, and how many they are.

    A route or area counts once, in the area that holds most of it, so that map and table have the same marks.
    """
    principal.require(Right.PLACES_EXACT)
    found = _marks_by_area(core, principal, view, state)
    columns = [
        Column(view.level.capitalize() if view.level != "lsoa" else "LSOA"),
        *(Column(marks.FEELING_WORDS[feeling], numeric=True) for feeling in marks.FEELINGS),
        Column("Marks", numeric=True),
    ]
    rows = [_marks_row(name, found.get(code, {})) for code, name in area_names.items()]
    if any(found.get(OUTSIDE, {}).values()):
        rows.append(_marks_row("Outside every area", found[OUTSIDE]))
    total = sum(sum(counts.values()) for counts in found.values())
    return Table("Marks of young people by area", columns, rows, "A count says who was asked, too."), total


def _marks_row(name: str, counts: dict[str, int]) -> list[Any]:
    row = [counts.get(feeling, 0) for feeling in marks.FEELINGS]
    return [name, *row, sum(row)]


def _marks_by_area(core: Core, principal: Principal, view: Any, state: MapState) -> dict[str, dict[str, int]]:
    """Count by the stored join; where a set is only drawn, or not joined yet, by the points themselves."""
    wanted = marks.wanted(state)
    try:
        return places.marks_by_area(core, principal, view.name, wanted)
    except UnavailableError:
        found = places.places_in_bbox(core, principal, None, wanted, few=0)
    index = areas.area_index(core, view.name)
    position = index.lookup(*crs.to_metric_xy(found.longitude, found.latitude)).astype(np.int64)
    kinds = len(marks.FEELINGS)
    cells = np.bincount((position + 1) * kinds + found.feeling, minlength=(len(index) + 1) * kinds)
    codes = [OUTSIDE, *index.codes.tolist()]
    return {
        code: dict(zip(marks.FEELINGS, row, strict=True))
        for code, row in zip(codes, cells.reshape(-1, kinds).tolist(), strict=True)
    }
