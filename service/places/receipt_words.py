"""A receipt as words that can be read out: one short word a byte, so 128 bits are 16 words."""

from __future__ import annotations

import base64
import binascii
import re
from functools import cache
from pathlib import Path

SECRET_BYTES = 16


@cache
def plain_words() -> list[str]:
    """Return the 256 words; written by us for this project: short, plain, unlike each other, none unkind."""
    return (Path(__file__).parent / "receipt_words.txt").read_text(encoding="utf-8").split()


def to_words(secret: str) -> list[str] | None:
    """Return a 128-bit secret as 16 words; None where the device made a longer one."""
    data = _decode(secret)
    return [plain_words()[byte] for byte in data] if data is not None else None


def to_secret(typed: str) -> str:
    """Return the secret that somebody typed, pasted or said as words; anything else comes back as it is."""
    parts = [part for part in re.split(r"[\s,.]+", typed.strip().lower()) if part]
    if len(parts) != SECRET_BYTES:
        return typed.strip()
    index = {word: at for at, word in enumerate(plain_words())}
    if any(part not in index for part in parts):
        return typed.strip()
    return encode(bytes(index[part] for part in parts))


def encode(data: bytes) -> str:
    """Return bytes in base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decode(secret: str) -> bytes | None:
    try:
        data = base64.b64decode(secret + "=" * (-len(secret) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if len(data) == SECRET_BYTES and encode(data) == secret else None
