"""The whole story in real browsers: six phones, lead, worker, planner and public, before and after a release.

One is told about at home, one names somebody, one has no network, one takes the mark back. Nothing of what a child
wrote, and no receipt, reaches the public, the planner or the log of the server.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx2
import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from service.core import Core, initialise, open_core
from service.places.models import Place
from service.places.receipt_words import to_secret
from service.settings import Settings
from service.workshops.models import Workshop
from tests.conftest import ASSESSMENT, Server, add_staff, bearer, running_server
from tests.support.mailbox import Mailbox, free_port, running_mail
from tests.support.moderation import API as MODERATION
from tests.support.offline import PHONE, Device
from tests.support.site import NetworkLog, axe_violations
from tests.support.squares import add_squares, at, mark
from tests.support.staff import PASSWORD, Staff, enrol
from tests.support.workshops import set_up

pytestmark = [pytest.mark.browser, pytest.mark.slow]
DESK = {"width": 1440, "height": 900}
PATIENT_MS = 60_000
HERE = (512.3, 488.7)  # metres from the corner of the borough: in South West
AT_HOME = "my stepdad hits me when mum is at work"
NAMED = "Kwame Boateng stands here"
PLAIN = "no light under the railway arch"
SUGGESTED = "put the bins somewhere else"
SECRET = ("stepdad", "Kwame", "Boateng", "railway arch", "the bins")
CLUB = "Thursday club"
LEAD_MAIL = "duty.lead@example.org"
ROOM_PHONE = "020 7946 0321"
HREF = re.compile(r'(?:href|src)="([^"#]+)')


@dataclass
class Story:
    """A real deployment that runs: its server, its store, its people, their mail."""

    server: Server
    core: Core
    box: Mailbox
    staff: dict[str, Staff]
    open_page: Callable[[dict[str, int]], Any]
    code: str = ""
    receipts: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.server.url

    def signed_in(self, role: str) -> Any:
        """Return the page of a member of staff who has signed in with password and code."""
        who, page = self.staff[role], self.open_page(DESK)
        page.goto(f"{self.url}/sign-in")
        page.get_by_label("Login").fill(who.login)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_label("Code", exact=True).fill(who.once())
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url(lambda url: "/sign-in" not in url)
        return page

    def places(self, workshop: str = CLUB) -> list[Place]:
        with self.core.store.read() as session:
            query = select(Place).join(Workshop, Place.workshop_id == Workshop.id)
            return list(session.scalars(query.where(Workshop.title == workshop).order_by(Place.seq)))

    def states(self) -> list[str]:
        return sorted(row.status for row in self.places())


@pytest.fixture
def story(browser: Any, tmp_path: Path) -> Iterator[Story]:
    settings = Settings(data_dir=tmp_path / "data", **ASSESSMENT)
    initialise(settings, "real")
    add_staff(settings)
    core = open_core(settings)
    add_squares(core)
    staff = {role: enrol(core, role) for role in ("youth_worker", "moderator", "safeguarding_lead", "planner")}
    contexts = []

    def open_page(viewport: dict[str, int]) -> Any:
        contexts.append(browser.new_context(viewport=viewport, has_touch=viewport is PHONE, reduced_motion="reduce"))
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENT_MS)
        return page

    port = free_port()
    environment = {f"SAFER_PLACES_{name.upper()}": value for name, value in ASSESSMENT.items()} | {
        "SAFER_PLACES_SMTP_HOST": "127.0.0.1",
        "SAFER_PLACES_SMTP_PORT": str(port),
        "SAFER_PLACES_SMTP_TLS": "none",
        "SAFER_PLACES_SMTP_SENDER": "places@example.org",
    }
    with running_mail(port, Mailbox()) as box, running_server(settings.data_dir, environment) as server:
        yield Story(server, core, box, staff, open_page)
        for context in contexts:
            context.close()
    core.store.close()


@pytest.fixture
def device(browser: Any, tmp_path: Path) -> Iterator[Device]:
    made = Device(browser.browser_type, tmp_path / "profile")
    yield made
    made.close()


def until(page: Any, condition: Callable[[], object]) -> None:
    """Wait, with the browser going on, until something holds."""
    deadline = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < deadline, "it did not come true within 90 seconds"
        page.wait_for_timeout(200)


@pytest.mark.requirement(
    *("S1", "S2", "S4", "S5", "L5", "L7", "D1", "D2", "D6", "D7", "D9", "E4", "X2", "X3", "X4", "X7")
)
def test_from_six_phones_to_what_the_public_reads(story: Story, device: Device) -> None:
    lead, worker, planner = (story.signed_in(role) for role in ("safeguarding_lead", "youth_worker", "planner"))
    go_on_duty(story, lead)
    story.code = set_the_workshop_up(story, worker)
    six_phones_mark(story, device)
    expect(worker.locator("[data-count=marks]")).to_have_text("6", timeout=PATIENT_MS)
    one_takes_the_mark_back(story)
    assert story.states() == ["pending"] * 5 + ["withdrawn"]
    the_public_reads_nothing_of_it(story)
    the_planner_sees(story, planner, points=0)

    the_worker_moderates(story, worker)
    assert story.states() == ["approved"] * 4 + ["held", "withdrawn"]
    the_worker_sees_no_mark_of_the_lead(story, worker)
    the_planner_sees(story, planner, points=4)
    assert "Nothing to read here yet" in httpx2.get(f"{story.url}/what-was-found").text

    publish(story, planner, number=1)
    first = httpx2.get(f"{story.url}/api/v1/releases/current").json()
    assert {cell["people"] for cell in first["cells"]} == {None}  # five people of one workshop
    the_public_reads_nothing_of_it(story)
    page = story.open_page(PHONE)
    page.goto(f"{story.url}/what-was-found")
    page.get_by_text("Not enough people yet").first.wait_for()
    assert axe_violations(page) == []

    until(planner, lambda: story.box.messages)
    the_lead_decides(story, lead)
    assert story.states() == ["approved"] * 4 + ["rejected", "withdrawn"]

    for title in ("Friday club", "Saturday club"):
        twelve_more(story, title)
    write_a_finding(story, planner)
    publish(story, planner, number=2)
    the_public_reads_rounded_themes(story)
    the_public_reads_nothing_of_it(story)
    assert {message["To"] for message in story.box.messages} == {LEAD_MAIL}
    for message in story.box.messages:
        assert not [word for word in (*SECRET, CLUB, "South West") if word in message.as_string()]
    nothing_private_is_in_the_log(story)


def go_on_duty(story: Story, page: Any) -> None:
    page.goto(f"{story.url}/staff")
    page.get_by_label("Your work e-mail").fill(LEAD_MAIL)
    page.get_by_role("button", name="Save e-mail").click()
    page.wait_for_load_state("networkidle")
    page.goto(f"{story.url}/duty")
    page.get_by_text("Nobody is on duty").wait_for()
    page.get_by_label("Lead").select_option(label=story.staff["safeguarding_lead"].label)
    page.get_by_label("Number out of hours").fill("020 7946 0123")
    page.get_by_role("button", name="Enter the duty").click()
    page.get_by_text("On duty", exact=True).wait_for()


def set_the_workshop_up(story: Story, page: Any) -> str:
    page.goto(f"{story.url}/workshops/new")
    page.get_by_label("Title").fill(CLUB)
    page.get_by_label("How the safeguarding lead reaches you in the room").fill(ROOM_PHONE)
    page.get_by_label("Where the map begins").select_option(label="South West")
    page.get_by_label("Take words").check()
    page.get_by_role("button", name="Set it up").click()
    page.wait_for_url(re.compile(r"/workshops/[0-9a-f-]{36}$"))
    return str(page.locator(".code").inner_text())


def six_phones_mark(story: Story, device: Device) -> None:
    """Join with six phones; five send at once, the one without a network when it is back."""
    device.open()
    device.join(story.url, story.code)
    device.context.set_offline(True)
    answer(device.page, note=PLAIN)
    story.receipts.append(device.kept())
    for note, warning in (
        (AT_HOME, "call Childline free"),
        (NAMED, "Kwame Boateng"),
        (PLAIN, ""),
        ("", ""),
        ("", ""),
    ):
        page = story.open_page(PHONE)
        network = NetworkLog(page)
        page.goto(f"{story.url}/j#{story.code.replace(' ', '-')}")
        page.wait_for_url("**/j/mark")
        page.get_by_text("We cannot keep a secret.").wait_for()
        answer(page, note=note, suggestion=SUGGESTED if note == PLAIN else "")
        if warning:
            page.locator("#look-again").filter(has_text=warning).wait_for()
            press(page, "Send it as it is")
        page.get_by_role("heading", name="Sent. Thank you.").wait_for()
        page.locator("#receipt-words").filter(has_text=re.compile(r"\w+ \w+")).wait_for()
        story.receipts.append(page.locator("#receipt-words").inner_text())
        assert network.hosts == {urlsplit(story.url).netloc}
        assert network.errors == []
    assert len(story.places()) == 5
    device.context.set_offline(False)
    until(device.page, lambda: len(story.places()) == 6)


def answer(page: Any, *, note: str, suggestion: str = "") -> None:
    """Answer every question once, at the same spot."""
    press(page, "Start")
    longitude, latitude = at(*HERE)
    page.evaluate(f"window.saferPlaces.map.setView([{latitude}, {longitude}], 17, {{ animate: false }})")
    page.wait_for_timeout(450)
    box = page.locator("#mark-map .sp-map").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    press(page, "Next")
    for chosen in ("Unsafe", "At night"):
        page.locator("#sheet").get_by_text(chosen, exact=True).tap()
        press(page, "Next")
    page.locator("#sheet").get_by_text("It is too dark").tap()
    press(page, "Next")
    for label, text in (("#note", note), ("#suggestion", suggestion)):
        if text:
            page.locator(label).fill(text)
    press(page, "Send")


def press(page: Any, name: str) -> None:
    page.wait_for_timeout(450)  # a second tap so soon counts as a slip
    page.get_by_role("button", name=name, exact=True).tap()


def one_takes_the_mark_back(story: Story) -> None:
    page = story.open_page(PHONE)
    page.goto(f"{story.url}/receipt")
    page.get_by_label("Your words or code").fill(story.receipts[3])
    page.get_by_role("button", name="Show my mark").tap()
    page.get_by_text("It is waiting. Staff will read it.").wait_for()
    assert PLAIN not in page.content()
    page.get_by_role("button", name="Take it back").tap()
    page.get_by_role("button", name="Yes, take it back").tap()
    page.get_by_text("You took it back.").wait_for()


def the_worker_moderates(story: Story, page: Any) -> None:
    """Read the five marks by keys: the one about home first; a name is taken out, the rest is approved."""
    page.goto(f"{story.url}/queue")
    expect(page.locator("#waiting")).to_have_text("5 marks wait.", timeout=PATIENT_MS)
    page.keyboard.press("Space")
    assert AT_HOME in page.inner_text("#words-text")  # what may be urgent comes first
    page.keyboard.press("l")
    for left in (4, 3, 2, 1):
        words = "1 mark waits." if left == 1 else f"{left} marks wait."
        expect(page.locator("#waiting")).to_have_text(words, timeout=PATIENT_MS)
        page.wait_for_load_state("networkidle")
        if page.locator('#words[data-veiled="true"]').is_visible():
            page.keyboard.press("Space")
        if "Kwame" in page.inner_text("#words-text"):
            for key in ("x", "Shift+ArrowRight"):
                page.keyboard.press(key)
                page.wait_for_timeout(50)
            assert "Kwame Boateng" in page.inner_text("#chosen")
            page.keyboard.press("Enter")
            expect(page.locator("#words-text")).to_contain_text("[taken out]", timeout=PATIENT_MS)
            page.wait_for_load_state("networkidle")
        page.keyboard.press("a")
    page.locator("#empty").wait_for(state="visible")


def the_worker_sees_no_mark_of_the_lead(story: Story, page: Any) -> None:
    assert page.goto(f"{story.url}/lead").status == 403
    held = next(row.id for row in story.places() if row.status == "held")
    assert page.request.get(f"{story.url}/api/v1/places/{held}").status == 404
    assert str(held) not in page.request.get(f"{story.url}/api/v1/places?limit=100").text()


def the_lead_decides(story: Story, page: Any) -> None:
    page.goto(f"{story.url}/lead")
    assert not page.get_by_text(AT_HOME).is_visible()  # blurred first
    page.get_by_text("Show the words").click()
    assert page.get_by_text(AT_HOME).is_visible()
    page.get_by_text(ROOM_PHONE).wait_for()  # who was in the room, and how to reach them
    page.get_by_label("Talked with the worker who was in the room").check()
    page.get_by_label("Why").fill("The worker talks with the family today.")
    page.get_by_label("Keep it, but count it nowhere").check()
    page.get_by_role("button", name="Record the decision").click()
    page.get_by_text("Nothing waits for you").wait_for()


def the_planner_sees(story: Story, page: Any, *, points: int) -> None:
    """Approved points, exactly, and no word of anybody; nothing of what waits."""
    answer = page.request.get(f"{story.url}/api/v1/places?limit=100")
    features = answer.json()["features"]
    assert len(features) == points
    assert {feature["properties"]["feeling"] for feature in features} <= {"unsafe"}
    for feature in features:
        assert feature["geometry"]["coordinates"] == pytest.approx(at(*HERE), abs=1e-4)
        assert not {"note", "suggestion"} & set(feature["properties"])
    page.goto(f"{story.url}/maps/places")
    for text in (answer.text(), page.content()):
        assert not [word for word in SECRET if word in text]
    assert page.goto(f"{story.url}/queue").status == 403


def publish(story: Story, page: Any, *, number: int) -> None:
    page.goto(f"{story.url}/releases")
    assert not [word for word in SECRET if word in page.content()]
    page.get_by_role("button", name=f"Publish release {number}").click()
    page.get_by_text("The release is being made.").wait_for()
    current = f"{story.url}/api/v1/releases/current"
    until(page, lambda: (found := httpx2.get(current)).status_code == 200 and found.json()["number"] == number)


def write_a_finding(story: Story, page: Any) -> None:
    page.goto(f"{story.url}/findings")
    page.get_by_label("What was found").fill("The gangs stand under the arch")
    page.get_by_role("button", name="Save the draft").click()
    page.get_by_role("alert").wait_for()  # the wording check asks for other words
    page.get_by_label("What was found").fill("Many feel unsafe after dark where lamps are out.")
    page.get_by_label("Theme, if there is one").select_option(label="It is too dark")
    assert axe_violations(page) == []
    page.get_by_role("button", name="Save the draft").click()
    page.get_by_role("button", name="Put into the next release").click()
    page.get_by_text("Ready for the next release").wait_for()


def twelve_more(story: Story, title: str) -> None:
    """Hold a workshop of twelve phones, whose marks a moderator approves."""
    _, code = set_up(story.core, title=title)
    for _ in range(12):
        with httpx2.Client(base_url=story.url, headers={"Origin": story.url}, timeout=60) as phone:
            assert phone.post("/api/v1/workshop/join", json={"code": code}).status_code == 200
            said = {"times": ["night"], "reasons": ["poor_lighting"], "contributor_key": uuid.uuid4().hex}
            sent = phone.post("/api/v1/workshop/places", json=mark(1500, 1500, **said))
            assert sent.status_code == 201, sent.text
    with httpx2.Client(base_url=story.url + MODERATION, headers=bearer("moderator"), timeout=60) as desk:
        for row in story.places(title):
            body = {"desk": "desk-of-the-story", "act": "approve", "version": row.version}
            desk.post(f"/marks/{row.id}/decide", json=body).raise_for_status()


def the_public_reads_rounded_themes(story: Story) -> None:
    release = httpx2.get(f"{story.url}/api/v1/releases/current").json()
    found = {(cell["area"], cell["feeling"], cell["item"]): cell["people"] for cell in release["cells"]}
    # 4 approved of the club and 2 * 12: 28 people, to the nearest five
    assert found["borough", "unsafe", ""] == found["borough", "unsafe", "reason:poor_lighting"] == 30
    assert found["E05000001", "unsafe", ""] is None
    page = story.open_page(DESK)
    page.goto(f"{story.url}/what-was-found")
    page.get_by_text("About 30 young people marked").first.wait_for()
    page.get_by_text("Many feel unsafe after dark where lamps are out.").wait_for()
    frame = page.frame_locator("iframe.map-frame")
    frame.locator("path.leaflet-interactive").first.wait_for()
    assert axe_violations(page) == []
    for viewport in (PHONE, DESK):
        page.set_viewport_size(viewport)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def the_public_reads_nothing_of_it(story: Story) -> None:
    """Follow every link that somebody without an account can, and look for what a child wrote or where."""
    start = ["/", "/maps", "/wards", "/what-was-found", "/what-was-found/releases", "/mark", "/j", "/receipt"]
    api = ["/api/v1/places", "/api/v1/releases", "/api/v1/releases/current", "/api/v1/releases/current/table.csv"]
    todo, seen = [story.url + path for path in (*start, *api)], set[str]()
    longitude, latitude = at(*HERE)
    secret = (
        *SECRET,
        CLUB,
        ROOM_PHONE,
        f"{longitude:.4f}",
        f"{latitude:.4f}",
        *(str(row.id) for row in story.places()),
    )
    with httpx2.Client(timeout=60) as public:
        while todo:
            url = todo.pop()
            if url in seen or not url.startswith(story.url) or "/static/" in url:
                continue
            seen.add(url)
            answer = public.get(url, follow_redirects=False)
            assert answer.status_code < 500, url
            assert [word for word in secret if word in answer.text] == [], url
            if "html" in answer.headers.get("content-type", ""):
                todo += [urljoin(url, link.replace("&amp;", "&")) for link in HREF.findall(answer.text)]
    assert len(seen) > 30  # it did go round


def nothing_private_is_in_the_log(story: Story) -> None:
    log = story.server.log.read_text()
    longitude, latitude = at(*HERE)
    receipts = [to_secret(words) for words in story.receipts]
    words = [words[:30] for words in story.receipts]
    code = [story.code, story.code.replace(" ", "-")]
    private = [*SECRET, *receipts, *words, *code, f"{longitude:.4f}", f"{latitude:.4f}", PASSWORD, LEAD_MAIL]
    assert [one for one in private if one in log] == []
