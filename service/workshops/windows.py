"""Times of workshops: the borough's clock, windows, and how long a device may deliver afterwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from service.core import Core
from service.errors import FieldProblem

LOCAL_TIME = ZoneInfo("Europe/London")
LONGEST_AHEAD = timedelta(days=366)


def delivery_end(core: Core, closes_at: datetime) -> datetime:
    """Return until when a device may deliver what it marked before the window closed."""
    return closes_at + timedelta(days=core.settings.late_delivery_days)


def from_local(typed: str) -> datetime:
    """Return a time ``2026-11-26T16:00`` of the borough's clock in UTC.

    Raises
    ------
    ValueError
        If it is no such time.
    """
    return datetime.fromisoformat(typed).replace(tzinfo=LOCAL_TIME).astimezone(UTC)


def to_local(moment: datetime) -> datetime:
    """Return a time on the borough's clock."""
    return moment.astimezone(LOCAL_TIME)


def time_words(moment: datetime) -> str:
    """Return a time as people write it: 3 June 2026, 16:00."""
    local = to_local(moment)
    return f"{local.day} {local:%B %Y, %H:%M}"


def window_problems(core: Core, opens_at: datetime, closes_at: datetime, now: datetime) -> list[FieldProblem]:
    """Return what is wrong with a window."""
    longest = timedelta(hours=core.settings.workshop_max_hours)
    if closes_at <= now:
        return [FieldProblem(field="closes_at", message="This is in the past. Choose an end that is still to come.")]
    if closes_at <= opens_at:
        return [FieldProblem(field="closes_at", message="The end comes after the start.")]
    if closes_at - opens_at > longest:
        message = f"A workshop takes at most {core.settings.workshop_max_hours} hours."
        return [FieldProblem(field="closes_at", message=message)]
    if opens_at > now + LONGEST_AHEAD:
        return [FieldProblem(field="opens_at", message="This is more than a year ahead.")]
    return []
