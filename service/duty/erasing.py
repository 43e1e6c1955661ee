"""What retention takes from marks: words, exact positions, rejected and taken-back marks; the session comes first."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from typing import cast as cast_type

from sqlalchemy import Table, Text, and_, cast, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from service import erasures
from service.areas.models import BoundarySet
from service.core import Core
from service.moderation.models import Decision, Hold, PlaceVersion, SecondLook
from service.places.models import Place, PlaceArea, PlaceHotspot, Receipt
from service.places.workflow import forget_words
from service.store.spatial import unindex

PLACE = cast_type("Table", Place.__table__)
AREA = cast_type("Table", PlaceArea.__table__)
HOLD = cast_type("Table", Hold.__table__)
DECISION = cast_type("Table", Decision.__table__)
VERSION = cast_type("Table", PlaceVersion.__table__)
CHUNK = 2_000
COARSE_LEVELS = ("ward", "borough")  # what stays of a position: finer areas would stand in for it

POSITION: dict[str, Any] = {"geometry": None, "longitude_e7": None, "latitude_e7": None}
WORDS: dict[str, Any] = {"note": None, "suggestion": None, "request_hash": "", "urgency": 0}
SAID: dict[str, Any] = {
    **POSITION,
    **WORDS,
    "public_text": None,
    "contributor_key": None,
    "times": [],
    "reasons": [],
    "publish": "never",
}


@dataclass(frozen=True)
class Work:
    """One run: the transaction, the deployment, the time, and whether it is only tried."""

    session: Session
    core: Core
    now: datetime
    today: date
    is_dry: bool = False
    notes: bool = True  # False while the journal itself is replayed

    def before(self, days: int) -> date:
        """Return the first day that is kept."""
        return self.today - timedelta(days=days)

    def moment(self, days: int) -> datetime:
        """Return the first moment that is kept."""
        return self.now - timedelta(days=days)

    def note(self, kind: str, identifiers: Sequence[uuid.UUID]) -> None:
        """Write erased marks to the journal that a restore replays."""
        if self.notes and not self.is_dry:
            erasures.note_erasures(self.core, kind, identifiers, self.today)


Found = list[tuple[int, uuid.UUID]]


def with_lead() -> Any:
    """Return the condition that a mark is with the lead, who decides before anything is erased (S5)."""
    waiting = exists().where(HOLD.c.place_seq == PLACE.c.seq, HOLD.c.decided_at.is_(None))
    return or_(PLACE.c.status == "held", waiting)


def _age() -> Any:
    """Return the day from which a mark's periods count: of its last decision, or of the mark."""
    return func.coalesce(PLACE.c.decided_on, PLACE.c.day)


def _find(work: Work, *conditions: Any) -> Found:
    query = select(PLACE.c.seq, PLACE.c.id).where(~with_lead(), *conditions).order_by(PLACE.c.seq)
    return [(row.seq, row.id) for row in work.session.execute(query)]


def _chunks(found: Found) -> Iterator[list[int]]:
    for start in range(0, len(found), CHUNK):
        yield [seq for seq, _ in found[start : start + CHUNK]]


def erase(
    work: Work, kind: str, found: Found, values: dict[str, Any], also: Callable[[Session, list[int]], None]
) -> int:
    """Empty columns of marks and what hangs on them, note it in the journal, and return how many there were."""
    names, erased = dict(found), 0
    for wanted in _chunks(found):
        seqs = _lock(work, wanted)
        changed = values | {"erased_on": work.today, "version": PLACE.c.version + 1}
        work.session.execute(update(PLACE).where(PLACE.c.seq.in_(seqs)).values(**changed))
        also(work.session, seqs)
        work.note(kind, [names[seq] for seq in seqs])
        erased += len(seqs)
    return erased


def _lock(work: Work, wanted: list[int]) -> list[int]:
    """Return those that the lead has not taken since they were found, locked until the end of the write."""
    query = select(PLACE.c.seq).where(PLACE.c.seq.in_(wanted), ~with_lead()).order_by(PLACE.c.seq)
    return list(work.session.scalars(query.with_for_update(of=PLACE)))


def erase_words(work: Work, days: int) -> int:
    """Take the words of marks, with what was kept of them for the queue: versions, undo, urgency."""
    cutoff = work.before(days)
    kept = exists().where(
        DECISION.c.place_seq == PLACE.c.seq, cast(DECISION.c.before, Text) != "{}", DECISION.c.at < work.moment(days)
    )
    holds_words = or_(PLACE.c.note.is_not(None), PLACE.c.suggestion.is_not(None), kept)
    return erase(work, erasures.WORDS, _find(work, _age() < cutoff, holds_words), WORDS, drop_traces)


def drop_traces(session: Session, seqs: list[int]) -> None:
    """Delete what still holds the words of marks: earlier versions, and what it takes to undo."""
    session.execute(delete(VERSION).where(VERSION.c.place_seq.in_(seqs)))
    forget_words(session, seqs)
    session.execute(delete(SecondLook).where(SecondLook.place_seq.in_(seqs), SecondLook.judged_at.is_(None)))


def erase_geometry(work: Work, days: int) -> int:
    """Take the exact position of marks; the ward they were in stays, so that counts stay."""
    found = _find(work, PLACE.c.geometry.is_not(None), _age() < work.before(days))
    return erase(work, erasures.GEOMETRY, found, POSITION | WORDS | {"public_text": None}, coarsen)


def coarsen(session: Session, seqs: list[int]) -> None:
    """Leave of a position only the areas that are coarse, without metres."""
    coarse = select(BoundarySet.id).where(BoundarySet.level.in_(COARSE_LEVELS))
    session.execute(delete(AREA).where(AREA.c.place_seq.in_(seqs), AREA.c.set_id.not_in(coarse)))
    vague = {"edge_m": None, "neighbour_gss": None, "near_border": False}
    session.execute(update(AREA).where(AREA.c.place_seq.in_(seqs)).values(**vague))
    session.execute(delete(PlaceHotspot).where(PlaceHotspot.place_seq.in_(seqs)))
    unindex(session, "place", seqs)
    drop_traces(session, seqs)


def erase_rejected(work: Work, days: int) -> int:
    """Take everything a rejected mark said; that there was one, and its day, stay."""
    said = or_(PLACE.c.geometry.is_not(None), PLACE.c.note.is_not(None), PLACE.c.suggestion.is_not(None))
    found = _find(work, PLACE.c.status == "rejected", _age() < work.before(days), said)
    return erase(work, erasures.REJECTED, found, SAID, drop_derived)


def drop_derived(session: Session, seqs: list[int]) -> None:
    """Delete every area, hot spot and trace of marks."""
    session.execute(delete(AREA).where(AREA.c.place_seq.in_(seqs)))
    session.execute(delete(PlaceHotspot).where(PlaceHotspot.place_seq.in_(seqs)))
    unindex(session, "place", seqs)
    drop_traces(session, seqs)


def erase_withdrawn(work: Work, _days: int = 0) -> int:
    """Take marks that were withdrawn while the lead had them, once the lead has decided; their tombstone stays."""
    found = _find(work, PLACE.c.withdrawn_on.is_not(None), PLACE.c.status != "withdrawn")
    return erase(work, erasures.WITHDRAWN, found, SAID | {"status": "withdrawn"}, drop_derived)


def erase_tombstones(work: Work, days: int) -> int:
    """Delete old tombstones whole; one that a decision still names stays as long as that."""
    decided = exists().where(DECISION.c.place_seq == PLACE.c.seq)
    held = exists().where(HOLD.c.place_seq == PLACE.c.seq)
    gone = and_(PLACE.c.status == "withdrawn", func.coalesce(PLACE.c.withdrawn_on, PLACE.c.day) < work.before(days))
    found = _find(work, gone, ~decided, ~held)
    for seqs in _chunks(found):
        work.session.execute(delete(PLACE).where(PLACE.c.seq.in_(seqs)))
    return len(found)


def erase_requests(work: Work, days: int) -> int:
    """Take the hash that tells a mark sent again from another one; it was made from the words."""
    old = and_(PLACE.c.request_hash != "", PLACE.c.day < work.before(days))
    found = _find(work, old)
    for seqs in _chunks(found):
        work.session.execute(update(PLACE).where(PLACE.c.seq.in_(seqs)).values(request_hash=""))
    return len(found)


def erase_receipts(work: Work, days: int) -> int:
    """Delete receipts: from then on nobody can take the mark back, nor be shown to have made it."""
    free = select(PLACE.c.seq).where(~with_lead())
    done = work.session.execute(
        delete(Receipt).where(Receipt.day < work.before(days), Receipt.place_seq.in_(free)),
        execution_options={"synchronize_session": False},
    )
    return int(done.rowcount)  # type: ignore[attr-defined]


def erase_versions(work: Work, days: int) -> int:
    """Delete what marks said before a change."""
    free = select(PLACE.c.seq).where(~with_lead())
    done = work.session.execute(
        delete(VERSION).where(VERSION.c.saved_on < work.before(days), VERSION.c.place_seq.in_(free))
    )
    return int(done.rowcount)  # type: ignore[attr-defined]


def count_with_lead(session: Session) -> int:
    """Return how many marks wait for the lead and are therefore kept whatever their age."""
    return session.scalar(select(func.count()).select_from(PLACE).where(with_lead())) or 0
