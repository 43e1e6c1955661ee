"""Who is on duty when, and the number out of hours: words are taken only while a lead is (S3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from service.core import Core
from service.errors import FieldProblem, InvalidInputError, NotFoundError
from service.people.access import Principal, Right
from service.people.audit import record
from service.people.workflow import Colleague, add_sample_lead, colleagues, labels_of
from service.store.base import utc_now
from service.workshops import store

LEAD: Final = "safeguarding_lead"
SAMPLE_DUTY: Final = timedelta(days=365)
SAMPLE_NUMBER: Final = "020 7946 0123"  # of Ofcom's range for drama
CONTACT_MAX: Final = 120
LONGEST: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class DutyView:
    """A turn of duty."""

    id: int
    lead: str
    opens_at: datetime
    closes_at: datetime
    out_of_hours: str


@dataclass(frozen=True, slots=True)
class DutyIn:
    """A turn of duty as the roster page sends it."""

    principal_id: int
    opens_at: datetime
    closes_at: datetime
    out_of_hours: str


def leads(core: Core, principal: Principal) -> list[Colleague]:
    """Return who can be put on duty.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the caller may not set the roster.
    """
    principal.require(Right.DUTY_SET)
    return colleagues(core, LEAD)


def list_duty(core: Core, principal: Principal) -> list[DutyView]:
    """Return the turns of duty from now on, the next first.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the caller may not see the roster.
    """
    principal.require(Right.DUTY_SET)
    now = utc_now()
    with core.store.read() as session:
        rows = store.read_duty(session, now, now + LONGEST * 3)
        names = labels_of(session, [row.principal_id for row in rows])
    return [
        DutyView(row.id, names.get(row.principal_id, "?"), row.opens_at, row.closes_at, row.out_of_hours)
        for row in rows
    ]


def add_duty(core: Core, principal: Principal, duty: DutyIn) -> int:
    """Put a lead on duty.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the caller may not set the roster.
    InvalidInputError
        If the lead is none, the times are in the wrong order, or the number out of hours is missing.
    """
    known = {lead.number for lead in leads(core, principal)}
    if problems := _problems(duty, known):
        message = "This turn of duty cannot be taken. " + " ".join(problem.message for problem in problems)
        raise InvalidInputError(message, errors=problems)
    values = {name: getattr(duty, name) for name in duty.__dataclass_fields__}

    def write(session: Session) -> int:
        row = store.add_duty(session, values)
        record(session, core, principal, "duty.add", subject=str(row.id), lead=duty.principal_id)
        return row.id

    return core.store.write(write)


def remove_duty(core: Core, principal: Principal, number: int) -> list[str]:
    """Take a turn of duty away; return the titles of workshops that no longer take words because of it.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the caller may not set the roster.
    NotFoundError
        If there is no such turn.
    """
    principal.require(Right.DUTY_SET)

    def write(session: Session) -> list[str]:
        row = store.find_duty(session, number)
        if row is None:
            message = "There is no such turn of duty any more."
            raise NotFoundError(message)
        start, end = row.opens_at, row.closes_at
        store.delete_duty(session, number)
        session.flush()
        record(session, core, principal, "duty.remove", subject=str(number))
        touched = store.words_between(session, start, end)
        return [
            one.title
            for one in touched
            if one.opens_at and one.closes_at and not covers(session, max(one.opens_at, utc_now()), one.closes_at)
        ]

    return core.store.write(write)


def covers(session: Session, start: datetime, end: datetime) -> bool:
    """Return whether a lead with a number out of hours is on duty all the time between two."""
    reached = start
    for row in store.read_duty(session, start, end):
        if row.opens_at > reached:
            return False
        if row.out_of_hours:
            reached = max(reached, row.closes_at)
    return reached >= end


def covered_until(core: Core) -> datetime | None:
    """Return until when leads are on duty without a gap from now on; None where nobody is on duty."""
    now = utc_now()
    reached = now
    with core.store.read() as session:
        for row in store.read_duty(session, now, now + LONGEST):
            if row.opens_at <= reached and row.out_of_hours:
                reached = max(reached, row.closes_at)
    return reached if reached > now else None


def on_duty(session: Session, moment: datetime) -> bool:
    """Return whether a lead is on duty at one moment."""
    return store.any_on_duty(session, moment, moment + timedelta(microseconds=1))


def on_duty_between(session: Session, start: datetime, end: datetime) -> bool:
    """Return whether a lead is on duty at any time between two."""
    return store.any_on_duty(session, start, end)


def add_sample_duty(core: Core) -> None:
    """Put the made-up lead of a demo on duty, so that its workshops can take words."""
    lead = add_sample_lead(core)
    now = utc_now()

    def write(session: Session) -> None:
        if covers(session, now, now + timedelta(days=1)):
            return
        times = {"opens_at": now - timedelta(days=1), "closes_at": now + SAMPLE_DUTY}
        store.add_duty(session, {"principal_id": lead, "out_of_hours": SAMPLE_NUMBER, **times})

    core.store.write(write)


def _problems(duty: DutyIn, known: set[int]) -> list[FieldProblem]:
    problems = []
    if duty.principal_id not in known:
        problems.append(FieldProblem(field="principal_id", message="Choose a safeguarding lead from the list."))
    if not duty.opens_at < duty.closes_at <= duty.opens_at + LONGEST:
        problems.append(FieldProblem(field="closes_at", message="The end comes after the start, within a year."))
    if not any(letter.isdigit() for letter in duty.out_of_hours) or len(duty.out_of_hours) > CONTACT_MAX:
        message = "Give the number to call out of hours."
        problems.append(FieldProblem(field="out_of_hours", message=message))
    return problems
