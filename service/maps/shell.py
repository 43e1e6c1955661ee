"""The site around a map: header, footer, and the filters as a plain form."""

from __future__ import annotations

from typing import Any, Final

from fastapi import Request
from markupsafe import Markup

from geo.crimes import month_range
from geo.maps.figure import Slots
from service.areas import workflow as areas
from service.core import Core
from service.crimes import workflow as crimes
from service.maps.marks import FEELING_WORDS
from service.maps.state import MapKind, MapState
from service.maps.words import MEASURE_WORDS, category_words, month_words
from service.maps.workflow import BY_AREA, MapPage
from service.names import workflow as names
from service.people.access import Principal, Right
from service.places.workflow import choices
from service.web.templates import TEMPLATES, page_context

KIND_WORDS: Final[dict[MapKind, str]] = {
    "maps": "All layers",
    "wards": "By area",
    "places": "Marks",
    "hotspots": "Hot spots",
    "density": "Density",
    "venues": "Safe places",
}
_RIGHTS: Final[dict[MapKind, Right]] = {
    "places": Right.PLACES_EXACT,
    "hotspots": Right.RUNS_READ,
    "density": Right.RUNS_READ,
}
_BY_MARKS: Final[frozenset[MapKind]] = frozenset({"maps", "places"})
_DAY_AND_NIGHT: Final = (("day", "By day"), ("night", "In the dark: evening or night"))


def path_of(core: Core, kind: MapKind) -> str:
    """Return the path of a map on our host."""
    return f"{core.settings.base_path}/maps" if kind == "maps" else f"{core.settings.base_path}/maps/{kind}"


def slots(request: Request, core: Core, principal: Principal, kind: MapKind, state: MapState, page: MapPage) -> Slots:
    """Return the site around a map: its header, filters and footer."""
    context = page_context(request)

    def part(name: str, **values: Any) -> Markup:
        return Markup(TEMPLATES.get_template(name).render(context | values))  # rendered with autoescape

    return Slots(
        title=f"{page.drawn.figure.facts.title} - Safer Places",
        head=part("maps/head.html"),
        header=part("parts/banner.html") + part("parts/header.html"),
        footer=part("parts/footer.html"),
        side=part("maps/filters.html", **_filters(core, principal, kind, state, page)),
        own_layers=False,
    )


def embed_slots() -> Slots:
    """Return nothing around the map: it stands in a frame of another page."""
    return Slots(embed=True)


def _filters(core: Core, principal: Principal, kind: MapKind, state: MapState, page: MapPage) -> dict[str, Any]:
    path = path_of(core, kind)
    query = state.query()
    marks = principal.may(Right.MARK_COUNTS) and kind in _BY_MARKS | BY_AREA
    return {
        "kinds": [
            (path_of(core, name), words, name == kind)
            for name, words in KIND_WORDS.items()
            if name not in _RIGHTS or principal.may(_RIGHTS[name])
        ],
        "has_names": names.has_names(core),
        "action": path,
        "download": f"{path}/download{'?' if query else ''}{query}",
        "embed": f"{path}?{query}{'&' if query else ''}embed=1",
        "state": state,
        "set_name": page.view.name,
        "sets": [(view.name, view.title) for view in areas.list_sets(core)],
        "layers": page.layers,
        "measures": _measures(page) if kind in BY_AREA else [],
        **(_months(core) if kind in BY_AREA and page.view.join_points else {"months": [], "categories": []}),
        "marks": marks,
        "feelings": list(FEELING_WORDS.items()) if kind in _BY_MARKS else [],
        "times": [*_DAY_AND_NIGHT, *((time.code, time.label) for time in choices().times)],
        "reasons": [(reason.code, reason.label) for reason in choices().reasons] if kind in _BY_MARKS else [],
    }


def _measures(page: MapPage) -> list[tuple[str, str]]:
    return [(name, " ".join(MEASURE_WORDS[name]).strip()) for name in page.found.measures()]


def _months(core: Core) -> dict[str, Any]:
    held = crimes.months_held(core)
    if held.first is None or held.last is None:
        return {"months": [], "categories": []}
    months = [(month, month_words(month)) for month in month_range(held.first, held.last)]
    return {"months": months, "categories": [(note.slug, category_words(note.slug)) for note in held.categories]}
