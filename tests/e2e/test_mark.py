"""A person marks a place: by tap, by keyboard, without the map, without scripts, without a network for a while."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.conftest import Server, running_server
from tests.support.site import NetworkLog, axe_violations, make_demo

PHONE = {"width": 390, "height": 844}
pytestmark = [pytest.mark.browser, pytest.mark.slow]


SETTLED_MS = 450  # a person reads a screen before the next tap; a second tap within 400 ms is taken for a double tap


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("mark")
    make_demo(folder)
    with running_server(folder, {"SAFER_PLACES_WORKER": "false"}) as server:
        yield server


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport=PHONE, has_touch=True)
    made = context.new_page()
    made.set_default_timeout(10_000)
    yield made
    context.close()


class Steps:
    """A person's hand: every tap is counted."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.taps = 0

    def button(self, name: str) -> None:
        self.page.wait_for_timeout(SETTLED_MS)
        self.page.get_by_role("button", name=name, exact=True).tap()
        self.taps += 1

    def word(self, text: str) -> None:
        self.page.locator("#sheet").get_by_text(text, exact=True).tap()
        self.taps += 1

    def map(self, across: float = 0.5, down: float = 0.5) -> None:
        self.page.wait_for_timeout(SETTLED_MS)
        box = self.page.locator("#mark-map .sp-map").bounding_box()
        self.page.touchscreen.tap(box["x"] + box["width"] * across, box["y"] + box["height"] * down)
        self.taps += 1


def places(site: Server) -> list[dict[str, Any]]:
    answer = httpx2.get(f"{site.url}/api/v1/places?limit=1000", timeout=10)
    features: list[dict[str, Any]] = answer.json()["features"]
    return features


def sent(page: Any) -> str:
    """Wait until the mark is stored and return the words of its receipt."""
    page.get_by_role("heading", name="Sent. Thank you.").wait_for()
    page.locator("#receipt-words").filter(has_text=re.compile(r"\w+ \w+")).wait_for()
    return str(page.locator("#receipt-words").inner_text())


def tap_through(steps: Steps, *, across: float = 0.5) -> None:
    """Answer every question once, from the map to Send."""
    steps.map(across)
    steps.button("Next")
    steps.word("Unsafe")
    steps.button("Next")
    steps.word("At night")
    steps.button("Next")
    steps.word("It is too dark")
    steps.button("Next")
    steps.button("Send")


@pytest.mark.requirement("C6", "A3")
def test_first_mark_takes_ten_taps_and_the_next_ten_more(site: Server, page: Any) -> None:
    before = len(places(site))
    log = NetworkLog(page)
    page.goto(f"{site.url}/mark")
    steps = Steps(page)
    steps.button("Start")
    tap_through(steps)
    sent(page)
    first = steps.taps
    steps.button("Mark another place")
    assert page.locator("#sheet").get_by_text("Tap again").count() == 0
    tap_through(steps, across=0.6)
    sent(page)
    assert first == 10  # a tap every five seconds is under a minute
    assert steps.taps - first == 10  # a tap every one and a half seconds is 15 s
    assert len(places(site)) == before + 2
    assert log.hosts == {site.url.removeprefix("http://")}
    assert not log.errors


def test_mark_holds_what_was_tapped(site: Server, page: Any) -> None:
    page.goto(f"{site.url}/mark")
    steps = Steps(page)
    steps.button("Start")
    tap_through(steps)
    words = sent(page)
    made = places(site)[-1]["properties"]
    assert (made["feeling"], made["times"], made["reasons"]) == ("unsafe", ["night"], ["poor_lighting"])
    assert (made["status"], made["kind"], made["people"], made["publish"]) == ("pending", "point", 1, "count")
    seen = httpx2.post(f"{site.url}/api/v1/receipts/read", json={"receipt": words}, timeout=10).json()
    assert seen["feeling"] == "unsafe"
    assert page.locator("#receipt-qr").get_attribute("src").startswith("blob:")


def test_next_mark_keeps_the_map_where_it_was(site: Server, page: Any) -> None:
    page.goto(f"{site.url}/mark")
    steps = Steps(page)
    steps.button("Start")
    tap_through(steps)
    sent(page)
    view = "[saferPlaces.map.getCenter().lat, saferPlaces.map.getCenter().lng, saferPlaces.map.getZoom()]"
    before = page.evaluate(view)
    steps.button("Mark another place")
    after = page.evaluate(view)
    assert after == pytest.approx(before, abs=0.01)
    assert page.locator("#sheet input:checked").count() == 0


@pytest.mark.requirement("A2")
def test_keyboard_alone_marks_a_place(site: Server, page: Any) -> None:
    """Tab, arrows, space and Enter: nothing is dragged and nothing needs a pointer."""
    before = len(places(site))
    page.goto(f"{site.url}/mark")
    keys = page.keyboard

    def tab_to(selector: str, most: int = 60) -> None:
        for _ in range(most):
            if page.evaluate("s => document.activeElement && document.activeElement.matches(s)", selector):
                return
            keys.press("Tab")
        raise AssertionError(f"the keyboard did not reach {selector}")

    tab_to("#start")
    keys.press("Enter")
    page.wait_for_selector("#q1:focus")
    keys.press("Shift+Tab")  # the map stands before the question
    for _ in range(12):
        if page.evaluate("document.activeElement.classList.contains('leaflet-container')"):
            break
        keys.press("Shift+Tab")
    middle = "saferPlaces.map.getCenter().lng"
    start = page.evaluate(middle)
    keys.press("ArrowRight")
    page.wait_for_timeout(600)  # Leaflet pans with an animation; the policy allows no polling inside the page
    assert page.evaluate(middle) > start
    keys.press("Enter")
    page.get_by_text("Tap again to move it.").wait_for()
    tab_to("#next")
    keys.press("Enter")
    tab_to("input[name=feeling]")
    keys.press("Space")
    tab_to("#next")
    keys.press("Enter")
    page.wait_for_selector("#q3:focus")
    tab_to("#next")
    assert page.locator("#next").inner_text() == "Skip"
    keys.press("Enter")
    page.wait_for_selector("#q4:focus")
    tab_to("#next")
    keys.press("Enter")
    page.wait_for_selector("#q5:focus")
    tab_to("#next")
    keys.press("Enter")
    sent(page)
    assert len(places(site)) == before + 1


def test_back_is_always_possible_and_keeps_the_answers(site: Server, page: Any) -> None:
    page.goto(f"{site.url}/mark")
    steps = Steps(page)
    steps.button("Start")
    steps.map()
    steps.button("Next")
    steps.word("Safe")
    steps.button("Next")
    steps.button("Back")
    assert page.locator("input[name=feeling]:checked").get_attribute("value") == "safe"
    steps.button("Back")
    page.get_by_text("Tap again to move it.").wait_for()
    page.go_back()
    page.get_by_role("heading", name="Mark where you feel safe or unsafe").wait_for()


def test_reasons_fit_the_feeling(site: Server, page: Any) -> None:
    page.goto(f"{site.url}/mark")
    steps = Steps(page)
    steps.button("Start")
    steps.map()
    steps.button("Next")
    steps.word("Safe")
    steps.button("Next")
    steps.button("Skip")
    shown = page.locator('[data-step="4"] li:visible').all_inner_texts()
    assert "My friends are there" in [text.strip() for text in shown]
    assert "It is too dark" not in [text.strip() for text in shown]


@pytest.mark.parametrize(("tool", "kind", "points"), [("Draw a way I walk", "route", 2), ("Draw an area", "area", 3)])
def test_way_and_area_are_drawn_by_taps(site: Server, page: Any, tool: str, kind: str, points: int) -> None:
    page.goto(f"{site.url}/mark")
    steps = Steps(page)
    steps.button("Start")
    page.evaluate("saferPlaces.map.setView([51.4452, -0.0207], 16, {animate: false})")
    page.get_by_text("More ways to choose").tap()
    steps.button(tool)
    steps.map(0.3, 0.3)
    steps.button("Next")
    page.get_by_role("alert").filter(has_text="Add more points").wait_for()
    steps.button("Undo last point")
    assert page.locator("#problem").is_hidden()  # the complaint was about the place before
    for across, down in [(0.3, 0.3), (0.6, 0.4), (0.5, 0.7)][:points]:
        steps.map(across, down)
    steps.button("Next")
    steps.word("Unsafe")
    steps.button("Next")
    steps.button("Skip")
    steps.button("Skip")
    steps.button("Send")
    sent(page)
    made = places(site)[-1]
    assert made["properties"]["kind"] == kind
    assert len(str(made["geometry"]["coordinates"]).split("], [")) == points + (kind == "area")


def test_a_landmark_is_found_by_search(site: Server, page: Any) -> None:
    page.goto(f"{site.url}/mark")
    steps = Steps(page)
    steps.button("Start")
    page.get_by_label("Search for a street or a place").fill("ladywell")
    steps.button("Search")
    page.locator("#found button").first.tap()
    page.get_by_text("Marked at Ladywell").wait_for()
    page.get_by_label("Search for a street or a place").fill("qqqq")
    page.keyboard.press("Enter")
    page.get_by_text("Nothing found.").wait_for()


@pytest.mark.requirement("C2")
def test_location_is_read_only_when_the_button_is_pressed(site: Server, browser: Any) -> None:
    spot = {"latitude": 51.4452, "longitude": -0.0207}
    context = browser.new_context(viewport=PHONE, has_touch=True, geolocation=spot, permissions=["geolocation"])
    page = context.new_page()
    page.add_init_script(
        "window.asked = 0; for (const name of ['getCurrentPosition', 'watchPosition']) {"
        " const own = Geolocation.prototype[name];"
        " Geolocation.prototype[name] = function (...all) { window.asked += 1; return own.apply(this, all); }; }"
    )
    page.goto(f"{site.url}/mark")
    steps = Steps(page)
    steps.button("Start")
    steps.map()
    assert page.evaluate("window.asked") == 0
    page.get_by_text("More ways to choose").tap()
    steps.button("Use where I am now")
    page.get_by_text("Your phone's location is off again.").wait_for()
    assert page.evaluate("window.asked") == 1
    assert page.locator(".here").count() == 1
    steps.button("Next")
    steps.word("Safe")
    steps.button("Next")
    steps.button("Skip")
    steps.button("Skip")
    steps.button("Send")
    sent(page)
    steps.button("Mark another place")
    assert page.locator(".here").count() == 0
    assert page.evaluate("window.asked") == 1
    context.close()


def test_a_double_tap_answers_one_question_and_keeps_the_receipt(site: Server, page: Any) -> None:
    before = len(places(site))
    page.goto(f"{site.url}/mark")
    steps = Steps(page)
    steps.button("Start")
    steps.map()

    def tap_twice() -> None:
        page.wait_for_timeout(SETTLED_MS)
        box = page.locator("#next").bounding_box()
        for _ in range(2):
            page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    tap_twice()
    assert page.locator("#progress-words").inner_text() == "2 of 5"
    assert page.locator("#problem").is_hidden()
    steps.word("Unsafe")
    for at in (3, 4, 5):
        tap_twice()
        assert page.locator("#progress-words").inner_text() == f"{at} of 5"
    tap_twice()
    sent(page)
    assert page.locator("#receipt-words").is_visible()
    assert len(places(site)) == before + 1


@pytest.mark.requirement("A3")
@pytest.mark.parametrize(("width", "height", "percent"), [(360, 640, 100), (844, 390, 100), (390, 844, 200)])
def test_place_and_question_are_in_sight_on_small_screens_and_with_large_text(
    site: Server, browser: Any, width: int, height: int, percent: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": height}, has_touch=True)
    page = context.new_page()
    page.goto(f"{site.url}/mark")
    page.evaluate("size => { document.documentElement.style.fontSize = size + '%'; }", percent)
    steps = Steps(page)
    steps.button("Start")
    stage = page.locator("#mark-map").bounding_box()
    assert 0 <= stage["y"] < height / 2  # not scrolled away behind the button that was pressed
    steps.map()
    steps.button("Next")
    page.wait_for_timeout(SETTLED_MS)
    question = page.locator("#q2").bounding_box()
    assert 0 <= question["y"] < height
    body = page.locator("#sheet-body").bounding_box()
    assert body["height"] >= 80  # the answers are not squeezed out by the buttons
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if percent == 100 and width == 360:
        assert page.evaluate("document.documentElement.scrollHeight") <= height  # nothing cut off below
    context.close()


def test_the_receipt_of_a_mark_sent_late_comes_on_the_next_receipt_screen(site: Server, page: Any) -> None:
    page.goto(f"{site.url}/mark")
    steps = Steps(page)
    steps.button("Start")
    page.context.set_offline(True)
    tap_through(steps)
    page.get_by_role("heading", name="Not sent yet").wait_for()
    exit_box = page.locator("[data-exit]").bounding_box()
    assert exit_box["x"] + exit_box["width"] <= PHONE["width"]  # the way out is whole beside "1 not sent yet"
    steps.button("Mark another place")
    page.context.set_offline(False)
    page.locator("#unsent").wait_for(state="hidden")
    tap_through(steps, across=0.6)
    second = sent(page)
    late = page.locator("#late-receipts li:visible").all_inner_texts()
    assert len(late) == 1
    assert len(late[0].split()) == 16
    assert late[0] != second
    steps.button("Next person")
    assert page.locator("#late-receipts li").count() == 0


def test_mark_without_a_network_is_kept_and_stored_once(site: Server, page: Any) -> None:
    before = len(places(site))
    page.goto(f"{site.url}/mark")
    steps = Steps(page)
    steps.button("Start")
    lost = []

    def lose_the_answer(route: Any) -> None:
        """The server stores the mark, and the answer never comes back; then the network is gone."""
        if len(lost) == 0:
            lost.append(route.fetch())
            route.abort()
        elif len(lost) == 1:
            lost.append(None)
            route.abort()
        else:
            route.continue_()

    page.route("**/api/v1/places", lose_the_answer)
    tap_through(steps)
    page.get_by_role("heading", name="Not sent yet").wait_for()
    assert page.locator("#unsent").inner_text() == "1 not sent yet"
    sent(page)
    assert len(lost) == 2
    assert page.locator("#unsent").is_hidden()
    assert len(places(site)) == before + 1


def test_place_outside_the_borough_is_said_where_it_can_be_changed(site: Server, page: Any) -> None:
    page.goto(f"{site.url}/mark")
    steps = Steps(page)
    steps.button("Start")
    page.evaluate("saferPlaces.map.setView([51.6, -0.4], 16, {animate: false})")
    tap_through(steps)
    page.get_by_role("alert").filter(has_text="outside the borough").wait_for()
    assert page.locator("#progress-words").inner_text() == "1 of 5"
    page.evaluate("saferPlaces.map.setView([51.4452, -0.0207], 16, {animate: false})")
    steps.map()
    for _ in range(4):
        steps.button("Next")
    steps.button("Send")
    sent(page)


@pytest.mark.requirement("C5")
def test_nothing_is_left_on_the_device_and_people_are_kept_apart(site: Server, page: Any) -> None:
    keys: list[str] = []
    page.on(
        "request",
        lambda request: (
            keys.append(json.loads(request.post_data)["properties"]["contributor_key"])
            if request.url.endswith("/api/v1/places")
            else None
        ),
    )
    page.goto(f"{site.url}/mark")
    steps = Steps(page)
    steps.button("Start")
    tap_through(steps)
    sent(page)
    steps.button("Mark another place")
    tap_through(steps)
    sent(page)
    steps.button("Next person")
    page.get_by_role("heading", name="Mark where you feel safe or unsafe").wait_for()
    steps.button("Start")
    tap_through(steps)
    sent(page)
    assert keys[0] == keys[1] != keys[2]
    left = page.evaluate(
        "async () => [localStorage.length, sessionStorage.length, document.cookie,"
        " (await indexedDB.databases()).length, (await caches.keys()).length]"
    )
    assert left == [0, 0, "", 0, 0]
    page.reload()
    assert page.locator("input:checked").count() == 0


@pytest.mark.requirement("C6")
def test_exit_leaves_at_once_and_back_does_not_return(site: Server, page: Any) -> None:
    asked: list[str] = []

    def answer(route: Any) -> None:
        asked.append(route.request.url)
        assert "referer" not in route.request.headers
        route.fulfill(body="<title>Weather</title>", content_type="text/html")

    page.route(re.compile(r"^https://"), answer)
    page.goto(f"{site.url}/privacy")
    page.goto(f"{site.url}/mark")
    assert not asked
    page.get_by_role("button", name="Exit this page").tap()
    page.wait_for_url(re.compile(r"^https://"), wait_until="load")
    page.wait_for_function("document.title === 'Weather'")
    # the browser's own command refuses while it swaps processes for the other site; the page's waits for its turn
    page.evaluate("history.back()")
    page.wait_for_url(f"{site.url}/privacy")


@pytest.mark.requirement("A1")
def test_whole_journey_without_scripts(site: Server, browser: Any) -> None:
    before = len(places(site))
    context = browser.new_context(viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.url}/mark")
    page.get_by_role("link", name="Start").click()
    page.get_by_label("Search for a street or a place").fill("catford")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("radio", name=re.compile("Catford")).first.check()
    page.get_by_text("It depends", exact=True).click()
    page.get_by_role("button", name="Next").click()
    page.get_by_text("After school").click()
    page.get_by_text("It is too dark").click()
    page.get_by_text("My friends are there").click()
    page.get_by_role("button", name="Send").click()
    page.get_by_role("heading", name="Sent. Thank you.").wait_for()
    words = page.locator(".receipt-words").inner_text()
    made = places(site)[-1]["properties"]
    assert len(places(site)) == before + 1
    assert (made["feeling"], made["times"]) == ("mixed", ["after_school"])
    assert set(made["reasons"]) == {"poor_lighting", "friends"}

    page.goto(f"{site.url}/receipt")
    page.get_by_label("Your words or code").fill(words.upper())
    page.get_by_role("button", name="Show my mark").click()
    page.get_by_text("It is waiting.").wait_for()
    page.get_by_text("Change what you said").click()
    page.get_by_text("Unsafe", exact=True).click()
    page.get_by_role("checkbox", name="My friends are there").first.uncheck(force=True)
    page.get_by_role("button", name="Save the change").click()
    page.get_by_text("Changed.").wait_for()
    page.get_by_text("Move it to another place").click()
    page.get_by_label("Or choose from a list").select_option(label="Blackheath")
    page.get_by_role("button", name="Move it").click()
    page.get_by_text("Moved.").wait_for()
    assert page.locator(".facts dd").first.inner_text() == "Blackheath"
    page.get_by_role("button", name="Take it back").click()
    page.get_by_role("button", name="Yes, take it back").click()
    page.get_by_text("Taken back.").wait_for()
    assert len(places(site)) == before
    context.close()


@pytest.mark.requirement("X4")
def test_receipt_code_in_the_fragment_never_reaches_an_address(site: Server, page: Any) -> None:
    page.goto(f"{site.url}/mark")
    steps = Steps(page)
    steps.button("Start")
    tap_through(steps)
    sent(page)
    secret = page.evaluate(
        "async () => { const words = document.getElementById('receipt-words').textContent; return words; }"
    )
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{site.url}/receipt#{secret.replace(' ', '%20')}")
    page.get_by_text("It is waiting.").wait_for()
    assert page.url == f"{site.url}/receipt"
    assert not [url for url in asked if secret.split()[0] in url.split("#")[0]]


@pytest.mark.requirement("A3", "A4")
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_step_passes_axe_and_keeps_its_targets_large(site: Server, browser: Any, width: int, scheme: str) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 844}, color_scheme=scheme, has_touch=True, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(f"{site.url}/mark")
    found = {"intro": axe_violations(page)}
    steps = Steps(page)
    steps.button("Start")
    if width == 390:
        page.get_by_text("More ways to choose").tap()
    for name, word in (("1", None), ("2", "Unsafe"), ("3", "At night"), ("4", "It is too dark"), ("5", None)):
        if name == "1":
            steps.map()
        if word:
            steps.word(word)
        found[name] = axe_violations(page)
        small = page.evaluate(
            "() => [...document.querySelectorAll('#sheet button, #sheet a.tool, #sheet .chip, #sheet .feeling')]"
            ".filter((e) => e.offsetParent && e.getBoundingClientRect().height < 47.5).map((e) => e.textContent.trim())"
        )
        assert not small, (name, small)
        steps.button("Send" if name == "5" else "Next")
    sent(page)
    found["sent"] = axe_violations(page)
    assert {step: problems for step, problems in found.items() if problems} == {}
    context.close()
