"""Every page of a filled demo in a real browser: axe, our own host only, nothing too wide, two printed pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import update

from service.areas.models import Area, BoundarySet
from service.core import initialise, open_core
from service.demo.workflow import Size, fill
from service.settings import Settings
from tests.conftest import Server, running_server
from tests.support.site import NetworkLog, axe_violations, make_demo

TODAY = date(2026, 11, 23)
PAGES = [
    "/",
    "/run-a-workshop",
    "/about-data",
    "/privacy",
    "/accessibility",
    "/sign-in",
    "/mark/list",
    "/receipt",
    "/wards",
    "/wards/wards-2022/E05013714",
    "/wards/wards-2002",
    "/nothing-here",
    "/maps",
    "/maps/wards",
    "/maps/places",
    "/maps/hotspots",
    "/maps/density",
    "/maps/venues",
    "/maps/wards?embed=1",
]
LOOKS = [(width, scheme) for width in (390, 1440) for scheme in ("light", "dark")]
pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("filled")
    settings = Settings(data_dir=folder, worker=False)
    initialise(settings, "demo")
    core = open_core(settings)
    assert fill(core, Size(marks=120, months=24), today=TODAY, tell=lambda _: None) == 0
    core.store.close()
    with running_server(folder, {"SAFER_PLACES_WORKER": "false"}) as server:
        yield server


@pytest.fixture(scope="module", params=LOOKS, ids=lambda look: f"{look[0]}-{look[1]}")
def context(request: pytest.FixtureRequest, browser: Any) -> Iterator[Any]:
    width, scheme = request.param
    made = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce")
    yield made
    made.close()


@pytest.mark.requirement("A3", "A4", "C6")
@pytest.mark.parametrize("path", PAGES)
def test_page_passes_axe_asks_no_other_host_and_fits(site: Server, context: Any, path: str) -> None:
    page = context.new_page()
    log = NetworkLog(page)
    page.goto(site.url + path, wait_until="networkidle")
    assert axe_violations(page) == []
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{wide} px wider than the screen"
    assert log.hosts == {site.url.removeprefix("http://")}
    errors = [text for text in log.errors if not (path == "/nothing-here" and "404" in text)]
    assert errors == []
    page.close()


@pytest.mark.requirement("A3")
def test_forms_pass_axe_after_each_step(site: Server, context: Any) -> None:
    page = context.new_page()
    page.goto(f"{site.url}/mark/list")
    page.get_by_role("button", name="Next").click()
    assert page.locator("input:invalid, [role=alert]").count()
    page.get_by_text("Unsafe", exact=True).click()
    page.get_by_role("button", name="Next").click()
    page.get_by_role("alert").filter(has_text="Choose a place").wait_for()
    assert axe_violations(page) == []
    page.get_by_label("Or choose from a list").select_option(label="Blackheath")
    page.get_by_role("button", name="Next").click()
    page.get_by_role("heading", name="When and why?").wait_for()
    assert axe_violations(page) == []
    page.get_by_role("button", name="Send").click()
    page.get_by_role("heading", name="Sent. Thank you.").wait_for()
    assert axe_violations(page) == []
    words = page.locator(".receipt-words").inner_text()
    page.goto(f"{site.url}/receipt")
    page.get_by_label("Your words or code").fill(words)
    page.get_by_role("button", name="Show my mark").click()
    for summary in page.locator("summary").all():
        summary.click()
    assert axe_violations(page) == []
    page.get_by_role("button", name="Take it back").click()
    assert axe_violations(page) == []
    page.get_by_role("button", name="Yes, take it back").click()
    page.get_by_text("Taken back.").wait_for()
    page.close()


def test_ward_page_prints_on_two_pages(site: Server, browser: Any) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{site.url}/wards")
    wards = page.locator("tbody th a").evaluate_all("links => links.map((link) => link.href)")
    assert len(wards) == 19
    for ward in wards:
        page.goto(ward)
        printed = page.pdf(format="A4", print_background=True)
        assert 1 <= len(re.findall(rb"/Type\s*/Page\b(?!s)", printed)) <= 2, ward
    page.close()


@pytest.mark.parametrize("width", [390, 1440])
def test_legend_of_the_map_in_a_ward_page_is_whole(site: Server, browser: Any, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(f"{site.url}/wards/wards-2022/E05013714")
    page.locator("iframe").scroll_into_view_if_needed()
    page.frame_locator("iframe").locator("html.sp-ready").wait_for(state="attached")
    frame = next(one for one in page.frames if "embed=1" in one.url)
    legend = frame.locator(".sp-legends")
    box = legend.evaluate(
        "node => { const b = node.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; }"
    )
    wide, high = frame.evaluate("[window.innerWidth, window.innerHeight]")
    assert box[0] >= 0
    assert box[1] >= 0
    assert box[2] <= wide
    assert box[3] <= high
    assert legend.evaluate("node => node.scrollHeight <= node.clientHeight")
    assert frame.locator(".sp-map").bounding_box()["height"] >= 200
    page.close()


NAMES_SHOWN = """() => {
  const frame = document.querySelector(".sp-map").getBoundingClientRect();
  const shown = [...document.querySelectorAll(".sp-label-area:not(.sp-off)")];
  const boxes = shown.map((node) => node.getBoundingClientRect());
  const out = (b) => b.left < frame.left || b.right > frame.right || b.top < frame.top || b.bottom > frame.bottom;
  const meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
  return {
    shown: shown.length,
    cut: shown.filter((_, k) => out(boxes[k])).map((node) => node.textContent),
    over: shown.filter((_, k) => boxes.some((other, n) => n < k && meet(boxes[k], other))).map((n) => n.textContent),
  };
}"""


@pytest.mark.parametrize("path", ["/maps", "/maps/wards", "/maps/places"])
@pytest.mark.parametrize("width", [390, 1440])
def test_name_of_every_ward_stands_at_first_sight(site: Server, browser: Any, width: int, path: str) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(site.url + path, wait_until="networkidle")
    page.wait_for_selector("html.sp-ready")
    assert page.evaluate(NAMES_SHOWN) == {"shown": 19, "cut": [], "over": []}
    page.close()


def test_buttons_zoom_about_the_free_part_and_the_address_keeps_the_view(site: Server, browser: Any) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    page.goto(f"{site.url}/maps", wait_until="networkidle")
    page.wait_for_selector("html.sp-ready")
    # the middle of the borough lies in the middle of what the legend leaves free, before and after three presses
    middle = """() => { const map = saferPlaces.map;
      const left = document.querySelector(".sp-legends").offsetWidth + 24;
      const at = map.latLngToContainerPoint(L.latLngBounds(map.whole).getCenter());
      return [at.x - (left + map.getSize().x) / 2, at.y - map.getSize().y / 2]; }"""
    assert "#" not in page.url
    for _ in range(3):
        zoom = page.evaluate("saferPlaces.map.getZoom()")
        page.locator(".leaflet-control-zoom-in").click()
        page.wait_for_function("zoom => saferPlaces.map.getZoom() > zoom", arg=zoom)
    assert all(abs(off) < 80 for off in page.evaluate(middle))  # eight times the few pixels of before
    assert "#map=" in page.url
    assert "map=" not in page.url.split("#")[0]  # no position is sent to the server
    view = "[saferPlaces.map.getZoom(), saferPlaces.map.getCenter().lat, saferPlaces.map.getCenter().lng]"
    before = page.evaluate(view)
    with page.expect_navigation():
        page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_selector("html.sp-ready")
    assert page.evaluate(view) == pytest.approx(before, abs=1e-4)
    page.close()


def test_last_column_of_the_planner_table_is_not_cut(site: Server, browser: Any) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{site.url}/maps")
    assert page.locator(".sp-scroll").evaluate("node => node.scrollWidth <= node.clientWidth")
    page.close()


def test_offline_file_counts_the_marks_in_view(site: Server, browser: Any, tmp_path: Any) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    file = tmp_path / "map.html"
    file.write_bytes(page.request.get(f"{site.url}/maps/download").body())
    page.goto(file.as_uri())
    page.get_by_text("Marks in view: 120").wait_for()
    page.evaluate("saferPlaces.map.setView(saferPlaces.map.getBounds().getNorthWest(), 14)")
    page.get_by_text("Marks in view: 120").wait_for(state="detached")
    assert page.locator(".sp-status").inner_text() != ""
    page.close()


@pytest.mark.parametrize("width", [390, 1440])
def test_spot_on_the_marking_map_is_told_in_words(site: Server, browser: Any, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 844}, reduced_motion="reduce")
    page.goto(f"{site.url}/mark")
    page.get_by_role("button", name="Start").click()
    page.wait_for_timeout(450)  # a second press within 400 ms is taken for a double tap
    page.get_by_role("button", name="Use the cross").click()
    page.get_by_text(re.compile(r"^Marked (near .+, )?in [A-Z].+\. Tap again to move it\.$")).wait_for()
    assert page.locator(".sp-label-area:not(.sp-off)").count() >= 1
    assert page.locator(".sp-label-landmark:not(.sp-off)").count() >= 1
    page.close()


LONG = "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch"


def test_long_names_make_no_page_wider_than_a_phone(tmp_path: Any, browser: Any) -> None:
    make_demo(tmp_path)
    core = open_core(Settings(data_dir=tmp_path, worker=False))

    def rename(session: Any) -> None:
        session.execute(update(BoundarySet).values(title=f"Wards_of_{LONG}", source=LONG, digest="f" * 64))
        session.execute(update(Area).where(Area.area_gss == "E05013714").values(name=LONG))

    core.store.write(rename)
    core.store.close()
    with running_server(tmp_path, {"SAFER_PLACES_WORKER": "false"}) as server:
        page = browser.new_page(viewport={"width": 390, "height": 844})
        for path in ("/wards", "/wards/wards-2022/E05013714", "/maps", "/maps/wards", "/mark/list"):
            page.goto(server.url + path)
            assert LONG in page.content(), path
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        page.close()


@pytest.mark.requirement("A1")
def test_ward_page_shows_its_chart_as_a_table_too(site: Server, browser: Any) -> None:
    page = browser.new_page()
    page.goto(f"{site.url}/wards/wards-2022/E05013714")
    page.get_by_text("The same as a table").click()
    bars = page.locator(".chart .bar, .chart .missing").count()
    assert bars == 24
    assert page.locator("[aria-label='Crimes by month'] tbody tr").count() == bars
    page.close()


@pytest.mark.parametrize("path", ["/", "/mark", "/wards/wards-2022/E05013714", "/receipt"])
def test_text_four_times_as_large_still_fits(site: Server, browser: Any, path: str) -> None:
    """WCAG 1.4.10: 320 px wide is 1280 px at 400 % zoom."""
    page = browser.new_page(viewport={"width": 320, "height": 640})
    page.goto(site.url + path)
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
    page.close()


def test_front_page_leads_each_kind_of_person_on(site: Server, browser: Any) -> None:
    page = browser.new_page()
    page.goto(site.url)
    doors = page.locator(".doors a")
    assert [door.split("\n")[0].removesuffix(" →").strip() for door in doors.all_inner_texts()] == [
        "I want to mark a place",
        "I run a workshop",
        "I plan",
    ]
    for at in range(3):
        page.goto(site.url)
        page.locator(".doors a").nth(at).click()
        page.wait_for_load_state()
        assert page.locator("h1").first.inner_text() != "Page not found"
    page.close()


def test_every_link_of_the_frame_leads_somewhere(site: Server, browser: Any) -> None:
    page = browser.new_page()
    page.goto(f"{site.url}/wards")
    links = page.evaluate("[...document.querySelectorAll('a[href]')].map((a) => a.href)")
    inside = sorted({link.split("#")[0] for link in links if link.startswith(site.url)})
    assert len(inside) > 10
    broken = [link for link in inside if page.request.get(link).status != 200]
    assert broken == []
    page.close()
