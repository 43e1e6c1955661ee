"""Opening hours: from text, and at a moment."""

from __future__ import annotations

from datetime import datetime

import pytest

from service.venues.hours import check_hours, is_open, parse_hours


def test_text_names_days_and_spans() -> None:
    assert parse_hours("Mon–Wed 9:00-12:00, 13.00-17:30; Saturday 10:00-14:00; Sun closed") == {
        "mon": [("09:00", "12:00"), ("13:00", "17:30")],
        "tue": [("09:00", "12:00"), ("13:00", "17:30")],
        "wed": [("09:00", "12:00"), ("13:00", "17:30")],
        "sat": [("10:00", "14:00")],
    }


def test_days_go_round_the_week() -> None:
    assert list(parse_hours("Sat-Mon 10:00-12:00")) == ["mon", "sat", "sun"]


@pytest.mark.parametrize(
    "text", ["whenever", "Mon", "Mon 9-5", "Xyz 09:00-10:00", "Mon 25:00-26:00", "Mon 09:00-10:61"]
)
def test_text_that_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="are written as"):
        parse_hours(text)


def test_unknown_day_is_refused() -> None:
    with pytest.raises(ValueError, match="Days are"):
        check_hours({"monday": [("09:00", "10:00")]})


@pytest.mark.parametrize(
    ("day", "clock", "expected"),
    [
        (5, "08:59", False),  # 5 June 2026 is a Friday
        (5, "09:00", True),
        (5, "16:59", True),
        (5, "17:00", False),
        (5, "21:59", False),
        (5, "22:00", True),
        (6, "01:59", True),  # Saturday, from the night before
        (6, "02:00", False),
        (6, "23:00", False),
    ],
)
def test_open_from_its_first_minute_to_before_its_last_and_past_midnight(day: int, clock: str, expected: bool) -> None:
    hours = {"fri": [("09:00", "17:00"), ("22:00", "02:00")]}
    moment = datetime.fromisoformat(f"2026-06-{day:02}T{clock}")
    assert is_open(hours, moment) is expected


def test_open_all_day() -> None:
    hours = check_hours({"fri": [("00:00", "24:00")]})
    assert is_open(hours, datetime.fromisoformat("2026-06-05T00:00"))
    assert is_open(hours, datetime.fromisoformat("2026-06-05T23:59"))
    assert not is_open(hours, datetime.fromisoformat("2026-06-06T00:00"))
