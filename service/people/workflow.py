"""Staff keys and page sessions: who is this, and for how long."""

from __future__ import annotations

import hashlib
import hmac
import logging

from itsdangerous import BadSignature, URLSafeTimedSerializer

from service.core import Core
from service.errors import NotSignedInError
from service.people.access import Principal
from service.settings import StaffKey

AUDIT = logging.getLogger("safer_places.audit")
FINGERPRINT = 16  # characters of the key's hash in the session: a changed key ends the sessions of the old one


def principal_of_key(core: Core, key: str) -> Principal:
    """Return the holder of a staff key.

    Raises
    ------
    NotSignedInError
        If nobody holds it.
    """
    staff = _find_key(core, key)
    if staff is None:
        AUDIT.warning("sign-in.refused")
        message = "The staff key is not known here. Check it, or leave it out."
        raise NotSignedInError(message)
    return Principal(staff.id, staff.role)


def start_session(core: Core, key: str) -> tuple[Principal, str]:
    """Return the holder of a staff key and the signed cookie of a page session.

    Raises
    ------
    NotSignedInError
        If nobody holds it.
    """
    principal = principal_of_key(core, key)
    staff = next(staff for staff in core.settings.staff_keys if staff.id == principal.id)
    AUDIT.info("sign-in", extra={"principal": principal.id, "role": principal.role})
    return principal, _signer(core).dumps([staff.id, staff.sha256[:FINGERPRINT]])


def principal_of_session(core: Core, cookie: str) -> Principal | None:
    """Return who a page session belongs to; None once it is over, forged, or its key was taken out of the settings."""
    try:
        identifier, fingerprint = _signer(core).loads(cookie, max_age=core.settings.staff_session_minutes * 60)
    except (BadSignature, ValueError, TypeError):
        return None
    for staff in core.settings.staff_keys:
        if staff.id == identifier and hmac.compare_digest(staff.sha256[:FINGERPRINT], fingerprint):
            return Principal(staff.id, staff.role)
    return None


def _find_key(core: Core, key: str) -> StaffKey | None:
    digest = hashlib.sha256(key.strip().encode("utf-8", "surrogatepass")).hexdigest()
    return next((staff for staff in core.settings.staff_keys if hmac.compare_digest(staff.sha256, digest)), None)


def _signer(core: Core) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(core.secret, salt="staff-session")
