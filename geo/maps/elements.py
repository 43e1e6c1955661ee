"""Our own Folium elements: each puts its data into the page as safe JSON and names the script class that draws it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

import numpy as np
import shapely
from branca.element import MacroElement
from geopandas import GeoDataFrame
from jinja2 import Template
from pandas import Series

from geo import columns, crs
from geo.errors import MapError
from geo.maps.classes import MAX_CLASSES, class_limits, class_of, class_words, one_digit, shade
from geo.maps.encode import simplified, to_drawing, to_script_json
from geo.maps.facts import ENGLISH, Legend, LegendRow
from geo.maps.figure import MapFigure, RawText

Ramp = Literal["grey", "share", "count"]
Card = Mapping[str, Any]  # {"title": str, "rows": [[label, value]], "note": str, "link": {"href", "text"}}

RANK_WORDS: Final = "1 is the strongest"  # ranked by the highest z, not by the number of crimes
CONFIDENCES: Final = (99, 95, 90)
_DENSITY_SHARES: Final = (0.4, 0.7, 0.87, 0.96)
DRAWN_TOLERANCE: Final = 0.00003  # degrees, about 3 m: finer than a screen at street zoom shows of an area


class MapElement(MacroElement):
    """Base of our elements: ``saferPlaces.add(map, class, options)`` in the page's one script.

    Attributes
    ----------
    key : str
        Name of the layer in switches, legends and addresses.
    label : str
        Words of its switch; empty for none.
    shown : bool
        Whether it is drawn at first.
    """

    drawn_by: ClassVar[str] = ""
    needs: ClassVar[Sequence[str]] = ()
    _template = Template(
        "{% macro script(this, kwargs) %}"
        "var {{ this.get_name() }} = saferPlaces.add("
        '{{ this._parent.get_name() }}, "{{ this.drawn_by }}", {{ this.data() }});'
        "{% endmacro %}"
    )

    def __init__(self, key: str, *, label: str, shown: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = self.drawn_by
        self.key = key
        self.label = label
        self.shown = shown

    @property
    def words(self) -> Mapping[str, str]:
        """Words of the page that the layer stands in."""
        figure = self.get_root()
        return figure.facts.words if isinstance(figure, MapFigure) else ENGLISH

    def options(self) -> dict[str, Any]:
        """Return what the script class is given."""
        raise NotImplementedError

    def legend(self) -> Legend | None:
        """Return the legend of the layer, or None where it needs none."""
        return None

    def data(self) -> str:
        """Return the options as JSON that is safe inside a script."""
        return to_script_json({"key": self.key, "shown": self.shown, **self.options()})

    def render(self, **kwargs: Any) -> str:
        """Put the script into the figure as it is: branca would read it as a template, and names may hold braces."""
        figure = self.get_root()
        if not isinstance(figure, MapFigure):
            message = f"{self.drawn_by} stands in a {type(figure).__name__}; add it to a map of geo.maps.build."
            raise MapError(message)
        figure.script.add_child(RawText(self._template.module.script(self, kwargs)), name=self.get_name())
        return ""


@dataclass(frozen=True, slots=True)
class Measure:
    """One number for each area.

    Attributes
    ----------
    label : str
        What is counted, e.g. "Crimes reported to the police".
    unit : str
        Unit in words, e.g. "per square kilometre"; empty where the label says it.
    values : Series, index area_gss
        The numbers; NaN where there is none.
    few : frozenset of str
        Codes of areas whose number is held back: not enough people yet.
    ramp : {'grey', 'share', 'count'}
        Colours: grey for recorded crime, the others for marks.
    limits : tuple of float or None
        Inner class limits; None to choose round ones.
    whole : bool
        Whether the numbers are counts.
    suffix : str
        Follows each number, e.g. " %".
    """

    label: str
    unit: str
    values: Series
    few: frozenset[str] = frozenset()
    ramp: Ramp = "grey"
    limits: tuple[float, ...] | None = None
    whole: bool = True
    suffix: str = ""

    def told(self, value: float) -> str:
        """Return a value as a person reads it."""
        return f"{value:,.0f}{self.suffix}" if self.whole else f"{value:,.1f}{self.suffix}"


class AreaLayer(MapElement):
    """Areas of one boundary set, coloured by the class of a measure, with their names.

    Parameters
    ----------
    areas : GeoDataFrame, shape (n_areas,)
        Polygons in ``crs.WGS84`` with ``area_name``, indexed by ``area_gss``.
    measure : Measure or None
        The number to show; None draws outlines only.
    links : mapping of str to str
        Path of each area's own page by code, on our own host.
    focus : str
        Code of the one area the map is about: seen first and outlined strongly; empty for all.
    labels : bool
        Whether names are written on the map.

    Raises
    ------
    CRSError
        If ``areas`` is not in ``crs.WGS84``.
    ColumnError
        If ``areas`` has no names.
    """

    drawn_by = "AreaLayer"
    needs = ("areas.js",)

    def __init__(
        self,
        areas: GeoDataFrame,
        measure: Measure | None,
        *,
        links: Mapping[str, str] | None = None,
        focus: str = "",
        labels: bool = True,
        shown: bool = True,
    ) -> None:
        crs.require_wgs84(areas)
        columns.require_columns(areas, [columns.AREA_NAME])
        super().__init__("areas", label=measure.label if measure else "Areas", shown=shown)
        self.areas, self.measure, self.links, self.labels = areas, measure, links or {}, labels
        self.focus = focus
        self.limits: tuple[float, ...] = ()
        if measure is not None:
            known = measure.values.reindex(areas.index).drop(index=[c for c in measure.few if c in areas.index])
            chosen = class_limits(known.to_numpy(dtype=float), whole=measure.whole)
            self.limits = measure.limits if measure.limits is not None else chosen

    def options(self) -> dict[str, Any]:
        """Return areas with class, label point and the words of their popup."""
        shapes = simplified(self.areas.geometry.to_numpy(), tolerance_degrees=DRAWN_TOLERANCE)
        at = shapely.get_coordinates(shapely.point_on_surface(shapes))
        centre = shapely.get_coordinates(shapely.centroid(shapes))
        inside = shapely.contains_xy(shapes, centre[:, 0], centre[:, 1])
        at = np.where(inside[:, None], centre, at).round(5)
        order = np.argsort(np.argsort(shapely.area(shapes)))
        steps = self._steps()
        areas = [
            {
                "code": code,
                "name": name,
                "geometry": to_drawing(shape),
                "at": [lat, lon],
                "rank": int(rank) + (len(order) if code == self.focus else 0),
                "focus": bool(code == self.focus),
                **self._state(code, step),
                "card": self._card(code, name),
            }
            for code, name, shape, (lon, lat), rank, step in zip(
                self.areas.index, self.areas[columns.AREA_NAME], shapes, at, order, steps, strict=True
            )
        ]
        return {"areas": areas, "ramp": self.measure.ramp if self.measure else "grey", "labels": self.labels}

    def _steps(self) -> list[int]:
        if self.measure is None:
            return [0] * len(self.areas)
        ramp = [0, *shade(len(self.limits) + 1)]
        values = self.measure.values.reindex(self.areas.index).to_numpy(dtype=float)
        return [ramp[number] for number in class_of(values, self.limits)]

    def _state(self, code: str, step: int) -> dict[str, Any]:
        if self.measure is None:
            return {"status": "plain", "step": 0}
        if code in self.measure.few:
            return {"status": "few", "step": 0}
        return {"status": "value" if step else "missing", "step": step}

    def _card(self, code: str, name: str) -> dict[str, Any]:
        card: dict[str, Any] = {"title": name, "rows": []}
        if self.measure is not None:
            label = f"{self.measure.label} {self.measure.unit}".strip()
            card["rows"] = [[label, self.told(code)]]
        if code in self.links:
            card["link"] = {"href": self.links[code], "text": "More about this area"}
        return card

    def told(self, code: str) -> str:
        """Return the number of an area as a person reads it, or why there is none."""
        if self.measure is None:
            return ""
        if code in self.measure.few:
            return self.words["too_few"]
        value = float(self.measure.values.get(code, np.nan))
        return self.measure.told(value) if np.isfinite(value) else self.words["no_figure"]

    def legend(self) -> Legend | None:
        """Return the classes with their limits, and what the other patterns mean."""
        if self.measure is None:
            return None
        spoken = class_words(self.limits, unit=self.measure.suffix)
        ramp = self.measure.ramp
        rows = [LegendRow(f"{ramp}-{step}", said) for step, said in zip(shade(len(spoken)), spoken, strict=True)]
        if self.measure.few:
            rows.append(LegendRow("few", self.words["too_few"]))
        known = set(self.measure.values.dropna().index) | self.measure.few
        if not set(self.areas.index) <= known:
            rows.append(LegendRow("missing", self.words["no_figure"]))
        return Legend(self.key, self.measure.label, self.measure.unit, rows)

    def _get_self_bounds(self) -> list[list[float | None]]:
        west, south, east, north = (float(edge) for edge in self.areas.total_bounds)
        return [[south, west], [north, east]]


class HotspotLayer(MapElement):
    """Ranked hot spots with outlines hatched by confidence.

    Parameters
    ----------
    hotspots : GeoDataFrame, shape (n_hotspots,)
        Polygons in ``crs.WGS84`` with ``rank`` (1 is the strongest) and ``confidence`` (90, 95 or 99).
    cards : sequence of mapping
        Words of the popup of each, in order.

    Raises
    ------
    CRSError
        If ``hotspots`` is not in ``crs.WGS84``.
    ColumnError
        If a column is missing.
    """

    drawn_by = "HotspotLayer"
    needs = ("areas.js",)

    def __init__(
        self, hotspots: GeoDataFrame, cards: Sequence[Card], *, label: str = "Hot spots", shown: bool = True
    ) -> None:
        crs.require_wgs84(hotspots)
        columns.require_columns(hotspots, ["rank", columns.CONFIDENCE])
        super().__init__("hotspots", label=label, shown=shown)
        self.hotspots, self.cards = hotspots, cards

    def options(self) -> dict[str, Any]:
        """Return outlines with rank, confidence and the words of their popup."""
        spots = zip(
            self.hotspots.geometry, self.hotspots["rank"], self.hotspots[columns.CONFIDENCE], self.cards, strict=True
        )
        return {
            "hotspots": [
                {
                    "geometry": to_drawing(shape),
                    "at": _label_point(shape),
                    "rank": int(rank),
                    "confidence": int(confidence),
                    "card": card,
                }
                for shape, rank, confidence, card in spots
            ]
        }

    def legend(self) -> Legend:
        """Return the three hatches; only those that are there."""
        found = set(self.hotspots[columns.CONFIDENCE].astype(int))
        rows = [LegendRow(f"hot-{level}", f"{level} % confidence") for level in CONFIDENCES if level in found]
        note = f"The number is the rank: {RANK_WORDS}." if rows else "No hot spot was found."
        return Legend(self.key, self.label, "more crime reported nearby than chance would give", rows, note)


class DensityLayer(MapElement):
    """Density of recorded crime on a grid, painted in classes.

    Parameters
    ----------
    density : ndarray, shape (rows, columns)
        Density [1 / km2 / month] from the south-west corner, row by row northwards; NaN outside the borough.
    corners : sequence of (float, float)
        Longitude and latitude of the grid's corners: south-west, south-east, north-east, north-west [degrees].

    Raises
    ------
    MapError
        If ``density`` has not two dimensions.
    """

    drawn_by = "DensityLayer"
    needs = ("density.js",)

    def __init__(
        self,
        density: Any,
        corners: Sequence[tuple[float, float]],
        *,
        label: str = "Density of recorded crime",
        note: str = "",
        shown: bool = False,
    ) -> None:
        super().__init__("density", label=label, shown=shown)
        self.density = np.asarray(density, dtype=np.float64)
        if self.density.ndim != 2:  # noqa: PLR2004 - rows and columns
            message = f"The density has {self.density.ndim} dimensions; wanted rows and columns."
            raise MapError(message)
        self.corners, self.note = corners, note
        positive = self.density[np.isfinite(self.density) & (self.density > 0)]
        # equal widths would paint one dark street and nothing else: classes by shares of the cells, rounded
        cuts = np.quantile(positive, _DENSITY_SHARES) if positive.size else np.empty(0)
        self.limits = tuple(sorted({one_digit(float(cut)) for cut in cuts}))

    def options(self) -> dict[str, Any]:
        """Return one digit a cell: its step of the ramp, 0 where nothing is drawn."""
        ramp = np.array([0, *shade(len(self.limits) + 1)])
        steps = np.where(self.density > 0, ramp[class_of(self.density, self.limits)], 0)
        rows, across = self.density.shape
        digits = "".join(steps.astype(int).astype(str).ravel())
        return {"corners": self.corners, "columns": across, "rows": rows, "classes": digits}

    def legend(self) -> Legend:
        """Return the classes with their limits."""
        spoken = class_words(self.limits) if self.limits else ["above 0"]
        rows = [LegendRow(f"grey-{step}", said) for step, said in zip(shade(len(spoken)), spoken, strict=True)]
        return Legend(self.key, self.label, "per square kilometre and month", rows[:MAX_CLASSES], self.note)


def _label_point(shape: Any) -> list[float]:
    point = shapely.point_on_surface(shape)
    return [round(point.y, 5), round(point.x, 5)]
