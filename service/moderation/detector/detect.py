"""Find what a person should look at first: the one entry to the detector."""

from __future__ import annotations

from service.moderation.detector.contacts import contacts
from service.moderation.detector.found import Found
from service.moderation.detector.frames import Search, tokens
from service.moderation.detector.names import names
from service.moderation.detector.normal import fold, pieces
from service.moderation.detector.rules import rules
from service.moderation.detector.weights import CALM, WEIGHED, weighed

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
    known = rules()
    direct = contacts(folded.chars)
    words = tokens(pieces(folded.chars, [(start, stop) for _, start, stop in direct]), known)
    spans = direct + names(folded, words, text)
    search = Search(words)
    search.hush(known.quiet)
    by_weight, concern = weighed(words)
    spans += by_weight
    for frame in search.possible(known.frames):
        # One word that names a harm is believed in any note; words in a row only where the note may be about a person.
        if frame.label in WEIGHED and len(frame.steps) > 1 and concern < CALM:
            continue
        for first, last in search.matches(frame):
            spans.append((frame.label, words[first].start, words[last].stop))
    return _merged([Found(label, *folded.original(start, stop)) for label, start, stop in spans])


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
