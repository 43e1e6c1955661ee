"""Forget again what was erased since a backup was made: the journal is replayed on the restored store."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import erasures
from service.core import Core
from service.duty import erasing
from service.duty.erasing import HOLD, PLACE, Found, Work, with_lead
from service.moderation.workflow import due_at

HELD_BY: Final = "restore"
# Most of a mark first: what is taken back needs nothing further.
ORDER: Final = (
    *(erasures.WITHDRAWN, erasures.WITHDRAWN_HELD, erasures.HELD, erasures.NEVER),
    *(erasures.REJECTED, erasures.GEOMETRY, erasures.WORDS),
)


def replay(core: Core, journal: Path, now: datetime) -> dict[str, int]:
    """Erase in the store what a journal says was erased; a mark with the lead waits for the decision.

    Parameters
    ----------
    core : Core
        The restored deployment, with the secret that the journal was made with.
    journal : Path
        The journal; it may reach back to before the backup.
    now : datetime
        The time, aware.

    Returns
    -------
    dict of str to int
        Marks that were erased or held again, by kind.
    """
    wanted: dict[str, dict[str, date]] = defaultdict(dict)
    for entry in erasures.read_erasures(journal):
        if entry.kind in erasures.ENDS:
            wanted[entry.id].pop(erasures.ENDS[entry.kind], None)
        else:
            wanted[entry.id][entry.kind] = entry.day
    return core.store.write(lambda session: _replay(session, core, wanted, now)) if wanted else {}


def _replay(session: Session, core: Core, wanted: dict[str, dict[str, date]], now: datetime) -> dict[str, int]:
    held = set(session.scalars(select(PLACE.c.seq).where(with_lead())))
    groups: dict[tuple[str, date], Found] = defaultdict(list)
    query = select(PLACE.c.seq, PLACE.c.id).where(PLACE.c.status != "withdrawn")
    for seq, identifier in session.execute(query):
        lines = wanted.get(erasures.mark_hash(core, identifier), {})
        meant = {_kind(kind, is_held=seq in held): day for kind, day in lines.items()}
        for kind, day in meant.items():
            groups[kind, day].append((seq, identifier))
    work = Work(session, core, now, now.date(), notes=False)
    counts: dict[str, int] = defaultdict(int)
    for kind, day in sorted((key for key in groups if key[0]), key=lambda key: (ORDER.index(key[0]), key[1])):
        counts[kind] += _apply(replace(work, today=day), kind, groups[kind, day])
    return dict(counts)


def _kind(kind: str, *, is_held: bool) -> str:
    """Return what a line means for a mark: one with the lead is only taken back, never erased (S5)."""
    if not is_held or kind == erasures.NEVER:
        return kind
    return erasures.WITHDRAWN_HELD if kind in {erasures.WITHDRAWN, erasures.WITHDRAWN_HELD} else ""


def _apply(work: Work, kind: str, found: Found) -> int:
    taken = select(PLACE.c.seq).where(PLACE.c.status == "withdrawn")
    gone = set(work.session.scalars(taken))
    found = [(seq, identifier) for seq, identifier in found if seq not in gone]
    if kind == erasures.WITHDRAWN_HELD:
        return _hold_again(work, found, {"publish": "never", "withdrawn_on": work.today})
    if kind == erasures.HELD:
        return _hold_again(work, found, {})
    if kind == erasures.NEVER:
        return _never_again(work, found)
    if kind != erasures.WITHDRAWN:  # what the lead got in the lines before waits for the decision (S5)
        held = set(work.session.scalars(select(PLACE.c.seq).where(with_lead())))
        found = [one for one in found if one[0] not in held]
    values: dict[str, dict[str, Any]] = {
        erasures.WITHDRAWN: erasing.SAID | {"status": "withdrawn", "withdrawn_on": work.today},
        erasures.REJECTED: erasing.SAID | {"status": "rejected"},
        erasures.GEOMETRY: erasing.POSITION | erasing.WORDS | {"public_text": None},
        erasures.WORDS: erasing.WORDS,
    }
    also = {
        erasures.WITHDRAWN: erasing.drop_derived,
        erasures.REJECTED: erasing.drop_derived,
        erasures.GEOMETRY: erasing.coarsen,
        erasures.WORDS: erasing.drop_traces,
    }
    return erasing.erase(work, kind, found, values[kind], also[kind])


def _never_again(work: Work, found: Found) -> int:
    """Take marks out of every count that somebody decided is never to be published (S9)."""
    counted = select(PLACE.c.seq).where(PLACE.c.publish == "count")
    seqs = sorted(set(work.session.scalars(counted)).intersection(seq for seq, _ in found))
    values = {"publish": "never", "version": PLACE.c.version + 1}
    for seq in seqs:
        work.session.execute(PLACE.update().where(PLACE.c.seq == seq).values(**values))
    return len(seqs)


def _hold_again(work: Work, found: Found, also: dict[str, Any]) -> int:
    """Take marks out of every output and give them to the lead, who had not decided when the backup was left behind."""
    session = work.session
    for seq, _ in found:
        waiting = session.scalar(select(HOLD.c.id).where(HOLD.c.place_seq == seq, HOLD.c.decided_at.is_(None)))
        if waiting is None:
            before = session.scalar(select(PLACE.c.status).where(PLACE.c.seq == seq)) or "pending"
            clock = {"held_at": work.now, "due_at": due_at(work.core.settings, work.now), "escalations": 0}
            hold = {"place_seq": seq, "status_before": before, "held_by": HELD_BY}
            session.execute(HOLD.insert().values(**hold, **clock))
        values = {"status": "held", "version": PLACE.c.version + 1} | also
        session.execute(PLACE.update().where(PLACE.c.seq == seq).values(**values))
    return len(found)
