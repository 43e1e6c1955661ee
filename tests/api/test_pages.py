"""Pages as HTML: frame, rights, forms without script, what the public may not see, empty and error states."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import segno
from fastapi.testclient import TestClient

from geo import crs
from service.app import create_app
from service.areas.workflow import area_index, default_set, load_bundled
from service.core import Core
from service.names.workflow import import_names
from service.people.access import DEMO
from service.places import workflow as places
from service.settings import Settings
from tests.conftest import bearer
from tests.support.site import NAMES
from tests.support.staff import enrol, sign_in

HTML = {"Accept": "text/html"}
PLAIN = ["/", "/run-a-workshop", "/accessibility", "/privacy", "/about-data", "/sign-in", "/receipt"]
WITH_BOUNDARIES = ["/mark", "/mark/list", "/wards", "/wards/wards-2002", "/wards/wards-2022/E05013714"]


def fill(core: Core) -> None:
    load_bundled(core)
    import_names(core, NAMES, is_sample=core.is_demo)


@pytest.fixture
def demo(demo_client: TestClient) -> TestClient:
    fill(demo_client.app.state.core)  # type: ignore[attr-defined]
    return demo_client


@pytest.fixture
def real(make_settings: Callable[..., Settings]) -> Any:
    """A real deployment whose boundaries are said to be exact enough."""
    with TestClient(create_app(make_settings("real", exact_resolution_m=500.0))) as client:
        fill(client.app.state.core)  # type: ignore[attr-defined]
        yield client


def get(client: TestClient, path: str, **headers: str) -> str:
    answer = client.get(path, headers=HTML | headers)
    assert answer.status_code == 200, answer.text
    return answer.text


def marks(client: TestClient) -> int:
    core: Core = client.app.state.core  # type: ignore[attr-defined]
    return len(places.list_places(core, DEMO, places.PlaceFilter(), limit=1000)[0])


@pytest.mark.requirement("A4", "X1", "X8")
@pytest.mark.parametrize("path", [*PLAIN, *WITH_BOUNDARIES])
def test_every_page_has_its_frame_and_a_strict_policy(demo: TestClient, path: str) -> None:
    answer = demo.get(path, headers=HTML)
    html = answer.text
    assert answer.status_code == 200
    assert '<html lang="en-GB">' in html
    assert re.search(r"<title>[^<]{10,}</title>", html)
    assert 'class="skip" href="#main"' in html
    assert 'id="main"' in html
    assert len(re.findall(r"<h1[ >]", html)) == 1
    assert "Sample data." in html
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    nonce = re.search(r"script-src 'self' 'nonce-([^']+)'", policy)
    assert nonce is not None
    for script in re.findall(r"<script[^>]*>", html):
        assert f'nonce="{nonce[1]}"' in script
    assert not re.search(r"<[^>]+\s(style|on[a-z]+)=", html)


@pytest.mark.requirement("C6")
@pytest.mark.parametrize("path", [*PLAIN, *WITH_BOUNDARIES])
def test_no_page_loads_anything_from_another_host(demo: TestClient, path: str) -> None:
    html = get(demo, path)
    loaded = re.findall(r'<(?:script|img|iframe|link|use|source)[^>]+(?:src|href)="([^"]+)"', html)
    assert loaded
    assert not [url for url in loaded if urlsplit(url).netloc]


@pytest.mark.requirement("C4")
@pytest.mark.parametrize("path", ["/mark", "/mark/list"])
def test_nothing_is_chosen_beforehand(demo: TestClient, path: str) -> None:
    html = get(demo, path)
    sheet = html[html.index("<form") : html.rindex("</form>")]
    assert not re.search(r"\s(checked|selected)[\s>=]", sheet)


def test_real_deployment_has_no_sample_banner_and_offers_sign_in(real: TestClient) -> None:
    html = get(real, "/")
    assert "Sample data." not in html
    assert 'href="/sign-in"' in html
    assert "Test council" in html


@pytest.mark.requirement("X2")
@pytest.mark.parametrize("path", ["/mark", "/mark/list"])
def test_public_of_a_real_deployment_reads_that_marking_opens_in_a_workshop(real: TestClient, path: str) -> None:
    html = get(real, path)
    assert "Marking opens in a workshop" in html
    assert "<form" not in html


@pytest.mark.requirement("X2")
def test_public_of_a_real_deployment_cannot_send_the_form(real: TestClient) -> None:
    answer = real.post("/mark/list", data={"action": "send"}, headers=HTML)
    assert answer.status_code == 401
    assert "Please sign in" in answer.text


@pytest.mark.requirement("S2")
def test_real_deployment_asks_staff_for_no_words(real: TestClient) -> None:
    html = get(real, "/mark", **bearer("youth_worker"))
    assert "<textarea" not in html
    assert "How many people say this?" in html


def test_demo_asks_for_words(demo: TestClient) -> None:
    html = get(demo, "/mark")
    assert html.count("<textarea") == 2
    assert "This is a demo." in html


def test_staff_sign_in_and_out_by_page(real: TestClient) -> None:
    ours = HTML | {"Origin": "http://testserver"}
    who = enrol(real.app.state.core, "youth_worker")  # type: ignore[attr-defined]
    wrong = sign_in(real, who, password="not this one")
    assert wrong.status_code == 401
    assert 'role="alert"' in wrong.text
    assert sign_in(real, who).status_code == 303
    assert "Sign out" in get(real, "/")
    assert "Where is it?" in get(real, "/mark")
    real.post("/sign-out", headers=ours)
    assert "Marking opens in a workshop" in get(real, "/mark")


def step(client: TestClient, **data: Any) -> Any:
    return client.post("/mark/list", data=data, headers=HTML)


def test_form_marks_a_ward_as_an_area_and_not_as_a_point(demo: TestClient) -> None:
    view = default_set(demo.app.state.core)  # type: ignore[attr-defined]
    place = f"in|{view.name}|E05013714|Bellingham"
    second = step(demo, action="next", place=place, feeling="safe")
    assert second.status_code == 200
    assert "Somewhere in Bellingham" in second.text
    ids = dict(re.findall(r'name="(id|receipt)" value="([^"]+)"', second.text))
    sent = step(demo, action="send", place=place, feeling="safe", times=["night"], reasons=["friends"], **ids)
    assert sent.status_code == 201
    core: Core = demo.app.state.core  # type: ignore[attr-defined]
    (made,), _ = places.list_places(core, DEMO, places.PlaceFilter(), limit=10)
    assert made["properties"]["kind"] == "area"
    shares = {row["area_gss"]: row["share"] for row in made["properties"]["areas"] if row["set"] == view.name}
    assert shares["E05013714"] > 0.97


def test_form_sent_twice_is_stored_once(demo: TestClient) -> None:
    data = {"action": "send", "place": "at|-0.0213|51.4571|Ladywell", "feeling": "unsafe", "id": str(uuid.uuid4())}
    first, second = (step(demo, **data, receipt="AbCdEfGhIjKlMnOpQrStUw") for _ in range(2))
    assert first.status_code == second.status_code == 201
    assert marks(demo) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"place": ""}, "Choose a place"),
        ({"place": "at|x|y|z"}, "Choose a place"),
        ({"place": "in|wards-2022|E99999999|Nowhere"}, "Choose a place"),
        ({"place": "in|nothing|E05013714|Nowhere"}, "Choose a place"),
        ({"feeling": ""}, "Say how it feels"),
        ({"feeling": "awful"}, "Say how it feels"),
        ({"reasons": ["friends"]}, "does not fit"),
        ({"reasons": ["no-such"]}, "no such reason"),
        ({"place": "at|-0.4|51.7|Far away"}, "outside the borough"),
        ({"people": "many"}, "as a number"),
        ({"id": "not-an-id"}, "Start again"),
        ({"note": "x" * 501}, "at most 500"),
    ],
)
def test_form_says_what_to_put_right_and_keeps_the_answers(
    demo: TestClient, change: dict[str, Any], words: str
) -> None:
    data = {"action": "send", "place": "at|-0.0213|51.4571|Ladywell", "feeling": "unsafe", "id": str(uuid.uuid4())}
    answer = step(demo, **(data | {"note": "under the bridge"} | change))
    assert answer.status_code == 422
    alert = re.search(r'role="alert"[^>]*>([^<]+)<', answer.text)
    assert alert is not None
    assert words in alert[1]
    assert "note" in change or "under the bridge" in answer.text
    assert marks(demo) == 0


def test_form_back_keeps_what_was_chosen(demo: TestClient) -> None:
    data = {"place": "at|-0.0213|51.4571|Ladywell", "feeling": "unsafe", "times": ["night"], "note": "dark path"}
    first = step(demo, action="back", **data).text
    assert 'name="times" value="night"' in first
    assert "dark path" in first
    assert re.search(r'value="unsafe"[^>]* checked', first)


@pytest.mark.requirement("X1")
def test_what_is_typed_comes_back_as_text_only(demo: TestClient) -> None:
    nasty = '"><script>alert(1)</script>`${1}`{{ 7 * 7 }}'
    for data in ({"action": "search", "find": nasty[:80]}, {"action": "next", "place": f"at|-0.02|51.45|{nasty}"}):
        html = step(demo, feeling="safe", note=nasty, **data).text
        assert "<script>alert" not in html
        assert "{{ 7 * 7 }}" in html
        assert "&lt;script&gt;" in html


@pytest.mark.requirement("C7")
def test_receipt_page_shows_corrects_and_takes_back(demo: TestClient) -> None:
    data = {"action": "send", "place": "at|-0.0213|51.4571|Ladywell", "feeling": "unsafe", "id": str(uuid.uuid4())}
    words = re.search(r'receipt-words"[^>]*>([^<]+)<', step(demo, **data, note="by the gate").text)
    assert words is not None

    def use(**more: Any) -> str:
        answer = demo.post("/receipt", data={"receipt": words[1], **more}, headers=HTML)
        assert answer.status_code == 200, answer.text
        return str(answer.text)

    shown = use(action="look")
    assert "It is waiting." in shown
    assert "by the gate" not in shown  # the receipt never shows the words
    assert "Feels safe" in use(action="correct", feeling="safe")
    assert "Take back your mark?" in use(action="take-back")
    assert marks(demo) == 1
    assert "Taken back." in use(action="take-back-now")
    assert marks(demo) == 0
    assert "Take it back" not in use(action="look")


def test_unknown_receipt_is_said_in_plain_words(demo: TestClient) -> None:
    answer = demo.post("/receipt", data={"receipt": "A" * 22, "action": "look"}, headers=HTML)
    assert answer.status_code == 404
    assert "This receipt is not known." in answer.text


@pytest.mark.requirement("X4")
def test_qr_code_holds_the_receipt_in_the_fragment(demo: TestClient) -> None:
    answer = demo.post("/receipt/qr", json={"receipt": "AbCdEfGhIjKlMnOpQrStUw"})
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["cache-control"] == "no-store"
    wanted = segno.make_qr("http://testserver/receipt#AbCdEfGhIjKlMnOpQrStUw", error="m")
    assert (
        wanted.svg_inline(scale=4, border=2, dark="#000", light="#fff").split("<path")[2].split('"')[5] in answer.text
    )


@pytest.mark.requirement("X2")
def test_public_ward_page_of_a_real_deployment_holds_no_marks(real: TestClient) -> None:
    html = get(real, "/wards/wards-2022/E05013714")
    assert "Not published yet" in html
    assert "Hot spots in or near it" not in html
    assert "People who marked" not in get(real, "/wards")
    assert "People who marked" in get(real, "/wards", **bearer("planner"))
    assert "No approved marks yet" in get(real, "/wards/wards-2022/E05013714", **bearer("planner"))
    assert "Not published yet" in get(real, "/wards/wards-2022/E05013714", **bearer("admin"))  # admins see no marks


@pytest.mark.requirement("P7", "P9")
def test_ward_page_says_that_boundaries_are_approximate_and_where_they_come_from(demo: TestClient) -> None:
    html = get(demo, "/wards/wards-2022/E05013714")
    assert "Approximate boundaries" in html
    assert "Open Government Licence" in html
    assert "No police data is here yet." in html


@pytest.mark.parametrize(
    "path", ["/wards/wards-2022/E00000000", "/wards/nothing", "/nothing", "/wards/nothing/E05013714"]
)
def test_missing_page_helps_to_go_on(demo: TestClient, path: str) -> None:
    answer = demo.get(path, headers=HTML)
    assert answer.status_code == 404
    assert 'href="/wards"' in answer.text
    assert "traceback" not in answer.text.lower()


@pytest.mark.parametrize("path", PLAIN)
def test_pages_open_in_an_empty_real_deployment(real_client: TestClient, path: str) -> None:
    get(real_client, path)


@pytest.mark.parametrize("path", ["/maps", "/maps/wards", "/maps/download", "/wards", "/mark", "/mark/list"])
def test_store_without_boundaries_says_what_to_do_first(real_client: TestClient, path: str) -> None:
    answer = real_client.get(path, headers=HTML | bearer("youth_worker"))
    assert answer.status_code == 200
    assert "safer-places boundaries import" in answer.text


def test_program_hears_that_nothing_is_set_up(real_client: TestClient) -> None:
    answer = real_client.get("/api/v1/crimes/summary")
    assert (answer.status_code, answer.json()["code"]) == (503, "not-set-up")


def test_no_address_is_made_from_what_the_caller_says_the_host_is(real_client: TestClient) -> None:
    answer = real_client.get("/wards/", headers={"Host": "evil.example"}, follow_redirects=False)
    assert answer.status_code == 404
    assert "evil.example" not in answer.text


def test_demo_says_who_reads_a_mark_and_that_crimes_are_made_up(demo: TestClient, real: TestClient) -> None:
    worker = bearer("youth_worker")
    for path in ("/mark", "/mark/list"):
        html = get(demo, path)
        assert "anyone can read it" in html
        assert "No one else sees your mark" not in html
        assert "No one else sees your mark" in get(real, path, **worker)
    assert "Crime reported to the police: data.police.uk." not in get(demo, "/")
    assert "in the layout of data.police.uk" in get(demo, "/")
    assert "Crime reported to the police: data.police.uk." in get(real, "/")
    assert "published only in releases" in get(demo, "/about-data")


def test_person_without_a_sign_in_reads_no_words_for_programs(real: TestClient) -> None:
    answer = real.get("/maps/places", headers=HTML)
    assert answer.status_code == 401
    assert "Bearer" not in answer.text
    assert "Sign in to see it" in answer.text
    assert "Bearer" in real.get("/maps/places").json()["detail"]


def test_who_sees_approved_marks_only_is_not_told_that_nobody_marked(real: TestClient) -> None:
    lon, lat = -0.02, 51.455
    mark = {
        "type": "Feature",
        "id": str(uuid.uuid4()),
        "geometry": {"type": "Point", "coordinates": [lon, lat]},
        "properties": {"feeling": "unsafe"},
    }
    path = f"/wards/wards-2022/{_ward_at(real, lon, lat)}"
    assert "Nobody has marked here yet" in get(real, path, **bearer("moderator"))
    assert real.post("/api/v1/places", json=mark, headers=bearer("youth_worker")).status_code == 201
    assert "Nobody has marked here yet" not in get(real, path, **bearer("moderator"))
    planner = get(real, path, **bearer("planner"))
    assert "No approved marks yet" in planner
    assert "Nobody has marked" not in planner
    assert "0 so far" not in planner
    assert "No approved marks yet" in get(real, "/maps/places", **bearer("planner"))


def _ward_at(client: TestClient, lon: float, lat: float) -> str:
    core: Core = client.app.state.core  # type: ignore[attr-defined]
    index = area_index(core, "wards-2022")
    x, y = crs.to_metric_xy(np.array([lon]), np.array([lat]))
    return str(index.codes[index.lookup(x, y)[0]])


def test_list_can_be_left_where_scripts_are_off(demo: TestClient) -> None:
    found = re.search(r"<noscript><a[^>]*>.*?</a></noscript>", get(demo, "/mark/list"), re.DOTALL)
    assert found is not None
    assert 'rel="noreferrer"' in found[0]
    assert "Exit this page" in found[0]


def test_set_that_is_only_drawn_says_so_and_offers_no_numbers(demo: TestClient) -> None:
    for path in ("/wards/lsoa-2011/E01003274", "/wards/lsoa-2011", "/maps/wards?set=lsoa-2011", "/maps?set=lsoa-2011"):
        html = get(demo, path)
        assert "drawn only" in html.lower(), path
        for never in ("look again in a minute", "being joined", "Not published yet", "Staff can", "Shade by"):
            assert never not in html, (path, never)
    assert "Shade by" in get(demo, "/maps/wards")
    answer = demo.get("/api/v1/crimes/summary", params={"set": "lsoa-2011"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "set")
    assert "drawn only" in answer.json()["detail"]
