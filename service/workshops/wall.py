"""The wall: coarse areas that the facilitator releases in batches; nobody can match a mark to a raised finger.

Only wards with enough people are drawn, and what is left is drawn together if that is enough. An area changes only
once enough people who were not behind it before have marked in it, so two batches tell nothing about one person.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.orm import Session

from service.areas import workflow as areas
from service.core import Core
from service.errors import ConflictError
from service.people.access import Principal
from service.people.audit import record
from service.places.workflow import WardMark, session_marks
from service.workshops import store
from service.workshops.running import own_row
from service.workshops.store import Wall

WORDS: Final = {
    "safe": "More people feel safe here",
    "unsafe": "More people feel unsafe here",
    "both": "Some feel safe, some feel unsafe",
}
REST: Final = "rest"  # the wards that are drawn together
CLEAR: Final = 0.6  # share of people from which one feeling is said


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands on the wall."""

    on: bool
    paused: bool
    batch: int
    areas: list[dict[str, Any]]

    def to_json(self) -> dict[str, Any]:
        """Return it as the page takes it."""
        return {"on": self.on, "paused": self.paused, "batch": self.batch, "areas": self.areas}


def read_wall(core: Core, workshop_id: int) -> Shown:
    """Return what stands on the wall of a workshop; nothing while it is off."""
    with core.store.read() as session:
        wall = store.read_wall(session, workshop_id)
    return _shown(wall)


def set_wall(
    core: Core, principal: Principal, identifier: uuid.UUID, *, on: bool | None = None, paused: bool | None = None
) -> None:
    """Turn the wall on or off, or let it stand still.

    Raises
    ------
    NotSignedInError, ForbiddenError, NotFoundError
        If the caller does not run the workshop.
    """

    def write(session: Session) -> None:
        row = own_row(session, principal, identifier, lock=True)
        row.wall_on = row.wall_on if on is None else on
        row.wall_paused = row.wall_paused if paused is None else paused
        state = {"on": int(row.wall_on), "paused": int(row.wall_paused)}
        record(session, core, principal, "workshop.wall", subject=str(identifier), **state)

    core.store.write(write)


def release_batch(core: Core, principal: Principal, identifier: uuid.UUID) -> int:
    """Release what was marked so far to the wall and return how many areas changed.

    Raises
    ------
    NotSignedInError, ForbiddenError, NotFoundError
        If the caller does not run the workshop.
    ConflictError
        If the wall is off, or nothing can be drawn that was not before.
    """
    with core.store.read() as session:
        number = own_row(session, principal, identifier).id
    marks = session_marks(core, number)
    shapes = areas.area_shapes(core, areas.default_set(core).name)
    names = dict(zip(shapes.codes.tolist(), shapes.names.tolist(), strict=True))

    def write(session: Session) -> int:
        row = own_row(session, principal, identifier, lock=True)
        if not row.wall_on:
            message = "The wall is off. Turn it on first."
            raise ConflictError(message)
        before = store.read_wall(session, row.id).content.get("areas", [])
        drawn, changed = drawn_areas(marks, names, before, fewest=core.settings.wall_people_min)
        if not changed:
            message = "There is nothing new that enough people have marked. Try again in a few minutes."
            raise ConflictError(message)
        store.add_batch(session, row.id, {"areas": drawn})
        record(session, core, principal, "workshop.wall-release", subject=str(identifier), areas=len(drawn))
        return changed

    return core.store.write(write)


def drawn_areas(
    marks: Iterable[WardMark], names: dict[str, str], before: list[dict[str, Any]], *, fewest: int
) -> tuple[list[dict[str, Any]], int]:
    """Return the areas that may be drawn, and how many of them changed.

    Parameters
    ----------
    marks : iterable of WardMark
        Of one workshop.
    names : dict
        Names of the wards by code.
    before : list of dict
        What stands on the wall now.
    fewest : int
        People behind an area; also new people before it changes.

    Returns
    -------
    tuple of list and int
        Areas with key, codes, name, state and the last mark that counted; how many differ from before.
    """
    by_ward: dict[str, list[WardMark]] = {code: [] for code in names}
    for mark in marks:
        if mark.area_gss in by_ward:
            by_ward[mark.area_gss].append(mark)
    large = {code: found for code, found in by_ward.items() if _people(found) >= fewest}
    rest = {code: found for code, found in by_ward.items() if found and code not in large}
    groups = {code: ([code], found) for code, found in large.items()}
    together = [mark for found in rest.values() for mark in found]
    if len(rest) > 1 and _people(together) >= fewest:
        groups[REST] = (sorted(rest), together)
    stood = {area["key"]: area for area in before}
    drawn = [_area(key, codes, found, names, stood.get(key), fewest) for key, (codes, found) in groups.items()]
    drawn.sort(key=lambda area: (area["key"] == REST, area["name"]))
    gone = stood.keys() - groups.keys()  # taken back or held meanwhile
    return drawn, len(gone) + sum(area != stood.get(area["key"]) for area in drawn)


def _area(
    key: str, codes: list[str], marks: list[WardMark], names: dict[str, str], stood: dict[str, Any] | None, fewest: int
) -> dict[str, Any]:
    """Return an area as it is drawn now, or as it stood while too few new people are behind it."""
    if stood is not None:
        old = {mark.speaker for mark in marks if mark.seq <= stood["upto"]}
        fresh = {mark.speaker for mark in marks if mark.seq > stood["upto"]} - old
        if len(fresh) < fewest:
            return stood
    name = " and ".join(names[code] for code in codes) if len(codes) <= 2 else "Other wards together"  # noqa: PLR2004
    return {"key": key, "codes": codes, "name": name, "state": _state(marks), "upto": max(m.seq for m in marks)}


def _state(marks: list[WardMark]) -> str:
    """Return what most people say: each person once, by what they said most often there."""
    said: dict[str, Counter[str]] = {}
    for mark in marks:
        said.setdefault(mark.speaker, Counter())[mark.feeling] += 1
    votes = Counter(counts.most_common(1)[0][0] for counts in said.values())
    total = sum(votes.values())
    return next((feeling for feeling in ("safe", "unsafe") if votes[feeling] >= CLEAR * total), "both")


def _people(marks: Iterable[WardMark]) -> int:
    return len({mark.speaker for mark in marks})


def _shown(wall: Wall) -> Shown:
    found = wall.content.get("areas", []) if wall.on else []
    public = [{name: area[name] for name in ("codes", "name", "state")} for area in found]
    return Shown(wall.on, wall.paused, wall.batch if wall.on else 0, public)
