"""What the marking pages show beside the questions: the map, and the places that can be picked without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import orjson
import shapely

from service.areas import workflow as areas
from service.core import Core
from service.errors import FieldProblem, InvalidInputError, NotFoundError
from service.names import workflow as names
from service.places.schemas import GeometryIn, Kind
from service.venues import workflow as venues

SEARCH_LIMIT: Final = 8
# a ward as one mark: corners nearer than this say nothing about "somewhere in it", and keep it below vertices_max
WARD_TOLERANCE_DEGREES: Final = 0.0002
COORDINATES = 2


@dataclass(frozen=True, slots=True)
class Choice:
    """A place that can be picked from a list.

    Parameters
    ----------
    value : str
        ``at|longitude|latitude|label`` or ``in|set|code|label``; what the form sends back.
    label : str
        Words for people.
    """

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Group:
    """Choices under one heading."""

    label: str
    choices: list[Choice]


@dataclass(frozen=True, slots=True)
class Picked:
    """A picked place as a mark takes it."""

    kind: Kind
    geometry: GeometryIn
    label: str


def listed_places(core: Core) -> list[Group]:
    """Return landmarks and wards by name, for whoever does not use the map (A1)."""
    landmarks = sorted({(name, lon, lat) for lon, lat, name, _ in names.landmarks(core)})
    safe = sorted((one["properties"]["name"], *one["geometry"]["coordinates"]) for one in venues.list_venues(core))
    groups = [
        Group("A station, a park or another place", [_at(lon, lat, name) for name, lon, lat in landmarks]),
        Group("A place that was checked", [_at(lon, lat, name) for name, lon, lat in safe]),
    ]
    view = areas.default_set(core)
    shapes = areas.area_shapes(core, view.name)
    wards = sorted(zip(shapes.names.tolist(), shapes.codes.tolist(), strict=True))
    groups.append(Group("Somewhere in a ward", [Choice(f"in|{view.name}|{code}|{name}", name) for name, code in wards]))
    return [group for group in groups if group.choices]


def found_places(core: Core, words: str) -> list[Choice]:
    """Return streets and landmarks that fit what was typed."""
    found = names.search_names(core, words, limit=SEARCH_LIMIT)
    return [_at(name.longitude, name.latitude, name.name) for name in found]


def pick(core: Core, value: str) -> Picked:
    """Return the place that a form names.

    Raises
    ------
    InvalidInputError
        If nothing was picked, or something that is not on the list.
    """
    how, *rest = value.split("|", 3)
    try:
        if how == "at":
            position = [float(number) for number in rest[:COORDINATES]]
            return Picked("point", GeometryIn(type="Point", coordinates=position), rest[COORDINATES])
        if how == "in":
            return _ward(core, rest[0], rest[1])
    except (ValueError, IndexError, NotFoundError):
        pass
    message = "Choose a place from the list, or search for one."
    raise InvalidInputError(message, errors=[FieldProblem(field="place", message=message)])


def _at(longitude: float, latitude: float, name: str) -> Choice:
    return Choice(f"at|{longitude:.6f}|{latitude:.6f}|{name}", name)


def _ward(core: Core, set_name: str, code: str) -> Picked:
    """Return a ward as an area: "somewhere in it" is no point, and must not look like one."""
    shapes = areas.area_shapes(core, set_name)
    at = shapes.codes.tolist().index(code)
    whole = max(shapely.get_parts(shapes.geometries[at]), key=shapely.area)
    outline = shapely.simplify(shapely.Polygon(whole.exterior), WARD_TOLERANCE_DEGREES)
    geometry = GeometryIn.model_validate(orjson.loads(shapely.to_geojson(outline)))
    return Picked("area", geometry, f"Somewhere in {shapes.names[at]}")


def mark_parts(core: Core, *, nonce: str, base_path: str) -> Any:
    """Return the map of the marking page, cut up for our own template.

    Parameters
    ----------
    core : Core
        The deployment.
    nonce : str
        Nonce of the page's content security policy.
    base_path : str
        Path prefix behind a proxy.

    Returns
    -------
    MapParts
        Styles, stage, words and scripts as markup.
    """
    from geo.maps.assets import Assets
    from geo.maps.build import mark_map
    from geo.maps.facts import MapFacts, Source
    from service.maps.workflow import mark_layers

    view = areas.default_set(core)
    facts = MapFacts(
        title=f"Map of {core.area_name}",
        period=view.title,
        sources=[Source(view.source, view.attribution or view.licence)],
        caveats=[view.caveat] if view.caveat else [],
    )
    ground, landmarks = mark_layers(core)
    frame = areas.areas_frame(core, view.name, metric=False)
    drawn = mark_map(frame, facts=facts, ground=ground, landmarks=landmarks)
    return drawn.figure.parts(nonce=nonce, assets=Assets(f"{base_path}/static/maps"), own_layers=False)
