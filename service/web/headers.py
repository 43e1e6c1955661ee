"""Security headers on every answer: content security policy with a nonce, no sniffing, no store unless public."""

from __future__ import annotations

import secrets
from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NONCE_KEY: Final = "csp_nonce"
COOKIE_KEY: Final = "late_cookie"


class SecurityHeaders:
    """ASGI middleware that makes a nonce for each request and sets the headers of the answer.

    Parameters
    ----------
    app : ASGIApp
        The application behind.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        nonce = scope[NONCE_KEY] = secrets.token_urlsafe(16)
        embed = scope["path"].startswith("/maps/") and "embed" in parse_qs(scope["query_string"].decode("latin-1"))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                set_security_headers(headers, nonce, embed=embed)
                _add_late_cookie(headers, scope.get(COOKIE_KEY))
            await send(message)

        await self.app(scope, receive, send_with_headers)


def set_late_cookie(scope: Scope, header: str) -> None:
    """Let the answer of this request set a cookie, whatever kind of answer the route makes; the route's own wins."""
    scope[COOKIE_KEY] = header


def _add_late_cookie(headers: MutableHeaders, cookie: str | None) -> None:
    if cookie is None:
        return
    name = cookie.partition("=")[0] + "="
    if not any(value.startswith(name) for value in headers.getlist("set-cookie")):
        headers.append("set-cookie", cookie)


def content_security_policy(nonce: str, *, embed: bool) -> str:
    """Return the policy: our own host only, scripts and styles by nonce, framing only for embedded maps."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'nonce-{nonce}'",
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "worker-src 'self'",
            "frame-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            f"frame-ancestors {'*' if embed else chr(39) + 'self' + chr(39)}",
        )
    )


def set_security_headers(headers: MutableHeaders, nonce: str, *, embed: bool) -> None:
    """Set the headers that every answer carries; a route may have set a policy or a cache rule of its own."""
    headers.setdefault("Content-Security-Policy", content_security_policy(nonce, embed=embed))
    headers.setdefault("Cache-Control", "no-store")
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "geolocation=(self), camera=(), microphone=(), payment=(), usb=()"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "cross-origin" if embed else "same-origin"
