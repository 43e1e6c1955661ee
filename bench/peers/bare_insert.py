"""The peer of ``bench_write.py``: FastAPI and SQLite (WAL, FULL), one INSERT a request, nothing checked or joined."""

import os
import sqlite3
import threading
import time
import uuid

from fastapi import FastAPI
from pydantic import BaseModel, Field

LOCAL = threading.local()
INSERT = "INSERT INTO place (uid, kind, lon, lat, note, ts) VALUES (?, ?, ?, ?, ?, ?)"


class Place(BaseModel):
    kind: str = Field(pattern="^(safe|unsafe)$")
    lon: float = Field(ge=-180, le=180)
    lat: float = Field(ge=-90, le=90)
    note: str = Field("", max_length=500)


def connection() -> sqlite3.Connection:
    found: sqlite3.Connection | None = getattr(LOCAL, "connection", None)
    if found is None:
        found = LOCAL.connection = sqlite3.connect(
            os.environ["BARE_DB"], isolation_level=None, timeout=30, check_same_thread=False
        )
        found.execute("PRAGMA journal_mode=WAL")
        found.execute("PRAGMA synchronous=FULL")
    return found


connection().execute(
    "CREATE TABLE IF NOT EXISTS place"
    " (id INTEGER PRIMARY KEY, uid TEXT UNIQUE, kind TEXT, lon REAL, lat REAL, note TEXT, ts REAL)"
)
app = FastAPI()


@app.post("/places", status_code=201)
def add(place: Place) -> dict[str, int | None]:
    row = (uuid.uuid4().hex, place.kind, place.lon, place.lat, place.note, time.time())
    return {"id": connection().execute(INSERT, row).lastrowid}
