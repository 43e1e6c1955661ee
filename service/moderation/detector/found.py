"""What the detector says: a label on a piece of the text, how soon a person should look, words for people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """A label on the characters ``text[start:stop]`` of the text as it was given.

    Parameters
    ----------
    label : str
        One of ``LABELS``.
    start : int
        First character, counted from 0 in the original text.
    stop : int
        One after the last character.
    """

    label: str
    start: int
    stop: int


# Plain words for people, as a queue or a warning beside the text box shows them.
LABELS: dict[str, str] = {
    "disclosure": "Somebody may be hurt, scared of a person or made to do things",
    "self_harm": "Somebody may want to hurt themselves",
    "name": "A person's name",
    "phone": "A phone number",
    "handle": "A social media name",
    "e_mail": "An e-mail address",
    "address": "A home address or postcode",
    "plate": "A number plate",
    "weapon": "A weapon",
    "hate": "Hateful words, or hate that somebody met",
}

# 3: a lead looks at once; 2: before the rest; 1: something to take out before the words go anywhere.
_URGENCY: dict[str, int] = {"disclosure": 3, "self_harm": 3, "weapon": 2, "hate": 2} | dict.fromkeys(
    ("name", "phone", "handle", "e_mail", "address", "plate"), 1
)


def urgency(found: Iterable[Found]) -> int:
    """Return how soon a person should read a text with these findings.

    It orders a queue of texts that are all read by a person anyway: 0 is not "harmless", it is "nothing was found".

    Parameters
    ----------
    found : iterable of Found
        What ``detect`` returned for the text.

    Returns
    -------
    int
        0 nothing found, 1 something personal, 2 a weapon or hate, 3 at once: a disclosure or self-harm.

    Raises
    ------
    KeyError
        If a finding has a label that is not in ``LABELS``.
    """
    return max((_URGENCY[one.label] for one in found), default=0)
