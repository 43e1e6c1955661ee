"""Check a mark beyond its types, and name every field that is wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from geo import crs
from geo.boundaries import Outline, PlaceLimits, geometry_from_geojson, validate_place_geometry
from geo.errors import GeometryError
from service.core import Core
from service.errors import FieldProblem, InvalidInputError
from service.places.reasons import reasons_by_code
from service.places.schemas import GeometryIn, PlaceIn, PlaceProperties
from service.web.words import clean_words

DEGREE_DECIMALS = 7  # 11 mm, the unit of the integer index
FEWEST_LETTERS = 10  # a random secret of 22 characters has about 18 different ones
SECRET = re.compile(r"[A-Za-z0-9_-]{22,86}")


@dataclass(frozen=True, slots=True)
class Shape:
    """A checked geometry in both reference systems."""

    wgs84: Any
    metric: Any


@dataclass(frozen=True, slots=True)
class Draft:
    """A mark that may be stored."""

    shape: Shape
    note: str | None
    suggestion: str | None


def check_place(core: Core, place: PlaceIn, outline: Outline) -> Draft:
    """Return what is stored of a mark.

    Parameters
    ----------
    core : Core
        Limits and mode.
    place : PlaceIn
        Well-formed input.
    outline : Outline
        The borough and its margin.

    Returns
    -------
    Draft
        Checked shape and cleaned words.

    Raises
    ------
    InvalidInputError
        Naming every field that cannot be taken and what to do. It holds neither words nor coordinates.
    """
    draft = _check(core, place, outline, None)
    if isinstance(draft, InvalidInputError):
        raise draft
    return draft


def check_many(core: Core, places: Sequence[PlaceIn], outline: Outline) -> list[Draft | InvalidInputError]:
    """Check many marks as ``check_place`` does; points inside the borough go through in one step.

    Parameters
    ----------
    core : Core
        Limits and mode.
    places : sequence of PlaceIn
        Well-formed input.
    outline : Outline
        The borough and its margin.

    Returns
    -------
    list of Draft or InvalidInputError
        One for each mark, in order.
    """
    shapes = _plain_points(places, outline)
    return [_check(core, place, outline, shapes.get(at)) for at, place in enumerate(places)]


def _plain_points(places: Sequence[PlaceIn], outline: Outline) -> dict[int, Shape]:
    """Return the shapes of points that lie inside; what is not among them is checked alone, and told what is wrong."""
    pairs = {
        at: place.geometry.coordinates
        for at, place in enumerate(places)
        if place.properties.kind == "point" and place.geometry.type == "Point"
    }
    plain = {at: pair for at, pair in pairs.items() if len(pair) == 2 and all(type(one) is float for one in pair)}  # noqa: PLR2004
    if not plain:
        return {}
    degrees = np.round(np.array(list(plain.values())), DEGREE_DECIMALS)
    x, y = crs.to_metric_xy(degrees[:, 0], degrees[:, 1])
    inside = shapely.intersects_xy(outline.reach, x, y)
    pairs_of_shapes = zip(plain, shapely.points(degrees), shapely.points(x, y), inside, strict=True)
    return {at: Shape(wgs84, metric) for at, wgs84, metric, held in pairs_of_shapes if held}


def _check(core: Core, place: PlaceIn, outline: Outline, shape: Shape | None) -> Draft | InvalidInputError:
    problems: list[FieldProblem] = []
    properties = place.properties
    words = {name: _words(core, properties, name, problems) for name in ("note", "suggestion")}
    problems += _problems_of_mode(core, properties, words)
    problems += check_choices(properties.feeling, properties.times, properties.reasons, prefix="properties.")
    if properties.people > core.settings.people_max:
        problems.append(_problem("properties.people", f"At most {core.settings.people_max} people a mark."))
    if place.id is not None and properties.id is not None and place.id != properties.id:
        problems.append(_problem("properties.id", "It differs from the feature's id. Send one of the two."))
    if place.receipt is not None:
        problems += check_secret(place.receipt)
    shape = shape or check_shape(core, place.geometry, properties.kind, outline, problems)
    if problems or shape is None:
        return refused(problems)
    return Draft(shape, **words)


def check_shape(
    core: Core, geometry: GeometryIn, kind: str, outline: Outline, problems: list[FieldProblem]
) -> Shape | None:
    """Return the geometry in both systems, or None after adding to ``problems`` what is wrong with it."""
    settings = core.settings
    limits = PlaceLimits(route_m=settings.route_max_m, area_km2=settings.area_max_km2, vertices=settings.vertices_max)
    try:
        wgs84 = _rounded(geometry_from_geojson(geometry.model_dump()))
        return Shape(wgs84, validate_place_geometry(wgs84, kind=kind, outline=outline, limits=limits))
    except GeometryError as error:
        problems.append(_problem("geometry.coordinates", str(error)))
    except OverflowError:  # a whole number with hundreds of digits is valid JSON and no float
        problems.append(_problem("geometry.coordinates", "A coordinate is out of all range. Send degrees."))
    return None


def check_choices(feeling: str, times: list[Any], reasons: list[str], *, prefix: str = "") -> list[FieldProblem]:
    """Return what is wrong with the chosen times and reasons."""
    known = reasons_by_code()
    problems = []
    for at, code in enumerate(reasons):
        if code not in known:
            message = "There is no such reason. Take a code of GET /api/v1/reasons."
        elif not known[code].fits(feeling):
            message = f"This reason does not fit a place that feels {feeling}. Take it out or change the feeling."
        elif code in reasons[:at]:
            message = "This reason is there twice. Take one out."
        else:
            continue
        problems.append(_problem(f"{prefix}reasons[{at}]", message))
    twice = [at for at, time in enumerate(times) if time in times[:at]]
    return problems + [_problem(f"{prefix}times[{at}]", "This time is there twice. Take one out.") for at in twice]


def check_secret(secret: str) -> list[FieldProblem]:
    """Return what is wrong with a receipt made on a device; how random it is can only be guessed at."""
    if SECRET.fullmatch(secret) and len(set(secret)) >= FEWEST_LETTERS:
        return []
    message = "A receipt is at least 128 random bits: 22 to 86 characters of base64url. Make one, or leave it out."
    return [_problem("receipt", message)]


def refused(problems: list[FieldProblem]) -> InvalidInputError:
    """Return the error that names the refused fields."""
    listed = "; ".join(f"{problem.field}: {problem.message}" for problem in problems[:3])
    return InvalidInputError(f"This mark cannot be taken as it is. {listed}", errors=problems)


def _problem(field: str, message: str) -> FieldProblem:
    return FieldProblem(field=field, message=message)


def _words(core: Core, properties: PlaceProperties, name: str, problems: list[FieldProblem]) -> str | None:
    try:
        return clean_words(getattr(properties, name), limit=core.settings.note_max)
    except ValueError as error:
        problems.append(_problem(f"properties.{name}", str(error)))
        return None


def _problems_of_mode(core: Core, properties: PlaceProperties, words: dict[str, str | None]) -> list[FieldProblem]:
    """Until workshops exist, nobody may send words or borders to a real deployment (S2)."""
    if core.is_demo:
        return []
    problems = [
        _problem(f"properties.{name}", "Words are taken in workshops only, where an adult reads them. Leave them out.")
        for name, text in words.items()
        if text is not None
    ]
    if properties.kind == "border":
        problems.append(_problem("properties.kind", "Borders are taken in workshops with a trained adult only."))
    return problems


def _rounded(geometry: Any) -> Any:
    return shapely.transform(geometry, lambda c: np.round(c, DEGREE_DECIMALS))
