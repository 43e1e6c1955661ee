"""Sessions of staff: a random token in a cookie, short, rotated, revocable, confirmed again before an export (X5)."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from service.core import Core
from service.errors import ConfirmFirstError, NotFoundError
from service.people import store
from service.people.access import Principal
from service.people.audit import record
from service.people.models import PrincipalRow, StaffSession
from service.store.base import utc_now

TOKEN_BYTES: Final = 32
GRACE: Final = timedelta(seconds=60)  # the token before is still good for what was on its way
KEPT: Final = timedelta(days=30)  # a session that ended; the audit holds what was done in it
TOUCH: Final = timedelta(seconds=60)  # how exactly the last use is known: one write a minute at most


@dataclass(frozen=True, slots=True)
class Found:
    """Who a token belongs to, and the token that takes its place from now on, if any."""

    principal: Principal
    new_token: str | None


def hash_token(token: str) -> str:
    """Return the stored form of a random secret; it has 256 bits, so that no salt is needed."""
    return hashlib.sha256(token.strip().encode("utf-8", "surrogatepass")).hexdigest()


def new_token() -> str:
    """Return a fresh secret of 256 bits."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def principal_of(row: PrincipalRow) -> Principal:
    """Return who acts as this row."""
    scopes = frozenset(row.scopes) if row.scopes else None
    is_key = row.kind == "api_key"
    return Principal(row.label, row.role, row.id, row.team_id, scopes, is_key=is_key, agreement_id=row.agreement_id)


def open_session(core: Core, session: Session, person: PrincipalRow, now: datetime) -> str:
    """Add a session inside the caller's write and return its token; password and code were given just now."""
    store.delete_old_sessions(session, now - KEPT)
    token = new_token()
    ends = now + timedelta(hours=core.settings.staff_session_hours)
    row = StaffSession(principal_id=person.id, token_hash=hash_token(token), expires_at=ends, confirmed_at=now)
    row.created_at = row.seen_at = row.rotated_at = now
    store.add(session, row)
    return token


def find_session(core: Core, token: str, *, is_use: bool = True) -> Found | None:
    """Return who the token of a cookie belongs to; None once the session ended, idled too long, or was revoked.

    What a page asks by itself, again and again, is no use of the session (``is_use``): it would never idle.
    """
    now, digest = utc_now(), hash_token(token)
    idle = timedelta(minutes=core.settings.staff_session_minutes)
    with core.store.read() as session:
        pair = store.find_session(session, digest, now, now - idle)
    if pair is None:
        return None
    row, person = pair
    if not is_use:
        return Found(replace(principal_of(person), session_id=row.id, confirmed_at=row.confirmed_at), None)
    if row.token_hash != digest and now - row.rotated_at > GRACE:
        fresh = _renew(core, row.id, digest, now)  # its successor never reached the browser
    elif row.token_hash == digest and now - row.seen_at > TOUCH:
        fresh = _renew(core, row.id, digest, now)
    else:
        fresh = None
    who = replace(principal_of(person), session_id=row.id, confirmed_at=row.confirmed_at)
    return Found(who, fresh)


def _renew(core: Core, number: int, digest: str, now: datetime) -> str | None:
    """Note the use of a session, and give it a new token where the old one has served long enough."""
    rotate = timedelta(minutes=core.settings.staff_rotate_minutes)

    def write(session: Session) -> str | None:
        row = store.lock_session(session, number)
        if row is None:
            return None
        row.seen_at = now
        lost = row.token_hash != digest and now - row.rotated_at > GRACE
        if not lost and now - row.rotated_at < rotate:
            if row.token_hash == digest and now - row.rotated_at > GRACE:
                row.previous_hash = None  # the browser has the new one
            return None
        token = new_token()
        row.previous_hash, row.token_hash, row.rotated_at = digest, hash_token(token), now
        return token

    return core.store.write(write)


def require_fresh(core: Core, principal: Principal) -> None:
    """Raise unless password and code were given in this session a short while ago; before anything like an export.

    A program's key is held to its agreement instead, and the demo has nothing to protect.

    Raises
    ------
    ConfirmFirstError
        If they have to be given again; a browser is sent to the page that asks.
    """
    if principal.session_id is None:
        return
    limit = timedelta(minutes=core.settings.staff_confirm_minutes)
    if principal.confirmed_at is None or utc_now() - principal.confirmed_at > limit:
        message = "Give your password and a code again first: this takes exact data out of the service."
        raise ConfirmFirstError(message)


def list_sessions(core: Core, principal: Principal) -> list[StaffSession]:
    """Return the open sessions of the one who asks, the newest first."""
    idle = timedelta(minutes=core.settings.staff_session_minutes)
    now = utc_now()
    with core.store.read() as session:
        return store.read_sessions(session, principal.number or 0, now, now - idle)


def end_session(core: Core, principal: Principal, number: int) -> None:
    """End one of one's own sessions.

    Raises
    ------
    NotFoundError
        If it is not one's own, or has ended.
    """

    def write(session: Session) -> None:
        row = store.lock_session(session, number)
        if row is None or row.principal_id != principal.number or row.revoked_at is not None:
            message = "This session has ended already."
            raise NotFoundError(message)
        row.revoked_at = utc_now()
        record(session, core, principal, "session.end", subject=principal.id)

    core.store.write(write)


def sign_out(core: Core, principal: Principal) -> None:
    """End the session that the request came with, if it came with one."""
    if principal.session_id is None:
        return

    def write(session: Session) -> None:
        row = store.lock_session(session, principal.session_id or 0)
        if row is not None and row.revoked_at is None:
            row.revoked_at = utc_now()
            record(session, core, principal, "sign-out")

    core.store.write(write)
