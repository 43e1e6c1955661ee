"""Class limits and safe encoding: small, by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
import shapely

from geo.maps.classes import class_limits, class_of, class_words, shade
from geo.maps.encode import simplified, to_drawing, to_script_json


def test_limits_are_round_and_split_the_range_into_five() -> None:
    # range 0 to 480, 480 / 5 = 96, the next round step is 100
    assert class_limits([0, 110, 190, 260, 480], whole=True) == (100, 200, 300, 400)


def test_counts_never_get_limits_below_one() -> None:
    # range 0 to 2, 2 / 5 = 0.4: a step of 0.5 says nothing of counts, so 1
    assert class_limits([0, 1, 2], whole=True) == (1, 2)


def test_shares_may_have_fractions() -> None:
    # range 0.1 to 0.6, step 0.1: limits above the smallest value
    assert class_limits([0.1, 0.3, 0.6], whole=False) == (0.2, 0.3, 0.4, 0.5)


@pytest.mark.parametrize("values", [[], [5, 5, 5], [float("nan")]])
def test_no_limits_where_all_values_are_alike(values: list[float]) -> None:
    assert class_limits(values, whole=True) == ()


def test_more_than_five_classes_are_refused() -> None:
    with pytest.raises(ValueError, match="1 to 5"):
        class_limits([1, 2], classes=6, whole=True)


def test_a_value_on_a_limit_is_in_the_class_above() -> None:
    assert class_of([99, 100, 101, np.nan], (100,)).tolist() == [1, 2, 2, 0]


def test_words_name_every_limit() -> None:
    assert class_words((10, 20), unit=" %") == ["less than 10 %", "10 % to less than 20 %", "20 % or more"]


def test_few_classes_take_steps_apart() -> None:
    assert [shade(n) for n in (1, 2, 3)] == [[3], [2, 4], [1, 3, 5]]


PAYLOADS = [
    "`",
    "${alert(1)}",
    "`${alert(1)}`",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "'\"><svg onload=alert(1)>",
    '"; alert(1); //',
    "{{ 7 * 7 }}",
    "{% raw %}{{ this }}{% endraw %}",
    "{# gone #}",
    "]]>",
    "<!--",
    "\u2028\u2029",
    "\\u003cscript\\u003e",
    "javascript:alert(1)",
    "&lt;b&gt;",
]


@pytest.mark.requirement("X1")
@pytest.mark.parametrize("payload", PAYLOADS)
def test_encoded_words_hold_nothing_that_ends_a_script_or_a_string(payload: str) -> None:
    text = to_script_json({payload: [payload]})
    assert json.loads(text) == {payload: [payload]}
    assert not set(text) & set("<>&'`$\u2028\u2029")


def test_nan_becomes_null_and_arrays_become_lists() -> None:
    assert to_script_json({"a": np.array([1.5, np.nan]), "b": float("nan")}) == '{"a":[1.5,null],"b":null}'


def test_drawing_keeps_five_decimals() -> None:
    assert to_drawing(shapely.Point(-0.123456789, 51.987654321))["coordinates"] == (-0.12346, 51.98765)


def test_simplified_neighbours_keep_their_common_edge() -> None:
    # two squares that share the wavy edge x = 1; each bend is 0.001 wide
    edge = [(1 + 0.001 * (i % 2), i / 10) for i in range(11)]
    left = shapely.Polygon([(0, 0), *edge, (0, 1)])
    right = shapely.Polygon([(2, 0), *edge, (2, 1)])
    fine = simplified(np.array([left, right]), tolerance_degrees=0.1)
    assert shapely.get_num_coordinates(fine).sum() < shapely.get_num_coordinates([left, right]).sum()
    assert shapely.coverage_is_valid(fine)
    # no gap and no overlap: the union has the area of the two together
    assert shapely.area(shapely.union_all(fine)) == pytest.approx(shapely.area(fine).sum(), abs=1e-12)
