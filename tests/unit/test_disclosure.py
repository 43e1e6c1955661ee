"""The disclosure function on tables small enough to do by hand."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from geo.disclosure import Rules, disclose, share_percent
from geo.disclosure_cells import Partition, Relation, Tally, countable
from geo.disclosure_memory import Memory
from geo.errors import ColumnError, DisclosureError
from geo.suppression import Board, audit, suppress
from geo.ward_unions import unite_wards
from tests.support.marks import PARTITION, REASONS, frame, mark, people

RULES = Rules()


def shown(rows: list[dict[str, Any]], **values: Any) -> dict[str, int]:
    made = disclose(frame(rows), PARTITION, reasons=REASONS, **values)
    return made.memory.values  # type: ignore[return-value]


@pytest.mark.requirement("D2")
@pytest.mark.parametrize(
    ("people", "value", "range_"),
    # nearest 5; a shown 10 means 10 to 12, since fewer than 10 are never shown
    [(10, 10, (10, 12)), (12, 10, (10, 12)), (13, 15, (13, 17)), (17, 15, (13, 17)), (18, 20, (18, 22))],
)
def test_numbers_are_rounded_to_the_nearest_five_and_stand_for_five_or_three_values(
    people: int, value: int, range_: tuple[int, int]
) -> None:
    assert RULES.rounded(people) == value
    assert RULES.stands_for(value) == range_


def test_an_even_base_rounds_halves_up_and_knows_it() -> None:
    rules = Rules(base=4, people_min=10)
    values = {number: rules.rounded(number) for number in range(10, 40)}
    for number, value in values.items():
        low, high = rules.stands_for(value)
        assert low <= number <= high
        assert all(values[other] == value for other in range(low, high + 1) if other in values)


@pytest.mark.requirement("D1", "D2")
@pytest.mark.parametrize(
    ("workshops", "enough"),
    [
        ({"a": 7, "b": 3}, True),
        ({"a": 6, "b": 3}, False),  # nine people
        ({"a": 12}, False),  # one workshop
        ({"a": 12, "b": 2}, False),  # who led the first knows all but two
        ({"a": 12, "b": 2, "c": 1}, True),
        ({"a": 12, "b": 0}, False),
        ({}, False),
    ],
)
def test_enough_means_ten_people_two_workshops_and_three_outside_the_largest(
    workshops: dict[str, int], enough: bool
) -> None:
    assert RULES.is_enough(workshops) == enough


@pytest.mark.requirement("D1")
def test_a_person_counts_once_however_many_marks_and_a_group_mark_speaks_for_its_people() -> None:
    found = Tally()
    for _ in range(12):
        found.add("cell", ("w", "one"), 1)
    found.add("cell", ("w", "group"), 6)
    found.add("cell", ("w", "group"), 8)
    assert found.people("cell") == 9
    group = [mark("w1", "g", people=8), mark("w2", "g", people=8)]
    assert shown(group) == shown([*group, *group])
    pins = [mark(f"w{n % 2}", "p", areas={"wards": ["A"]}) for n in range(24)]
    assert shown(pins) == {}


@pytest.mark.requirement("D3")
def test_audit_finds_what_one_subtraction_gives_away() -> None:
    # 50 [48..52] = 20 [18..22] + 30 [28..32] + hidden: 0 to 52 - 46 = 6, wide enough for 5 and too narrow for 7
    tie = Relation("total", ("a", "b", "c"))
    known = {"total": (48, 52), "a": (18, 22), "b": (28, 32)}
    assert audit(known, [tie], ["c"], interval_min=6).narrow == {}
    assert set(audit(known, [tie], ["c"], interval_min=7).narrow) == {"c"}


@pytest.mark.requirement("D3")
def test_audit_finds_what_only_several_totals_together_give_away() -> None:
    # rows: x + y = 20 [18..22], z + w = 20; columns: x + z = 20, y + w known 30 [28..32]. No single total bounds w from
    # below, but w = (z + w) - z >= 18 - z and z <= 22 - x ...: the whole table bounds y + w, hence x + z.
    ties = [
        Relation("row1", ("x", "y")), Relation("row2", ("z", "w")), Relation("all", ("row1", "row2")),
        Relation("column1", ("x", "z")), Relation("all", ("column1", "column2")), Relation("column2", ("y", "w")),
    ]  # fmt: skip
    known = {"row1": (18, 22), "row2": (18, 22), "column2": (38, 42), "all": (40, 44)}
    found = audit(known, ties, ["x", "y", "z", "w", "column1"], interval_min=5).narrow
    # column1 = all - column2 <= 44 - 38 = 6: wide enough for 5
    assert set(found) == set()
    found = audit(known | {"column2": (40, 42)}, ties, ["x", "y", "z", "w", "column1"], interval_min=5).narrow
    assert {"x", "z", "column1"} <= set(found)  # at most 4
    assert found["x"] is None or found["x"].total == "all" or found["x"].total == "column1"


@pytest.mark.requirement("D3")
def test_hidden_parts_together_are_protected_too() -> None:
    # 20 [18..22], a = 20 [18..22]; b, c and d together are at most 4 people
    tie = Relation("total", ("a", "b", "c", "d"))
    found = audit({"total": (18, 22), "a": (18, 22)}, [tie], ["b", "c", "d"], interval_min=5).narrow
    assert {"b", "c", "d"} <= set(found)


def test_suppression_takes_back_what_is_worth_least_and_stops() -> None:
    tie = Relation("total", ("a", "b", "c"))
    board = Board({"total": 35, "a": 25, "b": 10}, {}, {"total", "a", "b"})
    report = suppress(
        board, [tie], ["total", "a", "b", "c"], interval_min=5, bounds=RULES.stands_for,
        rank=lambda key: {"b": 0, "a": 1, "total": 2}.get(key, 3),
    )  # fmt: skip
    assert report.narrow == {}
    assert board.values == {"total": 35, "a": 25}


def test_a_former_number_is_shown_again_rather_than_taken_away() -> None:
    board = Board({"a": 25}, {"a": 15}, {"a"})
    board.take_back("a")
    assert board.values == {"a": 15}
    assert board.fresh == set()


@pytest.mark.requirement("D4")
def test_a_number_stays_until_ten_people_of_two_workshops_changed_behind_it() -> None:
    rows = people("w1", 10) + people("w2", 10) + people("w3", 10, feeling="safe", ward="D")
    rows += people("w4", 10, feeling="safe", ward="D")
    first = disclose(frame(rows), PARTITION, reasons=REASONS)
    assert first.memory.values["borough|unsafe|"] == 20

    def later(more: list[dict[str, Any]]) -> int:
        made = disclose(frame(rows + more), PARTITION, reasons=REASONS, number=2, memory=first.memory)
        return made.memory.values["borough|unsafe|"]

    assert later(people("w1", 9, start=50)) == 20  # nine people
    assert later(people("w5", 14)) == 20  # fourteen of one workshop: the difference would be that workshop's answer
    assert later(people("w5", 14) + people("w6", 2)) == 20  # all but two of one workshop
    assert later(people("w5", 7) + people("w6", 7)) == 35  # 34 people


@pytest.mark.requirement("D4")
def test_a_hidden_number_appears_only_with_ten_more_people() -> None:
    rows = people("w1", 5) + people("w2", 4)
    first = disclose(frame(rows), PARTITION, reasons=REASONS)
    assert first.memory.values == {}
    one_more = disclose(
        frame(rows + people("w2", 1, start=50)), PARTITION, reasons=REASONS, number=2, memory=first.memory
    )
    assert one_more.memory.values == {}  # it is ten now, and the tenth would be known
    many = rows + people("w3", 8) + people("w4", 8)
    assert disclose(frame(many), PARTITION, reasons=REASONS, number=2, memory=first.memory).memory.values


@pytest.mark.requirement("L7", "D4")
def test_a_number_is_hidden_once_its_people_are_gone() -> None:
    rows = people("w1", 10) + people("w2", 10)
    first = disclose(frame(rows), PARTITION, reasons=REASONS)
    assert first.memory.values
    second = disclose(frame(people("w1", 2)), PARTITION, reasons=REASONS, number=2, memory=first.memory)
    assert second.memory.values == {}


@pytest.mark.requirement("D7")
def test_the_table_has_the_same_lines_whatever_the_marks_say() -> None:
    none = disclose(frame([]), PARTITION, reasons=REASONS).table
    some = disclose(frame(people("w1", 10) + people("w2", 10)), PARTITION, reasons=REASONS).table
    keys = ["area", "feeling", "item"]
    pd.testing.assert_frame_equal(none[keys], some[keys])
    assert none["people"].isna().all()
    # borough: 4 feelings, 4 x day and night, 2 x 2 reasons; 2 unions and 5 wards x 4 feelings
    assert len(none) == 4 + 8 + 4 + 28


def test_percentages_come_from_shown_numbers_only() -> None:
    assert share_percent(25, 60) == 42
    assert share_percent(None, 60) is None
    assert share_percent(10, None) is None
    with pytest.raises(DisclosureError, match="larger than its base"):
        share_percent(60, 25)


def test_marks_that_cannot_be_counted_are_refused() -> None:
    with pytest.raises(ColumnError):
        countable(pd.DataFrame({"feeling": ["safe"]}))
    with pytest.raises(DisclosureError, match="at least one person"):
        countable(frame([mark("w", "p", people=0)]))
    assert countable(frame([mark("w", "p", people=0, status="rejected")])).empty


@pytest.mark.parametrize(
    "values",
    [
        {"people_min": 2},
        {"base": 11},
        {"interval_min": 10},
        {"interval_min": 0},
        {"workshops_min": 0},
        {"others_min": -1},
    ],
)
def test_rules_that_protect_nobody_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(DisclosureError):
        Rules(**values)


@pytest.mark.parametrize(
    "unions", [{"u": ("A",), "v": ("A",)}, {"A": ("A",)}, {"u": ("borough",)}, {"u": ("a|b",)}, {"u": ("",)}]
)
def test_partition_refuses_codes_that_would_be_mixed_up(unions: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(DisclosureError):
        Partition("wards", unions)


def test_unions_stay_while_the_wards_stay_and_wards_need_a_new_set_name() -> None:
    memory = disclose(frame(people("w1", 10) + people("w2", 10)), PARTITION, reasons=REASONS).memory
    other = Partition("wards", {"west": ("A", "D"), "east": ("B", "C", "E")})
    assert memory.moved_to(other).partition == PARTITION
    with pytest.raises(DisclosureError, match="set name of their own"):
        memory.moved_to(Partition("wards", {"u": ("A", "B")}))


@pytest.mark.requirement("D4")
def test_where_earlier_lines_are_gone_nothing_new_is_said_by_area() -> None:
    rows = people("w1", 10) + people("w2", 10) + people("w3", 10, "D") + people("w4", 10, "B")
    first = disclose(frame(rows), PARTITION, reasons=REASONS)
    assert first.memory.values["A|unsafe|"] == 20
    lines = Partition("new", {"n": ("X", "Y")})
    lost = [row | {"areas": {"new": ["X" if row["areas"]["wards"] == ["A"] else "Y"]}} for row in rows]
    second = disclose(frame(lost), lines, reasons=REASONS, number=2, memory=first.memory)
    assert not [key for key in second.memory.values if not key.startswith("borough")]
    kept = [new | {"areas": new["areas"] | old["areas"]} for new, old in zip(lost, rows, strict=True)]
    third = disclose(frame(kept), lines, reasons=REASONS, number=2, memory=first.memory)
    assert third.memory.values["X|unsafe|"] == 20  # exactly the people of the former A: no new number
    assert third.memory.since["X|unsafe|"] == 1


def test_memory_survives_json_and_refuses_other_content() -> None:
    memory = disclose(frame(people("w1", 10) + people("w2", 10)), PARTITION, reasons=REASONS).memory
    assert Memory.from_json(memory.to_json()) == memory
    with pytest.raises(DisclosureError):
        Memory.from_json({"values": {}})


def test_wards_are_united_by_position_alone() -> None:
    codes = ["SW", "SE", "NW", "NE"]
    x, y = [0.0, 10.0, 0.0, 10.0], [0.0, 0.0, 4.0, 4.0]
    # wider than high: halved into west and east
    assert unite_wards(codes, x, y, size=2) == {"union-1": ("NW", "SW"), "union-2": ("NE", "SE")}
    back = [3, 2, 1, 0]
    assert unite_wards([codes[n] for n in back], [x[n] for n in back], [y[n] for n in back], size=2) == unite_wards(
        codes, x, y, size=2
    )
    assert unite_wards([], [], [], size=5) == {}
    with pytest.raises(DisclosureError):
        unite_wards(["A", "A"], [0, 1], [0, 1], size=2)
