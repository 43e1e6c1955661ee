"""Words that people typed: what is kept, what is refused."""

from __future__ import annotations

import pytest

from service.web.words import clean_words


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, None),
        ("", None),
        ("  \n ", None),
        (" dark ", "dark"),
        ("one\r\ntwo", "one\ntwo"),
        ("naïve – „quoted“ 'fine'", "naïve – „quoted“ 'fine'"),
        ("👩\u200d👩\u200d👧 ❤️\u200d🔥", "👩\u200d👩\u200d👧 ❤️\u200d🔥"),
        ("x" * 10, "x" * 10),
    ],
)
def test_plain_words_are_kept(given: str | None, kept: str | None) -> None:
    assert clean_words(given, limit=100) == kept


HIDDEN = "\x00\x07\t\x1b\x7f\x85\u00ad\u200b\u200c\u200d\u200e\u202a\u202e\u2028\u2029\u2060\u2066\ufeff\ud800\ue000"


@pytest.mark.parametrize("character", list(HIDDEN))
def test_hidden_characters_are_named_and_the_words_are_not(character: str) -> None:
    with pytest.raises(ValueError, match=f"U\\+{ord(character):04X}") as caught:
        clean_words(f"zebra{character}okapi", limit=100)
    assert "zebra" not in str(caught.value)


def test_too_long_says_both_numbers() -> None:
    with pytest.raises(ValueError, match="11 characters; at most 10"):
        clean_words("x" * 11, limit=10)
