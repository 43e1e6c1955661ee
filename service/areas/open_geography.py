"""Client of the ONS Open Geography portal: queries of an ArcGIS feature layer, page by page, with retry and resume.

Built to Esri's published contract, "Query (Feature Service/Layer)" of the ArcGIS REST API; it has not been run against
the live service yet (docs/boundaries.md). Coordinates are asked for as Esri JSON in the National Grid, in which the
portal holds them: a server that turns them into degrees itself may use another transform than OSTN15.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import httpx2
import orjson

from service.errors import UnavailableError
from service.outbound import outbound_client
from service.settings import Settings

LOG = logging.getLogger("safer_places.areas")
Progress = Callable[[int, int], None]
NATIONAL_GRID: Final = 27700
_TRANSIENT: Final = frozenset({408, 429, 500, 502, 503, 504})
_RETRY_AFTER_MAX_S = 120.0


class FetchError(UnavailableError):
    """The service did not give what was asked for; what was fetched is kept for the next try."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of the portal: its service and the fields for code, name and borough."""

    service: str
    code_field: str
    name_field: str
    area_field: str


@dataclass(frozen=True, slots=True)
class Backoff:
    """How often and how patiently a failed request is repeated: ``first_s``, then twice as long each time."""

    attempts: int = 6
    first_s: float = 1.0
    longest_s: float = 60.0

    def wait_s(self, attempt: int) -> float:
        """Return the seconds before try ``attempt`` (1 is the first repetition)."""
        return float(min(self.first_s * 2.0 ** (attempt - 1), self.longest_s))


class FeatureService:
    """Queries of one layer.

    Parameters
    ----------
    settings : Settings
        ``open_geography_url`` is the folder of the services; the allow-list of hosts and the time-out hold (X10).
    layer : Layer
        The layer to ask.
    backoff : Backoff
        Patience with a service that fails.
    """

    def __init__(self, settings: Settings, layer: Layer, backoff: Backoff) -> None:
        self.url = f"{settings.open_geography_url.rstrip('/')}/{layer.service}/FeatureServer/0/query"
        self.layer = layer
        self._backoff = backoff
        self._client = outbound_client(settings)

    def __enter__(self) -> FeatureService:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._client.close()

    def count(self, area_gss: str) -> int:
        """Return how many features lie in the borough."""
        answer = self._ask(self._filter(area_gss) | {"returnCountOnly": "true"})
        try:
            return int(answer["count"])
        except (KeyError, TypeError, ValueError) as error:
            raise FetchError("The service gave no count of features; it does not speak the contract.") from error

    def page(self, area_gss: str, *, offset: int, size: int) -> dict[str, Any]:
        """Return one page of features, from ``offset`` in the order of their codes."""
        answer = self._ask(
            self._filter(area_gss)
            | {
                "outFields": f"{self.layer.code_field},{self.layer.name_field}",
                "orderByFields": self.layer.code_field,  # without an order, pages may repeat and skip rows
                "returnGeometry": "true",
                "outSR": str(NATIONAL_GRID),
                "resultOffset": str(offset),
                "resultRecordCount": str(size),
            }
        )
        if not isinstance(answer.get("features"), list):
            raise FetchError("The service gave a page without features; it does not speak the contract.")
        return answer

    def _filter(self, area_gss: str) -> dict[str, str]:
        return {"where": f"{self.layer.area_field}='{area_gss}'", "f": "json"}

    def _ask(self, parameters: Mapping[str, str]) -> dict[str, Any]:
        attempt = 0
        while True:
            attempt += 1
            answer, problem, wait_s = self._try(parameters)
            if answer is not None:
                return answer
            if attempt >= self._backoff.attempts:
                raise FetchError(f"The service failed {attempt} times ({problem}). Run the same command again later.")
            pause = max(self._backoff.wait_s(attempt), wait_s)
            LOG.info("open geography: %s; try %d in %.1f s", problem, attempt + 1, pause)
            time.sleep(pause)

    def _try(self, parameters: Mapping[str, str]) -> tuple[dict[str, Any] | None, str, float]:
        """Return the answer, or None with what went wrong and how long the service asks to wait [s]."""
        try:
            response = self._client.get(self.url, params=dict(parameters))
        except httpx2.TransportError as error:
            return None, type(error).__name__, 0.0
        if response.status_code in _TRANSIENT:
            return None, f"HTTP {response.status_code}", _retry_after_s(response)
        if response.status_code != HTTPStatus.OK:
            raise FetchError(f"The service answered HTTP {response.status_code} for the layer {self.layer.service}.")
        try:
            answer = orjson.loads(response.content)
        except orjson.JSONDecodeError:
            return None, "an answer that is no JSON", 0.0
        if not isinstance(answer, dict):
            return None, "an answer that is no object", 0.0
        return self._without_error(answer)

    def _without_error(self, answer: dict[str, Any]) -> tuple[dict[str, Any] | None, str, float]:
        """ArcGIS tells most of its errors with HTTP 200 and an ``error`` object."""
        error = answer.get("error")
        if error is None:
            return answer, "", 0.0
        told = error if isinstance(error, dict) else {}
        code, message = told.get("code"), " ".join(str(told.get("message", "no message")).split())[:200]
        if code in _TRANSIENT:
            return None, f"error {code}, {message}", 0.0
        raise FetchError(
            f"The service refused the layer {self.layer.service}: error {code}, {message}. "
            "If the layer is called otherwise, name it with --service."
        )


def _retry_after_s(response: httpx2.Response) -> float:
    text = response.headers.get("Retry-After", "")
    return min(float(text), _RETRY_AFTER_MAX_S) if text.isdigit() else 0.0


def download(service: FeatureService, area_gss: str, folder: Path, *, page_size: int, progress: Progress) -> Path:
    """Fetch every feature of the borough into one file; pages fetched before are not asked for again.

    Parameters
    ----------
    service : FeatureService
        The layer to ask.
    area_gss : str
        Code of the borough.
    folder : Path
        Where pages are kept until the set is complete.
    page_size : int
        Features to ask for at once; the service may give fewer.
    progress : callable of (int, int)
        Told how many features of how many are here.

    Returns
    -------
    Path
        File that GDAL reads, below ``folder``.

    Raises
    ------
    FetchError
        If the service fails, knows no such borough, or ends before all features came.
    """
    total = service.count(area_gss)
    if total == 0:
        raise FetchError(
            f"The layer {service.layer.service} has no areas with {service.layer.area_field} = {area_gss}. "
            "Check the code of the borough and the year."
        )
    _begin(folder, {"url": service.url, "area_gss": area_gss, "page_size": page_size, "total": total})
    pages: list[dict[str, Any]] = []
    got = 0
    progress(got, total)
    while got < total:
        page = _kept_page(folder, got)
        if page is None:
            page = service.page(area_gss, offset=got, size=page_size)
            _write(folder / _page_name(got), page)
        pages.append(page)
        if not page["features"]:
            raise _ended_early(folder, got, total)
        got += len(page["features"])
        progress(min(got, total), total)
        if got < total and not _has_more(page):
            raise _ended_early(folder, got, total)
    if got != total:
        shutil.rmtree(folder)
        raise FetchError(f"The service gave {got} features after counting {total}. Run the same command again.")
    return _write(folder / "areas.json", {**pages[0], "features": [row for page in pages for row in page["features"]]})


def _has_more(page: dict[str, Any]) -> bool:
    """Esri JSON says it at the top, ArcGIS' GeoJSON among the properties of the collection."""
    properties = page.get("properties")
    inner = properties.get("exceededTransferLimit") if isinstance(properties, dict) else None
    return bool(page.get("exceededTransferLimit") or inner)


def _ended_early(folder: Path, got: int, total: int) -> FetchError:
    shutil.rmtree(folder)  # the layer changed under us or miscounts: pages of two states must not be mixed
    return FetchError(f"The service ended after {got} of {total} areas. Run the same command again.")


def fetch_folder(data_dir: Path, service: FeatureService, area_gss: str) -> Path:
    """Return the folder for the pages of one request."""
    key = hashlib.sha256(f"{service.url}\0{area_gss}".encode()).hexdigest()[:16]
    return data_dir / "fetch" / f"boundaries-{key}"


def _begin(folder: Path, request: dict[str, Any]) -> None:
    """Keep the pages of the same request; throw away those of another state of the layer."""
    note = folder / "request.json"
    if folder.is_dir() and (not note.is_file() or orjson.loads(note.read_bytes()) != request):
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    _write(note, request)


def _page_name(offset: int) -> str:
    return f"page-{offset:07d}.json"


def _kept_page(folder: Path, offset: int) -> dict[str, Any] | None:
    path = folder / _page_name(offset)
    return orjson.loads(path.read_bytes()) if path.is_file() else None


def _write(path: Path, value: dict[str, Any]) -> Path:
    """Write whole or not at all: an interrupted fetch never leaves half a page."""
    partial = path.with_suffix(".part")
    with partial.open("wb") as file:
        file.write(orjson.dumps(value))
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    return path
