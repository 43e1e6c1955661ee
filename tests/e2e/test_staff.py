"""A member of staff in a real browser: takes an invite up, signs in, looks after accounts, keys and the audit."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyotp
import pytest

from service.core import open_core
from service.people import workflow as people
from service.settings import Settings
from tests.conftest import Server, running_server
from tests.support.site import NetworkLog, axe_violations, make_demo
from tests.support.staff import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PHONE, WIDE = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
WAIT_MS = 60_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("staff-site")
    make_demo(folder)
    with running_server(folder, {"SAFER_PLACES_WORKER": "false"}) as server:
        yield server


def invite(site: Server, login: str) -> str:
    core = open_core(Settings(data_dir=site.data_dir))
    try:
        return people.add_account(
            core, people.OPERATOR, login=login, label=f"Ama {login}", role="admin", team="North team"
        )
    finally:
        core.store.close()


def journey(page: Any, site: Server, login: str, look: Callable[[str], None]) -> None:
    """Go through every page of staff with the keyboard and the mouse, and look at each."""
    token = invite(site, login)
    page.goto(f"{site.url}/staff/invite")
    look("invite")
    page.goto(f"{site.url}/staff/invite#{token}")
    page.reload()
    page.wait_for_function("document.getElementById('token').value.length === 43")
    assert "#" not in page.url
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("heading", name="Set up your account").wait_for()
    look("enrol")
    secret = "".join(page.locator("#secret span").all_inner_texts())
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Code", exact=True).fill("000000")
    page.get_by_role("button", name="Set up my account").click()
    page.get_by_role("alert").wait_for()
    look("enrol-wrong")
    assert "".join(page.locator("#secret span").all_inner_texts()) == secret  # the app need not be set up twice
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Code", exact=True).fill(pyotp.TOTP(secret).now())
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="You are in. Keep these codes").wait_for()
    look("codes")
    codes = page.locator("#codes code").all_inner_texts()
    assert len(codes) == 10
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("heading", name=f"Ama {login}").wait_for()
    look("account")
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{site.url}/sign-in?next=/staff/accounts")
    look("sign-in")
    for name, text in (("Login", login), ("Password", "wrong wrong wrong"), ("Code", "123456")):
        page.get_by_label(name, exact=True).fill(text)
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    look("sign-in-wrong")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Code", exact=True).fill(codes[0])
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Accounts", level=1).wait_for()
    work(page, site, login, look, codes)


def work(page: Any, site: Server, login: str, look: Callable[[str], None], codes: list[str]) -> None:
    """Make an account, a team and a key, and read the audit."""
    page.get_by_label("Name", exact=True).fill(f"Ben for {login}")
    page.get_by_label("Login", exact=True).fill(f"ben.{login}")
    page.locator("#role").select_option("youth_worker")
    page.locator("#team").fill("South team")
    page.get_by_role("button", name="Make account").click()
    page.get_by_role("heading", name=f"Invite for Ben for {login}").wait_for()
    look("link")
    page.get_by_role("link", name="Back to accounts").click()
    page.get_by_text(f"Change Ben for {login}").click()
    look("accounts")
    page.goto(f"{site.url}/staff/teams")
    look("teams")
    page.goto(f"{site.url}/staff/keys")
    page.get_by_label("Name", exact=True).fill(f"QGIS {login}")
    page.locator("#role").select_option("planner")
    page.get_by_label("List marks, by area").check()
    page.get_by_role("button", name="Make key").click()
    page.get_by_role("heading", name=f"Key for QGIS {login}").wait_for()
    look("key-made")
    page.get_by_role("link", name="Back to keys").click()
    look("keys")
    page.goto(f"{site.url}/staff/audit")
    look("audit")
    page.goto(f"{site.url}/staff/audit?actor=nobody")
    look("audit-empty")
    page.goto(f"{site.url}/staff/confirm?next=/staff/teams")
    look("confirm")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Code", exact=True).fill(codes[1])
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Teams", level=1).wait_for()


@pytest.mark.requirement("X5", "A3", "A4", "C6", "X1")
@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "light"), (WIDE, "dark")], ids=["phone", "wide"])
def test_staff_take_an_invite_up_and_look_after_accounts(
    site: Server, browser: Any, size: dict[str, int], scheme: str
) -> None:
    context = browser.new_context(viewport=size, color_scheme=scheme, reduced_motion="reduce")
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    network = NetworkLog(page)
    problems: dict[str, Any] = {}

    def look(name: str) -> None:
        if found := axe_violations(page):
            problems[name] = found
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            problems[f"{name} is too wide"] = wide

    journey(page, site, f"{scheme}@example.org", look)
    context.close()
    assert problems == {}
    assert network.hosts == {urlsplit(site.url).netloc}
    assert [error for error in network.errors if "401" not in error and "422" not in error] == []


def take_pictures(browser: Any, site: Server, folder: Path) -> None:
    """Save a picture of every page at both widths, for whoever changes them."""
    for size, scheme in ((PHONE, "light"), (WIDE, "light"), (WIDE, "dark")):
        context = browser.new_context(viewport=size, color_scheme=scheme)
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        name = f"{size['width']}-{scheme}"
        login = f"{size['width']}{scheme}{int(time.time())}@example.org"
        journey(page, site, login, lambda step: page.screenshot(path=folder / f"{step}-{name}.png", full_page=True))  # noqa: B023
        context.close()
