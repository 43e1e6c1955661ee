"""What is held about one mark, for whoever holds its receipt (Articles 11 and 15)."""

from __future__ import annotations

import json
from typing import Any

import shapely
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.core import Core
from service.duty.erasing import DECISION, HOLD, PLACE, VERSION
from service.errors import NotFoundError
from service.people.access import OPERATOR
from service.people.audit import record
from service.places.workflow import seq_of_receipt

FIELDS = (
    *("day", "kind", "feeling", "times", "reasons", "people", "status", "publish", "note", "suggestion", "public_text"),
    *("withdrawn_on", "decided_on", "erased_on", "source", "version"),
)


def subject_export(core: Core, receipt: str) -> dict[str, Any]:
    """Return everything that is held about the mark of a receipt, the words too; for an operator who was asked.

    The receipt page never shows the words: a receipt can be found, or be asked for by somebody who controls its holder
    at home. Whoever wants the words asks the data protection officer, who makes sure of the person, and an operator
    makes this file.

    Parameters
    ----------
    core : Core
        The deployment.
    receipt : str
        The receipt in its words or its code.

    Returns
    -------
    dict
        Ready for JSON. A mark that is with the safeguarding lead gives what its receipt shows and no more: what the
        lead decides may not be hindered by a copy (DPA 2018, Sch. 2 and 3).

    Raises
    ------
    NotFoundError
        If the receipt is not known.
    """

    def write(session: Session) -> dict[str, Any]:
        seq = _find(core, session, receipt)
        held = _about(session, seq)
        record(session, core, OPERATOR, "subject.export", subject=str(held["id"]))
        return held

    return core.store.write(write)


def _find(core: Core, session: Session, receipt: str) -> int:
    seq = seq_of_receipt(core, session, receipt)
    if seq is None:
        message = "This receipt is not known. Check every letter or word of it."
        raise NotFoundError(message)
    return seq


def _about(session: Session, seq: int) -> dict[str, Any]:
    row = session.execute(select(PLACE).where(PLACE.c.seq == seq)).mappings().one()
    if row["status"] == "held":
        values: dict[str, Any] = {"day": row["day"], "status": row["status"]}
        return {"id": row["id"], "mark": values, "withheld": "A trained adult is looking at this mark right now."}
    counts = {
        name: session.scalar(select(func.count()).select_from(table).where(table.c.place_seq == seq)) or 0
        for name, table in (("earlier versions", VERSION), ("decisions", DECISION), ("decisions of the lead", HOLD))
    }
    mark = {name: row[name] for name in FIELDS} | {"geometry": _geojson(row["geometry"])}
    return {"id": row["id"], "mark": mark, "also_held": counts, "who": "Nobody: no name or contact is stored."}


def _geojson(geometry: bytes | None) -> Any:
    return json.loads(shapely.to_geojson(shapely.from_wkb(geometry))) if geometry is not None else None
