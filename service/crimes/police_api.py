"""Fetch crimes from the police API: split areas that hold too many, back off, keep what was answered (P5)."""

from __future__ import annotations

import hashlib
import json
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx2
import numpy as np
import shapely

from geo import crs
from service.errors import NotFoundError, UnavailableError
from service.outbound import outbound_client
from service.settings import Settings

TOO_MANY: Final = 503  # the API's answer for an area with more than 10,000 crimes
TRIES: Final = 6
PAUSE_MAX_S: Final = 60.0
REQUESTS_PER_S: Final = 10.0  # the API allows 15
SMALLEST_M: Final = 250.0  # an area this small never holds 10,000 crimes of one month: a 503 then means what it says
ANSWER_MAX_BYTES: Final = 64 << 20
KEEP_S: Final = 30 * 86_400.0  # the police add outcomes each month
OVERLAP_M: Final = 1.0  # a point on the cut lies in both pieces, and counts once by its id
MARGIN_M: Final = 50.0  # points lie on street centres, up to some 40 m across the line
SIMPLIFY_M: Final = 10.0


class PoliceApi:
    """One conversation with the police API.

    Parameters
    ----------
    settings : Settings
        ``police_api_url`` and the allow-list.
    folder : Path
        Where answers are kept: a fetch that was cut off goes on from there.
    pause_s : float
        First pause after a refusal; it doubles each time.
    """

    def __init__(self, settings: Settings, folder: Path, *, pause_s: float = 1.0) -> None:
        self._url = f"{settings.police_api_url.rstrip('/')}/crimes-street/all-crime"
        self._folder = folder
        self._pause_s = pause_s
        self._client = outbound_client(settings)
        self._last = 0.0
        self.requests = 0
        folder.mkdir(parents=True, exist_ok=True)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def fetch(self, month: str, area: Any) -> Iterator[Path]:
        """Fetch the crimes of one month in an area.

        Parameters
        ----------
        month : str
            ``YYYY-MM``.
        area : Polygon or MultiPolygon
            In ``crs.METRIC`` [m]; the margin of points across its line is added here.

        Yields
        ------
        Path
            An answer of the API as it came, for each piece that the area was split into. Pieces overlap:
            a record may be in two of them, with the same numeric id.

        Raises
        ------
        NotFoundError
            If the police have not published the month.
        UnavailableError
            If the API cannot be reached or refuses for good.
        """
        for part in _parts(shapely.simplify(shapely.buffer(area, MARGIN_M), SIMPLIFY_M)):
            yield from self._fetch_piece(month, part)

    def _fetch_piece(self, month: str, piece: Any) -> Iterator[Path]:
        poly = _poly(piece)
        name = hashlib.sha256(f"{self._url}\n{month}\n{poly}".encode()).hexdigest()
        path = self._folder / f"{month}-{name}.json"
        split = path.with_suffix(".split")
        if _is_fresh(path):
            yield path
            return
        west, south, east, north = shapely.bounds(piece)
        can_split = max(east - west, north - south) > SMALLEST_M
        if can_split and (_is_fresh(split) or (answer := self._ask(month, poly, may_split=True)) is None):
            split.touch()
            for quarter in _quarters(piece):
                yield from self._fetch_piece(month, quarter)
            return
        if not can_split:
            answer = self._ask(month, poly, may_split=False)
        _write(path, answer or b"[]")
        yield path

    def _ask(self, month: str, poly: str, *, may_split: bool) -> bytes | None:
        """Ask until there is an answer; None if the area holds too many crimes."""
        problem = ""
        for attempt in range(TRIES):
            if attempt:
                time.sleep(min(self._pause_s * 2 ** (attempt - 1), PAUSE_MAX_S))
            try:
                status, body, wait = self._post(month, poly)
            except httpx2.RequestError as error:
                problem = f"no answer ({type(error).__name__})"
                continue
            if status == httpx2.codes.OK and _is_array(body):
                return body
            if status == TOO_MANY and may_split:
                return None
            if status == httpx2.codes.NOT_FOUND:
                message = f"The police have not published {month} (the API answers 404)."
                raise NotFoundError(message)
            problem = "an answer that is cut off" if status == httpx2.codes.OK else f"status {status}"
            if status < httpx2.codes.INTERNAL_SERVER_ERROR and status not in {
                httpx2.codes.OK,
                httpx2.codes.TOO_MANY_REQUESTS,
            }:
                break  # asking again would not help
            time.sleep(min(wait, PAUSE_MAX_S))
        message = f"The police API gives {problem} for {month}. What was fetched is kept: run the same command later."
        raise UnavailableError(message)

    def _post(self, month: str, poly: str) -> tuple[int, bytes, float]:
        """Send one request; return status, body and the seconds that the API asks to wait."""
        time.sleep(max(0.0, self._last + 1 / REQUESTS_PER_S - time.monotonic()))
        self._last = time.monotonic()
        self.requests += 1
        with self._client.stream("POST", self._url, data={"date": month, "poly": poly}) as answer:
            body = bytearray()
            for data in answer.iter_bytes():
                body += data
                if len(body) > ANSWER_MAX_BYTES:
                    message = f"The police API sent more than {ANSWER_MAX_BYTES:,} bytes for one area."
                    raise UnavailableError(message)
            return answer.status_code, bytes(body), _seconds(answer.headers.get("retry-after", ""))


def _seconds(text: str) -> float:
    return float(text) if text.isdecimal() else 0.0


def _is_array(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), list)
    except ValueError:
        return False


def _is_fresh(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime < KEEP_S
    except FileNotFoundError:
        return False


def _write(path: Path, data: bytes) -> None:
    """Put a file in its place whole or not at all."""
    temporary = path.with_name(f"{uuid.uuid4().hex}.tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _quarters(piece: Any) -> list[Any]:
    """Cut an area in four by the middle of its box; neighbours overlap a little."""
    west, south, east, north = shapely.bounds(piece)
    x, y = (west + east) / 2, (south + north) / 2
    left, right = (west, x + OVERLAP_M), (x - OVERLAP_M, east)
    low, high = (south, y + OVERLAP_M), (y - OVERLAP_M, north)
    boxes = [shapely.box(we[0], sn[0], we[1], sn[1]) for sn in (low, high) for we in (left, right)]
    return [part for box in boxes for part in _parts(shapely.intersection(piece, box))]


def _parts(geometry: Any) -> list[Any]:
    """Polygons of a geometry; what has no area holds no point that its neighbour does not hold."""
    return [part for part in shapely.get_parts(geometry) if shapely.area(part) > 0]


def _poly(piece: Any) -> str:
    """Write the outer ring as the API wants it: latitude, longitude, joined by colons, not closed."""
    ring = shapely.get_coordinates(shapely.get_exterior_ring(piece))[:-1]
    longitude, latitude = crs.to_wgs84_xy(ring[:, 0], ring[:, 1])
    return ":".join(f"{lat:.6f},{lon:.6f}" for lat, lon in zip(np.ravel(latitude), np.ravel(longitude), strict=True))
