"""Pages of administrators: accounts, invites, teams, keys and the audit; and the same from the command line."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from typer.testing import CliRunner

from service.core import Core
from service.people import workflow as people
from service.people.models import AuditEvent, PrincipalRow
from tests.conftest import bearer
from tests.support.staff import OURS, PASSWORD, Staff, age, enrol, sign_in

HTML = {"Accept": "text/html"}
KEY = re.compile(r"sp_[\w-]{43}")
ADMIN_PAGES = ("/staff/accounts", "/staff/teams", "/staff/keys")


@pytest.fixture
def admin(client: TestClient, core: Core) -> Staff:
    """Sign an administrator in."""
    who = enrol(core, "admin", team=None)
    assert sign_in(client, who).status_code == 303
    return who


def post(client: TestClient, path: str, **data: Any) -> Any:
    return client.post(path, data=data, headers=OURS | HTML)


def account(core: Core, label: str) -> PrincipalRow:
    with core.store.read() as session:
        return session.scalars(select(PrincipalRow).where(PrincipalRow.label == label)).one()


def acts(core: Core) -> list[tuple[str, str, str]]:
    with core.store.read() as session:
        return [
            (row.actor, row.act, row.subject) for row in session.scalars(select(AuditEvent).order_by(AuditEvent.seq))
        ]


@pytest.mark.requirement("X2")
@pytest.mark.parametrize("path", ADMIN_PAGES)
def test_only_administrators_see_the_pages_of_accounts(client: TestClient, path: str) -> None:
    assert client.get(path, headers=HTML).status_code == 401
    for role in ("youth_worker", "moderator", "safeguarding_lead", "planner"):
        assert client.get(path, headers=HTML | bearer(role)).status_code == 403
    assert client.get(path, headers=HTML | bearer("admin")).status_code == 200


def test_admin_makes_an_account_and_hands_the_link_over(client: TestClient, core: Core, admin: Staff) -> None:
    made = post(
        client, "/staff/accounts", login=" Ama@Example.org ", label="Ama  B", role="youth_worker", team="North team"
    )
    assert made.status_code == 201
    link = re.search(r"http://testserver/staff/invite#([\w-]{43})", made.text)
    assert link is not None
    page = client.get("/staff/accounts", headers=HTML).text
    assert link[1] not in page  # shown once
    assert "Invited, until" in page
    assert people.open_invite(core, link[1]).login == "ama@example.org"
    assert account(core, "Ama B").password_hash is None  # no default password
    assert (admin.label, "account.make", "Ama B") in acts(core)
    assert "Many people" not in page


@pytest.mark.parametrize(
    ("changed", "status", "words"),
    [
        ({"login": "a b"}, 422, "small letters"),
        ({"label": ""}, 422, "1 to 120"),
        ({"role": "king"}, 422, "no such role"),
        ({"role": "public"}, 422, "no such role"),
        ({"team": " "}, 422, "needs a team"),
        ({"login": "admin@example.org"}, 409, "already"),
        ({"label": "planner"}, 409, "already"),
    ],
)
def test_account_that_cannot_be_says_why_and_keeps_what_was_typed(
    client: TestClient, admin: Staff, changed: dict[str, str], status: int, words: str
) -> None:
    form = {"login": "new@example.org", "label": "Newcomer", "role": "youth_worker", "team": "North team"} | changed
    answer = post(client, "/staff/accounts", **form)
    assert answer.status_code == status
    assert words in answer.text
    assert "label" in changed or 'value="Newcomer"' in answer.text


@pytest.mark.requirement("X5")
def test_reset_ends_everything_at_once_and_invites_again(client: TestClient, core: Core, admin: Staff) -> None:
    worker = enrol(core, "moderator")
    number = account(core, worker.label).id
    there = TestClient(client.app, cookies={"staff": worker.session})
    assert there.get("/staff", headers=HTML).status_code == 200
    reset = post(client, "/staff/accounts/invite", number=number, label=worker.label)
    assert reset.status_code == 201
    assert there.get("/staff", headers=HTML).status_code == 401
    assert sign_in(TestClient(client.app), worker).status_code == 401
    row = account(core, worker.label)
    assert (row.password_hash, row.totp_sealed) == (None, None)
    assert (admin.label, "account.reset", worker.label) in acts(core)
    later = post(client, "/staff/accounts/invite", number=number, label=worker.label)
    first, second = (re.search(r"#([\w-]{43})", answer.text)[1] for answer in (reset, later))  # type: ignore[index]
    assert post(client, "/staff/invite", token=first).status_code == 404  # only the newest is good
    assert post(client, "/staff/invite", token=second).status_code == 200


@pytest.mark.requirement("X5")
def test_admin_ends_a_colleagues_sessions_and_account(client: TestClient, core: Core, admin: Staff) -> None:
    worker = enrol(core, "moderator")
    number = account(core, worker.label).id
    there = TestClient(client.app, cookies={"staff": worker.session})
    post(client, "/staff/accounts/sessions/end", number=number)
    assert there.get("/staff", headers=HTML).status_code == 401
    assert sign_in(there, worker).status_code == 303
    post(client, "/staff/accounts/change", number=number, role="planner", team="")
    assert "planner" in there.get("/staff", headers=HTML).text  # from the next click
    post(client, "/staff/accounts/end", number=number)
    assert there.get("/staff", headers=HTML).status_code == 401
    assert sign_in(there, worker).status_code == 401
    assert "Ended" in client.get("/staff/accounts", headers=HTML).text
    named = [act for actor, act, subject in acts(core) if subject == worker.label and actor == admin.label]
    assert named == ["session.end-all", "account.change", "account.end"]


def test_nobody_ends_or_resets_their_own_account(client: TestClient, core: Core, admin: Staff) -> None:
    number = account(core, admin.label).id
    for path, more in (("end", {}), ("invite", {"label": "x"}), ("change", {"role": "planner"})):
        answer = post(client, f"/staff/accounts/{path}", number=number, **more)
        assert (answer.status_code, "your own account" in answer.text) == (409, True)
    assert post(client, "/staff/accounts/end", number=10**6).status_code == 404


@pytest.mark.requirement("X5")
def test_changes_of_accounts_ask_for_password_and_code_again(client: TestClient, core: Core, admin: Staff) -> None:
    age(core, admin, "confirmed_at", minutes=11)
    assert "Confirm that it is you" in client.get("/staff/accounts", headers=HTML).text
    form = {"login": "new@example.org", "label": "New", "role": "planner"}
    for path, data in (
        ("/staff/accounts", form),
        ("/staff/teams", {"name": "x"}),
        ("/staff/keys", {"scopes": "jobs.read"}),
    ):
        assert post(client, path, **data).status_code == 403
    number = account(core, "planner").id
    assert post(client, "/staff/keys/revoke", number=number).status_code == 200  # to stop something never waits


def test_teams_are_made_renamed_and_counted(client: TestClient, core: Core, admin: Staff) -> None:
    assert post(client, "/staff/teams", name=" East   team ").status_code == 200
    again = post(client, "/staff/teams", name="East team")
    assert (again.status_code, "already" in again.text) == (409, True)
    number = next(team.id for team, _ in people.list_teams(core, people.OPERATOR) if team.name == "East team")
    assert post(client, "/staff/teams/rename", number=number, name="Far East team").status_code == 200
    enrol(core, "youth_worker", team="Far East team")
    page = client.get("/staff/teams", headers=HTML).text
    assert re.search(r"Far East team</strong><span class=\"row-words\">1 person", page)
    assert post(client, "/staff/teams", name="").status_code == 422


@pytest.mark.requirement("X2", "L8")
def test_key_is_shown_once_held_to_its_scopes_and_revoked(client: TestClient, core: Core, admin: Staff) -> None:
    form = {"label": "QGIS", "role": "planner", "days": "30", "scopes": ["places.list", "places.exact"]}
    made = post(client, "/staff/keys", **form)
    assert made.status_code == 201
    found = KEY.search(made.text)
    assert found is not None
    page = client.get("/staff/keys", headers=HTML).text
    assert found[0] not in page
    assert "Coarse: no agreement." in page
    outside = TestClient(client.app)
    held = {"Authorization": f"Bearer {found[0]}"}
    assert outside.get("/api/v1/places", headers=held).status_code == 200
    assert outside.get("/api/v1/runs", headers=held).status_code == 403  # not among its scopes
    assert outside.get("/maps/places", headers=held | HTML).status_code == 403  # exact places need an agreement
    agreed = post(client, "/staff/keys", **form | {"label": "QGIS 2", "agreement": "DSA-7"})
    second = KEY.search(agreed.text)
    assert second is not None
    other = {"Authorization": f"Bearer {second[0]}"}
    assert outside.get("/maps/places", headers=other | HTML).status_code == 200
    post(client, "/staff/keys/revoke", number=account(core, "QGIS").id)
    assert outside.get("/api/v1/places", headers=held).status_code == 401
    assert [act for actor, act, subject in acts(core) if subject == "QGIS"] == ["key.make", "key.revoke"]
    with core.store.read() as session:
        assert found[0] not in str([row.secret_hash for row in session.scalars(select(PrincipalRow))])


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"scopes": []}, "Tick what the key may do"),
        ({"scopes": ["places.words"]}, "may not: places.words"),
        ({"scopes": ["staff.manage"], "role": "admin"}, "may not: staff.manage"),
        ({"role": "king"}, "There is no role king"),
        ({"label": ""}, "needs a name"),
    ],
)
def test_key_that_cannot_be_says_why(client: TestClient, admin: Staff, changed: dict[str, Any], words: str) -> None:
    form = {"label": "QGIS", "role": "planner", "days": "30", "scopes": ["places.list"]} | changed
    answer = post(client, "/staff/keys", **form)
    assert (answer.status_code, words in answer.text) == (422, True)


@pytest.mark.requirement("X9", "X2")
def test_audit_page_is_for_lead_and_admin_and_narrows(client: TestClient, core: Core, admin: Staff) -> None:
    for role, status in (("safeguarding_lead", 200), ("admin", 200), ("moderator", 403), ("planner", 403)):
        outside = TestClient(client.app)
        assert outside.get("/staff/audit", headers=HTML | bearer(role)).status_code == status
    for number in range(105):
        people.make_team(core, people.OPERATOR, f"Team {number}")
    page = client.get("/staff/audit?act=team.", headers=HTML).text
    assert page.count("<code>team.make</code>") == 100
    older = re.search(r'rel="next" href="([^"]+)"', page)
    assert older is not None
    rest = client.get(older[1].replace("&amp;", "&"), headers=HTML).text
    assert rest.count("<code>team.make</code>") == 5
    assert "No act fits" in client.get("/staff/audit?actor=nobody", headers=HTML).text
    narrowed = client.get("/staff/audit?act=sign-in&since=2020-01-01&until=", headers=HTML).text
    assert "<code>sign-in</code>" in narrowed
    assert client.get("/staff/audit?since=yesterday", headers=HTML).status_code == 422


@pytest.mark.requirement("X1")
def test_names_on_pages_are_text(client: TestClient, core: Core, admin: Staff) -> None:
    nasty = '"><script>alert(1)</script>'
    people.make_team(core, people.OPERATOR, nasty)
    for path in ("/staff/teams", "/staff/accounts", f"/staff/audit?subject={nasty}"):
        html = client.get(path, headers=HTML).text
        assert "<script>alert" not in html
        assert "&lt;script&gt;" in html


def test_first_administrator_comes_from_the_command_line(
    client: TestClient, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service import cli

    monkeypatch.setenv("SAFER_PLACES_DATA_DIR", str(core.settings.data_dir))
    if core.settings.database_url:
        monkeypatch.setenv("SAFER_PLACES_DATABASE_URL", core.settings.database_url)
    runner = CliRunner()
    first = [
        "staff",
        "add",
        "--login",
        "boss",
        "--label",
        "Boss",
        "--role",
        "admin",
        "--notify",
        "boss@example.org",
        "--url",
        "https://map.example.org",
    ]
    said = runner.invoke(cli.app, first).output
    token = said.split("https://map.example.org/staff/invite#")[1].split()[0]
    assert account(core, "Boss").notify_to == "boss@example.org"
    opened = people.open_invite(core, token)
    code = Staff("boss", "Boss", opened.secret, "").code()
    done = post(client, "/staff/invite/accept", token=token, sealed=opened.sealed, password=PASSWORD, code=code)
    assert done.status_code == 201
    assert client.get("/staff/accounts", headers=HTML).status_code == 200
    key = runner.invoke(
        cli.app, ["staff", "key", "--label", "desk", "--role", "planner", "--scope", "jobs.read"]
    ).output
    assert key.startswith("sp_")
    listed = runner.invoke(cli.app, ["staff", "list"]).output
    assert re.search(r"Boss +boss +admin +- +active +1 sessions", listed)
    assert re.search(r"desk +\(key\) +planner", listed)
    assert token not in listed
    again = runner.invoke(cli.app, ["staff", "invite", "Boss"]).output
    assert "/staff/invite#" in again
    assert client.get("/staff", headers=HTML).status_code == 401
    assert "has ended" in runner.invoke(cli.app, ["staff", "revoke", "desk"]).output
    assert (
        TestClient(client.app).get("/api/v1/jobs", headers={"Authorization": f"Bearer {key.strip()}"}).status_code
        == 401
    )
