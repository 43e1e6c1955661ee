"""What the address of a map page says: set, measure, months, filters, layers. Nothing else decides what is shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal
from urllib.parse import urlencode

from fastapi import Depends, Query

MapKind = Literal["maps", "wards", "places", "hotspots", "density", "venues"]
Measure = Literal["crimes", "crimes_km2", "crimes_rate", "marks", "unsafe_share"]
Feeling = Literal["", "unsafe", "safe", "mixed"]
Rule = Literal["polygon", "nearest"]

LAYERS: Final = ("areas", "hotspots", "density", "venues", "landmarks", "places")
SHOWN_AT_FIRST: Final = ("areas", "hotspots", "venues", "places")
MARK_MEASURES: Final = frozenset({"marks", "unsafe_share"})
_CODE: Final = r"^[a-z0-9_-]{0,40}$"
_AREA: Final = r"^[A-Za-z0-9_.-]{0,20}$"
_MONTH: Final = r"^(\d{4}-(0[1-9]|1[0-2]))?$"


@dataclass(frozen=True, slots=True)
class MapState:
    """The state of a map page, as its address says it.

    Attributes
    ----------
    set : str
        Boundary set; empty for the default.
    area : str
        Code of the one area the map is about; empty for all.
    measure : str
        Number shown by area.
    first, last : str
        Months ``YYYY-MM`` of recorded crime; empty for all that is held.
    category : str
        Crime type; empty for all.
    rule : str
        How crimes are given to areas.
    feeling, time, reason : str
        Filters of marks; empty for all.
    layers : tuple of str
        Layers switched on.
    """

    set: str = ""
    area: str = ""
    measure: Measure = "crimes"
    first: str = ""
    last: str = ""
    category: str = ""
    rule: Rule = "polygon"
    feeling: Feeling = ""
    time: str = ""
    reason: str = ""
    layers: tuple[str, ...] = SHOWN_AT_FIRST

    @property
    def categories(self) -> tuple[str, ...]:
        """Crime types asked for; none means all."""
        return (self.category,) if self.category else ()

    @property
    def mark_query(self) -> dict[str, str]:
        """The filters of marks, as the data address takes them."""
        found = {"feeling": self.feeling, "time": self.time, "reason": self.reason}
        return {name: value for name, value in found.items() if value}

    def query(self) -> str:
        """Return the address's query without what is as at first."""
        plain = MapState()
        names = {"first": "from", "last": "to"}
        parts: list[tuple[str, str]] = []
        for name in ("set", "area", "measure", "first", "last", "category", "rule", "feeling", "time", "reason"):
            value = getattr(self, name)
            if value != getattr(plain, name):
                parts.append((names.get(name, name), value))
        if set(self.layers) != set(plain.layers):
            parts += [("layers", layer) for layer in self.layers] or [("layers", "")]
        return urlencode(parts)

    def with_set(self, name: str) -> MapState:
        """Return the same state with the set named."""
        return replace(self, set=name)


def read_state(  # noqa: PLR0913, PLR0917 - one parameter a part of the address
    set: Annotated[str, Query(description="Boundary set; the default where left out.", pattern=_CODE)] = "",
    area: Annotated[str, Query(description="Code of the one area to look at.", pattern=_AREA)] = "",
    measure: Annotated[Measure, Query(description="Number shown by area.")] = "crimes",
    first: Annotated[str, Query(alias="from", description="First month, YYYY-MM.", pattern=_MONTH)] = "",
    last: Annotated[str, Query(alias="to", description="Last month, YYYY-MM.", pattern=_MONTH)] = "",
    category: Annotated[str, Query(description="Crime type; all where left out.", pattern=_CODE)] = "",
    rule: Annotated[Rule, Query(description="How crimes are given to areas.")] = "polygon",
    feeling: Annotated[Feeling, Query(description="Only marks that feel so.")] = "",
    time: Annotated[str, Query(description="Only marks of this time of day.", pattern=_CODE)] = "",
    reason: Annotated[str, Query(description="Only marks with this reason.", pattern=_CODE)] = "",
    layers: Annotated[list[str] | None, Query(description="Layers switched on; an empty one for none.")] = None,
) -> MapState:
    """Return the state that the address says."""
    shown = SHOWN_AT_FIRST if layers is None else tuple(name for name in LAYERS if name in layers)
    return MapState(set, area, measure, first, last, category, rule, feeling, time, reason, shown)


StateDep = Annotated[MapState, Depends(read_state)]
