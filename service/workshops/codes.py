"""Join codes: three plain words that can be said aloud, read from a wall and typed in any way (X4, A5)."""

from __future__ import annotations

import re
import secrets
from typing import Final

from service.core import Core
from service.places.workflow import plain_words

WORDS_IN_CODE: Final = 3  # of 256 words each: 24 bits, tried at most a few times a minute
TELLING: Final = 3  # letters by which a word of the list differs from every other


def make_code() -> str:
    """Return a fresh code: three different words, joined by hyphens."""
    return "-".join(secrets.SystemRandom().sample(plain_words(), WORDS_IN_CODE))


def read_code(typed: str) -> str | None:
    """Return the code that somebody typed; None where it cannot be one.

    Capitals, blanks, hyphens and commas do not matter, and a word counts from its first three letters.

    Parameters
    ----------
    typed : str
        What came from a form.

    Returns
    -------
    str or None
        The code as ``make_code`` writes it.
    """
    parts = [part for part in re.split(r"[^a-z]+", typed.lower()) if part]
    if len(parts) == 1:
        parts = _cut(parts[0])
    if len(parts) != WORDS_IN_CODE:
        return None
    by_start = {word[:TELLING]: word for word in plain_words()}
    words = [by_start.get(part[:TELLING]) for part in parts]
    return "-".join(word for word in words if word) if all(words) else None


def code_hash(core: Core, code: str) -> str:
    """Return the stored form of a code; without the deployment's secret it cannot be tried out."""
    return core.keyed_hash("join-code", code)


def _cut(letters: str) -> list[str]:
    """Return the words of a code that was typed without a gap."""
    known = frozenset(plain_words())
    for first in range(TELLING, len(letters)):
        for second in range(first + TELLING, len(letters)):
            parts = [letters[:first], letters[first:second], letters[second:]]
            if known.issuperset(parts):
                return parts
    return []
