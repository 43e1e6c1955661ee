"""The wording check: the list is data, finds what it names, and our own names hold to it."""

from __future__ import annotations

import tomllib

import pytest

from service.moderation.choices import options
from service.moderation.detector import LABELS
from service.moderation.wording import check_wording
from service.places.reasons import choices
from tests.support.sources import ROOT

LIST = ROOT / "service" / "web" / "wording.toml"

# text -> the words of the list in it, read by hand
CORPUS: dict[str, list[str]] = {
    "A group stands in the alley after dark": [],
    "People feel unsafe at the bus stop in the evening": [],
    "Young people asked for a light in the passage": [],
    "The shop keeper lets us wait inside": [],
    "The engagement of young people was high": [],
    "This is a dangerous place": ["dangerous"],
    "Dangerous, and full of GANGS.": ["Dangerous", "GANGS"],
    "a gang-affiliated young man": ["gang-affiliated"],
    "It is a sketchy area with crackheads": ["sketchy area", "crackheads"],
    "perceived safety and real crime": ["perceived", "real crime"],
    "She is streetwise and mature for her age": ["streetwise", "mature for her age"],
    "They failed to engage": ["failed to engage"],
    "youths and yobs": ["youths", "yobs"],
    "offenders live in that sink estate": ["offenders", "sink estate"],
    "she was putting herself at risk": ["putting herself at risk"],
    "a no-go area, a war zone": ["no-go", "war zone"],
}


@pytest.mark.requirement("E2")
@pytest.mark.parametrize("text", CORPUS)
def test_words_of_the_list_are_found_and_others_are_not(text: str) -> None:
    found = check_wording(text)
    assert [one.said for one in found] == CORPUS[text]
    assert all(text[one.start : one.stop] == one.said for one in found)


@pytest.mark.requirement("E2")
def test_every_word_has_a_reason_and_something_better() -> None:
    rules = tomllib.loads(LIST.read_text(encoding="utf-8"))["avoid"]
    assert len(rules) >= 18
    for rule in rules:
        assert rule["why"].endswith((".", ")"))
        assert check_wording(rule["instead"]) == [], rule["instead"]


@pytest.mark.requirement("E2")
def test_categories_and_choices_hold_to_the_list() -> None:
    chosen = [one for group in (options().reject, options().check, options().outcome, options().after) for one in group]
    names = [one.label for one in (*choices().reasons, *choices().times, *chosen)]
    names += [check.warning for check in options().check] + list(LABELS.values())
    assert [name for name in names if check_wording(name)] == []


def test_nothing_to_check_is_fine() -> None:
    assert check_wording("") == []
    assert check_wording(None) == []
