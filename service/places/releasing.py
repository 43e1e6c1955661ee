"""Marks as a release counts them: contributor, workshop and areas, without words and positions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from service.core import Core
from service.errors import UnavailableError
from service.places import release_rows
from service.places.counts import require_joined
from service.places.state import current_joiner


def marks_for_release(core: Core, set_name: str, earlier: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Return the marks that the disclosure function is given.

    Parameters
    ----------
    core : Core
        The deployment.
    set_name : str
        The boundary set of the release; every mark must be joined to it.
    earlier : iterable of str
        Sets that former releases spoke of; one that is no longer here is left out, and the disclosure function then
        publishes nothing by area that it cannot check.

    Returns
    -------
    list of dict
        One mark each, with the columns of ``geo.disclosure``. A mark that names no contributor is taken with all others
        of its workshop as one (the careful reading of D1); one without a workshop belongs to its day.

    Raises
    ------
    UnavailableError
        If marks are not joined to the set, or not yet.
    """
    state = current_joiner(core).state
    with core.store.read() as session:
        areas = {set_name: release_rows.read_area_codes(session, require_joined(session, state, set_name))}
        for name in earlier:
            try:
                one = require_joined(session, state, name)
            except UnavailableError:
                continue
            areas[name] = release_rows.read_area_codes(session, one)
        rows = release_rows.read_countable(session)
    return [_mark(row, areas) for row in rows]


def _mark(row: dict[str, Any], areas: dict[str, dict[int, list[str]]]) -> dict[str, Any]:
    workshop, seq = row["workshop_id"], row["seq"]
    return {
        "contributor": row["contributor_key"] or "",
        "people": row["people"],
        "workshop": f"day {row['day']}" if workshop is None else str(workshop),
        "feeling": row["feeling"],
        "times": tuple(row["times"]),
        "reasons": tuple(row["reasons"]),
        "areas": {name: found[seq] for name, found in areas.items() if seq in found},
        "publish": row["publish"],
        "status": row["status"],
        "source": row["source"],
        "kind": row["kind"],
    }
