"""Sign-in with login, password and code: one answer and one duration for whatever was wrong, and a back-off."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from service.core import Core
from service.errors import NotSignedInError
from service.people import second_factor, store
from service.people.access import PUBLIC, Principal
from service.people.audit import record
from service.people.models import PrincipalRow
from service.people.passwords import hash_password, is_password, needs_new_hash
from service.people.sessions import open_session, principal_of
from service.store.base import utc_now

WRONG: Final = (
    "That did not work. Check your login, your password and the code, then try again. After a few wrong tries an "
    "account rests for a minute, then for longer: wait, or ask whoever looks after the accounts."
)


def sign_in(core: Core, login: str, password: str, code: str) -> tuple[Principal, str]:
    """Check login, password and code together and start a session.

    Parameters
    ----------
    core : Core
        The deployment.
    login, password : str
        As typed.
    code : str
        Six digits of the authenticator app, or a recovery code.

    Returns
    -------
    principal : Principal
        Who it is.
    token : str
        For the cookie.

    Raises
    ------
    NotSignedInError
        In the same words and after the same time whichever of them was wrong, no such account is there, or it rests.
    """
    now = utc_now()
    with core.store.read() as session:
        row = store.find_login(session, normal_login(login), now)
    return _check(core, row, (password, code), now, act="sign-in")


def confirm(core: Core, principal: Principal, password: str, code: str) -> str:
    """Check password and code once more (X5); the session it came with ends and a fresh one takes its place.

    Raises
    ------
    NotSignedInError
        If one of them is wrong, or the account rests.
    """
    now = utc_now()
    with core.store.read() as session:
        row = store.find_active(session, principal.number or 0, now)
    _, token = _check(core, row, (password, code), now, act="session.confirm", instead=principal.session_id)
    return token


def normal_login(login: str) -> str:
    """Return a login as it is stored."""
    return login.strip().casefold()


def _check(
    core: Core, row: PrincipalRow | None, given: tuple[str, str], now: datetime, *, act: str, instead: int | None = None
) -> tuple[Principal, str]:
    password, code = given
    usable = row is not None and (row.locked_until is None or row.locked_until <= now)
    is_right = is_password(row.password_hash if row is not None and usable else None, password)
    weaker = is_right and row is not None and row.password_hash is not None and needs_new_hash(row.password_hash)
    rehashed = hash_password(password) if weaker else None

    def write(session: Session) -> tuple[Principal, str] | None:
        person = store.lock_person(session, row.id, now) if row is not None else None
        if person is not None and is_right and use_code(core, session, person, code, now):
            person.failed_count, person.locked_until = 0, None
            person.password_hash = rehashed or person.password_hash
            store.end_one_session(session, instead, now)
            token = open_session(core, session, person, now)
            who = principal_of(person)
            record(session, core, who, act)
            return who, token
        if person is not None and usable:
            count_failure_of(core, person, now)
        record(session, core, PUBLIC, f"{act}.refused", subject=person.label if person is not None else "")
        return None

    found = core.store.write(write)
    if found is None:
        raise NotSignedInError(WRONG)
    return found


def use_code(core: Core, session: Session, person: PrincipalRow, code: str, now: datetime) -> bool:
    """Return whether a code is right, and use it up: inside the write, so that two requests cannot share one."""
    if person.totp_sealed is None:
        return False
    secret = core.decrypt(second_factor.PURPOSE, person.totp_sealed).decode("ascii")
    step = second_factor.find_step(secret, code, person.totp_last_step, now)
    if step is not None:
        person.totp_last_step = step
        return True
    return store.use_recovery_code(session, person.id, second_factor.recovery_hash(core, code), now)


def count_failure_of(core: Core, person: PrincipalRow, now: datetime) -> None:
    """Count a wrong try; from the set number on the account rests, twice as long each time."""
    person.failed_count += 1
    over = person.failed_count - core.settings.sign_in_tries
    if over >= 0:
        longest = core.settings.sign_in_rest_minutes_max
        person.locked_until = now + timedelta(minutes=min(2 ** min(over, 16), longest))
