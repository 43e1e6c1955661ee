"""Second looks (E3): a blind sample of decisions is made again by another moderator, who sees neither act nor maker."""

from __future__ import annotations

from typing import Final

from sqlalchemy.orm import Session

from service.core import Core
from service.errors import ConflictError, ForbiddenError, NotFoundError
from service.moderation import store
from service.moderation.holds import place_hold
from service.moderation.marks import mark_of
from service.moderation.models import Decision
from service.moderation.reach import reach_of, require_mark
from service.moderation.schemas import AskedOut, SecondOut
from service.moderation.store import Mark
from service.people.access import Principal, Right
from service.people.audit import record
from service.store.base import utc_now

ASKED: Final = frozenset({"approve", "reject"})
HEX: Final = 8  # digits of the keyed hash that are compared with the share


def is_sampled(core: Core, name: str) -> bool:
    """Return whether a decision is in the sample: always the same answer, and nobody can tell without the secret."""
    drawn = int(core.keyed_hash("second-look", name)[:HEX], 16)
    return drawn < core.settings.second_look_share * 16**HEX


def maybe_ask(session: Session, core: Core, place: Mark, decision: Decision) -> bool:
    """Ask for a second look at a decision if it is in the sample; return whether it is."""
    if decision.act not in ASKED or not is_sampled(core, f"{place.id}:{decision.before['version']}"):
        return False
    store.drop_second_look(session, place.seq)
    store.add_second_look(
        session, {"place_seq": place.seq, "first_act": decision.act, "first_by": decision.actor, "asked_at": utc_now()}
    )
    return True


def ask_second(core: Core, principal: Principal) -> SecondOut:
    """Return the next mark to judge again, as the first moderator read it.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the caller makes no second looks.
    """
    principal.require(Right.SECOND_LOOK)
    reach = reach_of(principal)

    def write(session: Session) -> SecondOut:
        found = store.next_second_look(session, principal.id, reach)
        if found is None:
            return SecondOut(asked=None)
        look, place = found
        decision = store.decision_behind(session, look)
        version = decision.before.get("version") if decision else None  # gone once retention took what was kept
        content = store.version_content(session, place.seq, version) if version is not None else None
        record(session, core, principal, "second.show", subject=str(place.id))
        # The state now, the public wording and who is asked would tell what the first moderator did.
        blind = (content or mark_content(place)) | {"status": "pending", "public_text": None}
        return SecondOut(asked=AskedOut(number=look.id, mark=mark_of(place, content=blind)))

    return core.store.write(write)


def mark_content(place: Mark) -> dict[str, object]:
    """Return what a mark says now, as a version holds it."""
    names = ("kind", "feeling", "times", "reasons", "note", "suggestion", "publish", "people", "urgency")
    return {name: getattr(place, name) for name in names}


def judge_second(core: Core, principal: Principal, number: int, act: str) -> None:
    """Record what the second moderator would do; only passing to the lead changes the mark.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the caller makes no second looks, or made the first decision.
    NotFoundError
        If nothing of this number is asked.
    ConflictError
        If it was answered already.
    """
    principal.require(Right.SECOND_LOOK)
    reach = reach_of(principal)

    def write(session: Session) -> None:
        look = store.find_second_look(session, number)
        if look is None:
            message = "Nothing of this number is asked any more."
            raise NotFoundError(message)
        if look.first_by == principal.id:
            message = "Somebody else makes the second look."
            raise ForbiddenError(message)
        if look.judged_at is not None:
            message = "Somebody else was faster with this second look. Take the next one."
            raise ConflictError(message)
        look.second_act, look.second_by, look.judged_at = act, principal.id, utc_now()
        place = store.find_seq(session, look.place_seq)
        assert place is not None
        record(session, core, principal, "second.judge", subject=str(place.id), look=number, judged=act)
        if act == "hold":
            hold = place_hold(session, core, require_mark(session, place.id, reach), by=principal.id)
            record(session, core, principal, "mark.hold", subject=str(place.id), hold=hold.id)

    core.store.write(write)
