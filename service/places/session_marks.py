"""Marks of one workshop by ward, for its wall: who is behind each ward, as hashes that stay inside (D1)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Text, cast, func, select

from service.core import Core
from service.places.state import current_joiner
from service.places.store import AREA, PLACE

COUNTED = ("pending", "approved")


@dataclass(frozen=True, slots=True)
class WardMark:
    """A mark in a ward; a route or an area is in each ward that it reaches.

    Parameters
    ----------
    area_gss : str
        Ward of the default set; empty outside all.
    seq : int
        Grows with arrival.
    speaker : str
        Hash of the person's key; marks of a workshop that name nobody are one person's.
    feeling : str
        safe, unsafe or mixed.
    """

    area_gss: str
    seq: int
    speaker: str
    feeling: str


def session_marks(core: Core, workshop_id: int) -> list[WardMark]:
    """Return the marks of a workshop by ward; not the held, rejected and withdrawn ones, borders, or 'never publish'.

    Parameters
    ----------
    core : Core
        The deployment.
    workshop_id : int
        Row of the workshop.

    Returns
    -------
    list of WardMark
        In order of arrival; empty while no default set is joined.
    """
    wards = next((one for one in current_joiner(core).state.joined if one.is_default), None)
    if wards is None:
        return []
    speaker = func.coalesce(PLACE.c.contributor_key, cast(PLACE.c.workshop_id, Text))
    query = (
        select(AREA.c.area_gss, PLACE.c.seq, speaker, PLACE.c.feeling)
        .join(PLACE, PLACE.c.seq == AREA.c.place_seq)
        .where(
            AREA.c.set_id == wards.id,
            AREA.c.generation == wards.generation,
            PLACE.c.workshop_id == workshop_id,
            PLACE.c.status.in_(COUNTED),
            PLACE.c.publish == "count",
            PLACE.c.kind != "border",
            PLACE.c.withdrawn_on.is_(None),
        )
        .order_by(PLACE.c.seq)
    )
    with core.store.read() as session:
        return [WardMark(*row) for row in session.execute(query)]
