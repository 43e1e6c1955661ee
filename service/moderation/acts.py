"""What each act of a moderator changes on a mark, and undoing it; inside the caller's write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from service import erasures
from service.core import Core
from service.errors import ConflictError, FieldProblem, InvalidInputError
from service.moderation import store
from service.moderation.choices import options
from service.moderation.clock import local
from service.moderation.models import OTHER_REASON, Decision
from service.moderation.schemas import DecideIn, Span
from service.moderation.store import Mark, Reach
from service.moderation.wording import wording_problems
from service.places.workflow import change_place, urgency_of
from service.store.base import utc_now
from service.web.words import clean_words

TAKEN_OUT = "[taken out]"
REASON_MAX = 250
LEAVES_QUEUE = frozenset({"approve", "reject", "merge"})


@dataclass(slots=True)
class Change:
    """Columns that an act changes, why, and what else it takes to undo it."""

    values: dict[str, Any]
    reason: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wish:
    """An act with everything that it is about."""

    session: Session
    core: Core
    place: Mark
    asked: DecideIn
    reach: Reach
    by: str


def apply(wish: Wish) -> Change:
    """Change the mark as the act says, and return what was changed.

    Raises
    ------
    InvalidInputError
        Naming the field that is missing, or the words that need another wording or a reason.
    ConflictError
        If the mark cannot be merged.
    """
    change = _ACTS[wish.asked.act](wish)
    change.extra |= {"version": wish.place.version, "fields": sorted(change.values)}
    stamp: dict[str, Any] = {"decided_on": local(utc_now()).date()} if wish.asked.act in LEAVES_QUEUE else {}
    stamp |= {"merged_people": change.extra["people"]} if wish.asked.act == "merge" else {}
    change_place(wish.session, wish.place.seq, change.values | stamp, by=wish.by)
    return change


def refuse(field_name: str, message: str) -> InvalidInputError:
    """Return the refusal of one field."""
    return InvalidInputError(message, errors=[FieldProblem(field=field_name, message=message)])


def _approve(wish: Wish) -> Change:
    if wish.place.public_text:
        _require_override(wish, wish.place.public_text)
    return Change({"status": "approved", "merged_into": None})


def _reject(wish: Wish) -> Change:
    codes = {one.code for one in options().reject}
    code = wish.asked.reason
    if code not in codes:
        raise refuse("reason", f"Say why: one of {', '.join(sorted(codes))}.")
    said = _clean(wish.asked.text, REASON_MAX)
    if code == OTHER_REASON and not said:
        raise refuse("text", "Write the reason in a few words.")
    return Change({"status": "rejected", "merged_into": None}, f"{code}: {said}" if code == OTHER_REASON else str(code))


def _reword(wish: Wish) -> Change:
    said = _clean(wish.asked.text, wish.core.settings.note_max)
    if said:
        _require_override(wish, said)
    return Change({"public_text": said})


def _redact(wish: Wish) -> Change:
    if not wish.asked.spans:
        raise refuse("spans", "Choose the words to take out first.")
    texts = {"note": wish.place.note, "suggestion": wish.place.suggestion}
    for name, words in texts.items():
        spans = [span for span in wish.asked.spans if span.field == name]
        if any(span.stop > len(words or "") or span.stop <= span.start for span in spans):
            raise refuse("spans", "A piece to take out lies outside the words. Choose it again.")
        if spans and words:
            texts[name] = take_out(words, spans)
    values: dict[str, Any] = texts | {"urgency": urgency_of(texts["note"], texts["suggestion"])}
    return Change(values)


def take_out(words: str, spans: list[Span]) -> str:
    """Return words without some pieces; pieces that touch are one."""
    merged: list[tuple[int, int]] = []
    for start, stop in sorted((span.start, span.stop) for span in spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], stop))
        else:
            merged.append((start, stop))
    for start, stop in reversed(merged):
        words = words[:start] + TAKEN_OUT + words[stop:]
    return words


def _never(wish: Wish) -> Change:
    _note(wish.core, erasures.NEVER, wish.place)
    return Change({"publish": "never"})


def _count(wish: Wish) -> Change:
    _note(wish.core, erasures.COUNT, wish.place)
    return Change({"publish": "count"})


def _note(core: Core, kind: str, place: Mark) -> None:
    """Write into the journal whether a mark may be published: a backup that is restored later must not forget it."""
    erasures.note_erasures(core, kind, [place.id], local(utc_now()).date())


def _merge(wish: Wish) -> Change:
    place, session = wish.place, wish.session
    if wish.asked.into is None or wish.asked.into == place.id:
        raise refuse("into", "Choose the other mark of the same workshop.")
    target = store.find_mark(session, wish.asked.into, wish.reach, lock=True)
    fits = target is not None and target.workshop_id is not None and target.workshop_id == place.workshop_id
    if target is None or not fits or target.status == "rejected":
        message = "The other mark is not of the same workshop, or no longer counts. Choose another."
        raise ConflictError(message)
    if place.merged_into == target.seq and place.status == "rejected":
        message = "This mark is merged into that one already."
        raise ConflictError(message)
    if store.merged_into(session, place.seq):
        message = "This mark speaks for others already. Merge the other one into it instead."
        raise ConflictError(message)
    same_person = place.contributor_key is not None and place.contributor_key == target.contributor_key
    # what is in no count, or in no threshold (open marks), adds nobody to a mark that is
    silent = place.publish != "count" or place.kind == "border" or place.source == "open"
    room = max(wish.core.settings.people_max - target.people, 0)
    people = 0 if same_person or silent else min(place.people, room)
    return Change({"status": "rejected", "merged_into": target.seq}, extra={"target": target.seq, "people": people})


_ACTS: dict[str, Callable[[Wish], Change]] = {
    "approve": _approve,
    "reject": _reject,
    "reword": _reword,
    "redact": _redact,
    "never": _never,
    "count": _count,
    "merge": _merge,
}


def _require_override(wish: Wish, words: str) -> None:
    """Raise while the wording has words of the list, or the checklist says no, and no reason was given."""
    if _clean(wish.asked.override, REASON_MAX):
        return
    problems = wording_problems(words, "wording")
    ticked = [check for check in options().check if check.code in wish.asked.checks]
    problems += [FieldProblem(field="checks", message=f"{check.label}. {check.warning}") for check in ticked]
    if problems:
        message = "Look at this before it can be published. Change the wording, or say why it stays."
        raise InvalidInputError(message, errors=problems)


def _clean(text: str | None, limit: int) -> str | None:
    try:
        return clean_words(text, limit=limit)
    except ValueError as error:
        raise refuse("text", str(error)) from error


def undo(session: Session, core: Core, decision: Decision, place: Mark, *, by: str) -> None:
    """Put back what an act changed, if nothing later changed the same.

    Raises
    ------
    ConflictError
        If it was undone already, something later changed the same, or what it takes is kept no longer.
    """
    before = decision.before
    then = store.version_content(session, place.seq, before["version"]) if "version" in before else None
    if decision.undone_at is not None or then is None:
        message = "This was undone already, or is too long ago to undo."
        raise ConflictError(message)
    names = before["fields"]
    is_last = place.version == before["version"] + 1
    after = {} if is_last else store.version_content(session, place.seq, before["version"] + 1)
    if not is_last and (after is None or any(after[name] != getattr(place, name) for name in names)):
        message = "Something later changed the same mark. Undo that first, or decide anew."
        raise ConflictError(message)
    values = {name: then[name] for name in names}
    if "publish" in values:
        _note(core, erasures.NEVER if values["publish"] == "never" else erasures.COUNT, place)
    if values.get("status") == "pending":
        values["decided_on"] = None
        store.drop_second_look(session, place.seq)
    change_place(session, place.seq, values, by=by)
