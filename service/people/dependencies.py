"""The ``Principal`` of a request: a staff key in the header, a staff session in the cookie, the demo, or the public."""

from __future__ import annotations

import hashlib
import hmac
from typing import Annotated

from fastapi import Depends, Request

from service.errors import NotSignedInError
from service.people.access import DEMO, PUBLIC, Principal
from service.web.dependencies import CoreDep


def get_principal(request: Request, core: CoreDep) -> Principal:
    """Return who asks.

    Raises
    ------
    NotSignedInError
        If a key was sent that nobody holds; a wrong key never falls back to the public view.
    """
    header = request.headers.get("authorization", "")
    principal = _by_key(core, header) if header else DEMO if core.is_demo else PUBLIC
    request.state.principal = principal
    return principal


def _by_key(core: CoreDep, header: str) -> Principal:
    scheme, _, key = header.partition(" ")
    digest = hashlib.sha256(key.strip().encode()).hexdigest()
    for staff in core.settings.staff_keys:
        if scheme.lower() == "bearer" and hmac.compare_digest(staff.sha256, digest):
            return Principal(staff.id, staff.role)
    message = "The staff key is not known here. Check it, or leave the header out."
    raise NotSignedInError(message)


PrincipalDep = Annotated[Principal, Depends(get_principal)]
