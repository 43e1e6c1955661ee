"""People's names: known first names, what stands after a title or "called", and not the places named after people."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from service.moderation.detector.contacts import Span
from service.moderation.detector.frames import Token
from service.moderation.detector.normal import Folded
from service.moderation.detector.rules import read, rules

_NAME_FROM = 3  # letters of a name that no list holds
_YEAR = frozenset(
    [
        "year",
        "yr",
        "y",
        "years",
        "y7",
        "y8",
        "y9",
        "y10",
        "y11",
        "yr7",
        "yr8",
        "yr9",
        "yr10",
        "yr11",
        "7a",
        "7b",
        "8a",
        "8b",
        "9a",
        "9b",
        "10a",
        "10b",
        "11a",
        "11b",
    ]
)
_SHOUTING = 0.6  # share of words with a capital from which capitals say nothing


@dataclass(frozen=True)
class _Lists:
    first: frozenset[str]
    ambiguous: frozenset[str]
    surname: frozenset[str]
    before: frozenset[str]
    relation: frozenset[str]
    title: frozenset[str]
    soft_title: frozenset[str]
    after: frozenset[str]
    place: frozenset[str]
    place_before: frozenset[str]
    known: dict[str, list[tuple[str, ...]]]


@cache
def _lists() -> _Lists:
    data = read("names")

    def words(name: str) -> frozenset[str]:
        listed = data[name]["words"]
        return frozenset(listed.split() if isinstance(listed, str) else listed)

    known: dict[str, list[tuple[str, ...]]] = {}
    for phrase in data["known"]["words"]:
        first, *rest = phrase.replace("'", "").split()
        known.setdefault(first, []).append(tuple(rest))
    ambiguous = words("ambiguous")
    return _Lists(
        words("first") - ambiguous, ambiguous, words("surname"), words("before"), words("relation"), words("title"),
        words("soft_title"), words("after"), words("place"), words("place_before"), known,
    )  # fmt: skip


class _Reader:
    """The words of one text with their capitals, asked one by one whether they are a name."""

    def __init__(self, folded: Folded, tokens: list[Token], text: str) -> None:
        self.tokens = tokens
        self.words = [folded.chars[t.start : t.stop].strip("'") for t in tokens]
        self.stems = [w.removesuffix("'s").replace("'", "") for w in self.words]
        self.capital = [text[folded.starts[t.start]].isupper() for t in tokens]
        letters = [self.capital[n] for n, w in enumerate(self.words) if w[:1].isalpha()]
        self.shouting = len(letters) > 1 and sum(letters) / len(letters) > _SHOUTING
        self.lists = _lists()
        self.places = self._places()

    def _places(self) -> set[int]:
        """Return the words that belong to a place, a shop or somebody everybody knows."""
        found: set[int] = set()
        for at, stem in enumerate(self.stems):
            for rest in self.lists.known.get(stem, ()):
                if tuple(self.stems[at + 1 : at + 1 + len(rest)]) == rest:
                    found |= set(range(at, at + 1 + len(rest)))
            if self._is_place_after(at) or (
                stem in self.lists.place_before and at + 1 < len(self.stems) and self._is_place_after(at + 1)
            ):
                found.add(at)
        return found | {n + 1 for n, stem in enumerate(self.stems) if stem in {"st", "saint", "king", "queen"}}

    def _is_place_after(self, at: int) -> bool:
        following = self._run(at)
        if following[:1] and following[0] in {"house", "road", "flat", "block", "yard"} and "'" in self.words[at]:
            return False  # where somebody lives, not a place named after somebody
        if following[:1] and following[0] in self.lists.place:
            return True
        return len(following) > 1 and following[1] in self.lists.place and self.capital[at + 1]

    def _run(self, at: int) -> list[str]:
        """Return the two words after one, up to the end of its sentence."""
        run: list[str] = []
        for token, stem in zip(self.tokens[at + 1 : at + 3], self.stems[at + 1 : at + 3], strict=True):
            if token.is_break:
                break
            run.append(stem)
        return run

    def _has_capital(self, at: int) -> bool:
        """Return whether a capital says something: inside a sentence, in a text that has few of them."""
        inside = at > 0 and not self.tokens[at - 1].is_break
        return self.capital[at] and inside and not self.shouting

    def _before(self, at: int, back: int = 1) -> str:
        if back == 1 and at > 1 and self.stems[at - 2] in self.lists.title and self.tokens[at - 1].is_break:
            return self.stems[at - 2]  # the full stop of "Mr." ends no sentence
        return self.stems[at - back] if at >= back and not self.tokens[at - back].is_break else ""

    def is_name(self, at: int) -> bool:
        """Return whether a word is a person's name."""
        stem, lists = self.stems[at], self.lists
        if at in self.places or not stem.isalpha() or self.tokens[at].is_break:
            return False
        if stem in lists.first:
            return True
        if self._is_after_title(at) or self._is_called(at):
            return True
        if stem in lists.ambiguous:
            return self._is_ambiguous_name(at)
        return self._is_unknown_name(at)

    def _is_known_word(self, at: int) -> bool:
        speller = rules().speller
        stem = self.stems[at]
        return stem in speller.known or stem in speller.common or stem in speller.spellings

    def _is_after_title(self, at: int) -> bool:
        before, stem = self._before(at), self.stems[at]
        if before in self.lists.title:
            return (len(stem) > 1 and not self._is_known_word(at)) or stem in self.lists.surname
        if before in self.lists.soft_title:
            listed = stem in self.lists.surname or stem in self.lists.ambiguous
            return self._has_capital(at) and (listed or not self._is_known_word(at))
        return False

    def _is_called(self, at: int) -> bool:
        """Return whether the word follows "called", "named" or "name is", said of a person."""
        before, second = self._before(at), self._before(at, 2)
        called = before in {"called", "named"} or (before in {"is", "was", "s"} and second in {"name", "names"})
        called = called or before == "names" or (before == "as" and second == "known")
        if not called or len(self.stems[at]) < _NAME_FROM:
            return False
        near = set(self.stems[max(0, at - 5) : at])
        is_thing = bool(near & (self.lists.place | {"place", "area", "app", "game", "shop", "thing", "group"}))
        is_me = bool({"me", "us", "him", "her", "them"} & {before, second}) or before == "names"
        if is_thing or (is_me and self._is_known_word(at)):
            return False
        listed = self.stems[at] in self.lists.ambiguous
        return listed or not self._is_known_word(at)

    def _is_ambiguous_name(self, at: int) -> bool:
        after = (self._run(at) or [""])[0]
        related = self._before(at) in self.lists.relation - {"with", "by", "and", "from", "tell", "man"}
        if not self._has_capital(at):
            return related and self._before(at) not in {"ask", "asked", "told"} and after in self.lists.after
        return related or after in self.lists.after or self._before(at) in self.lists.relation

    def _is_unknown_name(self, at: int) -> bool:
        stem, before = self.stems[at], self._before(at)
        if len(stem) < _NAME_FROM or self._is_known_word(at):
            return False
        following = self._run(at)
        of_year = len(following) > 1 and following[0] in {"from", "in"} and following[1] in _YEAR
        people = self.lists.relation - {"with", "by", "and", "from", "man", "tell", "told", "ask", "asked"}
        return of_year or (self._has_capital(at) and before in people)


def names(folded: Folded, tokens: list[Token], text: str) -> list[Span]:
    """Return the people's names in a text.

    Parameters
    ----------
    folded : Folded
        The folded text.
    tokens : list of Token
        Its words.
    text : str
        The text as typed: its capitals tell a name from a word.

    Returns
    -------
    list of tuple
        ``name`` with start and stop in the folded text; first name and surname are one.
    """
    reader = _Reader(folded, tokens, text)
    found: list[Span] = []
    last = -2
    for at, token in enumerate(tokens):
        is_surname = last == at - 1 and reader.stems[at] in _lists().surname | _lists().ambiguous and reader.capital[at]
        if not (is_surname or reader.is_name(at)):
            continue
        if last == at - 1 and found:
            found[-1] = ("name", found[-1][1], token.stop)
        else:
            found.append(("name", token.start, token.stop))
        last = at
    return found
