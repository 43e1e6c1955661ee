"""Changing a stored mark: what it said before is kept as a version; erasing one leaves its tombstone only."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from service import erasures
from service.core import Core
from service.moderation.detector import detect, urgency
from service.moderation.models import Decision, PlaceVersion
from service.places import state as shared
from service.places import store
from service.places.store import PLACE
from service.store.spatial import unindex

NO_SYNC: Final = {"synchronize_session": False}
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
    columns = [PLACE.c[name] for name in CONTENT]
    row = session.execute(select(PLACE.c.version, PLACE.c.geometry, *columns).where(PLACE.c.seq == seq)).one()
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
    return int(row.version) + 1


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
    store.update_place(session, seq, values | ERASED)
    store.delete_derived(session, seq)
    unindex(session, "place", [seq])
    session.execute(delete(PlaceVersion).where(PlaceVersion.place_seq == seq))
    session.execute(update(Decision).where(Decision.place_seq == seq).values(before={}), execution_options=NO_SYNC)
