"""The template environment: one place that renders pages, with what every page knows."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def day_words(day: date) -> str:
    """Return a day as people write it: 3 June 2018."""
    return f"{day.day} {day:%B %Y}"


def month_words(month: str) -> str:
    """Return a month ``2018-06`` as people write it: June 2018."""
    return f"{date.fromisoformat(month + '-01'):%B %Y}"


TEMPLATES.globals |= {"day_words": day_words, "month_words": month_words}
ERROR_TITLES = {
    401: "Please sign in",
    403: "This is not open to you",
    404: "Page not found",
    410: "This was taken back",
    422: "Something in the address is not right",
    429: "Please wait a moment",
    503: "This is not ready yet",
}
# what a page says instead of the words for programs
ERROR_LEADS = {401: "This is for staff. Sign in to see it."}


def wants_html(request: Request) -> bool:
    """Return whether the caller is a browser that opens a page."""
    path = request.url.path
    if path.startswith(("/api/", "/maps/data/", "/static/", "/health", "/ready")):
        return False
    return "text/html" in request.headers.get("accept", "")


def page_context(request: Request) -> dict[str, Any]:
    """Return what every page knows: nonce, deployment, principal, path prefix."""
    core = request.app.state.core
    return {
        "request": request,
        "nonce": request.scope.get("csp_nonce", ""),
        "base": core.settings.base_path,
        "area_name": core.area_name,
        "is_demo": core.is_demo,
        "principal": getattr(request.state, "principal", None),
        "path": request.url.path,
        "controller": core.settings.controller,
        "dpo_contact": core.settings.dpo_contact,
        "help_contact": core.settings.help_contact,
        "asks_about": core.settings.characteristics_on,
    }


def render_page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Render a page.

    Parameters
    ----------
    request : Request
        The request; its nonce goes on every script and style of ours.
    template : str
        File below ``web/templates``.
    status : int
        HTTP status of the answer.
    **values
        What the template needs beyond ``page_context``.

    Returns
    -------
    HTMLResponse
        The page; not cached unless the route says otherwise.
    """
    html = TEMPLATES.get_template(template).render(page_context(request) | values)
    return HTMLResponse(html, status)


def render_error(request: Request, status: int, detail: str, headers: dict[str, str] | None = None) -> HTMLResponse:
    """Render the error page: what happened, what is kept, what to do."""
    title, detail = ERROR_TITLES.get(status, "Something went wrong"), ERROR_LEADS.get(status, detail)
    response = render_page(request, "error.html", status=status, title=title, detail=detail, error_status=status)
    response.headers.update(headers or {})
    return response
