"""Police data for tests: rows by hand, the real dump turned back into the API's answers, and a small police API.

The API is written from the published contract (data.police.uk/docs/method/crime-street): POST with ``date`` and
``poly`` (latitude,longitude pairs joined by colons), 503 for an area with too many crimes, 429 beyond the rate limit,
404 for a month that is not published.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import socket
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import shapely

from geo import crs
from service.areas.workflow import Fields, SetWords, import_file
from service.core import Core

HEADER = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Crime type,"
    "Last outcome category,Context"
)
MET = "Metropolitan Police Service"
BTP = "British Transport Police"


@dataclass(frozen=True)
class Row:
    """One crime at a place in metres."""

    x: float
    y: float
    month: str = "2018-06"
    kind: str = "Robbery"
    by: str = MET


def lonlat(x: float, y: float) -> tuple[str, str]:
    """Degrees with the police's six decimals (about 0.1 m)."""
    longitude, latitude = crs.to_wgs84_xy(x, y)
    return f"{longitude[0]:.6f}", f"{latitude[0]:.6f}"


def street_csv(rows: Iterable[Row], *, more: Iterable[str] = ()) -> bytes:
    """The police's layout, with whole lines of ``more`` at the end."""
    lines = [HEADER]
    for number, row in enumerate(rows):
        lon, lat = lonlat(row.x, row.y)
        crime_id = "" if row.kind.startswith("Anti") else hashlib.sha256(f"{number}{row}".encode()).hexdigest()
        lines.append(f"{crime_id},{row.month},{row.by},{row.by},{lon},{lat},On or near A Street,,,{row.kind},,")
    return "\n".join([*lines, *more, ""]).encode()


def scattered(n_rows: int, seed: int, **fixed: Any) -> list[Row]:
    """Seeded rows over the two square wards of ``import_squares`` and a little beyond."""
    random = np.random.default_rng(seed)
    x, y = random.uniform(536_900, 539_100, n_rows), random.uniform(173_900, 175_100, n_rows)
    kinds = random.choice(["Robbery", "Drugs", "Anti-social behaviour", "Violence and sexual offences"], n_rows)
    return [Row(float(a), float(b), kind=str(kind), **fixed) for a, b, kind in zip(x, y, kinds, strict=True)]


WARDS = {"E05000001": (537_000, 174_000, 538_000, 175_000), "E05000002": (538_000, 174_000, 539_000, 175_000)}
LSOAS = {
    "E01000001": (537_000, 174_000, 538_000, 175_000),
    "E01000002": (538_000, 174_000, 538_200, 175_000),
    "E01000003": (538_200, 174_000, 539_000, 175_000),
}


def import_squares(core: Core, folder: Path, name: str, level: str, boxes: dict[str, tuple[float, ...]]) -> None:
    """Store squares in metres as a boundary set."""
    features = [
        {
            "type": "Feature",
            "properties": {"code": code, "name": f"Area {code}"},
            "geometry": shapely.geometry.mapping(crs.geometry_to_wgs84(shapely.box(*box))),
        }
        for code, box in boxes.items()
    ]
    path = folder / f"{name}.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    words = SetWords(name=name, level=level, resolution_m=1.0)
    import_file(core, path, words, fields=Fields("code", "name"), default=False)


def api_record(row: dict[str, str]) -> dict[str, Any]:
    """Turn a row of the flattened dump back into the record that the API gave."""
    outcome = {"category": row["outcome_category"], "date": row["outcome_date"]} if row["outcome_category"] else None
    return {
        "category": row["category"],
        "location_type": row["location_type"],
        "location": {
            "latitude": row["latitude"],
            "street": {"id": int(row["street_id"]), "name": row["street_name"]},
            "longitude": row["longitude"],
        },
        "context": row["context"],
        "outcome_status": outcome,
        "persistent_id": row["persistent_id"],
        "id": int(row["id"]),
        "location_subtype": row["location_subtype"],
        "month": row["month"],
    }


def dump_rows(realdata: Path) -> list[dict[str, str]]:
    """Rows of the real dump."""
    with gzip.open(realdata / "crime" / "lewisham_street_crime_2016_2018.csv.gz", "rt", newline="") as file:
        return list(csv.DictReader(file))


def write_months(rows: list[dict[str, str]], folder: Path) -> list[Path]:
    """One answer a month, each record once."""
    return _write(folder, {(row["month"],): [] for row in rows}, rows, by_ward=False)


def write_wards(rows: list[dict[str, str]], folder: Path) -> list[Path]:
    """One answer a ward and month, as they were fetched: records on a common edge are in two of them."""
    return _write(folder, {}, rows, by_ward=True)


def _write(folder: Path, start: dict[Any, list[Any]], rows: list[dict[str, str]], *, by_ward: bool) -> list[Path]:
    answers: dict[Any, list[Any]] = defaultdict(list, start)
    for row in rows:
        for ward in row["ward_codes"].split("|") if by_ward else [None]:
            answers[(row["month"], ward) if by_ward else (row["month"],)].append(api_record(row))
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for key, records in sorted(answers.items()):
        path = folder / f"{'_'.join(map(str, key))}.json"
        path.write_text(json.dumps(records))
        paths.append(path)
    return paths


@dataclass
class PoliceService:
    """Records to answer with, faults still to be played (one a request), and what came in."""

    records: list[dict[str, Any]]
    limit: int = 10_000
    faults: list[str] = field(default_factory=list)
    requests: list[tuple[str, int]] = field(default_factory=list)  # month and status
    url: str = ""

    def __post_init__(self) -> None:
        places = [record["location"] for record in self.records]
        self._points = shapely.points([[float(p["longitude"]), float(p["latitude"])] for p in places])

    def answer(self, month: str, poly: str) -> tuple[int, bytes]:
        """Status and body for one area and month."""
        if not any(record["month"] == month for record in self.records):
            return 404, b"<h1>Not Found</h1>"
        ring = [[float(part) for part in reversed(pair.split(","))] for pair in poly.split(":")]
        inside = shapely.intersects(shapely.Polygon(ring), self._points)
        found = [r for r, within in zip(self.records, inside, strict=True) if within and r["month"] == month]
        return (503, b"") if len(found) > self.limit else (200, json.dumps(found).encode())


@contextmanager
def police_service(service: PoliceService) -> Iterator[PoliceService]:
    """Serve on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            month, poly = form["date"][0], form["poly"][0]
            fault = service.faults.pop(0) if service.faults else ""
            status, body = service.answer(month, poly)
            if self.path != "/api/crimes-street/all-crime":
                status, body = 404, b""
            elif fault.isdecimal():
                status, body = int(fault), b"busy"
            service.requests.append((month, status))
            if fault == "time-out":
                time.sleep(1.0)
            if fault == "cut":  # reset instead of an answer
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                self.close_connection = True
                return
            if fault == "half":
                body = body[: len(body) // 2]
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if status == 429:
                self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # cut connections are ordered
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    service.url = f"http://127.0.0.1:{server.server_port}/api"
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
