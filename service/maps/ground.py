"""The ground map: what the settings name, the head of a PMTiles file, and tiles fetched once and kept."""

from __future__ import annotations

import functools
import logging
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final, Literal
from urllib.parse import urlsplit

import httpx2

from service.core import Core, StartError
from service.errors import NotFoundError, UnavailableError
from service.settings import Settings

LOG = logging.getLogger("safer_places.ground")
MAX_TILE_BYTES: Final = 2_000_000
MAX_TILE_ZOOM: Final = 19
IMAGE_TYPES: Final = {
    b"\x89PNG": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"RIFF": "image/webp",
}
_MAGIC: Final = b"PMTiles\x03"
_HEADER_BYTES: Final = 127
_VECTOR: Final = 1
_HTTP_OK: Final = 200
_ABSENT: Final = {204, 404}
_SHRINK_TO: Final = 0.8
_CHECK_EVERY: Final = 50  # tiles written between two looks at the size of the cache


@dataclass(frozen=True, slots=True)
class Ground:
    """The ground map of a deployment.

    Attributes
    ----------
    kind : {'pmtiles', 'raster'}
        A vector file, or tiles that we pass on.
    max_zoom : int
        Finest zoom the source holds.
    attribution : str
        Words the source asks for.
    version : str
        Changes with the source; part of its address, so that a browser may keep it.
    """

    kind: Literal["pmtiles", "raster"]
    max_zoom: int
    attribution: str
    version: str


def require_ground(settings: Settings) -> None:
    """Raise at the start of the server if the ground map file that the settings name cannot be used.

    Raises
    ------
    StartError
        Naming the setting.
    """
    if settings.basemap_pmtiles is None:
        return
    try:
        _read_header(settings.basemap_pmtiles, _stat(settings.basemap_pmtiles), settings.basemap_attribution)
    except UnavailableError as error:
        message = f"SAFER_PLACES_BASEMAP_PMTILES: {error}"
        raise StartError(message) from error


def ground_of(core: Core) -> Ground | None:
    """Return the ground map the settings name, or None; a file that went away later takes no map with it."""
    settings = core.settings
    if settings.basemap_pmtiles is not None:
        try:
            stat = _stat(settings.basemap_pmtiles)
            return _read_header(settings.basemap_pmtiles, stat, settings.basemap_attribution)
        except UnavailableError:
            LOG.warning("the ground map file cannot be used: maps are drawn without it")
            return None
    if settings.tile_url:
        version = core.keyed_hash("tiles", settings.tile_url)[:10]
        return Ground("raster", MAX_TILE_ZOOM, settings.basemap_attribution, version)
    return None


def pmtiles_path(core: Core) -> Path:
    """Return the PMTiles file.

    Raises
    ------
    NotFoundError
        If the deployment has none.
    """
    path = core.settings.basemap_pmtiles
    if path is None or not path.is_file():
        raise NotFoundError("This deployment has no ground map file.")
    return path


def _stat(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise UnavailableError(f"{path} cannot be read.") from error
    return found.st_size, found.st_mtime_ns


@functools.lru_cache(maxsize=4)
def _read_header(path: Path, stat: tuple[int, int], attribution: str) -> Ground:
    """Read zooms from the fixed head of a PMTiles file (specification version 3)."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEADER_BYTES)
    except OSError as error:  # a folder, or not ours to read
        raise UnavailableError(f"{path} cannot be read.") from error
    if len(head) < _HEADER_BYTES or not head.startswith(_MAGIC):
        raise UnavailableError(f"{path.name} is not a PMTiles file of version 3.")
    if head[99] != _VECTOR:
        raise UnavailableError(f"{path.name} holds pictures; wanted vector tiles (MVT).")
    return Ground("pmtiles", head[101], attribution, f"{stat[0]:x}-{stat[1]:x}")


class TileCache:
    """Tiles of one service in a folder of bounded size; the oldest go first. Thread-safe.

    Parameters
    ----------
    folder : Path
        Made when the first tile is kept.
    url : str
        Address with ``{z}``, ``{x}`` and ``{y}``.
    limit_bytes : int
        Largest size of the folder.
    timeout_s : float
        Time-out of one request.
    """

    def __init__(self, folder: Path, url: str, *, limit_bytes: int, timeout_s: float) -> None:
        self.folder, self.url, self.limit_bytes = folder, url, limit_bytes
        # no cookies, no referrer, no address of the person who looks: the service sees this server only
        self._client = httpx2.Client(
            timeout=timeout_s, follow_redirects=False, headers={"User-Agent": "SaferPlaces", "Accept": "image/*"}
        )
        self._lock = Lock()
        self._written = 0

    def get(self, z: int, x: int, y: int) -> tuple[bytes, str]:
        """Return a tile and its media type, from the folder or the service.

        Raises
        ------
        NotFoundError
            If there is no such tile.
        UnavailableError
            If the service does not answer with a picture.
        """
        if not (0 <= z <= MAX_TILE_ZOOM and 0 <= x < 2**z and 0 <= y < 2**z):
            raise NotFoundError("There is no such tile.")
        file = self.folder / str(z) / str(x) / str(y)
        try:
            content = file.read_bytes()
        except FileNotFoundError:
            content = self._fetch(z, x, y)
            self._keep(file, content)
        return content, image_type(content) or "application/octet-stream"

    def _fetch(self, z: int, x: int, y: int) -> bytes:
        url = self.url.replace("{s}", "a").replace("{z}", str(z)).replace("{x}", str(x)).replace("{y}", str(y))
        try:
            answer = self._client.get(url)
        except httpx2.HTTPError as error:
            raise UnavailableError("The tile service does not answer.") from error
        if answer.status_code in _ABSENT:
            raise NotFoundError("The tile service has no such tile.")
        content = answer.content
        if answer.status_code != _HTTP_OK or len(content) > MAX_TILE_BYTES or image_type(content) is None:
            LOG.info("tile refused", extra={"status": answer.status_code, "bytes": len(content)})
            raise UnavailableError("The tile service did not answer with a picture.")
        return content

    def _keep(self, file: Path, content: bytes) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent)
        with os.fdopen(handle, "wb") as fresh:
            fresh.write(content)
        Path(name).replace(file)
        with self._lock:
            self._written += 1
            if self._written % _CHECK_EVERY == 1:
                self._shrink()

    def _shrink(self) -> None:
        """Delete the oldest tiles once the folder is larger than it may be."""
        found = sorted((s.st_mtime_ns, s.st_size, file) for file, s in _files(self.folder))
        size = sum(bytes_ for _, bytes_, _ in found)
        if size <= self.limit_bytes:
            return
        for _, bytes_, file in found:
            file.unlink(missing_ok=True)
            size -= bytes_
            if size <= self.limit_bytes * _SHRINK_TO:
                return


def _files(folder: Path) -> list[tuple[Path, os.stat_result]]:
    listed = []
    for file in folder.rglob("*"):
        try:
            stat = file.stat()
        except FileNotFoundError:  # another process made room at the same time
            continue
        if file.is_file():
            listed.append((file, stat))
    return listed


def image_type(content: bytes) -> str | None:
    """Return the media type of a picture by its first bytes; None for anything else."""
    return next((kind for magic, kind in IMAGE_TYPES.items() if content.startswith(magic)), None)


def tile_cache(core: Core) -> TileCache:
    """Return the tile cache of the deployment; one for each address set.

    Raises
    ------
    NotFoundError
        If the deployment passes no tiles on.
    UnavailableError
        If the address is not on the allow-list of outbound hosts (X10).
    """
    settings = core.settings
    if not settings.tile_url:
        raise NotFoundError("This deployment has no tile service.")
    host = urlsplit(settings.tile_url.replace("{s}", "a")).netloc
    if host not in settings.outbound_hosts or not re.match(r"https?://", settings.tile_url):
        raise UnavailableError("The tile service is not on the list of hosts this server may ask.")
    folder = settings.data_dir / "tiles" / core.keyed_hash("tiles", settings.tile_url)[:16]
    limit, timeout = settings.tile_cache_mb * 1_000_000, settings.outbound_timeout_s
    return core.cache.get(
        ("tile-cache", folder), lambda: TileCache(folder, settings.tile_url or "", limit_bytes=limit, timeout_s=timeout)
    )
