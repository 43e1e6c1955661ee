"""Weigh a note: talk of a place, or of what happens to a person? Words, neighbours, groups and frames are the evidence.

One sum says how much a note speaks of harm to a person; a second says whether of a disclosure or of self-harm.
The numbers are learnt by scripts/detector_weights.py; a frame is evidence beside others and decides nothing alone.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise

from service.moderation.detector.contacts import Span
from service.moderation.detector.frames import QUIET, Token

WEIGHED = ("disclosure", "self_harm")
_FRAMED = (*WEIGHED, "weapon", "hate")
_SHORT = 3  # words, the full stop counted: a shorter sentence is not weighed by itself
_TOPICS = ("@t_", "@m_")  # groups of meaning: weighed by themselves, not with their neighbours
_Piece = tuple[int, str, int]  # first word, name of the evidence, last word
_MANY = (2, 3, 5)  # frames of one label in one note


@dataclass(frozen=True, slots=True)
class Hit:
    """A match of a frame.

    Parameters
    ----------
    label : str
        What the frame speaks for.
    steps : int
        Words or groups in the frame.
    first, last : int
        Tokens where the match begins and ends.
    """

    label: str
    steps: int
    first: int
    last: int


@dataclass(frozen=True)
class Note:
    """The words of a note and what was found in them.

    Parameters
    ----------
    tokens : list of Token
        Words, harmless sayings taken out.
    words : list of str
        Words as typed, folded, without apostrophes; a full stop for the end of a sentence.
    tags : list of frozenset of str
        What each word may stand for, harmless sayings left in.
    hits : list of Hit
        All frames that match.
    """

    tokens: list[Token]
    words: list[str]
    tags: list[frozenset[str]]
    hits: list[Hit]

    def inside(self, first: int, stop: int) -> list[Hit]:
        """Return the frames that match within a stretch of the note."""
        return [hit for hit in self.hits if first <= hit.first and hit.last < stop]


def names_harm(hits: list[Hit]) -> bool:
    """Return whether one word alone names a disclosure or self-harm."""
    return any(hit.steps == 1 and hit.label in WEIGHED for hit in hits)


@dataclass(frozen=True)
class _Weights:
    start: tuple[int, int]
    cut: int
    named: int
    word_cut: int
    sentence_cut: int
    of: dict[str, tuple[int, int]]


@cache
def _weights() -> _Weights:
    path = resources.files("service.moderation.detector") / "data" / "weights.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    of = {tag: (pair[0], pair[1]) for tag, pair in data["weight"].items()}
    return _Weights(tuple(data["start"]), data["cut"], data["named"], data["word_cut"], data["sentence_cut"], of)


def _alone(note: Note) -> Iterator[_Piece]:
    """Yield each word, and what is left of its meanings after harmless sayings were taken out."""
    for at, token in enumerate(note.tokens):
        yield at, "w" + note.words[at], at
        if token.tags == QUIET:
            yield at, "quiet", at
        elif not token.is_break:
            for tag in token.tags:
                yield at, "1" + tag, at


def _beside(note: Note) -> Iterator[_Piece]:
    """Yield words and groups with their neighbour and with the word after it."""
    words = note.words
    groups = [[tag for tag in tags if tag[:1] == "@" and tag[:3] not in _TOPICS] for tags in note.tags]
    for at, left in enumerate(groups):
        for gap, right in enumerate(groups[at + 1 : at + 3]):
            last = at + gap + 1
            yield at, f"{'s' if gap else 'b'}{words[at]} {words[last]}", last
            for one in left:
                for other in right:
                    yield at, f"p{one}{other}", last
            if not gap:
                for one in left:
                    yield at, f"p{one} {words[last]}", last
                for other in right:
                    yield at, f"p{words[at]} {other}", last


def _edges(words: list[str], first: int, stop: int) -> Iterator[tuple[str, int]]:
    """Yield the words at the beginning and at the end of a stretch."""
    yield f"b< {words[first]}", first
    yield f"b{words[stop - 1]} >", stop - 1
    if stop - first == 1:
        yield "s< >", first
        return
    yield f"s< {words[first + 1]}", first
    yield f"s{words[stop - 2]} >", stop - 2


def _framed(hits: list[Hit]) -> Iterator[tuple[str, int]]:
    """Yield which frames speak for which label, and how many of them."""
    for label in _FRAMED:
        mine = [hit for hit in hits if hit.label == label]
        for hit in mine:
            yield f"r{label}", hit.first
            yield f"r{label}{min(hit.steps, 2)}", hit.first
        for many in _MANY:
            if len(mine) >= many:
                yield f"r{label}n{many}", mine[0].first


def _pieces(note: Note) -> list[_Piece]:
    return sorted([*_alone(note), *_beside(note)])


def _within(pieces: list[_Piece], note: Note, first: int, stop: int) -> dict[str, int]:
    """Return the evidence in a stretch of a note, each with the first word that gives it."""
    found: dict[str, int] = {}
    for at, name, last in pieces[bisect_left(pieces, (first, "", 0)) : bisect_left(pieces, (stop, "", 0))]:
        if last < stop:
            found.setdefault(name, at)
    for name, at in (*_edges(note.words, first, stop), *_framed(note.inside(first, stop))):
        found.setdefault(name, at)
    return found


def features(note: Note) -> dict[str, int]:
    """Return all evidence of a note, each with the first word that gives it.

    Parameters
    ----------
    note : Note
        Words and frames of a text.

    Returns
    -------
    dict of str to int
        Names as in weights.json, and places in ``note.tokens``.
    """
    return _within(_pieces(note), note, 0, len(note.tokens)) if note.tokens else {}


def sums(found: dict[str, int]) -> tuple[int, int]:
    """Return how much the evidence speaks for harm, and how much more for a disclosure than for self-harm."""
    known = _weights()
    pairs = [known.of[name] for name in found if name in known.of]
    return known.start[0] + sum(pair[0] for pair in pairs), known.start[1] + sum(pair[1] for pair in pairs)


def _windows(note: Note) -> Iterator[tuple[int, int, bool]]:
    """Yield where the note begins and ends, each sentence, each two sentences; and whether that is one sentence.

    Kind words about a library must not outweigh one sentence about home.
    """
    if not note.tokens:
        return
    yield 0, len(note.tokens), False
    stops = [0, *(at + 1 for at, token in enumerate(note.tokens) if token.is_break), len(note.tokens)]
    sentences = [pair for pair in pairwise(stops) if pair[1] > pair[0] + _SHORT]
    if len(sentences) > 1:
        for first, stop in sentences:
            yield first, stop, True
    if len(sentences) > 2:  # noqa: PLR2004  two are the whole note
        for left, right in pairwise(sentences):
            yield left[0], right[1], False


def _heaviest(found: dict[str, int], first: int, stop: int, sign: int) -> tuple[int, int]:
    """Return the first and last of the words in a stretch that speak most for one label."""
    known = _weights().of
    heavy = [0.0] * (stop - first)
    for name, at in found.items():
        if name in known:
            heavy[at - first] += known[name][0] + sign * known[name][1] / 2
    usual = max(0.0, sum(heavy) / len(heavy))
    best, total, start = (-math.inf, 0, 0), 0.0, first
    for at, value in enumerate(heavy, first):
        if total <= 0:
            total, start = 0.0, at
        total += value - usual
        if total > best[0]:
            best = (total, start, at)
    return best[1], best[2]


def _marks(note: Note, found: dict[str, int], stretch: tuple[int, int], label: str) -> list[Span]:
    """Return the words that people should see: those of frames, or else the heaviest."""
    places = [(hit.first, hit.last) for hit in note.inside(*stretch) if hit.label == label]
    places = places or [_heaviest(found, *stretch, 1 if label == WEIGHED[0] else -1)]
    return [(label, note.tokens[first].start, note.tokens[last].stop) for first, last in places]


def weighed(note: Note) -> list[Span]:
    """Return what a note speaks for: nothing, a disclosure, self-harm or both where that is open.

    Parameters
    ----------
    note : Note
        Words and frames of a text.

    Returns
    -------
    list of tuple
        Label, start and stop in the folded text.
    """
    known = _weights()
    pieces = [piece for piece in _pieces(note) if piece[1] in known.of]
    spans: list[Span] = []
    for first, stop, is_one in _windows(note):
        found = _within(pieces, note, first, stop)
        harm, kind = sums(found)
        has_word = names_harm(note.inside(first, stop))
        if harm < (known.word_cut if has_word else known.sentence_cut if is_one else known.cut):
            continue
        if kind > -known.named:
            spans += _marks(note, found, (first, stop), WEIGHED[0])
        if kind < known.named:
            spans += _marks(note, found, (first, stop), WEIGHED[1])
    return spans
