"""What the holder of a receipt can do, without saying who they are: see, correct, withdraw (L7, C7)."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from service import erasures
from service.core import Core
from service.errors import ConflictError, FieldProblem, GoneError, NotFoundError
from service.places import state as shared
from service.places import store
from service.places.changing import OWNER, change_place, erase_place, urgency_of
from service.places.checks import Shape, check_choices, check_shape, refused
from service.places.joining import Derived, Joiner
from service.places.receipt_words import to_secret
from service.places.schemas import ReceiptCorrect
from service.places.store import PlaceRecord
from service.places.views import receipt_view
from service.store.spatial import index_geometries


def read_receipt(core: Core, receipt: str) -> dict[str, Any]:
    """Return ward, day and state of the mark that a receipt belongs to.

    Raises
    ------
    NotFoundError
        If the receipt is not known.
    """
    joiner = shared.current_joiner(core)
    with core.store.read() as session:
        record = _find(core, session, receipt, joiner)
    return receipt_view(record, joiner)


def correct_receipt(core: Core, change: ReceiptCorrect) -> dict[str, Any]:
    """Change what the holder of the receipt said; the mark goes back to pending and is joined again.

    Raises
    ------
    NotFoundError
        If the receipt is not known.
    GoneError
        If the mark was taken back.
    ConflictError
        If the mark is with the safeguarding lead (S5).
    InvalidInputError
        Naming each field that cannot be taken.
    """

    def attempt(joiner: Joiner) -> PlaceRecord:
        with core.store.read() as session:
            record = _find(core, session, change.receipt, joiner)
        _require_open(record)
        values, shape = _changes(core, record, change, joiner)
        derived = joiner.join(shape.metric) if shape else None
        return core.store.write(lambda session: _apply(session, record, values, (shape, derived), joiner))

    record, joiner = shared.with_joiner(core, attempt)
    return receipt_view(record, joiner)


def withdraw_receipt(core: Core, receipt: str) -> dict[str, Any]:
    """Take a mark back: what it said is erased at once and a tombstone stays, so that it cannot come again.

    A mark with the safeguarding lead leaves every output, and what it said stays for the lead's decision (S5).

    Raises
    ------
    NotFoundError
        If the receipt is not known.
    """
    joiner = shared.current_joiner(core)

    def write(session: Session) -> PlaceRecord:
        seq = seq_of_receipt(core, session, receipt)
        if seq is not None:
            store.lock_place(session, seq)  # the lead may be taking it at this moment: what holds then is read next
        record = _find(core, session, receipt, joiner)
        if record.withdrawn_on is not None:
            return record
        if record.status == "held":
            erasures.note_erasures(core, erasures.WITHDRAWN_HELD, [record.id], shared.today())
            change_place(session, record.seq, {"publish": "never", "withdrawn_on": shared.today()}, by=OWNER)
        else:
            erase_place(session, core, record.seq, version=record.version)
        return _reread(session, record.seq, joiner)

    return receipt_view(core.store.write(write), joiner)


def seq_of_receipt(core: Core, session: Session, receipt: str) -> int | None:
    """Return the place that a receipt belongs to, as it was typed, pasted or said."""
    return store.find_receipt(session, core.keyed_hash("receipt", to_secret(receipt)))


def _find(core: Core, session: Session, receipt: str, joiner: Joiner) -> PlaceRecord:
    seq = seq_of_receipt(core, session, receipt)
    record = store.read_record(session, seq, joiner.state) if seq is not None else None
    if record is None:
        message = "This receipt is not known. Check every letter or word of it."
        raise NotFoundError(message)
    return record


def _require_open(record: PlaceRecord) -> None:
    if record.withdrawn_on is not None:
        message = "This mark was taken back. It stays deleted; you can make a new one."
        raise GoneError(message)
    if record.status == "held":
        message = "This mark cannot be changed right now. You can still take it back."
        raise ConflictError(message)


def _changes(
    core: Core, record: PlaceRecord, change: ReceiptCorrect, joiner: Joiner
) -> tuple[dict[str, Any], Shape | None]:
    """Return the changed columns and the new shape, after checking them together with what stays."""
    given = change.model_dump(include={"feeling", "times", "reasons", "kind"}, exclude_none=True)
    merged = {name: getattr(record, name) for name in ("feeling", "times", "reasons", "kind")} | given
    problems = check_choices(merged["feeling"], merged["times"], merged["reasons"])
    if merged["kind"] != record.kind and (change.geometry is None or "border" in {merged["kind"], record.kind}):
        message = "Another kind needs a new shape, and a border stays a border."
        problems.append(FieldProblem(field="kind", message=message))
    shape = check_shape(core, change.geometry, merged["kind"], joiner.outline, problems) if change.geometry else None
    if not given and change.geometry is None:
        problems.append(FieldProblem(field="body", message="Nothing to change was sent. Send at least one field."))
    if problems:
        raise refused(problems)
    position = shared.position_values(shape.wgs84) if shape else {}
    return given | position, shape


def _apply(
    session: Session,
    record: PlaceRecord,
    values: dict[str, Any],
    position: tuple[Shape | None, Derived | None],
    joiner: Joiner,
) -> PlaceRecord:
    shared.require_state(session, joiner.state)
    store.lock_place(session, record.seq)
    now = _reread(session, record.seq, joiner)
    _require_open(now)
    if now.version != record.version:
        message = "This mark was changed a moment ago. Look at it again, then correct it."
        raise ConflictError(message)
    seen_again: dict[str, Any] = {
        "status": "pending",
        "merged_into": None,
        "urgency": urgency_of(now.note, now.suggestion),
    }
    change_place(session, record.seq, values | seen_again, by=OWNER)
    shape, derived = position
    if shape is not None and derived is not None:
        store.delete_derived(session, record.seq)
        shared.insert_derived(session, [(record.seq, derived)])
        index_geometries(session, "place", [(record.seq, shape.wgs84)], replace=True)
    return _reread(session, record.seq, joiner)


def _reread(session: Session, seq: int, joiner: Joiner) -> PlaceRecord:
    record = store.read_record(session, seq, joiner.state)
    assert record is not None
    return record
