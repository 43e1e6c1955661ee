"""Staff sign in with login, password and code: what is taken, what is not, and how a session lives and ends."""

from __future__ import annotations

import statistics
import time
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from service.core import Core
from service.errors import InvalidInputError
from service.people import passwords, second_factor
from service.people import workflow as people
from service.people.models import AuditEvent, PrincipalRow, RecoveryCode, StaffSession
from service.store.base import utc_now
from tests.conftest import bearer
from tests.support.staff import OURS, PASSWORD, Staff, age, confirm, enrol, row_of, sign_in

URL = "/api/v1/places"
HTML = {"Accept": "text/html"}


@pytest.fixture
def worker(core: Core) -> Staff:
    return enrol(core, "moderator")


def acts(core: Core) -> list[tuple[str, str, str]]:
    with core.store.read() as session:
        rows = session.scalars(select(AuditEvent).order_by(AuditEvent.seq))
        return [(row.actor, row.act, row.subject) for row in rows]


@pytest.mark.requirement("X5")
def test_all_three_together_let_in_and_the_cookie_is_closed(client: TestClient, core: Core, worker: Staff) -> None:
    answer = sign_in(client, worker, code=worker.code(1))
    assert (answer.status_code, answer.headers["location"]) == (303, "/staff")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/" in cookie
    assert "max-age" not in cookie  # it goes with the browser
    assert "expires" not in cookie
    assert worker.label in client.get("/staff", headers=HTML).text
    assert acts(core)[-1] == (worker.label, "sign-in", "")


@pytest.mark.requirement("X5")
@pytest.mark.parametrize(
    "changed",
    [
        {"login": "nobody@example.org"},
        {"password": "another password"},
        {"code": "000000"},
        {"code": "aaaa-aaaa-aaaa"},
        {"code": ""},
        {"password": ""},
        {"login": "MODERATOR@example.org", "password": PASSWORD.upper()},
    ],
)
def test_whatever_is_wrong_is_told_in_the_same_words(
    client: TestClient, core: Core, worker: Staff, changed: dict[str, str]
) -> None:
    answer = sign_in(client, worker, **({"code": worker.code(1)} | changed))
    if answer.status_code == 422:  # an empty field is refused before anything is looked up
        assert "" in changed.values()
        return
    assert answer.status_code == 401
    assert people.sign_in.__module__
    assert "That did not work." in answer.text
    assert "set-cookie" not in answer.headers
    assert acts(core)[-1][:2] == ("public", "sign-in.refused")
    assert PASSWORD not in answer.text


@pytest.mark.requirement("X5")
def test_unknown_login_takes_as_long_as_a_wrong_password(client: TestClient, worker: Staff) -> None:
    def seconds(login: str) -> float:
        start = time.perf_counter()
        client.post("/sign-in", data={"login": login, "password": "x" * 20, "code": "1"}, headers=OURS)
        return time.perf_counter() - start

    seconds("nobody")
    pairs = [(seconds(worker.login), seconds("nobody@example.org")) for _ in range(4)]  # interleaved
    known, unknown = (statistics.median(times) for times in zip(*pairs, strict=True))
    # one argon2 hash is nearly all of it; without it the unknown one would take a small part of the time
    assert 0.4 < known / unknown < 2.5


@pytest.mark.requirement("X5")
def test_code_is_good_once_and_the_clock_may_be_one_step_off(client: TestClient, worker: Staff) -> None:
    later = worker.code(1)
    assert sign_in(client, worker, code=later).status_code == 303
    assert sign_in(client, worker, code=later).status_code == 401
    assert sign_in(client, worker, code=worker.code()).status_code == 401  # older than the one used
    assert sign_in(client, worker, code=worker.code(3)).status_code == 401


@pytest.mark.requirement("X5")
def test_recovery_code_is_good_once(client: TestClient, core: Core, worker: Staff) -> None:
    code = worker.once()
    assert sign_in(client, worker, code=f" {code.upper().replace('-', ' ')} ").status_code == 303
    assert sign_in(client, worker, code=code).status_code == 401
    assert "You have 9 left" in client.get("/staff", headers=HTML).text
    with core.store.read() as session:
        hashes = list(session.scalars(select(RecoveryCode.code_hash)))
    assert len(hashes) == 10
    assert code.replace("-", "") not in str(hashes)


@pytest.mark.requirement("X5", "X3")
def test_account_rests_after_wrong_tries_for_longer_each_time(client: TestClient, core: Core, worker: Staff) -> None:
    rests = []
    for tries in range(8):
        assert sign_in(client, worker, password="wrong " * 3, code="1").status_code == 401
        row = row_of(core, worker)
        if row.locked_until is not None:
            rests.append(round((row.locked_until - utc_now()).total_seconds() / 60))
            assert sign_in(client, worker, code=worker.once()).status_code == 401, tries  # right, but it rests
            free(core, worker)
    assert rests == [1, 2, 4, 8]  # from the fifth try on
    assert sign_in(client, worker).status_code == 303
    assert row_of(core, worker).failed_count == 0


def free(core: Core, who: Staff) -> None:
    """Let the rest of an account be over."""

    def write(session: Any) -> None:
        row = session.scalars(select(PrincipalRow).where(PrincipalRow.login == who.login)).one()
        row.locked_until = utc_now() - timedelta(seconds=1)

    core.store.write(write)


@pytest.mark.requirement("X5")
def test_session_ends_when_idle_and_at_last_whatever_was_done(client: TestClient, core: Core, worker: Staff) -> None:
    sign_in(client, worker)
    age(core, worker, "seen_at", minutes=29)
    assert client.get("/staff", headers=HTML).status_code == 200  # and that counts as use
    age(core, worker, "seen_at", minutes=29)
    assert client.get("/staff", headers=HTML).status_code == 200
    age(core, worker, "seen_at", minutes=29)
    assert client.get("/workshops/none/live", headers=HTML).status_code != 401  # asked by a page, not by a person
    age(core, worker, "seen_at", minutes=2)
    assert client.get("/staff", headers=HTML).status_code == 401
    sign_in(client, worker)
    age(core, worker, "expires_at", hours=10)
    assert client.get("/staff", headers=HTML).status_code == 401


@pytest.mark.requirement("X5")
def test_token_is_new_after_a_while_and_the_old_one_ends(client: TestClient, core: Core, worker: Staff) -> None:
    sign_in(client, worker)
    first = client.cookies["staff"]
    age(core, worker, "seen_at", "rotated_at", minutes=16)
    answer = client.get("/api/v1/places")  # an answer that the route makes itself carries the cookie too
    second = client.cookies["staff"]
    assert second != first
    assert "httponly" in answer.headers["set-cookie"].lower()
    elsewhere = TestClient(client.app, cookies={"staff": first})
    assert elsewhere.get("/staff", headers=HTML).status_code == 200  # what was on its way
    assert "staff" not in elsewhere.get("/staff", headers=HTML).headers.get("set-cookie", "")
    age(core, worker, "seen_at", "rotated_at", minutes=2)
    assert client.get("/staff", headers=HTML).status_code == 200  # the browser has the new one
    assert elsewhere.get("/staff", headers=HTML).status_code == 401


@pytest.mark.requirement("X5")
def test_lost_new_token_does_not_lock_the_browser_out(client: TestClient, core: Core, worker: Staff) -> None:
    sign_in(client, worker)
    first = client.cookies["staff"]
    age(core, worker, "seen_at", "rotated_at", minutes=16)
    client.get("/staff", headers=HTML)
    client.cookies.set("staff", first, domain="testserver.local", path="/")  # the answer never arrived
    age(core, worker, "rotated_at", minutes=2)
    lost = TestClient(client.app, cookies={"staff": first})
    answer = lost.get("/staff", headers=HTML)
    assert answer.status_code == 200
    assert "staff=" in answer.headers["set-cookie"]


@pytest.mark.requirement("X5")
def test_sign_out_ends_the_row_and_not_only_the_cookie(client: TestClient, core: Core, worker: Staff) -> None:
    sign_in(client, worker)
    kept = client.cookies["staff"]
    client.post("/sign-out", headers=OURS)
    assert TestClient(client.app, cookies={"staff": kept}).get("/staff", headers=HTML).status_code == 401
    assert acts(core)[-1] == (worker.label, "sign-out", "")


@pytest.mark.requirement("X5")
def test_store_holds_no_token_and_no_secret_of_an_app(core: Core, worker: Staff) -> None:
    row = row_of(core, worker)
    assert (row.password_hash or "").startswith("$argon2id$")
    assert worker.secret not in (row.totp_sealed or "")
    with core.store.read() as session:
        (stored,) = session.scalars(select(StaffSession))
    assert worker.session not in (stored.token_hash, stored.previous_hash)
    for path in core.settings.data_dir.glob("*.sqlite*"):
        content = path.read_bytes()
        for secret in (worker.session, worker.secret, PASSWORD, *worker.codes):
            assert secret.encode() not in content


@pytest.mark.requirement("X5")
def test_own_sessions_are_listed_and_ended(client: TestClient, core: Core, worker: Staff) -> None:
    other = TestClient(client.app)
    sign_in(client, worker)
    sign_in(other, worker)
    page = client.get("/staff", headers=HTML).text
    assert page.count("End this session") == 2  # that of the enrolment, and the other browser
    with core.store.read() as session:
        newest = session.scalars(select(StaffSession.id).order_by(StaffSession.id.desc())).first()
    assert client.post("/staff/session/end", data={"number": newest}, headers=OURS).status_code == 200
    assert other.get("/staff", headers=HTML).status_code == 401
    stranger = enrol(core, "planner")
    sign_in(other, stranger)
    mine = people.list_sessions(core, people.find_session(core, client.cookies["staff"]).principal)[0].id  # type: ignore[union-attr]
    assert other.post("/staff/session/end", data={"number": mine}, headers=OURS).status_code == 404


@pytest.mark.requirement("X5")
def test_export_asks_for_password_and_code_again(client: TestClient, core: Core, worker: Staff) -> None:
    sign_in(client, worker)
    wanted = "/maps/places/download?set=squares"
    assert client.get(wanted, headers=HTML).status_code == 200
    age(core, worker, "confirmed_at", minutes=11)
    refused = client.get(wanted, headers=HTML)
    assert refused.status_code == 403
    assert "/staff/confirm?next=%2Fmaps%2Fplaces%2Fdownload%3Fset%3Dsquares" in refused.text
    assert client.get(wanted).json()["code"] == "confirm-first"
    assert client.get("/maps/places", headers=HTML).status_code == 200  # looking is no export
    assert confirm(client, worker, password="wrong wrong wrong", code="1").status_code == 401
    before = client.cookies["staff"]
    answer = confirm(client, worker, next=wanted)
    assert (answer.status_code, answer.headers["location"]) == (303, wanted)
    assert client.cookies["staff"] != before
    assert TestClient(client.app, cookies={"staff": before}).get("/staff", headers=HTML).status_code == 401
    assert client.get(wanted, headers=HTML).status_code == 200
    assert [act for _, act, _ in acts(core) if act.startswith("session.confirm")] == [
        "session.confirm.refused",
        "session.confirm",
    ]


@pytest.mark.requirement("X9")
def test_download_of_exact_marks_is_in_the_audit(client: TestClient, core: Core, worker: Staff) -> None:
    sign_in(client, worker)
    client.get("/maps/places/download", headers=HTML)
    assert (worker.label, "places.download", "places") in acts(core)


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("/staff/audit?act=key.", "/staff/audit?act=key."),
        ("//evil.example", "/staff"),
        ("https://evil.example", "/staff"),
        ("/\\evil.example", "/staff"),
        ("/\tevil", "/staff"),
        ("", "/staff"),
    ],
)
def test_sign_in_leads_to_our_own_pages_only(client: TestClient, worker: Staff, given: str, taken: str) -> None:
    assert sign_in(client, worker, next=given).headers["location"] == taken


@pytest.mark.requirement("X5")
def test_invite_is_good_once_and_says_so(client: TestClient, core: Core) -> None:
    token = people.add_account(core, people.OPERATOR, login="new@example.org", label="New", role="planner", team=None)
    page = client.post("/staff/invite", data={"token": token}, headers=OURS | HTML)
    assert page.status_code == 200
    assert "new@example.org" in page.text
    assert 'class="qr"' in page.text
    opened = people.open_invite(core, token)
    staff = Staff("new@example.org", "New", opened.secret, "")
    form = {"token": token, "sealed": opened.sealed, "code": staff.code(), "password": PASSWORD}
    weak = client.post("/staff/invite/accept", data=form | {"password": "password1234"}, headers=OURS | HTML)
    assert (weak.status_code, "Many people try this one first" in weak.text) == (422, True)
    wrong = client.post("/staff/invite/accept", data=form | {"code": "000000"}, headers=OURS | HTML)
    assert (wrong.status_code, "The code does not fit" in wrong.text) == (422, True)
    done = client.post("/staff/invite/accept", data=form, headers=OURS | HTML)
    assert (done.status_code, done.text.count("<li><code>")) == (201, 10)
    assert client.get("/staff", headers=HTML).status_code == 200
    again = client.post("/staff/invite", data={"token": token}, headers=OURS | HTML)
    assert (again.status_code, "not known here" in again.text) == (404, True)
    assert TestClient(client.app).get(f"/staff/invite/{token}").status_code == 404  # no route takes it in a path


def test_secret_of_another_invite_is_refused(core: Core) -> None:
    first, second = (
        people.add_account(core, people.OPERATOR, login=f"{n}@example.org", label=n, role="planner", team=None)
        for n in ("one", "two")
    )
    other = people.open_invite(core, second)
    with pytest.raises(InvalidInputError, match="too old"):
        people.accept_invite(core, first, password=PASSWORD, sealed=other.sealed, code="000000")


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("short words", "12 to 200"),
        ("x" * 201, "12 to 200"),
        ("aaaaaaaabbbb", "Many people"),
        ("Password1234", "Many people"),
        ("qwertyuiop12", "Many people"),
        ("Lewisham-2026!"[:8] + "2026!!", "Many people"),
        ("my ama@example.org login", "It holds your login"),
    ],
)
def test_weak_passwords_are_refused(password: str, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        passwords.require_good(password, "ama@example.org")


def test_long_unusual_passwords_are_taken() -> None:
    for password in (PASSWORD, "Grüße aus der Küche", "p4ssw0rd is not this one"):
        passwords.require_good(password, "ama@example.org")


def test_code_of_rfc_6238_fits_its_step() -> None:
    # RFC 6238, appendix B: secret "12345678901234567890", time 1111111109 s, eight digits 07081804; six of them here
    from datetime import UTC, datetime

    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    now = datetime.fromtimestamp(1_111_111_109, UTC)
    assert second_factor.find_step(secret, "081 804", None, now) == 37_037_036
    assert second_factor.find_step(secret, "081804", 37_037_036, now) is None
    assert second_factor.find_step(secret, "٠٨١٨٠٤", None, now) is None  # digits of other scripts are no code


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Sec-Fetch-Site": "cross-site"}, 403), ({"Origin": "https://evil.example"}, 403), ({}, 403), (OURS, 401)],
)
def test_sign_in_from_another_site_is_refused(client: TestClient, headers: dict[str, str], status: int) -> None:
    form = {"login": "a", "password": "b", "code": "c"}
    assert client.post("/sign-in", data=form, headers=headers).status_code == status


@pytest.mark.requirement("X5")
def test_new_password_and_new_codes_need_the_old_ones(client: TestClient, core: Core, worker: Staff) -> None:
    other = TestClient(client.app)
    sign_in(other, worker)
    sign_in(client, worker)
    age(core, worker, "confirmed_at", minutes=11)
    fresh = "seven quiet purple kettles"
    assert client.post("/staff/password", data={"password": fresh}, headers=OURS).status_code == 403
    assert client.post("/staff/recovery", headers=OURS).status_code == 403
    confirm(client, worker)
    old = worker.once()
    shown = client.post("/staff/recovery", headers=OURS | HTML)
    assert shown.text.count("<li><code>") == 10
    assert client.post("/staff/password", data={"password": "short"}, headers=OURS | HTML).status_code == 422
    assert client.post("/staff/password", data={"password": fresh}, headers=OURS).status_code == 200
    assert other.get("/staff", headers=HTML).status_code == 401
    assert sign_in(other, worker, code=old).status_code == 401
    assert sign_in(other, worker, code=worker.code(1), password=fresh).status_code == 303


def test_key_has_no_session_to_confirm(client: TestClient) -> None:
    page = client.get("/staff", headers=HTML | bearer("planner"))
    assert "You came with an API key" in page.text
    assert client.get("/maps/places/download", headers=HTML | bearer("planner")).status_code == 200
