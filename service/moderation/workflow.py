"""The queue: show one mark, decide, undo, pass to the lead; what other subjects ask of moderation starts here."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from service.core import Core
from service.errors import ConflictError, NotFoundError
from service.moderation import acts, store
from service.moderation.agreement import agreement
from service.moderation.choices import options
from service.moderation.clock import due_at, local
from service.moderation.escalation import Due, count_due, escalate
from service.moderation.holds import adopt_held, decide_hold, list_decided, list_holds, place_hold
from service.moderation.marks import act_words, mark_of
from service.moderation.reach import reach_of, require_mark
from service.moderation.schemas import (
    DecidedOut,
    DecideIn,
    DecisionOut,
    DecisionsOut,
    HeldOut,
    NextIn,
    NextOut,
    OtherOut,
    OthersOut,
    UndoneOut,
    WhereOut,
)
from service.moderation.second import ask_second, judge_second, maybe_ask
from service.moderation.store import Mark
from service.moderation.where import metres_between, where_words
from service.people.access import Principal
from service.people.audit import record
from service.store.base import utc_now

__all__ = [
    "Due",
    "adopt_held",
    "agreement",
    "ask_second",
    "count_due",
    "decide",
    "decide_hold",
    "due_at",
    "escalate",
    "give_back",
    "hold_mark",
    "judge_second",
    "keep",
    "list_decided",
    "list_decisions",
    "list_holds",
    "local",
    "next_mark",
    "options",
    "others",
    "undo",
    "where",
]
OWN_SHOWN, OTHERS_SHOWN = 20, 30


def next_mark(core: Core, principal: Principal, asked: NextIn) -> NextOut:
    """Return the mark to read now and keep it for this page: the most urgent first, then the oldest.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the caller may not moderate.
    """
    reach = reach_of(principal)
    holder = _holder(principal, asked.desk)
    now = utc_now()

    def write(session: Session) -> tuple[Mark | None, bool, int]:
        waiting = store.count_waiting(session, reach)
        place = store.pick(session, reach, holder, now, skip=asked.skip, prefer=asked.prefer)
        if place is None:
            store.give_back(session, holder)
            return None, False, waiting
        store.lease(session, place.seq, holder, now + _lease(core))
        record(session, core, principal, "mark.show", subject=str(place.id))
        return place, bool(store.beside(session, place, reach, 1)), waiting

    place, has_others, waiting = core.store.write(write)
    return NextOut(mark=mark_of(place, has_others=has_others) if place else None, waiting=waiting)


def keep(core: Core, principal: Principal, place_id: uuid.UUID, desk: str) -> None:
    """Keep a mark longer for the page that shows it.

    Raises
    ------
    ConflictError
        If another page reads it by now, or it was decided.
    """
    reach = reach_of(principal)

    def write(session: Session) -> bool:
        place = store.find_mark(session, place_id, reach)
        until = utc_now() + _lease(core)
        return place is not None and store.renew(session, place.seq, _holder(principal, desk), until)

    if not core.store.write(write):
        message = "You no longer have this mark: it was decided, or the time was over and somebody else reads it."
        raise ConflictError(message)


def give_back(core: Core, principal: Principal, desk: str) -> None:
    """Let others read what this page had."""
    reach_of(principal)
    core.store.write(lambda session: store.give_back(session, _holder(principal, desk)))


def decide(core: Core, principal: Principal, place_id: uuid.UUID, asked: DecideIn) -> DecidedOut:
    """Carry out an act of a moderator, with its audit and what it takes to undo it, in one write.

    Raises
    ------
    NotFoundError
        If there is no such mark that the caller may moderate.
    ConflictError
        If the mark changed since it was read, somebody else reads it, or it is with the lead.
    InvalidInputError
        Naming what is missing, or what the wording check says.
    """
    reach = reach_of(principal)

    def write(session: Session) -> tuple[int, Mark, bool]:
        place = require_mark(session, place_id, reach)
        _require_free(session, place, _holder(principal, asked.desk), asked.version)
        change = acts.apply(acts.Wish(session, core, place, asked, reach, principal.id))
        kept = {"override": asked.override} if asked.override else {}
        values = {"act": asked.act, "reason": change.reason, "before": change.extra | kept}
        decision = store.add_decision(session, _signed(principal, place.seq) | values)
        code = change.reason.partition(":")[0] or None
        checks = ",".join(asked.checks) or None
        details = {"decision": decision.id, "reason": code, "checks": checks, "override": bool(kept) or None}
        record(session, core, principal, f"mark.{asked.act}", subject=str(place.id), **details)
        if asked.act in acts.LEAVES_QUEUE:
            maybe_ask(session, core, place, decision)
            store.free(session, place.seq)
        session.refresh(place)
        return decision.id, place, bool(store.beside(session, place, reach, 1))

    number, place, has_others = core.store.write(write)
    stays = place.status == "pending"
    mark = mark_of(place, has_others=has_others) if stays else None
    return DecidedOut(decision=number, done=not stays, mark=mark)


def hold_mark(core: Core, principal: Principal, place_id: uuid.UUID) -> HeldOut:
    """Pass a mark to the safeguarding lead, whoever reads it and whatever was decided; it leaves every output (S4, S5).

    Raises
    ------
    NotFoundError
        If there is no such mark that the caller may read.
    GoneError
        If its owner took it back.
    ConflictError
        If it is with the lead already.
    """
    reach = reach_of(principal)

    def write(session: Session) -> HeldOut:
        place = require_mark(session, place_id, reach)
        hold = place_hold(session, core, place, by=principal.id)
        store.add_decision(session, _signed(principal, place.seq) | {"act": "hold", "before": {}})
        record(session, core, principal, "mark.hold", subject=str(place.id), hold=hold.id)
        store.free(session, place.seq)
        return HeldOut(hold=hold.id, due_at=hold.due_at)

    return core.store.write(write)


def list_decisions(core: Core, principal: Principal) -> DecisionsOut:
    """Return one's own newest acts, to be undone."""
    reach_of(principal)
    with core.store.read() as session:
        rows = store.own_decisions(session, principal.id, OWN_SHOWN)
    shown = [
        DecisionOut(
            number=row.id, mark=place_id, act=row.act, words=act_words(row), at=row.at, undone=row.undone_at is not None
        )
        for row, place_id in rows
    ]
    return DecisionsOut(decisions=shown)


def undo(core: Core, principal: Principal, number: int) -> UndoneOut:
    """Undo one's own act; in any order, as long as nothing later changed the same.

    Raises
    ------
    NotFoundError
        If one made no such act.
    ConflictError
        If it cannot be undone any more; the message says why.
    """
    reach = reach_of(principal)

    def write(session: Session) -> uuid.UUID:
        decision = store.find_decision(session, number, principal.id)
        place = store.find_seq(session, decision.place_seq) if decision is not None else None
        if decision is None or place is None or decision.act in {"hold", "decide"}:
            message = "There is no such act of yours to undo."
            raise NotFoundError(message)
        require_mark(session, place.id, reach)
        acts.undo(session, core, decision, place, by=principal.id)
        decision.undone_at = utc_now()
        record(session, core, principal, "mark.undo", subject=str(place.id), decision=number, act_undone=decision.act)
        return place.id

    return UndoneOut(mark=core.store.write(write))


def where(core: Core, principal: Principal, place_id: uuid.UUID) -> WhereOut:
    """Return where a mark is: on request, and told in the audit (X9).

    Raises
    ------
    NotFoundError
        If there is no such mark that the caller may read.
    """
    reach = reach_of(principal)

    def write(session: Session) -> None:
        place = require_mark(session, place_id, reach)
        record(session, core, principal, "mark.where", subject=str(place.id), rows=1)

    core.store.write(write)
    return where_words(core, place_id)


def others(core: Core, principal: Principal, place_id: uuid.UUID) -> OthersOut:
    """Return the other marks of the same workshop, the nearest first, to merge with.

    Raises
    ------
    NotFoundError
        If there is no such mark that the caller may read.
    """
    reach = reach_of(principal)

    def write(session: Session) -> tuple[Mark, list[Mark]]:
        place = require_mark(session, place_id, reach)
        found = list(store.beside(session, place, reach, 1000))
        record(session, core, principal, "mark.others", subject=str(place.id), rows=len(found))
        return place, found

    place, found = core.store.write(write)
    shown = [
        OtherOut(id=one.id, feeling=one.feeling, status=one.status, note=one.note, metres=metres_between(place, one))
        for one in found
    ]
    shown.sort(key=lambda one: one.metres if one.metres is not None else 10**9)
    return OthersOut(others=shown[:OTHERS_SHOWN])


def _holder(principal: Principal, desk: str) -> str:
    return f"{principal.id}/{desk}"


def _lease(core: Core) -> timedelta:
    return timedelta(seconds=core.settings.queue_lease_seconds)


def _signed(principal: Principal, seq: int) -> dict[str, Any]:
    return {"place_seq": seq, "principal_id": principal.number, "actor": principal.id}


def _require_free(session: Session, place: Mark, holder: str, version: int) -> None:
    if store.held_by_other(session, place.seq, holder, utc_now()):
        message = "Somebody else reads this mark right now. Nothing was changed; take the next one."
        raise ConflictError(message)
    if place.version != version:
        message = "This mark was changed since you read it. Nothing was decided; read it again."
        raise ConflictError(message)
