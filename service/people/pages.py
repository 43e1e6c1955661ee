"""Pages of staff: sign in and out, take an invite up, one's own account, and the second look before an export."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from service.core import Core
from service.errors import InvalidInputError, NotFoundError, NotSignedInError
from service.people import second_factor, workflow
from service.people.access import Principal, Right
from service.people.auditing import local_words
from service.people.dependencies import COOKIE, PrincipalDep, cookie_of, require_same_origin
from service.people.wording import DONE, ROLE_WORDS
from service.web.dependencies import CoreDep
from service.web.limits import count_failure, require_few_failures
from service.web.templates import render_page

router = APIRouter(include_in_schema=False)
SEE_OTHER, UNAUTHORIZED, NOT_FOUND, REFUSED = 303, 401, 404, 422
Word = Annotated[str, Form(max_length=300)]
Next = Annotated[str, Query(max_length=300, description="Page of ours to go on to.")]


@router.get("/sign-in")
def show_sign_in(
    request: Request, core: CoreDep, principal: PrincipalDep, next_: Annotated[Next, Query(alias="next")] = ""
) -> Response:
    """Ask staff for login, password and code; the answer goes by POST."""
    if principal.is_staff:
        return go(core, own_path(next_) or "/staff")
    return _ask(request, core, next_, login="", problem="")


@router.post("/sign-in")
def sign_in(
    request: Request,
    core: CoreDep,
    login: Word,
    password: Word,
    code: Annotated[str, Form(max_length=60)],
    next_: Annotated[str, Form(alias="next", max_length=300)] = "",
) -> Response:
    """Check all three and start a session in a cookie that scripts cannot read and other sites cannot send."""
    require_same_origin(request)
    limit = core.settings.sign_in_tries_per_minute
    require_few_failures(core, request, "sign-in", limit)
    try:
        _, token = workflow.sign_in(core, login, password, code)
    except NotSignedInError as error:
        count_failure(core, request, "sign-in", limit)
        return _ask(request, core, next_, login=login, problem=error.detail)
    return go(core, own_path(next_) or "/staff", cookie_of(core, request, token))


@router.post("/sign-out")
def sign_out(request: Request, core: CoreDep, principal: PrincipalDep) -> Response:
    """End the session of this browser, here and in the store."""
    require_same_origin(request)
    workflow.sign_out(core, principal)
    response = go(core, "/")
    response.delete_cookie(COOKIE, path=f"{core.settings.base_path}/", httponly=True, samesite="strict")
    return response


@router.get("/staff")
def show_account(request: Request, core: CoreDep, principal: PrincipalDep, done: str = "") -> Response:
    """Show what the member of staff can do, and their own account: sessions, recovery codes, password."""
    require_staff(principal)
    values = _own(core, principal) | {"done": DONE.get(done, ""), "problem": ""}
    return render_page(request, "staff/account.html", **values)


@router.post("/staff/session/end")
def end_session(core: CoreDep, principal: PrincipalDep, number: Annotated[int, Form(ge=1, le=2**53)]) -> Response:
    """End one of one's own sessions."""
    require_staff(principal)
    workflow.end_session(core, principal, number)
    return go(core, "/staff?done=session-ended")


@router.post("/staff/password")
def change_password(request: Request, core: CoreDep, principal: PrincipalDep, password: Word) -> Response:
    """Set a new password; the old one and a code have been given a short while ago."""
    require_staff(principal)
    try:
        workflow.change_password(core, principal, password)
    except InvalidInputError as error:
        values = _own(core, principal) | {"done": "", "problem": error.detail}
        return render_page(request, "staff/account.html", status=REFUSED, **values)
    return go(core, "/staff?done=password-changed")


@router.post("/staff/address")
def change_address(
    request: Request, core: CoreDep, principal: PrincipalDep, notify: Annotated[str, Form(max_length=300)] = ""
) -> Response:
    """Say where e-mails about late marks go."""
    require_staff(principal)
    try:
        workflow.change_own_address(core, principal, notify)
    except InvalidInputError as error:
        values = _own(core, principal) | {"done": "", "problem": error.detail}
        return render_page(request, "staff/account.html", status=REFUSED, **values)
    return go(core, "/staff?done=address-changed")


@router.post("/staff/recovery")
def renew_recovery(request: Request, core: CoreDep, principal: PrincipalDep) -> Response:
    """Make new recovery codes and show them this once."""
    require_staff(principal)
    codes = workflow.renew_recovery_codes(core, principal)
    return render_page(request, "staff/codes.html", codes=codes, is_new=False)


@router.get("/staff/confirm")
def show_confirm(
    request: Request, core: CoreDep, principal: PrincipalDep, next_: Annotated[Next, Query(alias="next")] = ""
) -> Response:
    """Ask for password and code once more (X5)."""
    require_staff(principal)
    if principal.session_id is None:  # a program's key has nothing to confirm
        return go(core, own_path(next_) or "/staff")
    return _ask_again(request, core, principal, next_, "")


@router.post("/staff/confirm")
def confirm(
    request: Request,
    core: CoreDep,
    principal: PrincipalDep,
    password: Word,
    code: Annotated[str, Form(max_length=60)],
    next_: Annotated[str, Form(alias="next", max_length=300)] = "",
) -> Response:
    """Check password and code, and go on to the page that asked for it with a fresh session."""
    require_staff(principal)
    try:
        token = workflow.confirm(core, principal, password, code)
    except NotSignedInError as error:
        return _ask_again(request, core, principal, next_, error.detail)
    return go(core, own_path(next_) or "/staff", cookie_of(core, request, token))


@router.get("/staff/invite")
def show_invite(request: Request) -> Response:
    """Take the token of an invite out of the fragment of the address, or ask for it; it is sent by POST."""
    return render_page(request, "staff/invite.html", problem="")


@router.post("/staff/invite")
def open_invite(request: Request, core: CoreDep, token: Word) -> Response:
    """Show what the holder of an invite has to do: a password, an app, a code."""
    require_same_origin(request)
    limit = core.settings.sign_in_tries_per_minute
    require_few_failures(core, request, "sign-in", limit)
    try:
        enrolment = workflow.open_invite(core, token)
    except NotFoundError as error:
        count_failure(core, request, "sign-in", limit)
        return render_page(request, "staff/invite.html", status=NOT_FOUND, problem=error.detail)
    return _enrol(request, core, token, enrolment, "")


@router.post("/staff/invite/accept")
def accept_invite(
    request: Request,
    core: CoreDep,
    token: Word,
    password: Word,
    sealed: Annotated[str, Form(max_length=1000)],
    code: Annotated[str, Form(max_length=60)],
) -> Response:
    """Take the account up, and show the recovery codes this once."""
    require_same_origin(request)
    require_few_failures(core, request, "sign-in", core.settings.sign_in_tries_per_minute)
    try:
        _, session, codes = workflow.accept_invite(core, token, password=password, sealed=sealed, code=code)
    except NotFoundError as error:
        return render_page(request, "staff/invite.html", status=NOT_FOUND, problem=error.detail)
    except InvalidInputError as error:
        return _enrol(request, core, token, workflow.same_enrolment(core, token, sealed), error.detail)
    response = render_page(request, "staff/codes.html", status=201, codes=codes, is_new=True)
    response.headers.append("set-cookie", cookie_of(core, request, session))
    return response


def require_staff(principal: Principal) -> None:
    """Raise unless somebody is signed in, whatever their role.

    Raises
    ------
    NotSignedInError
        If nobody is.
    """
    if not principal.is_staff:
        message = "This is for staff. Sign in first."
        raise NotSignedInError(message)


def own_path(path: str) -> str:
    """Return a path of our own to go on to; empty for everything that could lead elsewhere."""
    is_own = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path
    return path if is_own else ""


def go(core: Core, path: str, cookie: str | None = None) -> RedirectResponse:
    """Return the way to another page of ours."""
    base = core.settings.base_path
    response = RedirectResponse(path if base and path.startswith(f"{base}/") else base + path, SEE_OTHER)
    if cookie is not None:
        response.headers.append("set-cookie", cookie)
    return response


def _ask(request: Request, core: Core, next_: str, *, login: str, problem: str) -> Response:
    values = {"next": own_path(next_), "login": login, "problem": problem, "settings": core.settings}
    return render_page(request, "sign_in.html", status=UNAUTHORIZED if problem else 200, **values)


def _ask_again(request: Request, core: Core, principal: Principal, next_: str, problem: str) -> Response:
    there = core.settings.oidc_name if core.settings.oidc_issuer and not workflow.has_password(core, principal) else ""
    values = {"next": own_path(next_), "problem": problem, "minutes": core.settings.staff_confirm_minutes}
    values |= {"elsewhere": there}
    return render_page(request, "staff/confirm.html", status=UNAUTHORIZED if problem else 200, **values)


def _enrol(request: Request, core: Core, token: str, enrolment: workflow.Enrolment, problem: str) -> Response:
    elsewhere = core.settings.oidc_name if core.settings.oidc_issuer else ""
    qr = second_factor.qr_svg(enrolment.address)
    values = {"token": token, "enrolment": enrolment, "qr": qr, "problem": problem, "role_words": ROLE_WORDS}
    return render_page(request, "staff/enrol.html", status=REFUSED if problem else 200, elsewhere=elsewhere, **values)


def _own(core: Core, principal: Principal) -> dict[str, Any]:
    """Return what the page of one's own account shows."""
    may = {right.name.lower(): principal.may(right) for right in Right}
    sessions = workflow.list_sessions(core, principal) if principal.session_id is not None else []
    codes = workflow.count_recovery_codes(core, principal) if principal.session_id is not None else 0
    own = {"sessions": sessions, "codes": codes, "notify": workflow.own_address(core, principal)}
    return own | {"may": may, "local": local_words, "role_words": ROLE_WORDS}
