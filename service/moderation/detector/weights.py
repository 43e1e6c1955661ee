"""Weigh a note: talk of a place, or of what happens to a person? Words, neighbours, groups and frames are the evidence.

One sum says how much a note speaks of harm to a person; a second says whether of a disclosure or of self-harm.
The numbers are learnt by scripts/detector_weights.py; a frame is evidence beside others and decides nothing alone.
What a language model makes of the same words is added, where it could change the answer.
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
from service.moderation.detector.encoder import encoder
from service.moderation.detector.evidence import WEIGHED, Hit, Note, pieces, within

_READS = 12  # stretches of one note that the language model reads at most
_SHORT = 3  # words, the full stop counted: a shorter sentence is not weighed by itself


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
    heard: int
    most_heard: int
    of: dict[str, tuple[int, int]]


@cache
def _weights() -> _Weights:
    path = resources.files("service.moderation.detector") / "data" / "weights.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    of = {tag: (pair[0], pair[1]) for tag, pair in data.pop("weight").items()}
    del data["why"]
    return _Weights(tuple(data.pop("start")), of=of, **data)


def sums(found: dict[str, int]) -> tuple[int, int]:
    """Return how much the evidence speaks for harm, and how much more for a disclosure than for self-harm.

    Parameters
    ----------
    found : dict of str to int
        Evidence in a stretch of a note.

    Returns
    -------
    tuple of int
        Sums in units of the weights.
    """
    known = _weights()
    pairs = [known.start, *(known.of[name] for name in found if name in known.of)]
    return sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)


def heard(text: str) -> tuple[int, int]:
    """Return the same two sums as the language model has them; nothing for a text that it does not read."""
    known = _weights()
    odds = encoder().read(text)
    if odds is None:
        return 0, 0
    return min(known.most_heard, round(odds[0] * known.heard)), round((odds[1] - odds[2]) * known.heard)


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
    given = [piece for piece in pieces(note) if piece[1] in known.of]
    spans: list[Span] = []
    reads = 0
    for first, stop, is_one in _windows(note):
        found = within(given, note, first, stop)
        harm, kind = sums(found)
        has_word = names_harm(note.inside(first, stop))
        cut = known.word_cut if has_word else known.sentence_cut if is_one else known.cut
        if harm + known.most_heard >= cut and reads < _READS:
            reads += 1
            more = heard(note.text[note.tokens[first].start : note.tokens[stop - 1].stop])
            harm, kind = harm + more[0], kind + more[1]
        if harm < cut:
            continue
        if kind > -known.named:
            spans += _marks(note, found, (first, stop), WEIGHED[0])
        if kind < known.named:
            spans += _marks(note, found, (first, stop), WEIGHED[1])
    return spans
