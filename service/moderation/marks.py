"""A mark as staff read it in the queue: words with what the detector points at, never the position."""

from __future__ import annotations

from typing import Any

from service.moderation.choices import options
from service.moderation.detector import LABELS, detect
from service.moderation.models import Decision
from service.moderation.schemas import FoundOut, MarkOut
from service.moderation.store import Mark
from service.places.workflow import choices, reasons_by_code

FIELDS = ("note", "suggestion")
SHOWN = ("kind", "feeling", "public_text", "publish", "people", "status", "urgency", *FIELDS)


def mark_of(place: Mark, *, content: dict[str, Any] | None = None, has_others: bool = False) -> MarkOut:
    """Return a mark as its moderator reads it.

    Parameters
    ----------
    place : Mark
        As it is stored now.
    content : dict, optional
        What it said in a former version, to be shown instead.
    has_others : bool
        Whether it could be merged with another.

    Returns
    -------
    MarkOut
        Without position.
    """
    said = content or {name: getattr(place, name) for name in (*SHOWN, "times", "reasons")}
    found = [one for field in FIELDS for one in _found(field, said[field])]
    labels = {one.label for one in found}
    times = {time.code: time.label for time in choices().times}
    reasons = reasons_by_code()
    shown: dict[str, Any] = {name: said[name] for name in SHOWN}
    return MarkOut(
        id=place.id,
        version=place.version,
        day=place.day,
        times=[times.get(code, code) for code in said["times"]],
        reasons=[reasons[code].label if code in reasons else code for code in said["reasons"]],
        found=found,
        hints=[check.code for check in options().check if labels & set(check.labels)],
        has_others=has_others,
        **shown,
    )


def _found(field: Any, words: str | None) -> list[FoundOut]:
    return [
        FoundOut(field=field, label=one.label, words=LABELS[one.label], start=one.start, stop=one.stop)
        for one in detect(words or "")
    ]


ACT_WORDS = {
    "approve": "Approved",
    "reject": "Rejected",
    "reword": "Public wording written",
    "redact": "Words taken out",
    "never": "Never published",
    "count": "Counted again",
    "merge": "Merged",
}


def act_words(decision: Decision) -> str:
    """Return an act in words, with its reason where it has one of the fixed list."""
    words = ACT_WORDS.get(decision.act, decision.act)
    return f"{words}: {options().label('reject', decision.reason)}" if decision.act == "reject" else words
