"""A small feature service written from Esri's published contract "Query (Feature Service/Layer)", with faults to order.

It holds polygons in the National Grid, answers counts and pages, caps pages at its own limit, tells errors with HTTP
200, and without ``orderByFields`` gives rows in another order on every request, as a database may.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import shapely

from geo import crs

FOLDER = "/arcgis/rest/services"


@dataclass
class FakeLayer:
    """Rows of one layer: attributes and a polygon in EPSG:27700."""

    service: str
    rows: list[tuple[dict[str, str], Any]]
    page_limit: int = 7
    speaks_geojson_only: bool = False


@dataclass
class FakeService:
    """The layers, the faults still to be played (one a request), and every request that came in."""

    layers: list[FakeLayer]
    faults: list[str] = field(default_factory=list)
    requests: list[dict[str, str]] = field(default_factory=list)
    url: str = ""
    stalled: threading.Event = field(default_factory=threading.Event)  # a request is being held
    go_on: threading.Event = field(default_factory=threading.Event)

    def answer(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        layer = next(
            (layer for layer in self.layers if path == f"{FOLDER}/{layer.service}/FeatureServer/0/query"), None
        )
        if layer is None:
            return _error(400, "Invalid URL")
        rows = _where(layer.rows, query.get("where", ""))
        if rows is None:
            return _error(400, "Cannot perform query. Invalid query parameters.")
        if query.get("returnCountOnly") == "true":
            return {"count": len(rows)}
        return self._page(layer, rows, query)

    def _page(self, layer: FakeLayer, rows: list[Any], query: dict[str, str]) -> dict[str, Any]:
        if order := query.get("orderByFields"):
            rows = sorted(rows, key=lambda row: row[0][order])
        else:
            turn = len(self.requests) % len(rows)
            rows = rows[turn:] + rows[:turn]
        start = int(query.get("resultOffset", 0))
        size = min(int(query.get("resultRecordCount", layer.page_limit)), layer.page_limit)
        page, more = rows[start : start + size], start + size < len(rows)
        if layer.speaks_geojson_only or query.get("f") == "geojson":
            return _geojson(page, more)
        return _esri_json(page, more, int(query.get("outSR", 27700)), query["outFields"].split(","))


def _error(code: int, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "details": []}}


def _where(rows: list[Any], where: str) -> list[Any] | None:
    found = re.fullmatch(r"(\w+)='([^']*)'", where)
    if found is None or found[1] not in rows[0][0]:
        return None
    return [row for row in rows if row[0][found[1]] == found[2]]


def _geojson(page: list[Any], more: bool) -> dict[str, Any]:
    features = [
        {
            "type": "Feature",
            "properties": attributes,
            "geometry": json.loads(shapely.to_geojson(crs.geometry_to_wgs84(shape))),
        }
        for attributes, shape in page
    ]
    collection: dict[str, Any] = {"type": "FeatureCollection", "features": features}
    return collection | ({"properties": {"exceededTransferLimit": True}} if more else {})


def _esri_json(page: list[Any], more: bool, wkid: int, fields: list[str]) -> dict[str, Any]:
    features = []
    for attributes, shape in page:
        placed = shape if wkid == 27700 else crs.geometry_to_wgs84(shape)
        # Esri: outer rings clockwise, holes the other way round
        oriented = shapely.orient_polygons(placed, exterior_cw=True)
        rings = [
            [list(point) for point in ring.coords]
            for part in shapely.get_parts(oriented)
            for ring in (part.exterior, *part.interiors)
        ]
        features.append({"attributes": {name: attributes[name] for name in fields}, "geometry": {"rings": rings}})
    answer: dict[str, Any] = {
        "objectIdFieldName": "FID",
        "geometryType": "esriGeometryPolygon",
        "spatialReference": {"wkid": wkid, "latestWkid": wkid},
        "fields": [{"name": name, "type": "esriFieldTypeString", "alias": name, "length": 80} for name in fields],
        "features": features,
    }
    return answer | ({"exceededTransferLimit": True} if more else {})


class _Handler(BaseHTTPRequestHandler):
    service: FakeService

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.service.requests.append(query)
        fault = self.service.faults.pop(0) if self.service.faults else ""
        body = json.dumps(self.service.answer(parts.path, query)).encode()
        if fault == "stall":
            self.service.stalled.set()
            self.service.go_on.wait(timeout=60)
        elif fault.isdigit():
            self._send(int(fault), b"<html>busy</html>", retry_after="0")
        elif fault == "error-body":
            self._send(200, json.dumps(_error(503, "Service busy")).encode())
        elif fault == "no-json":
            self._send(200, b"<html>maintenance</html>")
        elif fault == "cut":
            self._send(200, body[: len(body) // 2], promised=len(body))
        else:
            self._send(200, body)

    def _send(self, status: int, body: bytes, *, promised: int | None = None, retry_after: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body) if promised is None else promised))
        if retry_after:
            self.send_header("Retry-After", retry_after)
        if status in {301, 302}:
            self.send_header("Location", "http://elsewhere.example/")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the test output quiet."""


@contextmanager
def running(*layers: FakeLayer) -> Iterator[FakeService]:
    """Serve the layers on a free port."""
    service = FakeService(list(layers))
    handler = type("Handler", (_Handler,), {"service": service})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    service.url = f"http://127.0.0.1:{server.server_port}{FOLDER}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join()
