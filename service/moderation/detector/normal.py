"""Fold a text to plain letters and cut it into words, each with its place in the original text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

# Letters of other scripts that look like Latin ones, and typographic marks, as people use them to slip past filters.
_ALIKE = dict(zip("аеорсухікмтвнԁɡıɑοαενρτυϲј", "aeopcyxikmtbhdgiaoaevptucj", strict=True)) | {
    "’": "'",
    "‘": "'",
    "`": "'",
    "´": "'",
    "“": '"',
    "”": '"',
    "–": "-",
    "—": "-",
    "‑": "-",
    "‐": "-",
    "…": "...",
}
_MARKS = {"Mn", "Me"}
_UNSEEN = {"Cf", "Cc"}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_CRUMB = re.compile(r"[\n\r]|(?<!\.)\.(?!\.)|[?;]|!(?![a-z0-9])|(?<![a-z0-9])!")
_WORD = re.compile(r"[a-z0-9$]+(?:[*!@|']+[a-z0-9$]+)*")
_SINGLE_GAP = 3  # characters between letters that are written apart: "k . m . s"


@dataclass(frozen=True, slots=True)
class Folded:
    """Plain lower-case characters of a text, and where each of them came from.

    Parameters
    ----------
    chars : str
        Folded text.
    starts, stops : sequence of int
        For each folded character, where its original begins and ends; an original may give several.
    """

    chars: str
    starts: Sequence[int]
    stops: Sequence[int]

    def original(self, start: int, stop: int) -> tuple[int, int]:
        """Return the span of the original text that a span of folded characters came from."""
        return self.starts[start], self.stops[stop - 1]


@dataclass(frozen=True, slots=True)
class Piece:
    """A word, an emoji or the end of a sentence, with its place in the folded text."""

    text: str
    start: int
    stop: int
    kind: str  # "word", "sign" or "break"


def fold(text: str) -> Folded:
    """Return the text in plain lower-case letters, without accents and unseen characters.

    Parameters
    ----------
    text : str
        As written.

    Returns
    -------
    Folded
        Folded characters and their places in ``text``.
    """
    if text.isascii() and not _CONTROL.search(text):
        return Folded(text.lower(), range(len(text)), range(1, len(text) + 1))
    chars: list[str] = []
    starts: list[int] = []
    stops: list[int] = []
    for at, char in enumerate(text):
        category = unicodedata.category(char)
        if category in _MARKS or (category in _UNSEEN and char not in "\n\r\t"):
            if stops and category in _MARKS:
                stops[-1] = at + 1  # an accent belongs to the letter before it
            continue
        plain = char if char.isascii() else _plain(char)
        for one in plain.casefold():
            chars.append(one)
            starts.append(at)
            stops.append(at + 1)
    return Folded("".join(chars), starts, stops)


def _plain(char: str) -> str:
    """Return the plain form of one character: no accent, no look-alike, no styled letter."""
    alike = _ALIKE.get(char) or _ALIKE.get(char.casefold())
    if alike:
        return alike
    parts = unicodedata.normalize("NFKD", char)
    kept = "".join(_ALIKE.get(part, part) for part in parts if unicodedata.category(part) not in _MARKS)
    return kept or char


def pieces(chars: str, hidden: list[tuple[int, int]] | None = None) -> list[Piece]:
    """Cut folded characters into words, emoji and sentence ends, in order.

    Parameters
    ----------
    chars : str
        Folded characters.
    hidden : list of tuple of int, optional
        Spans that hold no words: addresses, numbers and handles that were found before.

    Returns
    -------
    list of Piece
        Pieces in the order of the text.
    """
    for start, stop in hidden or []:
        chars = chars[:start] + ";" * (stop - start) + chars[stop:]
    found = [Piece(m.group(), m.start(), m.end(), "word") for m in _WORD.finditer(chars)]
    found += [Piece("", m.start(), m.end(), "break") for m in _CRUMB.finditer(chars)]
    found += [Piece(char, at, at + 1, "sign") for at, char in enumerate(chars) if char > "\u203b"]
    return sorted(found, key=lambda piece: (piece.start, piece.stop))


def spelled_apart(found: list[Piece]) -> list[list[Piece]]:
    """Return runs of single letters that stand close together, such as "k m s", "k.i.l.l" or "s.h"."""
    runs: list[list[Piece]] = []
    run: list[Piece] = []
    dotted: set[int] = set()  # runs with a full stop inside: two letters are enough
    for piece in found:
        if piece.kind == "break" and run and piece.stop - piece.start == 1 and piece.start == run[-1].stop:
            dotted.add(run[0].start)
            continue
        is_letter = piece.kind == "word" and len(piece.text) == 1
        if is_letter and (not run or piece.start - run[-1].stop <= _SINGLE_GAP):
            run.append(piece)
            continue
        runs.append(run)
        run = [piece] if is_letter else []
    return [one for one in (*runs, run) if len(one) > 2 or (len(one) == 2 and one[0].start in dotted)]  # noqa: PLR2004
