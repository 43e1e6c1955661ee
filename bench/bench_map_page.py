"""HTML bytes and build time of the marks map beside plain Folium. `python bench/bench_map_page.py [--sizes 1000]`.

Ours is the whole page as the server answers it (rights, header, filters, table by ward, map), and beside it the one
request that the page makes for its first view and the offline file, which holds the marks as groups of six zooms. The
peers are Folium's own clusters with the same points and the same popup text, rendered to HTML: Marker in a
MarkerCluster, and FastMarkerCluster, which has no popups. Medians; the slow rows are run once.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

SIZES = (1_000, 10_000, 100_000)
REPEATS = 5
SLOW_FROM = 10_000
BOX = "-0.2,51.3,0.2,51.6"


class Clock:
    """Time on the clock, or processor time of this process: what others do on the machine then counts less."""

    now: Callable[[], float] = staticmethod(time.perf_counter)


def timed(call: Callable[[], bytes], repeats: int) -> tuple[float, int]:
    """Return median seconds and bytes."""
    seconds, size = [], 0
    for _ in range(repeats):
        start = Clock.now()
        size = len(call())
        seconds.append(Clock.now() - start)
    return statistics.median(seconds), size


def folium_cluster(points: list[tuple[float, float]]) -> bytes:
    """Markers with popups in Folium's cluster."""
    import folium
    from folium.plugins import MarkerCluster

    drawn = folium.Map((51.45, -0.02), zoom_start=12, tiles=None)
    cluster = MarkerCluster().add_to(drawn)
    for at in points:
        folium.Marker(at, popup="Feels unsafe").add_to(cluster)
    return drawn.get_root().render().encode()


def folium_fast_cluster(points: list[tuple[float, float]]) -> bytes:
    """Folium's cluster that is given positions only."""
    import folium
    from folium.plugins import FastMarkerCluster

    drawn = folium.Map((51.45, -0.02), zoom_start=12, tiles=None)
    FastMarkerCluster(points).add_to(drawn)
    return drawn.get_root().render().encode()


def rows_of(base: Path, size: int) -> list[tuple[str, float, int]]:
    """Measure every way at one size, in this process, one after the other."""
    from fastapi.testclient import TestClient

    from service.app import create_app
    from service.core import open_core
    from service.people.access import DEMO
    from service.places.workflow import places_in_bbox
    from service.settings import Settings
    from tests.support.maps import add_many

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "data"
        shutil.copytree(base, folder)
        settings = Settings(data_dir=folder, worker=False)
        core = open_core(settings)
        add_many(core, size)
        found = places_in_bbox(core, DEMO, None)
        points = list(zip(found.latitude.tolist(), found.longitude.tolist(), strict=True))
        core.store.close()
        slow = 1 if size >= SLOW_FROM else REPEATS
        with TestClient(create_app(settings)) as client:

            def get(path: str) -> Callable[[], bytes]:
                def call() -> bytes:
                    answer = client.get(path, headers={"accept-encoding": "identity"})
                    assert answer.status_code == 200, answer.text
                    return answer.content

                return call

            first: Any = get("/maps/places")
            first()  # indexes and templates are made once a process
            measured = [
                ("ours: /maps/places", *timed(first, REPEATS)),
                ("ours: its first view", *timed(get(f"/maps/data/places?bbox={BOX}&zoom=12"), REPEATS)),
                ("ours: one offline file", *timed(get("/maps/places/download"), REPEATS)),
            ]
        measured.append(("folium FastMarkerCluster", *timed(lambda: folium_fast_cluster(points), slow)))
        measured.append(("folium MarkerCluster", *timed(lambda: folium_cluster(points), slow)))
    return measured


def kept_rows_of(base: Path, size: int) -> list[tuple[str, float, float]]:
    """Measure pages with counts of marks: right after a mark changed, when all is counted again, and kept."""
    from fastapi.testclient import TestClient
    from sqlalchemy import text

    from service.app import create_app
    from service.areas.workflow import area_shapes
    from service.core import open_core
    from service.jobs.context import Silent
    from service.places.workflow import rejoin_places
    from service.settings import Settings
    from tests.support.maps import add_many

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "data"
        shutil.copytree(base, folder)
        settings = Settings(data_dir=folder, worker=False)
        core = open_core(settings)
        add_many(core, size)
        rejoin_places(core, "square", Silent())
        ward = area_shapes(core, "square").codes[0]
        measured = []
        with TestClient(create_app(settings)) as client:
            for path in ("/maps", "/maps/places", f"/wards/square/{ward}"):

                def get(path: str = path) -> bytes:
                    answer = client.get(path)
                    assert answer.status_code == 200, answer.text
                    return answer.content

                fresh = []
                for _ in range(REPEATS):
                    core.store.write(
                        lambda s: s.execute(text("UPDATE place SET version = version + 1 WHERE seq = 1")) and None
                    )
                    fresh.append(timed(get, 1)[0])
                measured.append((path, statistics.median(fresh), timed(get, REPEATS)[0]))
        core.store.close()
    return measured


def main() -> None:
    """Print one Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--cpu", action="store_true", help="processor time instead of time on the clock")
    parser.add_argument("--kept", action="store_true", help="only our pages: right after a change, and kept")
    args = parser.parse_args()
    sizes = args.sizes
    if args.cpu:
        Clock.now = staticmethod(time.process_time)
    from tests.support.maps import fill

    with tempfile.TemporaryDirectory() as scratch:
        base = fill(Path(scratch))
        if args.kept:
            print("| marks | page | after a change, ms | kept, ms |\n|---:|---|---:|---:|")
            for size in sizes:
                for path, fresh, kept in kept_rows_of(base, size):
                    print(f"| {size:,} | {path} | {1000 * fresh:,.0f} | {1000 * kept:,.0f} |", flush=True)
            return
        print("| marks | way | ms | kB |\n|---:|---|---:|---:|")
        for size in sizes:
            for name, seconds, content in rows_of(base, size):
                print(f"| {size:,} | {name} | {1000 * seconds:,.0f} | {content / 1000:,.1f} |", flush=True)


if __name__ == "__main__":
    main()
