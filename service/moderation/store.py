"""Every query of the queue: pick, lease, versions, decisions, second looks; the first argument is the session."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, delete, func, or_, select, text, update
from sqlalchemy.orm import Session

from service.moderation.models import Decision, PlaceVersion, QueueLease, SecondLook
from service.places.models import Place
from service.workshops.models import Workshop

Mark = Place  # what the rest of this subject calls the row of a mark
PICK_LOCK: Final = 5_214_004  # PostgreSQL: one pick after another, or two moderators could pick one mark
OPEN: Final = ("pending", "approved", "rejected")


@dataclass(frozen=True, slots=True)
class Reach:
    """Which marks a moderator may read: every team's or one's own, and whether borders are among them."""

    team_id: int | None
    all_teams: bool
    borders: bool


def _within(reach: Reach) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if not reach.all_teams:
        own = select(Workshop.id).where(Workshop.team_id == reach.team_id, Workshop.team_id.is_not(None))
        conditions.append(Place.workshop_id.in_(own))
    if not reach.borders:
        conditions.append(Place.kind != "border")
    return conditions


def pick(
    session: Session, reach: Reach, holder: str, now: datetime, *, skip: Sequence[uuid.UUID], prefer: uuid.UUID | None
) -> Place | None:
    """Return the pending mark that this desk reads next: the one asked for, its own, the most urgent, the oldest.

    Parameters
    ----------
    session : Session
        Of the running ``store.write``, which leases what is picked.
    reach : Reach
        What the moderator may read.
    holder : str
        The desk.
    now : datetime
        Leases that end before are over.
    skip : sequence of UUID
        Marks to leave out.
    prefer : UUID, optional
        Mark to take first if it is free.

    Returns
    -------
    Place or None
        None where nothing waits that nobody else reads.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": PICK_LOCK})
    free = or_(QueueLease.until.is_(None), QueueLease.until <= now, QueueLease.holder == holder)
    mine = and_(QueueLease.holder == holder, QueueLease.until > now)
    order = [case((mine, 0), else_=1), Place.urgency.desc(), Place.seq]
    if prefer is not None:
        order.insert(0, case((Place.id == prefer, 0), else_=1))
    query = (
        select(Place)
        .outerjoin(QueueLease, QueueLease.place_seq == Place.seq)
        .where(Place.status == "pending", free, *_within(reach))
        .order_by(*order)
        .limit(1)
    )
    if skip:
        query = query.where(Place.id.not_in(list(skip)))
    return session.scalar(query)


def count_waiting(session: Session, reach: Reach) -> int:
    """Return how many marks wait that the moderator may read."""
    query = select(func.count()).select_from(Place).where(Place.status == "pending", *_within(reach))
    return session.scalar(query) or 0


def lease(session: Session, seq: int, holder: str, until: datetime) -> None:
    """Keep a mark for a desk, and give back the others that it had."""
    session.execute(delete(QueueLease).where(or_(QueueLease.holder == holder, QueueLease.place_seq == seq)))
    session.add(QueueLease(place_seq=seq, holder=holder, until=until))


def renew(session: Session, seq: int, holder: str, until: datetime) -> bool:
    """Keep a mark longer; False where the desk no longer has it."""
    statement = update(QueueLease).where(QueueLease.place_seq == seq, QueueLease.holder == holder).values(until=until)
    return bool(session.execute(statement).rowcount)  # type: ignore[attr-defined]


def give_back(session: Session, holder: str) -> None:
    """End the leases of a desk."""
    session.execute(delete(QueueLease).where(QueueLease.holder == holder))


def free(session: Session, seq: int) -> None:
    """End whatever lease there is of a mark."""
    session.execute(delete(QueueLease).where(QueueLease.place_seq == seq))


def held_by_other(session: Session, seq: int, holder: str, now: datetime) -> bool:
    """Return whether another desk reads the mark right now."""
    query = select(QueueLease.place_seq).where(
        QueueLease.place_seq == seq, QueueLease.holder != holder, QueueLease.until > now
    )
    return session.scalar(query) is not None


def find_mark(session: Session, place_id: uuid.UUID, reach: Reach, *, lock: bool = False) -> Place | None:
    """Return a mark that the moderator may read, in a state that moderators see (never with the lead: S5)."""
    query = select(Place).where(Place.id == place_id, Place.status.in_(OPEN), *_within(reach))
    return session.scalar(query.with_for_update(of=Place) if lock else query)


def state_of(session: Session, place_id: uuid.UUID, reach: Reach) -> str | None:
    """Return the state of a mark within reach, whichever it is; None where there is none."""
    return session.scalar(select(Place.status).where(Place.id == place_id, *_within(reach)))


def find_seq(session: Session, seq: int) -> Place | None:
    """Return a mark by its number, locked for a change."""
    return session.scalar(select(Place).where(Place.seq == seq).with_for_update(of=Place))


def beside(session: Session, place: Place, reach: Reach, limit: int) -> Sequence[Place]:
    """Return the other marks of the same workshop that can speak for a mark, newest first."""
    if place.workshop_id is None:
        return []
    query = (
        select(Place)
        .where(
            Place.workshop_id == place.workshop_id,
            Place.seq != place.seq,
            Place.status.in_(("pending", "approved")),
            *_within(reach),
        )
        .order_by(Place.seq.desc())
        .limit(limit)
    )
    return list(session.scalars(query))


def merged_into(session: Session, seq: int) -> bool:
    """Return whether the mark speaks for others."""
    return session.scalar(select(Place.seq).where(Place.merged_into == seq).limit(1)) is not None


def version_content(session: Session, seq: int, version: int) -> dict[str, Any] | None:
    """Return what a mark said in a former version; None once retention took it."""
    return session.scalar(
        select(PlaceVersion.content).where(PlaceVersion.place_seq == seq, PlaceVersion.version == version)
    )


def add_decision(session: Session, values: dict[str, Any]) -> Decision:
    """Store an act of a moderator."""
    session.add(row := Decision(**values))
    session.flush()
    return row


def own_decisions(session: Session, actor: str, limit: int) -> list[tuple[Decision, uuid.UUID]]:
    """Return the newest acts of a moderator with the marks they were on."""
    query = (
        select(Decision, Place.id)
        .join(Place, Place.seq == Decision.place_seq)
        .where(Decision.actor == actor, Decision.act.not_in(("hold", "decide")))
        .order_by(Decision.id.desc())
        .limit(limit)
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def find_decision(session: Session, number: int, actor: str) -> Decision | None:
    """Return one act of a moderator, locked."""
    return session.scalar(select(Decision).where(Decision.id == number, Decision.actor == actor).with_for_update())


def add_second_look(session: Session, values: dict[str, Any]) -> None:
    """Ask for a second look at a decision."""
    session.add(SecondLook(**values))


def drop_second_look(session: Session, seq: int) -> None:
    """Take back the question for a second look that nobody has answered."""
    session.execute(delete(SecondLook).where(SecondLook.place_seq == seq, SecondLook.judged_at.is_(None)))


def next_second_look(session: Session, principal_id: str, reach: Reach) -> tuple[SecondLook, Place] | None:
    """Return the oldest question that somebody else's decision asks, on a mark that still says something."""
    row = session.execute(
        select(SecondLook, Place)
        .join(Place, Place.seq == SecondLook.place_seq)
        .where(
            SecondLook.judged_at.is_(None),
            SecondLook.first_by != principal_id,
            Place.status.in_(("approved", "rejected")),
            *_within(reach),
        )
        .order_by(SecondLook.id)
        .limit(1)
    ).first()
    return (row[0], row[1]) if row else None


def find_second_look(session: Session, number: int) -> SecondLook | None:
    """Return one question, locked."""
    return session.scalar(select(SecondLook).where(SecondLook.id == number).with_for_update())


def decision_behind(session: Session, look: SecondLook) -> Decision | None:
    """Return the decision that a second look is about."""
    return session.scalar(
        select(Decision)
        .where(
            Decision.place_seq == look.place_seq,
            Decision.act == look.first_act,
            Decision.actor == look.first_by,
            Decision.undone_at.is_(None),
        )
        .order_by(Decision.id.desc())
        .limit(1)
    )


def looks(session: Session) -> list[tuple[str, str, int]]:
    """Return (first act, second act, number) of all answered second looks: never who."""
    query = (
        select(SecondLook.first_act, SecondLook.second_act, func.count())
        .where(SecondLook.judged_at.is_not(None))
        .group_by(SecondLook.first_act, SecondLook.second_act)
    )
    return [(first, second or "", number) for first, second, number in session.execute(query)]


def unread_words(session: Session, before: date) -> tuple[int, date | None]:
    """Return how many pending marks up to a day hold words, and the oldest day of them."""
    row = session.execute(
        select(func.count(), func.min(Place.day)).where(
            Place.status == "pending", or_(Place.note.is_not(None), Place.suggestion.is_not(None)), Place.day <= before
        )
    ).one()
    return row[0], row[1]
