"""One layer of a map with what is said beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from geo.maps.elements import MapElement
from geo.maps.facts import Source, Table


@dataclass(frozen=True, slots=True)
class Drawn:
    """One layer and what is said beside it.

    Attributes
    ----------
    element : MapElement or None
        The layer; None where there is nothing to draw.
    table : Table or None
        The same content.
    period : str
        What time it covers.
    sentence : str
        Where, how sure, since when.
    sources : sequence of Source
        Publishers and licences.
    caveats : sequence of str
        What it cannot say.
    empty : str
        What to do first, where there is nothing.
    """

    element: MapElement | None
    table: Table | None = None
    period: str = ""
    sentence: str = ""
    sources: Sequence[Source] = ()
    caveats: Sequence[str] = field(default=())
    empty: str = ""
