"""A device of a workshop for browser tests: a browser whose profile stays, and what can be found in its files."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.conftest import CHROMIUM, CHROMIUM_ARGS

PHONE = {"width": 390, "height": 844}
SETTLED_MS = 450  # a person reads a screen before the next tap; a second tap within 400 ms is taken for a double tap
READY = "navigator.serviceWorker.ready.then((found) => Boolean(found.active))"
# Remembers, in the page's memory only, the plain text of what is sealed: what a forensic search has to look for.
LISTEN = """(() => {
  window.plain = [];
  const write = JSON.stringify;
  JSON.stringify = (value, ...rest) => {
    const text = write(value, ...rest);
    if (value && value.mark && value.seat) window.plain.push(text);
    return text;
  };
})()"""
DUMP = """async () => {
  const names = (await indexedDB.databases()).map((found) => found.name);
  const rows = {};
  for (const name of names) {
    const asked = indexedDB.open(name);
    const database = await new Promise((done) => { asked.onsuccess = () => done(asked.result); });
    for (const store of database.objectStoreNames) {
      const request = database.transaction(store).objectStore(store).getAll();
      rows[store] = await new Promise((done) => { request.onsuccess = () => done(request.result); });
    }
    database.close();
  }
  return rows;
}"""


class Device:
    """A phone or tablet: its browser can be closed and opened again."""

    def __init__(self, chromium: Any, profile: Path) -> None:
        self.chromium = chromium
        self.profile = profile
        self.context: Any = None
        self.page: Any = None

    def open(self, *, offline: bool = False, args: Iterable[str] = ()) -> Any:
        self.context = self.chromium.launch_persistent_context(
            str(self.profile), executable_path=CHROMIUM, args=[*CHROMIUM_ARGS, *args], viewport=PHONE, has_touch=True
        )
        self.context.set_offline(offline)
        self.page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        return self.page

    def close(self) -> None:
        if self.context is not None:
            self.context.close()
            self.context = None

    def join(self, url: str, code: str) -> None:
        """Join, and wait until the page is kept for later."""
        self.page.goto(f"{url}/j")
        self.page.get_by_label("Type the code").fill(code)
        self.page.get_by_role("button", name="Join").tap()
        self.page.wait_for_url("**/j/mark")
        assert self.page.evaluate(READY)

    def button(self, name: str) -> None:
        self.page.wait_for_timeout(SETTLED_MS)
        self.page.get_by_role("button", name=name, exact=True).tap()

    def tap(self, across: float = 0.5) -> None:
        self.page.wait_for_timeout(SETTLED_MS)
        box = self.page.locator("#mark-map .sp-map").bounding_box()
        self.page.touchscreen.tap(box["x"] + box["width"] * across, box["y"] + box["height"] * 0.5)

    def mark(self, *, across: float = 0.5, note: str = "") -> None:
        """Answer every question once, from the map to Send."""
        self.tap(across)
        self.button("Next")
        self.page.locator("#sheet").get_by_text("Unsafe", exact=True).tap()
        self.button("Next")
        self.page.locator("#sheet").get_by_text("At night", exact=True).tap()
        self.button("Next")
        self.button("Skip")
        if note:
            self.page.locator("#note").fill(note)
        self.button("Send")

    def kept(self) -> str:
        """Wait until the mark is kept and return the words of its receipt."""
        self.page.get_by_role("heading", name="Kept on this device").wait_for()
        self.page.locator("#receipt-words").filter(has_text=re.compile(r"\w+ \w+")).wait_for()
        return str(self.page.locator("#receipt-words").inner_text())

    def dump(self) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = self.page.evaluate(DUMP)
        return found


def forms(text: str) -> list[bytes]:
    """Return how a text may lie in a file: UTF-8, and the two bytes a letter that browsers keep strings in."""
    return [text.encode("utf-8"), text.encode("utf-16-le")]


def number_forms(number: float) -> list[bytes]:
    """Return how a coordinate may lie in a file: as text, and as the double that browsers keep numbers in."""
    return [*forms(repr(number)), struct.pack("<d", number), struct.pack(">d", number)]


def files_with(folder: Path, wanted: Iterable[bytes]) -> list[str]:
    """Return the files below a folder that hold any of the byte strings."""
    listed = list(wanted)
    found = []
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.is_symlink():
            content = file.read_bytes()
            found += [str(file.relative_to(folder)) for one in listed if one in content]
    return found
