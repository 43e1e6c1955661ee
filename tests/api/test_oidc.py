"""Sign-in with a real OpenID provider on a loopback port: bound by invite, made from a group, second factor or ours."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pyotp
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from service.app import create_app
from service.core import Core
from service.outbound import OutboundDeniedError, outbound_client
from service.people import workflow as people
from service.people.models import AuditEvent, PrincipalRow
from service.settings import Settings
from tests.support.staff import OURS

USERS: dict[str, dict[str, Any]] = {
    "ama": {"preferred_username": "Ama", "amr": ["pwd", "mfa"], "groups": ["safety-planners"]},
    "ben": {"preferred_username": "Ben", "groups": ["north-youth"], "amr": ["pwd"]},
    "cleo": {"preferred_username": "Cleo", "amr": ["mfa"], "groups": ["finance"]},
}
ROLES = {"safety-planners": "planner", "north-youth": "youth_worker:North team"}
HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """Run oidc-provider-mock as a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    for subject, claims in USERS.items():
        command += ["--user-claims", json.dumps({"sub": subject} | claims)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=os.environ | {"NO_COLOR": "1"}
    )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if httpx2.get(f"{url}/.well-known/openid-configuration", timeout=5).status_code == 200:
                    break
            except httpx2.HTTPError:
                time.sleep(0.1)
            assert process.poll() is None, process.stdout.read() if process.stdout else ""
        yield url
    finally:
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture
def start(make_settings: Callable[..., Settings], provider: str) -> Iterator[Callable[..., TestClient]]:
    """Return a starter of the application with this provider."""
    opened: list[Any] = []

    def make(**values: Any) -> TestClient:
        given = {"oidc_issuer": provider, "oidc_client_id": "safer", "oidc_client_secret": "s&cret/1"} | values
        client = TestClient(create_app(make_settings("real", **given)), base_url="http://testserver")
        opened.append(client)
        return client.__enter__()

    yield make
    for client in opened:
        client.__exit__(None, None, None)


def core_of(client: TestClient) -> Core:
    found: Core = client.app.state.core  # type: ignore[attr-defined]
    return found


def agree(address: str, subject: str) -> str:
    """Say yes at the provider as a person does, and return the path it sends the browser back to."""
    answer = httpx2.post(address, data={"sub": subject}, follow_redirects=False)
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["location"])
    return f"{back.path}?{back.query}"


def visit(client: TestClient, subject: str, start: str = "/sign-in/elsewhere") -> Any:
    gone = client.get(start, follow_redirects=False)
    assert gone.status_code == 303, gone.text
    return client.get(agree(gone.headers["location"], subject), headers=HTML)


def mapped(start: Callable[..., TestClient]) -> TestClient:
    return start(oidc_role_claim="groups", oidc_roles=ROLES)


def account(client: TestClient, label: str) -> PrincipalRow:
    with core_of(client).store.read() as session:
        return session.scalars(select(PrincipalRow).where(PrincipalRow.label == label)).one()


def field(html: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    assert found is not None
    return found[1]


@pytest.mark.requirement("X5")
def test_leaving_sends_pkce_state_and_nonce_and_no_secret(start: Callable[..., TestClient], provider: str) -> None:
    answer = start().get("/sign-in/elsewhere", follow_redirects=False)
    address = urlsplit(answer.headers["location"])
    query = {name: value[0] for name, value in parse_qs(address.query).items()}
    assert f"{address.scheme}://{address.netloc}" == provider
    assert query["response_type"] == "code"
    assert query["code_challenge_method"] == "S256"
    assert min(len(query[name]) for name in ("code_challenge", "state", "nonce")) >= 43
    assert query["redirect_uri"] == "http://testserver/sign-in/elsewhere/back"
    assert "s&cret" not in answer.headers["location"]
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert query["nonce"] not in cookie


@pytest.mark.requirement("X5")
def test_group_makes_an_account_and_an_asserted_second_factor_counts(start: Callable[..., TestClient]) -> None:
    client = mapped(start)
    answer = visit(client, "ama", "/sign-in/elsewhere?next=/staff")
    assert "You are signed in" in answer.text
    assert 'content="0; url=/staff"' in answer.text
    assert "Ama" in client.get("/staff", headers=HTML).text
    row = account(client, "Ama")
    assert (row.role, row.password_hash, row.totp_sealed) == ("planner", None, None)
    with core_of(client).store.read() as session:
        acts = list(session.scalars(select(AuditEvent.act).order_by(AuditEvent.seq)))
    assert acts[-2:] == ["account.make", "sign-in"]


@pytest.mark.requirement("X5")
def test_without_an_asserted_second_factor_ours_is_asked(start: Callable[..., TestClient]) -> None:
    client = mapped(start)
    page = visit(client, "ben").text
    assert "One more code" in page
    assert client.get("/staff", headers=HTML).status_code == 401
    secret = "".join(re.findall(r"<span>([A-Z2-7]{1,4})</span>", page))
    form = {"step": field(page, "step"), "next": ""}
    wrong = client.post("/sign-in/elsewhere/code", data=form | {"code": "000000"}, headers=OURS | HTML)
    assert wrong.status_code == 422
    assert secret[:4] in wrong.text  # the same picture: the app need not be set up twice
    good = form | {"code": pyotp.TOTP(secret).now()}
    done = client.post("/sign-in/elsewhere/code", data=good, headers=OURS | HTML)
    assert (done.status_code, done.text.count("<li><code>")) == (201, 10)
    assert account(client, "Ben").role == "youth_worker"
    client.post("/sign-out", headers=OURS)
    later = visit(client, "ben").text
    assert "Scan this" not in later
    code = pyotp.TOTP(secret).at(int(time.time()) + 30)
    form = {"step": field(later, "step"), "next": "/staff", "code": code}
    assert client.post("/sign-in/elsewhere/code", data=form, headers=OURS).status_code == 200
    assert client.get("/staff", headers=HTML).status_code == 200


@pytest.mark.requirement("X5")
def test_stranger_without_invite_or_group_is_refused(start: Callable[..., TestClient]) -> None:
    for client in (mapped(start), start()):
        answer = visit(client, "cleo")
        assert answer.status_code == 401
        assert "There is no account for you here" in answer.text
        assert client.get("/staff", headers=HTML).status_code == 401


@pytest.mark.requirement("X5")
def test_invite_is_taken_up_with_the_account_elsewhere(start: Callable[..., TestClient]) -> None:
    client = start()
    core = core_of(client)
    token = people.add_account(core, people.OPERATOR, login="cleo", label="Cleo", role="moderator", team=None)
    page = client.post("/staff/invite/elsewhere", data={"token": token}, headers=OURS | HTML).text
    address = re.search(r'href="(http://127[^"]+)"', page)
    assert address is not None
    assert token not in page
    answer = client.get(agree(address[1].replace("&amp;", "&"), "cleo"), headers=HTML)
    assert "You are signed in" in answer.text
    assert (account(client, "Cleo").oidc_subject or "").endswith(" cleo")
    assert client.post("/staff/invite", data={"token": token}, headers=OURS).status_code == 404
    client.post("/sign-out", headers=OURS)
    assert "You are signed in" in visit(client, "cleo").text


@pytest.mark.requirement("X5")
def test_answer_for_another_browser_or_used_twice_is_refused(start: Callable[..., TestClient]) -> None:
    client = mapped(start)
    gone = client.get("/sign-in/elsewhere", follow_redirects=False)
    back = agree(gone.headers["location"], "ama")
    kept = client.cookies["staff_elsewhere"]
    assert TestClient(client.app).get(back, headers=HTML).status_code == 401  # no journey
    forged = back.replace("state=", "state=x")
    assert client.get(forged, headers=HTML).status_code == 401
    assert client.get(back.replace("state=", "state=%C3%A9"), headers=HTML).status_code == 401
    assert client.get(back, headers=HTML).status_code == 200
    again = TestClient(client.app, cookies={"staff_elsewhere": kept})
    assert again.get(back, headers=HTML).status_code == 401  # the code is used up
    assert client.get("/sign-in/elsewhere/back?error=access_denied", headers=HTML).status_code == 401


@pytest.mark.requirement("X5")
def test_account_ends_with_the_group(start: Callable[..., TestClient], provider: str) -> None:
    client = mapped(start)
    visit(client, "ama")
    httpx2.put(f"{provider}/users/ama", json=USERS["ama"] | {"groups": ["finance"]})
    try:
        assert visit(client, "ama").status_code == 401
    finally:
        httpx2.put(f"{provider}/users/ama", json=USERS["ama"])


@pytest.mark.requirement("X5")
def test_token_of_another_issuer_audience_nonce_or_key_is_refused(
    start: Callable[..., TestClient], provider: str
) -> None:
    client = mapped(start)
    core = core_of(client)
    from joserfc import jwt
    from joserfc.jwk import KeySet, OctKey, RSAKey

    from service.errors import NotSignedInError
    from service.people import oidc

    key, other = RSAKey.generate_key(2048, auto_kid=True), RSAKey.generate_key(2048, auto_kid=True)
    keys = KeySet([key])
    journey = oidc.Journey("s", "the-nonce", "v", "http://testserver/back", "", "", None, time.time())
    now = int(time.time())
    good = {"iss": provider, "aud": "safer", "sub": "ama", "nonce": "the-nonce", "iat": now, "exp": now + 300}

    def claims(signed_with: Any, **changed: Any) -> Any:
        token = jwt.encode({"alg": "RS256", "kid": key.kid}, good | changed, signed_with)
        return oidc._claims(core, journey, {"id_token": token}, keys)

    assert claims(key)["sub"] == "ama"
    for changed in ({"iss": "https://evil.example"}, {"aud": "other"}, {"nonce": "x"}, {"exp": now - 120}):
        with pytest.raises(NotSignedInError):
            claims(key, **changed)
    with pytest.raises(NotSignedInError):
        claims(other)
    unsigned = jwt.encode({"alg": "HS256"}, good, OctKey.import_key("k" * 32))
    with pytest.raises(NotSignedInError):
        oidc._claims(core, journey, {"id_token": unsigned}, keys)


@pytest.mark.requirement("X5")
def test_confirming_elsewhere_needs_a_fresh_sign_in_there(start: Callable[..., TestClient], provider: str) -> None:
    client = mapped(start)
    visit(client, "ama")
    page = client.get("/staff/confirm?next=/staff", headers=HTML).text
    assert "Confirm with your work account" in page
    before = client.cookies["staff"]
    httpx2.put(f"{provider}/users/ama", json=USERS["ama"] | {"auth_time": int(time.time()) - 900})
    try:
        assert visit(client, "ama", "/sign-in/elsewhere?again=1").status_code == 401  # signed in there long ago
    finally:
        httpx2.put(f"{provider}/users/ama", json=USERS["ama"])
    assert visit(client, "cleo", "/sign-in/elsewhere?again=1").status_code == 401  # somebody else
    assert visit(client, "ama", "/sign-in/elsewhere?again=1&next=/staff").status_code == 200
    assert client.cookies["staff"] != before


@pytest.mark.requirement("X10")
def test_only_the_hosts_of_the_settings_are_called(provider: str, make_settings: Callable[..., Settings]) -> None:
    settings = make_settings("demo", oidc_issuer=provider, oidc_client_id="a", oidc_client_secret="b")
    assert urlsplit(provider).netloc in settings.outbound_hosts
    plain = make_settings("demo")
    assert urlsplit(provider).netloc not in plain.outbound_hosts
    with outbound_client(plain) as client, pytest.raises(OutboundDeniedError):
        client.get(f"{provider}/jwks")
    assert "login.example.org" in make_settings("demo", oidc_hosts=["login.example.org"]).outbound_hosts


def test_without_a_provider_there_is_no_button_and_no_route(real_client: TestClient) -> None:
    assert "elsewhere" not in real_client.get("/sign-in", headers=HTML).text
    assert real_client.get("/sign-in/elsewhere").status_code == 422


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"oidc_issuer": "https://a.example"}, "needs oidc_client_id"),
        ({"oidc_issuer": "http://a.example", "oidc_client_id": "a", "oidc_client_secret": "b"}, "https"),
        ({"oidc_roles": {"a": "planner"}}, "together"),
    ],
)
def test_half_a_provider_is_refused_at_the_start(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Settings(**values)
