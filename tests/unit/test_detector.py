"""The safeguarding detector: what it finds, where, harmless talk, hostile input. It orders, it never decides (S3)."""

from __future__ import annotations

import ast
import json
import math
import time
from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from service.moderation.detector import LABELS, Found, detect, urgency
from service.moderation.detector.detect import note_of
from service.moderation.detector.encoder import LONGEST, encoder, pieces_of
from service.moderation.detector.evidence import features
from service.moderation.detector.frames import tokens
from service.moderation.detector.normal import fold, pieces
from service.moderation.detector.rules import RULE_FILES, inflect, parse, read, rules
from service.moderation.detector.weights import heard, sums
from service.moderation.detector.words import near
from tests.support.sources import ROOT, sources

SEEN = ROOT / "tests" / "corpora" / "detector_seen.jsonl"
PARTS = [source for name, source in sources().items() if name.startswith("service.moderation.detector")]


def labels(text: str) -> set[str]:
    return {one.label for one in detect(text)}


def marked(text: str, label: str) -> list[str]:
    return [text[one.start : one.stop] for one in detect(text) if one.label == label]


# Every label, in the spellings that the task names.


@pytest.mark.requirement("S3")
@pytest.mark.parametrize(
    "text",
    [
        "he touchd me",
        "my mans dad hits him",
        "i dont want to go home",
        "he said he would post my pics",
        "they make me hold stuff",
        "an older guy buys me things and wants me to come to his",
        "someone follows me home",
        "my uncle comes in my room",
        "sum1 tuches me @ home",
        "MY DAD HITS ME",
        "my d@d h!ts me",
        "mydadhitsme",
        "my dad hiiiiits meeee",
        "he threatnd to hrt me if i tell any1",
        "my stepd\u200bad hi\u200bts me",
        "my dàd hïts me",
        "my dаd hits me",  # the second letter of dad is Cyrillic
    ],
)
def test_disclosure_is_found_as_young_people_write_it(text: str) -> None:
    assert "disclosure" in labels(text)


@pytest.mark.requirement("S3")
@pytest.mark.parametrize(
    "text",
    [
        "kms",
        "K.M.S",
        "k m s",
        "gonna unalive myself",
        "kermit",
        "sh again",
        "s.h. in the toilets",
        "i wanna k1ll myself",
        "killmyself",
        "su*cide",
        "suiicidal",
        "nobody would care if i was gone",
        "i cant do this anymore",
        "dont want to wake up",
        "wnna die",
        "𝓀𝓂𝓈",
    ],
)
def test_self_harm_is_found_as_young_people_write_it(text: str) -> None:
    assert "self_harm" in labels(text)


@pytest.mark.requirement("S3")
@pytest.mark.parametrize(
    ("text", "label", "part"),
    [
        ("ask Shanice at the desk", "name", "Shanice"),
        ("this boy called Zaydenn pushed me", "name", "Zaydenn"),
        ("mr okafor is strict", "name", "okafor"),
        ("ring 07700 900123 now", "phone", "07700 900123"),
        ("0 7 7 0 0 9 0 0 1 2 3", "phone", "0 7 7 0 0 9 0 0 1 2 3"),
        ("oh seven seven double oh nine hundred one two three", "phone",
         "oh seven seven double oh nine hundred one two three"),
        ("call 020 7946 0123", "phone", "020 7946 0123"),
        ("follow @lil.tee07 pls", "handle", "@lil.tee07"),
        ("my snap is jay_x07", "handle", "jay_x07"),
        ("write to kay@example.org please", "e_mail", "kay@example.org"),
        ("kay at example dot org", "e_mail", "kay at example dot org"),
        ("it is se136aa", "address", "se136aa"),
        ("come to 14 Oakdale Road", "address", "14 Oakdale Road"),
        ("grey car LK19 ABC", "plate", "LK19 ABC"),
        ("reg lk67xyz", "plate", "lk67xyz"),
        ("boys with a zombie knife", "weapon", "zombie knife"),
        ("he had a rambo on him", "weapon", "rambo"),
        ("man got shanked", "weapon", "shanked"),
        ("they are racist to us", "hate", "racist"),
    ],
)  # fmt: skip
def test_every_other_label_marks_its_words(text: str, label: str, part: str) -> None:
    assert any(part in found for found in marked(text, label)), detect(text)


def test_every_label_has_words_for_people_and_nothing_else_is_found() -> None:
    assert set(LABELS) == {
        "disclosure", "self_harm", "name", "phone", "handle", "e_mail", "address", "plate", "weapon", "hate",
    }  # fmt: skip
    assert all(words[0].isupper() and not words.endswith(".") for words in LABELS.values())
    assert {one.label for found in answers().values() for one in found} <= set(LABELS)


# Harmless talk stays quiet.


@pytest.mark.parametrize(
    "text",
    [
        "the bus hits every stop",
        "killer chicken shop",
        "dead area",
        "this place kills me lol",
        "the 171 never comes, P4 is better",
        "meet @ the park",
        "cut through the estate",
        "boys jump the barriers",
        "we hang out by the river",
        "my legs are killing me on that hill",
        "Lights are broken in the underpass.",
        "the library is quiet and staff are nice",
        "needs more bins and benches",
        "",
        "   ",
        "...",
    ],
)
def test_harmless_talk_of_places_is_quiet(text: str) -> None:
    assert detect(text) == []


@pytest.mark.parametrize(
    "place",
    [
        "Victoria Street", "Charlotte Street", "Evelyn Street", "Adelaide Avenue", "Florence Road", "St Johns station",
        "Lee", "Perry Vale", "Ladywell Fields", "Forest Hill", "Honor Oak Park", "Hilly Fields", "Mayow Park",
        "Rushey Green", "Telegraph Hill", "Elizabeth line", "Margaret McMillan Park", "Nelson Mandela Road",
        "King's Cross", "Stephen Lawrence Centre", "Albert Road", "Morley's", "Sam's chicken", "St Mary's church",
    ],
)  # fmt: skip
@pytest.mark.parametrize("frame", ["I like {} in the day", "{} is too dark", "we meet near {}", "its by {}"])
def test_places_named_after_people_are_no_names(place: str, frame: str) -> None:
    for text in (frame.format(place), frame.format(place).lower()):
        assert "name" not in labels(text)


# Offsets and normalisation.


@pytest.mark.parametrize(
    "dress", ["{}", "Ünïcödé {} 🙂", "🔥🔥\u200b\u200b {} x", "ﬃ ﬁ {}", "\n\n{}\n", "e\u0301e\u0301 {}"]
)
def test_offsets_point_into_the_text_as_it_was_given(dress: str) -> None:
    text = dress.format("kay@example.org")
    assert marked(text, "e_mail") == ["kay@example.org"]


def test_offsets_keep_accents_and_unseen_characters_inside() -> None:
    text = "(k\u200bm\u200bs\u0301)"
    assert marked(text, "self_harm") == ["k\u200bm\u200bs\u0301"]


def test_offsets_are_in_order_inside_the_text_and_never_overlap_within_a_label() -> None:
    for text, found in answers().items():
        assert found == sorted(found, key=lambda one: (one.start, one.stop, one.label))
        assert all(0 <= one.start < one.stop <= len(text) for one in found)
        for label in LABELS:
            mine = [one for one in found if one.label == label]
            assert all(a.stop < b.start for a, b in pairwise(mine))


@pytest.mark.parametrize(
    ("text", "plain"), [("Ｋms", "kms"), ("ÀÉ", "ae"), ("ﬁ", "fi"), ("ß", "ss"), ("a\u200bb", "ab"), ("don’t", "don't")]
)
def test_folding_gives_plain_letters(text: str, plain: str) -> None:
    folded = fold(text)
    assert folded.chars == plain
    assert len(folded.starts) == len(folded.stops) == len(plain)
    assert folded.original(0, len(plain)) == (0, len(text))


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("touchd", "touched"), ("hittt", "hit"), ("sc4red", "scared"), ("r*pe", "rape"), ("followwd", "followed"),
        ("threatned", "threatened"), ("sucide", "suicide"), ("sum1", "someone"), ("dnt", "dont"), ("fllws", "follows"),
    ],
)  # fmt: skip
def test_spelling_leads_to_the_word(typed: str, word: str) -> None:
    assert word in rules().speller.forms(typed)


@pytest.mark.parametrize(
    "word", ["therapist", "together", "fellow", "tough", "skill", "shirt", "flight", "grape", "class"]
)
def test_real_words_are_no_slips_of_others(word: str) -> None:
    assert rules().speller.forms(word) == {word}
    assert not rules().speller.parts(word)


def test_words_without_spaces_are_parted_with_their_places() -> None:
    found = tokens(pieces(fold("idontwanttogohome").chars), rules())
    assert [(token.start, token.stop) for token in found] == [(0, 1), (1, 5), (5, 9), (9, 11), (11, 13), (13, 17)]


def test_near_words_are_one_slip_apart() -> None:
    assert near("touch", "tuoch")
    assert near("touch", "toch")
    assert near("touch", "toouch")
    assert near("touch", "tauch")
    assert not near("touch", "tuohc")
    assert not near("touch", "to")


# Order of the queue.


@pytest.mark.requirement("S3")
def test_urgency_puts_people_before_weapons_before_personal_data() -> None:
    assert urgency([]) == 0
    assert {urgency([Found(label, 0, 1)]) for label in ("name", "phone", "handle", "e_mail", "address", "plate")} == {1}
    assert {urgency([Found(label, 0, 1)]) for label in ("weapon", "hate")} == {2}
    assert {urgency([Found(label, 0, 1)]) for label in ("disclosure", "self_harm")} == {3}
    assert urgency([Found("name", 0, 1), Found("self_harm", 2, 3), Found("weapon", 4, 5)]) == 3


@pytest.mark.requirement("S3")
def test_detector_reaches_neither_network_nor_database_nor_clock() -> None:
    allowed = {"__future__", "collections", "dataclasses", "functools", "importlib", "itertools", "math", "re",
               "json", "numpy", "service", "tomllib", "typing", "unicodedata", "bisect"}  # fmt: skip
    for source in PARTS:
        for node in ast.walk(source.tree):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.split(".")[0] for name in names} <= allowed, source.where(node)
            ours = {name for name in names if name.startswith("service")}
            assert all(name.startswith("service.moderation.detector") for name in ours), source.where(node)


# Hostile input.

HOSTILE = {
    "one word": "a" * 2000, "short words": "a " * 1000, "frame": "he hit me " * 200, "fillers": "like " * 400,
    "ats": "@" * 2000, "mail": "a.b-" * 500 + "@", "half mails": "a@" * 1000, "digits": "7" * 2000,
    "digits apart": "0 " * 1000, "dots": "." * 2000, "letters apart": "k." * 1000, "stars": "k*" * 1000,
    "underscores": "_a" * 1000, "house numbers": "1 a " * 500, "homes": "i live at the " * 140, "snaps": "snap " * 400,
    "emoji": "🔪" * 2000, "unseen": "k\u200b" * 1000, "accents": "e\u0301\u0302\u0303" * 500,
    "plates": "plate is a " * 180, "joined": "killyourselfnowplease" * 95, "numbers": "for to two " * 180,
    "quotes": "a'" * 1000, "brackets": "a (at " * 330,
    "titles": "mr. " * 500, "capitals": "Ab C " * 400, "long letters": "ﷺ" * 400, "controls": "\x00\x07" * 1000,
}  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_takes_time_in_proportion(text: str) -> None:
    detect(text[:200])
    start = time.process_time()
    found = detect(text[:2000])
    assert time.process_time() - start < 10.0  # s; about 0.06 without coverage, minutes if a pattern ran away
    assert all(0 <= one.start < one.stop <= len(text) for one in found)


def test_longer_texts_are_read_to_a_limit() -> None:
    start = time.process_time()
    detect("my dad hits me and i cant tell " * 100_000)
    assert time.process_time() - start < 30.0  # s; about 0.1, hours if all of it were read


# The rules are data.


def test_every_group_and_frame_gives_its_reason() -> None:
    for name in ("groups", "verbs", "topics", "names", "contacts"):
        for group, row in read(name).items():
            assert len(row["why"]) >= 8, f"{name}: {group}"
    for name in (*RULE_FILES, "quiet"):
        for row in read(name)["frame"]:
            assert len(row["why"]) >= 8
            assert row["label"] in {*LABELS, "quiet"}


def test_frames_read_as_written() -> None:
    assert parse("a|b ..2 c?", set()) == [
        ((frozenset("ab"), 0), (frozenset("c"), 2)),
        ((frozenset("ab"), 0),),
    ]
    assert len(parse("a <> b", set())) == 2
    with pytest.raises(ValueError, match="add the group"):
        parse("@nothing", set())


def test_verbs_get_the_endings_that_people_write() -> None:
    assert {"hit", "hits", "hitting", "hittin"} <= inflect("hit")
    assert {"touched", "touchd", "touchin", "touches"} <= inflect("touch")
    assert {"carries", "carried", "carrying"} <= inflect("carry")


def test_evidence_tells_a_person_from_a_place() -> None:
    def harm(text: str) -> int:
        return sums(features(note_of(fold(text), [])))[0]

    assert harm("he says its our thing and mum must never know") > 0
    assert harm("the steps by the library are slippery and need a rail") < -64  # 32 are a weight of 1


@pytest.mark.requirement("S3")
def test_kind_words_about_a_place_do_not_outweigh_one_sentence() -> None:
    around = "It is dark by the shops and I walk fast. {} The bus is ok. Nice library, the staff are kind."
    assert any("stepdad hits me" in found for found in marked(around.format("My stepdad hits me."), "disclosure"))
    assert "self_harm" in labels(around.format("I want to die."))


def test_words_are_cut_into_the_longest_pieces_that_are_known() -> None:
    known = {piece: n for n, piece in enumerate(("[CLS]", "[SEP]", "[UNK]", "walk", "##ing", "##in", "##g", "w", "."))}
    names = list(known)
    assert [names[n] for n in pieces_of("walking. 漢", known)] == ["[CLS]", "walk", "##ing", ".", "[UNK]", "[SEP]"]
    assert [names[n] for n in pieces_of("wz", known)] == ["[CLS]", "[UNK]", "[SEP]"]
    assert [names[n] for n in pieces_of("w" * 4_000, known)] == ["[CLS]", "[UNK]", "[SEP]"]


@pytest.mark.requirement("S3")
def test_the_language_model_hears_who_does_what_to_whom() -> None:
    assert heard("my uncle comes into my room at night and says not to tell")[0] > 32  # 32 are a weight of 1
    assert heard("my uncle paints the benches in the park and says hello")[0] < -32
    assert heard("i dont want to be here anymore and i cut myself")[1] < 0 < heard("my dad hits me with his belt")[1]


def test_the_language_model_leaves_what_is_too_long_to_the_other_evidence() -> None:
    assert heard("my dad hits me " * LONGEST) == (0, 0)
    assert encoder().read("") is not None


def test_the_learnt_numbers_stay_small() -> None:
    path = ROOT / "service" / "moderation" / "detector" / "data" / "weights.json"
    assert path.stat().st_size <= 600_000
    assert all(isinstance(x, int) for pair in json.loads(path.read_text("utf-8"))["weight"].values() for x in pair)


# The seen corpus: thresholds that fail when a change of the rules loses what was found.


@cache
def seen() -> list[tuple[str, frozenset[str]]]:
    rows = [json.loads(line) for line in SEEN.read_text(encoding="utf-8").splitlines()]
    assert len({row["id"] for row in rows}) == len({row["text"] for row in rows}) == len(rows)
    return [(row["text"], frozenset(row["labels"])) for row in rows]


@cache
def answers() -> dict[str, list[Found]]:
    return {text: detect(text) for text, _ in seen()}


def lower_bound(hits: int, of: int) -> float:
    """Return the lower end of Wilson's 95 % interval; 96 of 100 give 0.9016 (worked by hand in docs/detector.md)."""
    z2, share = 1.959964**2, hits / of
    middle = share + z2 / (2 * of)
    return (middle - math.sqrt(z2 * (share * (1 - share) / of + z2 / (4 * of * of)))) / (1 + z2 / of)


def test_lower_bound_agrees_with_the_worked_example() -> None:
    assert lower_bound(96, 100) == pytest.approx(0.9016, abs=5e-5)


def test_seen_corpus_holds_what_the_task_asks() -> None:
    number = {label: sum(label in given for _, given in seen()) for label in LABELS}
    assert len(seen()) >= 700
    assert min(number["disclosure"], number["self_harm"]) >= 130
    assert all(count >= 40 for count in number.values()), number
    assert sum(not given for _, given in seen()) >= 300


@pytest.mark.requirement("S3")
@pytest.mark.parametrize(
    ("label", "least"),
    [("disclosure", 0.97), ("self_harm", 0.97), *((label, 0.75) for label in list(LABELS)[2:])],
)
def test_recall_on_the_seen_corpus(label: str, least: float) -> None:
    have = [text for text, given in seen() if label in given]
    missed = [text for text in have if label not in {one.label for one in answers()[text]}]
    assert lower_bound(len(have) - len(missed), len(have)) >= least, missed


@pytest.mark.requirement("S3")
def test_few_harmless_texts_of_the_seen_corpus_are_flagged() -> None:
    harmless = [text for text, given in seen() if not given]
    flagged = [text for text in harmless if answers()[text]]
    assert len(flagged) / len(harmless) <= 0.12, flagged


def judged() -> list[dict[str, Any]]:
    """Return the texts that are never learnt: one writer's, and half of another's."""
    folder = SEEN.parent
    lines = (folder / "detector_second.jsonl").read_text(encoding="utf-8").splitlines()[1::2]
    lines += (folder / "detector_unseen.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def held_out() -> list[tuple[set[str], set[str]]]:
    """Return labels given and found for texts that were never learnt."""
    return [(set(row["labels"]), labels(row["text"])) for row in judged()]


@pytest.mark.requirement("S3")
def test_texts_of_other_writers_that_were_never_learnt() -> None:
    rows = held_out()
    for label in ("disclosure", "self_harm"):
        have = [found for given, found in rows if label in given]
        assert sum(label in found for found in have) / len(have) >= 0.94, label
    harmless = [found for given, found in rows if not given]
    assert sum(map(bool, harmless)) / len(harmless) <= 0.15


def test_what_is_judged_is_never_learnt() -> None:
    from scripts.detector_texts import SOURCES, learnt_rows

    learnt = {(row["id"], row["text"]) for source in SOURCES for row in learnt_rows(source)}
    assert len(judged()) > 900
    assert not learnt & {(row["id"], row["text"]) for row in judged()}


def test_seen_corpus_names_no_real_number_or_address() -> None:
    """Ofcom keeps 07700 900000 to 900999 and 020 7946 0000 to 0999 for drama; example.org belongs to nobody."""
    for text, given in seen():
        digits = "".join(c for c in text.replace("O", "0").replace("o", "0") if c.isdigit())
        if "phone" in given and digits.startswith("07") and len(digits) == 11:
            assert digits.startswith("07700900"), text
        if "@" in text and "e_mail" in given:
            assert "example.org" in text.lower(), text


def test_data_files_travel_with_the_package() -> None:
    folder = ROOT / "service" / "moderation" / "detector" / "data"
    names = {path.stem for path in folder.glob("*.toml")}
    used = {*RULE_FILES, "quiet", "groups", "verbs", "topics", "names", "contacts", "spelling", "common"}
    assert names == used
    assert (folder / "weights.json").is_file()
    assert (folder / "encoder.npz").stat().st_size <= 20_000_000
