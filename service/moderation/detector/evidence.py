"""What a note gives as evidence: words, letters, neighbours, groups of meaning, frames, each with its place."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from service.moderation.detector.frames import QUIET, Token

WEIGHED = ("disclosure", "self_harm")
_FRAMED = (*WEIGHED, "weapon", "hate")
_TOPICS = ("@t_", "@m_")  # groups of meaning: weighed by themselves, not with their neighbours
LETTERS_OF = "c"  # begins the name of letters in a row: evidence for words that no list knows
_LETTERS = (3, 4, 5)
_MANY = (2, 3, 5)  # frames of one label in one note
Piece = tuple[int, str, int]  # first word, name of the evidence, last word


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
    text : str
        The folded text.
    """

    tokens: list[Token]
    words: list[str]
    tags: list[frozenset[str]]
    hits: list[Hit]
    text: str

    def inside(self, first: int, stop: int) -> list[Hit]:
        """Return the frames that match within a stretch of the note."""
        return [hit for hit in self.hits if first <= hit.first and hit.last < stop]


def _alone(note: Note) -> Iterator[Piece]:
    """Yield each word, and what is left of its meanings after harmless sayings were taken out."""
    for at, token in enumerate(note.tokens):
        yield at, "w" + note.words[at], at
        if token.tags == QUIET:
            yield at, "quiet", at
        elif not token.is_break:
            for tag in token.tags:
                yield at, "1" + tag, at


def _beside(note: Note) -> Iterator[Piece]:
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


def _letters(words: list[str]) -> Iterator[Piece]:
    """Yield letters in a row, over the edges of words too; the gap before a word belongs to it."""
    text = f" {' '.join(words)} "
    place = [at for at, word in enumerate(words) for _ in range(len(word) + 1)]  # of the gap and each letter
    place.append(len(words) - 1)  # the gap at the end
    for many in _LETTERS:
        for at in range(len(text) - many + 1):
            yield place[at], LETTERS_OF + text[at : at + many], place[at + many - 1]


def pieces(note: Note) -> list[Piece]:
    """Return the evidence of a note that needs no more than its own words, in their order."""
    return sorted([*_alone(note), *_beside(note), *_letters(note.words)])


def within(known: list[Piece], note: Note, first: int, stop: int) -> dict[str, int]:
    """Return the evidence in a stretch of a note, each with the first word that gives it.

    Parameters
    ----------
    known : list of Piece
        Of ``pieces``; those that are not weighed may be left out.
    note : Note
        Where they are from.
    first, stop : int
        First word of the stretch, and the word after it.

    Returns
    -------
    dict of str to int
        Names as in weights.json, and places in ``note.tokens``.
    """
    found: dict[str, int] = {}
    for at, name, last in known[bisect_left(known, (first, "", 0)) : bisect_left(known, (stop, "", 0))]:
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
    return within(pieces(note), note, 0, len(note.tokens)) if note.tokens else {}
