"""Marks counted by area, for staff: people rather than pins, contributors and workshops (D1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from sqlalchemy.orm import Session

from service.core import Core
from service.errors import UnavailableError
from service.people.access import Principal, Right
from service.places import counting, rejoin_store
from service.places.state import current_joiner, visible_rows
from service.places.store import JoinSet, JoinState, PlaceFilter, Visible

T = TypeVar("T")
Count = Callable[[Session, JoinSet, PlaceFilter, Visible], T]


@dataclass(slots=True)
class AreaMarks:
    """What was marked in one area; a route counts by its share in each area.

    Attributes
    ----------
    area_gss : str
        Code; empty for what lies outside every area, so that totals add up.
    marks : dict of str to float
        Marks by feeling, routes and areas by share.
    people : dict of str to float
        People by feeling: each contributor once a feeling, with the most people it spoke for; a mark without a
        contributor speaks for its own people.
    everyone : float
        People of all feelings, each once: the base of a share of people.
    contributors : int
        Distinct contributors, all marks of one session that name none being taken as one (the careful reading of D1).
    workshops : int
        Distinct workshops; marks without one count as one for each day.
    """

    area_gss: str
    marks: dict[str, float] = field(default_factory=lambda: {"safe": 0.0, "unsafe": 0.0, "mixed": 0.0})
    people: dict[str, float] = field(default_factory=lambda: {"safe": 0.0, "unsafe": 0.0, "mixed": 0.0})
    everyone: float = 0.0
    contributors: int = 0
    workshops: int = 0

    @property
    def total(self) -> float:
        """Marks of all feelings."""
        return sum(self.marks.values())


AreaReasons = dict[str, float]
"""Reason code -> marks that name it, routes and areas by share."""


def counts_by_area(
    core: Core,
    principal: Principal,
    set_name: str,
    *,
    start: date | None = None,
    end: date | None = None,
    times: tuple[str, ...] = (),
) -> dict[str, AreaMarks]:
    """Count the marks that the principal may see, by area of a set.

    Parameters
    ----------
    core : Core
        The deployment.
    principal : Principal
        Staff, or anybody in the demo; not disclosed, so never for the public.
    set_name : str
        A joined boundary set.
    start, end : date, optional
        First and last day.
    times : tuple of str
        Marks that name any of these times; all marks where empty.

    Returns
    -------
    dict
        Area code -> counts; areas without a mark are left out.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the principal may not see counts.
    UnavailableError
        If places are not joined to the set, or not yet.
    """
    principal.require(Right.MARK_COUNTS)
    wanted = PlaceFilter(since=start, until=end, times=times)
    return _kept(core, principal, set_name, wanted, _count_areas)


def _count_areas(session: Session, one: JoinSet, wanted: PlaceFilter, visible: Visible) -> dict[str, AreaMarks]:
    counts: dict[str, AreaMarks] = {}
    for row in counting.read_people(session, one, wanted, visible):
        area = counts[row["area_gss"]] = AreaMarks(row["area_gss"])
        area.everyone, area.contributors = round(row["everyone"], 6), int(row["keyed"])
        for feeling in area.marks:
            area.marks[feeling] = round(row[f"marks_{feeling}"], 6)
            area.people[feeling] = round(row[f"people_{feeling}"], 6)
    for area_gss, workshops, nameless in counting.read_sessions(session, one, wanted, visible):
        counts[area_gss].workshops = workshops
        counts[area_gss].contributors += nameless  # all marks of one session that name none are taken as one
    return counts


def marks_by_area(core: Core, principal: Principal, set_name: str, wanted: PlaceFilter) -> dict[str, dict[str, int]]:
    """Count the marks that the principal may see, each once: in the area that holds most of it.

    Parameters
    ----------
    core : Core
        The deployment.
    principal : Principal
        Staff, or anybody in the demo.
    set_name : str
        A joined boundary set.
    wanted : PlaceFilter
        Which marks.

    Returns
    -------
    dict
        Area code -> feeling -> marks; the code is empty for what lies outside every area.

    Raises
    ------
    NotSignedInError, ForbiddenError, UnavailableError
        As ``counts_by_area``.
    """
    if not principal.may(Right.PLACES_EXACT):  # whoever sees each mark may count them
        principal.require(Right.MARK_COUNTS)
    return _kept(core, principal, set_name, wanted, _count_main_areas)


def _count_main_areas(
    session: Session, one: JoinSet, wanted: PlaceFilter, visible: Visible
) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for area_gss, feeling, marks in counting.read_main_areas(session, one, wanted, visible):
        counts.setdefault(area_gss, {})[feeling] = marks
    return counts


def reasons_by_area(
    core: Core,
    principal: Principal,
    set_name: str,
    *,
    area_gss: str | None = None,
    feeling: str | None = None,
) -> dict[str, AreaReasons]:
    """Count how many marks name each reason, by area of a set.

    Parameters
    ----------
    core, principal, set_name
        As ``counts_by_area``.
    area_gss : str, optional
        Only this area.
    feeling : str, optional
        Only marks with this feeling.

    Returns
    -------
    dict
        Area code -> reason code -> marks.

    Raises
    ------
    NotSignedInError, ForbiddenError, UnavailableError
        As ``counts_by_area``.
    """
    principal.require(Right.MARK_COUNTS)
    one_area = (set_name, area_gss) if area_gss is not None else None
    wanted = PlaceFilter(feeling=feeling, area=one_area)
    return _kept(core, principal, set_name, wanted, _count_reasons)


def _count_reasons(session: Session, one: JoinSet, wanted: PlaceFilter, visible: Visible) -> dict[str, AreaReasons]:
    counts: dict[str, AreaReasons] = {}
    for area_gss, reasons, marks in counting.read_reasons(session, one, wanted, visible):
        area = counts.setdefault(area_gss, {})
        for code in reasons:
            area[code] = round(area.get(code, 0.0) + marks, 6)
    return counts


def _kept(core: Core, principal: Principal, set_name: str, wanted: PlaceFilter, count: Count[T]) -> T:
    """Return counts from the cache, or count; nobody changes what is handed out.

    The key is the version of every place, the state of the join and who may see what: one mark more, corrected,
    approved or taken back is another key, on both engines and whichever process wrote it.
    """
    state = current_joiner(core).state
    visible = visible_rows(principal)
    with core.store.read() as session:
        one = _find_set(state, set_name)
        key = (count.__name__, counting.read_version(session), one, wanted, visible)

        def make() -> T:
            _require_joined(session, one)
            return count(session, one, wanted, visible)

        return core.cache.get(key, make)


def require_joined(session: Session, state: JoinState, set_name: str) -> JoinSet:
    """Return a set that every place is joined to.

    Raises
    ------
    UnavailableError
        If there is no such set, or the join still runs.
    """
    one = _find_set(state, set_name)
    _require_joined(session, one)
    return one


def _find_set(state: JoinState, set_name: str) -> JoinSet:
    one = next((one for one in state.joined if one.name == set_name), None)
    if one is None:
        message = "Places are not joined to this boundary set: it is not here, or for drawing only."
        raise UnavailableError(message)
    return one


def _require_joined(session: Session, one: JoinSet) -> None:
    if not one.stored_generation and rejoin_store.has_unjoined(session, one):
        message = "Places are being joined to this boundary set right now. Try again in a minute."
        raise UnavailableError(message)
