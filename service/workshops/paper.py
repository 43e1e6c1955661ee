"""The paper form: numbered boxes to tick, the same numbers to type in afterwards; no names, no free words."""

from __future__ import annotations

import re
import secrets
import uuid
from dataclasses import dataclass
from typing import Any, Final

import orjson
import shapely
from pydantic import ValidationError

from service.areas import workflow as areas
from service.core import Core
from service.errors import ConflictError, FieldProblem, InvalidInputError
from service.people.access import Principal
from service.people.audit import record
from service.places.schemas import PlaceIn
from service.places.workflow import Created, Terms, choices, take_place, withdraw_receipt
from service.store.base import utc_now
from service.workshops.running import read_own
from service.workshops.windows import to_local

FEELINGS: Final = (("safe", "Safe"), ("unsafe", "Unsafe"), ("mixed", "It depends"))
KEY_BYTES: Final = 16
WARD_TOLERANCE_DEGREES: Final = 0.0002


@dataclass(frozen=True, slots=True)
class Box:
    """A box on the form."""

    number: int
    group: str  # feeling, time, safe, unsafe, both, ward
    code: str
    label: str


@dataclass(frozen=True, slots=True)
class Filled:
    """A filled form as it is typed in.

    Parameters
    ----------
    boxes : str
        Numbers of the ticked boxes, in any order.
    place : dict, optional
        GeoJSON geometry and kind of a street or place that was written; the ticked ward where left out.
    label : str
        How that place is called.
    people : int
        How many people filled it in together.
    """

    boxes: str
    place: dict[str, Any] | None = None
    label: str = ""
    people: int = 1


def form_boxes(core: Core) -> list[Box]:
    """Return the boxes of the form, numbered from 1; the numbers change only with the reasons or the wards."""
    said = choices()
    found = [("feeling", code, label) for code, label in FEELINGS]
    found += [("time", one.code, one.label) for one in said.times]
    found += [(one.feeling, one.code, one.label) for one in said.reasons]
    shapes = areas.area_shapes(core, areas.default_set(core).name)
    wards = sorted(zip(shapes.names.tolist(), shapes.codes.tolist(), strict=True))
    found += [("ward", code, name) for name, code in wards]
    return [Box(number, *one) for number, one in enumerate(found, start=1)]


def take_form(core: Core, principal: Principal, identifier: uuid.UUID, filled: Filled) -> tuple[Created, str]:
    """Store what a paper form says, and return it with a line that says it back.

    Parameters
    ----------
    core : Core
        The deployment.
    principal : Principal
        Whoever runs the workshop.
    identifier : uuid.UUID
        The workshop in which it was filled in.
    filled : Filled
        What is on it.

    Returns
    -------
    tuple of Created and str
        The stored mark with its receipt, and its words.

    Raises
    ------
    NotSignedInError, ForbiddenError, NotFoundError
        If the caller does not run the workshop.
    ConflictError
        If the workshop has not started.
    InvalidInputError
        Naming what is missing or unknown.
    """
    workshop = read_own(core, principal, identifier)
    if workshop.opens_at is None or workshop.opens_at > utc_now():
        message = "This workshop has not started, so there can be no forms of it yet."
        raise ConflictError(message)
    ticked = _ticked(core, filled.boxes)
    place = _place(core, ticked, filled)
    terms = Terms(
        source="paper",
        session=str(workshop.uuid),
        day=to_local(workshop.opens_at).date(),
        workshop_id=workshop.id,
        once=lambda session: record(session, core, principal, "workshop.paper", subject=str(identifier)),
    )
    said = [box.label for box in ticked if not (box.group == "ward" and filled.label)]
    return take_place(core, principal, place, terms), ", ".join(([filled.label] if filled.label else []) + said)


def withdraw_form(core: Core, principal: Principal, identifier: uuid.UUID, receipt: str) -> None:
    """Take a form out again that was typed in wrongly.

    Raises
    ------
    NotSignedInError, ForbiddenError, NotFoundError
        If the caller does not run the workshop, or the receipt is not known.
    """
    read_own(core, principal, identifier)
    withdraw_receipt(core, receipt)
    subject = str(identifier)
    core.store.write(lambda session: record(session, core, principal, "workshop.paper-undo", subject=subject))


def _ticked(core: Core, typed: str) -> list[Box]:
    known = {str(box.number): box for box in form_boxes(core)}
    numbers = list(dict.fromkeys(re.findall(r"\d+", typed)))
    strange = [number for number in numbers if number not in known]
    if strange or re.search(r"[^\d\s,;.]", typed):
        message = f"There is no box {strange[0]} on the form." if strange else "Type numbers with blanks between."
        raise wrong("boxes", message)
    return [known[number] for number in numbers]


def _place(core: Core, ticked: list[Box], filled: Filled) -> PlaceIn:
    feelings = [box.code for box in ticked if box.group == "feeling"]
    wards = [box.code for box in ticked if box.group == "ward"]
    if len(feelings) != 1:
        message = "Type one of 1, 2 and 3: how it feels." if not feelings else "Type only one of 1, 2 and 3."
        raise wrong("boxes", message)
    if filled.place is None and len(wards) != 1:
        message = "Type the number of the ward, or write the street or place."
        raise wrong("boxes", message)
    where = filled.place or {"kind": "area", "geometry": _ward(core, wards[0])}
    reasons = [box.code for box in ticked if box.group in {"safe", "unsafe", "both"}]
    properties = {
        "kind": where["kind"],
        "feeling": feelings[0],
        "times": [box.code for box in ticked if box.group == "time"],
        "reasons": reasons,
        "people": filled.people,
        "contributor_key": secrets.token_urlsafe(KEY_BYTES),
    }
    try:
        feature = {"type": "Feature", "id": str(uuid.uuid4()), "geometry": where["geometry"]}
        return PlaceIn.model_validate(feature | {"properties": properties})
    except ValidationError as error:
        raise wrong("boxes", "At most ten reasons are taken. Leave the weakest out.") from error


def _ward(core: Core, code: str) -> dict[str, Any]:
    """Return a ward as an area: "somewhere in it" is no point, and must not look like one."""
    shapes = areas.area_shapes(core, areas.default_set(core).name)
    whole = max(shapely.get_parts(shapes.geometries[shapes.codes.tolist().index(code)]), key=shapely.area)
    outline = shapely.simplify(shapely.Polygon(whole.exterior), WARD_TOLERANCE_DEGREES)
    geometry: dict[str, Any] = orjson.loads(shapely.to_geojson(outline))
    return geometry


def wrong(field: str, message: str) -> InvalidInputError:
    """Return the error that names a field of the page."""
    return InvalidInputError(message, errors=[FieldProblem(field=field, message=message)])
