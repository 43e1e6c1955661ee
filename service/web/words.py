"""Checks on what a person typed: length and characters that nobody sees."""

from __future__ import annotations

import unicodedata

JOINER = "\u200d"
HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
EMOJI = frozenset({"So", "Sk", "Mn"})


def clean_words(text: str | None, *, limit: int) -> str | None:
    """Return the text as it is stored.

    Parameters
    ----------
    text : str or None
        What was sent.
    limit : int
        Most characters.

    Returns
    -------
    str or None
        Without blanks at both ends, with plain line ends; None where nothing is left.

    Raises
    ------
    ValueError
        If it is too long or holds control, direction or zero-width characters. The message holds none of the words.
    """
    if text is None:
        return None
    text = text.replace("\r\n", "\n").strip()
    if len(text) > limit:
        message = f"It has {len(text)} characters; at most {limit} are taken. Shorten it."
        raise ValueError(message)
    if not text.isascii() or not text.isprintable():
        _require_visible(text)
    return text or None


def _require_visible(text: str) -> None:
    for before, character in zip(" " + text, text, strict=False):
        if unicodedata.category(character) not in HIDDEN or character == "\n":
            continue
        # one picture is often made of several joined ones
        if character == JOINER and unicodedata.category(before) in EMOJI:
            continue
        message = f"It holds a hidden character (U+{ord(character):04X}). Remove it, or type the text again."
        raise ValueError(message)
