"""API keys: made with a role, scopes, an end and perhaps an agreement; shown once, kept as a hash, revoked."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy.orm import Session

from service.core import Core
from service.errors import ConflictError, FieldProblem, InvalidInputError, NotFoundError, NotSignedInError
from service.people import store
from service.people.access import OPERATOR, PUBLIC, RIGHTS, STAFF_ROLES, Principal, Right
from service.people.accounts import require_manager, team_number
from service.people.audit import record
from service.people.models import PrincipalRow
from service.people.schemas import AGREEMENT_MAX, DAYS_MAX, LABEL_MAX, KeyForm
from service.people.sessions import hash_token, principal_of
from service.store.base import utc_now

KEY_BYTES: Final = 32
NOT_FOR_KEYS: Final = frozenset({Right.STAFF_MANAGE})  # accounts are looked after by people


@dataclass(frozen=True, slots=True)
class Key:
    """An API key as administrators see it, with the name of its team and whether it still works."""

    row: PrincipalRow
    team: str
    state: str  # active, expired, revoked


def hash_key(key: str) -> str:
    """Return the stored form of a key; the key itself has 256 random bits, so that no salt is needed."""
    return hash_token(key)


def make_key(core: Core, *, label: str, role: str, team: str | None = None, days: int = 365) -> str:
    """Make an API key for the operator, for all that its role may; see ``add_key``."""
    return add_key(core, OPERATOR, KeyForm.model_construct(label=label, role=role, team=team or "", days=days))


def add_key(core: Core, principal: Principal, form: KeyForm) -> str:
    """Make an API key and return it; only its hash is stored, so it is shown this once.

    Parameters
    ----------
    core : Core
        The deployment.
    principal : Principal
        Who makes it; ``OPERATOR`` for the command line.
    form : KeyForm
        How it is called, its role and team, the days until it expires, the rights that it is held to (all of its role
        where none is named), and the agreement under which it may read exact places (L8).

    Returns
    -------
    str
        The key.

    Raises
    ------
    NotSignedInError, ForbiddenError, ConfirmFirstError
        If the principal does not look after keys, or has to confirm first.
    InvalidInputError
        If label, role, scopes, days or agreement cannot be.
    ConflictError
        If the label is taken.
    """
    require_manager(core, principal)
    label, agreement = " ".join(form.label.split()), " ".join(form.agreement.split())
    scopes = _require_fields(label, form, agreement)
    role, ends = form.role, utc_now() + timedelta(days=form.days)
    key = f"sp_{secrets.token_urlsafe(KEY_BYTES)}"

    def write(session: Session) -> None:
        if store.find_label(session, label) is not None:
            message = f"There is a key or account called {label} already. Choose another name."
            raise ConflictError(message)
        row = PrincipalRow(kind="api_key", label=label, role=role, secret_hash=hash_key(key), scopes=scopes)
        row.team_id = team_number(session, core, principal, form.team)
        row.expires_at, row.agreement_id, row.created_by = ends, agreement or None, principal.id
        store.add(session, row)
        record(session, core, principal, "key.make", subject=label, role_given=role, agreement=agreement or None)

    core.store.write(write)
    return key


def _require_fields(label: str, form: KeyForm, agreement: str) -> list[str]:
    role, scopes = form.role, sorted(set(form.scopes))
    problems: list[tuple[str, str]] = []
    if not 1 <= len(label) <= LABEL_MAX:
        problems.append(("label", f"A key needs a name of up to {LABEL_MAX} characters."))
    if role not in STAFF_ROLES:
        problems.append(("role", f"There is no role {role}. Take one of {', '.join(STAFF_ROLES)}."))
    elif beyond := sorted(set(scopes) - {str(right) for right in key_rights(role)}):
        problems.append(("scopes", f"The role {role.replace('_', ' ')} may not: {', '.join(beyond)}. Untick it."))
    if not 1 <= form.days <= DAYS_MAX:
        problems.append(("days", f"A key lasts 1 to {DAYS_MAX} days."))
    if len(agreement) > AGREEMENT_MAX:
        problems.append(("agreement", f"The id of an agreement has up to {AGREEMENT_MAX} characters."))
    if problems:
        listed = [FieldProblem(field=field, message=message) for field, message in problems]
        raise InvalidInputError(" ".join(message for _, message in problems), errors=listed)
    return scopes


def key_rights(role: str) -> list[Right]:
    """Return the rights that a key of a role can be held to, in the order of the table."""
    return [right for right in Right if right in RIGHTS.get(role, frozenset()) and right not in NOT_FOR_KEYS]


def list_keys(core: Core, principal: Principal) -> list[Key]:
    """Return every API key, by name; never the key itself, which nobody has.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the principal does not look after keys.
    """
    if principal != OPERATOR:
        principal.require(Right.STAFF_MANAGE)
    now = utc_now()
    with core.store.read() as session:
        rows = store.read_principals(session, "api_key")
    found = []
    for row, team in rows:
        state = "expired" if row.expires_at is not None and row.expires_at <= now else "active"
        found.append(Key(row, team or "", "revoked" if row.revoked_at is not None else state))
    return found


def revoke_key(core: Core, principal: Principal, number: int) -> None:
    """Make a key useless from its next request on; that is never made to wait for a password.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the principal does not look after keys.
    NotFoundError
        If there is no such key.
    """
    if principal != OPERATOR:
        principal.require(Right.STAFF_MANAGE)

    def write(session: Session) -> None:
        row = store.find_principal(session, number, "api_key")
        if row is None:
            message = "There is no such key."
            raise NotFoundError(message)
        if row.revoked_at is None:
            row.revoked_at = utc_now()
            record(session, core, principal, "key.revoke", subject=row.label)

    core.store.write(write)


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
        core.store.write(lambda session: record(session, core, PUBLIC, "key.refused"))
        message = "The staff key is not known here. Check it, or leave it out."
        raise NotSignedInError(message)
    if row.last_used_on != now.date():
        core.store.write(lambda session: store.note_use(session, row.id, now.date()))
    return principal_of(row)
