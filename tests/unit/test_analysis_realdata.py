"""Join, Gi* and density on the real open data of Lewisham, beside independent implementations."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from geo import columns, crs
from geo.density import QUARTIC, density_of
from geo.getis import gi_star
from geo.grid import AreaUnits, SquareGrid, square_grid
from geo.hotspots import HotspotResult, find_hotspots
from geo.join import AreaIndex, assign_areas

pytestmark = [pytest.mark.realdata, pytest.mark.slow]


@pytest.fixture(scope="module")
def crimes(realdata: Path) -> gpd.GeoDataFrame:
    table = pd.read_csv(realdata / "crime" / "lewisham_street_crime_2016_2018.csv.gz", low_memory=False)
    spots = gpd.points_from_xy(*crs.to_metric_xy(table["longitude"], table["latitude"]))
    return gpd.GeoDataFrame(table[["month", "category", "ward_codes"]], geometry=spots, crs=crs.METRIC)


def areas_of(realdata: Path, file: str, code: str) -> gpd.GeoDataFrame:
    frame = gpd.read_file(realdata / "boundaries" / file)
    return crs.to_metric(frame.rename(columns={code: columns.AREA_GSS})[[columns.AREA_GSS, "geometry"]])


@pytest.fixture(scope="module")
def grid(realdata: Path) -> SquareGrid:
    return square_grid(
        crs.to_metric(gpd.read_file(realdata / "boundaries" / "lewisham_borough.geojson")), cell_size_m=250
    )


@pytest.fixture(scope="module")
def found(crimes: gpd.GeoDataFrame, grid: SquareGrid) -> HotspotResult:
    months = sorted(crimes[columns.MONTH].unique())
    return find_hotspots(crimes, grid, months=months, least_confidence=95, permutations=999, seed=1)


def esda_z(counts: np.ndarray, neighbours: Any) -> np.ndarray:
    from esda.getisord import G_Local
    from libpysal.weights import W

    pairs = itertools.pairwise(neighbours.indptr.tolist())
    weights = W({i: neighbours.indices[a:b].tolist() for i, (a, b) in enumerate(pairs)}, silence_warnings=True)
    return np.asarray(G_Local(counts.astype(float), weights, transform="B", star=True, permutations=0, n_jobs=1).Zs)


@pytest.mark.parametrize(
    ("file", "count"), [("lewisham_wards_2022.geojson", 19), ("lewisham_wards_2002_2022.geojson", 18)]
)
def test_every_crime_is_in_the_ward_an_independent_join_gives(
    realdata: Path, crimes: gpd.GeoDataFrame, file: str, count: int
) -> None:
    wards = areas_of(realdata, file, "ward_code")
    joined = assign_areas(crimes, wards, edges=True, near_border_m=25)
    assert len(wards) == count
    totals = joined[columns.AREA_GSS].value_counts()
    assert totals.sum() == 73_260
    inside = gpd.sjoin(crimes[["geometry"]], wards, predicate="intersects")
    # a point that two wards hold belongs to the lower code
    lowest = inside.groupby(level=0)[columns.AREA_GSS].min().reindex(crimes.index).fillna(columns.OUTSIDE)
    assert (joined[columns.AREA_GSS] == lowest).all()


@pytest.mark.requirement("P2")
def test_as_many_crimes_lie_near_a_line_as_the_data_notes_say(realdata: Path, crimes: gpd.GeoDataFrame) -> None:
    # data/README.md: 4,013 of 73,260 lie within 5 m of a ward boundary
    index = AreaIndex(*areas_of(realdata, "lewisham_wards_2002_2022.geojson", "ward_code").to_numpy().T)
    x, y = crimes.geometry.x, crimes.geometry.y
    edge_m, _ = index.edge_distance(x, y, index.lookup(x, y))
    assert (edge_m <= 5).sum() == pytest.approx(4013, abs=40)


def test_our_wards_are_among_those_that_the_police_named(realdata: Path, crimes: gpd.GeoDataFrame) -> None:
    wards = areas_of(realdata, "lewisham_wards_2002_2022.geojson", "ward_code")
    joined = assign_areas(crimes, wards, edges=True, near_border_m=25)
    pairs = zip(joined[columns.AREA_GSS], crimes["ward_codes"], strict=True)
    named = np.array([ours in theirs.split("|") for ours, theirs in pairs])
    # the police's polygons are a little larger and rounded: they differ only near a line
    assert (joined[columns.EDGE_M][~named] < 50).all()
    assert named.mean() > 0.95


@pytest.mark.requirement("P8")
def test_gi_star_of_real_crimes_equals_esda(grid: SquareGrid, found: HotspotResult) -> None:
    z = esda_z(found.cells[columns.COUNT].to_numpy(), grid.neighbours())
    np.testing.assert_allclose(found.cells[columns.GI_Z], z, rtol=0, atol=1e-9)


def test_gi_star_of_real_lsoas_equals_esda_on_libpysal_contiguity(realdata: Path, crimes: gpd.GeoDataFrame) -> None:
    from libpysal.graph import Graph

    areas = areas_of(realdata, "lewisham_lsoa_2021_generalised.geojson", "lsoa_code")
    units = AreaUnits(areas)
    ours = units.neighbours()
    theirs = Graph.build_contiguity(units.cells, rook=False).sparse.tocsr()
    # libpysal compares vertices; ours bridges lines rounded differently, so it may find a few pairs more
    assert (theirs > ours).nnz == 0
    assert ours.nnz - theirs.nnz <= 0.02 * theirs.nnz
    counts = np.bincount(units.cell_of(crimes.geometry.x, crimes.geometry.y) + 1, minlength=len(units) + 1)[1:]
    np.testing.assert_allclose(gi_star(counts, ours), esda_z(counts, ours), rtol=0, atol=1e-9)


@pytest.mark.requirement("P8")
def test_real_hot_spots_hold_what_their_cells_hold(found: HotspotResult) -> None:
    hot = found.cells[found.cells[columns.CONFIDENCE] >= 95]
    assert len(hot) == found.meta["hot_cells"]["95"] > 0
    assert found.polygons[columns.COUNT].sum() == hot[columns.COUNT].sum()
    assert found.meta["cells_that_can_hold_a_point"] < found.meta["cells"]
    assert found.cells[columns.COUNT].sum() + found.meta["points_outside"] == 73_260
    assert len(found.meta["months"]) == 29  # 2016-03 was never published here


def test_density_of_real_crimes_equals_the_direct_sum(crimes: gpd.GeoDataFrame, grid: SquareGrid) -> None:
    xy = np.column_stack([crimes.geometry.x, crimes.geometry.y])
    x, y = grid.centres()
    expected = np.zeros(len(grid))
    for (east, north), times in zip(*np.unique(xy, axis=0, return_counts=True), strict=True):
        u2 = ((x - east) ** 2 + (y - north) ** 2) / 300**2
        expected += times * np.where(u2 < 1, 3 / (np.pi * 0.09) * (1 - u2) ** 2, 0) / 29
    found = density_of(xy, grid, bandwidth_m=300, months=29, kernel=QUARTIC)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=0)
