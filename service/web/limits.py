"""Limits that keep a flood out: the size of a body, and tries a minute for each network without keeping addresses."""

from __future__ import annotations

import ipaddress
import math
import time
from threading import Lock

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.core import Core
from service.errors import TooLargeError, TooManyRequestsError, problem_of, problem_response

MINUTE_S = 60.0
BUCKETS_MAX = 10_000
IPV4_PREFIX, IPV6_PREFIX = 24, 48  # what a provider hands to one customer or site; never the single device


class BodyLimit:
    """ASGI middleware that refuses a body over a limit before anything reads it.

    Parameters
    ----------
    app : ASGIApp
        The application behind.
    limit : int
        Largest body [bytes].
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "OPTIONS"}:
            await self.app(scope, receive, send)
            return
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), None)
        if declared is not None and declared.isdigit() and int(declared) <= self.limit:
            # the server itself holds the client to the length it declared
            await self.app(scope, receive, send)
            return
        messages = None if declared is not None else await self._collect(receive)
        if messages is None:
            await self._refuse(scope, receive, send)
            return
        waiting = iter(messages)

        async def replay() -> Message:
            return next(waiting, None) or await receive()

        await self.app(scope, replay, send)

    async def _collect(self, receive: Receive) -> list[Message] | None:
        """Read a body of undeclared length as long as it is within the limit."""
        messages: list[Message] = []
        size = 0
        while True:
            message = await receive()
            messages.append(message)
            size += len(message.get("body", b""))
            if size > self.limit:
                return None
            if not message.get("more_body", False):
                return messages

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = TooLargeError(f"The body is too large: at most {self.limit // 1024} kB are taken. Send less at once.")
        response = problem_response(Request(scope), problem_of(error))
        response.headers["Connection"] = "close"
        await response(scope, receive, send)


class Throttle:
    """Token buckets in memory, keyed by a keyed hash of the network; thread-safe, one set a process.

    Parameters
    ----------
    per_minute : int
        Tokens that come back in a minute, and how many a bucket holds.
    """

    def __init__(self, per_minute: int) -> None:
        self._capacity = float(per_minute)
        self._lock = Lock()
        self._buckets: dict[str, tuple[float, float]] = {}  # key -> tokens, time of the last look

    def take(self, key: str, *, now: float | None = None) -> float:
        """Take a token; return 0 if there was one, else the seconds until there is.

        Parameters
        ----------
        key : str
            Whose bucket.
        now : float, optional
            Monotonic time [s]; the clock's where left out.
        """
        moment = time.monotonic() if now is None else now
        with self._lock:
            self._forget_full(moment)
            tokens = self._tokens(key, moment)
            allowed = tokens >= 1.0
            self._buckets.pop(key, None)
            self._buckets[key] = (tokens - 1.0 if allowed else tokens, moment)
            if len(self._buckets) > BUCKETS_MAX:
                self._buckets.pop(next(iter(self._buckets)))
        return self._until_next(tokens)

    def wait_s(self, key: str, *, now: float | None = None) -> float:
        """Return the seconds until there is a token, without taking one."""
        moment = time.monotonic() if now is None else now
        with self._lock:
            return self._until_next(self._tokens(key, moment))

    def _tokens(self, key: str, moment: float) -> float:
        tokens, seen = self._buckets.get(key, (self._capacity, moment))
        return min(self._capacity, tokens + (moment - seen) * self._capacity / MINUTE_S)

    def _until_next(self, tokens: float) -> float:
        return 0.0 if tokens >= 1.0 else (1.0 - tokens) * MINUTE_S / self._capacity

    def _forget_full(self, moment: float) -> None:
        """Drop the buckets that are full again: after a minute nothing is kept of a network, not even its hash."""
        # the bucket looked at longest ago stands first
        while self._buckets and moment - next(iter(self._buckets.values()))[1] >= MINUTE_S:
            del self._buckets[next(iter(self._buckets))]

    def __len__(self) -> int:
        """Return the number of networks known right now."""
        return len(self._buckets)


def throttle_of(core: Core, purpose: str, per_minute: int) -> Throttle:
    """Return the buckets of one purpose; the core holds them."""
    found: Throttle | None = core.throttles.get(purpose)
    if found is None:
        found = core.throttles.setdefault(purpose, Throttle(per_minute))
    return found


def require_tokens(core: Core, request: Request, purpose: str, per_minute: int) -> None:
    """Take a token of the caller's network.

    Raises
    ------
    TooManyRequestsError
        If there is none; it says when to come back.
    """
    buckets = throttle_of(core, purpose, per_minute)
    _require_none(buckets.take(_network_key(core, request, purpose)))


def require_tokens_of(core: Core, key: str, purpose: str, per_minute: int) -> None:
    """Take a token of one device, named by the hash of its token, before its network is asked (X3).

    Raises
    ------
    TooManyRequestsError
        If there is none; it says when to come back.
    """
    _require_none(throttle_of(core, purpose, per_minute).take(key))


def require_few_failures(core: Core, request: Request, purpose: str, per_minute: int) -> None:
    """Raise if the caller's network has used its failures up; takes nothing.

    Raises
    ------
    TooManyRequestsError
        It says when to come back.
    """
    _require_none(throttle_of(core, purpose, per_minute).wait_s(_network_key(core, request, purpose)))


def count_failure(core: Core, request: Request, purpose: str, per_minute: int) -> None:
    """Count one failure of the caller's network."""
    throttle_of(core, purpose, per_minute).take(_network_key(core, request, purpose))


def _require_none(wait_s: float) -> None:
    if wait_s:
        message = f"Too many tries from here. Wait {math.ceil(wait_s)} seconds, then try again."
        raise TooManyRequestsError(message)


def _network_key(core: Core, request: Request, purpose: str) -> str:
    return core.keyed_hash("network", f"{purpose}\0{network_of(request)}")


def network_of(request: Request) -> str:
    """Return the network that a request comes from; used for hashing only, never stored or logged."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    prefix = IPV4_PREFIX if isinstance(address, ipaddress.IPv4Address) else IPV6_PREFIX
    return str(ipaddress.ip_network((address, prefix), strict=False))
