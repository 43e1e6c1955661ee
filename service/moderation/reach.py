"""Which marks a member of staff may moderate: every team's, or those of workshops of one's own team."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from service.errors import ConflictError, GoneError, NotFoundError
from service.moderation import store
from service.moderation.store import Mark, Reach
from service.people.access import Principal, Right

WITH_LEAD = "This mark is with the safeguarding lead. It comes back to the queue if the lead gives it back."


def reach_of(principal: Principal) -> Reach:
    """Return what a moderator may read.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the role may moderate nothing.
    """
    if not principal.may(Right.MODERATE):
        principal.require(Right.MODERATE_OWN)
    return Reach(principal.team_id, principal.may(Right.MODERATE), principal.may(Right.PLACES_BORDERS))


def require_mark(session: Session, place_id: uuid.UUID, reach: Reach) -> Mark:
    """Return a mark that may be moderated now, locked.

    Raises
    ------
    ConflictError
        If it is with the lead.
    GoneError
        If its owner took it back.
    NotFoundError
        If there is none within reach.
    """
    place = store.find_mark(session, place_id, reach, lock=True)
    if place is not None:
        return place
    state = store.state_of(session, place_id, reach)
    if state == "held":
        raise ConflictError(WITH_LEAD)
    if state == "withdrawn":
        message = "Its owner took this mark back. What it said is deleted."
        raise GoneError(message)
    message = "There is no mark with this id that you may read."
    raise NotFoundError(message)
