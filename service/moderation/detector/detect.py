"""Find what a person should look at first: the one entry to the detector."""

from __future__ import annotations

from service.moderation.detector.contacts import contacts
from service.moderation.detector.evidence import WEIGHED, Hit, Note
from service.moderation.detector.found import Found
from service.moderation.detector.frames import Search, tokens
from service.moderation.detector.names import names
from service.moderation.detector.normal import Folded, fold, pieces
from service.moderation.detector.rules import rules
from service.moderation.detector.weights import weighed

LONGEST = 4_000  # characters that are read; notes are shorter (see the limits of a mark)


def detect(text: str) -> list[Found]:
    """Return what is found in a text, in the order of the text.

    The findings order a queue that people read in full. They decide nothing: an empty list is not "harmless".

    Parameters
    ----------
    text : str
        A person's own words, as typed.

    Returns
    -------
    list of Found
        Findings with offsets into ``text``; findings of one label that touch are one.
    """
    folded = fold(text[:LONGEST])
    direct = contacts(folded.chars)
    note = note_of(folded, [(start, stop) for _, start, stop in direct])
    spans = direct + names(folded, note.tokens, text)
    for hit in note.hits:
        if hit.label not in WEIGHED:
            spans.append((hit.label, note.tokens[hit.first].start, note.tokens[hit.last].stop))
    spans += weighed(note)
    return _merged([Found(label, *folded.original(start, stop)) for label, start, stop in spans])


def note_of(folded: Folded, hidden: list[tuple[int, int]]) -> Note:
    """Return the words of a text with the frames that match.

    Parameters
    ----------
    folded : Folded
        Text in plain letters.
    hidden : list of tuple of int
        Spans that hold no words.

    Returns
    -------
    Note
        What is weighed.
    """
    known = rules()
    found = tokens(pieces(folded.chars, hidden), known)
    tags = [token.tags for token in found]
    words = ["." if t.is_break else folded.chars[t.start : t.stop].replace("'", "") for t in found]
    search = Search(found)
    search.hush(known.quiet)
    hits = [
        Hit(frame.label, len(frame.steps), first, last)
        for frame in search.possible(known.frames)
        for first, last in search.matches(frame)
    ]
    return Note(found, words, tags, hits, folded.chars)


def _merged(found: list[Found]) -> list[Found]:
    """Return findings of one label that overlap as one, in the order of the text."""
    merged: list[Found] = []
    for one in sorted(found):
        last = merged[-1] if merged else None
        if last and last.label == one.label and one.start <= last.stop:
            merged[-1] = Found(one.label, last.start, max(last.stop, one.stop))
        else:
            merged.append(one)
    return sorted(merged, key=lambda one: (one.start, one.stop, one.label))
