"""The scripts and styles of a map page: links to our own host, or everything inside one file that opens offline."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from markupsafe import Markup, escape

from geo.errors import MapError

STATIC: Final = Path(__file__).parent / "static"
STYLES: Final = ("tokens.css", "vendor/leaflet/leaflet.css", "map.css")
CORE: Final = ("vendor/leaflet/leaflet.js", "base.js")

_VENDOR: Final = "vendor/"
_NOTE: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_INDENT: Final = re.compile(r"\n\s+")
_AROUND_BRACES: Final = re.compile(r"\s*([{};])\s*")
_URL_IN_STYLE: Final = re.compile(r"url\((?!['\"]?#)[^)]*\)")


@dataclass(frozen=True, slots=True)
class Assets:
    """Where the parts of a map page come from.

    Attributes
    ----------
    base : str
        Path on our own host below which ``geo/maps/static`` is served, without a slash at the end; empty to put
        everything into the page, so that one file opens with no network.
    """

    base: str = ""

    @property
    def inline(self) -> bool:
        """Whether everything stands inside the page."""
        return not self.base

    def styles(self, nonce: str) -> Markup:
        """Return the style sheets as markup.

        Parameters
        ----------
        nonce : str
            Nonce of the page's content security policy.

        Returns
        -------
        Markup
            Links, or style elements with the nonce.
        """
        if self.inline:
            css = "\n".join(_URL_IN_STYLE.sub("none", _tight(name)) for name in STYLES)
            return Markup('<style nonce="{}">{}</style>').format(nonce, Markup(css.replace("</", "<\\/")))
        return Markup("\n").join(Markup('<link rel="stylesheet" href="{}">').format(self.url(name)) for name in STYLES)

    def scripts(self, names: Iterable[str], nonce: str) -> Markup:
        """Return scripts as markup, each once, in the order given.

        Parameters
        ----------
        names : iterable of str
            Files below ``geo/maps/static``.
        nonce : str
            Nonce of the page's content security policy.

        Returns
        -------
        Markup
            Script elements with the nonce.
        """
        wanted = list(dict.fromkeys(names))
        if self.inline:
            texts = (Markup(_tight(name).replace("</", "<\\/")) for name in wanted)
            return Markup("\n").join(Markup('<script nonce="{}">{}</script>').format(nonce, text) for text in texts)
        return Markup("\n").join(
            Markup('<script nonce="{}" src="{}"></script>').format(nonce, self.url(name)) for name in wanted
        )

    def url(self, name: str) -> str:
        """Return the address of one file, with a version so that it may be cached for ever."""
        return f"{self.base}/{escape(name)}?v={version()}"


@functools.cache
def read_static(name: str) -> str:
    """Return the text of a file below ``geo/maps/static``.

    Parameters
    ----------
    name : str
        Path below the folder.

    Returns
    -------
    str
        Its text.

    Raises
    ------
    MapError
        If the file is not there: the front-end parts were not built.
    """
    file = STATIC / name
    if not file.is_file():
        message = f"The map part {name} is missing; install the project again so that its front-end parts are built."
        raise MapError(message)
    return file.read_text(encoding="utf-8")


@functools.cache
def _tight(name: str) -> str:
    """Return the text of a file for the inside of a page: parts of our own without indents, blank lines and notes."""
    text = read_static(name)
    if name.startswith(_VENDOR):
        return text
    text = _INDENT.sub("\n", _NOTE.sub("", text))
    return _AROUND_BRACES.sub(r"\1", text) if name.endswith(".css") else text


@functools.cache
def version() -> str:
    """Return a short digest of every script and style, the version in their addresses."""
    digest = hashlib.sha256()
    for file in sorted(STATIC.rglob("*")):
        if file.suffix in {".js", ".css", ".svg"}:
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
