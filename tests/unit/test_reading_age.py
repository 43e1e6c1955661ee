"""Young people's pages can be read at about 9 to 11 (C1), and nobody is called names (E2, P9)."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from service.places.reasons import choices
from service.places.ways import Way
from service.web.templates import TEMPLATES, day_words
from tests.support.words import TEMPLATES as FOLDER
from tests.support.words import reading_age, sentences, syllables, visible_words, words_of

JS = FOLDER.parent / "static" / "js"
AREA = "Lewisham"
OLDEST = 9.0  # C1 (set): about 9 to 11; the younger end, since the measure flatters short sentences
LONGEST_SENTENCE = 22  # words
COMMON: dict[str, Any] = {
    "base": "",
    "path": "/mark",
    "nonce": "n",
    "area_name": AREA,
    "is_demo": True,
    "principal": None,
    "controller": None,
    "dpo_contact": None,
    "help_contact": "",
}
FORM = {"find": "", "found": "", "place": "", "feeling": "safe", "picked": "", "times": [], "reasons": [], "action": ""}
BLANK = dict.fromkeys(("note", "suggestion", "people", "never", "id", "receipt", "person"), "")
MAP = {"styles": "", "stage": "", "words": "", "scripts": ""}
PLACE = {"ward": "Evelyn", "day": date(2018, 6, 3), "state": "pending", "feeling": "safe"}
WAY = Way(send=lambda _: None, url="", start="", list="", stop="", words=True, borders=True, title="Youth club")  # type: ignore[arg-type,return-value]
KEPT_WAY = replace(WAY, title="", sealed={"app": ""})
QUESTIONS = {"choices": choices(), "way": WAY, "note_max": 500, "people_max": 30}
PAGES: dict[str, dict[str, Any]] = {
    "mark.html": {"map": MAP, **QUESTIONS},
    "workshops/app.html": {"map": MAP | {"links": ""}, **QUESTIONS, "way": KEPT_WAY},
    "mark_closed.html": {},
    "mark_list.html": {"form": FORM | BLANK, "found": [], "groups": [], "problem": "", "way": WAY, "person": ""},
    "mark_list_why.html": {
        "form": FORM | BLANK,
        "picked": {"label": "Lewisham station"},
        "reasons": choices().reasons,
        "ids": BLANK,
        "problem": "",
        **QUESTIONS,
    },
    "mark_sent.html": {"words": "oak moon", "receipt": "", "way": WAY, "person": ""},
    "workshops/join.html": {"problem": "", "joined": "Youth club"},
    "workshops/over.html": {"detail": ""},
    "workshops/done.html": {"joined": True},
    "receipt.html": {"problem": ""},
    "receipt_place.html": {
        "place": PLACE | {"times": [], "reasons": []},
        "form": FORM | BLANK,
        "choices": choices(),
        "groups": [],
        "found": [],
        "problem": "",
        "said": "Changed. Staff will look at it again.",
    },
    "receipt_take_back.html": {"place": PLACE, "receipt": ""},
}
SCRIPTS = ("mark/flow.js", "mark/search.js", "mark/words.js", "mark/device.js")
FRAME = re.compile(r'<footer.*?</footer>|<header class="top">.*?</header>|<p class="sample".*?</p>', re.DOTALL)


def main_words(template: str, values: dict[str, Any]) -> list[str]:
    """Return what a page says without the frame that every page has."""
    return visible_words(FRAME.sub("", TEMPLATES.get_template(template).render(COMMON | values)))


def spoken_by_scripts() -> list[str]:
    """Return the sentences that scripts put on the page: literals that begin with a capital and hold a space."""
    texts = "".join((JS / name).read_text() for name in SCRIPTS)
    return list(re.findall(r'[`"]([A-Z][^`"]* [^`"]*?)[`"]', texts))


def test_the_measure_agrees_with_the_worked_example() -> None:
    # "The cat sat on the mat." 6 words, 1 sentence, 6 syllables: 0.39*6 + 11.8*1 - 15.59 = -1.45; + 5 = 3.55
    assert reading_age(["The cat sat on the mat."]) == pytest.approx(3.55, abs=0.005)


@pytest.mark.parametrize(("word", "count"), [("place", 1), ("area", 2), ("marked", 1), ("wanted", 2), ("table", 2)])
def test_syllables_are_counted(word: str, count: int) -> None:
    assert syllables(word) == count


@pytest.mark.requirement("C1")
@pytest.mark.parametrize("template", sorted(PAGES))
def test_young_peoples_page_reads_at_nine_or_younger(template: str) -> None:
    parts = sentences(main_words(template, PAGES[template]))
    assert len(parts) > 3
    hardest = sorted(parts, key=lambda part: -reading_age([part]))[:5]
    assert reading_age(parts) <= OLDEST, f"{reading_age(parts):.1f}; hardest: {hardest}"


@pytest.mark.requirement("C1")
def test_first_part_of_the_privacy_page_reads_at_nine_or_younger() -> None:
    html = TEMPLATES.get_template("privacy.html").render(COMMON)
    short = html.split('<section id="short">')[1].split('<section id="long">')[0]
    assert reading_age(sentences(visible_words(short))) <= OLDEST


@pytest.mark.requirement("C1")
def test_what_scripts_say_reads_at_nine_or_younger() -> None:
    parts = sentences(spoken_by_scripts())
    assert len(parts) > 20
    assert reading_age(parts) <= OLDEST


def test_words_for_adults_would_fail() -> None:
    html = TEMPLATES.get_template("privacy.html").render(COMMON)
    long = sentences(visible_words(html.split('<section id="long">')[1].split("<footer")[0]))
    assert reading_age(long) > OLDEST + 1


@pytest.mark.requirement("C1")
def test_no_sentence_for_young_people_is_long() -> None:
    parts = [part for name, values in PAGES.items() for part in sentences(main_words(name, values))]
    long = [part for part in {*parts, *sentences(spoken_by_scripts())} if len(words_of(part)) > LONGEST_SENTENCE]
    assert not long


@pytest.mark.requirement("C4")
@pytest.mark.parametrize("template", ["mark.html", "mark_list.html", "mark_list_why.html"])
def test_nothing_is_ticked_beforehand(template: str) -> None:
    values = PAGES[template]
    if template == "mark_list.html":
        values = values | {"form": FORM | BLANK | {"feeling": ""}}
    html = TEMPLATES.get_template(template).render(COMMON | values)
    assert html.count("<input") > 3
    assert not re.search(r"\schecked[\s>=]|\sselected[\s>=]", html)


@pytest.mark.requirement("S1")
@pytest.mark.parametrize("template", ["mark.html", "mark_list.html", "mark_closed.html", "workshops/join.html"])
def test_first_screen_says_who_reads_it_and_where_help_is(template: str) -> None:
    said = " ".join(main_words(template, PAGES[template]))
    for words in (
        "Who reads this?",
        "999",
        "0800 1111",
        "we will pass it on",
        "cannot keep a secret",
        "adult who runs",
    ):
        assert words in said
    assert "secret" not in said.replace("cannot keep a secret", "").lower()


@pytest.mark.requirement("S1")
def test_first_screen_names_the_local_lead_where_one_is_set() -> None:
    values = COMMON | PAGES["mark.html"] | {"help_contact": "Ama on 020 7946 0000"}
    assert "Ama on 020 7946 0000" in TEMPLATES.get_template("mark.html").render(values)


def wording() -> list[dict[str, Any]]:
    with (FOLDER.parent / "wording.toml").open("rb") as file:
        rules: list[dict[str, Any]] = tomllib.load(file)["avoid"]
    return rules


def source_words() -> dict[str, str]:
    """Return all words that we wrote for people: templates, scripts, reasons."""
    files = [*FOLDER.rglob("*.html"), *JS.rglob("*.js")]
    texts = {path.name: path.read_text() for path in files}
    return texts | {"reasons.toml": " ".join(choice.label for choice in (*choices().reasons, *choices().times))}


@pytest.mark.requirement("E2", "P9")
@pytest.mark.parametrize("rule", wording(), ids=lambda rule: rule["words"])
def test_words_of_the_avoid_list_are_nowhere(rule: dict[str, Any]) -> None:
    pattern = re.compile(rf"\b(?:{rule['words']})\b", re.IGNORECASE)
    assert not {name for name, text in source_words().items() if pattern.search(text)}, rule["why"]


@pytest.mark.requirement("E2")
def test_the_avoid_list_finds_what_it_names() -> None:
    said = "It is a dangerous place, a bad area full of gangs; perceived, not real crime, from a crime hotspot estate."
    hits = {rule["words"] for rule in wording() if re.search(rf"\b(?:{rule['words']})\b", said, re.IGNORECASE)}
    assert {"dangerous", "bad areas?", "gangs?"} <= hits


def test_no_exclamation_mark_in_words() -> None:
    for name, values in PAGES.items():
        assert "!" not in " ".join(main_words(name, values)), name


def test_days_are_written_as_people_write_them() -> None:
    assert day_words(date(2018, 6, 3)) == "3 June 2018"
