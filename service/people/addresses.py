"""Where e-mails about late marks go: an address of the work kind, kept with the account, told to no log."""

from __future__ import annotations

import re
from typing import Final

from sqlalchemy.orm import Session

from service.core import Core
from service.errors import FieldProblem, InvalidInputError, NotFoundError
from service.people import store
from service.people.access import Principal
from service.people.audit import record
from service.people.sessions import require_fresh
from service.store.base import utc_now

ADDRESS_MAX: Final = 200
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def normal_address(typed: str | None) -> str | None:
    """Return an e-mail address as it is stored, or None where none was given.

    Raises
    ------
    InvalidInputError
        If it is no address; what was typed is not repeated.
    """
    address = (typed or "").strip()
    if not address:
        return None
    if len(address) <= ADDRESS_MAX and _ADDRESS.fullmatch(address):
        return address
    message = "This is not an e-mail address. Type one such as name@example.org, or leave it empty."
    raise InvalidInputError(message, errors=[FieldProblem(field="notify", message=message)])


def own_address(core: Core, principal: Principal) -> str:
    """Return where e-mails to the caller's own account go; nothing where there is none."""
    with core.store.read() as session:
        person = store.find_active(session, principal.number or 0, utc_now())
    return (person.notify_to or "") if person is not None and not principal.is_key else ""


def change_own_address(core: Core, principal: Principal, address: str) -> None:
    """Say where e-mails to one's own account go.

    Raises
    ------
    ConfirmFirstError
        If password and code were not given a short while ago.
    InvalidInputError
        If it is no address.
    NotFoundError
        If there is no account, only a key.
    """
    require_fresh(core, principal)
    fresh = normal_address(address)

    def write(session: Session) -> None:
        row = store.lock_person(session, principal.number or 0, utc_now())
        if row is None or principal.is_key:
            message = "There is no such account. A key has no e-mail address."
            raise NotFoundError(message)
        row.notify_to = fresh
        record(session, core, principal, "address.change", has_address=fresh is not None)

    core.store.write(write)
