"""From a word as it was typed to the words it may stand for: repeats, leet, missing vowels, slips, lost spaces."""

from __future__ import annotations

import re
from functools import lru_cache

_LEET = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "$": "s", "@": "a",
                       "!": "i", "|": "i", "9": "g"})  # fmt: skip
_LEET_L = str.maketrans({"1": "l", "0": "o", "3": "e", "4": "a", "5": "s", "7": "t", "$": "s", "@": "a", "!": "l",
                         "|": "l"})  # fmt: skip
_THRICE = re.compile(r"(.)\1{2,}")
_TWICE = re.compile(r"(.)\1+")
_VOWELS = frozenset("aeiou")
LONGEST = 30  # letters: a longer run is no word and is not guessed at
_SLIP_FROM = 5  # letters: shorter words have too many real neighbours
_BARE_FROM = 3  # consonants that a word without vowels must keep
_JOINED_FROM = 6  # letters of two or more words that were written as one
_SHORT = frozenset(
    [
        "i",
        "me",
        "my",
        "to",
        "he",
        "she",
        "it",
        "us",
        "is",
        "in",
        "on",
        "at",
        "be",
        "am",
        "do",
        "so",
        "no",
        "go",
        "of",
        "a",
        "u",
        "r",
        "im",
        "if",
        "by",
        "we",
        "up",
        "hi",
        "ur",
    ]
)


def near(left: str, right: str) -> bool:
    """Return whether one letter added, left out, changed or swapped with its neighbour makes one word the other."""
    if abs(len(left) - len(right)) > 1:
        return False
    at = 0
    while at < min(len(left), len(right)) and left[at] == right[at]:
        at += 1
    a, b = left[at:], right[at:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[1::-1] == b[:2] and a[2:] == b[2:])


def bare(word: str) -> str:
    """Return the consonants of a word, each run of one letter once."""
    return _TWICE.sub(r"\1", "".join(letter for letter in word if letter not in _VOWELS))


class Speller:
    """Turns words as they were typed into words that the rules know.

    Parameters
    ----------
    known : set of str
        Words of the rules.
    common : set of str
        Other real words: they are never taken for a slip of a known word.
    spellings : dict of str to str
        Short forms and what they stand for.
    """

    def __init__(self, known: set[str], common: set[str], spellings: dict[str, str]) -> None:
        self.known = known
        self.common = common
        self.spellings = spellings
        self._slips: dict[str, list[str]] = {}
        self._bare: dict[str, list[str]] = {}
        self._by_length: dict[int, list[str]] = {}
        for word in sorted(known):
            self._by_length.setdefault(len(word), []).append(word)
            if len(word) >= _SLIP_FROM and word.isalpha():
                for variant in self._shorter(word):
                    self._slips.setdefault(variant, []).append(word)
            if len(bare(word)) >= _BARE_FROM and bare(word) != word:
                self._bare.setdefault(bare(word), []).append(word)
        self.forms = lru_cache(maxsize=20_000)(self._forms)
        self.parts = lru_cache(maxsize=5_000)(self._parts)

    @staticmethod
    def _shorter(word: str) -> set[str]:
        return {word} | {word[:at] + word[at + 1 :] for at in range(len(word))}

    def _is_real(self, word: str) -> bool:
        return word in self.known or word in self.common or word in self.spellings

    def _forms(self, typed: str) -> frozenset[str]:
        """Return the words that a typed word may stand for; the word itself is one of them."""
        word = typed.replace("'", "")
        forms = {word}
        if typed.endswith("'s"):
            forms.add(typed[:-2].replace("'", ""))
        if word in self.spellings:
            forms.add(self.spellings[word])
        if self._is_real(word) or len(word) > LONGEST or (len(forms) > 1 and typed[:-2] in self.known):
            return frozenset(forms)
        return frozenset(forms | self._guesses(word))

    def _guesses(self, word: str) -> set[str]:
        """Return what an unknown word may be, by the first way that gives a real word."""
        plain = self._plain(word)
        if plain:
            return plain
        if "*" in word:
            return self._masked(word)
        letters = word.translate(_LEET)
        if not letters.isalpha():
            return set()
        if not _VOWELS & set(letters) and len(letters) >= _BARE_FROM:
            return set(self._bare.get(bare(letters), ()))
        return self._slip(letters) or self._slip(_THRICE.sub(r"\1", letters))

    def _plain(self, word: str) -> set[str]:
        """Return real words behind repeats and digits that stand for letters."""
        has_letter = any(letter.isalpha() for letter in word)
        written = {word, word.translate(_LEET), word.translate(_LEET_L)} if has_letter else {word}
        for one in list(written):
            written |= {_THRICE.sub(r"\1\1", one), _THRICE.sub(r"\1", one), _TWICE.sub(r"\1", one)}
        real = {one for one in written if self._is_real(one)}
        return real | {self.spellings[one] for one in real if one in self.spellings}

    def _masked(self, word: str) -> set[str]:
        """Return known words behind stars: "r*pe", "su*cide", "k**l"."""
        pattern = re.compile("".join("[a-z]" if letter == "*" else re.escape(letter) for letter in word))
        return {known for known in self._by_length.get(len(word), ()) if pattern.fullmatch(known)}

    def _slip(self, word: str) -> set[str]:
        """Return known words that are one slip away and begin alike."""
        if len(word) < _SLIP_FROM:
            return set()
        near_by = {known for variant in self._shorter(word) for known in self._slips.get(variant, ())}
        return {known for known in near_by if near(word, known) and (known[0] == word[0] or known[1] == word[0])}

    def _parts(self, typed: str) -> tuple[tuple[int, int], ...]:
        """Return where the words of a run without spaces begin and end, or nothing if it is none.

        The fewest words that fill the run win; words of one or two letters only from a short list.
        """
        word = typed
        if not _JOINED_FROM <= len(word) <= LONGEST or not word.isalpha() or self._is_real(word):
            return ()
        best: list[tuple[int, int] | None] = [(0, 0)] + [None] * len(word)
        for stop in range(1, len(word) + 1):
            for start in range(max(0, stop - 14), stop):
                before, part = best[start], word[start:stop]
                if before is None or not self._may_be_part(part):
                    continue
                if best[stop] is None or before[0] + 1 < best[stop][0]:  # type: ignore[index]  # None was asked first
                    best[stop] = (before[0] + 1, start)
        return self._walk_back(best)

    def _may_be_part(self, part: str) -> bool:
        if len(part) <= 2:  # noqa: PLR2004  words of one or two letters
            return part in _SHORT
        return part in self.known or part in self.common

    @staticmethod
    def _walk_back(best: list[tuple[int, int] | None]) -> tuple[tuple[int, int], ...]:
        parts: list[tuple[int, int]] = []
        stop = len(best) - 1
        while stop > 0:
            entry = best[stop]
            if entry is None:
                return ()
            parts.append((entry[1], stop))
            stop = entry[1]
        is_words = len(parts) > 1 and (len(best) - 1) / len(parts) >= 2.4  # noqa: PLR2004  letters a word
        return tuple(reversed(parts)) if is_words else ()
