"""Map pages in a real browser: offline from a file, and from a server with a strict policy; no error, no other host."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from geo.maps.assets import STATIC, Assets
from geo.maps.figure import render
from tests.unit.test_maps_classes import PAYLOADS
from tests.unit.test_maps_figure import full_map

pytestmark = pytest.mark.browser

WCAG = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'"
)


class Handler(SimpleHTTPRequestHandler):
    """Serves one page with a policy, and the static files below ``/static/maps``."""

    page = ""

    def do_GET(self) -> None:
        if self.path == "/":
            body = self.page.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", POLICY.format(nonce="n0nce"))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        super().do_GET()

    def translate_path(self, path: str) -> str:
        name = path.split("?", maxsplit=1)[0].removeprefix("/static/maps/")
        return str(STATIC / name)

    def log_message(self, *_: Any) -> None:
        """Stay quiet."""


@contextmanager
def served(page: str) -> Iterator[str]:
    handler = partial(type("OnePage", (Handler,), {"page": page}))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def opened(browser: Any, url: str, *, width: int = 1280, offline: bool = False, **options: Any) -> Iterator[Any]:
    """Open a page and fail on any console error, page error or request to another host."""
    context = browser.new_context(viewport={"width": width, "height": 844}, offline=offline, **options)
    page = context.new_page()
    troubles: list[str] = []
    page.on("console", lambda m: troubles.append(m.text) if m.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", lambda r: troubles.append(r.url) if not r.url.startswith((url, "data:", "blob:")) else None)
    page.goto(url)
    page.wait_for_selector("html.sp-ready")
    yield page
    assert troubles == []
    context.close()


def plain_map(text: str = "Words") -> Any:
    """The map with every element but the ground, whose file this server does not have."""
    drawn = full_map(text)
    drawn._children = type(drawn._children)((k, v) for k, v in drawn._children.items() if v.drawn_by != "GroundLayer")
    return drawn


@pytest.mark.requirement("C6")
def test_offline_file_opens_without_a_network(browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "map.html"
    file.write_text(render(plain_map()), encoding="utf-8")
    with opened(browser, file.as_uri(), offline=True) as page:
        assert page.locator("path.sp-area").count() == 2
        assert page.locator(".sp-marker").count() == 3  # one group, one mark, one venue
        assert page.locator(".sp-hot-99").count() >= 1


@pytest.mark.requirement("X1", "C6")
def test_linked_page_works_under_a_strict_policy(browser: Any) -> None:
    page_text = render(plain_map(), nonce="n0nce", assets=Assets("/static/maps"))
    with served(page_text) as url, opened(browser, url) as page:
        assert page.locator("path.sp-area").count() == 2
        fill = page.locator("path.sp-fill-few").first.evaluate("node => getComputedStyle(node).fill")
        assert "sp-hatch-few" in fill
        assert page.locator(".leaflet-control-attribution a").count() == 0


@pytest.mark.requirement("X1")
def test_hostile_words_stay_words(browser: Any, tmp_path: Path) -> None:
    for number, payload in enumerate(PAYLOADS):
        file = tmp_path / f"{number}.html"
        file.write_text(render(plain_map(payload)), encoding="utf-8")
        with opened(browser, file.as_uri(), offline=True) as page:
            page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
            page.evaluate("saferPlaces.layers.venues[0].getLayers()[0].openPopup()")
            # HTML folds line separators; compare what is left of both
            shown = page.locator(".sp-card-title").inner_text()
            assert shown.split() == payload.split()


@pytest.mark.requirement("A3", "A4")
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_wcag_failure(browser: Any, tmp_path: Path, width: int, scheme: str) -> None:
    file = tmp_path / "map.html"
    file.write_text(render(plain_map()), encoding="utf-8")
    with opened(browser, file.as_uri(), width=width, color_scheme=scheme, bypass_csp=True) as page:
        page.evaluate("saferPlaces.layers.places[0].getLayers().find(l => l.getPopup && l.getPopup()).openPopup()")
        # the popup fades in: words that are half there have half their contrast
        page.wait_for_function("getComputedStyle(document.querySelector('.leaflet-popup')).opacity === '1'")
        result = Axe().run(page, options=WCAG)
        assert result.violations_count == 0, result.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_switching_a_layer_hides_its_drawing_and_its_legend(browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "map.html"
    file.write_text(render(plain_map()), encoding="utf-8")
    with opened(browser, file.as_uri()) as page:
        page.locator(".sp-layers summary").click()
        legend = page.locator('[data-sp-legend="venues"]')
        assert legend.is_visible()
        page.locator('[data-sp-layer="venues"]').uncheck()
        assert page.locator("use[href='#sp-sym-venue']").count() == 1  # the legend's own swatch
        assert not legend.is_visible()
        page.locator('[data-sp-layer="density"]').check()
        painted = page.locator(".sp-density-canvas").evaluate(
            "c => new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer).some(v => v)"
        )
        assert painted


@pytest.mark.requirement("A1", "A3")
def test_marker_opens_by_keyboard_and_names_itself(browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "map.html"
    file.write_text(render(plain_map("Corner shop")), encoding="utf-8")
    with opened(browser, file.as_uri()) as page:
        marker = page.get_by_role("button", name="Corner shop: Corner shop")
        marker.focus()
        page.keyboard.press("Enter")
        assert page.locator(".sp-card-title").inner_text() == "Corner shop"


def test_without_script_the_table_says_it(browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "map.html"
    file.write_text(render(plain_map()), encoding="utf-8")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    page.get_by_text("The map needs JavaScript").wait_for(state="visible", timeout=5000)
    assert page.locator("table.sp-table tbody tr").count() == 2
    context.close()
