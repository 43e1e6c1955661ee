"""The numbers of a ward page: years compared, shares with their interval, the trend as bars."""

from __future__ import annotations

import math

import pytest

from service.areas.chart import HEIGHT, WIDTH, round_up, trend_chart
from service.areas.portrait import wilson
from service.areas.profile import compare_years
from service.crimes.schemas import MonthCount, SeriesBreak


def month(number: int, count: int | None) -> MonthCount:
    return MonthCount(month=f"2018-{number:02d}", count=count, categories={}, missing_forces=[])


def test_change_between_years_has_the_interval_of_a_rate_ratio() -> None:
    # 100 -> 121: ratio 1.21; sd of its log is sqrt(1/100 + 1/121) = 0.13515; exp(1.96 * 0.13515) = 1.3033
    change = compare_years(100, 121)
    assert change is not None
    assert change.percent == pytest.approx(21.0)
    assert change.low == pytest.approx((1.21 / 1.3033 - 1) * 100, abs=0.05)
    assert change.high == pytest.approx((1.21 * 1.3033 - 1) * 100, abs=0.05)
    assert not change.is_clear  # -7 % to +58 % holds 0


def test_a_halving_of_many_crimes_is_clear() -> None:
    change = compare_years(400, 200)
    assert change is not None
    assert change.is_clear
    assert change.high < 0


@pytest.mark.parametrize(("before", "after"), [(0, 5), (5, 0), (0, 0)])
def test_no_change_is_told_from_nothing(before: int, after: int) -> None:
    assert compare_years(before, after) is None


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [
        # Newcombe (1998), Statistics in Medicine 17:857-872, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_interval_of_a_share_is_wilsons(part: int, whole: int, low: float, high: float) -> None:
    assert wilson(part, whole) == pytest.approx((low, high), abs=0.00005)


@pytest.mark.parametrize(
    ("count", "top"), [(1, 1), (2, 2), (3, 5), (7, 10), (11, 20), (51, 100), (100, 100), (201, 500)]
)
def test_top_of_the_scale_is_the_next_round_number(count: int, top: int) -> None:
    assert round_up(count) == top


@pytest.mark.requirement("P4")
def test_missing_month_is_a_gap_and_not_a_bar_of_nothing() -> None:
    chart = trend_chart([month(1, 10), month(2, None), month(3, 0)], None, [])
    assert chart is not None
    assert [bar.height for bar in chart.bars] == [HEIGHT, None, 0.0]


def test_bars_fill_the_width_and_breaks_stand_at_their_month() -> None:
    note = SeriesBreak(month="2018-03", force="metropolitan", note="Other counting.")
    chart = trend_chart([month(1, 5), month(2, 4), month(3, 3), month(4, 2)], 3.5, [note])
    assert chart is not None
    last = chart.bars[-1]
    assert last.x + last.width == pytest.approx(WIDTH, abs=WIDTH / 4 * 0.25)
    assert chart.breaks == [(WIDTH / 2, note)]
    assert chart.mean_y is not None
    assert math.isclose(chart.mean_y, HEIGHT * (1 - 3.5 / 5))


def test_no_known_month_is_no_chart() -> None:
    assert trend_chart([month(1, None)], None, []) is None
