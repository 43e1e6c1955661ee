"""Match frames of words and groups against a text: in steps of bounded width, so the time grows with the length."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from service.moderation.detector.normal import Piece, spelled_apart
from service.moderation.detector.rules import Frame, Rules

_AGE = re.compile(r"(\d{1,2})(?:yo|yrs?|ys?|ish|years?|something)?")
_ADULT = range(18, 80)
_CHILD = range(8, 18)
_WALL = 1_000  # a sentence end counts as so many words: no gap reaches over it
_FILLERS_MAX = 6  # words such as "like" that may stand anywhere, in a row
QUIET = frozenset({"~"})


@dataclass(slots=True)
class Token:
    """A word with everything it may stand for.

    Parameters
    ----------
    start, stop : int
        Place in the folded text.
    tags : frozenset of str
        Words it may be, and ``@`` groups they belong to.
    """

    start: int
    stop: int
    tags: frozenset[str]
    is_break: bool = False


def tokens(pieces: list[Piece], rules: Rules) -> list[Token]:
    """Return the words of a text with their tags, words written apart or together put right.

    Parameters
    ----------
    pieces : list of Piece
        What ``normal.pieces`` returned.
    rules : Rules
        Groups and spelling.

    Returns
    -------
    list of Token
        In the order of the text.
    """
    forms: list[tuple[int, int, frozenset[str]]] = []
    apart = {id(run[0]): run for run in spelled_apart(pieces)}
    skip_to = -1
    for piece in pieces:
        if piece.start < skip_to:
            continue
        if piece.kind != "word":
            forms.append((piece.start, piece.stop, frozenset({piece.text})))
            continue
        word, stop = piece.text, piece.stop
        if id(piece) in apart:
            joined = "".join(one.text for one in apart[id(piece)])
            if joined in rules.speller.known or rules.speller.parts(joined):
                word, stop = joined, apart[id(piece)][-1].stop
                skip_to = stop + 1  # with the full stop after the last letter
        forms += _word(word, piece.start, stop, rules)
    return _tagged(forms, rules)


def _word(word: str, start: int, stop: int, rules: Rules) -> list[tuple[int, int, frozenset[str]]]:
    parts = rules.speller.parts(word.replace("'", ""))
    if parts and "'" not in word and stop - start == len(word):
        return [(start + a, start + b, rules.speller.forms(word[a:b])) for a, b in parts]
    if parts:
        plain = word.replace("'", "")
        return [(start, stop, rules.speller.forms(plain[a:b])) for a, b in parts]
    return [(start, stop, rules.speller.forms(word))]


def _tagged(forms: list[tuple[int, int, frozenset[str]]], rules: Rules) -> list[Token]:
    found = []
    for at, (start, stop, words) in enumerate(forms):
        following = forms[at + 1][2] if at + 1 < len(forms) else frozenset()
        tags = set(words)
        for word in words:
            tags |= rules.groups.get(word, QUIET) - QUIET
            tags |= _ages(word)
            for second in following:
                for rest, group in rules.phrases.get((word, second), ()):
                    if _follows(forms, at + 2, rest):
                        tags.add(group)
        found.append(Token(start, stop, frozenset(tags), words == {""}))
    return found


def _follows(forms: list[tuple[int, int, frozenset[str]]], at: int, rest: tuple[str, ...]) -> bool:
    return at + len(rest) <= len(forms) and all(word in forms[at + n][2] for n, word in enumerate(rest))


def _ages(word: str) -> set[str]:
    if not word[:1].isdigit() or not (match := _AGE.fullmatch(word)):
        return set()
    age = int(match.group(1))
    return {"@adult_age"} if age in _ADULT else {"@child_age"} if age in _CHILD else set()


class Search:
    """The words of one text, ready for many frames.

    Parameters
    ----------
    found : list of Token
        What ``tokens`` returned.
    """

    def __init__(self, found: list[Token]) -> None:
        self.tokens = found
        self.places: dict[str, list[int]] = {}
        self.before = [0]  # words that count, before each token
        for at, token in enumerate(found):
            for tag in token.tags:
                self.places.setdefault(tag, []).append(at)
            width = _WALL if token.is_break else 0 if "@filler" in token.tags else 1
            self.before.append(self.before[-1] + width)
        self.present = frozenset(self.places)

    def possible(self, frames: dict[str, tuple[Frame, ...]]) -> Iterator[Frame]:
        """Yield each frame, once, of which the text has the rarest word."""
        seen: set[int] = set()
        for tag in self.places:
            for frame in frames.get(tag, ()):
                if id(frame) not in seen:
                    seen.add(id(frame))
                    yield frame

    def hush(self, frames: dict[str, tuple[Frame, ...]]) -> None:
        """Take words that belong to a harmless saying out of the search, in place."""
        for start, stop in [span for frame in self.possible(frames) for span in self.matches(frame)]:
            for at in range(start, stop + 1):
                if not self.tokens[at].is_break:
                    self.tokens[at].tags = QUIET
        self.__init__(self.tokens)  # type: ignore[misc]  # the index is made anew from the words that are left

    def _where(self, wanted: frozenset[str]) -> list[int]:
        lists = [self.places[tag] for tag in wanted if tag in self.places]
        return lists[0] if len(lists) == 1 else sorted({at for one in lists for at in one})

    def matches(self, frame: Frame) -> list[tuple[int, int]]:
        """Return the first and last token of each match of a frame; the tightest start for each end."""
        for wanted, _ in frame.steps:
            if wanted.isdisjoint(self.present):
                return []
        reached = {at: at for at in self._where(frame.steps[0][0])}
        for wanted, gap in frame.steps[1:]:
            places = self._where(wanted)
            following: dict[int, int] = {}
            for end, start in reached.items():
                for at in self._within(places, end, gap):
                    following[at] = max(start, following.get(at, -1))
            reached = following
            if not reached:
                break
        return [(start, end) for end, start in reached.items()]

    def _within(self, places: list[int], end: int, gap: int) -> Iterator[int]:
        first = bisect_right(places, end)
        for at in places[first : first + gap + _FILLERS_MAX + 1]:
            if self.before[at] - self.before[end + 1] > gap or at - end > gap + _FILLERS_MAX + 1:
                return
            yield at
