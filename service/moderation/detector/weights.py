"""Weigh a note: talk of a place, or of what happens to a person? Words, neighbours, groups and frames are the evidence.

One sum says how much a note speaks of harm to a person; a second says whether of a disclosure or of self-harm.
The numbers are learnt by scripts/detector_weights.py; a frame is evidence beside others and decides nothing alone.
"""

from __future__ import annotations

import json
import math
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

    def part(self, first: int, stop: int) -> Note:
        """Return a stretch of the note as a note of its own."""
        inside = [
            Hit(hit.label, hit.steps, hit.first - first, hit.last - first)
            for hit in self.hits
            if first <= hit.first and hit.last < stop
        ]
        return Note(self.tokens[first:stop], self.words[first:stop], self.tags[first:stop], inside)

    def names_harm(self) -> bool:
        """Return whether one word alone names a disclosure or self-harm."""
        return any(hit.steps == 1 and hit.label in WEIGHED for hit in self.hits)


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


def _alone(note: Note) -> Iterator[tuple[str, int]]:
    """Yield each word, and what is left of its meanings after harmless sayings were taken out."""
    for at, token in enumerate(note.tokens):
        yield "w" + note.words[at], at
        if token.tags == QUIET:
            yield "quiet", at
        elif not token.is_break:
            for tag in token.tags:
                yield "1" + tag, at


def _beside(note: Note) -> Iterator[tuple[str, int]]:
    """Yield words and groups with their neighbour and with the word after it."""
    words = ["<", *note.words, ">"]
    for at in range(len(words) - 1):
        yield f"b{words[at]} {words[at + 1]}", at - 1
        if at + 2 < len(words):
            yield f"s{words[at]} {words[at + 2]}", at
    groups = [[tag for tag in tags if tag[:1] == "@" and tag[:3] not in _TOPICS] for tags in note.tags]
    for at, left in enumerate(groups):
        for gap, right in enumerate(groups[at + 1 : at + 3]):
            for one in left:
                for other in right:
                    yield f"p{one}{other}", at
                if not gap:
                    yield f"p{one} {note.words[at + 1]}", at
            if not gap:
                for other in right:
                    yield f"p{note.words[at]} {other}", at


def _framed(note: Note) -> Iterator[tuple[str, int]]:
    """Yield which frames speak for which label, and how many of them."""
    for label in _FRAMED:
        mine = [hit for hit in note.hits if hit.label == label]
        for hit in mine:
            yield f"r{label}", hit.first
            yield f"r{label}{min(hit.steps, 2)}", hit.first
        for many in _MANY:
            if len(mine) >= many:
                yield f"r{label}n{many}", mine[0].first


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
    found: dict[str, int] = {}
    for part in (_alone(note), _beside(note), _framed(note)):
        for name, at in part:
            found.setdefault(name, min(max(at, 0), len(note.tokens) - 1))
    return found


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


def _heaviest(note: Note, found: dict[str, int], sign: int) -> Span:
    """Return the run of words that speaks most for one label, as an unnamed span."""
    known = _weights().of
    heavy = [0.0] * len(note.tokens)
    for name, at in found.items():
        if name in known:
            heavy[at] += known[name][0] + sign * known[name][1] / 2
    usual = max(0.0, sum(heavy) / len(heavy))
    best, total, first = (-math.inf, 0, 0), 0.0, 0
    for at, value in enumerate(heavy):
        if total <= 0:
            total, first = 0.0, at
        total += value - usual
        if total > best[0]:
            best = (total, first, at)
    return "", note.tokens[best[1]].start, note.tokens[best[2]].stop


def _marks(note: Note, found: dict[str, int], label: str) -> list[Span]:
    """Return the words that people should see: those of frames, or else the heaviest."""
    hits = [hit for hit in note.hits if hit.label == label]
    if hits:
        return [(label, note.tokens[hit.first].start, note.tokens[hit.last].stop) for hit in hits]
    _, start, stop = _heaviest(note, found, 1 if label == WEIGHED[0] else -1)
    return [(label, start, stop)]


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
    spans: list[Span] = []
    for first, stop, is_one in _windows(note):
        part = note.part(first, stop)
        found = features(part)
        harm, kind = sums(found)
        names_harm = part.names_harm()
        if harm < (known.word_cut if names_harm else known.sentence_cut if is_one else known.cut):
            continue
        if kind > -known.named:
            spans += _marks(part, found, WEIGHED[0])
        if kind < known.named:
            spans += _marks(part, found, WEIGHED[1])
    return spans
