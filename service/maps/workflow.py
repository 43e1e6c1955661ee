"""Draw the maps of the service: read what the caller may see, set it into one Folium map, render it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from geo.maps import build
from geo.maps.assets import Assets
from geo.maps.elements import AreaLayer, HotspotLayer
from geo.maps.facts import MapFacts, Source, Table
from geo.maps.figure import INLINE, PlaceMap, Slots, render
from geo.maps.points import GroundLayer, LandmarkLayer
from service.areas import workflow as areas
from service.core import Core
from service.errors import NotFoundError
from service.maps import by_area, layers, run_layers
from service.maps.by_area import ByArea
from service.maps.drawn import Drawn
from service.maps.state import MARK_MEASURES, MapKind, MapState
from service.maps.words import boundary_source, distinct, marks_words, nobody_words, notices, period_words
from service.people.access import Principal, Right
from service.people.audit import record_read
from service.people.workflow import require_fresh

TITLES: Final[dict[MapKind, str]] = {
    "maps": "What young people marked and what was reported",
    "wards": "Recorded crime by area",
    "places": "Places marked by young people",
    "hotspots": "Hot spots of recorded crime",
    "density": "Density of recorded crime",
    "venues": "Verified safe places",
}
HOLDS_MARKS: Final = frozenset({"maps", "places"})  # as a file they are an export of exact marks (X5)
BY_AREA: Final[frozenset[MapKind]] = frozenset({"maps", "wards"})  # the maps that shade areas by numbers
NOTHING_YET: Final = (
    "No recorded crime is held yet. Import the police's files first: safer-places crimes import FILE. Until then the "
    "map shows the boundaries only."
)


@dataclass(frozen=True, slots=True)
class MapPage:
    """A map ready to be rendered, and what the filters beside it need.

    Attributes
    ----------
    drawn : PlaceMap
        The Folium map with its words.
    view : SetView
        The boundary set shown.
    found : ByArea
        Numbers by area.
    layers : tuple of str
        Layers that the caller can switch on.
    """

    drawn: PlaceMap
    view: Any
    found: ByArea
    layers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What one page is drawn from."""

    core: Core
    principal: Principal
    state: MapState
    offline: bool
    embed: bool
    found: ByArea

    @property
    def may_see_runs(self) -> bool:
        return self.principal.may(Right.RUNS_READ)

    @property
    def may_see_places(self) -> bool:
        return self.principal.may(Right.PLACES_EXACT)


def require_map(principal: Principal, kind: MapKind) -> None:
    """Raise unless the caller may see a map.

    Raises
    ------
    NotSignedInError, ForbiddenError
        For marks, hot spots and density: staff, or the demo.
    """
    rights: dict[MapKind, Right] = {
        "places": Right.PLACES_EXACT,
        "hotspots": Right.RUNS_READ,
        "density": Right.RUNS_READ,
    }
    if kind in rights:
        principal.require(rights[kind])


def draw(
    core: Core, principal: Principal, kind: MapKind, state: MapState, *, offline: bool = False, embed: bool = False
) -> MapPage:
    """Draw one of the maps.

    Parameters
    ----------
    core : Core
        The deployment.
    principal : Principal
        Who asks; layers that they may not see are left out.
    kind : str
        Which map.
    state : MapState
        What the address says.
    offline : bool
        Whether the page must stand alone: marks are put in, streets are left out.
    embed : bool
        Whether it stands in a frame of another page, without the site's own banner.

    Returns
    -------
    MapPage
        The map and what its filters need.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the caller may not see this map.
    ConfirmFirstError
        If it is a file of exact marks, and password and code were not given a short while ago.
    NotFoundError, InvalidInputError, UnavailableError
        If the set, months or crime type cannot be.
    """
    require_map(principal, kind)
    takes_marks_out = offline and kind in HOLDS_MARKS and principal.may(Right.PLACES_EXACT)
    if takes_marks_out:
        require_fresh(core, principal)
        record_read(core, principal, "places.download", subject=kind, rows=1)
    found = by_area.read_by_area(core, principal, state, numbers=kind in BY_AREA)
    asked = _Asked(core, principal, state, offline, embed, found)
    drawn, listed = _DRAWERS[kind](asked)
    return MapPage(drawn, found.view, found, listed)


def render_page(page: MapPage, *, nonce: str, assets: Assets, slots: Slots) -> str:
    """Return the page as HTML, linked to our own host."""
    return render(page.drawn, nonce=nonce, assets=assets, slots=slots)


def render_file(page: MapPage) -> str:
    """Return the page as one HTML file that opens with no network."""
    return render(page.drawn, assets=INLINE)


def mark_layers(core: Core) -> tuple[GroundLayer | None, LandmarkLayer | None]:
    """Return the streets and the names of the marking page's map; None for each that there is not."""
    return layers.ground_layer(core, offline=False), layers.landmark_layer(core)


Listed = tuple[tuple[str, str], ...]


def _planner(asked: _Asked) -> tuple[PlaceMap, Listed]:
    shaded = _area_layer(asked)
    shown = set(asked.state.layers)
    parts: list[Drawn] = []
    if asked.may_see_runs:
        parts.append(run_layers.density(asked.core, shown="density" in shown))
    landmarks = layers.landmark_layer(asked.core, shown="landmarks" in shown)
    if asked.may_see_runs:
        parts.append(run_layers.hotspots(asked.core, shown="hotspots" in shown))
    parts.append(layers.venue_layer(asked.core, shown="venues" in shown))
    if asked.may_see_places:
        places = layers.places_layer(
            asked.core, asked.principal, asked.state, offline=asked.offline, shown="places" in shown
        )
        parts.append(places)
    shaded.shown = "areas" in shown
    facts = _area_facts(asked, "maps", parts)
    elements = [part.element for part in parts[:1]] + [landmarks] + [part.element for part in parts[1:]]
    ground = layers.ground_layer(asked.core, offline=asked.offline)
    drawn = build.planner_map(shaded, elements, facts=facts, ground=ground)
    listed = [(shaded.key, "Areas"), *((one.key, one.label) for one in elements if one is not None)]
    return drawn, tuple(listed)


def _wards(asked: _Asked) -> tuple[PlaceMap, Listed]:
    facts = _area_facts(asked, "wards", [])
    measure = by_area.measure_of(asked.found, asked.state)
    shaded = AreaLayer(_frame(asked), measure, links=_links(asked), focus=_focus(asked))
    drawn = build.planner_map(shaded, [_landmarks(asked)], facts=facts, ground=_ground(asked))
    return drawn, ()


def _places(asked: _Asked) -> tuple[PlaceMap, Listed]:
    layer = layers.places_layer(asked.core, asked.principal, asked.state, offline=asked.offline)
    table, total = layers.places_table(asked.core, asked.principal, asked.found.view, _names(asked), asked.state)
    narrowed = " that fit the filters" if asked.state.mark_query else ""
    said = f"{marks_words(total)} by young people{narrowed}." if total or narrowed else ""
    empty = "" if said else f"{nobody_words(asked.principal)} Open 'Mark a place' to make one."
    one = Drawn(layer.element, table, "Marks of all days so far", said, layer.sources, layer.caveats, empty)
    facts = _single_facts(asked, "places", one)
    element: Any = layer.element
    return build.places_map(_frame(asked), element, facts=facts, ground=_ground(asked), landmarks=_landmarks(asked)), ()


def _hotspots(asked: _Asked) -> tuple[PlaceMap, Listed]:
    return _over_outlines(asked, "hotspots", run_layers.hotspots(asked.core))


def _density(asked: _Asked) -> tuple[PlaceMap, Listed]:
    return _over_outlines(asked, "density", run_layers.density(asked.core, shown=True))


def _venues(asked: _Asked) -> tuple[PlaceMap, Listed]:
    return _over_outlines(asked, "venues", layers.venue_layer(asked.core))


_DRAWERS: Final[dict[MapKind, Callable[[_Asked], tuple[PlaceMap, Listed]]]] = {
    "maps": _planner,
    "wards": _wards,
    "places": _places,
    "hotspots": _hotspots,
    "density": _density,
    "venues": _venues,
}


def _over_outlines(asked: _Asked, kind: MapKind, one: Drawn) -> tuple[PlaceMap, Listed]:
    outlines = AreaLayer(_frame(asked), None)
    facts = _single_facts(asked, kind, one)
    drawn = build.planner_map(outlines, [one.element, _landmarks(asked)], facts=facts, ground=_ground(asked))
    return drawn, ()


def _area_layer(asked: _Asked) -> AreaLayer:
    measure = by_area.measure_of(asked.found, asked.state)
    return AreaLayer(_frame(asked), measure, links=_links(asked), focus=_focus(asked))


def _focus(asked: _Asked) -> str:
    """Return the code of the one area that the map is about; empty for all."""
    code = asked.state.area
    if code and code not in _names(asked):
        raise NotFoundError(f"The boundary set {asked.found.view.name} has no area {code!r}.")
    return code


def _frame(asked: _Asked) -> Any:
    return areas.areas_frame(asked.core, asked.found.view.name, metric=False)


def _names(asked: _Asked) -> dict[str, str]:
    shapes = areas.area_shapes(asked.core, asked.found.view.name)
    return dict(zip(shapes.codes.tolist(), shapes.names.tolist(), strict=True))


def _links(asked: _Asked) -> dict[str, str]:
    """Return the path of each ward's own page; other levels have none, and an offline file links nowhere."""
    view = asked.found.view
    if asked.offline or view.level != "ward":
        return {}
    return {code: f"{asked.core.settings.base_path}/wards/{view.name}/{code}" for code in _names(asked)}


def _ground(asked: _Asked) -> Any:
    return layers.ground_layer(asked.core, offline=asked.offline)


def _landmarks(asked: _Asked) -> Any:
    return layers.landmark_layer(asked.core)


def _period(asked: _Asked, kind: MapKind) -> str:
    if kind == "wards" and asked.state.measure in MARK_MEASURES and asked.found.marks is not None:
        return "Marks: all days so far"
    return _crime_period(asked.found)


def _title(asked: _Asked, kind: MapKind) -> str:
    if kind == "wards" and asked.found.view.why_no_numbers:
        return "Boundaries"
    if kind == "wards" and asked.state.measure in MARK_MEASURES and asked.found.marks is not None:
        return "Marked by young people, by area"
    return TITLES[kind]


def _crime_period(found: ByArea) -> str:
    if found.view.why_no_numbers:
        return str(found.view.why_no_numbers)
    if found.crimes is None:
        return "Recorded crime is being joined to these areas; look again in a minute"
    return f"Recorded crime: {period_words(found.crimes.first, found.crimes.last, found.crimes.missing)}"


def _area_facts(asked: _Asked, kind: MapKind, parts: list[Drawn]) -> MapFacts:
    found = asked.found
    crime = found.crimes.provenance if found.crimes is not None else None
    sources = [Source(f"Recorded crime: {crime.source}", crime.licence)] if crime and found.has_crimes else []
    caveats = list(crime.caveats) if crime and found.has_crimes else []
    table = by_area.table_of(found, _links(asked), _names(asked))
    hot = [part.sentence for part in parts if isinstance(part.element, HotspotLayer)]
    said = [
        by_area.sentence(found, asked.state, nobody=nobody_words(asked.principal)),
        *hot,
    ]  # first sight: where, how sure, since when
    return _facts(
        asked,
        kind,
        period=_period(asked, kind),
        summary=" ".join(text for text in said if text),
        sources=[*sources, *(source for part in parts for source in part.sources)],
        caveats=[*caveats, *(caveat for part in parts for caveat in part.caveats)],
        table=table,
        empty="" if found.has_crimes or found.crimes is None else NOTHING_YET,
    )


def _single_facts(asked: _Asked, kind: MapKind, one: Drawn) -> MapFacts:
    return _facts(
        asked,
        kind,
        period=one.period or "Nothing yet",
        summary=one.sentence,
        sources=one.sources,
        caveats=one.caveats,
        table=one.table,
        empty=one.empty,
    )


def _facts(  # noqa: PLR0913 - one parameter a fact of the page
    asked: _Asked,
    kind: MapKind,
    *,
    period: str,
    summary: str,
    sources: Iterable[Source],
    caveats: Iterable[str],
    table: Table | None,
    empty: str,
) -> MapFacts:
    core, view = asked.core, asked.found.view
    banners = notices(core, view)
    site_shows_sample = not (asked.offline or asked.embed)
    return MapFacts(
        title=f"{_title(asked, kind)}: {core.area_name}",
        period=period,
        sources=distinct([*sources, boundary_source(view)]),
        caveats=list(dict.fromkeys([*caveats, *(text for text in [view.caveat] if text)])),
        summary=summary,
        notices=banners[1:] if core.is_demo and site_shows_sample else banners,
        empty=empty,
        table=table,
        language="en-GB",
    )
