"""Who may do what: the one table of rights, asked through one ``Principal`` (product.md 4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from service.errors import ForbiddenError, NotSignedInError


class Right(StrEnum):
    """One kind of data or act; a route names the right it needs."""

    PLACES_CREATE = "places.create"
    PLACES_LIST = "places.list"  # which places there are, coarse
    PLACES_EXACT = "places.exact"  # the exact position of approved places
    PLACES_PENDING = "places.pending"  # places of every team that nobody has moderated yet
    PLACES_HELD = "places.held"  # places with the safeguarding lead, shown to nobody else (S5)
    PLACES_WORDS = "places.words"  # notes and suggestions, raw
    PLACES_BORDERS = "places.borders"
    MARK_COUNTS = "marks.counts"  # counts of marks by area before releases exist
    VENUES_WRITE = "venues.write"
    RUNS_READ = "runs.read"  # hot spots and density: not public before a run has passed the gate of P8
    RUNS_START = "runs.start"
    JOBS_READ = "jobs.read"
    STAFF_MANAGE = "staff.manage"  # accounts, invites, teams, keys
    AUDIT_READ = "audit.read"
    WORKSHOPS_RUN = "workshops.run"  # set up and lead workshops of one's own team
    WORKSHOPS_SEE = "workshops.see"  # every team's workshops: title, window, who was in the room
    MODERATE_OWN = "moderation.own"  # words and decisions on marks of workshops of one's own team
    MODERATE = "moderation.all"
    SECOND_LOOK = "moderation.second-look"
    LEAD_DECIDE = "lead.decide"
    DUTY_SET = "duty.set"  # who is on duty, and the number out of hours
    RELEASES_READ = "releases.read"  # previews and former releases; the current one is public
    RELEASES_MAKE = "releases.make"
    FINDINGS_WRITE = "findings.write"
    RETENTION_RUN = "retention.run"
    EXPORT_EXACT = "export.exact"  # with a recorded agreement only (L8)
    CHARACTERISTICS_COUNT = "characteristics.count"  # counts above the threshold, never a row (L4)


_SHARED = {Right.PLACES_LIST, Right.MARK_COUNTS, Right.RUNS_READ, Right.JOBS_READ, Right.RELEASES_READ}

RIGHTS: dict[str, frozenset[Right]] = {
    "public": frozenset(),
    "youth_worker": frozenset(
        _SHARED
        | {Right.PLACES_CREATE, Right.PLACES_EXACT, Right.VENUES_WRITE}
        | {Right.WORKSHOPS_RUN, Right.MODERATE_OWN, Right.FINDINGS_WRITE}
    ),
    "moderator": frozenset(
        _SHARED
        | {Right.PLACES_CREATE, Right.PLACES_EXACT, Right.PLACES_PENDING, Right.PLACES_WORDS}
        | {Right.MODERATE, Right.SECOND_LOOK, Right.FINDINGS_WRITE}
    ),
    "safeguarding_lead": frozenset(
        _SHARED
        | {Right.PLACES_EXACT, Right.PLACES_PENDING, Right.PLACES_HELD, Right.PLACES_WORDS, Right.PLACES_BORDERS}
        | {Right.LEAD_DECIDE, Right.DUTY_SET, Right.WORKSHOPS_SEE, Right.MODERATE, Right.AUDIT_READ}
    ),
    "planner": frozenset(
        _SHARED
        | {Right.PLACES_EXACT, Right.RUNS_START, Right.VENUES_WRITE}
        | {Right.RELEASES_MAKE, Right.FINDINGS_WRITE, Right.EXPORT_EXACT, Right.CHARACTERISTICS_COUNT}
    ),
    # admins see no marks
    "admin": frozenset(
        {Right.JOBS_READ, Right.RUNS_READ, Right.VENUES_WRITE, Right.RELEASES_READ, Right.RELEASES_MAKE}
        | {Right.STAFF_MANAGE, Right.AUDIT_READ, Right.RETENTION_RUN}
    ),
    # Whoever opens the demo: everything in it is made up; its accounts are not for visitors.
    "demo": frozenset(set(Right) - {Right.STAFF_MANAGE, Right.EXPORT_EXACT, Right.RETENTION_RUN}),
}

STAFF_ROLES: tuple[str, ...] = tuple(role for role in RIGHTS if role not in {"public", "demo"})

# The right that each row and field of a place asks for, whoever's workshop it is of; what is not named is never shown.
PLACE_ROWS: dict[str, Right] = {
    "approved": Right.PLACES_LIST,
    "pending": Right.PLACES_PENDING,
    "held": Right.PLACES_HELD,
    "rejected": Right.PLACES_WORDS,
    "border": Right.PLACES_BORDERS,
}
PLACE_FIELDS: dict[str, Right] = {
    **dict.fromkeys(
        (
            *("day", "kind", "feeling", "times", "reasons", "status", "publish", "people", "version", "is_sample"),
            *("set", "area_gss", "name", "share"),
        ),
        Right.PLACES_LIST,
    ),
    **dict.fromkeys(("geometry", "edge_m", "neighbour_gss", "near_border", "hotspot"), Right.PLACES_EXACT),
    **dict.fromkeys(("note", "suggestion"), Right.PLACES_WORDS),
}
# The right that suffices where the mark is of a workshop of one's own team; borders and held marks stay out of it.
OWN_ROWS: dict[str, Right] = {"pending": Right.MODERATE_OWN, "rejected": Right.MODERATE_OWN}
OWN_FIELDS: dict[str, Right] = dict.fromkeys(("note", "suggestion"), Right.MODERATE_OWN)
# What an API key holds only with a recorded agreement; without one its answers are coarse (L8).
AGREED = frozenset({Right.PLACES_EXACT, Right.EXPORT_EXACT})


@dataclass(frozen=True)
class Principal:
    """Who asks: the public, a visitor of the demo, or staff by session or API key.

    Parameters
    ----------
    id : str
        What colleagues and the audit call them.
    role : str
        A key of ``RIGHTS``.
    number : int, optional
        Row of the principal; None for the public and the demo.
    team_id : int, optional
        Team of a member of staff.
    scopes : frozenset of str, optional
        Rights that an API key is held to; None for all of its role.
    is_key : bool, optional
        Whether a program asks with an API key, and no person in a session.
    agreement_id : str, optional
        Recorded agreement under which an API key may read exact places (L8).
    session_id : int, optional
        The staff session that the request came with.
    confirmed_at : datetime, optional
        When password and code were last given in that session (X5).
    """

    id: str
    role: str
    number: int | None = None
    team_id: int | None = None
    scopes: frozenset[str] | None = None
    is_key: bool = False
    agreement_id: str | None = None
    session_id: int | None = None
    confirmed_at: datetime | None = None

    @property
    def is_staff(self) -> bool:
        """Whether a staff key or session came along."""
        return self.role not in {"public", "demo"}

    def may(self, right: Right) -> bool:
        """Return whether the role holds the right, and the key too if there is one."""
        if self.is_key and right in AGREED and not self.agreement_id:
            return False
        return right in RIGHTS.get(self.role, frozenset()) and (self.scopes is None or right in self.scopes)

    @property
    def place_fields(self) -> frozenset[str]:
        """Fields of a place that the role may see."""
        return frozenset(name for name, right in PLACE_FIELDS.items() if self.may(right))

    def place_fields_of(self, team_id: int | None) -> frozenset[str]:
        """Fields that the role may see of a place of a team's workshop; None is a place of no team."""
        if team_id is None or team_id != self.team_id:
            return self.place_fields
        return self.place_fields | frozenset(name for name, right in OWN_FIELDS.items() if self.may(right))

    @property
    def place_rows(self) -> frozenset[str]:
        """States of places that the role may see of every team, and 'border' if it may see borders."""
        return frozenset(name for name, right in PLACE_ROWS.items() if self.may(right))

    @property
    def own_rows(self) -> frozenset[str]:
        """States of places that the role may see of the workshops of its own team, beside ``place_rows``."""
        if self.team_id is None:
            return frozenset()
        return frozenset(name for name, right in OWN_ROWS.items() if self.may(right)) - self.place_rows

    @property
    def is_of_one_team(self) -> bool:
        """Whether the role works for its own team only: its marks go into workshops of that team, or of none."""
        rights = RIGHTS.get(self.role, frozenset())
        everywhere = {name for name, right in PLACE_ROWS.items() if right in rights}
        return any(right in rights and name not in everywhere for name, right in OWN_ROWS.items())

    def require(self, right: Right) -> None:
        """Raise unless the role holds the right.

        Raises
        ------
        NotSignedInError
            If nobody is signed in.
        ForbiddenError
            If the role lacks the right.
        """
        if self.may(right):
            return
        if not self.is_staff:
            message = "This is for staff. Sign in, or send a staff key as 'Authorization: Bearer ...'."
            raise NotSignedInError(message)
        message = f"The role {self.role} may not do this ({right})."
        raise ForbiddenError(message)


PUBLIC = Principal("public", "public")
DEMO = Principal("demo", "demo")
OPERATOR = Principal("command-line", "operator")  # whoever may read the data folder; acts, and asks for no right
