"""Teams: whose workshops' raw notes a youth worker sees."""

from __future__ import annotations

from sqlalchemy.orm import Session

from service.core import Core
from service.errors import ConflictError, FieldProblem, InvalidInputError, NotFoundError
from service.people import store
from service.people.access import OPERATOR, Principal, Right
from service.people.accounts import require_manager
from service.people.audit import record
from service.people.models import Team

NAME_MAX = 120


def list_teams(core: Core, principal: Principal) -> list[tuple[Team, int]]:
    """Return every team and how many accounts are in it.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the principal does not look after accounts.
    """
    if principal != OPERATOR:
        principal.require(Right.STAFF_MANAGE)
    with core.store.read() as session:
        return store.read_teams(session)


def make_team(core: Core, principal: Principal, name: str) -> None:
    """Make a team.

    Raises
    ------
    NotSignedInError, ForbiddenError, ConfirmFirstError
        If the principal does not look after accounts, or has to confirm first.
    InvalidInputError
        If it has no name, or too long a one.
    ConflictError
        If the name is taken.
    """
    require_manager(core, principal)
    text = _good_name(name)

    def write(session: Session) -> None:
        _require_free(session, text)
        store.add(session, Team(name=text))
        record(session, core, principal, "team.make", subject=text)

    core.store.write(write)


def rename_team(core: Core, principal: Principal, number: int, name: str) -> None:
    """Give a team another name; its people and workshops stay with it.

    Raises
    ------
    NotSignedInError, ForbiddenError, ConfirmFirstError, InvalidInputError, ConflictError
        As ``make_team``.
    NotFoundError
        If there is no such team.
    """
    require_manager(core, principal)
    text = _good_name(name)

    def write(session: Session) -> None:
        team = store.find_team_by_number(session, number)
        if team is None:
            message = "There is no such team."
            raise NotFoundError(message)
        if team.name != text:
            _require_free(session, text)
            team.name = text
            record(session, core, principal, "team.rename", subject=text, team=team.id)

    core.store.write(write)


def _good_name(name: str) -> str:
    text = " ".join(name.split())
    if not 1 <= len(text) <= NAME_MAX:
        message = f"A team needs a name of up to {NAME_MAX} characters."
        raise InvalidInputError(message, errors=[FieldProblem(field="name", message=message)])
    return text


def _require_free(session: Session, name: str) -> None:
    if store.find_team(session, name) is not None:
        message = "There is a team of this name already."
        raise ConflictError(message)
