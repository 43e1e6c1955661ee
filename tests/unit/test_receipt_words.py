"""Receipts as words: every secret comes back, and words are told apart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.places.receipt_words import encode, plain_words, to_secret, to_words


@given(st.binary(min_size=16, max_size=16))
def test_every_secret_comes_back_from_its_words(data: bytes) -> None:
    secret = encode(data)
    words = to_words(secret)
    assert words is not None
    assert len(words) == 16
    assert to_secret("  " + ", ".join(words).title() + ". ") == secret


def test_words_are_256_and_told_apart_by_three_letters() -> None:
    assert len(plain_words()) == 256
    assert len({word[:3] for word in plain_words()}) == 256
    assert all(word.isalpha() and word.islower() and len(word) <= 8 for word in plain_words())


def test_what_is_no_list_of_words_stays_as_it_is() -> None:
    assert to_secret(" Zk3_w9Qe-Lp0Xy7RtUvB2A ") == "Zk3_w9Qe-Lp0Xy7RtUvB2A"
    assert to_secret(" ".join(["nothing"] * 16)) == " ".join(["nothing"] * 16)


def test_longer_secret_of_a_device_has_no_words() -> None:
    assert to_words("A" * 43) is None
    assert to_words("not base64 at all !!") is None
