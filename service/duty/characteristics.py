"""Optional answers about a person: asked apart, stored apart, given out as counts above the threshold only (L4)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from sqlalchemy import distinct, func, select
from sqlalchemy.orm import Session

from service.areas import workflow as areas
from service.core import Core
from service.duty.apart import Answer, exists_apart, open_apart
from service.errors import FieldProblem, InvalidInputError, NotFoundError
from service.people.access import Principal, Right
from service.store.base import utc_now

PURPOSE: Final = "characteristics"
SESSIONS_MIN: Final = 2
ROUND_TO: Final = 5
HOME: Final = "home_area"


@dataclass(frozen=True)
class Choice:
    """One answer that may be ticked."""

    code: str
    words: str


@dataclass(frozen=True)
class Question:
    """One optional question."""

    code: str
    words: str
    choices: tuple[Choice, ...]


@cache
def questions() -> tuple[Question, ...]:
    """Return the questions; they are data, not code."""
    with (Path(__file__).parent / "characteristics.toml").open("rb") as file:
        found = tomllib.load(file)["questions"]
    return tuple(
        Question(one["code"], one["words"], tuple(Choice(**choice) for choice in one["choices"])) for one in found
    )


def home_areas(core: Core) -> list[Choice]:
    """Return the wards that somebody may say they live in."""
    shapes = areas.area_shapes(core, areas.default_set(core).name)
    return [Choice(code, name) for code, name in zip(shapes.codes.tolist(), shapes.names.tolist(), strict=True)]


def require_asked(core: Core) -> None:
    """Raise unless this deployment asks at all; the default is that it does not (C3).

    Raises
    ------
    NotFoundError
        If it does not.
    """
    if not core.settings.characteristics_on:
        message = "These questions are not asked here."
        raise NotFoundError(message)


def store_answers(core: Core, *, workshop: str, person: str, answers: Mapping[str, str]) -> bool:
    """Store what a person chose to say; said again, it takes the place of what was said before.

    Parameters
    ----------
    core : Core
        The deployment.
    workshop : str
        Id of the workshop; only a keyed hash of it is stored.
    person : str
        The random key that the page made for the person; only a keyed hash with the workshop is stored, under a
        purpose of its own, so that it meets no column of the marks.
    answers : mapping of str to str
        Code of a question, or ``home_area``, to the code of the answer; what is blank is not stored.

    Returns
    -------
    bool
        Whether anything was stored; nothing is if every question was skipped.

    Raises
    ------
    NotFoundError
        If this deployment does not ask.
    InvalidInputError
        If an answer is none of the choices.
    """
    require_asked(core)
    said = {name: value for name, value in answers.items() if value}
    _check(core, said)
    if not said:
        return False
    key = core.keyed_hash(PURPOSE, f"{workshop}\0{person}")
    values = {one.code: said.get(one.code) for one in questions()} | {HOME: said.get(HOME)}
    fixed = {"session": core.keyed_hash(f"{PURPOSE}-session", workshop), "month": f"{utc_now():%Y-%m}"}

    def write(session: Session) -> None:
        row = session.scalar(select(Answer).where(Answer.person == key))
        if row is None:
            session.add(Answer(person=key, **fixed, **values))
            return
        for name, value in values.items():
            setattr(row, name, value)

    with open_apart(core) as store:
        store.write(write)
    return True


def _check(core: Core, said: Mapping[str, str]) -> None:
    allowed = {one.code: {choice.code for choice in one.choices} for one in questions()}
    if HOME in said:
        allowed[HOME] = {choice.code for choice in home_areas(core)}
    wrong = [name for name, value in said.items() if value not in allowed.get(name, ())]
    if wrong:
        message = "Pick one of the answers, or leave it out."
        raise InvalidInputError(message, errors=[FieldProblem(field=name, message=message) for name in sorted(wrong)])


def counts_of(core: Core, principal: Principal) -> dict[str, dict[str, int | None]]:
    """Return for each question how many people gave each answer; None where too few did.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the caller may not see counts.
    """
    principal.require(Right.CHARACTERISTICS_COUNT)
    names = {one.code: [choice.code for choice in one.choices] for one in questions()}
    names[HOME] = [choice.code for choice in home_areas(core)]
    if not exists_apart(core):
        return {question: dict.fromkeys(codes) for question, codes in names.items()}
    with open_apart(core) as store, store.read() as session:
        return {
            question: disclose(_count(session, question), codes, core.settings.few_people)
            for question, codes in names.items()
        }


def _count(session: Session, question: str) -> dict[str, tuple[int, int]]:
    column: Any = getattr(Answer, question)
    query = (
        select(column, func.count(), func.count(distinct(Answer.session))).where(column.is_not(None)).group_by(column)
    )
    return {code: (people, sessions) for code, people, sessions in session.execute(query)}


def disclose(found: Mapping[str, tuple[int, int]], codes: list[str], few: int) -> dict[str, int | None]:
    """Return counts that may be shown: enough people of two workshops, to the nearest five.

    Where exactly one answer is hidden, the smallest of the others is hidden too: a total known from elsewhere, such as
    the size of the groups, would give it away (D3).
    """
    people = {code: found.get(code, (0, 0)) for code in codes}
    shown = {code for code, (count, sessions) in people.items() if count >= few and sessions >= SESSIONS_MIN}
    hidden = [code for code in codes if code not in shown]
    if len(hidden) == 1 and shown:
        shown.remove(min(shown, key=lambda code: people[code][0]))
    return {code: ROUND_TO * round(people[code][0] / ROUND_TO) if code in shown else None for code in codes}
