"""The pages of duty in a real browser, as staff and as a young person in a workshop: axe, our own host, fits, works."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from service.core import Core, open_core
from service.duty.apart import Answer, open_apart
from service.duty.schemas import ExportRequest
from service.duty.workflow import SCHEDULE, export_places, run_retention, store_answers
from service.people.access import OPERATOR
from service.settings import Settings
from tests.conftest import Server, add_staff, bearer, running_server
from tests.support.site import NetworkLog, axe_violations, make_demo
from tests.support.workshops import set_up

LOOKS = [(width, scheme) for width in (390, 1440) for scheme in ("light", "dark")]
STAFF = {"/staff/retention": "admin", "/staff/shares": "admin", "/staff/participation": "planner"}
JOIN = """code => fetch('/api/v1/workshop/join', {
  method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({code}),
}).then(answer => answer.status)"""
WARD = "E05013714"
pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("duty")
    make_demo(folder)
    settings = Settings(data_dir=folder, worker=False, characteristics_on=True)
    add_staff(settings)
    core = open_core(settings)
    _fill(core)
    core.store.close()
    environment = {"SAFER_PLACES_WORKER": "false", "SAFER_PLACES_CHARACTERISTICS_ON": "true"}
    with running_server(folder, environment) as server:
        yield server


def _fill(core: Core) -> None:
    run_retention(core, SCHEDULE)
    for n in range(24):
        answers = {"age_band": "13-15", "home_area": WARD}
        store_answers(core, workshop=f"club-{n % 2}", person=f"person-{n}", answers=answers)
    export_places(core, OPERATOR, ExportRequest(recipient="Public Health", purpose="Where lighting is poor"))


@pytest.fixture(scope="module", params=LOOKS, ids=lambda look: f"{look[0]}-{look[1]}")
def context(request: pytest.FixtureRequest, browser: Any) -> Iterator[Any]:
    width, scheme = request.param
    made = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce")
    yield made
    made.close()


def look(page: Any, site: Server, path: str) -> None:
    log = NetworkLog(page)
    page.goto(site.url + path, wait_until="networkidle")
    assert axe_violations(page) == []
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{wide} px wider than the screen"
    assert log.hosts == {site.url.removeprefix("http://")}
    assert log.errors == []


@pytest.mark.requirement("A3", "A4", "A6", "C6")
@pytest.mark.parametrize("path", [*STAFF, "/privacy/easy-read", "/privacy"])
def test_page_passes_axe_asks_no_other_host_and_fits(site: Server, context: Any, path: str) -> None:
    page = context.new_page()
    page.set_extra_http_headers(bearer(STAFF[path]) if path in STAFF else {})
    look(page, site, path)
    page.close()


@pytest.mark.requirement("L4", "C4", "A3")
def test_young_person_answers_by_keyboard_and_the_key_in_the_fragment_leaves_the_address(
    site: Server, context: Any
) -> None:
    settings = Settings(data_dir=site.data_dir, worker=False)
    core = open_core(settings)
    try:
        _, code = set_up(core)
        page = context.new_page()
        page.goto(f"{site.url}/privacy")
        assert page.evaluate(JOIN, code) == 200
        look(page, site, "/j/about-you#p=person-key-of-the-page-01")
        page.wait_for_function("location.hash === ''")
        assert page.locator("#about-person").input_value() == "person-key-of-the-page-01"
        assert page.locator("input:checked").count() == 0
        skip, send = page.get_by_role("button", name="Skip", exact=True), page.get_by_role("button", name="Send")
        assert skip.bounding_box()["width"] == pytest.approx(send.bounding_box()["width"], abs=1)
        page.get_by_label("13 to 15").focus()
        page.keyboard.press("Space")
        send.focus()
        page.keyboard.press("Enter")
        page.get_by_text("We kept what you said about you.").wait_for()
        assert axe_violations(page) == []
        with open_apart(core) as store, store.read() as session:
            newest = session.scalars(select(Answer).order_by(Answer.id.desc())).first()
        assert newest is not None
        assert (newest.age_band, newest.home_area) == ("13-15", None)
        page.context.clear_cookies()
        page.close()
    finally:
        core.store.close()
