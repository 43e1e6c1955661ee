"""A room of phones marking at once: waiting time of the join and of each mark, and whether all of them are stored.

    .venv/bin/python bench/bench_workshop.py [--phones 60] [--rounds 10] [--walls 5] [--note WORDS]

A real server on a free port with the settings as they come, one workshop, every phone with a seat and a connection of
its own. All phones join at the same moment; then, round by round, all press "Send" at the same moment. Some screens
listen to the wall meanwhile. The phones run on the same machine as the server, so they take from its two cores.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select

from service.areas.importing import load_bundled
from service.core import initialise, open_core
from service.people.access import DEMO
from service.places.models import Place
from service.settings import Settings
from service.store.base import utc_now
from service.workshops import workflow

ROOT = Path(__file__).resolve().parents[1]
TARGET_MS = 300.0
PAUSE_S = 0.5


@dataclass
class Phone:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    port: int
    rng: random.Random
    cookie: str = ""

    @classmethod
    async def connect(cls, port: int, seed: int) -> Phone:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        return cls(reader, writer, port, random.Random(seed))

    async def post(self, path: str, body: object) -> tuple[int, bytes, float]:
        content = json.dumps(body).encode()
        host = f"127.0.0.1:{self.port}"
        head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nContent-Type: application/json\r\n"
        head += f"Cookie: {self.cookie}\r\nContent-Length: {len(content)}\r\n\r\n"
        begin = time.perf_counter()
        self.writer.write(head.encode() + content)
        answer = await self.reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        await self.reader.readexactly(length)
        return int(answer.split()[1]), answer, time.perf_counter() - begin

    async def join(self, code: str) -> float:
        status, answer, waited = await self.post("/api/v1/workshop/join", {"code": code})
        if status != 200:
            raise SystemExit(f"a phone could not join: {status}")
        self.cookie = answer.split(b"set-cookie: ")[1].split(b";")[0].decode()
        return waited

    async def mark(self, note: str) -> tuple[bool, float]:
        point = [round(self.rng.uniform(-0.04, 0.0), 6), round(self.rng.uniform(51.43, 51.47), 6)]
        properties = {
            "feeling": "unsafe",
            "times": ["evening"],
            "reasons": ["poor_lighting"],
            "note": note,
            "contributor_key": f"{self.rng.getrandbits(96):024x}",
        }
        feature = {
            "type": "Feature",
            "id": str(uuid.UUID(int=self.rng.getrandbits(128), version=4)),
            "geometry": {"type": "Point", "coordinates": point},
            "properties": properties,
        }
        status, _, waited = await self.post("/api/v1/workshop/places", feature)
        return status == 201, waited


async def watch_wall(port: int, path: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    try:
        while await reader.read(4096):
            pass
    except asyncio.CancelledError:
        writer.close()


async def drive(port: int, code: str, wall: str, given: argparse.Namespace) -> tuple[list[float], list[float], int]:
    screens = [asyncio.create_task(watch_wall(port, wall)) for _ in range(given.walls)]
    phones = await asyncio.gather(*(Phone.connect(port, seed) for seed in range(given.phones)))
    joins = await asyncio.gather(*(phone.join(code) for phone in phones))
    waits: list[float] = []
    acknowledged = 0
    for _ in range(given.rounds):
        await asyncio.sleep(PAUSE_S)
        for stored, waited in await asyncio.gather(*(phone.mark(given.note) for phone in phones)):
            acknowledged += stored
            waits.append(waited)
    for screen in screens:
        screen.cancel()
    for phone in phones:
        phone.writer.close()
    return list(joins), waits, acknowledged


async def start_server(folder: Path) -> tuple[asyncio.subprocess.Process, int]:
    environment = os.environ | {"SAFER_PLACES_DATA_DIR": str(folder), "SAFER_PLACES_WORKER": "false"}
    command = (sys.executable, "-m", "service.cli", "serve", "--port", "0")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, env=environment | {"SAFER_PLACES_LOG_LEVEL": "error"}, stdout=pipe, cwd=ROOT
    )
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    port = int(line.rsplit(":", 1)[1])
    for _ in range(600):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            break
        except OSError:
            await asyncio.sleep(0.1)
    return process, port


def prepare(folder: Path) -> tuple[uuid.UUID, str]:
    settings = Settings(data_dir=folder)
    initialise(settings, "demo")
    core = open_core(settings)
    load_bundled(core)
    workflow.add_sample_duty(core)
    now = utc_now()
    window = {"opens_at": now - timedelta(minutes=1), "closes_at": now + timedelta(hours=2)}
    wanted = workflow.WorkshopIn(title="Bench", room_contact="020 7946 0000", takes_words=True, **window)
    made = workflow.create_workshop(core, DEMO, wanted)
    code = workflow.code_of(core, DEMO, made)
    core.store.close()
    return made, code


def count_stored(folder: Path) -> int:
    core = open_core(Settings(data_dir=folder))
    with core.store.read() as session:
        found = session.scalar(select(func.count()).select_from(Place).where(Place.source == "workshop")) or 0
    core.store.close()
    return found


def processor_s(number: int) -> float:
    """Return the processor time that a process has taken; what others do on the machine does not count."""
    fields = Path(f"/proc/{number}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def run(folder: Path, given: argparse.Namespace) -> tuple[list[float], list[float], int, float]:
    made, code = prepare(folder)
    process, port = await start_server(folder)
    try:
        warm = await Phone.connect(port, 10_000)
        await warm.join(code)
        await warm.mark(given.note)  # the first mark loads the boundaries
        before = processor_s(process.pid)
        answers = await drive(port, code, f"/workshops/{made}/wall/events", given)
        return *answers, processor_s(process.pid) - before
    finally:
        process.terminate()
        await process.wait()


def row(name: str, waits: list[float]) -> str:
    cuts = statistics.quantiles(waits, n=100, method="inclusive")
    numbers = (cuts[49], cuts[94], cuts[98], max(waits))
    return f"| {name} | {len(waits)} | " + " | ".join(f"{1000 * number:.0f} ms" for number in numbers) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--phones", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--walls", type=int, default=5)
    parser.add_argument("--note", default="dark alley, no lights", help="what every phone writes")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        joins, waits, acknowledged, busy = asyncio.run(run(Path(scratch), given))
        stored = count_stored(Path(scratch)) - 1  # the first one warmed the server
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {given.walls} screens on the wall")
    print("| step | requests | p50 | p95 | p99 | longest |\n|---|---|---|---|---|---|")
    print(row("join", joins))
    print(row("mark", waits))
    print(f"processor time of the server: {1000 * busy / (len(waits) + len(joins)):.1f} ms a request")
    print(f"sent {len(waits)}, acknowledged {acknowledged}, stored {stored}")
    p95 = 1000 * statistics.quantiles(waits, n=100, method="inclusive")[94]
    if stored != acknowledged or acknowledged != len(waits):
        raise SystemExit("marks were lost or refused")
    print(f"p95 of {p95:.0f} ms; asked for: under {TARGET_MS:.0f} ms")


if __name__ == "__main__":
    main()
