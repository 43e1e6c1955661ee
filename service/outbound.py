"""The one way out of the service: an HTTP client that calls the hosts on the allow-list and no others (X10)."""

from __future__ import annotations

import httpx2

from service.errors import ForbiddenError
from service.settings import Settings


class OutboundDeniedError(ForbiddenError):
    """A call to a host that is not on the allow-list; nothing was sent."""


class _AllowList(httpx2.HTTPTransport):
    """Refuses other hosts before a connection is made; a redirect comes through here again."""

    def __init__(self, hosts: frozenset[str]) -> None:
        super().__init__()
        self._hosts = hosts

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        host = request.url.netloc.decode("ascii")
        if host not in self._hosts:
            message = f"Outbound calls to {host} are not allowed; the allow-list holds the hosts of the settings."
            raise OutboundDeniedError(message)
        return super().handle_request(request)


def outbound_client(settings: Settings) -> httpx2.Client:
    """Return a client for the hosts that the settings name.

    Parameters
    ----------
    settings : Settings
        ``outbound_hosts`` is the allow-list, ``outbound_timeout_s`` the time-out of one request.

    Returns
    -------
    Client
        Follows no redirects; the caller closes it.
    """
    return httpx2.Client(
        transport=_AllowList(settings.outbound_hosts),
        timeout=settings.outbound_timeout_s,
        follow_redirects=False,
        headers={"User-Agent": "safer-places (open data import)"},
    )
