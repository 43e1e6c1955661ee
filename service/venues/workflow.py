"""Venues: verified safe places, listed until they expire, entered by staff or imported."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import shapely
from sqlalchemy.orm import Session

from geo.boundaries import PlaceLimits, validate_place_geometry
from geo.errors import GeometryError
from service.areas import workflow as areas
from service.core import Core
from service.errors import ConflictError, FieldProblem, InvalidInputError, NotFoundError
from service.people.access import Principal, Right
from service.venues import store
from service.venues.hours import is_open
from service.venues.models import Venue
from service.venues.reading import Row, read_rows
from service.venues.schemas import VenueIn, VenuePatch, VenueProperties
from service.web.queries import Bbox

AUDIT = logging.getLogger("safer_places.audit")
LOCAL_TIME = ZoneInfo("Europe/London")
NAMESPACE = uuid.UUID("5f0f4a3c-3f0e-4b43-9d2c-0a4a4f6f1c11")  # of venues that bring no id of their own


@dataclass(slots=True)
class VenuesImported:
    """What became of an import: how many rows are new, how many renewed one, and which were refused and why."""

    new: int = 0
    renewed: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)  # line of the file, reason


def local_today() -> date:
    """Return the day in the borough."""
    return datetime.now(UTC).astimezone(LOCAL_TIME).date()


def list_venues(
    core: Core,
    *,
    bbox: Bbox | None = None,
    kind: str | None = None,
    open_at: datetime | None = None,
    today: date | None = None,
) -> list[dict[str, Any]]:
    """Return the venues that the public may see, as GeoJSON Features: with consent, checked, not expired.

    Parameters
    ----------
    core : Core
        The deployment.
    bbox : Bbox, optional
        West, south, east, north in EPSG:4326.
    kind : str, optional
        What they are.
    open_at : datetime, optional
        Only those open at this moment; a time without a zone is local.
    today : date, optional
        The day to show them for; the borough's own day where left out.

    Returns
    -------
    list of dict
        GeoJSON Features, by name.
    """
    with core.store.read() as session:
        venues = store.read_venues(session, shown_on=today or local_today(), bbox=bbox, kind=kind)
    moment = to_local(open_at) if open_at else None
    return [venue_feature(venue, moment) for venue in venues if moment is None or is_open(_hours(venue), moment)]


def list_all_venues(
    core: Core, principal: Principal, *, bbox: Bbox | None = None, kind: str | None = None
) -> list[dict[str, Any]]:
    """Return every venue, expired ones and those without consent too, for the staff who look after them.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the principal does not look after venues.
    """
    principal.require(Right.VENUES_WRITE)
    with core.store.read() as session:
        return [venue_feature(venue) for venue in store.read_venues(session, shown_on=None, bbox=bbox, kind=kind)]


def create_venue(core: Core, principal: Principal, venue: VenueIn) -> tuple[dict[str, Any], bool]:
    """Store a venue; return it and whether it is new. The same one sent again under its id is stored once.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the principal may not.
    InvalidInputError
        If it lies outside the borough.
    ConflictError
        If another venue is stored under the id.
    """
    principal.require(Right.VENUES_WRITE)
    identifier = venue.id or uuid.uuid4()
    values, point = _values(core, venue)

    def write(session: Session) -> tuple[Venue, bool]:
        known = store.find_venue(session, identifier)
        if known is not None:
            if any(_plain(getattr(known, name)) != _plain(value) for name, value in values.items()):
                message = "Another venue is stored under this id. Change that one, or send yours with a new id."
                raise ConflictError(message)
            return known, False
        store.put_venue(session, identifier, values, point)
        return _require(session, identifier), True

    stored, is_new = core.store.write(write)
    AUDIT.info("venues.create", extra={"principal": principal.id, "venue": str(identifier)})
    return venue_feature(stored), is_new


def change_venue(core: Core, principal: Principal, identifier: uuid.UUID, change: VenuePatch) -> dict[str, Any]:
    """Change a venue; what is left out stays.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the principal may not.
    NotFoundError
        If there is none.
    InvalidInputError
        If it lies outside the borough, only one of the coordinates is there, or it expires before it was checked.
    """
    principal.require(Right.VENUES_WRITE)
    values = change.model_dump(exclude_none=True)
    if "checked_on" in values:
        _require_checked(values["checked_on"])
    if ("longitude" in values) != ("latitude" in values):
        message = "Send longitude and latitude together."
        raise InvalidInputError(message, errors=[FieldProblem(field="longitude", message=message)])
    point = None
    if "longitude" in values:
        point = _point(core, values["longitude"], values["latitude"])
        values["geometry"] = shapely.to_wkb(point)

    def write(session: Session) -> Venue:
        venue = _require(session, identifier)
        store.put_venue(session, identifier, values, point)
        if venue.expires_on < venue.checked_on:
            message = "It would expire before the day it was checked."
            raise InvalidInputError(message, errors=[FieldProblem(field="expires_on", message=message)])
        return venue

    stored = core.store.write(write)
    AUDIT.info("venues.change", extra={"principal": principal.id, "venue": str(identifier)})
    return venue_feature(stored)


def delete_venue(core: Core, principal: Principal, identifier: uuid.UUID) -> None:
    """Delete a venue.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the principal may not.
    NotFoundError
        If there is none.
    """
    principal.require(Right.VENUES_WRITE)
    core.store.write(lambda session: store.delete_venue(session, _require(session, identifier)))
    AUDIT.info("venues.delete", extra={"principal": principal.id, "venue": str(identifier)})


def import_venues(core: Core, path: Path) -> VenuesImported:
    """Store the venues of a CSV or GeoJSON file; a row that was imported before renews its venue.

    Parameters
    ----------
    core : Core
        The deployment.
    path : Path
        File with the columns of ``VenueIn``; hours as text such as ``Mon-Fri 09:00-17:30``.

    Returns
    -------
    VenuesImported
        Counts, and line and reason of each refused row.

    Raises
    ------
    InvalidInputError
        If the file cannot be read as a table of venues.
    """
    return store_rows(core, read_rows(path))


def store_rows(core: Core, rows: Iterable[Row]) -> VenuesImported:
    """Store venues that were read from somewhere; see ``import_venues``."""
    result = VenuesImported()
    good: list[tuple[uuid.UUID, dict[str, Any], Any]] = []
    for row in rows:
        if isinstance(row.venue, str):
            result.rejected.append((row.line, row.venue))
            continue
        try:
            values, point = _values(core, row.venue)
        except InvalidInputError as error:
            result.rejected.append((row.line, error.detail))
            continue
        good.append((row.venue.id or _identifier(row.venue), values, point))

    def write(session: Session) -> list[bool]:
        return [store.put_venue(session, identifier, values, point) for identifier, values, point in good]

    stored = core.store.write(write)
    result.new = sum(stored)
    result.renewed = len(stored) - result.new
    return result


def venue_feature(venue: Venue, moment: datetime | None = None) -> dict[str, Any]:
    """Return a venue as a GeoJSON Feature; with a local moment it says whether it is open then."""
    properties = {name: getattr(venue, name) for name in VenueProperties.model_fields if name != "is_open"}
    if moment is not None:
        properties["is_open"] = is_open(_hours(venue), moment)
    return {
        "type": "Feature",
        "id": str(venue.id),
        "geometry": {"type": "Point", "coordinates": [venue.longitude, venue.latitude]},
        "properties": properties,
    }


def to_local(moment: datetime) -> datetime:
    """Return a moment in the borough's time; one without a zone is taken as local."""
    return moment.replace(tzinfo=LOCAL_TIME) if moment.tzinfo is None else moment.astimezone(LOCAL_TIME)


def _values(core: Core, venue: VenueIn) -> tuple[dict[str, Any], Any]:
    _require_checked(venue.checked_on)
    point = _point(core, venue.longitude, venue.latitude)
    values = venue.model_dump(exclude={"id"}) | {"geometry": shapely.to_wkb(point), "is_sample": core.is_demo}
    return values, point


def _require_checked(day: date) -> None:
    if day > local_today():
        message = "It cannot have been checked in the future: write the day on which somebody was there."
        raise InvalidInputError(message, errors=[FieldProblem(field="checked_on", message=message)])


def _point(core: Core, longitude: float, latitude: float) -> Any:
    point = shapely.Point(longitude, latitude)
    try:
        validate_place_geometry(point, kind="point", outline=areas.outline(core), limits=PlaceLimits())
    except GeometryError as error:
        problems = [FieldProblem(field="longitude", message=str(error))]
        raise InvalidInputError(f"This venue cannot be taken: {error}", errors=problems) from error
    return point


def _identifier(venue: VenueIn) -> uuid.UUID:
    return uuid.uuid5(NAMESPACE, "\n".join((venue.name.casefold(), venue.kind, venue.address.casefold())))


def _require(session: Session, identifier: uuid.UUID) -> Venue:
    venue = store.find_venue(session, identifier)
    if venue is None:
        message = "There is no venue with this id."
        raise NotFoundError(message)
    return venue


def _hours(venue: Venue) -> dict[str, list[tuple[str, str]]]:
    return {day: [(start, end) for start, end in spans] for day, spans in venue.hours.items()}


def _plain(value: Any) -> Any:
    """Return hours in the one form of JSON, so that what was stored compares with what was sent."""
    return {day: [list(span) for span in spans] for day, spans in value.items()} if isinstance(value, dict) else value
