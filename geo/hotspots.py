"""Hot spots: cells where recorded crime (or marks) concentrate beyond chance, and the ranked polygons they form."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from scipy import sparse

from geo import columns, crs
from geo.errors import GeometryError, MethodError
from geo.getis import (
    CONFIDENCE_CLASSES,
    confidence_classes,
    fdr_threshold,
    gi_star,
    hot_p_values,
    permutation_p_values,
)
from geo.grid import AnalysisUnits

METHOD: Final = "Getis-Ord Gi*, self included, binary queen contiguity, one-sided (hot), Benjamini-Hochberg FDR"
FEWEST_MONTHS: Final = 12  # a hot spot of less than a year may be a season

RANK: Final = "rank"
CELLS: Final = "cells"
MAX_GI_STAR: Final = "max_gi_star"
AREA_KM2: Final = "area_km2"
TOP: Final = "top"
HOTSPOT_RANK: Final = "hotspot_rank"
HOTSPOT_M: Final = "hotspot_m"

_TOP_CATEGORIES: Final = 3
_MONTH: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True)
class HotspotResult:
    """What a run found.

    Attributes
    ----------
    cells : GeoDataFrame, shape (n_cells,)
        Every unit, significant or not, in ``crs.METRIC`` [m]: ``cell``, ``count``, ``gi_star`` (z), ``p_value``
        (one-sided, normal), ``p_permutation`` (conditional permutations), ``confidence`` (0, 90, 95 or 99 % after FDR),
        geometry.
    polygons : GeoDataFrame, shape (n_hotspots,)
        Contiguous significant units dissolved, in ``crs.METRIC`` [m], highest z first: ``rank`` from 1, ``count``,
        ``top`` (list of ``[category, count]``, three at most), ``confidence`` (highest class inside), ``max_gi_star``,
        ``cells`` (how many), ``area_km2``, geometry.
    meta : dict
        Method, parameters and what a reader must know, ready for JSON: ``method``, ``units``, ``months``, ``cells``,
        ``cells_that_can_hold_a_point`` (cells that hold a point of the data at all: police points are snapped to a
        fixed list), ``points``, ``points_outside``, ``points_other_months``, ``fdr_thresholds`` (largest significant
        p-value a class), ``hot_cells`` (how many a class or above), ``hot_cells_by_permutation`` (of the cells in
        polygons, how many the permutations support at the same unadjusted level), ``permutations``, ``seed``,
        ``least_confidence``.
    """

    cells: GeoDataFrame
    polygons: GeoDataFrame
    meta: dict[str, Any]


def find_hotspots(
    points: GeoDataFrame,
    units: AnalysisUnits,
    *,
    months: Sequence[str],
    least_confidence: int,
    permutations: int,
    seed: int,
) -> HotspotResult:
    """Find where points concentrate beyond chance. The same input gives the same digits.

    Parameters
    ----------
    points : GeoDataFrame, shape (n,)
        Points in ``crs.METRIC`` [m] with ``month`` (``YYYY-MM``) and, for the most frequent kinds, ``category``.
    units : SquareGrid or AreaUnits
        What to count in; 250 m cells suit police points.
    months : sequence of str
        The months observed, at least 12, each once; a missing month is simply not among them. Points of other months
        are left out and counted in ``meta``.
    least_confidence : int
        Class from which a cell belongs to a hot spot: 90, 95 or 99 [%].
    permutations : int
        Draws of the check beside the normal approximation; 999 is usual.
    seed : int
        Seed of these draws.

    Returns
    -------
    HotspotResult
        Cells, ranked polygons and what a reader must know.

    Raises
    ------
    CRSError
        If ``points`` is not in ``crs.METRIC``.
    ColumnError
        If ``points`` has no ``month``.
    MethodError
        If there are fewer than 12 months, a month is malformed or given twice, ``least_confidence`` is no class, or
        there is nothing to compare (fewer than 30 cells, all counts equal).

    References
    ----------
    See ``geo.getis``.
    """
    crs.require_metric(points)
    columns.require_columns(points, [columns.MONTH])
    observed = _require_months(months)
    if least_confidence not in CONFIDENCE_CLASSES:
        raise MethodError(f"least_confidence is {least_confidence}; give one of {CONFIDENCE_CLASSES}.")
    in_period = points[points[columns.MONTH].isin(observed)]
    position = units.cell_of(in_period.geometry.x.to_numpy(), in_period.geometry.y.to_numpy())
    neighbours = units.neighbours()
    cells = _score(units, position, neighbours, permutations=permutations, seed=seed)
    spots = _spots(cells, neighbours, least_confidence)
    meta = {
        "method": METHOD,
        "units": units.label,
        "months": observed,
        "cells": len(cells),
        "cells_that_can_hold_a_point": _cells_that_can_hold_a_point(points, units),
        "points": len(in_period),
        "points_outside": int((position < 0).sum()),
        "points_other_months": len(points) - len(in_period),
        **_strength(cells, spots, least_confidence),
        "permutations": permutations,
        "seed": seed,
        "least_confidence": least_confidence,
    }
    return HotspotResult(cells=cells, polygons=_dissolve(cells, spots, in_period, position), meta=meta)


def _require_months(months: Sequence[str]) -> list[str]:
    observed = sorted(months)
    wrong = [month for month in observed if not _MONTH.fullmatch(month)]
    if wrong or len(set(observed)) < len(observed):
        raise MethodError(f"Months must look like 2018-06, each once; given {', '.join(wrong or observed)}.")
    if len(observed) < FEWEST_MONTHS:
        message = (
            f"{len(observed)} months were given; hot spots need at least {FEWEST_MONTHS}, or a season looks like one."
        )
        raise MethodError(message)
    return observed


def _score(
    units: AnalysisUnits, position: npt.NDArray[np.int32], neighbours: Any, *, permutations: int, seed: int
) -> GeoDataFrame:
    """Count, z, both p-values and the class of every cell."""
    cells = units.cells
    counts = np.bincount(position[position >= 0], minlength=len(cells))
    z = gi_star(counts, neighbours)
    p = hot_p_values(z)
    drawn = permutation_p_values(counts, neighbours, permutations=permutations, seed=seed)
    scored = {
        columns.COUNT: counts,
        columns.GI_Z: z,
        columns.P_VALUE: p,
        columns.P_PERMUTATION: drawn,
        columns.CONFIDENCE: confidence_classes(p),
    }
    cells = cells.assign(**scored)
    return cells[[columns.CELL, *scored, columns.GEOMETRY]]


def _cells_that_can_hold_a_point(points: GeoDataFrame, units: AnalysisUnits) -> int:
    """Count cells that hold any point of the data, whatever its month."""
    x, y = points.geometry.x.to_numpy(), points.geometry.y.to_numpy()
    held = units.cell_of(x, y)
    return len(np.unique(held[held >= 0]))


def _strength(cells: GeoDataFrame, spots: npt.NDArray[np.int64], least_confidence: int) -> dict[str, Any]:
    """Summarise how sure: thresholds, cells a class, and what the permutations say of the cells in hot spots."""
    p, classes = cells[columns.P_VALUE], cells[columns.CONFIDENCE]
    drawn = cells[columns.P_PERMUTATION].to_numpy()[spots >= 0]
    return {
        "fdr_thresholds": {str(c): fdr_threshold(p, alpha=1 - c / 100) for c in CONFIDENCE_CLASSES},
        "hot_cells": {str(c): int((classes >= c).sum()) for c in CONFIDENCE_CLASSES},
        "hot_cells_by_permutation": int((drawn <= 1 - least_confidence / 100).sum()),
    }


def _spots(cells: GeoDataFrame, neighbours: Any, least_confidence: int) -> npt.NDArray[np.int64]:
    """Give each contiguous group of significant cells a number; -1 for the rest."""
    hot = np.flatnonzero(cells[columns.CONFIDENCE] >= least_confidence)
    spots = np.full(len(cells), -1, dtype=np.int64)
    if len(hot):
        _, group = sparse.csgraph.connected_components(neighbours[hot][:, hot], directed=False)
        spots[hot] = group
    return spots


def _dissolve(
    cells: GeoDataFrame, spots: npt.NDArray[np.int64], points: GeoDataFrame, position: npt.NDArray[np.int32]
) -> GeoDataFrame:
    """One ranked polygon a group: highest z first, then most points, then the lower cell."""
    members = cells[spots >= 0].assign(**{RANK: spots[spots >= 0]})
    spot_of_point = np.where(position >= 0, spots[position], -1)
    rows = []
    for spot, part in members.groupby(RANK):
        shape = shapely.union_all(part.geometry.to_numpy())
        rows.append(
            {
                columns.COUNT: int(part[columns.COUNT].sum()),
                TOP: _top(points[spot_of_point == spot]),
                columns.CONFIDENCE: int(part[columns.CONFIDENCE].max()),
                MAX_GI_STAR: float(part[columns.GI_Z].max()),
                CELLS: len(part),
                AREA_KM2: shapely.area(shape) / 1e6,
                columns.GEOMETRY: shape,
            }
        )
    rows.sort(key=lambda row: (-row[MAX_GI_STAR], -row[columns.COUNT]))
    names = [RANK, columns.COUNT, TOP, columns.CONFIDENCE, MAX_GI_STAR, CELLS, AREA_KM2, columns.GEOMETRY]
    ranked = pd.DataFrame([{RANK: rank, **row} for rank, row in enumerate(rows, start=1)], columns=names)
    return GeoDataFrame(ranked, geometry=columns.GEOMETRY, crs=crs.METRIC)


def _top(points: GeoDataFrame) -> list[list[Any]]:
    """Most frequent categories with their counts; equal counts in the order of their names."""
    if columns.CATEGORY not in points.columns:
        return []
    counts = points[columns.CATEGORY].value_counts()
    ordered = sorted(((str(name), int(count)) for name, count in counts.items() if count), key=lambda c: (-c[1], c[0]))
    return [list(pair) for pair in ordered[:_TOP_CATEGORIES]]


def assign_hotspots(places: GeoDataFrame, polygons: GeoDataFrame) -> GeoDataFrame:
    """Give each place the hot spot it is in, or the metres to the nearest.

    Parameters
    ----------
    places : GeoDataFrame, shape (n,)
        Places of any kind in ``crs.METRIC`` [m].
    polygons : GeoDataFrame, shape (n_hotspots,)
        ``HotspotResult.polygons``.

    Returns
    -------
    GeoDataFrame, shape (n,)
        The same rows in the same order with the same index; added: ``hotspot_rank`` (rank of the nearest hot spot, the
        lowest where several are as near; 0 when there is none) and ``hotspot_m`` (distance [m], 0 inside or touching;
        NaN when there is none, or no geometry).

    Raises
    ------
    CRSError
        If a frame is not in ``crs.METRIC``.
    ColumnError
        If ``polygons`` has no ``rank``.
    GeometryError
        If a place is not valid.
    """
    crs.require_metric(places, polygons)
    columns.require_columns(polygons, [RANK])
    shapes = places.geometry.to_numpy()
    usable = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    if not shapely.is_valid(shapes[usable]).all():
        raise GeometryError("A place is not a valid geometry; repair it before asking for its hot spot.")
    rank, distance = np.zeros(len(places), dtype=np.int64), np.full(len(places), np.nan)
    if len(polygons) and usable.any():
        by_rank = polygons.sort_values(RANK)
        tree = shapely.STRtree(by_rank.geometry.to_numpy())
        (place, spot), metres = tree.query_nearest(shapes[usable], all_matches=True, return_distance=True)
        best = pd.DataFrame({"place": place, "spot": spot, "metres": metres}).groupby("place").min()
        at = np.flatnonzero(usable)[best.index.to_numpy()]
        rank[at], distance[at] = by_rank[RANK].to_numpy()[best["spot"]], best["metres"]
    return places.assign(**{HOTSPOT_RANK: rank, HOTSPOT_M: distance})
