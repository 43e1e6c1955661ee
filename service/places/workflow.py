"""Places: create, list, read; what other subjects ask of places starts here."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from service.core import Core
from service.errors import ConflictError, FieldProblem, GoneError, NotFoundError
from service.people.access import Principal, Right
from service.places import store
from service.places.bulk import Imported, import_places
from service.places.checks import Draft, check_place, refused
from service.places.counts import AreaMarks, AreaReasons, counts_by_area, marks_by_area, reasons_by_area
from service.places.joining import Derived, Joiner
from service.places.positions import Positions, places_in_bbox
from service.places.reasons import choices, reasons_by_code
from service.places.receipt_words import SECRET_BYTES, encode, to_words
from service.places.rejoin import rejoin_hotspots, rejoin_places
from service.places.schemas import PlaceIn
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
from service.places.store import FEELING_CODES, KIND_CODES, JoinState, PlaceFilter, PlaceRecord
from service.places.views import place_feature
from service.store.spatial import index_geometries

__all__ = [
    "FEELING_CODES",
    "KIND_CODES",
    "AreaMarks",
    "AreaReasons",
    "Created",
    "Imported",
    "PlaceFilter",
    "Positions",
    "choices",
    "counts_by_area",
    "create_place",
    "import_places",
    "list_places",
    "marks_by_area",
    "places_in_bbox",
    "read_place",
    "reasons_by_area",
    "reasons_by_code",
    "rejoin_hotspots",
    "rejoin_places",
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


def _workshop(core: Core, place: PlaceIn) -> int | None:
    if place.properties.workshop is None:
        return None
    with core.store.read() as session:
        found = store.find_workshop(session, place.properties.workshop)
    if found is None:
        message = "There is no such workshop. Leave it out, or check the code."
        raise refused([FieldProblem(field="properties.workshop", message=message)])
    return found


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
