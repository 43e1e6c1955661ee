"""Collect the words that pages show, and measure how hard they are to read."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

TEMPLATES = Path(__file__).resolve().parents[2] / "service" / "web" / "templates"
BLOCKS = {
    "p",
    "li",
    "h1",
    "h2",
    "h3",
    "label",
    "legend",
    "summary",
    "button",
    "td",
    "th",
    "dd",
    "dt",
    "caption",
    "option",
}
FEWEST_WORDS = 5
SKIPPED = {"script", "style", "svg", "head"}


class _Words(HTMLParser):
    """Sentences of a page: one list entry a block element."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks: list[str] = [""]
        self._skipping = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in SKIPPED:
            self._skipping += 1
        values = dict(attrs)
        for name in ("aria-label", "placeholder", "alt", "title"):
            if values.get(name) and not self._skipping:
                self.blocks += [values[name] or "", ""]
        if tag in BLOCKS:
            self.blocks.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in SKIPPED:
            self._skipping -= 1
        if tag in BLOCKS:
            self.blocks.append("")

    def handle_data(self, data: str) -> None:
        if not self._skipping:
            self.blocks[-1] += data


def visible_words(html: str) -> list[str]:
    """Return the sentences of a page, in order."""
    parser = _Words()
    parser.feed(html)
    texts = [re.sub(r"\s+", " ", block).strip() for block in parser.blocks]
    return [text for text in texts if re.search(r"[A-Za-z]{2}", text)]


def sentences(texts: list[str]) -> list[str]:
    """Split blocks of words into sentences."""
    return [part.strip() for text in texts for part in re.split(r"(?<=[.?:])\s+", text) if re.search(r"[A-Za-z]", part)]


def syllables(word: str) -> int:
    """Count syllables as the Flesch-Kincaid measure does: groups of vowels, a silent e at the end left out."""
    lower = re.sub(r"[^a-z]", "", word.lower())
    groups = len(re.findall(r"[aeiouy]+", lower))
    silent = lower.endswith("e") and not lower.endswith(("le", "ee", "ye")) and groups > 1
    silent = silent or (lower.endswith("ed") and not lower.endswith(("ted", "ded")) and groups > 1)
    return max(1, groups - silent)


def words_of(sentence: str) -> list[str]:
    """Return the words of a sentence; numbers are left out."""
    return re.findall(r"[A-Za-z][A-Za-z'’-]*", sentence)


def reading_age(parts: list[str]) -> float:
    """Return the age at which a text is read with ease.

    Flesch-Kincaid grade, 0.39 words a sentence + 11.8 syllables a word - 15.59, and five years: an American first
    grade is six years old (Kincaid and others 1975, Derivation of new readability formulas, Navy report 8-75). Labels
    of a few words are left out where there are sentences: they would make any page look easy.
    """
    whole = [part for part in parts if len(words_of(part)) >= FEWEST_WORDS] or parts
    words = [word for part in whole for word in words_of(part)]
    grade = 0.39 * len(words) / len(whole) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59
    return grade + 5
