"""Acknowledged means on disk: the server is killed in the middle of a stream of marks, and every one told is found."""

from __future__ import annotations

import http.client
import json
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from service.core import initialise, open_core
from service.settings import Settings
from tests.conftest import Server
from tests.support.squares import add_squares, mark

CONNECTIONS = 8
KILLS = 3
MARKS = 150  # acknowledged before each kill


class Sender(threading.Thread):
    """Sends marks one after the other and remembers which were acknowledged, and the one that was under way."""

    def __init__(self, url: str, number: int) -> None:
        super().__init__(daemon=True)
        self.host = url.removeprefix("http://")
        self.number = number
        self.acknowledged: list[str] = []
        self.under_way: dict[str, Any] | None = None
        self.refused: list[int] = []

    def run(self) -> None:
        connection = http.client.HTTPConnection(self.host, timeout=20)
        for step in range(100_000):
            feature = mark(100 + self.number * 200, 100 + step % 1800)
            self.under_way = feature
            try:
                status = post(connection, feature)
            except (OSError, http.client.HTTPException):  # the server was killed: nobody knows what it stored
                break
            if status == 201:
                self.acknowledged.append(feature["id"])
                self.under_way = None
            else:
                self.refused.append(status)
        connection.close()


def post(connection: http.client.HTTPConnection, feature: dict[str, Any]) -> int:
    headers = {"Content-Type": "application/json"}
    connection.request("POST", "/api/v1/places", json.dumps(feature), headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


@pytest.mark.slow
def test_every_acknowledged_mark_survives_a_kill_exactly_once(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "store", worker=False)
    initialise(settings, "demo")
    core = open_core(settings)
    add_squares(core)
    core.store.close()
    server = Server(settings.data_dir, {"SAFER_PLACES_WORKER": "false", "SAFER_PLACES_MARKS_PER_MINUTE": "10000000"})
    told: list[str] = []
    senders: list[Sender] = []
    try:
        for _ in range(KILLS):
            server.start()
            told += resend(server.url, senders)
            senders = stream_until_killed(server)
            told += [identifier for sender in senders for identifier in sender.acknowledged]
        server.start()
        told += resend(server.url, senders)
        listed = list_ids(server.url)
    finally:
        server.stop()
    assert len(told) >= MARKS * KILLS
    assert sorted(listed) == sorted(told)
    assert sorted(derived(settings.data_dir)) == sorted(told)


def stream_until_killed(server: Server) -> list[Sender]:
    """Send from several connections and kill the server while all of them are busy."""
    senders = [Sender(server.url, number) for number in range(CONNECTIONS)]
    for sender in senders:
        sender.start()
    deadline = time.monotonic() + 60
    while sum(len(sender.acknowledged) for sender in senders) < MARKS and time.monotonic() < deadline:
        time.sleep(0.005)
    server.kill()
    for sender in senders:
        sender.join(timeout=30)
    assert [status for sender in senders for status in sender.refused] == []
    return senders


def resend(url: str, senders: list[Sender]) -> list[str]:
    """Send what was under way again: whether it had been stored or not, it then is, once."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
    pending = [sender.under_way for sender in senders if sender.under_way is not None]
    for feature in pending:
        assert post(connection, feature) in {200, 201}
        assert post(connection, feature) == 200
    connection.close()
    return [str(feature["id"]) for feature in pending]


def list_ids(url: str) -> list[str]:
    """Return every id that the list shows, page by page."""
    found: list[str] = []
    path: str | None = "/api/v1/places?limit=1000"
    while path:
        page = httpx2.get(url + path, timeout=60).json()
        found += [feature["id"] for feature in page["features"]]
        path = next((link["href"] for link in page["links"]), None)
    return found


def derived(data_dir: Path) -> list[str]:
    """Return the ids that have a receipt, a box in the index and an area: all or nothing of a mark is stored."""
    with sqlite3.connect(data_dir / "safer-places.sqlite") as connection:
        (healthy,) = connection.execute("PRAGMA integrity_check").fetchone()
        assert healthy == "ok"
        rows = connection.execute(
            "SELECT place.id FROM place JOIN receipt ON receipt.place_seq = place.seq JOIN place_rtree USING (seq) "
            "JOIN place_area ON place_area.place_seq = place.seq"
        ).fetchall()
    connection.close()
    return [f"{i[:8]}-{i[8:12]}-{i[12:16]}-{i[16:20]}-{i[20:]}" for (i,) in rows]
