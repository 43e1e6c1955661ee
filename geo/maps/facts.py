"""What a map page says beside the drawing: title, source, licence, period, caveats, legend and table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

# Words of the controls. A translation is a mapping with the same keys, given to the map.
ENGLISH: Final[dict[str, str]] = {
    "skip_map": "Skip to the map",
    "skip_table": "Skip to the table",
    "map_of": "Map: {title}",
    "zoom_in": "Zoom in",
    "zoom_out": "Zoom out",
    "north": "North is up",
    "close": "Close",
    "layers": "Layers on the map",
    "legend": "What the map shows",
    "table": "The same content as a table",
    "about": "About this map",
    "period": "Period",
    "source": "Source",
    "licence": "Licence",
    "caveats": "Read with care",
    "no_script": "The map needs JavaScript. The table below has the same content.",
    "too_few": "Not enough people yet",
    "no_figure": "No figure",
    "instead": "The density layer is shown in place of these shades.",
    "loading": "Loading marks",
    "in_view": "Marks in view: {n}",
    "none_in_view": "No marks in view. Move the map or change the filters.",
    "load_failed": "The marks could not be loaded. The map keeps what it had; move it to try again.",
    "group": "{n} marks: {unsafe} feel unsafe, {safe} feel safe, {depends} depend. Press to zoom in.",
    "safe": "Feels safe",
    "unsafe": "Feels unsafe",
    "mixed": "It depends",
    "border": "A border",
    "route": "I go another way",
    "area": "An area",
    "rank": "Hot spot {n}",
    "confidence": "Confidence",
    "per_cent": "{n} %",
    "venue": "Verified safe place",
}


@dataclass(frozen=True, slots=True)
class Source:
    """Where data comes from.

    Attributes
    ----------
    name : str
        Publisher and product, as a person reads it.
    licence : str
        Licence with its attribution statement; empty where none applies.
    """

    name: str
    licence: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table below a map.

    Attributes
    ----------
    label : str
        Heading, with the unit.
    numeric : bool
        Whether its cells are set to the right.
    """

    label: str
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that leads somewhere: words and a path of our own site.

    Attributes
    ----------
    text : str
        Words of the link.
    href : str
        Path on our own host; not written into an offline file.
    """

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Table:
    """The same content as the map, for whoever does not use the map (A1).

    Attributes
    ----------
    caption : str
        One sentence naming what the rows are.
    columns : sequence of Column
        Headings, left to right; the first heads the rows.
    rows : sequence of sequence
        Cells as text, numbers, :class:`Cell` or None (shown as a dash).
    note : str
        Shown below, e.g. that more rows exist.
    """

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str | int | float | Cell | None]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class LegendRow:
    """One line of a legend.

    Attributes
    ----------
    swatch : str
        Name of a drawing in ``static/map.css`` and ``static/symbols.svg``, e.g. ``grey-3`` or ``mark-safe``.
    words : str
        What it means.
    """

    swatch: str
    words: str


@dataclass(frozen=True, slots=True)
class Legend:
    """The legend of one layer.

    Attributes
    ----------
    key : str
        Key of the layer it belongs to.
    title : str
        What is drawn.
    unit : str
        Unit of the numbers; empty where there is none.
    rows : sequence of LegendRow
        Its lines.
    note : str
        A sentence below.
    """

    key: str
    title: str
    unit: str
    rows: Sequence[LegendRow]
    note: str = ""


@dataclass(frozen=True, slots=True)
class MapFacts:
    """Everything a map page says in words.

    Attributes
    ----------
    title : str
        Title of page and heading.
    period : str
        Months or days the data covers, e.g. "January 2016 to June 2018".
    sources : sequence of Source
        Publishers and licences (P7).
    caveats : sequence of str
        What the data cannot say (P7).
    summary : str
        One sentence: where, how sure, since when.
    notices : sequence of str
        Banners above the map: sample data, approximate boundaries.
    empty : str
        Said in place of a result where there is none: what to do first.
    table : Table or None
        The same content.
    language : str
        BCP 47 tag of the page.
    words : dict of str
        Words of the controls; see ``ENGLISH``.
    """

    title: str
    period: str
    sources: Sequence[Source]
    caveats: Sequence[str] = ()
    summary: str = ""
    notices: Sequence[str] = ()
    empty: str = ""
    table: Table | None = None
    language: str = "en"
    words: dict[str, str] = field(default_factory=lambda: dict(ENGLISH))
