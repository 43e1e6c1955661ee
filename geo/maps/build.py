"""The maps of the service: each sets our elements into one Folium map with its words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from geopandas import GeoDataFrame

from geo import crs
from geo.maps.elements import AreaLayer, Card, DensityLayer, HotspotLayer, MapElement, Measure
from geo.maps.facts import MapFacts
from geo.maps.figure import BBox, MapFigure, PlaceMap
from geo.maps.points import GroundLayer, LandmarkLayer, PlacesLayer, SyncedViews, VenueLayer

BRITAIN: Final[BBox] = (-6.5, 49.9, 1.8, 55.9)


def base_map(facts: MapFacts, *, bbox: BBox, layers: Iterable[MapElement | None] = ()) -> PlaceMap:
    """Make a map with layers, drawn in the order given.

    Parameters
    ----------
    facts : MapFacts
        Title, source, licence, period, caveats, table.
    bbox : tuple of float
        West, south, east, north of what must be seen, in ``crs.WGS84`` [degrees].
    layers : iterable of MapElement or None
        Our elements; None is left out.

    Returns
    -------
    PlaceMap
        A ``folium.Map``.
    """
    drawn = PlaceMap(MapFigure(facts), bbox=bbox)
    for layer in layers:
        if layer is not None:
            drawn.add_child(layer)
    return drawn


def extent(areas: GeoDataFrame) -> BBox:
    """Return the bounds of some areas; Great Britain where there are none.

    Parameters
    ----------
    areas : GeoDataFrame, shape (n_areas,)
        Polygons in ``crs.WGS84``.

    Returns
    -------
    tuple of float
        West, south, east, north [degrees].

    Raises
    ------
    CRSError
        If ``areas`` is not in ``crs.WGS84``.
    """
    crs.require_wgs84(areas)
    if areas.empty:
        return BRITAIN
    west, south, east, north = (float(edge) for edge in areas.total_bounds)
    return west, south, east, north


def ward_map(
    areas: GeoDataFrame,
    measure: Measure | None,
    *,
    facts: MapFacts,
    links: Mapping[str, str] | None = None,
    ground: GroundLayer | None = None,
    landmarks: LandmarkLayer | None = None,
) -> PlaceMap:
    """Make the map of one measure over the areas of a boundary set.

    Parameters
    ----------
    areas : GeoDataFrame, shape (n_areas,)
        Polygons in ``crs.WGS84`` with ``area_name``, indexed by ``area_gss``.
    measure : Measure or None
        The number to show; None draws outlines.
    facts : MapFacts
        Words of the page.
    links : mapping of str to str
        Path of each area's own page.
    ground : GroundLayer or None
        Streets below.
    landmarks : LandmarkLayer or None
        Names on top.

    Returns
    -------
    PlaceMap
        A ``folium.Map``.

    Raises
    ------
    CRSError
        If ``areas`` is not in ``crs.WGS84``.
    ColumnError
        If ``areas`` has no names.
    """
    shaded = AreaLayer(areas, measure, links=links)
    return base_map(facts, bbox=extent(areas), layers=[ground, shaded, landmarks])


def planner_map(
    areas: AreaLayer,
    layers: Sequence[MapElement | None],
    *,
    facts: MapFacts,
    ground: GroundLayer | None = None,
) -> PlaceMap:
    """Make the planner's map: areas with any of hot spots, density, venues, landmarks and marks above them.

    Parameters
    ----------
    areas : AreaLayer
        The shaded areas.
    layers : sequence of MapElement or None
        Further layers, drawn in this order.
    facts : MapFacts
        Words of the page.
    ground : GroundLayer or None
        Streets below.

    Returns
    -------
    PlaceMap
        A ``folium.Map``.
    """
    seen = areas.areas.loc[[areas.focus]] if areas.focus else areas.areas
    return base_map(facts, bbox=extent(seen), layers=[ground, areas, *layers])


def places_map(
    areas: GeoDataFrame,
    places: PlacesLayer,
    *,
    facts: MapFacts,
    ground: GroundLayer | None = None,
    landmarks: LandmarkLayer | None = None,
) -> PlaceMap:
    """Make the map of marks over plain outlines.

    Parameters
    ----------
    areas : GeoDataFrame, shape (n_areas,)
        Polygons in ``crs.WGS84`` with ``area_name``.
    places : PlacesLayer
        Marks by viewport, or those of an offline file.
    facts : MapFacts
        Words of the page.
    ground : GroundLayer or None
        Streets below.
    landmarks : LandmarkLayer or None
        Names on top.

    Returns
    -------
    PlaceMap
        A ``folium.Map``.

    Raises
    ------
    CRSError
        If ``areas`` is not in ``crs.WGS84``.
    """
    outlines = AreaLayer(areas, None)
    return base_map(facts, bbox=extent(areas), layers=[ground, outlines, landmarks, places])


def hotspot_map(
    areas: GeoDataFrame,
    hotspots: GeoDataFrame,
    cards: Sequence[Card],
    *,
    facts: MapFacts,
    ground: GroundLayer | None = None,
    landmarks: LandmarkLayer | None = None,
) -> PlaceMap:
    """Make the map of ranked hot spots over plain outlines.

    Parameters
    ----------
    areas : GeoDataFrame, shape (n_areas,)
        Polygons in ``crs.WGS84`` with ``area_name``.
    hotspots : GeoDataFrame, shape (n_hotspots,)
        Polygons in ``crs.WGS84`` with ``rank`` and ``confidence``.
    cards : sequence of mapping
        Words of each popup.
    facts : MapFacts
        Words of the page.
    ground : GroundLayer or None
        Streets below.
    landmarks : LandmarkLayer or None
        Names on top.

    Returns
    -------
    PlaceMap
        A ``folium.Map``.

    Raises
    ------
    CRSError
        If a frame is not in ``crs.WGS84``.
    ColumnError
        If a column is missing.
    """
    outlines = AreaLayer(areas, None)
    spots = HotspotLayer(hotspots, cards)
    return base_map(facts, bbox=extent(areas), layers=[ground, outlines, landmarks, spots])


def density_map(
    areas: GeoDataFrame,
    density: DensityLayer,
    *,
    facts: MapFacts,
    ground: GroundLayer | None = None,
    landmarks: LandmarkLayer | None = None,
) -> PlaceMap:
    """Make the map of a density grid below plain outlines.

    Parameters
    ----------
    areas : GeoDataFrame, shape (n_areas,)
        Polygons in ``crs.WGS84`` with ``area_name``.
    density : DensityLayer
        The grid.
    facts : MapFacts
        Words of the page.
    ground : GroundLayer or None
        Streets below.
    landmarks : LandmarkLayer or None
        Names on top.

    Returns
    -------
    PlaceMap
        A ``folium.Map``.

    Raises
    ------
    CRSError
        If ``areas`` is not in ``crs.WGS84``.
    """
    outlines = AreaLayer(areas, None)
    density.shown = True
    return base_map(facts, bbox=extent(areas), layers=[ground, outlines, density, landmarks])


def venue_map(
    areas: GeoDataFrame,
    venues: Sequence[Mapping[str, Any]],
    *,
    facts: MapFacts,
    ground: GroundLayer | None = None,
    landmarks: LandmarkLayer | None = None,
) -> PlaceMap:
    """Make the map of verified safe places over plain outlines.

    Parameters
    ----------
    areas : GeoDataFrame, shape (n_areas,)
        Polygons in ``crs.WGS84`` with ``area_name``.
    venues : sequence of mapping
        ``{"at": (longitude, latitude), "card": {...}}`` each.
    facts : MapFacts
        Words of the page.
    ground : GroundLayer or None
        Streets below.
    landmarks : LandmarkLayer or None
        Names on top.

    Returns
    -------
    PlaceMap
        A ``folium.Map``.

    Raises
    ------
    CRSError
        If ``areas`` is not in ``crs.WGS84``.
    """
    outlines = AreaLayer(areas, None)
    return base_map(facts, bbox=extent(areas), layers=[ground, outlines, landmarks, VenueLayer(venues)])


def day_night_map(areas: GeoDataFrame, day: Measure, night: Measure, *, facts: MapFacts) -> PlaceMap:
    """Make two maps side by side that move together: a measure by day and by night, in the same classes.

    Parameters
    ----------
    areas : GeoDataFrame, shape (n_areas,)
        Polygons in ``crs.WGS84`` with ``area_name``, indexed by ``area_gss``.
    day, night : Measure
        The two measures; give both the same ``limits``.
    facts : MapFacts
        Words of the page.

    Returns
    -------
    PlaceMap
        The first map; its figure holds both.

    Raises
    ------
    CRSError
        If ``areas`` is not in ``crs.WGS84``.
    """
    figure = MapFigure(facts)
    first = PlaceMap(figure, bbox=extent(areas), caption="Day")
    second = PlaceMap(figure, bbox=extent(areas), caption="Night", furniture=False)
    for drawn, measure in ((first, day), (second, night)):
        drawn.add_child(AreaLayer(areas, measure))
    second.add_child(SyncedViews(first))
    return first


def mark_map(
    areas: GeoDataFrame,
    *,
    facts: MapFacts,
    ground: GroundLayer | None = None,
    landmarks: LandmarkLayer | None = None,
    venues: VenueLayer | None = None,
) -> PlaceMap:
    """Make the base of the marking page: outlines and names only; the page's script finds it as ``saferPlaces.map``.

    Parameters
    ----------
    areas : GeoDataFrame, shape (n_areas,)
        Polygons in ``crs.WGS84`` with ``area_name``.
    facts : MapFacts
        Words of the page.
    ground : GroundLayer or None
        Streets below.
    landmarks : LandmarkLayer or None
        Names on top.
    venues : VenueLayer or None
        Verified safe places.

    Returns
    -------
    PlaceMap
        A ``folium.Map`` without legend and switches; set its parts into a page with ``figure.parts``.

    Raises
    ------
    CRSError
        If ``areas`` is not in ``crs.WGS84``.
    """
    outlines = AreaLayer(areas, None)
    return base_map(facts, bbox=extent(areas), layers=[ground, outlines, landmarks, venues])
