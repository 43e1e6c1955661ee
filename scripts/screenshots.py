"""Take the pictures of docs/images from the sample deployment in a real browser."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
PROGRAM = Path(sys.executable).parent / "safer-places"
START_SECONDS = 60
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
WIDE, PHONE = (1440, 900), (390, 844)


@dataclass(frozen=True)
class Picture:
    """One picture: its name, the page, the size of the window; selectors to press first, in order."""

    name: str
    path: str
    size: tuple[int, int]
    press: tuple[str, ...] = ()


PICTURES = (
    Picture("planner", "/maps", WIDE),
    Picture("ward", "/wards/wards-2022/E05013730", WIDE),
    Picture("mark-phone", "/mark", PHONE, ("#start", "#mark-map", "#next")),
)


@contextmanager
def served() -> Iterator[str]:
    """Fill a sample deployment in a temporary folder and serve it; give its address."""
    with tempfile.TemporaryDirectory() as scratch:
        environment = os.environ | {"SAFER_PLACES_DATA_DIR": str(Path(scratch) / "demo")}
        subprocess.run([PROGRAM, "demo"], env=environment, check=True)
        command = [PROGRAM, "serve", "--port", "0"]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            line = next(line for line in process.stdout if " on http://" in line)
            address = "http://" + line.split(" on http://")[1].split()[0]
            wait_for(address + "/ready")
            yield address
        finally:
            process.terminate()
            process.wait(timeout=60)


def wait_for(address: str) -> None:
    """Wait until the address answers."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except URLError:
            time.sleep(0.1)
    message = f"{address} did not answer within {START_SECONDS} seconds"
    raise TimeoutError(message)


def take(browser: Any, address: str, picture: Picture) -> None:
    """Open a page, wait until it is still, and store its picture."""
    width, height = picture.size
    page = browser.new_page(viewport={"width": width, "height": height}, locale="en-GB")
    page.goto(address + picture.path, wait_until="networkidle")
    for selector in picture.press:
        page.click(selector)
        page.wait_for_load_state("networkidle")
    page.wait_for_timeout(800)  # the map's last fade
    page.screenshot(path=IMAGES / f"{picture.name}.png")
    page.close()
    print(f"docs/images/{picture.name}.png")


def main() -> None:
    """Take every picture, or those named on the command line."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only there with the tools of the tests

    wanted = sys.argv[1:] or [picture.name for picture in PICTURES]
    IMAGES.mkdir(parents=True, exist_ok=True)
    with served() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        for picture in PICTURES:
            if picture.name in wanted:
                take(browser, address, picture)
        browser.close()


if __name__ == "__main__":
    main()
