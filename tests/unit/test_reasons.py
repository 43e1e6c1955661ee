"""Reasons and times are data: complete, plain and unique."""

from __future__ import annotations

from typing import get_args

from service.places.reasons import choices, reasons_by_code
from service.places.schemas import Time

# product.md 2, in its own words and order
UNSAFE = 18
SAFE = 13  # "police there" stands in both lists


def test_every_reason_of_the_product_is_there_once() -> None:
    reasons = choices().reasons
    assert len({reason.code for reason in reasons}) == len(reasons) == UNSAFE + SAFE - 1
    assert sum(reason.fits("unsafe") for reason in reasons) == UNSAFE
    assert sum(reason.fits("safe") for reason in reasons) == SAFE
    assert all(reason.fits("mixed") for reason in reasons)
    assert reasons_by_code()["police_there"].feeling == "both"


def test_times_are_those_that_a_mark_takes() -> None:
    assert [time.code for time in choices().times] == list(get_args(Time))


def test_words_are_short_and_icons_differ() -> None:
    every = [*choices().reasons, *choices().times]
    assert all(len(choice.label.split()) <= 9 for choice in every)
    assert len({choice.icon for choice in every}) == len(every)
