"""Accounts of staff for tests, made and taken up as people do it: invite, password, app, recovery codes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pyotp
from sqlalchemy import select

from service.core import Core
from service.people import workflow as people
from service.people.models import PrincipalRow, StaffSession

OURS = {"Origin": "http://testserver"}
PASSWORD = "otter lamp violet bridge"


@dataclass
class Staff:
    """Somebody with an account: what they type, and what is on their phone and on their paper."""

    login: str
    label: str
    secret: str
    session: str
    codes: list[str] = field(default_factory=list)

    def code(self, steps: int = 0) -> str:
        """Return what the app shows, so many steps of 30 seconds from now."""
        return pyotp.TOTP(self.secret).at(int(time.time()) + 30 * steps)

    def once(self) -> str:
        """Return a recovery code that was not used yet: an app shows one code a step, and tests are faster."""
        return self.codes.pop()


def enrol(core: Core, role: str, *, login: str = "", team: str | None = "North team") -> Staff:
    """Make an account and take it up."""
    login = login or f"{role}@example.org"
    token = people.add_account(core, people.OPERATOR, login=login, label=f"Staff {login}", role=role, team=team)
    return take_up(core, token, login)


def take_up(core: Core, token: str, login: str) -> Staff:
    """Take an account up with the token of its invite."""
    opened = people.open_invite(core, token)
    code = pyotp.TOTP(opened.secret).now()
    _, session, codes = people.accept_invite(core, token, password=PASSWORD, sealed=opened.sealed, code=code)
    return Staff(login, opened.label, opened.secret, session, codes)


def sign_in(client: Any, who: Staff, **changed: str) -> Any:
    """Send the form of the sign-in page."""
    data = {"login": who.login, "password": PASSWORD} | changed
    if "code" not in data:
        data["code"] = who.once()
    return client.post("/sign-in", data=data, headers=OURS, follow_redirects=False)


def confirm(client: Any, who: Staff, **changed: str) -> Any:
    """Send the form that asks for password and code again."""
    data = {"password": PASSWORD} | changed
    if "code" not in data:
        data["code"] = who.once()
    return client.post("/staff/confirm", data=data, headers=OURS, follow_redirects=False)


def age(core: Core, who: Staff, *columns: str, **by: float) -> None:
    """Move times of every session of somebody into the past, as if so much time had gone by."""

    def write(session: Any) -> None:
        number = session.scalar(select(PrincipalRow.id).where(PrincipalRow.login == who.login))
        for row in session.scalars(select(StaffSession).where(StaffSession.principal_id == number)):
            for column in columns:
                setattr(row, column, getattr(row, column) - timedelta(**by))

    core.store.write(write)


def row_of(core: Core, who: Staff) -> PrincipalRow:
    """Return the stored row of an account."""
    with core.store.read() as session:
        return session.scalars(select(PrincipalRow).where(PrincipalRow.login == who.login)).one()
