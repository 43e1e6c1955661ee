"""Attacks on releases by somebody who knows the rules, every release, and as many people as they like to be."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.disclosure import Disclosed, Memory, Rules, disclose
from geo.disclosure_cells import Partition
from tests.support.attack import narrowest, shown_of
from tests.support.marks import PARTITION, REASONS, UNIONS, frame, mark, people, random_marks

RULES = Rules()
Rows = list[dict[str, Any]]
shapes = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 10_000),
        "workshops": st.integers(1, 5),
        "size": st.sampled_from([3, 8, 14, 25]),
        "most": st.integers(1, 3),
    }
)
EXAMPLES = settings(max_examples=12, deadline=None, derandomize=True)


def release(rows: Rows, before: Disclosed | None = None, partition: Partition = PARTITION) -> Disclosed:
    number = 1 if before is None else int(before.table["since"].max() if before.table["since"].notna().any() else 1) + 1
    return disclose(
        frame(rows), partition, reasons=REASONS, rules=RULES, number=number, memory=before.memory if before else None
    )


def behind(rows: Rows, key: str) -> dict[str, set[str]]:
    """Return by workshop who is behind a cell of a ward, a union or the borough: counted again, by other code."""
    area, feeling, item = key.split("|")
    wards = {"borough": {*PARTITION.wards}, **{union: {*members} for union, members in UNIONS.items()}}.get(
        area, {area}
    )
    found: dict[str, set[str]] = {}
    for row in rows:
        if not wards & set(row["areas"]["wards"]) or feeling not in {"all", row["feeling"]}:
            continue
        if row["status"] != "approved" or row["publish"] != "count" or row["source"] == "open":
            continue
        day = {"weekday_day", "after_school", "weekend_day"} & set(row["times"])
        night = {"evening", "night"} & set(row["times"])
        named = item.removeprefix("reason:") in row["reasons"]
        if not item or (item == "day" and day) or (item == "night" and night) or (item.startswith("reason:") and named):
            found.setdefault(row["workshop"], set()).add(row["contributor"])
    return found


def size_of(found: dict[str, set[str]]) -> int:
    return sum(len(who) for who in found.values())


@pytest.mark.requirement("D1", "D2")
@EXAMPLES
@given(shapes)
def test_every_shown_number_rests_on_ten_people_of_two_workshops_and_is_rounded_to_five(shape: dict[str, int]) -> None:
    rows = random_marks(**shape)
    made = release(rows)
    for key, value in shown_of(made.table).items():
        found = behind(rows, key)
        assert size_of(found) >= 10
        assert len(found) >= 2
        assert value % 5 == 0
        assert abs(value - size_of(found)) <= 2


@pytest.mark.requirement("D3")
@EXAMPLES
@given(shapes)
def test_no_hidden_number_can_be_bounded_to_less_than_five_people(shape: dict[str, int]) -> None:
    made = release(random_marks(**shape))
    width, key = narrowest(made.table, UNIONS, one_mark=shape["most"] == 1)
    assert width >= RULES.interval_min, key


@pytest.mark.requirement("D4", "L7")
@EXAMPLES
@given(shapes, st.integers(0, 10_000))
def test_one_withdrawal_changes_nothing_that_is_published(shape: dict[str, int], pick: int) -> None:
    rows = random_marks(**shape)
    first = release(rows)
    gone = rows[pick % len(rows)]
    person = (gone["workshop"], gone["contributor"])
    left = [row for row in rows if (row["workshop"], row["contributor"]) != person]
    second = release(left, first)
    pd.testing.assert_frame_equal(first.table, second.table)


@pytest.mark.requirement("D4")
@EXAMPLES
@given(shapes, st.sampled_from(PARTITION.wards), st.sampled_from(["safe", "unsafe", "mixed"]))
def test_one_late_mark_changes_nothing_that_is_published(shape: dict[str, int], ward: str, feeling: str) -> None:
    rows = random_marks(**shape)
    first = release(rows)
    second = release([*rows, mark("late", "somebody", ward, feeling)], first)
    pd.testing.assert_frame_equal(first.table, second.table)


@pytest.mark.requirement("S9", "D3")
@EXAMPLES
@given(shapes, st.integers(1, 40))
def test_marks_never_to_be_published_and_open_marks_leave_no_trace(shape: dict[str, int], count: int) -> None:
    rows = random_marks(**shape)
    secret = people("w0", count, "A", "safe", start=500, publish="never")
    trolls = people("troll", count, "B", "unsafe", source="open") + people(
        "troll2", count, "B", "unsafe", source="open"
    )
    waiting = people("w1", count, "C", "safe", status="held") + people("w2", count, "C", "safe", status="withdrawn")
    plain, crowded = release(rows), release(rows + secret + trolls + waiting)
    pd.testing.assert_frame_equal(plain.table, crowded.table)
    assert plain.memory == crowded.memory


@pytest.mark.requirement("D4", "D7")
@settings(max_examples=8, deadline=None, derandomize=True)
@given(
    shapes, st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 3), st.integers(0, 6)), min_size=1, max_size=4)
)
def test_a_sequence_of_releases_never_speaks_of_fewer_than_ten_people(
    shape: dict[str, int], steps: list[tuple[int, int, int]]
) -> None:
    rows = random_marks(**shape)
    made = release(rows)
    counted_on = {key: behind(rows, key) for key in made.why}
    for step, (seed, workshops, leave) in enumerate(steps):
        rows = rows[leave:]
        rows = rows + random_marks(seed, workshops=workshops, size=14, most=2, label=f"s{step}-")
        before, made = made, release(rows, made)
        old, new = shown_of(before.table), shown_of(made.table)
        for key, value in new.items():
            if old.get(key) == value:
                continue
            now, then = behind(rows, key), counted_on[key]
            moved = {name: now.get(name, set()) ^ then.get(name, set()) for name in now.keys() | then.keys()}
            assert size_of(now) >= 10
            assert size_of(moved) >= 10
            assert sum(1 for who in moved.values() if who) >= 2
        for key in made.why:
            if made.memory.basis[key] != before.memory.basis[key]:
                counted_on[key] = behind(rows, key)
        assert not made.audit.narrow


@pytest.mark.requirement("D4")
@EXAMPLES
@given(shapes, st.integers(1, 9))
def test_new_ward_lines_do_not_give_away_who_lives_between_old_and_new(shape: dict[str, int], moved: int) -> None:
    """The line between A and B moves; the few people who marked the strip must not follow by subtraction."""
    rows = [
        row | {"areas": {"wards": row["areas"]["wards"], "new": [f"{w}2" for w in row["areas"]["wards"]]}}
        for row in random_marks(**shape)
    ]
    strip = people("w0", moved // 2, "A", start=700) + people("w1", moved - moved // 2, "A", start=700)
    rows += [row | {"areas": {"wards": ["A"], "new": ["B2"]}} for row in strip]
    first = release(rows)
    lines = Partition("new", {f"{union}2": tuple(f"{ward}2" for ward in members) for union, members in UNIONS.items()})
    second = release(rows, first, lines)
    old, new = shown_of(first.table), shown_of(second.table)
    for feeling in ("all", "unsafe"):
        for ward in ("A", "B"):
            then, now = behind(rows, f"{ward}|{feeling}|"), {}
            for row in rows:
                if f"{ward}2" in row["areas"]["new"] and feeling in {"all", row["feeling"]}:
                    now.setdefault(row["workshop"], set()).add(row["contributor"])
            apart = {name: now.get(name, set()) ^ then.get(name, set()) for name in now.keys() | then.keys()}
            if f"{ward}|{feeling}|" in old and 0 < size_of(apart) < 10:
                assert f"{ward}2|{feeling}|" not in new


@pytest.mark.requirement("D7")
@EXAMPLES
@given(shapes, st.randoms(use_true_random=False))
def test_the_same_marks_in_any_order_give_the_same_release_to_the_digit(shape: dict[str, int], chance: Any) -> None:
    rows = random_marks(**shape)
    shuffled = rows[:]
    chance.shuffle(shuffled)
    one, other = release(rows), release(shuffled)
    pd.testing.assert_frame_equal(one.table, other.table)
    assert one.memory == other.memory
    assert Memory.from_json(one.memory.to_json()) == one.memory
