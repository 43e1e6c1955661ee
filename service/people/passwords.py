"""Passwords: the rules for a new one, and argon2id for the stored form."""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib import resources
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from service.errors import FieldProblem, InvalidInputError

SHORTEST: Final = 12
LONGEST: Final = 200
FEWEST_DIFFERENT: Final = 5  # letters of which it is made
# Argon2id with 19 MiB, two passes, one lane: OWASP's password storage sheet; 60 colleagues at nine o'clock still fit.
HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def hash_password(password: str) -> str:
    """Return the stored form of a password."""
    return HASHER.hash(_plain(password))


def is_password(stored: str | None, password: str) -> bool:
    """Return whether this is the password; as slow for an account that is not there as for one that is.

    Parameters
    ----------
    stored : str or None
        Stored form; None where there is no account or it has no password.
    password : str
        What was typed.
    """
    try:
        HASHER.verify(stored or _of_nobody(), _plain(password))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def needs_new_hash(stored: str) -> bool:
    """Return whether the stored form was made with weaker parameters than today's."""
    return HASHER.check_needs_rehash(stored)


def require_good(password: str, login: str | None) -> None:
    """Raise unless a new password is long, not one that everybody tries, and not the login.

    Raises
    ------
    InvalidInputError
        Saying what to do; it never repeats the password.
    """
    text = _plain(password).casefold()
    if not SHORTEST <= len(text) <= LONGEST:
        problem = f"Use {SHORTEST} to {LONGEST} characters. Four words that do not belong together are a good password."
    elif len(set(text)) < FEWEST_DIFFERENT or text in _common() or text.rstrip("0123456789!?.") in _common():
        problem = "Many people try this one first. Choose another; four words that do not belong together are good."
    elif login and (login.casefold() in text or text in login.casefold()):
        problem = "It holds your login. Choose one without it."
    else:
        return
    raise InvalidInputError(problem, errors=[FieldProblem(field="password", message=problem)])


def _plain(password: str) -> str:
    return unicodedata.normalize("NFC", password)


@cache
def _of_nobody() -> str:
    return HASHER.hash("the password of nobody")


@cache
def _common() -> frozenset[str]:
    text = resources.files("service.people").joinpath("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))
