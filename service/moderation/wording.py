"""The wording check (E2): words that published text avoids, with the reason and a better one."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from service.errors import FieldProblem

LIST = "wording.toml"  # data of service/web: pages, reasons and published text are held to the same list


@dataclass(frozen=True, slots=True)
class Wording:
    """A word of the list that a text holds.

    Parameters
    ----------
    said : str
        As it stands in the text.
    instead : str
        What to write.
    why : str
        The reason.
    start, stop : int
        Characters ``text[start:stop]``.
    """

    said: str
    instead: str
    why: str
    start: int
    stop: int


def wording_problems(text: str | None, field: str) -> list[FieldProblem]:
    """Return what to change in a text before it is published, as refusals of a field."""
    return [
        FieldProblem(field=field, message=f"'{one.said}': write {one.instead}. {one.why}")
        for one in check_wording(text)
    ]


def check_wording(text: str | None) -> list[Wording]:
    """Return the words of the list that a text holds, in the order of the text.

    Parameters
    ----------
    text : str or None
        Words that staff wrote to be published.

    Returns
    -------
    list of Wording
        Empty where nothing is to be changed. Where a longer expression holds a shorter one, the longer is named.
    """
    found = [
        Wording(match.group(), instead, why, match.start(), match.end())
        for pattern, instead, why in _rules()
        for match in pattern.finditer(text or "")
    ]
    kept: list[Wording] = []
    for one in sorted(found, key=lambda one: (one.start, -one.stop)):
        if not kept or one.start >= kept[-1].stop:
            kept.append(one)
    return kept


@cache
def _rules() -> list[tuple[re.Pattern[str], str, str]]:
    data = tomllib.loads(resources.files("service.web").joinpath(LIST).read_text(encoding="utf-8"))
    return [
        (re.compile(rf"\b(?:{rule['words']})\b", re.IGNORECASE), rule["instead"], rule["why"]) for rule in data["avoid"]
    ]
