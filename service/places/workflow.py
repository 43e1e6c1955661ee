"""Places: create, list, read; what other subjects ask of places starts here."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import shapely
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.core import Core
from service.errors import ConflictError, FieldProblem, GoneError, InvalidInputError, NotFoundError
from service.people.access import Principal, Right
from service.places import store
from service.places.bulk import Imported, import_places
from service.places.changing import CONTENT, change_place, erase_place, forget_words, urgency_of
from service.places.checks import Draft, check_place, refused
from service.places.counts import (
    AreaMarks,
    AreaReasons,
    counts_by_area,
    marks_by_area,
    reasons_by_area,
)
from service.places.joining import Derived, Joiner
from service.places.positions import Positions, places_in_bbox
from service.places.reasons import choices, reasons_by_code
from service.places.receipt_words import SECRET_BYTES, encode, plain_words, to_words
from service.places.receipts import seq_of_receipt, withdraw_receipt
from service.places.rejoin import rejoin_hotspots, rejoin_places
from service.places.releasing import marks_for_release
from service.places.schemas import PlaceIn
from service.places.session_marks import WardMark, session_marks
from service.places.state import (
    audit,
    contributor_hash,
    current_joiner,
    insert_derived,
    position_values,
    require_state,
    today,
    visible_rows,
    with_joiner,
)
from service.places.store import FEELING_CODES, KIND_CODES, JoinState, PlaceFilter, PlaceRecord, Visible
from service.places.terms import Terms
from service.places.views import place_feature, to_geojson, ward_of
from service.store.spatial import index_geometries

T = TypeVar("T")

__all__ = [
    "CONTENT",
    "FEELING_CODES",
    "KIND_CODES",
    "AreaMarks",
    "AreaReasons",
    "Created",
    "Imported",
    "PlaceFilter",
    "Positions",
    "Terms",
    "WardMark",
    "change_place",
    "choices",
    "counts_by_area",
    "create_place",
    "erase_place",
    "forget_words",
    "import_places",
    "list_places",
    "marks_by_area",
    "marks_for_release",
    "places_in_bbox",
    "plain_words",
    "read_place",
    "reasons_by_area",
    "reasons_by_code",
    "rejoin_hotspots",
    "rejoin_places",
    "seq_of_receipt",
    "session_marks",
    "take_place",
    "today",
    "urgency_of",
    "where_is",
    "withdraw_receipt",
]


@dataclass(frozen=True, slots=True)
class Created:
    """A stored mark as the caller may see it, its receipt, and whether this call stored it."""

    place: dict[str, Any]
    receipt: str
    words: list[str] | None
    is_new: bool


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
    day = today()
    terms = Terms(
        source="staff" if principal.is_staff else principal.role,
        session=str(place.properties.workshop or day),
        day=day,
        words=core.is_demo,  # S2: a real deployment takes words and borders in workshops only
        borders=core.is_demo,
        workshop_id=_workshop(core, principal, place),
    )
    return take_place(core, principal, place, terms, idempotency_key=idempotency_key)


def take_place(
    core: Core, principal: Principal, place: PlaceIn, terms: Terms, *, idempotency_key: str | None = None
) -> Created:
    """Store a mark on the terms under which its sender was let in; the one write path of marks that arrive alone.

    Parameters
    ----------
    core, principal, place, idempotency_key
        As ``create_place``; the caller has asked whether the sender may mark.
    terms : Terms
        What the mark may hold, and what is stored with it.

    Returns
    -------
    Created
        The stored mark and the receipt of its owner.

    Raises
    ------
    InvalidInputError, ConflictError, GoneError
        As ``create_place``.
    """
    place_id = _identify(core, principal, place, idempotency_key)
    receipt = place.receipt or encode(bytes.fromhex(core.keyed_hash("receipt-make", str(place_id)))[:SECRET_BYTES])
    request_hash = core.keyed_hash("request", _canonical(place, place_id))

    def attempt(joiner: Joiner) -> tuple[PlaceRecord, bool]:
        draft = check_place(core, place, joiner.outline, terms)
        derived = joiner.join(draft.shape.metric)
        values = _row(core, place, draft, terms) | {"id": place_id, "request_hash": request_hash}
        receipt_hash = core.keyed_hash("receipt", receipt)

        def write(session: Session) -> tuple[PlaceRecord, bool]:
            record, is_new = _insert(session, joiner.state, values, receipt_hash, (draft.shape.wgs84, derived))
            if is_new and terms.once is not None:
                terms.once(session)
            return record, is_new

        return core.store.write(write)

    try:
        (record, is_new), joiner = with_joiner(core, attempt)
    except IntegrityError:  # the same mark came over another connection at this moment: that one is the answer
        (record, is_new), joiner = _again(core, attempt)
    return Created(place_feature(principal, record, joiner), receipt, to_words(receipt), is_new)


def _again(core: Core, attempt: Callable[[Joiner], T]) -> tuple[T, Joiner]:
    try:
        return with_joiner(core, attempt)
    except IntegrityError as error:
        message = "Another mark is stored with this receipt. Send yours with a new receipt, or with none."
        raise ConflictError(message) from error


def list_places(
    core: Core, principal: Principal, wanted: PlaceFilter, *, after: int = 0, limit: int = 100
) -> tuple[list[dict[str, Any]], int | None]:
    """Return a page of places as GeoJSON Features, and the cursor of the next page if there is one.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the caller may not list places.
    InvalidInputError
        If the reason asked for is none.
    """
    principal.require(Right.PLACES_LIST)
    if wanted.reason is not None and wanted.reason not in reasons_by_code():
        message = "There is no such reason. Take a code of GET /api/v1/reasons."
        raise InvalidInputError(message, errors=[FieldProblem(field="reason", message=message)])
    joiner = current_joiner(core)
    with core.store.read() as session:
        records = store.read_page(session, wanted, visible_rows(principal), joiner.state, after=after, limit=limit + 1)
    audit(core, principal, "places.list", rows=min(len(records), limit))
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
    audit(core, principal, "places.read", rows=1)
    return place_feature(principal, record, joiner)


def where_is(core: Core, place_id: uuid.UUID) -> dict[str, Any] | None:
    """Return ward, shape and a point of a mark for staff who may moderate it; the caller has asked for the right."""
    joiner = current_joiner(core)
    everything = Visible(frozenset({"pending", "approved", "held", "rejected"}), borders=True)
    with core.store.read() as session:
        record = store.read_seen(session, place_id, everything, joiner.state)
    if record is None or record.geometry is None:
        return None
    point = shapely.point_on_surface(shapely.from_wkb(record.geometry))
    shape = to_geojson(record.geometry)
    return {"ward": ward_of(record, joiner), "geometry": shape, "longitude": point.x, "latitude": point.y}


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
    # not orjson: it knows no lone surrogates and no whole numbers of hundreds of digits, which JSON can hold
    return json.dumps([str(place_id), content], sort_keys=True, default=str)


def _workshop(core: Core, principal: Principal, place: PlaceIn) -> int | None:
    """Return the workshop that a mark names; who works for one team marks in workshops of that team only (X2)."""
    if place.properties.workshop is None:
        return None
    with core.store.read() as session:
        teams = (principal.team_id,) if principal.is_of_one_team else ()
        found = store.find_workshop(session, place.properties.workshop, *teams)
    if found is None:
        message = "There is no such workshop. Leave it out, or check the code."
        raise refused([FieldProblem(field="properties.workshop", message=message)])
    return found


def _row(core: Core, place: PlaceIn, draft: Draft, terms: Terms) -> dict[str, Any]:
    properties = place.properties
    return position_values(draft.shape.wgs84) | {
        "workshop_id": terms.workshop_id,
        "contributor_key": contributor_hash(core, properties.contributor_key, terms.session),
        "people": properties.people,
        "day": terms.day,
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
        "source": terms.source,
        "version": 1,
        "is_sample": core.is_demo,
        "urgency": urgency_of(draft.note, draft.suggestion),
    }


def _insert(
    session: Session, state: JoinState, values: dict[str, Any], receipt_hash: str, position: tuple[Any, Derived]
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


def _answer_again(session: Session, known: tuple[int, str, str], request_hash: str, state: JoinState) -> PlaceRecord:
    seq, stored_hash, status = known
    if status == "withdrawn":
        message = "This mark was taken back. It stays deleted; make a new one with a new id."
        raise GoneError(message)
    record = store.read_record(session, seq, state)
    if stored_hash != request_hash or record is None:
        message = "Another mark is stored under this id. Send yours with a new id."
        raise ConflictError(message)
    return record
