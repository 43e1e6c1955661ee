"""Pages of administrators: accounts and invites, teams, API keys; and the audit, for those who may read it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response

from service.core import Core
from service.errors import ConflictError, ForbiddenError, InvalidInputError, ServiceError, problem_of
from service.people import auditing, workflow
from service.people.access import Principal, Right
from service.people.dependencies import PrincipalDep
from service.people.pages import go
from service.people.schemas import AccountForm, AuditQuery, ChangeForm, KeyForm
from service.people.wording import DONE, RIGHT_WORDS, ROLE_HINTS, ROLE_WORDS, right_words
from service.web.dependencies import CoreDep
from service.web.templates import render_page

router = APIRouter(prefix="/staff", include_in_schema=False)
CREATED = 201
Number = Annotated[int, Form(ge=1, le=2**53)]
Text = Annotated[str, Form(max_length=300)]
Done = Annotated[str, Query(max_length=40)]


@router.get("/accounts")
def show_accounts(request: Request, core: CoreDep, principal: PrincipalDep, done: Done = "") -> Response:
    """List the accounts, with what can be done about each."""
    return _accounts(request, core, principal, said=DONE.get(done, ""))


@router.post("/accounts")
def make_account(
    request: Request, core: CoreDep, principal: PrincipalDep, form: Annotated[AccountForm, Form()]
) -> Response:
    """Make an account and show the link of its invite this once."""
    try:
        token = workflow.add_account(core, principal, **form.model_dump())
    except (InvalidInputError, ConflictError) as error:
        return _accounts(request, core, principal, error=error, typed=form)
    return _link(request, core, form.label, token)


@router.post("/accounts/invite")
def reset_account(request: Request, core: CoreDep, principal: PrincipalDep, number: Number, label: Text) -> Response:
    """Reset an account and show the link of the new invite this once."""
    try:
        token = workflow.renew_invite(core, principal, number)
    except ConflictError as error:
        return _accounts(request, core, principal, error=error)
    return _link(request, core, label, token)


@router.post("/accounts/change")
def change_account(
    request: Request, core: CoreDep, principal: PrincipalDep, form: Annotated[ChangeForm, Form()]
) -> Response:
    """Give an account another role, team or e-mail address."""
    try:
        workflow.change_account(core, principal, **form.model_dump())
    except (InvalidInputError, ConflictError) as error:
        return _accounts(request, core, principal, error=error)
    return go(core, "/staff/accounts?done=account-changed")


@router.post("/accounts/end")
def end_account(request: Request, core: CoreDep, principal: PrincipalDep, number: Number) -> Response:
    """End an account for good."""
    try:
        workflow.end_account(core, principal, number)
    except ConflictError as error:
        return _accounts(request, core, principal, error=error)
    return go(core, "/staff/accounts?done=account-ended")


@router.post("/accounts/sessions/end")
def end_sessions(core: CoreDep, principal: PrincipalDep, number: Number) -> Response:
    """End every session of a colleague."""
    workflow.end_sessions_of(core, principal, number)
    return go(core, "/staff/accounts?done=sessions-ended")


@router.get("/teams")
def show_teams(request: Request, core: CoreDep, principal: PrincipalDep, done: Done = "") -> Response:
    """List the teams."""
    return _teams(request, core, principal, said=DONE.get(done, ""))


@router.post("/teams")
def make_team(request: Request, core: CoreDep, principal: PrincipalDep, name: Text) -> Response:
    """Make a team."""
    try:
        workflow.make_team(core, principal, name)
    except (InvalidInputError, ConflictError) as error:
        return _teams(request, core, principal, error=error)
    return go(core, "/staff/teams?done=team-made")


@router.post("/teams/rename")
def rename_team(request: Request, core: CoreDep, principal: PrincipalDep, number: Number, name: Text) -> Response:
    """Give a team another name."""
    try:
        workflow.rename_team(core, principal, number, name)
    except (InvalidInputError, ConflictError) as error:
        return _teams(request, core, principal, error=error)
    return go(core, "/staff/teams?done=team-renamed")


@router.get("/keys")
def show_keys(request: Request, core: CoreDep, principal: PrincipalDep, done: Done = "") -> Response:
    """List the API keys."""
    return _keys(request, core, principal, said=DONE.get(done, ""))


@router.post("/keys")
def make_key(request: Request, core: CoreDep, principal: PrincipalDep, form: Annotated[KeyForm, Form()]) -> Response:
    """Make a key and show it this once."""
    try:
        if not form.scopes:
            message = "Tick what the key may do: at least one thing."
            raise InvalidInputError(message)
        key = workflow.add_key(core, principal, form)
    except (InvalidInputError, ConflictError) as error:
        return _keys(request, core, principal, error=error, typed=form)
    return render_page(request, "staff/key_made.html", status=CREATED, key=key, label=form.label)


@router.post("/keys/revoke")
def revoke_key(core: CoreDep, principal: PrincipalDep, number: Number) -> Response:
    """Make a key useless."""
    workflow.revoke_key(core, principal, number)
    return go(core, "/staff/keys?done=key-revoked")


@router.get("/audit")
def show_audit(
    request: Request, core: CoreDep, principal: PrincipalDep, query: Annotated[AuditQuery, Query()]
) -> Response:
    """Show who did what and when, the newest first; ids and counts, never words or places."""
    rows, older = auditing.list_events(core, principal, query)
    typed = query.model_dump(mode="json", exclude={"before"}, exclude_none=True)
    values: dict[str, Any] = {"rows": rows, "older": older, "typed": typed, "local": auditing.local_words}
    return render_page(request, "staff/audit.html", **values, may=_may(principal), role_words=ROLE_WORDS)


def _may(principal: Principal) -> dict[str, bool]:
    return {right.name.lower(): principal.may(right) for right in (Right.STAFF_MANAGE, Right.AUDIT_READ)}


def _is_fresh(core: Core, principal: Principal) -> bool:
    try:
        workflow.require_fresh(core, principal)
    except ForbiddenError:
        return False
    return True


def _shared(core: Core, principal: Principal, said: str, error: ServiceError | None) -> dict[str, Any]:
    return {
        "may": _may(principal),
        "fresh": _is_fresh(core, principal),
        "said": said,
        "problem": error.detail if error else "",
        "role_words": ROLE_WORDS,
        "role_hints": ROLE_HINTS,
        "local": auditing.local_words,
    }


def _accounts(
    request: Request,
    core: Core,
    principal: Principal,
    *,
    said: str = "",
    error: ServiceError | None = None,
    typed: AccountForm | None = None,
) -> Response:
    values = _shared(core, principal, said, error) | {
        "accounts": workflow.list_accounts(core, principal),
        "teams": workflow.list_teams(core, principal),
        "typed": typed or AccountForm(),
    }
    return render_page(request, "staff/accounts.html", status=problem_of(error).status if error else 200, **values)


def _teams(
    request: Request, core: Core, principal: Principal, *, said: str = "", error: ServiceError | None = None
) -> Response:
    values = _shared(core, principal, said, error) | {"teams": workflow.list_teams(core, principal)}
    return render_page(request, "staff/teams.html", status=problem_of(error).status if error else 200, **values)


def _keys(
    request: Request,
    core: Core,
    principal: Principal,
    *,
    said: str = "",
    error: ServiceError | None = None,
    typed: KeyForm | None = None,
) -> Response:
    rights = {str(right): right_words(right) for role in ROLE_WORDS for right in workflow.key_rights(role)}
    ordered = {str(right): rights[str(right)] for right in RIGHT_WORDS if str(right) in rights}
    values = _shared(core, principal, said, error) | {
        "keys": workflow.list_keys(core, principal),
        "teams": workflow.list_teams(core, principal),
        "rights": ordered | rights,
        "typed": typed or KeyForm(),
    }
    return render_page(request, "staff/keys.html", status=problem_of(error).status if error else 200, **values)


def _link(request: Request, core: Core, label: str, token: str) -> Response:
    # the token stands in the fragment, which no browser sends to a server and no log holds
    link = f"{str(request.base_url).rstrip('/')}{core.settings.base_path}/staff/invite#{token}"
    values = {"label": label, "link": link, "hours": core.settings.staff_invite_hours}
    return render_page(request, "staff/link.html", status=CREATED, **values)
