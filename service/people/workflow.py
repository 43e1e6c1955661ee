"""Staff keys and page sessions: who is this, and for how long."""

from __future__ import annotations

import hashlib
import logging
import secrets
from datetime import timedelta
from typing import Final

from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy.orm import Session

from service.core import Core
from service.errors import ConflictError, FieldProblem, InvalidInputError, NotSignedInError
from service.people import store
from service.people.access import RIGHTS, Principal
from service.people.audit import record
from service.people.models import PrincipalRow, Team
from service.store.base import utc_now

AUDIT = logging.getLogger("safer_places.audit")
KEY_BYTES: Final = 32
LOCAL: Final = Principal("command-line", "operator")  # whoever may read the data folder
STAFF_ROLES: Final = tuple(role for role in RIGHTS if role not in {"public", "demo"})


def make_key(core: Core, *, label: str, role: str, team: str | None = None, days: int = 365) -> str:
    """Make an API key and return it; only its hash is stored, so it is shown this once.

    Parameters
    ----------
    core : Core
        The deployment.
    label : str
        How the key is called in lists and in the audit.
    role : str
        The role that it acts in.
    team : str, optional
        Name of the team; made if it is new.
    days : int
        Days until it expires.

    Returns
    -------
    str
        The key.

    Raises
    ------
    InvalidInputError
        If there is no such role.
    ConflictError
        If the label is taken.
    """
    if role not in STAFF_ROLES:
        message = f"There is no role {role}. Take one of {', '.join(STAFF_ROLES)}."
        raise InvalidInputError(message, errors=[FieldProblem(field="role", message=message)])
    key = f"sp_{secrets.token_urlsafe(KEY_BYTES)}"

    def write(session: Session) -> None:
        if store.find_label(session, label) is not None:
            message = f"There is a key or account called {label} already. Choose another name."
            raise ConflictError(message)
        row = PrincipalRow(kind="api_key", label=label, role=role, secret_hash=hash_key(key))
        row.team_id = _team_id(session, team)
        row.expires_at = utc_now() + timedelta(days=days)
        row.created_by = LOCAL.id
        session.add(row)
        record(session, core, LOCAL, "key.make", subject=label, role=role)

    core.store.write(write)
    return key


def hash_key(key: str) -> str:
    """Return the stored form of a key; the key itself has 256 random bits, so that no salt is needed."""
    return hashlib.sha256(key.strip().encode("utf-8", "surrogatepass")).hexdigest()


def principal_of_key(core: Core, key: str) -> Principal:
    """Return the holder of a staff key.

    Raises
    ------
    NotSignedInError
        If nobody holds it, or it is expired or revoked.
    """
    now = utc_now()
    with core.store.read() as session:
        row = store.find_by_key(session, hash_key(key), now)
    if row is None:
        AUDIT.warning("sign-in.refused")
        message = "The staff key is not known here. Check it, or leave it out."
        raise NotSignedInError(message)
    if row.last_used_on != now.date():
        core.store.write(lambda session: store.note_use(session, row.id, now.date()))
    return _principal(row)


def start_session(core: Core, key: str) -> tuple[Principal, str]:
    """Return the holder of a staff key and the signed cookie of a page session.

    Raises
    ------
    NotSignedInError
        If nobody holds it.
    """
    principal = principal_of_key(core, key)
    core.store.write(lambda session: record(session, core, principal, "sign-in"))
    return principal, _signer(core).dumps(principal.number)


def principal_of_session(core: Core, cookie: str) -> Principal | None:
    """Return who a page session belongs to; None once it is over, forged, or its key was revoked."""
    try:
        number = _signer(core).loads(cookie, max_age=core.settings.staff_session_minutes * 60)
    except (BadSignature, ValueError, TypeError):
        return None
    if not isinstance(number, int):
        return None
    with core.store.read() as session:
        row = store.find_active(session, number, utc_now())
    return _principal(row) if row is not None else None


def _principal(row: PrincipalRow) -> Principal:
    return Principal(row.label, row.role, row.id, row.team_id, frozenset(row.scopes) if row.scopes else None)


def _team_id(session: Session, name: str | None) -> int | None:
    if name is None:
        return None
    team = store.find_team(session, name)
    if team is None:
        team = Team(name=name)
        session.add(team)
        session.flush()
    return team.id


def _signer(core: Core) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(core.secret, salt="staff-session")
