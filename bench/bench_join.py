"""Points to areas: our index beside geopandas and shapely. `python bench/bench_join.py [--runs 5]`."""

from __future__ import annotations

from typing import Any

import common
import geopandas as gpd
import numpy as np
import shapely

from geo import crs
from geo.area_index import AreaIndex

SETS = (
    ("19 wards of 2022, full resolution", "lewisham_wards_2022.geojson", "ward_code"),
    ("18 wards of 2002, full resolution", "lewisham_wards_2002_2022.geojson", "ward_code"),
    ("4,994 London LSOAs of 2021, 20 m", "london_lsoa_2021_generalised.geojson.gz", "lsoa_code"),
)
OURS = "geo.join AreaIndex.lookup"
OURS_EDGE = "geo.join AreaIndex.edge_distance"
FEW = 20_000  # points for the peer of the edge distance, which is slow


def by_sjoin(points: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> np.ndarray:
    joined = gpd.sjoin(points, areas, predicate="within")
    first = joined[~joined.index.duplicated()]
    found = np.full(len(points), -1)
    found[first.index] = first["position"]
    return found


def by_tree(polygons: Any, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The usual quick way: boxes from a tree, then prepared polygons."""
    point, polygon = shapely.STRtree(polygons).query(shapely.points(x, y))
    hit = shapely.contains_xy(polygons[polygon], x[point], y[point])
    found = np.full(len(x), -1)
    found[point[hit]] = polygon[hit]
    return found


def join_rows(data: str, index: AreaIndex, x: np.ndarray, y: np.ndarray, runs: int) -> list[dict[str, str]]:
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, y), crs=crs.METRIC)
    areas = gpd.GeoDataFrame({"position": np.arange(len(index))}, geometry=index.polygons, crs=crs.METRIC)
    methods = {
        OURS: lambda: index.lookup(x, y),
        "geopandas.sjoin, prepared frames": lambda: by_sjoin(points, areas),
        "shapely STRtree boxes + prepared contains_xy": lambda: by_tree(index.polygons, x, y),
    }
    seconds, answers = common.paired(methods, runs=runs)
    for name, answer in answers.items():
        differ = np.flatnonzero(answer != answers[OURS])
        on_edge = index.edge_distance(x[differ], y[differ], answers[OURS][differ])[0] == 0 if len(differ) else []
        print(f"  {name}: {len(differ)} answers differ from ours, {int(np.sum(on_edge))} of them on an edge")
    return common.rows_of(f"{len(x):,} points to codes", data, seconds, ours=OURS)


def edge_rows(data: str, index: AreaIndex, x: np.ndarray, y: np.ndarray, runs: int) -> list[dict[str, str]]:
    position = index.lookup(x, y)
    few = slice(0, FEW)
    lines = gpd.GeoDataFrame(geometry=shapely.boundary(index.polygons), crs=crs.METRIC)
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(x[few], y[few]), crs=crs.METRIC)
    methods = {
        OURS_EDGE: lambda: index.edge_distance(x[few], y[few], position[few])[0],
        "geopandas.sjoin_nearest to the boundaries": lambda: (
            gpd.sjoin_nearest(points, lines, distance_col="m").groupby(level=0)["m"].min().to_numpy()
        ),
    }
    seconds, answers = common.paired(methods, runs=min(runs, 3))
    ours, theirs = answers.values()
    print(f"  edge distance: largest difference {np.abs(ours - theirs).max():.2g} m")
    begin = common.Clock.now()
    index.edge_distance(x, y, position)
    print(f"  edge distance of all {len(x):,} points: {common.Clock.now() - begin:.2f} s")
    return common.rows_of(f"edge distance and neighbour, {FEW:,} points", data, seconds, ours=OURS_EDGE)


def one_by_one_rows(data: str, index: AreaIndex, x: np.ndarray, y: np.ndarray, runs: int) -> list[dict[str, str]]:
    spots = list(zip(x[:2000].tolist(), y[:2000].tolist(), strict=True))
    tree = shapely.STRtree(index.polygons)
    methods = {
        "geo.join AreaIndex.lookup_one": lambda: [index.lookup_one(*spot) for spot in spots],
        "shapely STRtree.query(point, within)": lambda: [
            tree.query(shapely.Point(s), predicate="within") for s in spots
        ],
    }
    seconds, _ = common.paired(methods, runs=runs)
    return common.rows_of("2,000 points one by one", data, seconds, ours="geo.join AreaIndex.lookup_one")


def main() -> None:
    args = common.options(__doc__ or "").parse_args()
    sets = [(name, common.real_areas(file, code)) for name, file, code in SETS]
    sets = [(name, areas) for name, areas in sets if areas] or [
        (f"{n} seeded areas", common.seeded_areas(n)) for n in (19, 630)
    ]
    rows = []
    for name, areas in sets:
        codes, polygons = areas
        build = []
        for _ in range(3):
            begin = common.Clock.now()
            index = AreaIndex(codes, polygons)
            build.append(common.Clock.now() - begin)
        print(
            f"{name}: {shapely.get_num_coordinates(polygons).sum():,} vertices, index built in {sorted(build)[1]:.3f} s"
        )
        x, y = common.points_inside(polygons, args.points)
        rows += join_rows(name, index, x, y, args.runs)
        rows += one_by_one_rows(name, index, x, y, args.runs)
        rows += edge_rows(name, index, x, y, args.runs)
    print("\n" + common.machine("numpy", "shapely", "geopandas"))
    common.show(rows, args)


if __name__ == "__main__":
    main()
