"""The state that places are joined in, and what is stored of a position; shared by every workflow of places."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import shapely
from sqlalchemy.orm import Session

from service.areas import workflow as areas
from service.core import Core
from service.errors import UnavailableError
from service.people.access import Principal, Right
from service.people.audit import record_read
from service.places import store
from service.places.joining import Derived, HotspotIndex, Joiner, SetIndex
from service.places.store import JoinState, Visible
from service.store.spatial import to_e7

LOCAL_TIME = ZoneInfo("Europe/London")
ATTEMPTS = 4
T = TypeVar("T")


class StaleJoinError(Exception):
    """A boundary set or run was swapped between the join and the write: join again."""


class _Latest:
    """The last state of the store that a write saw; only a guess, verified inside each write."""

    state: JoinState | None = None


def today() -> date:
    """Return the day in the borough."""
    return datetime.now(UTC).astimezone(LOCAL_TIME).date()


def visible_rows(principal: Principal) -> Visible:
    """Return which rows the principal may see at all."""
    rows = principal.place_rows
    return Visible(rows - {"border"}, "border" in rows, principal.own_rows, principal.team_id)


def audit(core: Core, principal: Principal, act: str, *, rows: int) -> None:
    """Record a staff read of exact positions: who, what and how many; never where (X9)."""
    if principal.may(Right.PLACES_EXACT):
        record_read(core, principal, act, rows=rows)


def with_joiner(core: Core, attempt: Callable[[Joiner], T]) -> tuple[T, Joiner]:
    """Call ``attempt`` with a joiner of the newest state; again if a set or run was swapped meanwhile."""
    latest = core.cache.get("places-latest", _Latest)
    for _ in range(ATTEMPTS):
        state = latest.state  # once: another thread may forget it meanwhile
        if state is None:
            with core.store.read() as session:
                latest.state = state = store.read_join_state(session)
        joiner = joiner_of(core, state)
        try:
            return attempt(joiner), joiner
        except StaleJoinError:
            latest.state = None
    message = "The boundaries are being replaced right now. Try again in a minute."
    raise UnavailableError(message)


def require_state(session: Session, state: JoinState) -> None:
    """Raise unless the store still is in the state that the caller joined with."""
    if store.read_join_state(session, lock=True) != state:
        raise StaleJoinError


def current_joiner(core: Core) -> Joiner:
    """Return the joiner of the state that the store is in now."""
    with core.store.read() as session:
        state = store.read_join_state(session)
    return joiner_of(core, state)


def joiner_of(core: Core, state: JoinState) -> Joiner:
    """Return what joins places in this state of the store; made once a state."""
    return core.cache.get(("places-joiner", state), lambda: _make_joiner(core, state))


def _make_joiner(core: Core, state: JoinState) -> Joiner:
    outline = areas.outline(core)
    sets = tuple(SetIndex(one, areas.area_index(core, one.name), core.settings.near_border_m) for one in state.joined)
    names = {one.id: _area_names(core, one.name) for one in state.sets if one.joins}
    return Joiner(state, sets, hotspot_index(core, state.run_id), outline, names)


def _area_names(core: Core, set_name: str) -> dict[str, str]:
    shapes = areas.area_shapes(core, set_name)
    return dict(zip(shapes.codes.tolist(), shapes.names.tolist(), strict=True))


def hotspot_index(core: Core, run_id: uuid.UUID | None) -> HotspotIndex | None:
    """Return the hot spots of a run, ready to be asked."""
    if run_id is None:
        return None
    with core.store.read() as session:
        found = store.read_hotspots(session, run_id)
    return HotspotIndex.from_wkb(run_id, found)


def position_values(geometry: Any) -> dict[str, Any]:
    """Return the columns that hold a position; the point of a route or area lies on it."""
    point = geometry if geometry.geom_type == "Point" else shapely.point_on_surface(geometry)
    return {
        "geometry": shapely.to_wkb(geometry),
        "longitude_e7": to_e7(point.x),
        "latitude_e7": to_e7(point.y),
    }


def insert_derived(session: Session, rows: list[tuple[int, Derived]]) -> None:
    """Insert what was derived for places, inside a write."""
    store.insert_areas(session, [row | {"place_seq": seq} for seq, derived in rows for row in derived.areas])
    store.insert_hotspots(session, [d.hotspot | {"place_seq": seq} for seq, d in rows if d.hotspot is not None])


def contributor_hash(core: Core, key: str | None, session_name: str) -> str | None:
    """Return the stored form of a contributor's key: the same key in two sessions cannot be joined (C5)."""
    return core.keyed_hash("contributor", f"{session_name}\0{key}") if key is not None else None
