"""Gi*, its permutation check and kernel density beside esda and scikit-learn. `python bench/bench_stats.py`."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import common
import geopandas as gpd
import numpy as np
import pandas as pd

from geo import columns, crs
from geo.density import EPANECHNIKOV, GAUSSIAN, QUARTIC, density_of
from geo.getis import gi_star, permutation_p_values
from geo.grid import square_grid
from geo.hotspots import find_hotspots

CRIMES = common.DATA / "crime" / "lewisham_street_crime_2016_2018.csv.gz"
BOX = (*common.CORNER, common.CORNER[0] + 9_000.0, common.CORNER[1] + 10_000.0)
LONDON = (503_000.0, 155_000.0, 562_000.0, 201_000.0)


def crimes() -> tuple[str, gpd.GeoDataFrame, Any]:
    """The real crimes of 29 months with their outline, or seeded ones that repeat 1,728 positions."""
    if CRIMES.exists():
        table = pd.read_csv(CRIMES, usecols=["month", "category", "longitude", "latitude"])
        spots = gpd.points_from_xy(*crs.to_metric_xy(table["longitude"], table["latitude"]))
        outline = crs.to_metric(gpd.read_file(common.DATA / "boundaries" / "lewisham_borough.geojson"))
        return "73,260 real crimes", gpd.GeoDataFrame(table, geometry=spots, crs=crs.METRIC), outline
    random = np.random.default_rng(5)
    snap = random.uniform(BOX[:2], BOX[2:], (1728, 2))
    at = snap[np.minimum(random.zipf(1.3, 73_260) - 1, 1727)]
    month = random.choice([f"2018-{k:02d}" for k in range(1, 13)], len(at))
    return (
        "73,260 seeded crimes",
        gpd.GeoDataFrame({"month": month}, geometry=gpd.points_from_xy(*at.T), crs=crs.METRIC),
        BOX,
    )


def weights_of(neighbours: Any) -> Any:
    from libpysal.weights import W

    pairs = itertools.pairwise(neighbours.indptr.tolist())
    return W({i: neighbours.indices[a:b].tolist() for i, (a, b) in enumerate(pairs)}, silence_warnings=True)


def gi_rows(data: str, counts: np.ndarray, neighbours: Any, runs: int) -> list[dict[str, str]]:
    from esda.getisord import G_Local

    weights = weights_of(neighbours)
    values = counts.astype(float)

    def esda(permutations: int) -> Any:
        return G_Local(values, weights, transform="B", star=True, permutations=permutations, n_jobs=1, seed=1)

    seconds, answers = common.paired(
        {"geo.getis.gi_star": lambda: gi_star(counts, neighbours), "esda G_Local": lambda: esda(0).Zs}, runs=runs
    )
    z, theirs = answers.values()
    print(f"{data}: largest difference in z from esda {np.abs(z - theirs).max():.2g}")
    rows = common.rows_of("Gi* z scores", data, seconds, ours="geo.getis.gi_star")
    ours = "geo.getis.permutation_p_values"
    seconds, _ = common.paired(
        {
            ours: lambda: permutation_p_values(counts, neighbours, permutations=999, seed=1),
            "esda G_Local, n_jobs=1 (compiled)": lambda: esda(999),
        },
        runs=min(runs, 3),
    )
    return rows + common.rows_of("Gi* with 999 conditional permutations", data, seconds, ours=ours)


def density_rows(data: str, xy: np.ndarray, runs: int) -> list[dict[str, str]]:
    """Exact density beside scikit-learn's exact one: the same kernel, so the same numbers."""
    from sklearn.neighbors import KernelDensity

    grid = square_grid(BOX, cell_size_m=100)
    at = np.column_stack(grid.centres())

    def sklearn() -> Any:
        model = KernelDensity(bandwidth=300, kernel="epanechnikov", rtol=0, atol=0).fit(xy)
        return np.exp(model.score_samples(at)) * len(xy) * 1e6

    def ours(kernel: str, tolerance: float | None = None) -> Any:
        return density_of(xy, grid, bandwidth_m=300, months=1, kernel=kernel, tolerance=tolerance)

    name = "geo.density epanechnikov, exact"
    methods = {
        name: lambda: ours(EPANECHNIKOV),
        "scikit-learn epanechnikov, exact": sklearn,
        "geo.density quartic, exact": lambda: ours(QUARTIC),
        "geo.density gaussian, error < 0.001 a km2": lambda: ours(GAUSSIAN, 0.001),
    }
    seconds, answers = common.paired(methods, runs=min(runs, 3))
    one, other = answers[name], answers["scikit-learn epanechnikov, exact"]
    apart = np.abs(one - other).max() / other.max()
    print(f"{data}: largest difference from scikit-learn {apart:.2g} of the highest cell")
    return common.rows_of(f"density at {len(grid):,} cells of 100 m", data, seconds, ours=name)


def alone(task: str, data: str, method: Any, runs: int) -> list[dict[str, str]]:
    seconds, _ = common.paired({task: method}, runs=runs)
    return common.rows_of(task, data, seconds, ours=task)


def main() -> None:
    args = common.options(__doc__ or "").parse_args()
    warnings.simplefilter("ignore")
    begin = common.Clock.now()
    import esda  # noqa: F401  timed

    print(f"import esda: {common.Clock.now() - begin:.1f} s")
    data, points, outline = crimes()
    grid = square_grid(outline, cell_size_m=250)
    months = sorted(points[columns.MONTH].unique())
    run = {"months": months, "least_confidence": 95, "permutations": 999, "seed": 1}
    rows = alone("find_hotspots, all steps", f"{data}, 250 m", lambda: find_hotspots(points, grid, **run), args.runs)
    counts = find_hotspots(points, grid, **run).cells[columns.COUNT].to_numpy()
    rows += gi_rows(f"{data}, {len(grid)} cells", counts, grid.neighbours(), args.runs)
    for side in (71, 224):
        lattice = square_grid((0, 0, side * 100, side * 100), cell_size_m=100)
        drawn = np.random.default_rng(side).negative_binomial(1, 0.1, len(lattice))
        rows += gi_rows(f"{len(lattice):,} seeded cells", drawn, lattice.neighbours(), args.runs)
    london = square_grid(LONDON, cell_size_m=130)
    drawn = np.random.default_rng(1).negative_binomial(1, 0.1, len(london))
    rows += alone(
        "neighbours and Gi*", f"{len(london):,} cells", lambda: gi_star(drawn, london.neighbours()), args.runs
    )
    xy = np.column_stack([points.geometry.x, points.geometry.y])
    rows += density_rows(data, xy, args.runs)
    spread = np.random.default_rng(2).uniform(BOX[:2], BOX[2:], (args.points, 2))
    rows += density_rows("50,000 seeded points", spread[:50_000], args.runs)
    grid = square_grid(BOX, cell_size_m=100)
    many = {"bandwidth_m": 300, "months": 1, "kernel": QUARTIC}
    label = f"{len(spread):,} seeded points, {len(grid):,} cells"
    rows += alone("geo.density quartic, exact", label, lambda: density_of(spread, grid, **many), args.runs)
    print("\n" + common.machine("numpy", "scipy", "esda", "libpysal", "scikit-learn"))
    common.show(rows, args)


if __name__ == "__main__":
    main()
