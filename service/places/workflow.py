"""Places: create, list, read; what other subjects ask of places starts here."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import orjson
import shapely

from geo import crs
from service.areas import workflow as areas
from service.core import Core
from service.errors import ConflictError, FieldProblem, GoneError, NotFoundError, UnavailableError
from service.people.access import Principal, Right
from service.places import store
from service.places.checks import Draft, check_place, refused
from service.places.joining import Derived, HotspotIndex, Joiner, SetIndex
from service.places.receipt_words import SECRET_BYTES, encode, to_words
from service.places.schemas import PlaceIn
from service.places.spatial import index_geometries, to_e7
from service.places.store import JoinState, PlaceFilter, PlaceRecord, Visible
from service.places.views import place_feature

AUDIT = logging.getLogger("safer_places.audit")
LOCAL_TIME = ZoneInfo("Europe/London")
ATTEMPTS = 4
T = TypeVar("T")


class StaleJoinError(Exception):
    """A boundary set or run was swapped between the join and the write: join again."""


@dataclass(frozen=True, slots=True)
class Created:
    """A stored mark as the caller may see it, its receipt, and whether this call stored it."""

    place: dict[str, Any]
    receipt: str
    words: list[str] | None
    is_new: bool


class _Latest:
    """The last state of the store that a write saw; only a guess, verified inside each write."""

    state: JoinState | None = None


def today() -> date:
    """Return the day in the borough."""
    return datetime.now(UTC).astimezone(LOCAL_TIME).date()


def create_place(core: Core, principal: Principal, place: PlaceIn, *, idempotency_key: str | None = None) -> Created:
    """Store a mark as pending; the same mark sent again is answered in the same way and stored once.

    Parameters
    ----------
    core : Core
        The deployment.
    principal : Principal
        Who sends it.
    place : PlaceIn
        The mark.
    idempotency_key : str, optional
        Names the request where the mark has no id of its own.

    Returns
    -------
    Created
        The stored mark and the receipt of its owner.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the caller may not mark.
    InvalidInputError
        Naming each field that cannot be taken.
    ConflictError
        If the id belongs to another mark.
    GoneError
        If the mark was taken back.
    """
    principal.require(Right.PLACES_CREATE)
    place_id = _identify(core, principal, place, idempotency_key)
    receipt = place.receipt or encode(bytes.fromhex(core.keyed_hash("receipt-make", str(place_id)))[:SECRET_BYTES])
    request_hash = core.keyed_hash("request", _canonical(place, place_id))
    workshop_id = _workshop(core, place)

    def attempt(joiner: Joiner) -> tuple[PlaceRecord, bool]:
        draft = check_place(core, place, joiner.outline)
        derived = joiner.join(draft.shape.metric)
        values = _row(core, principal, place, draft) | {
            "id": place_id,
            "request_hash": request_hash,
            "workshop_id": workshop_id,
        }
        receipt_hash = core.keyed_hash("receipt", receipt)
        return core.store.write(
            lambda session: _insert(session, joiner.state, values, receipt_hash, (draft.shape.wgs84, derived))
        )

    (record, is_new), joiner = with_joiner(core, attempt)
    return Created(place_feature(principal, record, joiner), receipt, to_words(receipt), is_new)


def list_places(
    core: Core, principal: Principal, wanted: PlaceFilter, *, after: int = 0, limit: int = 100
) -> tuple[list[dict[str, Any]], int | None]:
    """Return a page of places as GeoJSON Features, and the cursor of the next page if there is one.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the caller may not list places.
    """
    principal.require(Right.PLACES_LIST)
    joiner = current_joiner(core)
    with core.store.read() as session:
        records = store.read_page(session, wanted, visible_rows(principal), joiner.state, after=after, limit=limit + 1)
    audit(principal, "places.list", rows=min(len(records), limit))
    features = [place_feature(principal, record, joiner) for record in records[:limit]]
    return features, records[limit - 1].seq if len(records) > limit else None


def read_place(core: Core, principal: Principal, place_id: uuid.UUID) -> dict[str, Any]:
    """Return one place as a GeoJSON Feature.

    Raises
    ------
    NotFoundError
        If there is none with this id that the caller may see.
    """
    principal.require(Right.PLACES_LIST)
    joiner = current_joiner(core)
    with core.store.read() as session:
        record = store.read_seen(session, place_id, visible_rows(principal), joiner.state)
    if record is None:
        message = "There is no place with this id that you may see."
        raise NotFoundError(message)
    audit(principal, "places.read", rows=1)
    return place_feature(principal, record, joiner)


def visible_rows(principal: Principal) -> Visible:
    """Return which rows the principal may see at all."""
    rows = principal.place_rows
    return Visible(rows - {"border"}, borders="border" in rows)


def audit(principal: Principal, action: str, *, rows: int) -> None:
    """Log a staff read of exact positions: who, what and how many; never where (X9)."""
    if principal.is_staff and principal.may(Right.PLACES_EXACT):
        AUDIT.info(action, extra={"principal": principal.id, "role": principal.role, "rows": rows})


def with_joiner(core: Core, attempt: Callable[[Joiner], T]) -> tuple[T, Joiner]:
    """Call ``attempt`` with a joiner of the newest state; again if a set or run was swapped meanwhile."""
    latest = core.cache.get("places-latest", _Latest)
    for _ in range(ATTEMPTS):
        if latest.state is None:
            with core.store.read() as session:
                latest.state = store.read_join_state(session)
        joiner = joiner_of(core, latest.state)
        try:
            return attempt(joiner), joiner
        except StaleJoinError:
            latest.state = None
    message = "The boundaries are being replaced right now. Try again in a minute."
    raise UnavailableError(message)


def require_state(session: Any, state: JoinState) -> None:
    """Raise unless the store still is in the state that the caller joined with."""
    if store.read_join_state(session, lock=True) != state:
        raise StaleJoinError


def current_joiner(core: Core) -> Joiner:
    """Return the joiner of the state that the store is in now."""
    with core.store.read() as session:
        state = store.read_join_state(session)
    return joiner_of(core, state)


def joiner_of(core: Core, state: JoinState) -> Joiner:
    """Return what joins places in this state of the store; made once a state."""
    return core.cache.get(("places-joiner", state), lambda: _make_joiner(core, state))


def _make_joiner(core: Core, state: JoinState) -> Joiner:
    outline = areas.outline(core)
    sets = tuple(SetIndex(one, areas.area_index(core, one.name), core.settings.near_border_m) for one in state.joined)
    names = {one.id: _area_names(core, one.name) for one in state.sets if one.joins}
    return Joiner(state, sets, hotspot_index(core, state.run_id), outline, names)


def _area_names(core: Core, set_name: str) -> dict[str, str]:
    shapes = areas.area_shapes(core, set_name)
    return dict(zip(shapes.codes.tolist(), shapes.names.tolist(), strict=True))


def hotspot_index(core: Core, run_id: uuid.UUID | None) -> HotspotIndex | None:
    """Return the hot spots of a run, ready to be asked."""
    if run_id is None:
        return None
    with core.store.read() as session:
        found = store.read_hotspots(session, run_id)
    polygons = crs.geometry_to_metric(shapely.from_wkb([geometry for _, geometry in found]))
    return HotspotIndex(run_id, [rank for rank, _ in found], polygons)


def _identify(core: Core, principal: Principal, place: PlaceIn, idempotency_key: str | None) -> uuid.UUID:
    """Return the id of the mark: its own, or one that follows from the request's key, or a new one."""
    own = place.id or place.properties.id
    if own is not None:
        return own
    if idempotency_key is None:
        return uuid.uuid4()
    digest = bytes.fromhex(core.keyed_hash("idempotency", f"{principal.id}\0{idempotency_key}"))
    return uuid.UUID(bytes=digest[:16], version=4)


def _canonical(place: PlaceIn, place_id: uuid.UUID) -> str:
    content = place.model_dump(exclude={"id": True, "properties": {"id"}})
    return orjson.dumps([place_id, content], option=orjson.OPT_SORT_KEYS).decode()


def _workshop(core: Core, place: PlaceIn) -> int | None:
    if place.properties.workshop is None:
        return None
    with core.store.read() as session:
        found = store.find_workshop(session, place.properties.workshop)
    if found is None:
        message = "There is no such workshop. Leave it out, or check the code."
        raise refused([FieldProblem(field="properties.workshop", message=message)])
    return found


def contributor_hash(core: Core, key: str | None, session_name: str) -> str | None:
    """Return the stored form of a contributor's key: the same key in two sessions cannot be joined (C5)."""
    return core.keyed_hash("contributor", f"{session_name}\0{key}") if key is not None else None


def _row(core: Core, principal: Principal, place: PlaceIn, draft: Draft) -> dict[str, Any]:
    properties = place.properties
    day = today()
    session_name = str(properties.workshop or day)
    return position_values(draft.shape.wgs84) | {
        "contributor_key": contributor_hash(core, properties.contributor_key, session_name),
        "people": properties.people,
        "day": day,
        "kind": properties.kind,
        "feeling": properties.feeling,
        "times": list(properties.times),
        "reasons": list(properties.reasons),
        "note": draft.note,
        "suggestion": draft.suggestion,
        "public_text": None,
        "withdrawn_on": None,
        "status": "pending",
        "publish": properties.publish,
        "source": "staff" if principal.is_staff else principal.role,
        "version": 1,
        "is_sample": core.is_demo,
    }


def position_values(geometry: Any) -> dict[str, Any]:
    """Return the columns that hold a position; the point of a route or area lies on it."""
    point = geometry if geometry.geom_type == "Point" else shapely.point_on_surface(geometry)
    return {
        "geometry": shapely.to_wkb(geometry),
        "longitude_e7": to_e7(point.x),
        "latitude_e7": to_e7(point.y),
    }


def _insert(
    session: Any, state: JoinState, values: dict[str, Any], receipt_hash: str, position: tuple[Any, Derived]
) -> tuple[PlaceRecord, bool]:
    """Store one mark with everything derived from it, in one write."""
    require_state(session, state)
    if (known := store.find_known(session, values["id"])) is not None:
        return _answer_again(session, known, values["request_hash"], state), False
    seq = store.insert_place(session, values)
    store.insert_receipts(session, [{"place_seq": seq, "receipt_hash": receipt_hash, "day": values["day"]}])
    geometry, derived = position
    insert_derived(session, [(seq, derived)])
    index_geometries(session, "place", [(seq, geometry)])
    fields = {name: values[name] for name in PlaceRecord.__dataclass_fields__ if name in values}
    return PlaceRecord(seq=seq, **fields, areas=derived.areas, hotspot=derived.hotspot), True


def insert_derived(session: Any, rows: list[tuple[int, Derived]]) -> None:
    """Insert what was derived for places, inside a write."""
    store.insert_areas(session, [row | {"place_seq": seq} for seq, derived in rows for row in derived.areas])
    store.insert_hotspots(session, [d.hotspot | {"place_seq": seq} for seq, d in rows if d.hotspot is not None])


def _answer_again(session: Any, known: tuple[int, str, str], request_hash: str, state: JoinState) -> PlaceRecord:
    seq, stored_hash, status = known
    if status == "withdrawn":
        message = "This mark was taken back. It stays deleted; make a new one with a new id."
        raise GoneError(message)
    record = store.read_record(session, seq, state)
    if stored_hash != request_hash or record is None:
        message = "Another mark is stored under this id. Send yours with a new id."
        raise ConflictError(message)
    return record
