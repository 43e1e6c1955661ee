"""A running demo for browser tests: servers, axe, network log."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from service.areas.workflow import load_bundled
from service.core import initialise, open_core
from service.names.workflow import import_names
from service.settings import Settings
from tests.conftest import ROOT

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
NAMES = ROOT / "service" / "demo" / "data" / "names.csv"


def make_demo(folder: Path) -> None:
    """Start a demo with boundaries and names, and nothing else."""
    settings = Settings(data_dir=folder)
    initialise(settings, "demo")
    core = open_core(settings)
    load_bundled(core)
    import_names(core, NAMES, is_sample=True)
    core.store.close()


def axe_violations(page: Any) -> list[str]:
    """Return what axe finds on a page: rule and element."""
    from axe_playwright_python.sync_playwright import Axe

    page.wait_for_load_state("load")  # a heading may be there before the style sheets are
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}}).response["violations"]
    return [f"{rule['id']}: {node['html'][:160]}" for rule in found for node in rule["nodes"]]


class NetworkLog:
    """The hosts that a page asks, and what went wrong on it."""

    def __init__(self, page: Any) -> None:
        self.hosts: set[str] = set()
        self.errors: list[str] = []
        page.on("request", self._asked)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._said)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith(("data:", "blob:")):
            self.hosts.add(urlsplit(request.url).netloc)

    def _said(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(message.text)
