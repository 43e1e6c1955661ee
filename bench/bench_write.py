"""Acknowledged marks a second and their waiting time, beside a bare FastAPI and SQLite insert, in one run.

    .venv/bin/python bench/bench_write.py [--seconds 5] [--rounds 3] [--connections 32]

Both servers commit with ``synchronous=FULL`` before they answer. Ours also checks the mark, joins it to every bundled
boundary set with edge distance and neighbour, indexes it, stores a receipt hash and answers with the stored place.
Rounds alternate, so that the load of the machine falls on both; the table shows medians.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path

from service.areas.importing import load_bundled
from service.core import initialise, open_core
from service.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
OK = (b"HTTP/1.1 201", b"HTTP/1.1 200")


def our_body(rng: random.Random) -> bytes:
    point = [round(rng.uniform(-0.04, 0.0), 6), round(rng.uniform(51.43, 51.47), 6)]
    properties = {
        "feeling": "unsafe",
        "times": ["evening"],
        "reasons": ["poor_lighting"],
        "note": "dark alley, no lights",
    }
    feature = {
        "type": "Feature",
        "id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "geometry": {"type": "Point", "coordinates": point},
        "properties": properties,
    }
    return json.dumps(feature).encode()


def bare_body(rng: random.Random) -> bytes:
    mark = {"kind": "unsafe", "lon": round(rng.uniform(-0.05, 0.01), 6), "lat": 51.45, "note": "dark alley, no lights"}
    return json.dumps(mark).encode()


async def one_connection(
    port: int, path: str, make: Callable[[random.Random], bytes], until: float, seed: int
) -> tuple[list[float], int]:
    rng = random.Random(seed)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nContent-Length: "
    waits: list[float] = []
    refused = 0
    while time.perf_counter() < until:
        body = make(rng)
        begin = time.perf_counter()
        writer.write(head.encode() + str(len(body)).encode() + b"\r\n\r\n" + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        if answer.startswith(OK):
            waits.append(time.perf_counter() - begin)
        else:
            refused += 1
    writer.close()
    return waits, refused


async def load(
    port: int, path: str, make: Callable[[random.Random], bytes], *, seconds: float, connections: int
) -> tuple[float, float, float, int]:
    """Return marks a second, median and 99th percentile of the wait [ms], and refusals."""
    begin = time.perf_counter()
    seeds = [random.SystemRandom().getrandbits(64) for _ in range(connections)]
    done = await asyncio.gather(*(one_connection(port, path, make, begin + seconds, seed) for seed in seeds))
    taken = time.perf_counter() - begin
    waits = sorted(wait for one, _ in done for wait in one)
    p50, p99 = waits[len(waits) // 2], waits[int(len(waits) * 0.99)]
    return len(waits) / taken, p50 * 1000, p99 * 1000, sum(refused for _, refused in done)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(url: str) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"no answer from {url}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-write-"))
    settings = Settings(data_dir=folder, worker=False)
    initialise(settings, "demo")
    core = open_core(settings)
    load_bundled(core)
    core.store.close()
    ours, bare = free_port(), free_port()
    environment = os.environ | {
        "SAFER_PLACES_DATA_DIR": str(folder),
        "SAFER_PLACES_WORKER": "false",
        "SAFER_PLACES_MARKS_PER_MINUTE": "100000000",
        "BARE_DB": str(folder / "bare.sqlite"),
        "PYTHONPATH": str(ROOT),
    }
    commands = [
        [sys.executable, "-m", "service.cli", "serve", "--port", str(ours)],
        [sys.executable, "-m", "uvicorn", "bench.peers.bare_insert:app", "--port", str(bare), "--no-access-log"],
    ]
    servers = [
        subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for command in commands
    ]
    try:
        wait_for(f"http://127.0.0.1:{ours}/ready")
        wait_for(f"http://127.0.0.1:{bare}/openapi.json")
        cases = {"ours": (ours, "/api/v1/places", our_body), "bare": (bare, "/places", bare_body)}
        rounds: dict[str, list[tuple[float, float, float, int]]] = {name: [] for name in cases}
        for turn in range(given.rounds + 1):
            for name, (port, path, make) in cases.items():
                seconds = 1.0 if turn == 0 else given.seconds
                found = asyncio.run(load(port, path, make, seconds=seconds, connections=given.connections))
                if turn:
                    rounds[name].append(found)
    finally:
        for server in servers:
            server.send_signal(signal.SIGTERM)
            server.wait(timeout=30)
    report(rounds, given.connections)


def report(rounds: dict[str, list[tuple[float, float, float, int]]], connections: int) -> None:
    ratios = [ours[0] / bare[0] for ours, bare in zip(rounds["ours"], rounds["bare"], strict=True)]
    print(f"| {connections} connections | marks/s | p50 ms | p99 ms | refused |\n|---|---|---|---|---|")
    for name, found in rounds.items():
        rate, p50, p99 = (statistics.median(one[k] for one in found) for k in range(3))
        print(f"| {name} | {rate:,.0f} | {p50:.1f} | {p99:.1f} | {sum(one[3] for one in found)} |")
    print(f"| ours / bare | {statistics.median(ratios):.2f} x | | | |")


if __name__ == "__main__":
    main()
