"""Changing a stored mark: what it said before is kept as a version; erasing one leaves its tombstone only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.orm import Session

from service import erasures
from service.core import Core
from service.moderation.detector import detect, urgency
from service.moderation.models import OTHER_REASON, Decision, PlaceVersion
from service.places import state as shared
from service.places import store
from service.places.store import PLACE
from service.store.spatial import unindex

OWNER: Final = "owner"  # the holder of the receipt, in place of a name
CONTENT: Final = (
    *("kind", "feeling", "times", "reasons", "note", "suggestion", "public_text"),
    *("status", "publish", "people", "urgency", "merged_into"),
)
ERASED: Final[dict[str, Any]] = {
    "geometry": None,
    "longitude_e7": None,
    "latitude_e7": None,
    "note": None,
    "suggestion": None,
    "public_text": None,
    "contributor_key": None,
    "request_hash": "",  # it was made from the words: nothing of them may be tried out against it
    "times": [],
    "reasons": [],
    "urgency": 0,
    "merged_into": None,
    "merged_people": 0,
}


def urgency_of(note: str | None, suggestion: str | None) -> int:
    """Return how soon a person should read these words: 0 to 3; it orders the queue and decides nothing (S3)."""
    return max((urgency(detect(words)) for words in (note, suggestion) if words), default=0)


def change_place(session: Session, seq: int, values: dict[str, Any], *, by: str) -> int:
    """Change columns of a mark inside a write and keep what it said before as a version.

    Parameters
    ----------
    session : Session
        Of the running ``store.write``.
    seq : int
        The mark.
    values : dict
        Columns that change.
    by : str
        Label of the member of staff, or ``OWNER``.

    Returns
    -------
    int
        The new version.
    """
    columns = [PLACE.c[name] for name in (*CONTENT, "version", "geometry", "merged_people")]
    row = session.execute(select(*columns).where(PLACE.c.seq == seq).with_for_update()).one()
    kept = {
        "place_seq": seq,
        "version": row.version,
        "saved_on": shared.today(),
        "changed_by": by,
        "content": {name: getattr(row, name) for name in CONTENT},
        "geometry": row.geometry,
    }
    session.execute(insert(PlaceVersion).values(**kept))
    store.update_place(session, seq, values | {"version": row.version + 1})
    _speak_for(session, row, values, by=by)
    return int(row.version) + 1


def _spoken_for_by(status: str, publish: str, merged_into: int | None) -> int | None:
    """Return the mark that counts the people of a merged one: none while that one is not to be counted."""
    return merged_into if status == "rejected" and publish == "count" else None


def _speak_for(session: Session, row: Row[Any], values: dict[str, Any], *, by: str) -> None:
    """Count the people of a merged mark where it is merged, exactly as long as it is: nobody counts twice."""
    names = ("status", "publish", "merged_into")
    before = _spoken_for_by(*(getattr(row, name) for name in names))
    after = _spoken_for_by(*(values.get(name, getattr(row, name)) for name in names))
    if before == after:
        return
    if before is not None:
        _add_people(session, before, -row.merged_people, by=by)
    if after is not None:
        _add_people(session, after, values.get("merged_people", row.merged_people), by=by)


def _add_people(session: Session, seq: int, people: int, *, by: str) -> None:
    target = session.execute(select(PLACE.c.people, PLACE.c.status).where(PLACE.c.seq == seq).with_for_update()).first()
    if target is not None and people and target.status != "withdrawn":
        change_place(session, seq, {"people": max(target.people + people, 1)}, by=by)


def _release_merged(session: Session, seq: int) -> None:
    """Let marks that an erased one spoke for wait for a moderator again, so that their voice is not lost with it."""
    merged = select(PLACE.c.seq).where(PLACE.c.merged_into == seq, PLACE.c.status == "rejected")
    back = {"status": "pending", "merged_into": None, "merged_people": 0, "decided_on": None}
    for other in list(session.scalars(merged)):
        change_place(session, other, back, by=OWNER)


def erase_place(session: Session, core: Core, seq: int, *, version: int) -> None:
    """Erase what a mark said, its versions too, inside a write; a tombstone stays, so that it cannot come again.

    The journal beside the store says so too: a backup that is restored later forgets the mark again.

    Parameters
    ----------
    session : Session
        Of the running ``store.write``.
    core : Core
        The deployment, whose journal names the mark by a keyed hash.
    seq : int
        The mark.
    version : int
        Its version until now.
    """
    identifier = session.execute(select(PLACE.c.id).where(PLACE.c.seq == seq)).scalar_one()
    erasures.note_erasures(core, erasures.WITHDRAWN, [identifier], shared.today())
    values = {"publish": "never", "withdrawn_on": shared.today(), "version": version + 1, "status": "withdrawn"}
    row = session.execute(
        select(*(PLACE.c[name] for name in ("status", "publish", "merged_into", "merged_people")))
        .where(PLACE.c.seq == seq)
        .with_for_update()
    ).one()
    store.update_place(session, seq, values | ERASED)
    _speak_for(session, row, values, by=OWNER)
    _release_merged(session, seq)
    store.delete_derived(session, seq)
    unindex(session, "place", [seq])
    session.execute(delete(PlaceVersion).where(PlaceVersion.place_seq == seq))
    forget_words(session, [seq])


def forget_words(session: Session, seqs: Sequence[int]) -> None:
    """Take out of decisions what somebody wrote about marks, and what it takes to undo them; the codes stay.

    Parameters
    ----------
    session : Session
        Of the running ``store.write``.
    seqs : sequence of int
        The marks.
    """
    of_marks = update(Decision).where(Decision.place_seq.in_(seqs)).execution_options(synchronize_session=False)
    session.execute(of_marks.values(before={}))
    session.execute(of_marks.where(Decision.reason.startswith(f"{OTHER_REASON}:")).values(reason=OTHER_REASON))
