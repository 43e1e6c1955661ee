"""Shares with Wilson intervals and Cohen's kappa, against worked examples."""

from __future__ import annotations

import math

import pytest

from service.moderation.agreement import agreement_rows, cohens_kappa, wilson


@pytest.mark.requirement("E3")
def test_kappa_of_the_worked_example() -> None:
    # 50 pairs: observed (20 + 15) / 50 = 0.7; expected 25/50 * 30/50 + 25/50 * 20/50 = 0.5; kappa = 0.2 / 0.5 = 0.4;
    # standard error sqrt(0.7 * 0.3 / 50) / 0.5 = 0.12961; interval 0.4 -+ 1.95996 * 0.12961
    pairs = [("approve", "approve", 20), ("approve", "reject", 5), ("reject", "approve", 10), ("reject", "reject", 15)]
    found = cohens_kappa(pairs)
    assert found is not None
    error = math.sqrt(0.7 * 0.3 / 50) / 0.5
    assert found == pytest.approx((0.4, 0.4 - 1.95996 * error, 0.4 + 1.95996 * error), abs=5e-4)


def test_kappa_is_one_where_both_always_agree_and_none_where_chance_is_all() -> None:
    assert cohens_kappa([("approve", "approve", 9), ("reject", "reject", 4)]) == (1.0, 1.0, 1.0)
    assert cohens_kappa([("approve", "approve", 9)]) is None


def test_passing_to_the_lead_is_a_class_of_its_own() -> None:
    (approve, reject) = agreement_rows([("approve", "hold", 2), ("approve", "approve", 8), ("reject", "reject", 1)])
    assert (approve.act, approve.same, approve.total, approve.percent) == ("approve", 8, 10, 80.0)
    assert (reject.same, reject.total) == (1, 1)


@pytest.mark.parametrize(
    ("same", "total", "low", "high"),
    # Newcombe 1998, table I: 81 of 263 and 15 of 148, 0 of 20, 1 of 29, score method without continuity correction
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_interval_of_the_published_table(same: int, total: int, low: float, high: float) -> None:
    assert wilson(same, total) == pytest.approx((low, high), abs=5e-5)
