"""Marks with the safeguarding lead: clock, who was in the room, decision with its reason (S4, S5, S6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from service import erasures
from service.core import Core
from service.errors import ConflictError, FieldProblem, InvalidInputError, NotFoundError
from service.moderation import hold_store, store
from service.moderation.choices import options
from service.moderation.clock import due_at, local
from service.moderation.hold_store import HeldRow
from service.moderation.marks import mark_of
from service.moderation.models import Hold
from service.moderation.schemas import HoldDecidedOut, HoldDecideIn, HoldOut, HoldsOut, RoomOut
from service.moderation.store import Mark
from service.moderation.where import ward_name
from service.people.access import Principal, Right
from service.people.audit import record
from service.places.workflow import change_place, erase_place
from service.store.base import utc_now
from service.web.words import clean_words

SHOWN = 50
LEAST_REASON, REASON_MAX = 3, 1000


def place_hold(session: Session, core: Core, place: Mark, *, by: str) -> Hold:
    """Take a mark out of every output and start the lead's clock, inside a write.

    Parameters
    ----------
    session : Session
        Of the running ``store.write``.
    core : Core
        Its settings say by when a lead decides.
    place : Mark
        The mark, locked; not with the lead yet.
    by : str
        Label of whoever passes it on.

    Returns
    -------
    Hold
        With its number and time; the one that is open, if another write was faster.
    """
    if (there := hold_store.open_hold_of(session, place.seq)) is not None:
        return there
    now = utc_now()
    values = {"place_seq": place.seq, "status_before": place.status, "held_by": by, "held_at": now}
    hold = hold_store.add_hold(session, values | {"due_at": due_at(core.settings, now)})
    erasures.note_erasures(core, erasures.HELD, [place.id], local(now).date())
    if place.status != "held":
        change_place(session, place.seq, {"status": "held"}, by=by)
        store.drop_second_look(session, place.seq)
    return hold


def adopt_held(core: Core, *, by: str = "import") -> int:
    """Give marks that came in as held a clock of the lead; return how many."""

    def write(session: Session) -> int:
        found = hold_store.held_without_hold(session)
        for place in found:
            place_hold(session, core, place, by=by)
        return len(found)

    with core.store.read() as session:
        any_there = bool(hold_store.held_without_hold(session))
    return core.store.write(write) if any_there else 0


def list_holds(core: Core, principal: Principal) -> HoldsOut:
    """Return what waits for the lead, those that are late first; the reading is told in the audit.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the caller is no lead.
    """
    principal.require(Right.LEAD_DECIDE)
    adopt_held(core)

    def write(session: Session) -> tuple[list[HeldRow], int]:
        rows = hold_store.held_rows(session)
        if rows:
            record(session, core, principal, "hold.read", rows=len(rows))
        unsent = [notice for notice, _ in hold_store.unsent_notices(session) if notice.problem]
        return rows, len(unsent)

    rows, unsent = core.store.write(write)
    now = utc_now()
    return HoldsOut(holds=[_hold_out(core, row, now) for row in rows], unsent=unsent)


def list_decided(core: Core, principal: Principal) -> Sequence[Hold]:
    """Return the newest decisions of leads, without any words of the marks.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the caller is no lead.
    """
    principal.require(Right.LEAD_DECIDE)
    with core.store.read() as session:
        return hold_store.decided_holds(session, SHOWN)


def decide_hold(core: Core, principal: Principal, number: int, asked: HoldDecideIn) -> HoldDecidedOut:
    """Record what a lead decided and why, and carry out what happens to the mark; nothing is sent to anybody (S5).

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the caller is no lead.
    NotFoundError
        If there is no such hold.
    ConflictError
        If it was decided already.
    InvalidInputError
        If the decision or its reason is missing.
    """
    principal.require(Right.LEAD_DECIDE)
    reason = _reason(asked)

    def write(session: Session) -> str:
        hold = hold_store.find_hold(session, number)
        if hold is None:
            message = "There is no such mark with the lead."
            raise NotFoundError(message)
        if hold.decided_at is not None:
            message = f"This was decided already by {hold.decided_by}. Load the page again."
            raise ConflictError(message)
        place = store.find_seq(session, hold.place_seq)
        if place is None or place.status != "held":
            message = "This mark is no longer with the lead. Load the page again."
            raise ConflictError(message)
        now = utc_now()
        hold.decided_at, hold.decided_by = now, principal.id
        hold.outcome, hold.reason = asked.outcome, reason
        hold_store.settle_hold(session, hold.id, now)
        then = "erase" if place.withdrawn_on is not None else asked.then  # S5: its owner's wish waited for this
        values = {"place_seq": place.seq, "principal_id": principal.number, "actor": principal.id, "act": "decide"}
        store.add_decision(session, values | {"reason": f"{asked.outcome}, {then}", "before": {}})
        details: dict[str, Any] = {"hold": number, "outcome": asked.outcome, "then": then}
        record(session, core, principal, "hold.decide", subject=str(place.id), **details)
        status = _carry_out(session, core, place, then, by=principal.id)
        if then != "erase":
            erasures.note_erasures(core, erasures.DECIDED, [place.id], local(now).date())
        return status

    return HoldDecidedOut(number=number, status=core.store.write(write))


def _carry_out(session: Session, core: Core, place: Mark, then: str, *, by: str) -> str:
    if then == "erase":
        erase_place(session, core, place.seq, version=place.version)
        return "withdrawn"
    status = "pending" if then == "return" else "rejected"
    change_place(session, place.seq, {"status": status, "decided_on": local(utc_now()).date()}, by=by)
    return status


def _reason(asked: HoldDecideIn) -> str:
    if asked.outcome not in {one.code for one in options().outcome}:
        message = "Choose what was decided."
        raise InvalidInputError(message, errors=[FieldProblem(field="outcome", message=message)])
    try:
        reason = clean_words(asked.reason, limit=REASON_MAX)
    except ValueError as error:
        raise InvalidInputError(str(error), errors=[FieldProblem(field="reason", message=str(error))]) from error
    if reason is None or len(reason) < LEAST_REASON:
        message = "Write why, in a sentence. 'No action' needs a reason too."
        raise InvalidInputError(message, errors=[FieldProblem(field="reason", message=message)])
    return reason


def _hold_out(core: Core, row: HeldRow, now: datetime) -> HoldOut:
    hold, workshop = row.hold, row.workshop
    room = None
    if workshop is not None:
        room = RoomOut(
            title=workshop.title,
            opens_at=workshop.opens_at,
            closes_at=workshop.closes_at,
            adult=row.adult,
            contact=workshop.room_contact,
        )
    return HoldOut(
        number=hold.id,
        held_at=hold.held_at,
        held_by=hold.held_by,
        due_at=hold.due_at,
        late=hold.due_at < now,
        taken_back=row.place.withdrawn_on is not None,
        mark=mark_of(row.place),
        ward=ward_name(core, row.place.id),
        room=room,
    )
