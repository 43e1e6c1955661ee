"""Positions for maps: arrays of every place in a box, and the shapes of the few that are drawn as such."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from service.core import Core
from service.people.access import Principal, Right
from service.places import store
from service.places.state import audit, current_joiner, visible_rows
from service.places.store import PlaceFilter
from service.places.views import place_feature
from service.store.spatial import E7
from service.web.queries import Bbox

FEW = 300  # up to this many places a map draws them one by one, with what they say


@dataclass(frozen=True, slots=True)
class Positions:
    """Places in a box, as arrays of one length, in order of arrival.

    Parameters
    ----------
    seq : ndarray of int64, shape (n,)
        Sequence numbers.
    longitude, latitude : ndarray of float64, shape (n,)
        A point on each place in EPSG:4326 [degrees].
    feeling, kind : ndarray of uint8, shape (n,)
        Codes of ``FEELING_CODES`` and ``KIND_CODES``.
    people : ndarray of int32, shape (n,)
        How many people each speaks for.
    features : list of dict, or None
        GeoJSON Features in the same order where there are at most ``few``; None where there are more.
    """

    seq: npt.NDArray[np.int64]
    longitude: npt.NDArray[np.float64]
    latitude: npt.NDArray[np.float64]
    feeling: npt.NDArray[np.uint8]
    kind: npt.NDArray[np.uint8]
    people: npt.NDArray[np.int32]
    features: list[dict[str, Any]] | None

    def __len__(self) -> int:
        """Return the number of places."""
        return len(self.seq)


def places_in_bbox(
    core: Core, principal: Principal, bbox: Bbox | None, wanted: PlaceFilter | None = None, *, few: int = FEW
) -> Positions:
    """Return the places in a box that the principal may see, exactly.

    Parameters
    ----------
    core : Core
        The deployment.
    principal : Principal
        Who asks; the read is logged without positions (X9).
    bbox : Bbox or None
        West, south, east, north in EPSG:4326; None for everywhere.
    wanted : PlaceFilter, optional
        Narrows further.
    few : int
        Up to so many places come with their GeoJSON Features.

    Returns
    -------
    Positions
        Arrays; empty where there is nothing.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the principal may not see exact positions.
    """
    principal.require(Right.PLACES_EXACT)
    wanted = replace(wanted or PlaceFilter(), bbox=bbox)
    visible = visible_rows(principal)
    joiner = current_joiner(core)
    with core.store.read() as session:
        rows = store.read_positions(session, wanted, visible, joiner.state)
        records = (
            store.read_page(session, wanted, visible, joiner.state, after=0, limit=few) if len(rows) <= few else None
        )
    audit(core, principal, "places.map", rows=len(rows))
    columns = np.array(rows, dtype=np.int64).reshape(-1, 6).T
    features = None if records is None else [place_feature(principal, record, joiner) for record in records]
    return Positions(
        columns[0],
        columns[1] / E7,
        columns[2] / E7,
        columns[3].astype(np.uint8),
        columns[4].astype(np.uint8),
        columns[5].astype(np.int32),
        features,
    )
