"""Weigh the words of a note: talk of a place, or of what happens to a person? It finds what no frame foresaw."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from service.moderation.detector.contacts import Span
from service.moderation.detector.frames import QUIET, Token
from service.moderation.detector.rules import read

CONCERN = 0.6  # share of concern from which a note is flagged by its words alone
EITHER = 0.2  # share of the concern from which a label is named: both are, where the words speak for both
CALM = 0.05  # below this share of concern words in a row are not believed: the note is about a place
_LONG = 30  # words from which a note is also weighed by two sentences at a time
WEIGHED = ("disclosure", "self_harm")  # in the order of the pairs in weights.toml


@dataclass(frozen=True)
class _Weights:
    start: tuple[float, float]
    of: dict[str, tuple[float, float]]


@cache
def _weights() -> _Weights:
    data = read("weights")
    return _Weights(tuple(data["start"]), {tag: (pair[0], pair[1]) for tag, pair in data["weight"].items()})


def features(tokens: list[Token]) -> set[str]:
    """Return what is weighed: every word that is left, what it may stand for, the groups it belongs to."""
    return {tag for token in tokens if not token.is_break for tag in token.tags - QUIET}


def shares(tokens: list[Token]) -> tuple[float, float]:
    """Return how far the words speak for a disclosure and for self-harm.

    Parameters
    ----------
    tokens : list of Token
        Words of a note, harmless sayings taken out.

    Returns
    -------
    tuple of float
        Two shares of 1; what is missing to 1 speaks for talk of a place.
    """
    known = _weights()
    pairs = [known.of[tag] for tag in features(tokens) if tag in known.of]
    first = known.start[0] + sum(pair[0] for pair in pairs)
    second = known.start[1] + sum(pair[1] for pair in pairs)
    most = max(first, second, 0.0)
    parts = [math.exp(value - most) for value in (0.0, first, second)]
    return parts[1] / sum(parts), parts[2] / sum(parts)


def _windows(tokens: list[Token]) -> list[list[Token]]:
    """Return the note, and if it is long, also each two sentences of it."""
    if len(tokens) <= _LONG:
        return [tokens]
    sentences: list[list[Token]] = [[]]
    for token in tokens:
        sentences[-1].append(token)
        if token.is_break and len(sentences[-1]) > 1:
            sentences.append([])
    return [tokens] + [left + right for left, right in pairwise(sentences)]


def _heaviest(tokens: list[Token], which: int) -> tuple[int, int]:
    """Return start and stop of the run of words that speaks most for a label."""
    known = _weights().of
    best, total, first = (-math.inf, 0, 0), 0.0, 0
    seen: set[str] = set()
    for at, token in enumerate(tokens):
        new = token.tags - seen
        seen |= new
        if total <= 0:
            total, first = 0.0, at
        total += sum(known[tag][which] for tag in new if tag in known)
        if total > best[0]:
            best = (total, first, at)
    return tokens[best[1]].start, tokens[best[2]].stop


def weighed(tokens: list[Token]) -> tuple[list[Span], float]:
    """Return what the words of a note speak for, and the highest share of concern in it.

    Parameters
    ----------
    tokens : list of Token
        Words of a note, harmless sayings taken out.

    Returns
    -------
    tuple
        Spans in the folded text, and a share of 1.
    """
    found: list[Span] = []
    highest = 0.0
    for window in _windows(tokens):
        both = shares(window) if window else (0.0, 0.0)
        highest = max(highest, sum(both))
        if sum(both) > CONCERN:
            found += [
                (label, *_heaviest(window, which))
                for which, label in enumerate(WEIGHED)
                if both[which] / sum(both) > EITHER
            ]
    return found, highest
