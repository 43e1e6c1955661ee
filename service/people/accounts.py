"""Accounts and teams: made by an administrator, taken up with an invite, changed, reset and ended."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from service.core import Core
from service.errors import ConflictError, FieldProblem, InvalidInputError, NotFoundError
from service.people import second_factor, store
from service.people.access import OPERATOR, STAFF_ROLES, Principal, Right
from service.people.addresses import normal_address
from service.people.audit import record
from service.people.models import Invite, PrincipalRow, Team
from service.people.passwords import hash_password, require_good
from service.people.sessions import hash_token, new_token, open_session, principal_of, require_fresh
from service.people.signing import normal_login
from service.store.base import utc_now

LOGIN: Final = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,119}")
LABEL_MAX: Final = 120


@dataclass(frozen=True, slots=True)
class Account:
    """An account as administrators see it.

    Attributes
    ----------
    number : int
        Of its row.
    label, login, role, team : str
        What colleagues call it, what its holder types, what it may do, and for whom.
    state : str
        active, invited, new (neither password nor invite), resting (too many wrong tries), ended.
    until : datetime or None
        When the invite expires, or the rest is over.
    sessions : int
        Open ones.
    signs_in_elsewhere : bool
        Whether it is bound to an OpenID provider.
    notify : str
        Where e-mails about late marks go; empty where they reach nobody.
    """

    number: int
    label: str
    login: str
    role: str
    team: str
    state: str
    until: datetime | None
    sessions: int
    signs_in_elsewhere: bool
    notify: str


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the page that takes an invite up needs: whose account, and a fresh secret for the app."""

    label: str
    login: str
    role: str
    secret: str
    sealed: str  # the secret, encrypted for this invite alone
    address: str


def require_manager(core: Core, principal: Principal) -> None:
    """Raise unless the principal looks after accounts and has confirmed who it is; the operator always may."""
    if principal != OPERATOR:
        principal.require(Right.STAFF_MANAGE)
        require_fresh(core, principal)


def list_accounts(core: Core, principal: Principal) -> list[Account]:
    """Return every account, by name.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the principal does not look after accounts.
    """
    if principal != OPERATOR:
        principal.require(Right.STAFF_MANAGE)
    now = utc_now()
    idle = timedelta(minutes=core.settings.staff_session_minutes)
    with core.store.read() as session:
        rows = store.read_principals(session, "staff")
        invites = store.read_open_invites(session, now)
        sessions = store.count_sessions(session, now, now - idle)
    return [_account(row, team, invites.get(row.id), sessions.get(row.id, 0), now) for row, team in rows]


def _account(row: PrincipalRow, team: str | None, invite: datetime | None, sessions: int, now: datetime) -> Account:
    until = None
    if row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now):
        state = "ended"
    elif invite is not None:
        state, until = "invited", invite
    elif row.locked_until is not None and row.locked_until > now:
        state, until = "resting", row.locked_until
    else:
        state = "active" if row.password_hash or row.oidc_subject else "new"
    elsewhere, still_open = row.oidc_subject is not None, 0 if state == "ended" else sessions
    names = (row.label, row.login or "", row.role, team or "")
    return Account(row.id, *names, state, until, still_open, elsewhere, row.notify_to or "")


def add_account(  # noqa: PLR0913 - one parameter a field of the form
    core: Core, principal: Principal, *, login: str, label: str, role: str, team: str | None, notify: str | None = None
) -> str:
    """Make an account that cannot sign in yet, and return the token of the invite that lets its holder take it up.

    Parameters
    ----------
    core : Core
        The deployment.
    principal : Principal
        Who makes it; ``OPERATOR`` for the command line.
    login : str
        What its holder will type.
    label : str
        What colleagues and the audit call it.
    role : str
        What it may do.
    team : str or None
        Name of the team; made if it is new.
    notify : str, optional
        E-mail address for what is late.

    Returns
    -------
    str
        The token; only its hash is stored, so it is shown this once.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the principal does not look after accounts, or has to confirm first.
    InvalidInputError
        If login, label, role or address cannot be.
    ConflictError
        If login or label is taken.
    """
    require_manager(core, principal)
    login, label = normal_login(login), " ".join(label.split())
    _require_fields(login, label, role, team)
    address = normal_address(notify)
    token = new_token()

    def write(session: Session) -> None:
        if store.is_known(session, login=login) or store.find_label(session, label) is not None:
            message = "There is an account with this login or name already. Choose another."
            raise ConflictError(message)
        row = PrincipalRow(kind="staff", label=label, login=login, role=role, created_by=principal.id)
        row.notify_to = address
        row.team_id = team_number(session, core, principal, team)
        store.add(session, row)
        _invite(core, session, principal, row, token)
        record(session, core, principal, "account.make", subject=label, role_given=role)

    core.store.write(write)
    return token


def renew_invite(core: Core, principal: Principal, number: int) -> str:
    """Reset an account: password, app, recovery codes and sessions are gone at once; return the token of a new invite.

    Raises
    ------
    NotSignedInError, ForbiddenError
        As ``add_account``.
    NotFoundError
        If there is no such account, or it has ended.
    ConflictError
        If it is one's own: that would lock the last administrator out.
    """
    require_manager(core, principal)
    token = new_token()

    def write(session: Session) -> None:
        person = _require_other(session, principal, number)
        now = utc_now()
        person.password_hash = person.totp_sealed = person.oidc_subject = None
        person.failed_count, person.locked_until = 0, None
        store.put_recovery_codes(session, person.id, [])
        store.end_sessions(session, person.id, now)
        store.revoke_invites(session, person.id, now)
        _invite(core, session, principal, person, token)
        record(session, core, principal, "account.reset", subject=person.label)

    core.store.write(write)
    return token


def change_account(
    core: Core, principal: Principal, number: int, *, role: str, team: str | None, notify: str | None = None
) -> None:
    """Give an account another role, team or e-mail address; it holds from its next request.

    Without ``notify`` the address stays; an empty one takes it away.

    Raises
    ------
    NotSignedInError, ForbiddenError, NotFoundError, ConflictError
        As ``renew_invite``.
    InvalidInputError
        If there is no such role, the role needs a team, or the address is none.
    """
    require_manager(core, principal)
    _require_role(role, team)
    address = normal_address(notify)

    def write(session: Session) -> None:
        person = _require_other(session, principal, number)
        person.role, person.team_id = role, team_number(session, core, principal, team)
        if notify is not None:
            person.notify_to = address
        record(session, core, principal, "account.change", subject=person.label, role_given=role, team=person.team_id)

    core.store.write(write)


def end_account(core: Core, principal: Principal, number: int) -> None:
    """End an account for good: its sessions and invites too; what it did stays in the audit.

    Raises
    ------
    NotSignedInError, ForbiddenError, NotFoundError, ConflictError
        As ``renew_invite``.
    """
    require_manager(core, principal)

    def write(session: Session) -> None:
        person = _require_other(session, principal, number)
        now = utc_now()
        person.revoked_at = now
        person.password_hash = person.totp_sealed = person.oidc_subject = person.notify_to = None
        store.put_recovery_codes(session, person.id, [])
        store.end_sessions(session, person.id, now)
        store.revoke_invites(session, person.id, now)
        record(session, core, principal, "account.end", subject=person.label)

    core.store.write(write)


def end_sessions_of(core: Core, principal: Principal, number: int) -> int:
    """End every session of a colleague and return how many there were; that is never made to wait for a password.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the principal does not look after accounts.
    NotFoundError
        If there is no such account.
    """
    principal.require(Right.STAFF_MANAGE)

    def write(session: Session) -> int:
        person = store.find_principal(session, number, "staff")
        if person is None:
            raise _no_account()
        ended = store.end_sessions(session, person.id, utc_now(), but=principal.session_id)
        record(session, core, principal, "session.end-all", subject=person.label, rows=ended)
        return ended

    return core.store.write(write)


# --- taking an invite up ---------------------------------------------------------------------------------------------


def open_invite(core: Core, token: str) -> Enrolment:
    """Return what the holder of an invite needs to enrol; nothing is used up by looking.

    Raises
    ------
    NotFoundError
        If the invite is not known, or was used, revoked or has expired.
    """
    with core.store.read() as session:
        found = store.find_invite(session, hash_token(token), utc_now())
    if found is None:
        raise _no_invite()
    person = found[1]
    secret = second_factor.new_secret()
    sealed = core.encrypt(_purpose(token), secret.encode("ascii"))
    return enrolment(core, person, secret, sealed)


def enrolment(core: Core, person: PrincipalRow, secret: str, sealed: str) -> Enrolment:
    """Return what a page shows for enrolling this account with this secret."""
    address = second_factor.app_address(core, secret, person.login or person.label)
    return Enrolment(person.label, person.login or "", person.role, secret, sealed, address)


def same_enrolment(core: Core, token: str, sealed: str) -> Enrolment:
    """Return the enrolment that a page already showed, so that the app does not have to be set up twice.

    Raises
    ------
    NotFoundError
        If the invite is not known any more.
    InvalidInputError
        If the sealed secret is not of this invite.
    """
    fresh = open_invite(core, token)
    with core.store.read() as session:
        found = store.find_invite(session, hash_token(token), utc_now())
    if found is None:
        return fresh
    return enrolment(core, found[1], _unseal(core, token, sealed), sealed)


def accept_invite(core: Core, token: str, *, password: str, sealed: str, code: str) -> tuple[Principal, str, list[str]]:
    """Take an account up: password, app and recovery codes; the invite is used and a session starts.

    Returns
    -------
    principal : Principal
        Who it is now.
    token : str
        Of the session, for the cookie.
    codes : list of str
        The recovery codes; only their hashes are stored, so they are shown this once.

    Raises
    ------
    NotFoundError
        If the invite is not known, or was used, revoked or has expired.
    InvalidInputError
        If the password is weak or the code wrong.
    """
    now = utc_now()
    secret = _unseal(core, token, sealed)
    with core.store.read() as session:
        found = store.find_invite(session, hash_token(token), now)
    if found is None:
        raise _no_invite()
    require_good(password, found[1].login)
    step = require_code(secret, code, now)
    hashed, codes = hash_password(password), second_factor.new_recovery_codes()
    values = {"password_hash": hashed, "totp_sealed": _seal(core, secret), "totp_last_step": step}
    return (*_take_up(core, token, values, codes, now), codes)


def _take_up(core: Core, token: str, values: dict[str, Any], codes: list[str], now: datetime) -> tuple[Principal, str]:
    hashes = [second_factor.recovery_hash(core, one) for one in codes]

    def write(session: Session) -> tuple[Principal, str]:
        pair = store.find_invite(session, hash_token(token), now)
        if pair is None:
            raise _no_invite()
        invite, person = pair
        invite.used_at = now
        for name, value in values.items():
            setattr(person, name, value)
        person.failed_count, person.locked_until = 0, None
        store.put_recovery_codes(session, person.id, hashes)
        who = principal_of(person)
        record(session, core, who, "account.enrol")
        return who, open_session(core, session, person, now)

    return core.store.write(write)


def require_code(secret: str, code: str, now: datetime) -> int:
    """Return the step of the code that proves the app was set up.

    Raises
    ------
    InvalidInputError
        If the app is not set up for this secret.
    """
    step = second_factor.find_step(secret, code, None, now)
    if step is None:
        message = "The code does not fit. Scan the picture again, check the clock of your phone, and type the new code."
        raise InvalidInputError(message, errors=[FieldProblem(field="code", message=message)])
    return step


# --- one's own account -----------------------------------------------------------------------------------------------


def change_password(core: Core, principal: Principal, password: str) -> None:
    """Set a new password for one's own account; the other sessions end.

    Raises
    ------
    ConfirmFirstError
        If the old one was not given a short while ago.
    InvalidInputError
        If the new one is weak.
    NotFoundError
        If there is no account, only a key.
    """
    require_fresh(core, principal)
    with core.store.read() as session:
        person = store.find_active(session, principal.number or 0, utc_now())
    if person is None or person.password_hash is None or principal.is_key:
        raise _no_account()
    require_good(password, person.login)
    hashed = hash_password(password)

    def write(session: Session) -> None:
        row = store.lock_person(session, principal.number or 0, utc_now())
        if row is None:
            raise _no_account()
        row.password_hash = hashed
        store.end_sessions(session, row.id, utc_now(), but=principal.session_id)
        record(session, core, principal, "password.change")

    core.store.write(write)


def renew_recovery_codes(core: Core, principal: Principal) -> list[str]:
    """Make ten new recovery codes for one's own account; the old ones are worth nothing from now on.

    Raises
    ------
    ConfirmFirstError
        If password and code were not given a short while ago.
    NotFoundError
        If there is no account with an app.
    """
    require_fresh(core, principal)
    codes = second_factor.new_recovery_codes()
    hashes = [second_factor.recovery_hash(core, code) for code in codes]

    def write(session: Session) -> None:
        row = store.lock_person(session, principal.number or 0, utc_now())
        if row is None or row.totp_sealed is None:
            raise _no_account()
        store.put_recovery_codes(session, row.id, hashes)
        record(session, core, principal, "recovery.renew")

    core.store.write(write)
    return codes


def has_password(core: Core, principal: Principal) -> bool:
    """Return whether one's own account has a password, and is not only signed in elsewhere."""
    with core.store.read() as session:
        person = store.find_active(session, principal.number or 0, utc_now())
    return person is not None and person.password_hash is not None


def count_recovery_codes(core: Core, principal: Principal) -> int:
    """Return how many recovery codes one's own account has left."""
    with core.store.read() as session:
        return store.count_recovery_codes(session, principal.number or 0)


# --- shared ----------------------------------------------------------------------------------------------------------


def team_number(session: Session, core: Core, principal: Principal, name: str | None) -> int | None:
    """Return the number of a team, made if it is new; inside a write."""
    text = " ".join((name or "").split())
    if not text:
        return None
    team = store.find_team(session, text)
    if team is None:
        team = Team(name=text)
        store.add(session, team)
        record(session, core, principal, "team.make", subject=text)
    return team.id


def _invite(core: Core, session: Session, principal: Principal, person: PrincipalRow, token: str) -> None:
    ends = utc_now() + timedelta(hours=core.settings.staff_invite_hours)
    row = Invite(token_hash=hash_token(token), label=person.label, role=person.role, team_id=person.team_id)
    row.principal_id, row.created_by, row.expires_at = person.id, principal.id, ends
    store.add(session, row)


def _require_other(session: Session, principal: Principal, number: int) -> PrincipalRow:
    person = store.lock_person(session, number, utc_now())
    if person is None:
        raise _no_account()
    if person.id == principal.number:
        message = "This is your own account. Ask another administrator, so that there is always one left."
        raise ConflictError(message)
    return person


def _require_fields(login: str, label: str, role: str, team: str | None) -> None:
    problems = []
    if not LOGIN.fullmatch(login):
        words = "2 to 120 small letters, digits, and . _ @ + - in between."
        problems.append(FieldProblem(field="login", message=words))
    if not 1 <= len(label) <= LABEL_MAX:
        problems.append(FieldProblem(field="label", message=f"1 to {LABEL_MAX} characters."))
    if problems:
        message = "; ".join(f"{one.field}: {one.message}" for one in problems)
        raise InvalidInputError(f"This account cannot be made. {message}", errors=problems)
    _require_role(role, team)


def _require_role(role: str, team: str | None) -> None:
    if role not in STAFF_ROLES:
        message = f"There is no such role. Take one of {', '.join(STAFF_ROLES)}."
        raise InvalidInputError(message, errors=[FieldProblem(field="role", message=message)])
    if role == "youth_worker" and not (team or "").strip():
        message = "A youth worker needs a team: it says whose marks they see."
        raise InvalidInputError(message, errors=[FieldProblem(field="team", message=message)])


def _purpose(token: str) -> str:
    return f"enrol\0{hash_token(token)}"


def _seal(core: Core, secret: str) -> str:
    return core.encrypt(second_factor.PURPOSE, secret.encode("ascii"))


def _unseal(core: Core, token: str, sealed: str) -> str:
    try:
        return core.decrypt(_purpose(token), sealed).decode("ascii")
    except ValueError as error:
        message = "This page is too old. Open your invite link again."
        raise InvalidInputError(message, errors=[FieldProblem(field="code", message=message)]) from error


def _no_account() -> NotFoundError:
    return NotFoundError("There is no such account, or it has ended.")


def _no_invite() -> NotFoundError:
    return NotFoundError("This invite is not known here: it was used, taken back, or is too old. Ask for a new one.")
