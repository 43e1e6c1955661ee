"""Words for people: what roles and rights are called on the pages of staff, and what an act is answered with."""

from __future__ import annotations

from typing import Final

from service.people.access import Right

ROLE_WORDS: Final[dict[str, str]] = {
    "youth_worker": "Youth worker",
    "moderator": "Moderator",
    "safeguarding_lead": "Safeguarding lead",
    "planner": "Planner",
    "admin": "Administrator",
}
ROLE_HINTS: Final[dict[str, str]] = {
    "youth_worker": "runs workshops; reads the words of their own team's workshops",
    "moderator": "reads and decides all marks, but not those with the lead",
    "safeguarding_lead": "reads everything, decides on held marks, sets who is on duty",
    "planner": "sees approved marks exactly, never words; makes releases and findings",
    "admin": "looks after accounts, keys, and the audit; sees no marks",
}
RIGHT_WORDS: Final[dict[Right, str]] = {
    Right.PLACES_CREATE: "Send marks",
    Right.PLACES_LIST: "List marks, by area",
    Right.PLACES_EXACT: "See where a mark lies exactly (needs an agreement)",
    Right.PLACES_PENDING: "See marks that nobody has read yet",
    Right.PLACES_HELD: "See marks that are with the lead",
    Right.PLACES_WORDS: "Read the words of young people",
    Right.PLACES_BORDERS: "See borders",
    Right.MARK_COUNTS: "Count marks by area",
    Right.VENUES_WRITE: "Keep the list of verified safe places",
    Right.RUNS_READ: "Read hot spots and density",
    Right.RUNS_START: "Start hot spots and density",
    Right.JOBS_READ: "Watch long work",
    Right.AUDIT_READ: "Read the audit",
    Right.WORKSHOPS_RUN: "Set up and run workshops of the team",
    Right.WORKSHOPS_SEE: "See the workshops of every team",
    Right.MODERATE_OWN: "Read and decide marks of the team's workshops",
    Right.MODERATE: "Read and decide all marks",
    Right.SECOND_LOOK: "Judge a mark a second time",
    Right.LEAD_DECIDE: "Decide on marks that are with the lead",
    Right.DUTY_SET: "Set who is on duty",
    Right.RELEASES_READ: "Read former releases and previews",
    Right.RELEASES_MAKE: "Make releases",
    Right.FINDINGS_WRITE: "Write findings",
    Right.RETENTION_RUN: "Delete what is past its time",
    Right.EXPORT_EXACT: "Export exact marks (needs an agreement)",
    Right.CHARACTERISTICS_COUNT: "Count characteristics above the threshold",
}
DONE: Final[dict[str, str]] = {
    "session-ended": "The session has ended.",
    "password-changed": "Your password is changed. Your other sessions have ended.",
    "address-changed": "Your e-mail address is changed.",
    "account-changed": "The account is changed. It holds from their next click.",
    "account-ended": "The account has ended, and its sessions with it.",
    "sessions-ended": "Their sessions have ended. They can sign in again.",
    "team-made": "The team is there.",
    "team-renamed": "The team has its new name.",
    "key-revoked": "The key no longer works.",
}


def right_words(right: Right) -> str:
    """Return what a right is called on pages; its code where nobody has written words for it yet."""
    return RIGHT_WORDS.get(right, str(right))
