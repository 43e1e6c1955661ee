"""Folium elements of places: marks asked for by viewport, verified safe places, landmarks, and the ground below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import orjson

from geo.errors import MapError
from geo.maps.elements import Card, MapElement
from geo.maps.facts import Legend, LegendRow

LANDMARK_ZOOM: Final = 13
_GROUP_DECIMALS: Final = 5  # about 1 m: a group has no exact place
_OWN_HOST: Final = "/"


class PlacesLayer(MapElement):
    """Marks of young people: groups and single marks of the viewport, never the whole list.

    Parameters
    ----------
    url : str
        Path on our own host that answers ``bbox`` and ``zoom`` with groups and places; empty for an offline file.
    query : mapping of str to str
        Filters that go with each request.
    levels : mapping of int to mapping
        For an offline file: ``{zoom: {"groups": [...], "places": [...]}}``, as the data address answers.

    Raises
    ------
    MapError
        If ``url`` leads to another host, or neither ``url`` nor ``levels`` is given.
    """

    drawn_by = "PlacesLayer"
    needs = ("places.js",)

    def __init__(
        self,
        *,
        url: str = "",
        query: Mapping[str, str] | None = None,
        levels: Mapping[int, Mapping[str, Any]] | None = None,
        label: str = "Marked by young people",
        note: str = "",
        shown: bool = True,
    ) -> None:
        super().__init__("places", label=label, shown=shown)
        if not url and levels is None:
            message = "Neither an address nor marks were given; wanted url= for a server or levels= for a file."
            raise MapError(message)
        if url:
            _require_own(url)
        self.url, self.query, self.levels, self.note = url, dict(query or {}), levels, note

    def options(self) -> dict[str, Any]:
        """Return the address with its filters, or the marks of an offline file."""
        return {"url": self.url, "query": self.query} if self.levels is None else _packed(self.levels)

    def legend(self) -> Legend:
        """Return marker shapes with their words."""
        rows = [
            LegendRow("mark-unsafe", "Feels unsafe"),
            LegendRow("mark-safe", "Feels safe"),
            LegendRow("mark-mixed", "It depends"),
            LegendRow("route", "I go another way"),
            LegendRow("group", "Several marks; the ring shows the shares"),
        ]
        return Legend(self.key, self.label, "", rows, self.note)


def _packed(levels: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    """Return levels whose marks stand once: a mark that is alone at many zooms would fill the file with its words."""
    shared: dict[bytes, int] = {}
    packed = {
        zoom: {
            "groups": [
                [round(lon, _GROUP_DECIMALS), round(lat, _GROUP_DECIMALS), *counts]
                for lon, lat, *counts in level["groups"]
            ],
            "places": [shared.setdefault(orjson.dumps(_short(place)), len(shared)) for place in level["places"]],
        }
        for zoom, level in levels.items()
    }
    return {"levels": packed, "shared": [orjson.loads(text) for text in shared]}


def _short(place: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mark without what goes without saying: that it is a point, and has no line."""
    return {name: value for name, value in place.items() if value is not None and (name, value) != ("kind", "point")}


class VenueLayer(MapElement):
    """Verified safe places.

    Parameters
    ----------
    venues : sequence of mapping
        ``{"at": (longitude, latitude), "card": {...}}`` each; positions in ``crs.WGS84`` [degrees].
    """

    drawn_by = "VenueLayer"
    needs = ("places.js",)

    def __init__(
        self, venues: Sequence[Mapping[str, Any]], *, label: str = "Verified safe places", shown: bool = True
    ) -> None:
        super().__init__("venues", label=label, shown=shown)
        self.venues = venues

    def options(self) -> dict[str, Any]:
        """Return positions and the words of the popups."""
        return {"venues": [{"at": _rounded(venue["at"]), "card": venue["card"]} for venue in self.venues]}

    def legend(self) -> Legend:
        """Return the one marker."""
        return Legend(self.key, self.label, "", [LegendRow("venue", "Checked by a named adult")])


class LandmarkLayer(MapElement):
    """Names of stations, libraries and the like, so that a person finds the way without a ground map.

    Parameters
    ----------
    landmarks : sequence of (float, float, str, int)
        Longitude, latitude [degrees], name and rank; of two that overlap the higher rank is written.
    min_zoom : int
        Zoom from which they are written.
    """

    drawn_by = "LandmarkLayer"

    def __init__(
        self,
        landmarks: Sequence[tuple[float, float, str, int]],
        *,
        label: str = "Stations and landmarks",
        min_zoom: int = LANDMARK_ZOOM,
        shown: bool = True,
    ) -> None:
        super().__init__("landmarks", label=label, shown=shown)
        self.landmarks, self.min_zoom = landmarks, min_zoom

    def options(self) -> dict[str, Any]:
        """Return positions, names and ranks."""
        marks = [[*_rounded((lon, lat)), name, rank] for lon, lat, name, rank in self.landmarks]
        return {"landmarks": marks, "minZoom": self.min_zoom}


class GroundLayer(MapElement):
    """The ground map: streets from a vector file, or tiles, both from our own host.

    Parameters
    ----------
    kind : {'pmtiles', 'raster'}
        A PMTiles file of vector tiles, or an address with ``{z}``, ``{x}`` and ``{y}``.
    url : str
        Path on our own host.
    attribution : str
        Words the source asks for; written as text.
    max_zoom : int
        Finest zoom the source holds.

    Raises
    ------
    MapError
        If ``url`` leads to another host.
    """

    drawn_by = "GroundLayer"

    def __init__(self, kind: Literal["pmtiles", "raster"], url: str, *, attribution: str, max_zoom: int) -> None:
        super().__init__("ground", label="Streets", shown=True)
        _require_own(url)
        self.kind, self.url, self.attribution, self.max_zoom = kind, url, attribution, max_zoom
        self.needs = ("vendor/protomaps/protomaps-leaflet.js", "ground.js") if kind == "pmtiles" else ("ground.js",)  # type: ignore[misc]

    def options(self) -> dict[str, Any]:
        """Return kind, address, attribution and finest zoom."""
        return {
            "kind": self.kind,
            "url": self.url,
            "attribution": self.attribution,
            "maxDataZoom": self.max_zoom,
        }


class SyncedViews(MapElement):
    """Keeps two maps at one view: day beside night. Add it to the second map.

    Parameters
    ----------
    other : PlaceMap
        The first map.
    """

    drawn_by = "SyncedViews"
    needs = ("vendor/sync/L.Map.Sync.js",)

    def __init__(self, other: Any) -> None:
        super().__init__("views", label="", shown=True)
        self.other = other

    def options(self) -> dict[str, Any]:
        """Return the name of the other map's element."""
        return {"other": self.other.get_name()}


def _require_own(url: str) -> None:
    """Raise unless ``url`` is a path on our own host (C6)."""
    if not url.startswith(_OWN_HOST) or url.startswith("//"):
        message = f"The address {url} leads to another host; wanted a path of ours that begins with one slash."
        raise MapError(message)


def _rounded(at: Sequence[float]) -> list[float]:
    return [round(float(at[0]), 6), round(float(at[1]), 6)]


__all__ = ["Card", "GroundLayer", "LandmarkLayer", "PlacesLayer", "SyncedViews", "VenueLayer"]
