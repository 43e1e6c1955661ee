"""Accounts of those who sign in elsewhere: bound by an invite or made from a group, and our own code where needed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from service.core import Core
from service.errors import ConflictError, InvalidInputError, NotFoundError, NotSignedInError
from service.people import second_factor, store
from service.people.access import PUBLIC, STAFF_ROLES, Principal
from service.people.accounts import Enrolment, enrolment, require_code, team_number
from service.people.audit import record
from service.people.models import PrincipalRow
from service.people.oidc import Asserted, Journey
from service.people.sessions import hash_token, open_session, principal_of
from service.people.signing import WRONG, count_failure_of, use_code
from service.store.base import utc_now

STEP: Final = "oidc-step"
STEP_S: Final = 600
MAPPED: Final = "oidc"  # who made an account that a group made


@dataclass(frozen=True, slots=True)
class Arrived:
    """What comes next for somebody who came back from the provider.

    Attributes
    ----------
    token : str
        Of a session; empty while our own code is still to be given.
    step : str
        What the page that asks for the code sends back; empty where there is a session.
    enrolment : Enrolment or None
        What that page shows where no app is set up yet.
    """

    token: str = ""
    step: str = ""
    enrolment: Enrolment | None = None


def arrive(core: Core, journey: Journey, asserted: Asserted) -> Arrived:
    """Find or make the account, and start a session if the provider asserted a second factor.

    Raises
    ------
    NotSignedInError
        If there is no account for this person.
    NotFoundError, ConflictError
        If the invite is not good, or the person has another account.
    """
    now = utc_now()

    def write(session: Session) -> PrincipalRow | Arrived | None:
        person = _find(core, session, journey, asserted, now)
        if person is None:
            record(session, core, PUBLIC, "sign-in.refused")
            return None
        if not asserted.has_second_factor:
            return person
        return Arrived(_start(core, session, person, journey.session_id, now))

    found = core.store.write(write)
    if found is None:
        message = "There is no account for you here. Ask the person who looks after the accounts for an invite."
        raise NotSignedInError(message)
    return found if isinstance(found, Arrived) else _ask_code(core, found, journey.session_id)


def give_code(core: Core, step: str, code: str) -> tuple[str, list[str]]:
    """Check our own code after a sign-in elsewhere; return the session's token, and recovery codes if the app is new.

    Raises
    ------
    NotSignedInError
        If the code is wrong, the account rests, or it took too long.
    InvalidInputError
        If the app that is being set up shows another code.
    """
    now = utc_now()
    number, session_id, sealed = _open_step(core, step, now)
    codes = second_factor.new_recovery_codes() if sealed else []
    secret = core.decrypt(STEP, sealed).decode("ascii") if sealed else ""
    new_step = require_code(secret, code, now) if sealed else 0

    def write(session: Session) -> str | None:
        person = store.lock_person(session, number, now)
        if person is None or (person.locked_until is not None and person.locked_until > now):
            record(session, core, PUBLIC, "sign-in.refused")
            return None
        if sealed and person.totp_sealed is None:
            person.totp_sealed, person.totp_last_step = core.encrypt(second_factor.PURPOSE, secret.encode()), new_step
            store.put_recovery_codes(session, number, [second_factor.recovery_hash(core, one) for one in codes])
            record(session, core, principal_of(person), "account.enrol")
        elif sealed or not use_code(core, session, person, code, now):
            count_failure_of(core, person, now)
            record(session, core, PUBLIC, "sign-in.refused", subject=person.label)
            return None
        return _start(core, session, person, session_id, now)

    token = core.store.write(write)
    if token is None:
        raise NotSignedInError(WRONG)
    return token, codes


def same_step(core: Core, step: str) -> Arrived:
    """Return what the page that asks for the code showed before.

    Raises
    ------
    NotSignedInError
        If it took too long.
    """
    number, _, sealed = _open_step(core, step, utc_now())
    if not sealed:
        return Arrived(step=step)
    with core.store.read() as session:
        person = store.find_active(session, number, utc_now())
    if person is None:
        raise NotSignedInError(WRONG)
    return Arrived(step=step, enrolment=enrolment(core, person, core.decrypt(STEP, sealed).decode("ascii"), ""))


def _find(core: Core, session: Session, journey: Journey, asserted: Asserted, now: datetime) -> PrincipalRow | None:
    if journey.invite:
        return _bind(core, session, journey.invite, asserted, now)
    person = store.find_subject(session, asserted.subject, now)
    if journey.session_id is not None:  # confirming: it must be the one who is signed in
        row = store.lock_session(session, journey.session_id)
        return person if person is not None and row is not None and row.principal_id == person.id else None
    mapped = _mapped(core, asserted)
    if person is not None and person.created_by == MAPPED:
        if mapped is None:
            return None  # left every group that has a role
        _give(core, session, person, mapped)
    if person is None and mapped is not None and not store.is_known(session, subject=asserted.subject):
        return _make(core, session, asserted, mapped)
    return person


def _bind(core: Core, session: Session, invite: str, asserted: Asserted, now: datetime) -> PrincipalRow:
    pair = store.find_invite(session, hash_token(invite), now)
    if pair is None:
        message = "This invite is not known here: it was used, taken back, or is too old. Ask for a new one."
        raise NotFoundError(message)
    if store.is_known(session, subject=asserted.subject):
        message = "You have an account here already. Sign in with it, or ask for the old one to be ended."
        raise ConflictError(message)
    found, person = pair
    found.used_at, person.oidc_subject = now, asserted.subject
    record(session, core, principal_of(person), "account.bind")
    return person


def _mapped(core: Core, asserted: Asserted) -> tuple[str, str] | None:
    """Return role and team of the first group, in the order of the settings, that has one."""
    for group, wanted in core.settings.oidc_roles.items():
        role, _, team = wanted.partition(":")
        if group in asserted.groups and role in STAFF_ROLES:
            return role, team
    return None


def _make(core: Core, session: Session, asserted: Asserted, mapped: tuple[str, str]) -> PrincipalRow:
    label, number = asserted.name, 2
    while store.find_label(session, label) is not None:
        label, number = f"{asserted.name} {number}", number + 1
    person = PrincipalRow(kind="staff", label=label, role=mapped[0], oidc_subject=asserted.subject, created_by=MAPPED)
    store.add(session, person)
    _give(core, session, person, mapped)
    record(session, core, principal_of(person), "account.make", subject=label, role_given=person.role)
    return person


def _give(core: Core, session: Session, person: PrincipalRow, mapped: tuple[str, str]) -> None:
    role, team = mapped
    person.role = role
    person.team_id = team_number(session, core, principal_of(person), team)


def _start(core: Core, session: Session, person: PrincipalRow, instead: int | None, now: datetime) -> str:
    person.failed_count, person.locked_until = 0, None
    store.end_one_session(session, instead, now)
    who: Principal = principal_of(person)
    record(session, core, who, "session.confirm" if instead is not None else "sign-in", how="elsewhere")
    return open_session(core, session, person, now)


def _ask_code(core: Core, person: PrincipalRow, session_id: int | None) -> Arrived:
    sealed, shown = "", None
    if person.totp_sealed is None:
        secret = second_factor.new_secret()
        sealed = core.encrypt(STEP, secret.encode("ascii"))
        shown = enrolment(core, person, secret, "")
    content = {"number": person.id, "session": session_id, "sealed": sealed, "at": utc_now().timestamp()}
    return Arrived(step=core.encrypt(STEP, json.dumps(content).encode()), enrolment=shown)


def _open_step(core: Core, step: str, now: datetime) -> tuple[int, int | None, str]:
    try:
        content = json.loads(core.decrypt(STEP, step))
        age, number = now.timestamp() - content["at"], int(content["number"])
    except (ValueError, TypeError, KeyError) as error:
        message = "This page is too old. Sign in again."
        raise InvalidInputError(message) from error
    if age > STEP_S:
        raise NotSignedInError(WRONG)
    return number, content["session"], content["sealed"]
