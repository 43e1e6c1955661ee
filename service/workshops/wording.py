"""What the writer of words is told before they are sent; found on our own server, kept nowhere (S3)."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Final

PERSONAL: Final = frozenset({"name", "phone", "handle", "e_mail", "address", "plate"})
HELP: Final = frozenset({"disclosure", "self_harm"})
DETECTOR: Final = "service.moderation.detector"


@dataclass(slots=True)
class Marked:
    """What stands out in some texts.

    Attributes
    ----------
    personal : list of str
        Words that may tell who somebody is, as they were typed.
    help : bool
        Whether somebody may be at risk.
    """

    personal: list[str] = field(default_factory=list)
    help: bool = False


def check_words(texts: Sequence[str]) -> Marked:
    """Return what the local detector marks; it warns the writer and decides nothing.

    Parameters
    ----------
    texts : sequence of str
        As they were typed.

    Returns
    -------
    Marked
        Empty where no detector is installed.
    """
    detector = _detector()
    marked = Marked()
    if detector is None:
        return marked
    for text in texts:
        for found in detector.detect(text):
            words = text[found.start : found.stop].strip()
            if found.label in PERSONAL and words and words not in marked.personal:
                marked.personal.append(words)
            marked.help = marked.help or found.label in HELP
    return marked


def _detector() -> ModuleType | None:
    try:
        return importlib.import_module(DETECTOR)
    except ModuleNotFoundError:
        return None
