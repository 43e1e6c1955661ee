"""The clocks of moderation in local time: by when a lead decides, by when the words of a day are read."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from service.settings import Settings

LOCAL_TIME = ZoneInfo("Europe/London")
LONGEST = timedelta(hours=4)  # between two e-mails about one late thing


def local(moment: datetime) -> datetime:
    """Return a moment in the borough's time."""
    return moment.astimezone(LOCAL_TIME)


def due_at(settings: Settings, held_at: datetime) -> datetime:
    """Return by when a mark that is passed on now is decided: the same day; late in the day, after the least time.

    Parameters
    ----------
    settings : Settings
        ``lead_decides_by`` is a local time, ``lead_least_minutes`` what a lead has at least.
    held_at : datetime
        Aware.

    Returns
    -------
    datetime
        In UTC. Weekends are days like others.
    """
    evening = datetime.combine(local(held_at).date(), settings.lead_decides_by, LOCAL_TIME)
    return max(evening.astimezone(UTC), held_at + timedelta(minutes=settings.lead_least_minutes))


def last_day_read(settings: Settings, now: datetime) -> date:
    """Return the newest day whose words should all be read by now."""
    here = local(now)
    return here.date() if here.timetz().replace(tzinfo=None) >= settings.words_read_by else here.date() - timedelta(1)


def wait_after(settings: Settings, step: int) -> timedelta:
    """Return how long to wait after the e-mails of a step, from 1, before the next: doubled, up to 4 hours."""
    minutes: int = settings.escalate_every_minutes * 2 ** min(max(step, 1) - 1, 10)
    return min(timedelta(minutes=minutes), LONGEST)
