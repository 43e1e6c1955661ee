"""Sign-in with an OpenID provider: the code flow with PKCE, state and nonce; only its own hosts are called (X10)."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from typing import Any, Final, cast
from urllib.parse import quote

import httpx2
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization

from service.core import Core
from service.errors import InvalidInputError, NotSignedInError, UnavailableError
from service.outbound import OutboundDeniedError, outbound_client
from service.store.base import utc_now

PURPOSE: Final = "oidc"
WAIT_S: Final = 600  # between leaving for the provider and coming back
AGAIN_S: Final = 300  # how fresh the provider's own sign-in must be to confirm an export
LEEWAY_S: Final = 60
ALGORITHMS: Final = ["RS256", "PS256", "ES256", "EdDSA"]  # with a public key: never "none", never a shared secret


@dataclass(frozen=True, slots=True)
class Journey:
    """What the browser carries, encrypted, while somebody is at the provider.

    Attributes
    ----------
    state, nonce, verifier : str
        Secrets that tie the answer, the token and the code to this browser.
    back : str
        Where the provider sends people back to.
    next : str
        Page of ours to go on to.
    invite : str
        Token of an invite that is taken up with this account; empty for a sign-in.
    session_id : int or None
        The session that is being confirmed (X5); None for a sign-in.
    started : float
        When it began [s].
    """

    state: str
    nonce: str
    verifier: str
    back: str
    next: str
    invite: str
    session_id: int | None
    started: float


@dataclass(frozen=True, slots=True)
class Asserted:
    """What the provider says of somebody, verified."""

    subject: str  # issuer and subject
    name: str
    groups: tuple[str, ...]
    has_second_factor: bool


def leave(
    core: Core, *, back: str, next_: str = "", invite: str = "", session_id: int | None = None
) -> tuple[str, str]:
    """Return the address of the provider to go to, and what the browser keeps meanwhile.

    Raises
    ------
    UnavailableError
        If the provider cannot be reached, or is not the one of the settings.
    """
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    journey = Journey(state, nonce, verifier, back, next_, invite, session_id, utc_now().timestamp())
    with outbound_client(core.settings) as client:
        metadata = _metadata(core, client)
        flow = _flow(core, client, journey)
        extra: dict[str, Any] = {"prompt": "login", "max_age": AGAIN_S} if session_id is not None else {}
        address, _ = flow.create_authorization_url(
            metadata["authorization_endpoint"],
            state=journey.state,
            code_verifier=journey.verifier,
            nonce=journey.nonce,
            **extra,
        )
    return str(address), core.encrypt(PURPOSE, json.dumps(asdict(journey)).encode())


def come_back(core: Core, kept: str, *, state: str, code: str) -> tuple[Journey, Asserted]:
    """Exchange the code and verify the ID token.

    Parameters
    ----------
    core : Core
        The deployment.
    kept : str
        What the browser kept.
    state, code : str
        What the provider sent back.

    Returns
    -------
    journey : Journey
        Where this began.
    asserted : Asserted
        Who it is.

    Raises
    ------
    NotSignedInError
        If the answer does not belong to this browser, is too old, or the token is not good.
    UnavailableError
        If the provider cannot be reached.
    """
    journey = _open(core, kept)
    given = state.encode("utf-8", "surrogatepass")  # text that is not ASCII cannot be compared as text
    if not secrets.compare_digest(journey.state.encode(), given) or not code:
        raise _refused()
    try:
        with outbound_client(core.settings) as client:
            metadata = _metadata(core, client)
            token = _flow(core, client, journey).fetch_token(
                metadata["token_endpoint"],
                grant_type="authorization_code",
                code=code,
                code_verifier=journey.verifier,
                redirect_uri=journey.back,
                auth=_credentials(core),
            )
            keys = KeySet.import_key_set(cast("KeySetSerialization", _json(client, metadata["jwks_uri"])))
    except OAuth2Error as error:
        raise _refused() from error
    except (httpx2.HTTPError, OutboundDeniedError, ValueError, KeyError) as error:
        raise _away() from error
    return journey, _asserted(core, _claims(core, journey, token, keys))


def _flow(core: Core, client: httpx2.Client, journey: Journey) -> OAuth2Client:
    settings = core.settings
    return OAuth2Client(
        client,
        client_id=settings.oidc_client_id,
        scope=settings.oidc_scopes,
        redirect_uri=journey.back,
        code_challenge_method="S256",
    )


def _credentials(core: Core) -> tuple[str, str]:
    """Return id and secret for the Basic scheme, encoded as RFC 6749 2.3.1 asks."""
    secret = core.settings.oidc_client_secret
    return quote(core.settings.oidc_client_id, safe=""), quote(secret.get_secret_value() if secret else "", safe="")


def _metadata(core: Core, client: httpx2.Client) -> dict[str, Any]:
    issuer = core.settings.oidc_issuer
    hour = int(utc_now().timestamp()) // 3600
    try:
        found = core.cache.get(
            ("oidc", issuer, hour), lambda: _json(client, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        )
    except (httpx2.HTTPError, OutboundDeniedError, ValueError) as error:
        raise _away() from error
    if str(found.get("issuer", "")).rstrip("/") != issuer.rstrip("/"):
        raise _away()
    return found


def _json(client: httpx2.Client, address: str) -> dict[str, Any]:
    answer = client.get(address)
    answer.raise_for_status()
    found = answer.json()
    if not isinstance(found, dict):
        message = "The provider's answer is no JSON object."
        raise ValueError(message)
    return found


def _claims(core: Core, journey: Journey, token: Any, keys: KeySet) -> CodeIDToken:
    settings = core.settings
    issuer = settings.oidc_issuer.rstrip("/")
    params = {
        "nonce": journey.nonce,
        "client_id": settings.oidc_client_id,
        "access_token": token.get("access_token"),
        "max_age": AGAIN_S if journey.session_id is not None else None,
    }
    options: dict[str, Any] = {
        "iss": {"essential": True, "values": [issuer, f"{issuer}/"]},
        "aud": {"essential": True, "value": settings.oidc_client_id},
    }
    try:
        decoded = jwt.decode(str(token.get("id_token", "")), keys, algorithms=ALGORITHMS)
        claims = CodeIDToken(decoded.claims, decoded.header, options, params)
        claims.validate(leeway=LEEWAY_S)
    except (JoseError, ValueError) as error:
        raise _refused() from error
    if journey.session_id is not None and utc_now().timestamp() - float(claims["auth_time"]) > AGAIN_S:
        raise _refused()
    return claims


def _asserted(core: Core, claims: CodeIDToken) -> Asserted:
    settings = core.settings
    subject = f"{settings.oidc_issuer.rstrip('/')} {claims['sub']}"
    said = {*(claims.get("amr") or []), claims.get("acr")}
    groups = claims.get(settings.oidc_role_claim, []) if settings.oidc_role_claim else []
    listed = tuple(str(group) for group in (groups if isinstance(groups, list) else [groups]))
    name = str(claims.get("preferred_username") or claims.get("name") or claims["sub"])
    return Asserted(subject[:300], name[:100], listed, bool(said & set(settings.oidc_second_factor)))


def _open(core: Core, kept: str) -> Journey:
    try:
        journey = Journey(**json.loads(core.decrypt(PURPOSE, kept)))
    except (ValueError, TypeError) as error:
        raise _refused() from error
    if utc_now().timestamp() - journey.started > WAIT_S:
        raise _refused()
    return journey


def _refused() -> NotSignedInError:
    return NotSignedInError("That did not work. Start again from the sign-in page, in this browser.")


def _away() -> UnavailableError:
    return UnavailableError("The sign-in service of your work cannot be reached. Use your password, or try later.")


def require_provider(core: Core) -> None:
    """Raise unless a provider is set.

    Raises
    ------
    InvalidInputError
        If there is none.
    """
    if not core.settings.oidc_issuer:
        message = "This service has no other way to sign in than login, password and code."
        raise InvalidInputError(message)
