"""A workshop with bad Wi-Fi: the page opens with no network, marks wait sealed and arrive once, nothing is readable."""

from __future__ import annotations

import base64
import json
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import geopandas
import httpx2
import pytest
import shapely
from sqlalchemy import select

from service.core import Core, open_core
from service.names.reading import SHORT, fold
from service.places.models import Place
from service.places.receipt_words import to_secret
from service.settings import Settings
from service.workshops.models import Seat, Workshop
from service.workshops.sealing import open_sealed
from tests.conftest import Server, add_staff, running_server
from tests.support.offline import LISTEN, Device, files_with, forms, number_forms
from tests.support.site import NetworkLog, axe_violations, make_demo
from tests.support.workshops import close_window, put_on_duty, set_up

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
NOTE = "behind the blue bins it is very dark"


class Room:
    """A running workshop: its server, its store, its code."""

    def __init__(self, server: Server, core: Core) -> None:
        self.server = server
        self.core = core
        put_on_duty(core)
        self.workshop, self.code = set_up(core, takes_words=True, title="Ladywell club")

    def places(self) -> list[Place]:
        with self.core.store.read() as session:
            query = select(Place).join(Workshop, Place.workshop_id == Workshop.id)
            return list(session.scalars(query.where(Workshop.uuid == self.workshop).order_by(Place.seq)))

    def seats(self) -> list[Seat]:
        with self.core.store.read() as session:
            query = select(Seat).join(Workshop, Seat.workshop_id == Workshop.id)
            return list(session.scalars(query.where(Workshop.uuid == self.workshop)))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Core]]:
    folder = tmp_path_factory.mktemp("offline")
    make_demo(folder)
    add_staff(Settings(data_dir=folder))
    core = open_core(Settings(data_dir=folder))
    with running_server(folder, {"SAFER_PLACES_WORKER": "false"}) as server:
        server.port = int(server.url.rpartition(":")[2])  # the same again after it was killed
        yield server, core
    core.store.close()


@pytest.fixture
def room(site: tuple[Server, Core]) -> Room:
    return Room(*site)


@pytest.fixture
def phone(browser: Any, tmp_path: Path) -> Iterator[Device]:
    made = Device(browser.browser_type, tmp_path / "profile")
    yield made
    made.close()


def until(page: Any, condition: Any) -> None:
    """Wait, with the browser going on, until something holds."""
    for _ in range(600):
        if condition():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not come true within a minute")


@pytest.mark.requirement("X7", "C6", "S1", "L7")
def test_three_marks_survive_everything_and_arrive_once(room: Room, phone: Device) -> None:
    page = phone.open()
    network = NetworkLog(page)
    phone.join(room.server.url, room.code)
    page.get_by_text("We cannot keep a secret.").wait_for()  # S1: said before the first question, offline too
    phone.context.set_offline(True)
    phone.button("Start")
    receipts = []
    for across in (0.4, 0.5, 0.6):
        phone.mark(across=across, note=NOTE)
        receipts.append(phone.kept())
        phone.button("Mark another place")
    assert len(set(receipts)) == 3
    made = [row["id"] for row in phone.dump()["marks"]]

    page.reload()
    page.get_by_text("We cannot keep a secret.").wait_for()
    page.get_by_text("3 not sent yet").first.wait_for()
    phone.close()
    page = phone.open(offline=True)
    page.goto(f"{room.server.url}/j/mark")
    page.get_by_text("3 not sent yet").first.wait_for()
    assert not room.places()

    close_window(room.core, room.workshop)
    bodies = _lose_the_first_answer(room, phone)
    page.get_by_role("button", name="Clear this device").wait_for()
    until(page, lambda: not phone.dump()["marks"])
    assert len(bodies) >= 2  # the first answer never came
    assert [str(row.id) for row in room.places()] == made
    assert [row.note for row in room.places()] == [NOTE] * 3
    until(page, lambda: sum(seat.unsent for seat in room.seats()) == 0)

    take_back = {"receipt": receipts[1]}
    assert httpx2.post(f"{room.server.url}/api/v1/receipts/withdraw", json=take_back, timeout=30).status_code == 200
    again = httpx2.post(f"{room.server.url}/api/v1/sealed", json=json.loads(bodies[0]), timeout=30).json()
    assert [one["outcome"] for one in again["marks"]] == ["already", "gone", "already"]
    assert [row.status for row in room.places()] == ["pending", "withdrawn", "pending"]
    assert network.hosts == {room.server.url.removeprefix("http://")}


def _lose_the_first_answer(room: Room, phone: Device) -> list[str]:
    """Let the network come back, and kill the server as soon as it has stored something; then start it again."""
    bodies: list[str] = []

    def cut(route: Any) -> None:
        bodies.append(route.request.post_data)
        if len(bodies) > 1:
            route.continue_()
            return
        thread = threading.Thread(target=_post, args=(route.request.url, bodies[0]))
        thread.start()
        while not room.places():
            thread.join(0.002)
        room.server.kill()
        thread.join()
        route.abort()
        room.server.start()

    phone.page.route("**/api/v1/sealed", cut)
    phone.context.set_offline(False)
    until(phone.page, lambda: len(bodies) > 1)
    return bodies


def _post(url: str, body: str) -> None:
    try:
        httpx2.post(url, content=body, headers={"Content-Type": "application/json"}, timeout=30)
    except httpx2.HTTPError:
        return  # the server was killed under it


@pytest.mark.requirement("X7")
def test_storage_of_the_device_holds_ciphertext_only(room: Room, phone: Device) -> None:
    page = phone.open()
    page.add_init_script(LISTEN)
    phone.join(room.server.url, room.code)
    token = next(one["value"] for one in phone.context.cookies() if one["name"] == "seat")
    phone.context.set_offline(True)
    phone.button("Start")
    page.get_by_label("Search for a street or a place").fill("catford")
    page.get_by_role("button", name="Search").tap()
    page.locator("#found button").first.tap()
    phone.mark(note=NOTE)
    words = phone.kept()
    (plain,) = [json.loads(text) for text in page.evaluate("window.plain")]
    phone.button("Mark another place")
    page.reload()
    page.get_by_text("1 not sent yet").first.wait_for()
    kept = phone.dump()
    phone.close()

    feature = plain["mark"]
    assert to_secret(words) == feature["receipt"]
    assert feature["properties"]["note"] == NOTE
    longitude, latitude = feature["geometry"]["coordinates"]
    (row,) = kept["marks"]
    assert set(row) == {"order", "id", "workshop", "seat", "sealed", "state", "code"}
    # the search sees what is there: the id and the envelope are found
    assert files_with(phone.profile, forms(row["id"]))
    assert files_with(phone.profile, forms(row["sealed"][:40]))
    secrets = {
        "note": forms(NOTE) + forms("blue bins"),
        "receipt": forms(feature["receipt"]) + forms(" ".join(words.split()[:3])),
        "position": number_forms(longitude) + number_forms(latitude),
        "feeling": forms('"feeling":"unsafe"') + forms('feeling"\x06unsafe'),
        "person": forms(feature["properties"]["contributor_key"]),
        "seat token": forms(token),
        "code": forms(room.code),
        "title": forms("Ladywell club"),
    }
    assert {name: found for name, wanted in secrets.items() if (found := files_with(phone.profile, wanted))} == {}
    # and the server opens the very envelope that lay there
    with room.core.store.read() as session:
        key = session.scalars(select(Workshop.private_key_sealed).where(Workshop.uuid == room.workshop)).one()
    assert key is not None
    opened = json.loads(open_sealed(room.core, key, uuid.UUID(row["id"]), row["sealed"]))
    assert opened == plain


@pytest.mark.requirement("X7", "X8")
def test_kept_page_holds_no_secret_and_no_answer_of_the_api(room: Room, phone: Device) -> None:
    page = phone.open()
    phone.join(room.server.url, room.code)
    token = next(one["value"] for one in phone.context.cookies() if one["name"] == "seat")
    kept = page.evaluate(
        """async () => {
          const found = {};
          for (const name of await caches.keys()) {
            const cache = await caches.open(name);
            for (const request of await cache.keys()) found[request.url] = await (await cache.match(request)).text();
          }
          return found;
        }"""
    )
    paths = {url.removeprefix(room.server.url) for url in kept}
    assert {path.split("/")[1:3] == ["j", "app"] for path in paths} == {True}
    everything = "".join(kept.values())
    for secret in (token, room.code, "Ladywell club", str(room.workshop)):
        assert secret not in everything
    page.goto(f"{room.server.url}/j/mark")
    phone.context.set_offline(True)
    answer = page.reload()
    assert "nonce" not in answer.headers["content-security-policy"]
    log = NetworkLog(page)
    phone.button("Start")
    page.locator("#mark-map .leaflet-container path").first.wait_for()
    assert [error for error in log.errors if "Content Security Policy" in error] == []


@pytest.mark.requirement("X7", "A3")
def test_refused_mark_is_kept_until_an_adult_wipes_it(room: Room, phone: Device) -> None:
    page = phone.open()
    phone.join(room.server.url, room.code)
    phone.context.set_offline(True)
    phone.button("Start")
    page.evaluate("window.saferPlaces.map.setView([51.7, 0.4], 16, { animate: false })")
    phone.mark()
    phone.kept()
    page.reload()
    phone.context.set_offline(False)
    page.get_by_text("Not sent: tell an adult. 1 mark.").wait_for()
    assert axe_violations(page) == []
    until(page, lambda: [seat.unsent for seat in room.seats()] == [1])
    page.reload()
    page.get_by_text("Not sent: tell an adult. 1 mark.").wait_for()

    page.get_by_role("button", name="Clear this device").tap()
    page.get_by_role("heading", name="1 mark on this device is not sent").wait_for()
    assert page.get_by_role("button", name="Wipe 1 mark for good").is_disabled()
    assert axe_violations(page) == []
    page.get_by_role("button", name="Keep them").tap()
    assert len(phone.dump()["marks"]) == 1
    page.get_by_role("button", name="Clear this device").tap()
    page.get_by_text("I am the adult who runs this session.").tap()
    page.get_by_role("button", name="Wipe 1 mark for good").tap()
    page.get_by_text("This device is clear.").wait_for()
    assert phone.dump() == {"marks": [], "seats": []}
    until(page, lambda: [seat.unsent for seat in room.seats()] == [0])
    assert not room.places()


@pytest.mark.requirement("X7")
def test_refused_mark_on_the_screen_is_corrected_and_leaves_nothing_behind(room: Room, phone: Device) -> None:
    page = phone.open()
    phone.join(room.server.url, room.code)
    phone.button("Start")
    page.evaluate("window.saferPlaces.map.setView([51.7, 0.4], 16, { animate: false })")
    phone.mark()
    page.get_by_role("alert").filter(has_text="outside").wait_for()
    page.evaluate("window.saferPlaces.map.setView([51.45, -0.02], 16, { animate: false })")
    phone.tap()
    for name in ("Next", "Next", "Next", "Skip", "Send"):  # the answers are still there
        phone.button(name)
    page.get_by_role("heading", name="Sent. Thank you.").wait_for()
    until(page, lambda: not phone.dump()["marks"])
    assert len(room.places()) == 1


@pytest.mark.requirement("X7")
def test_expiry_stops_new_marks_and_wipes_none(room: Room, phone: Device) -> None:
    page = phone.open()
    phone.join(room.server.url, room.code)
    phone.context.set_offline(True)
    phone.button("Start")
    phone.mark()
    phone.kept()
    page.clock.install()
    page.clock.fast_forward("03:00:00")
    page.reload()
    page.get_by_text("Not sent: tell an adult. 1 mark.").wait_for()
    page.get_by_text("This workshop is over.").first.wait_for()
    assert page.get_by_role("button", name="Start").count() == 0
    assert axe_violations(page) == []
    close_window(room.core, room.workshop)
    phone.context.set_offline(False)
    page.goto(f"{room.server.url}/j/mark")
    page.get_by_role("heading", name="This workshop is over").wait_for()
    until(page, lambda: len(room.places()) == 1)
    page.get_by_text("Nothing waits on this device.").wait_for()
    assert axe_violations(page) == []


@pytest.mark.requirement("X7")
def test_device_learns_that_its_workshop_was_ended(room: Room, phone: Device) -> None:
    page = phone.open()
    phone.join(room.server.url, room.code)
    close_window(room.core, room.workshop)
    phone.button("Start")  # the page was loaded before
    phone.mark()
    page.get_by_role("heading", name="Not sent", exact=True).wait_for()
    page.get_by_text("This workshop is over. It takes no new marks.").last.wait_for()
    assert not room.places()
    assert not phone.dump()["marks"]


@pytest.mark.requirement("X7")
def test_without_https_the_page_works_online_as_before(room: Room, phone: Device) -> None:
    port = room.server.url.rpartition(":")[2]
    page = phone.open(args=["--host-resolver-rules=MAP plain.test 127.0.0.1"])
    url = f"http://plain.test:{port}"
    page.goto(f"{url}/j")
    page.get_by_label("Type the code").fill(room.code)
    page.get_by_role("button", name="Join").tap()
    page.wait_for_url("**/j/mark")
    assert page.evaluate("window.isSecureContext") is False
    assert page.locator("#device").is_hidden()
    phone.button("Start")
    phone.mark(note=NOTE)
    page.get_by_role("heading", name="Sent. Thank you.").wait_for()
    assert len(room.places()) == 1


def test_search_of_the_device_reads_names_as_the_server_does(room: Room, phone: Device) -> None:
    page = phone.open()
    phone.join(room.server.url, room.code)
    typed = ["St. Mary's  Rd", "Gdns", "  ÉCOLE", "Straße", "a-b_c", "Hilly Fields!", "’"]
    folded = page.evaluate(
        """async ([typed, short]) => {
          const app = JSON.parse(document.getElementById("flow").dataset.way).sealed.app;
          const { fold } = await import(app + "/js/mark/carried.js");
          return typed.map((text) => fold(text, short));
        }""",
        [typed, SHORT],
    )
    assert folded == [fold(text) for text in typed]


@pytest.mark.requirement("A3", "A4")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_offline_states_pass_axe(room: Room, phone: Device, scheme: str) -> None:
    page = phone.open()
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    phone.join(room.server.url, room.code)
    phone.context.set_offline(True)
    page.reload()
    page.get_by_text("No network. You can go on.").wait_for()
    found = {"intro": axe_violations(page)}
    phone.button("Start")
    phone.mark()
    phone.kept()
    found["kept"] = axe_violations(page)
    page.reload()
    page.get_by_role("button", name="Clear this device").tap()
    page.get_by_role("heading", name="1 mark on this device is not sent").wait_for()
    found["clear"] = axe_violations(page)
    assert {state: problems for state, problems in found.items() if problems} == {}


class _Tiles(BaseHTTPRequestHandler):
    """A tile service that gives one picture for every tile."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.end_headers()
        self.wfile.write(PIXEL)

    def log_message(self, *_: Any) -> None:
        """Stay quiet."""


@pytest.fixture(params=["pmtiles", "raster"])
def streets(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Give the setting of a ground map of either kind."""
    if request.param == "pmtiles":
        roads = geopandas.GeoDataFrame(
            {"name": ["Long Road"], "kind": ["minor_road"]},
            geometry=[shapely.LineString([(-0.06, 51.43), (0.02, 51.48)])],
            crs="EPSG:4326",
        )
        file, zooms = tmp_path / "streets.pmtiles", {"MINZOOM": "10", "MAXZOOM": "14"}
        roads.to_file(file, layer="roads", driver="PMTiles", engine="pyogrio", dataset_options=zooms)
        yield {"SAFER_PLACES_BASEMAP_PMTILES": str(file)}
        return
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Tiles)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {"SAFER_PLACES_TILE_URL": f"http://127.0.0.1:{server.server_address[1]}/{{z}}/{{x}}/{{y}}.png"}
    server.shutdown()
    server.server_close()


GROUND = "caches.open('ground').then((cache) => cache.keys()).then((all) => all.map((one) => one.url))"


@pytest.mark.requirement("X7", "C6")
def test_streets_of_the_area_are_there_without_a_network(
    streets: dict[str, str], phone: Device, tmp_path: Path
) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    make_demo(folder)
    add_staff(Settings(data_dir=folder))
    core = open_core(Settings(data_dir=folder))
    with running_server(folder, {"SAFER_PLACES_WORKER": "false"} | streets) as server:
        room = Room(server, core)
        page = phone.open()
        phone.join(server.url, room.code)
        until(page, lambda: any("kept" in url for url in page.evaluate(GROUND)))
        kept = [url for url in page.evaluate(GROUND) if "maps-ground-kept" not in url]
        assert 0 < len(kept) <= 200
        phone.context.set_offline(True)
        page.reload()
        asked: list[tuple[int, str]] = []
        page.on("response", lambda answer: asked.append((answer.status, answer.url)))
        phone.button("Start")
        until(page, lambda: [status for status, url in asked if "/maps/ground/" in url])
        assert {status for status, url in asked if "/maps/ground/" in url} <= {200, 206}
    core.store.close()
