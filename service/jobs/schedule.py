"""Regular work: which kinds of job come round, how often, and putting those that are due into the queue."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.core import Core
from service.jobs.models import Schedule
from service.jobs.workflow import enqueue
from service.store.base import utc_now

# Kind of job -> how often. A subject adds its own line; the job itself decides whether there is anything to do.
EVERY: Final[dict[str, timedelta]] = {
    "retention": timedelta(days=1),
    # moderation
    "escalate": timedelta(minutes=1),
    "release_regular": timedelta(days=1),
}


def enqueue_due(core: Core, *, now: datetime | None = None) -> list[str]:
    """Queue the regular work that is due; each kind at most once, however many workers look.

    Parameters
    ----------
    core : Core
        The deployment.
    now : datetime, optional
        The time, aware; the clock's where left out.

    Returns
    -------
    list of str
        Kinds that were queued.
    """
    moment = now or utc_now()
    with core.store.read() as session:
        waiting = {row.name: row.next_at for row in session.scalars(select(Schedule))}
    due = [kind for kind in EVERY if waiting.get(kind, moment) <= moment]
    return core.store.write(lambda session: _take(session, due, moment)) if due else []


def _take(session: Session, kinds: list[str], moment: datetime) -> list[str]:
    rows = {
        row.name: row for row in session.scalars(select(Schedule).where(Schedule.name.in_(kinds)).with_for_update())
    }
    taken = []
    for kind in kinds:
        row = rows.get(kind)
        if row is None:
            session.add(row := Schedule(name=kind, next_at=moment))
        if row.next_at > moment:  # another worker was first
            continue
        row.last_at, row.next_at = moment, moment + EVERY[kind]
        enqueue(session, kind, {}, dedupe_key=f"{kind}:regular")
        taken.append(kind)
    return taken
