"""Pages of sign-in with an OpenID provider: leave for it, come back, and give our own code where it asserted none."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from service.core import Core
from service.errors import InvalidInputError, NotSignedInError, ServiceError, problem_of
from service.people import elsewhere, oidc, second_factor
from service.people.dependencies import PrincipalDep, cookie_of, require_same_origin
from service.people.pages import SEE_OTHER, own_path
from service.web.dependencies import CoreDep
from service.web.limits import count_failure, require_few_failures
from service.web.templates import render_page

router = APIRouter(include_in_schema=False)
COOKIE = "staff_elsewhere"
PATH = "/sign-in/elsewhere"
Next = Annotated[str, Query(alias="next", max_length=300)]


@router.get(PATH)
def leave(request: Request, core: CoreDep, principal: PrincipalDep, next_: Next = "", again: bool = False) -> Response:
    """Go to the provider; with ``again`` to confirm the session that the caller has (X5)."""
    oidc.require_provider(core)
    session_id = principal.session_id if again else None
    address, kept = oidc.leave(core, back=_back(request, core), next_=own_path(next_), session_id=session_id)
    return _keep(core, request, RedirectResponse(address, SEE_OTHER), kept)


@router.post("/staff/invite/elsewhere")
def bind(request: Request, core: CoreDep, token: Annotated[str, Form(max_length=300)]) -> Response:
    """Take an invite up with the account that the caller has at the provider."""
    require_same_origin(request)
    oidc.require_provider(core)
    address, kept = oidc.leave(core, back=_back(request, core), invite=token)
    # a page with a link: the policy lets no form of ours end at another host, and that is how it should stay
    page = render_page(request, "staff/leave.html", address=address, name=core.settings.oidc_name)
    return _keep(core, request, page, kept)


@router.get(PATH + "/back")
def come_back(
    request: Request,
    core: CoreDep,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
) -> Response:
    """Take the provider's answer: start a session, or ask for our own code."""
    oidc.require_provider(core)
    limit = core.settings.sign_in_tries_per_minute
    require_few_failures(core, request, "sign-in", limit)
    try:
        journey, asserted = oidc.come_back(core, request.cookies.get(COOKIE, ""), state=state, code=code)
        arrived = elsewhere.arrive(core, journey, asserted)
    except ServiceError as error:
        count_failure(core, request, "sign-in", limit)
        return _failed(request, core, error)
    response = _go_on(request, core, arrived.token, journey.next) if arrived.token else None
    response = response or _ask(request, arrived, journey.next, "")
    response.delete_cookie(COOKIE, path=_cookie_path(core), httponly=True, samesite="lax")
    return response


@router.post(PATH + "/code")
def give_code(
    request: Request,
    core: CoreDep,
    step: Annotated[str, Form(max_length=2000)],
    code: Annotated[str, Form(max_length=60)],
    next_: Annotated[str, Form(alias="next", max_length=300)] = "",
) -> Response:
    """Check our own code and start the session."""
    require_same_origin(request)
    limit = core.settings.sign_in_tries_per_minute
    require_few_failures(core, request, "sign-in", limit)
    try:
        token, codes = elsewhere.give_code(core, step, code)
    except (NotSignedInError, InvalidInputError) as error:
        count_failure(core, request, "sign-in", limit)
        try:
            shown = elsewhere.same_step(core, step)
        except (NotSignedInError, InvalidInputError):
            return _failed(request, core, error)
        return _ask(request, shown, next_, error.detail, status=problem_of(error).status)
    if not codes:
        return _go_on(request, core, token, next_)
    response = render_page(request, "staff/codes.html", status=201, codes=codes, is_new=True)
    response.headers.append("set-cookie", cookie_of(core, request, token))
    return response


def _back(request: Request, core: Core) -> str:
    return f"{str(request.base_url).rstrip('/')}{core.settings.base_path}{PATH}/back"


def _cookie_path(core: Core) -> str:
    return f"{core.settings.base_path}{PATH}"


def _keep(core: Core, request: Request, response: Response, kept: str) -> Response:
    """Let the browser carry the journey; lax, since the provider's page sends it back to us."""
    secure = request.url.scheme == "https"
    age, path = oidc.WAIT_S, _cookie_path(core)
    response.set_cookie(COOKIE, kept, max_age=age, path=path, secure=secure, httponly=True, samesite="lax")
    return response


def _go_on(request: Request, core: Core, token: str, next_: str) -> Response:
    """Answer with a page that goes on by itself: a redirect would still count as sent by the provider's site."""
    response = render_page(request, "staff/go_on.html", next=own_path(next_) or "/staff")
    response.headers.append("set-cookie", cookie_of(core, request, token))
    return response


def _ask(request: Request, arrived: elsewhere.Arrived, next_: str, problem: str, *, status: int = 200) -> Response:
    shown = arrived.enrolment
    values = {"step": arrived.step, "enrolment": shown, "next": own_path(next_), "problem": problem}
    qr = second_factor.qr_svg(shown.address) if shown else ""
    return render_page(request, "staff/elsewhere_code.html", status=status, qr=qr, **values)


def _failed(request: Request, core: Core, error: ServiceError) -> Response:
    values = {"next": "", "login": "", "problem": error.detail, "settings": core.settings}
    return render_page(request, "sign_in.html", status=problem_of(error).status, **values)
