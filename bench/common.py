"""What every bench shares: data beside the checkout or seeded, paired timing, one table."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # `python bench/bench_join.py` works without an installed project too

from geo import crs  # noqa: E402  the path must be set first

DATA = ROOT.parent / "shared" / "data"
SIDE_M = 8_000.0  # seeded areas tile a square of this side
CORNER = (532_000.0, 168_000.0)


class Clock(argparse.Action):
    """Measure processor time from now on: what others do on the machine then counts less."""

    now: Callable[[], float] = staticmethod(time.perf_counter)

    def __call__(self, *_: Any) -> None:
        Clock.now = staticmethod(time.process_time)


def options(about: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--cpu", action=Clock, nargs=0, help="processor time instead of time on the clock")
    parser.add_argument("--runs", type=int, default=5, help="rounds; each round runs every method once, in turn")
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    return parser


def machine(*packages: str) -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in packages)
    return f"{os.cpu_count()} cores, {memory:.0f} GB, Python {platform.python_version()}, {versions}"


def paired(methods: dict[str, Callable[[], Any]], *, runs: int) -> tuple[dict[str, list[float]], dict[str, Any]]:
    """Run the methods in turn, round by round, so that a busy neighbour slows all of them alike."""
    answers = {name: method() for name, method in methods.items()}  # warm
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    for _ in range(runs):
        for name, method in methods.items():
            begin = Clock.now()
            method()
            seconds[name].append(Clock.now() - begin)
    return seconds, answers


def rows_of(task: str, data: str, seconds: dict[str, list[float]], *, ours: str) -> list[dict[str, str]]:
    """One row a method: median, spread, and the median over rounds of peer time by our time."""
    rows = []
    for name, times in seconds.items():
        ratios = [theirs / own for theirs, own in zip(times, seconds[ours], strict=True)]
        ratio = "1" if name == ours else f"{statistics.median(ratios):.3g} x slower"
        rows.append(
            {
                "task": task,
                "data": data,
                "method": name,
                "median s": f"{statistics.median(times):.4g}",
                "min - max s": f"{min(times):.3g} - {max(times):.3g}",
                "against ours": ratio,
            }
        )
    return rows


def show(rows: list[dict[str, str]], args: argparse.Namespace) -> None:
    names = list(rows[0])
    print("| " + " | ".join(names) + " |\n|" + "---|" * len(names))
    for row in rows:
        print("| " + " | ".join(str(row.get(name, "")) for name in names) + " |")
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1))


def real_areas(file: str, code: str) -> tuple[list[str], Any] | None:
    """Codes and metric polygons of a file of the open data folder, or nothing where it is missing."""
    path = DATA / "boundaries" / file
    if not path.exists():
        return None
    frame = gpd.read_file(f"/vsigzip/{path}" if path.suffix == ".gz" else path)
    return frame[code].tolist(), crs.geometry_to_metric(frame.geometry.to_numpy())


def seeded_areas(n: int, *, seed: int = 3, depth: int = 6) -> tuple[list[str], Any]:
    """Return n areas that tile a square: Voronoi cells whose shared edges are fractal lines of 2**depth segments."""
    random = np.random.default_rng(seed)
    frame = shapely.box(*CORNER, CORNER[0] + SIDE_M, CORNER[1] + SIDE_M)
    spots = random.uniform(CORNER, np.add(CORNER, SIDE_M), (n, 2))
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(spots), extend_to=frame))
    lines = shapely.get_parts(shapely.node(shapely.union_all(shapely.boundary(shapely.intersection(cells, frame)))))
    rim = frame.boundary
    wiggled = [line if rim.distance(line.centroid) < 1e-6 else _wiggle(line, random, depth) for line in lines]
    pieces = shapely.get_parts(shapely.polygonize([shapely.node(shapely.MultiLineString(wiggled))]))
    pieces = pieces[np.argsort(-shapely.area(pieces))][:n]
    return [f"S{k:08d}" for k in range(len(pieces))], pieces


def _wiggle(line: Any, random: np.random.Generator, depth: int) -> Any:
    points = shapely.get_coordinates(line)[[0, -1]]
    for _ in range(depth):
        step = np.diff(points, axis=0)
        middle = points[:-1] + step / 2
        middle += np.c_[-step[:, 1], step[:, 0]] * random.normal(0, 0.07, (len(step), 1)).clip(-0.12, 0.12)
        points = np.insert(points, np.arange(1, len(points)), middle, axis=0)
    return shapely.LineString(points)


def points_inside(polygons: Any, n: int, *, seed: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Return n uniform points inside the areas."""
    random = np.random.default_rng(seed)
    outline = shapely.union_all(polygons)
    shapely.prepare(outline)
    west, south, east, north = shapely.bounds(outline)
    kept = np.empty((0, 2))
    while len(kept) < n:
        spots = random.uniform((west, south), (east, north), (n, 2))
        kept = np.concatenate([kept, spots[shapely.contains_xy(outline, spots[:, 0], spots[:, 1])]])
    return np.ascontiguousarray(kept[:n, 0]), np.ascontiguousarray(kept[:n, 1])
