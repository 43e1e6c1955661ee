"""Import of the police's street CSV beside pandas and geopandas. `python bench/bench_import.py [--rows 300000]`.

Every method runs in a process of its own: seconds without the imports, and the peak memory of the process. Ours is
the whole import (digest of the input, every line checked, GeoParquet on disk, manifest swapped); the peer reads the
whole file into memory and writes one GeoParquet file, without a check, an fsync or a manifest.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import common

OURS = "safer-places crimes import"
PEER = "pandas.read_csv + geopandas to_parquet"
HEADER = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Crime type,"
    "Last outcome category,Context\n"
)
MET = "Metropolitan Police Service"


def write_csv(path: Path, rows: int, copies: int) -> None:
    """Seeded rows of the length of real ones (225 bytes), three months in turn; the rows come ``copies`` times."""
    import numpy as np

    random = np.random.default_rng(11)
    lon, lat = random.uniform(-0.5, 0.3, rows), random.uniform(51.3, 51.7, rows)
    lines = [
        f"{hashlib.sha256(str(i).encode()).hexdigest()},2018-0{4 + i % 3},{MET},{MET},{lon[i]:.6f},{lat[i]:.6f},"
        f"On or near Street {i % 1728},E0100{i % 9999:04d},Lewisham {i % 400:03d}A,Violence and sexual offences,"
        "Investigation complete; no suspect identified,\n"
        for i in range(rows)
    ]
    body = "".join(lines)
    with path.open("w") as file:
        file.write(HEADER)
        for _ in range(copies):
            file.write(body)


def run_ours(path: Path, folder: Path) -> Callable[[], int]:
    from service.core import initialise, open_core
    from service.crimes.workflow import import_files
    from service.settings import Settings

    settings = Settings(data_dir=folder / "data")
    initialise(settings, "demo")
    core = open_core(settings)
    return lambda: import_files(core, [path]).rows


def run_peer(path: Path, folder: Path) -> Callable[[], int]:
    import geopandas as gpd
    import pandas as pd

    def work() -> int:
        frame = pd.read_csv(path)
        points = gpd.points_from_xy(frame["Longitude"], frame["Latitude"], crs="EPSG:4326")
        gpd.GeoDataFrame(frame, geometry=points).to_parquet(folder / "peer.parquet")
        return len(frame)

    return work


def measure(method: str, path: Path) -> None:
    """Run one method in this process and print what it took."""
    import resource

    with tempfile.TemporaryDirectory() as folder:
        work = {OURS: run_ours, PEER: run_peer}[method](path, Path(folder))
        begin, used = time.perf_counter(), time.process_time()
        rows = work()
        seconds, cpu = time.perf_counter() - begin, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rows": rows, "seconds": seconds, "cpu": cpu, "peak_mb": peak}))


def measured(method: str, path: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--method", method, "--file", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def main() -> None:
    parser = common.options(__doc__ or "")
    parser.add_argument("--rows", type=int, default=300_000, help="rows of the small file; the large one has 10 times")
    parser.add_argument("--method", choices=[OURS, PEER], help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    parser.set_defaults(runs=3)
    args = parser.parse_args()
    if args.method:
        measure(args.method, args.file)
        return
    print(common.machine("pyarrow", "pandas", "geopandas"))
    table = []
    with tempfile.TemporaryDirectory() as folder:
        for copies in (1, 10):
            path = Path(folder) / f"{copies}.csv"
            write_csv(path, args.rows, copies)
            rounds = [{method: measured(method, path) for method in (OURS, PEER)} for _ in range(args.runs)]
            assert all(one[OURS]["rows"] == one[PEER]["rows"] == copies * args.rows for one in rounds)
            table += table_rows(f"{copies * args.rows:,} rows, {path.stat().st_size / 1e6:,.0f} MB", rounds)
            path.unlink()
    common.show(table, args)


def table_rows(data: str, rounds: list[dict[str, dict[str, float]]]) -> list[dict[str, str]]:
    rows = []
    for method in (OURS, PEER):
        seconds = [one[method]["seconds"] for one in rounds]
        cpu = [one[method]["cpu"] for one in rounds]
        ratios = [one[method]["cpu"] / one[OURS]["cpu"] for one in rounds]
        rows.append(
            {
                "data": data,
                "method": method,
                "median s": f"{statistics.median(seconds):.3g}",
                "min - max s": f"{min(seconds):.3g} - {max(seconds):.3g}",
                "CPU s": f"{statistics.median(cpu):.3g}",
                "rows a CPU second": f"{rounds[0][method]['rows'] / statistics.median(cpu):,.0f}",
                "peak memory MB": f"{max(one[method]['peak_mb'] for one in rounds):,.0f}",
                "CPU against ours": "1" if method == OURS else f"{statistics.median(ratios):.3g} x slower",
            }
        )
    return rows


if __name__ == "__main__":
    main()
