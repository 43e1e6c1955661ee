"""Every page of a filled demo in a real browser: axe, our own host only, nothing too wide, two printed pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from service.core import initialise, open_core
from service.demo.workflow import Size, fill
from service.settings import Settings
from tests.conftest import Server, running_server
from tests.support.site import NetworkLog, axe_violations

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
    page.goto(f"{site.url}/wards/wards-2022/E05013714", wait_until="networkidle")
    printed = page.pdf(format="A4", print_background=True)
    pages = len(re.findall(rb"/Type\s*/Page\b(?!s)", printed))
    assert 1 <= pages <= 2
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
