"""The second factor: codes of an authenticator app, each good once, and recovery codes for the day it is lost."""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from typing import Any, Final

import pyotp
import segno

from service.core import Core

STEP_S: Final = 30
DIGITS: Final = 6
AROUND: Final = (0, -1, 1)  # a clock may be half a minute off
RECOVERY_CODES: Final = 10
LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is mistaken for another: 31 of them
RECOVERY_LETTERS: Final = 12  # 59 bits, and as a keyed hash in the store
PURPOSE: Final = "totp"


def new_secret() -> str:
    """Return a fresh secret of an authenticator app: 160 bits in base 32."""
    return pyotp.random_base32()


def app_address(core: Core, secret: str, login: str) -> str:
    """Return the ``otpauth://`` address that an authenticator app reads."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=f"Safer Places {core.area_name}")


def qr_svg(address: str) -> str:
    """Return the address as an SVG drawing to stand in a page."""
    drawn: Any = segno.make_qr(address, error="m")
    return str(
        drawn.svg_inline(scale=4, border=4, dark="#000", light="#fff", svgclass="qr", lineclass=None, omitsize=True)
    )


def find_step(secret: str, code: str, last_step: int | None, now: datetime) -> int | None:
    """Return the step of time that a code belongs to; None where it is wrong, or was used, or is older than that.

    Parameters
    ----------
    secret : str
        Of the account.
    code : str
        What was typed, six digits; spaces do not count.
    last_step : int or None
        Step of the last code that was taken: that one and those before it are used up.
    now : datetime
        The time, aware.
    """
    digits = re.sub(r"\s", "", code)
    if not (len(digits) == DIGITS and digits.isascii() and digits.isdigit()):
        return None
    here = int(now.timestamp()) // STEP_S
    totp = pyotp.TOTP(secret, interval=STEP_S)
    fits = [here + off for off in AROUND if pyotp.utils.strings_equal(totp.generate_otp(here + off), digits)]
    return next((step for step in fits if last_step is None or step > last_step), None)


def new_recovery_codes() -> list[str]:
    """Return ten fresh recovery codes as people write them: three groups of four letters."""
    made = ["".join(secrets.choice(LETTERS) for _ in range(RECOVERY_LETTERS)) for _ in range(RECOVERY_CODES)]
    return [f"{code[:4]}-{code[4:8]}-{code[8:]}" for code in made]


def recovery_hash(core: Core, code: str) -> str:
    """Return the stored form of a recovery code; spaces, dashes and case do not count."""
    return core.keyed_hash("recovery", re.sub(r"[\s-]", "", code).casefold())
