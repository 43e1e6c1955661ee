"""The simulation: the same by seed, inside the borough, gathered where it should be, about nobody."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import numpy as np
import pytest
import shapely

from service.demo.material import Category, Centre, Material, read_material
from service.demo.simulation import (
    SampleMark,
    closeness,
    simulate_crimes,
    simulate_marks,
    snap_points,
)
from service.places.reasons import choices, reasons_by_code

# A square of 4 km with one town centre in the middle of its western half.
SQUARE = shapely.box(0, 0, 4000, 4000)
CENTRES = (Centre(1000, 2000, 1.0, 300),)
LAST_DAY = date(2026, 11, 20)


@pytest.fixture(scope="module")
def material() -> Material:
    return read_material()


@pytest.fixture(scope="module")
def borough(material: Material) -> Any:
    """A hull around every spot, wide enough for the jitter."""
    return shapely.MultiPoint([(spot.x, spot.y) for spot in material.spots]).convex_hull.buffer(600)


@pytest.fixture(scope="module")
def marks(material: Material, borough: Any) -> list[SampleMark]:
    return simulate_marks(material, borough, contributors=150, marks=400, last_day=LAST_DAY, seed=1)


def test_snap_points_are_inside_whole_metres_and_the_same_by_seed() -> None:
    points = snap_points(SQUARE, CENTRES, count=500, seed=3)
    assert points.shape == (500, 2)
    assert shapely.contains_xy(SQUARE, points).all()
    np.testing.assert_array_equal(points, np.round(points))
    np.testing.assert_array_equal(points, snap_points(SQUARE, CENTRES, count=500, seed=3))
    assert not np.array_equal(points, snap_points(SQUARE, CENTRES, count=500, seed=4))


def test_closeness_is_the_weight_in_the_middle_and_a_normal_curve_around_it() -> None:
    # one spread away: exp(-1/2) = 0.6065
    points = np.array([[1000.0, 2000.0], [1300.0, 2000.0], [4000.0, 4000.0]])
    np.testing.assert_allclose(closeness(points, CENTRES), [1.0, 0.6065, 0.0], atol=1e-4)


def test_crimes_follow_the_mean_the_shares_and_the_pull() -> None:
    categories = (Category("home", 0.5, 0.0, 0.0), Category("shop", 0.5, 50.0, 0.0))
    points = snap_points(SQUARE, CENTRES, count=800, seed=1)
    months = [f"2025-{month:02}" for month in range(1, 13)]
    crimes = simulate_crimes(points, CENTRES, categories, months=months, mean=1000, seed=1)
    # Poisson sum of mean 12,000: standard deviation 110; five of them
    assert abs(len(crimes.month) - 12_000) < 550
    assert abs((crimes.category == 0).sum() - 6_000) < 390
    near = np.hypot(points[:, 0] - 1000, points[:, 1] - 2000) < 600
    share = [near[crimes.point[crimes.category == which]].mean() for which in (0, 1)]
    assert share[1] > share[0] + 0.2


def test_season_is_high_in_july_and_low_in_january() -> None:
    categories = (Category("asb", 1.0, 0.0, 0.5),)
    points = snap_points(SQUARE, CENTRES, count=50, seed=1)
    crimes = simulate_crimes(points, CENTRES, categories, months=["2025-01", "2025-07"], mean=2000, seed=1)
    january, july = np.bincount(crimes.month)
    # 2000 x 0.5 and 2000 x 1.5, within five standard deviations of a Poisson count
    assert abs(january - 1000) < 160
    assert abs(july - 3000) < 275


def test_crimes_are_the_same_by_seed(material: Material) -> None:
    points = snap_points(SQUARE, CENTRES, count=50, seed=1)
    one, two, other = (
        simulate_crimes(points, CENTRES, material.categories, months=["2025-01"], mean=100, seed=seed)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.point, two.point)
    assert not np.array_equal(one.point, other.point)


def test_shares_of_categories_add_up_to_one(material: Material) -> None:
    assert sum(category.share for category in material.categories) == pytest.approx(1.0)


def test_marks_are_as_many_as_asked_by_as_many_people(marks: list[SampleMark], material: Material) -> None:
    assert len(marks) == 400
    assert len({mark.contributor for mark in marks}) == 150
    assert {mark.meeting for mark in marks} == set(range(len(material.meetings)))


def test_a_person_is_in_one_workshop_only(marks: list[SampleMark]) -> None:
    pairs = {(mark.contributor, mark.meeting) for mark in marks}
    assert len(pairs) == len({mark.contributor for mark in marks})


def test_marks_are_the_same_by_seed(material: Material, borough: Any, marks: list[SampleMark]) -> None:
    again = simulate_marks(material, borough, contributors=150, marks=400, last_day=LAST_DAY, seed=1)
    assert again == marks
    other = simulate_marks(material, borough, contributors=150, marks=400, last_day=LAST_DAY, seed=2)
    assert {mark.id for mark in other}.isdisjoint(mark.id for mark in marks)


def test_marks_lie_inside_and_their_shape_fits_their_kind(marks: list[SampleMark], borough: Any) -> None:
    shapes = {"point": "Point", "route": "LineString", "border": "LineString", "area": "Polygon"}
    assert all(borough.contains(mark.geometry) and mark.geometry.is_simple for mark in marks if mark.kind != "route")
    assert {(mark.kind, mark.geometry.geom_type) for mark in marks} <= set(shapes.items())
    assert all(mark.geometry.is_valid for mark in marks)


def test_mark_ids_are_random_uuids_once_each(marks: list[SampleMark]) -> None:
    assert {mark.id.version for mark in marks} == {4}
    assert len({mark.id for mark in marks}) == len(marks)


def test_reasons_exist_fit_the_feeling_and_are_told_once(marks: list[SampleMark]) -> None:
    for mark in marks:
        assert 1 <= len(mark.reasons) == len(set(mark.reasons)) <= 3
        assert all(reasons_by_code()[code].fits(mark.feeling) for code in mark.reasons)


def test_every_reason_a_profile_names_fits(material: Material) -> None:
    known = reasons_by_code()
    for profile in material.profiles.values():
        assert all(known[code].fits("unsafe") for code in profile.unsafe)
        assert all(known[code].fits("safe") for code in profile.safe)
    assert {spot.kind for spot in material.spots} == set(material.profiles)


def test_times_exist_and_keep_day_and_night_apart(marks: list[SampleMark]) -> None:
    known = {time.code for time in choices().times}
    for mark in marks:
        assert set(mark.times) <= known
        assert len({time in {"evening", "night"} for time in mark.times}) == 1


def test_dark_is_less_safe_than_day(marks: list[SampleMark]) -> None:
    def share(*, dark: bool) -> float:
        chosen = [mark for mark in marks if (mark.times[0] in {"evening", "night"}) == dark]
        return sum(mark.feeling == "unsafe" for mark in chosen) / len(chosen)

    assert share(dark=True) > share(dark=False) + 0.15


def test_days_run_over_ten_months_to_the_last_day(marks: list[SampleMark]) -> None:
    assert max(mark.day for mark in marks) == LAST_DAY
    assert (LAST_DAY - min(mark.day for mark in marks)).days == 300


@pytest.mark.requirement("L3")
def test_notes_hold_no_name_number_or_handle(material: Material) -> None:
    for profile in material.profiles.values():
        for note in (*profile.notes_unsafe, *profile.notes_safe, *profile.suggestions):
            assert not re.search(r"\d|@|https?:", note)
            # no capital inside a sentence but the word I: a person's or a street's name would have one
            assert not re.search(r"(?<!^)\b(?!I\b)[A-Z][a-z]*", note)
            assert len(note) <= 120
