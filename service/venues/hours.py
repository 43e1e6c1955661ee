"""Opening hours: read from plain text, checked, asked whether open."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Hours = dict[str, list[tuple[str, str]]]
"""Day -> spans of local time HH:MM; a span whose end is not after its start goes on past midnight."""

_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")
_RULE = re.compile(r"([a-z]{3})[a-z]*(?:\s*-\s*([a-z]{3})[a-z]*)?\s+(.+)")
_SPAN = re.compile(r"(\d{1,2}[:.]\d{2})\s*-\s*(\d{1,2}[:.]\d{2})")


def parse_hours(text: str) -> Hours:
    """Return the hours that a text such as ``Mon-Fri 09:00-12:00, 13:00-17:30; Sat 10:00-14:00`` names.

    Raises
    ------
    ValueError
        If a part of it is not understood; days that are not named are closed.
    """
    hours: Hours = {}
    for part in re.split(r"[;\n]+", text.replace("–", "-")):
        rule = part.strip().lower()
        if not rule:
            continue
        found = _RULE.fullmatch(rule)
        days = _days(found[1], found[2]) if found else []
        spans = found[3] if found else ""
        if not days or (spans != "closed" and not all(_SPAN.fullmatch(span.strip()) for span in spans.split(","))):
            message = "Hours are written as 'Mon-Fri 09:00-17:30; Sat 10:00-14:00'; leave closed days out."
            raise ValueError(message)
        for day in days:
            hours[day] = hours.get(day, []) + [(_clock(start), _clock(end)) for start, end in _SPAN.findall(spans)]
    return check_hours({day: spans for day, spans in hours.items() if spans})


def check_hours(hours: Hours) -> Hours:
    """Return the hours in the order of the week.

    Raises
    ------
    ValueError
        If a day or a time cannot be.
    """
    for day, spans in hours.items():
        if day not in DAYS:
            message = f"Days are {', '.join(DAYS)}."
            raise ValueError(message)
        if not all(_TIME.fullmatch(clock) for span in spans for clock in span):
            message = "Times are written as HH:MM, from 00:00 to 24:00."
            raise ValueError(message)
    return {day: sorted(hours[day]) for day in DAYS if hours.get(day)}


def is_open(hours: Hours, moment: datetime) -> bool:
    """Return whether a place with these hours is open at a local moment."""
    clock = moment.strftime("%H:%M")
    today = hours.get(DAYS[moment.weekday()], [])
    yesterday = hours.get(DAYS[(moment - timedelta(days=1)).weekday()], [])
    late = any(end <= start and clock < end for start, end in yesterday)
    return late or any(start <= clock and (clock < end or end <= start) for start, end in today)


def _days(first: str, last: str | None) -> list[str]:
    if first not in DAYS or (last or first) not in DAYS:
        return []
    begin, end = DAYS.index(first), DAYS.index(last or first)
    return [DAYS[at % 7] for at in range(begin, end + 1 if end >= begin else end + 8)]


def _clock(text: str) -> str:
    return text.replace(".", ":").zfill(5)
