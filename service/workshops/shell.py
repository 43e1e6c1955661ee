"""The marking page as an app that opens with no network: one page and exactly the files it needs, under one version.

Everything here is the same for everybody: no seat, no workshop, no word of a person. The files stand below an address
that holds the digest of all of them, so a browser never mixes two versions, and may keep each for ever.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Any, Final

import orjson

from service.areas import workflow as areas
from service.core import Core
from service.maps.workflow import mark_layers
from service.names import workflow as names
from service.places.ways import mark_parts
from service.places.workflow import choices, plain_words
from service.web.templates import TEMPLATES
from service.workshops.sealed import seat_pass
from service.workshops.workflow import SeatPage

TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
VERSION_LETTERS: Final = 20
UNKNOWN: Final = "0" * VERSION_LETTERS  # stands for the version while it is being made
WEB_STATIC: Final = Path(__file__).parents[1] / "web" / "static"
MAP_STATIC: Final = Path(str(resources.files("geo.maps"))) / "static"
_MADE_NAME: Final = re.compile(r"\b([a-z_]+_)[0-9a-f]{32}\b")
_IMPORT: Final = re.compile(r"""(?:from|import)\s*\(?\s*["'](\.{1,2}/[^"']+)["']""")


@dataclass(frozen=True, slots=True)
class Shell:
    """The app of one deployment.

    Parameters
    ----------
    version : str
        Digest of everything below.
    page : bytes
        The page; its scripts and styles come from ``files`` alone.
    files : dict of str to bytes
        By their path below the address of the version.
    packed : dict of str to bytes
        The files that gzip makes smaller, packed once: a room of phones asks for all of them at the same time.
    """

    version: str
    page: bytes
    files: dict[str, bytes]
    packed: dict[str, bytes]


def media_type(name: str) -> str:
    """Return the media type of a file of the shell."""
    return TYPES[PurePosixPath(name).suffix]


def app_path(core: Core, version: str) -> str:
    """Return the address below which the files of a version stand."""
    return f"{core.settings.base_path}/j/app/{version}"


def sealed_facts(core: Core, page: SeatPage, token: str) -> dict[str, Any] | None:
    """Return what a device needs to seal marks and to open with no network; None for a workshop without keys."""
    if page.public_key is None or page.closes_at is None:
        return None
    return {
        "workshop": str(page.workshop),
        "key": page.public_key,
        "closes": page.closes_at.isoformat(),
        "seat": seat_pass(core, token),
        "app": app_path(core, read_shell(core).version),
    }


def worker_script() -> bytes:
    """Return the service worker without the facts about the app that stand before it."""
    return (WEB_STATIC / "js" / "app" / "worker.js").read_bytes()


def read_shell(core: Core) -> Shell:
    """Return the app; made once for each state of boundaries, names and ground map.

    Parameters
    ----------
    core : Core
        The deployment.

    Returns
    -------
    Shell
        Page and files.

    Raises
    ------
    NotSetUpError
        If no boundaries are there yet.
    """
    ground, landmarks = mark_layers(core)
    state = (areas.default_set(core), names.version(core), repr(ground and ground.options), landmarks is not None)
    return core.cache.get(("shell", repr(state)), lambda: _make(core))


def find_shell(core: Core, version: str) -> Shell | None:
    """Return the app of a version that was made here, without asking the store, or None.

    The version is the digest of the content, so the files of one are right for as long as anybody asks for them.
    """
    held: Shell | None = core.cache.peek(("shell of version", version))
    if held is not None:
        return held
    made = read_shell(core)
    core.cache.put(("shell of version", made.version), made)
    return made if made.version == version else None


def _make(core: Core) -> Shell:
    parts = mark_parts(core, nonce="", base_path=core.settings.base_path)
    number = _Numbers()
    stage, script = number.fixed(parts.stage), number.fixed(parts.script)
    markup = type(parts.stage)  # already escaped
    values = (
        _context(core)
        | {"way": _EveryWay(core)}
        | {"map": {"styles": parts.styles, "stage": markup(stage), "links": parts.links}}
    )
    page, wanted = _in_version(core, TEMPLATES.get_template("workshops/app.html").render(values))
    files = _closure(wanted - {"map.js"}) | {
        "map.js": script.encode(),
        "names.json": orjson.dumps(names.carried(core)),
        "words.json": orjson.dumps(plain_words()),
    }
    digest = hashlib.sha256(page.encode())
    for name in sorted(files):
        digest.update(name.encode() + b"\0" + hashlib.sha256(files[name]).digest())
    version = digest.hexdigest()[:VERSION_LETTERS]
    packed = {name: gzip.compress(content, mtime=0) for name, content in files.items()}
    smaller = {name: content for name, content in packed.items() if len(content) < len(files[name])}
    return Shell(version, page.replace(UNKNOWN, version).encode(), files, smaller)


def _context(core: Core) -> dict[str, Any]:
    """Return what the template is told: nothing of who asks."""
    settings = core.settings
    return {
        "nonce": "",
        "base": settings.base_path,
        "area_name": core.area_name,
        "is_demo": core.is_demo,
        "controller": settings.controller,
        "help_contact": settings.help_contact,
        "choices": choices(),
        "note_max": settings.note_max,
        "people_max": settings.people_max,
    }


class _EveryWay:
    """Every question that a workshop may ask; the page takes out what its own does not."""

    words = groups = borders = times = reasons = True
    title = ""

    def __init__(self, core: Core) -> None:
        base = core.settings.base_path
        self.list = f"{base}/j/list"
        self.sealed = {"app": app_path(core, UNKNOWN)}
        addresses = {"list": self.list, "stop": f"{base}/j/done", "sealed": self.sealed}
        self.script = (
            {"shell": True} | addresses | dict.fromkeys(("times", "reasons", "words", "groups", "borders"), True)
        )


class _Numbers:
    """Gives the random names that Folium makes the same numbers every time, so that equal pages are equal."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def fixed(self, text: str) -> str:
        """Return the text with its random names numbered in the order in which they first came."""
        return _MADE_NAME.sub(lambda found: self._known.setdefault(found[0], f"{found[1]}{len(self._known)}"), text)


def _in_version(core: Core, html: str) -> tuple[str, set[str]]:
    """Return the page with every static file at its address of this version, and which files those are."""
    wanted: set[str] = set()
    static = re.compile(re.escape(f"{core.settings.base_path}/static/") + r"([A-Za-z0-9_./-]+)(\?v=[0-9a-f]+)?")

    def moved(found: re.Match[str]) -> str:
        wanted.add(found[1])
        return f"{app_path(core, UNKNOWN)}/{found[1]}"

    return static.sub(moved, html), wanted


def _closure(wanted: set[str]) -> dict[str, bytes]:
    """Return the files and, for scripts, those that they import."""
    files: dict[str, bytes] = {}
    waiting = set(wanted)
    while waiting:
        name = waiting.pop()
        files[name] = _read(name)
        if name.endswith(".js"):
            folder = PurePosixPath(name).parent
            near = {_joined(folder, path) for path in _IMPORT.findall(files[name].decode("utf-8"))}
            waiting |= near - files.keys()
    return files


def _joined(folder: PurePosixPath, path: str) -> str:
    for part in PurePosixPath(path).parts:
        folder = folder.parent if part == ".." else folder / part
    return str(folder)


def _read(name: str) -> bytes:
    if name.startswith("maps/"):
        return (MAP_STATIC / name.removeprefix("maps/")).read_bytes()
    return (WEB_STATIC / name).read_bytes()
