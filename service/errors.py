"""Every failure as an RFC 9457 problem: one table from class to (status, code), one handler."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from geo.errors import (
    BoundaryError,
    ColumnError,
    CrimeFileError,
    CRSError,
    DisclosureError,
    GeoError,
    GeometryError,
    MethodError,
)  # fmt: skip
from service.web.headers import NONCE_KEY, set_security_headers
from service.web.templates import render_error, render_page, wants_html

LOG = logging.getLogger("safer_places.errors")


class FieldProblem(BaseModel):
    """One field that was refused, and what to do."""

    field: str = Field(description="Path of the field, such as 'properties.reasons'.")
    message: str = Field(description="What was wrong and what to do.")


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str = Field(default="about:blank", description="Always about:blank; see `code`.")
    title: str = Field(description="The HTTP status in words.")
    status: int = Field(description="The HTTP status.")
    code: str = Field(description="Stable name of the failure, for programs.")
    detail: str = Field(description="What happened and what to do, in plain words.")
    errors: list[FieldProblem] = Field(default=[], description="The refused fields, if the input was refused.")


class ServiceError(Exception):
    """Base of the service's own errors; ``str()`` is shown to the caller, so it holds nothing private."""

    def __init__(self, detail: str, *, errors: list[FieldProblem] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors or []


class InvalidInputError(ServiceError):
    """The request was understood and refused."""


class NotFoundError(ServiceError):
    """There is no such thing, or the caller may not know of it."""


class NotSignedInError(ServiceError):
    """The route is for staff and no valid key or session came along."""


class ForbiddenError(ServiceError):
    """The caller is known and may not do this."""


class ConfirmFirstError(ForbiddenError):
    """The caller has to give password and code again before this act; a browser is sent to the page that asks."""


class ConflictError(ServiceError):
    """The request contradicts what is stored."""


class GoneError(ServiceError):
    """The thing was there and was taken back."""


class TooLargeError(ServiceError):
    """The body is larger than what is taken at once."""


class TooManyRequestsError(ServiceError):
    """The caller asks too often."""


class UnavailableError(ServiceError):
    """Something the answer needs is not there yet; try again later."""


class NotSetUpError(UnavailableError):
    """An operator has not imported yet what every page and join needs; a browser gets a page that says what to do."""


TABLE: dict[type[Exception], tuple[HTTPStatus, str]] = {
    InvalidInputError: (HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-input"),
    NotFoundError: (HTTPStatus.NOT_FOUND, "not-found"),
    NotSignedInError: (HTTPStatus.UNAUTHORIZED, "not-signed-in"),
    ConfirmFirstError: (HTTPStatus.FORBIDDEN, "confirm-first"),
    ForbiddenError: (HTTPStatus.FORBIDDEN, "forbidden"),
    ConflictError: (HTTPStatus.CONFLICT, "conflict"),
    GoneError: (HTTPStatus.GONE, "gone"),
    TooLargeError: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large"),
    TooManyRequestsError: (HTTPStatus.TOO_MANY_REQUESTS, "too-many-requests"),
    NotSetUpError: (HTTPStatus.SERVICE_UNAVAILABLE, "not-set-up"),
    UnavailableError: (HTTPStatus.SERVICE_UNAVAILABLE, "unavailable"),
    GeometryError: (HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-geometry"),
    CRSError: (HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-crs"),
    ColumnError: (HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-columns"),
    BoundaryError: (HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-boundaries"),
    CrimeFileError: (HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-crime-file"),
    DisclosureError: (HTTPStatus.UNPROCESSABLE_ENTITY, "not-safe-to-release"),
    MethodError: (HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-method"),
}
EXTRA_HEADERS: dict[HTTPStatus, dict[str, str]] = {
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": "30"},
    HTTPStatus.TOO_MANY_REQUESTS: {"Retry-After": "30"},
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": 'Bearer realm="staff"'},
}
SERVER_ERROR = 500
UNNAMED = frozenset({"extra_forbidden", "json_invalid"})
PLAIN_WORDS = {
    "extra_forbidden": "There is a property here that is not known. Leave it out; see the field list in the API.",
    "json_invalid": "The body is not valid JSON. Check it with a JSON tool; NaN and Infinity are not JSON.",
    "uuid_parsing": "This is not a UUID. Send one as 8-4-4-4-12 hexadecimal digits.",
    "missing": "This field is missing. Add it.",
    "string_too_short": "This is too short. Check that all of it is there.",
    "model_attributes_type": "Send a JSON object here: names and values in curly brackets.",
    "model_type": "Send a JSON object here: names and values in curly brackets.",
    "dict_type": "Send a JSON object here: names and values in curly brackets.",
    "list_type": "Send a JSON list here: values in square brackets.",
    "string_type": "Send a text here, in quotation marks.",
}


def install_handlers(app: FastAPI) -> None:
    """Make every failure of ``app``, the framework's own too, a problem (or a page for a browser)."""
    for kind in (ServiceError, GeoError):
        app.add_exception_handler(kind, _handle_known)
    app.add_exception_handler(RequestValidationError, _handle_validation)
    app.add_exception_handler(HTTPException, _handle_http)
    app.add_exception_handler(OperationalError, _handle_database)
    app.add_exception_handler(Exception, _handle_unknown)


def problem_response(request: Request, problem: Problem, headers: dict[str, str] | None = None) -> Response:
    """Answer with the problem: JSON for programs, a page in plain words for browsers."""
    level = logging.ERROR if problem.status >= SERVER_ERROR else logging.INFO
    LOG.log(level, "problem", extra={"status": problem.status, "code": problem.code})
    if wants_html(request):
        return render_error(request, problem.status, problem.detail, headers)
    body = problem.model_dump()
    return JSONResponse(body, problem.status, headers=headers, media_type="application/problem+json")


def _problem(status: HTTPStatus, code: str, detail: str, errors: list[FieldProblem] | None = None) -> Problem:
    return Problem(title=status.phrase, status=status, code=code, detail=detail, errors=errors or [])


def problem_of(error: Exception) -> Problem:
    """Return the problem of an error whose class, or a parent of it, stands in the table."""
    status, code = next(TABLE[cls] for cls in type(error).__mro__ if cls in TABLE)
    return _problem(status, code, str(error), getattr(error, "errors", []))


def _handle_known(request: Request, error: Exception) -> Response:
    if not any(cls in TABLE for cls in type(error).__mro__):
        return _handle_unknown(request, error)
    if isinstance(error, NotSetUpError) and wants_html(request):
        return render_page(request, "not_set_up.html")
    problem = problem_of(error)
    if isinstance(error, ConfirmFirstError) and wants_html(request):
        return render_page(request, "staff/confirm_first.html", status=problem.status, again=confirm_path(request))
    return problem_response(request, problem, EXTRA_HEADERS.get(HTTPStatus(problem.status)))


def confirm_path(request: Request) -> str:
    """Return the page that asks for password and code again, and where it leads back to."""
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.method != "GET":  # a form cannot be sent again by an address: back to the page it stands on
        back = request.url.path
    return f"{request.app.state.core.settings.base_path}/staff/confirm?{urlencode({'next': back})}"


def _handle_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    fields = [FieldProblem(field=_field_path(item), message=_plain(item)) for item in error.errors()]
    detail = "Some of the input cannot be used: " + "; ".join(f"{f.field}: {f.message}" for f in fields[:3])
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return problem_response(request, _problem(status, "invalid-input", detail, fields))


def _field_path(item: dict[str, Any]) -> str:
    """Return where the problem is, as 'properties.reasons[1]'."""
    parts = list(item["loc"])
    if parts and parts[0] in {"body", "query", "path", "header"}:
        parts = parts[1:]
    if item["type"] in UNNAMED:
        parts = parts[:-1]  # the sender chose this name, and it may be anything
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return path.removeprefix(".") or "body"


def _plain(item: dict[str, Any]) -> str:
    """Return the validator's message without the input, which may be a person's words."""
    return PLAIN_WORDS.get(item["type"]) or str(item["msg"]).removeprefix("Value error, ")


def _handle_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    words = {
        HTTPStatus.NOT_FOUND: "There is nothing at this address.",
        HTTPStatus.METHOD_NOT_ALLOWED: "This address does not take that method.",
        HTTPStatus.BAD_REQUEST: "The body cannot be read. Send JSON in UTF-8 with Content-Type: application/json.",
    }
    code = status.name.lower().replace("_", "-")
    headers = dict(error.headers) if error.headers else None
    return problem_response(request, _problem(status, code, words.get(status, status.phrase)), headers)


def _handle_database(request: Request, error: Exception) -> Response:
    LOG.error("database", exc_info=error)
    detail = "The store cannot be reached right now. Nothing that was confirmed is lost. Try again in a minute."
    status = HTTPStatus.SERVICE_UNAVAILABLE
    return problem_response(request, _problem(status, "store-unavailable", detail), EXTRA_HEADERS[status])


def _handle_unknown(request: Request, error: Exception) -> Response:
    LOG.error("unexpected", exc_info=error)
    detail = "Something went wrong on our side. What was confirmed before is kept. Try again in a minute."
    response = problem_response(request, _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal-error", detail))
    # The framework answers unexpected errors outside our middleware: the headers have to be set here.
    set_security_headers(response.headers, request.scope.get(NONCE_KEY, ""), embed=False)
    return response
