"""What the forms of staff send: accounts, API keys, and the filter of the audit."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field

from service.people.access import Right

LABEL_MAX = 120
DAYS_MAX = 730
AGREEMENT_MAX = 60

Words = Annotated[str, Field(max_length=300)]
Day = Annotated[date | None, BeforeValidator(lambda text: text or None)]


class AccountForm(BaseModel):
    """A new account."""

    login: Words = ""
    label: Words = ""
    role: Words = ""
    team: Words = ""
    notify: Words = ""


class ChangeForm(BaseModel):
    """A change of an account."""

    number: int = Field(ge=1, le=2**53)
    role: Words = ""
    team: Words = ""
    notify: Words = ""


class KeyForm(BaseModel):
    """A new API key."""

    label: Words = ""
    role: Words = ""
    team: Words = ""
    days: int = Field(default=365, ge=1, le=DAYS_MAX)
    agreement: str = Field(default="", max_length=AGREEMENT_MAX)
    scopes: list[str] = Field(default=[], max_length=len(Right))


class AuditQuery(BaseModel):
    """Which acts are asked for; what is empty does not narrow."""

    actor: str = Field(default="", max_length=120)
    act: str = Field(default="", max_length=60)  # the beginning of it, such as ``place.``
    subject: str = Field(default="", max_length=120)
    since: Day = None
    until: Day = None
    before: int | None = Field(default=None, ge=1, le=2**53)
