"""The one figure of every map: language, title, landmarks, nonces and our own assets around a Folium map."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import folium
from branca.element import Element, Figure
from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from geo.errors import MapError
from geo.maps.assets import CORE, Assets, read_static
from geo.maps.encode import to_script_json
from geo.maps.facts import Cell, Legend, MapFacts

_NOTHING: Final = Markup("")
BBox = tuple[float, float, float, float]  # west, south, east, north in degrees
INLINE: Final = Assets()
MIN_ZOOM: Final = 9
MAX_ZOOM: Final = 19
# An offline file may ask nobody for anything; Leaflet sets styles through the object model, which needs no permission.
_OFFLINE_POLICY: Final = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)
_PAGES: Final = Environment(loader=PackageLoader("geo.maps", "templates"), autoescape=True)


@dataclass(frozen=True, slots=True)
class Slots:
    """Markup of the site that stands around a map; the site renders and escapes it.

    Attributes
    ----------
    title : str
        Title of the browser's tab; the map's own title where empty.
    head : Markup
        Links to the site's own style sheet.
    header, footer : Markup
        Head and foot of the site.
    side : Markup
        Filters, left of the map on wide screens.
    side_label : str
        Name of that landmark.
    embed : bool
        Whether the page stands in a frame of another page.
    own_layers : bool
        Whether the map shows its own list of layers; False where the filters hold it.
    """

    title: str = ""
    head: Markup = _NOTHING
    header: Markup = _NOTHING
    footer: Markup = _NOTHING
    side: Markup = _NOTHING
    side_label: str = "Filters"
    embed: bool = False
    own_layers: bool = True


@dataclass(frozen=True, slots=True)
class MapParts:
    """A map cut up for a page that has its own template.

    Attributes
    ----------
    styles : Markup
        For the head.
    stage : Markup
        Map, legend and layers.
    words : Markup
        Table and facts.
    scripts : Markup
        For the end of the body: ``links`` and ``script`` in an element of its own.
    links : Markup
        The scripts of our own host alone.
    script : str
        What they are told about this map, as a script.
    """

    styles: Markup
    stage: Markup
    words: Markup
    scripts: Markup
    links: Markup
    script: str


class RawText(Element):
    """Text that goes into the page as it is; branca would run it through a template engine a second time."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._name = "RawText"
        self.text = text

    def render(self, **_: Any) -> str:
        """Return the text."""
        return self.text + "\n"


class MapFigure(Figure):
    """Figure of ours: renders a whole page, or the parts of one."""

    def __init__(self, facts: MapFacts) -> None:
        super().__init__(title=facts.title)
        self.facts = facts
        self.header._children.clear()

    def parts(self, *, nonce: str, assets: Assets, own_layers: bool = True) -> MapParts:
        """Render the maps of the figure, without a page around them.

        Parameters
        ----------
        nonce : str
            Nonce of the page's content security policy.
        assets : Assets
            Where scripts and styles come from.
        own_layers : bool
            Whether the map shows its own list of layers.

        Returns
        -------
        MapParts
            Pieces of markup.

        Raises
        ------
        MapError
            If an element of the map would ask another host for a script or a style sheet.
        """
        self.script._children.clear()
        for child in list(self._children.values()):
            child.render()
        self._refuse_foreign_parts()
        elements = list(_elements(self))
        facts, words = self.facts, self.facts.words
        stage = _PAGES.get_template("stage.html").render(
            maps=[child for child in self._children.values() if isinstance(child, folium.Map)],
            facts=facts,
            words=words,
            layers=_once([item for item in elements if item.label]),
            own_layers=own_layers,
            legends=_legends(elements),
            sprite=Markup(read_static("symbols.svg")),
        )
        below = _PAGES.get_template("words.html").render(facts=facts, words=words, show=_cell(linked=not assets.inline))
        names = [*CORE, *(name for item in elements for name in item.needs), *getattr(self, "needs", ())]
        script = f"{self.script.render()}\nsaferPlaces.bind();"
        links = assets.scripts(names, nonce)
        scripts = links + Markup('\n<script nonce="{}">{}</script>').format(nonce, Markup(script))
        return MapParts(assets.styles(nonce), Markup(stage), Markup(below), scripts, links, script)

    def page(self, *, nonce: str, assets: Assets, slots: Slots | None = None) -> str:
        """Render the whole page.

        Parameters
        ----------
        nonce : str
            Nonce of the page's content security policy; a random one where empty.
        assets : Assets
            Where scripts and styles come from; ``INLINE`` makes one offline file.
        slots : Slots or None
            Markup of the site around the map.

        Returns
        -------
        str
            An HTML document.

        Raises
        ------
        MapError
            If an element of the map would ask another host for a script or a style sheet.
        """
        nonce = nonce or secrets.token_urlsafe(16)
        around = slots or Slots()
        parts = self.parts(nonce=nonce, assets=assets, own_layers=around.own_layers)
        return _PAGES.get_template("figure.html").render(
            facts=self.facts,
            words=self.facts.words,
            slots=around,
            styles=parts.styles,
            stage=parts.stage,
            words_below=parts.words,
            scripts=parts.scripts,
            policy=_OFFLINE_POLICY.format(nonce=nonce) if assets.inline else "",
        )

    def render(self, **_: Any) -> str:
        """Render one offline page: what a notebook shows and ``save`` writes."""
        return self.page(nonce="", assets=INLINE)

    def _refuse_foreign_parts(self) -> None:
        """Raise where a stock Folium element put a link or a style into the head: it would be blocked or leak."""
        foreign = list(self.header._children)
        if foreign:
            message = (
                f"{', '.join(map(str, foreign))}: a part that is not ours would be loaded from another host; "
                "draw it with an element of geo.maps.elements."
            )
            raise MapError(message)


class PlaceMap(folium.Map):
    """A Folium map in a figure of ours; stock Folium elements that need no further script may be added too."""

    default_js: ClassVar[list[tuple[str, str]]] = []  # type: ignore[misc]  # folium sets it on the class too
    default_css: ClassVar[list[tuple[str, str]]] = []  # type: ignore[misc]

    def __init__(self, figure: MapFigure, *, bbox: BBox, caption: str = "", furniture: bool = True) -> None:
        west, south, east, north = bbox
        super().__init__(location=((south + north) / 2, (west + east) / 2), tiles=None)
        self.bbox = bbox
        self.caption = caption
        self.furniture = furniture
        figure.add_child(self)

    @property
    def figure(self) -> MapFigure:
        """The figure around the map."""
        root = self.get_root()
        if not isinstance(root, MapFigure):
            message = f"The map is in a {type(root).__name__}; wanted a MapFigure: make maps with geo.maps.build."
            raise MapError(message)
        return root

    def render(self, **_: Any) -> str:
        """Put the script of the map, then of its children, into the figure."""
        west, south, east, north = self.bbox
        options = {
            "bounds": [[south, west], [north, east]],
            "minZoom": MIN_ZOOM,
            "maxZoom": MAX_ZOOM,
            "furniture": self.furniture,
            "words": self.figure.facts.words,
        }
        name = self.get_name()
        text = f"var {name} = saferPlaces.createMap({to_script_json(name)}, {to_script_json(options)});"
        self.figure.script.add_child(RawText(text), name=name)
        for child in self._children.values():
            child.render()
        return ""


def render(drawn: PlaceMap, *, nonce: str = "", assets: Assets = INLINE, slots: Slots | None = None) -> str:
    """Render the page of a map.

    Parameters
    ----------
    drawn : PlaceMap
        A map of ``geo.maps.build``.
    nonce : str
        Nonce of the content security policy; a random one where empty.
    assets : Assets
        ``INLINE`` for one offline file, ``Assets("/static/maps")`` for a page of a server.
    slots : Slots or None
        Markup of the site around the map.

    Returns
    -------
    str
        An HTML document.

    Raises
    ------
    MapError
        If an element of the map would ask another host for a script or a style sheet.
    """
    return str(drawn.figure.page(nonce=nonce, assets=assets, slots=slots))


def _elements(element: Any) -> Iterator[Any]:
    """Yield our own elements below an element, in the order drawn."""
    for child in element._children.values():
        if hasattr(child, "needs"):
            yield child
        yield from _elements(child)


def _once(elements: Sequence[Any]) -> list[Any]:
    """Keep the first element of each key: two maps side by side share their switches and legends."""
    return list({item.key: item for item in reversed(elements)}.values())[::-1]


def _legends(elements: Sequence[Any]) -> list[tuple[Legend, bool]]:
    found = ((item.legend(), item.shown) for item in _once(elements))
    return [(legend, shown) for legend, shown in found if legend is not None]


def _cell(*, linked: bool) -> Any:
    """Return the function that writes a table cell; links of our site only where the page is on our site."""

    def show(cell: Any) -> Any:
        if cell is None:
            return "–"
        if isinstance(cell, Cell):
            return Markup('<a href="{}">{}</a>').format(cell.href, cell.text) if linked else cell.text
        if isinstance(cell, int):
            return f"{cell:,}"
        return f"{cell:,.1f}" if isinstance(cell, float) else cell

    return show
