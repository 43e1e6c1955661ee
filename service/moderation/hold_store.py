"""Every query of marks with the lead, of who is on duty, and of notices; the first argument is the session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from service.moderation.models import Hold, Notice
from service.people.models import PrincipalRow
from service.places.models import Place
from service.workshops.models import Duty, Workshop


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A hold with its mark, and how the adult in the room can be reached (S6)."""

    hold: Hold
    place: Place
    workshop: Workshop | None
    adult: str | None


def add_hold(session: Session, values: dict[str, Any]) -> Hold:
    """Store that a mark went to the lead."""
    session.add(row := Hold(**values))
    session.flush()
    return row


def open_hold_of(session: Session, seq: int) -> Hold | None:
    """Return the undecided hold of a mark."""
    return session.scalar(select(Hold).where(Hold.place_seq == seq, Hold.decided_at.is_(None)))


def find_hold(session: Session, number: int) -> Hold | None:
    """Return one hold, locked."""
    return session.scalar(select(Hold).where(Hold.id == number).with_for_update())


def held_rows(session: Session, *, number: int | None = None) -> list[HeldRow]:
    """Return what waits for the lead, the earliest due first: so those that are late come first."""
    query = (
        select(Hold, Place, Workshop, PrincipalRow.label)
        .join(Place, Place.seq == Hold.place_seq)
        .outerjoin(Workshop, Workshop.id == Place.workshop_id)
        .outerjoin(PrincipalRow, PrincipalRow.id == Workshop.lead_id)
        .where(Hold.decided_at.is_(None))
        .order_by(Hold.due_at, Hold.id)
    )
    if number is not None:
        query = query.where(Hold.id == number)
    return [HeldRow(*row) for row in session.execute(query)]


def decided_holds(session: Session, limit: int) -> Sequence[Hold]:
    """Return the newest decisions of leads."""
    query = select(Hold).where(Hold.decided_at.is_not(None)).order_by(Hold.decided_at.desc(), Hold.id.desc())
    return list(session.scalars(query.limit(limit)))


def held_without_hold(session: Session) -> Sequence[Place]:
    """Return marks that are held and have no clock: an import brought them so."""
    open_ones = select(Hold.place_seq).where(Hold.decided_at.is_(None))
    query = select(Place).where(Place.status == "held", Place.seq.not_in(open_ones)).order_by(Place.seq)
    return list(session.scalars(query.with_for_update()))


def open_holds(session: Session) -> Sequence[Hold]:
    """Return the holds that nobody has decided, locked so that two runs never escalate one twice."""
    return list(session.scalars(select(Hold).where(Hold.decided_at.is_(None)).order_by(Hold.id).with_for_update()))


def count_holds(session: Session, now: datetime) -> tuple[int, int]:
    """Return how many holds wait, and how many of them are late."""
    waiting = select(func.count()).select_from(Hold).where(Hold.decided_at.is_(None))
    return session.scalar(waiting) or 0, session.scalar(waiting.where(Hold.due_at < now)) or 0


def leads_on_duty(session: Session, now: datetime) -> list[int]:
    """Return the leads whose duty it is now."""
    query = (
        select(Duty.principal_id)
        .join(PrincipalRow, PrincipalRow.id == Duty.principal_id)
        .where(Duty.opens_at <= now, Duty.closes_at > now, *_active(now))
        .order_by(Duty.opens_at, Duty.id)
    )
    return list(dict.fromkeys(session.scalars(query)))


def staff_of_role(session: Session, role: str, now: datetime) -> list[int]:
    """Return the members of staff with a role who can be told by e-mail."""
    query = select(PrincipalRow.id).where(
        PrincipalRow.role == role, PrincipalRow.notify_to.is_not(None), PrincipalRow.notify_to != "", *_active(now)
    )
    return list(session.scalars(query.order_by(PrincipalRow.id)))


def _active(now: datetime) -> list[Any]:
    return [PrincipalRow.revoked_at.is_(None), or_(PrincipalRow.expires_at.is_(None), PrincipalRow.expires_at > now)]


def add_notices(session: Session, values: dict[str, Any], recipients: Sequence[int | None]) -> None:
    """Store one e-mail for each recipient; None says that there is nobody to send it to."""
    session.add_all(Notice(principal_id=recipient, **values) for recipient in recipients)
    session.flush()


def has_notice(session: Session, hold_id: int) -> bool:
    """Return whether anybody was told of a hold."""
    return session.scalar(select(Notice.id).where(Notice.hold_id == hold_id).limit(1)) is not None


def last_unread_notice(session: Session) -> Notice | None:
    """Return the newest notice about unread words that is still about something."""
    query = select(Notice).where(Notice.kind == "unread", Notice.settled_at.is_(None)).order_by(Notice.id.desc())
    return session.scalar(query.limit(1))


def unsent_notices(session: Session, now: datetime | None = None) -> list[tuple[Notice, str | None]]:
    """Return e-mails that wait to be sent, with their address; with ``now`` only those whose next try is due."""
    query = (
        select(Notice, PrincipalRow.notify_to)
        .outerjoin(PrincipalRow, PrincipalRow.id == Notice.principal_id)
        .where(Notice.sent_at.is_(None), Notice.settled_at.is_(None))
        .order_by(Notice.id)
    )
    if now is not None:
        query = query.where(Notice.next_try_at <= now)
    return [(row[0], row[1]) for row in session.execute(query)]


def find_notice(session: Session, number: int) -> Notice | None:
    """Return one notice."""
    return session.get(Notice, number)


def hold_times(session: Session, numbers: Sequence[int]) -> dict[int, datetime]:
    """Return since when holds wait."""
    rows = session.execute(select(Hold.id, Hold.held_at).where(Hold.id.in_(numbers)))
    return {row[0]: row[1] for row in rows}


def settle_hold(session: Session, hold_id: int, now: datetime) -> None:
    """End the notices of a hold that was decided before they were sent."""
    _settle(session, Notice.hold_id == hold_id, now)


def settle_unread(session: Session, now: datetime) -> None:
    """End the notices about unread words: all are read, so the next ones start a new thread, sent ones too."""
    statement = update(Notice).where(Notice.kind == "unread", Notice.settled_at.is_(None)).values(settled_at=now)
    session.execute(statement)


def _settle(session: Session, condition: Any, now: datetime) -> None:
    session.execute(update(Notice).where(condition, Notice.sent_at.is_(None)).values(settled_at=now))
