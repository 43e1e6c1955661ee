"""A workshop in real browsers: set up, two phones join and mark, next person, way out, end of the window."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from service.core import open_core
from service.settings import Settings
from service.workshops.workflow import add_sample_duty
from tests.conftest import Server, running_server
from tests.support.offline import LISTEN
from tests.support.site import NetworkLog, axe_violations, make_demo
from tests.support.workshops import close_window

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
SETTLED_MS = 450
pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("workshop")
    make_demo(folder)
    core = open_core(Settings(data_dir=folder))
    add_sample_duty(core)
    core.store.close()
    with running_server(folder, {"SAFER_PLACES_WORKER": "false"}) as server:
        yield server


@pytest.fixture
def open_page(browser: Any) -> Iterator[Any]:
    contexts = []

    def make(viewport: dict[str, int], **options: Any) -> Any:
        context = browser.new_context(viewport=viewport, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        return page

    yield make
    for context in contexts:
        context.close()


def set_up(site: Server, page: Any, *, words: bool = False, borders: bool = False) -> tuple[str, str]:
    """Set a workshop up as a youth worker does; return its address and its code."""
    page.goto(f"{site.url}/workshops/new")
    page.get_by_label("Title").fill("Tuesday club")
    page.get_by_label("How the safeguarding lead reaches you in the room").fill("020 7946 0321")
    page.get_by_label("Where the map begins").select_option(label="Brockley")
    if words:
        page.get_by_label("Take words").check()
    if borders:
        page.get_by_text("Borders between groups").click()
        page.get_by_label("Let borders be drawn").check()
    page.get_by_role("button", name="Set it up").click()
    page.wait_for_url(re.compile(r"/workshops/[0-9a-f-]{36}$"))
    return page.url, page.locator(".code").inner_text()


def press(page: Any, name: str) -> None:
    page.wait_for_timeout(SETTLED_MS)
    page.get_by_role("button", name=name, exact=True).tap()


def mark_a_place(page: Any, *, note: str = "") -> None:
    page.wait_for_timeout(SETTLED_MS)
    box = page.locator("#mark-map .sp-map").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    press(page, "Next")
    page.locator("#sheet").get_by_text("Unsafe", exact=True).tap()
    press(page, "Next")
    press(page, "Skip")
    press(page, "Skip")
    if note:
        page.get_by_label("Want to add anything?").fill(note)
    press(page, "Send")


def sent(page: Any) -> str:
    page.get_by_role("heading", name="Sent. Thank you.").wait_for()
    page.locator("#receipt-words").filter(has_text=re.compile(r"\w+ \w+")).wait_for()
    return str(page.locator("#receipt-words").inner_text())


def count(page: Any, name: str, wanted: str) -> None:
    page.locator(f"[data-count={name}]").first.filter(has_text=re.compile(f"^{wanted}$")).wait_for()


@pytest.mark.requirement("S2", "X4", "C6", "A5", "C5")
def test_two_phones_join_by_qr_and_by_hand_and_the_worker_sees_the_counts(site: Server, open_page: Any) -> None:
    desk = open_page(DESK)
    address, code = set_up(site, desk, words=True)
    first, second = (open_page(PHONE, has_touch=True) for _ in range(2))
    logs = [NetworkLog(page) for page in (first, second)]
    asked: list[str] = []
    first.on("request", lambda request: asked.append(request.url))
    first.goto(f"{site.url}/j#{code.replace(' ', '-')}")  # what the QR holds
    first.wait_for_url("**/j/mark")
    second.goto(f"{site.url}/j")
    second.get_by_label("Type the code").fill(code.upper())
    second.get_by_role("button", name="Join").tap()
    second.wait_for_url("**/j/mark")
    for page in (first, second):
        page.get_by_text("Who reads this?").wait_for()
        press(page, "Start")
        mark_a_place(page)
        sent(page)
    sent_out = [url.split("#")[0] for url in asked]  # the fragment stays in the browser
    assert not [url for url in sent_out if code.replace(" ", "-") in url or all(word in url for word in code.split())]
    assert "#" not in first.url
    assert first.evaluate("Object.keys(localStorage).length + Object.keys(sessionStorage).length") == 0
    assert first.evaluate("document.cookie") == ""
    count(desk, "marks", "2")
    count(desk, "seats", "2")
    assert desk.url == address
    for log in logs:
        assert log.hosts == {site.url.removeprefix("http://")}
        assert not log.errors


@pytest.mark.requirement("C5", "S1")
def test_next_person_sees_nothing_of_the_one_before(site: Server, open_page: Any) -> None:
    _, code = set_up(site, open_page(DESK), words=True)
    page = open_page(PHONE, has_touch=True)
    page.add_init_script(LISTEN)  # what leaves the page is sealed
    page.goto(f"{site.url}/j#{code}")
    page.wait_for_url("**/j/mark")
    press(page, "Start")
    mark_a_place(page, note="first person words")
    receipt = sent(page)
    press(page, "Next person")
    page.get_by_role("heading", name="Mark where you feel safe or unsafe").wait_for()
    page.get_by_text("We cannot keep a secret.").wait_for()
    press(page, "Start")
    assert receipt not in page.content()
    assert page.locator("#note").input_value() == ""
    assert page.locator("#sheet input:checked").count() == 0
    mark_a_place(page)
    sent(page)
    marks = [json.loads(text)["mark"] for text in page.evaluate("window.plain")]
    assert len({one["properties"]["contributor_key"] for one in marks}) == len(marks) == 2


def test_exit_leaves_at_once(site: Server, open_page: Any) -> None:
    _, code = set_up(site, open_page(DESK))
    page = open_page(PHONE, has_touch=True)
    left: list[str] = []
    page.route(
        "https://www.bbc.co.uk/**", lambda route: (left.append(route.request.url), route.fulfill(body="weather"))
    )
    page.goto(f"{site.url}/j#{code}")
    page.wait_for_url("**/j/mark")
    page.get_by_role("button", name="Exit this page").tap()
    page.get_by_text("weather").wait_for()
    assert left


def test_window_that_is_over_says_what_to_do(site: Server, open_page: Any) -> None:
    address, code = set_up(site, open_page(DESK))
    page = open_page(PHONE, has_touch=True)
    page.goto(f"{site.url}/j#{code}")
    page.wait_for_url("**/j/mark")
    press(page, "Start")
    core = open_core(Settings(data_dir=site.data_dir))
    close_window(core, uuid.UUID(address.rsplit("/", 1)[1]), ago=timedelta(seconds=1))
    core.store.close()
    mark_a_place(page)
    page.get_by_role("heading", name="Not sent").wait_for()
    page.get_by_text("Tell the adult with you.").wait_for()
    late = open_page(PHONE, has_touch=True)
    late.goto(f"{site.url}/j#{code}")
    late.get_by_role("heading", name="This workshop is over").wait_for()
    late.get_by_text("Ask the adult who ran the session.").wait_for()
    assert axe_violations(late) == []


@pytest.mark.requirement("A1")
def test_whole_journey_without_scripts_and_map(site: Server, open_page: Any) -> None:
    _, code = set_up(site, open_page(DESK))
    page = open_page(PHONE, java_script_enabled=False)
    page.goto(f"{site.url}/j")
    page.get_by_label("Type the code").fill(f" {code} ")
    page.get_by_role("button", name="Join").click()
    page.get_by_role("link", name="Start").click()
    page.get_by_label("Or choose from a list").select_option(label="Brockley")
    page.get_by_text("Unsafe", exact=True).click()
    page.get_by_role("button", name="Next").click()
    page.get_by_text("At night").click()
    page.get_by_role("button", name="Send").click()
    page.get_by_role("heading", name="Sent. Thank you.").wait_for()
    page.get_by_role("button", name="Mark another place").click()
    page.get_by_role("heading", name="Mark a place from a list").wait_for()
    page.goto(f"{site.url}/j/done")
    page.get_by_role("button", name="Leave the workshop").click()
    page.goto(f"{site.url}/j/mark")
    assert page.url == f"{site.url}/j"


@pytest.mark.requirement("E5")
def test_borders_are_offered_only_where_they_are_allowed(site: Server, open_page: Any) -> None:
    for borders in (False, True):
        _, code = set_up(site, open_page(DESK), borders=borders)
        page = open_page(PHONE, has_touch=True)
        page.goto(f"{site.url}/j#{code}")
        page.wait_for_url("**/j/mark")
        assert page.get_by_role("button", name="Draw a border", include_hidden=True).count() == int(borders)


@pytest.mark.requirement("C4", "A3")
def test_wall_shows_what_the_facilitator_releases_and_stands_still_when_paused(site: Server, open_page: Any) -> None:
    desk, wall = open_page(DESK), open_page(DESK, reduced_motion="reduce")
    address, code = set_up(site, desk)
    desk.get_by_role("button", name="Turn the wall on").click()
    wall.goto(f"{address}/wall")
    wall.get_by_text("Nothing is shown yet.").wait_for()
    for _ in range(5):
        with httpx2.Client(base_url=site.url, headers={"Origin": site.url}, timeout=30) as phone:
            assert phone.post("/api/v1/workshop/join", json={"code": code}).status_code == 200
            feature = {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [-0.0374, 51.4637]},
                "properties": {"feeling": "safe", "contributor_key": uuid.uuid4().hex},
            }
            assert phone.post("/api/v1/workshop/places", json=feature).status_code == 201
    desk.get_by_role("button", name="Release what was marked").click()
    desk.get_by_text("Released to the wall").wait_for()
    wall.locator("#areas").get_by_text("More people feel safe here").wait_for()
    assert wall.locator("path.is-safe").count() == 1
    assert axe_violations(wall) == []
    desk.get_by_role("button", name="Pause").click()
    wall.get_by_text("The wall is paused.").wait_for()
    assert wall.locator("path.is-safe").count() == 0


@pytest.mark.requirement("A1", "A3")
def test_staff_pages_have_no_axe_violation_and_fit_a_phone(site: Server, open_page: Any) -> None:
    desk = open_page(DESK)
    address, _ = set_up(site, desk)
    for viewport in (DESK, PHONE):
        page = open_page(viewport)
        for path in ("/workshops", "/workshops/new", "/duty", "/j", "/j/done"):
            page.goto(site.url + path)
            assert axe_violations(page) == [], path
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
        for part in ("", "/sheet", "/form", "/paper", "/wall"):
            page.goto(address + part)
            assert axe_violations(page) == [], part
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), part


def test_paper_form_is_typed_in_with_the_keyboard_alone(site: Server, open_page: Any) -> None:
    desk = open_page(DESK)
    address, _ = set_up(site, desk)
    desk.goto(f"{address}/paper")
    desk.keyboard.type("2 8 20 41")
    desk.locator("#boxes-said").filter(has_text="Unsafe · At night").wait_for()
    desk.keyboard.press("Enter")
    desk.get_by_text(re.compile("^Stored: Unsafe, At night")).wait_for()
    assert desk.evaluate("document.activeElement.id") == "boxes"  # ready for the next one


def test_sheet_prints_on_one_page_and_the_form_on_two(site: Server, open_page: Any) -> None:
    desk = open_page(DESK)
    address, _ = set_up(site, desk)
    for part, pages in (("/sheet", 1), ("/form", 2)):
        desk.goto(address + part)
        printed = desk.pdf(format="A4", prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) == pages, part
