"""Map pages of a running service in a real browser: no error, no other host, WCAG 2.2 AA, keyboard, streets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.conftest import Server, running_server
from tests.e2e.test_maps_figure import WCAG
from tests.support.maps import fill, make_pmtiles

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGES = ("/maps", "/maps/wards", "/maps/places", "/maps/hotspots", "/maps/density", "/maps/venues")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("maps")
    data = fill(folder)
    streets = make_pmtiles(folder / "streets.pmtiles")
    environment = {"SAFER_PLACES_WORKER": "false", "SAFER_PLACES_BASEMAP_PMTILES": str(streets)}
    with running_server(data, environment) as running:
        yield running


@contextmanager
def opened(browser: Any, server: Server, path: str, *, width: int = 1440, **options: Any) -> Iterator[Any]:
    """Open a page and fail on any console error, page error, failed request or request to another host."""
    context = browser.new_context(viewport={"width": width, "height": 900}, **options)
    page = context.new_page()
    troubles: list[str] = []
    page.on("console", lambda m: troubles.append(m.text) if m.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("response", lambda r: troubles.append(f"{r.status} {r.url}") if r.status >= 400 else None)
    page.on(
        "request", lambda r: troubles.append(r.url) if not r.url.startswith((server.url, "data:", "blob:")) else None
    )
    page.goto(server.url + path)
    page.wait_for_selector("html.sp-ready")
    yield page
    assert troubles == []
    context.close()


@pytest.mark.requirement("C6", "A3", "A4", "X1")
@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1440, "dark")])
def test_page_is_clean_and_accessible(browser: Any, server: Server, path: str, width: int, scheme: str) -> None:
    with opened(browser, server, path, width=width, color_scheme=scheme, bypass_csp=False) as page:
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    with opened(browser, server, path, width=width, color_scheme=scheme, bypass_csp=True) as page:
        page.wait_for_load_state("networkidle")
        result = Axe().run(page, options=WCAG)
        assert result.violations_count == 0, result.generate_report()


def test_group_zooms_in_by_keyboard(browser: Any, server: Server) -> None:
    with opened(browser, server, "/maps/places") as page:
        group = page.get_by_role("button", name="12 marks: 9 feel unsafe, 3 feel safe, 0 depend. Press to zoom in.")
        group.wait_for()
        before = page.evaluate("saferPlaces.map.getZoom()")
        group.focus()
        page.keyboard.press("Enter")
        page.wait_for_function("before => saferPlaces.map.getZoom() > before", arg=before)


def test_single_mark_opens_with_its_words_and_its_line(browser: Any, server: Server) -> None:
    with opened(browser, server, "/maps/places") as page:
        page.get_by_role("button", name="It depends: A route").click()
        assert page.locator(".sp-card-title").inner_text() == "It depends"
        assert page.locator("path.sp-line-route").count() == 1


def test_layers_follow_the_boxes_and_the_address(browser: Any, server: Server) -> None:
    with opened(browser, server, "/maps") as page:
        page.wait_for_load_state("networkidle")
        assert page.locator(".sp-hot").count() > 0
        page.get_by_label("Hot spots", exact=True).uncheck()
        assert page.locator("path.sp-hot-99.leaflet-interactive, path.sp-hot-95.leaflet-interactive").count() == 0
        assert "layers=areas" in page.url
        assert "layers=hotspots" not in page.url
        link = page.locator("[data-map-state=download]").get_attribute("href")
        assert "layers=hotspots" not in link
        page.reload()
        page.wait_for_selector("html.sp-ready")
        assert not page.get_by_label("Hot spots", exact=True).is_checked()


def test_search_brings_the_street_to_the_middle(browser: Any, server: Server) -> None:
    with opened(browser, server, "/maps/venues") as page:
        page.get_by_label("Find a street or landmark").fill("square ro")
        page.get_by_role("button", name="Square Road").click()
        assert page.get_by_text("Square Road is in the middle of the map.").is_visible()
        page.wait_for_function("saferPlaces.map.getZoom() === 17")  # the map flies there


def test_streets_of_the_vector_file_are_painted(browser: Any, server: Server) -> None:
    with opened(browser, server, "/maps/venues") as page:
        page.wait_for_load_state("networkidle")
        page.evaluate(
            "saferPlaces.map.setView(saferPlaces.layers.venues[0].options.venues[0].at.slice().reverse(), 14)"
        )
        page.wait_for_function(
            """() => [...document.querySelectorAll('canvas.leaflet-tile')].some((c) => {
                 if (!c.width) return false;
                 const data = new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer);
                 return new Set(data).size > 3;
               })"""
        )
        assert page.locator(".leaflet-control-attribution").inner_text() == ""


@pytest.mark.requirement("A1")
def test_filters_and_table_work_without_script(browser: Any, server: Server) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server.url + "/maps/wards")
    page.get_by_label("Crime type").select_option("robbery")
    page.get_by_role("button", name="Show").click()
    assert "category=robbery" in page.url
    # nine cells with twenty robberies in each of thirteen months
    assert page.locator("table.sp-table tbody td").first.inner_text() == "2,340"
    context.close()


@pytest.mark.requirement("C6")
def test_downloaded_file_opens_with_no_network(browser: Any, server: Server, tmp_path: Path) -> None:
    context = browser.new_context(accept_downloads=True)
    page = context.new_page()
    page.goto(server.url + "/maps")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download as one file").click()
    file = tmp_path / "map.html"
    waiting.value.save_as(file)
    context.close()
    offline = browser.new_context(offline=True)
    page = offline.new_page()
    troubles: list[str] = []
    page.on("console", lambda m: troubles.append(m.text) if m.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(file.as_uri())
    page.wait_for_selector("html.sp-ready")
    assert page.locator(".sp-group").count() == 1
    assert page.locator(".sp-hot").count() > 0
    assert troubles == []
    offline.close()


def test_marks_that_cannot_be_loaded_are_told_in_plain_words(browser: Any, server: Server) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.route("**/maps/data/places*", lambda route: route.abort())
    page.goto(server.url + "/maps/places")
    page.get_by_text("The marks could not be loaded").wait_for()
    page.unroute("**/maps/data/places*")
    page.evaluate("saferPlaces.map.panBy([40, 0])")
    page.get_by_text("Marks in view").wait_for()
    context.close()


def test_printed_page_keeps_map_legend_and_table(browser: Any, server: Server) -> None:
    with opened(browser, server, "/maps/wards") as page:
        page.emulate_media(media="print")
        assert page.locator(".sp-map").is_visible()
        assert page.locator(".sp-legends").is_visible()
        assert page.locator("table.sp-table").is_visible()
        assert not page.locator(".sp-side").is_visible()
        assert len(page.pdf()) > 10_000
