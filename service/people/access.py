"""Who may do what: the one table of rights, asked through one ``Principal`` (product.md 4)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from service.errors import ForbiddenError, NotSignedInError


class Right(StrEnum):
    """One kind of data or act; a route names the right it needs."""

    PLACES_CREATE = "places.create"
    PLACES_LIST = "places.list"  # which places there are, coarse
    PLACES_EXACT = "places.exact"  # the exact position of approved places
    PLACES_PENDING = "places.pending"  # places nobody has moderated yet
    PLACES_HELD = "places.held"  # places with the safeguarding lead, shown to nobody else (S5)
    PLACES_WORDS = "places.words"  # notes and suggestions, raw
    PLACES_BORDERS = "places.borders"
    MARK_COUNTS = "marks.counts"  # counts of marks by area before releases exist
    VENUES_WRITE = "venues.write"
    RUNS_READ = "runs.read"  # hot spots and density: not public before a run has passed the gate of P8
    RUNS_START = "runs.start"
    JOBS_READ = "jobs.read"


_SHARED = {Right.PLACES_LIST, Right.MARK_COUNTS, Right.RUNS_READ, Right.JOBS_READ}

RIGHTS: dict[str, frozenset[Right]] = {
    "public": frozenset(),
    "youth_worker": frozenset(
        _SHARED | {Right.PLACES_CREATE, Right.PLACES_EXACT, Right.PLACES_PENDING, Right.VENUES_WRITE}
    ),
    "moderator": frozenset(
        _SHARED | {Right.PLACES_CREATE, Right.PLACES_EXACT, Right.PLACES_PENDING, Right.PLACES_WORDS}
    ),
    "safeguarding_lead": frozenset(
        _SHARED
        | {Right.PLACES_EXACT, Right.PLACES_PENDING, Right.PLACES_HELD, Right.PLACES_WORDS, Right.PLACES_BORDERS}
    ),
    "planner": frozenset(_SHARED | {Right.PLACES_EXACT, Right.RUNS_START, Right.VENUES_WRITE}),
    "admin": frozenset({Right.JOBS_READ, Right.RUNS_READ, Right.VENUES_WRITE}),  # admins see no marks
    # Whoever opens the demo: everything in it is made up.
    "demo": frozenset(set(Right)),
}

# The right that each row and field of a place asks for; whatever is not named here is shown to nobody.
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


@dataclass(frozen=True)
class Principal:
    """Who asks: the public, a visitor of the demo, or staff by key."""

    id: str
    role: str

    @property
    def is_staff(self) -> bool:
        """Whether a staff key or session came along."""
        return self.role not in {"public", "demo"}

    def may(self, right: Right) -> bool:
        """Return whether the role holds the right."""
        return right in RIGHTS.get(self.role, frozenset())

    @property
    def place_fields(self) -> frozenset[str]:
        """Fields of a place that the role may see."""
        return frozenset(name for name, right in PLACE_FIELDS.items() if self.may(right))

    @property
    def place_rows(self) -> frozenset[str]:
        """States of places that the role may see, and 'border' if it may see borders."""
        return frozenset(name for name, right in PLACE_ROWS.items() if self.may(right))

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
