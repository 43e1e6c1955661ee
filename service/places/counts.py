"""Marks counted by area, for staff: people rather than pins, contributors and workshops (D1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from sqlalchemy.orm import Session

from service.core import Core
from service.errors import UnavailableError
from service.people.access import Principal, Right
from service.places import counting, rejoin_store
from service.places.state import current_joiner, visible_rows
from service.places.store import JoinSet, JoinState, PlaceFilter, Visible


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
    return _count(core, set_name, PlaceFilter(since=start, until=end, times=times), visible_rows(principal))


def shareable_by_area(core: Core, set_name: str) -> dict[str, AreaMarks]:
    """Count what may leave the service as counts: approved marks that may count, no borders (S9, E5).

    Raises
    ------
    UnavailableError
        As ``counts_by_area``.
    """
    return _count(core, set_name, PlaceFilter(publish="count"), Visible(frozenset({"approved"}), borders=False))


def _count(core: Core, set_name: str, wanted: PlaceFilter, visible: Visible) -> dict[str, AreaMarks]:
    state = current_joiner(core).state
    with core.store.read() as session:
        one = require_joined(session, state, set_name)
        rows = counting.read_marks(session, one, wanted, visible)
        everyone = counting.read_everyone(session, one, wanted, visible)
        sessions = counting.read_sessions(session, one, wanted, visible)
    counts: dict[str, AreaMarks] = {}
    for area_gss, feeling, marks, people in rows:
        area = counts.setdefault(area_gss, AreaMarks(area_gss))
        area.marks[feeling] = round(marks, 6)
        area.people[feeling] = round(people, 6)
    for area_gss, people in everyone:
        counts[area_gss].everyone = round(people, 6)
    for area_gss, contributors, workshops in sessions:
        counts[area_gss].contributors = contributors
        counts[area_gss].workshops = workshops
    return counts


def reasons_by_area(
    core: Core,
    principal: Principal,
    set_name: str,
    *,
    feeling: str | None = None,
    start: date | None = None,
    end: date | None = None,
) -> dict[str, AreaReasons]:
    """Count how many marks name each reason, by area of a set.

    Parameters
    ----------
    core, principal, set_name, start, end
        As ``counts_by_area``.
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
    wanted = PlaceFilter(since=start, until=end, feeling=feeling)
    state = current_joiner(core).state
    with core.store.read() as session:
        rows = counting.read_reasons(session, require_joined(session, state, set_name), wanted, visible_rows(principal))
    counts: dict[str, AreaReasons] = {}
    for area_gss, reasons, marks in rows:
        area = counts.setdefault(area_gss, {})
        for code in reasons:
            area[code] = round(area.get(code, 0.0) + marks, 6)
    return counts


def require_joined(session: Session, state: JoinState, set_name: str) -> JoinSet:
    """Return a set that every place is joined to.

    Raises
    ------
    UnavailableError
        If there is no such set, or the join still runs.
    """
    one = next((one for one in state.joined if one.name == set_name), None)
    if one is None:
        message = "Places are not joined to this boundary set: it is not here, or for drawing only."
        raise UnavailableError(message)
    if not one.stored_generation and rejoin_store.has_unjoined(session, one):
        message = "Places are being joined to this boundary set right now. Try again in a minute."
        raise UnavailableError(message)
    return one
