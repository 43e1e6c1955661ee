"""Compute a run from its recorded inputs: the only place that calls the analysis, the first time and every other."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from geo import columns, crs
from service.crimes.schemas import CrimePoints
from service.errors import InvalidInputError
from service.jobs.context import JobContext
from service.runs.results import result_digest
from service.runs.schemas import CellTable

if TYPE_CHECKING:
    from geo.grid import SquareGrid

DENSITY_METHOD: Final = "Kernel density, quartic kernel, exact, per square kilometre and month"
_NOT_ANALYSIS: Final = "maps"  # drawing changes no digit


@dataclass(frozen=True, slots=True)
class RunPlan:
    """Everything that decides the digits of a run; as stored, ready for JSON.

    Attributes
    ----------
    kind : str
        hotspots or density.
    parameters : dict
        Every option, with the months counted.
    inputs : dict
        Digests of the crime files and of the outline.
    """

    kind: str
    parameters: dict[str, Any]
    inputs: dict[str, Any]

    @property
    def digests(self) -> list[str]:
        """Digests of the crime files, in order."""
        return [file["digest"] for file in self.inputs["crime_files"]]


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run found.

    Attributes
    ----------
    method : str
        The method in words.
    cells : CellTable
        Every cell.
    hotspots : list of dict
        Rows of the table of hot spots, by rank; empty for density.
    summary : dict
        What a reader must know.
    digest : str
        Of cells and hot spots, digit by digit.
    """

    method: str
    cells: CellTable
    hotspots: list[dict[str, Any]]
    summary: dict[str, Any]
    digest: str


@cache
def code_version() -> str:
    """Version of the package, and digest of the analysis sources: works in a wheel as in a checkout."""
    root = Path(str(resources.files("geo")))
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        relative = path.relative_to(root)
        if relative.parts[0] != _NOT_ANALYSIS:
            digest.update(f"{relative.as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return f"{version('safer-places')}+geo.{digest.hexdigest()[:16]}"


def compute(plan: RunPlan, points: CrimePoints, outline: Any, job: JobContext) -> RunResult:
    """Compute a run.

    Parameters
    ----------
    plan : RunPlan
        What to compute.
    points : CrimePoints
        The crimes of exactly the files that the plan names.
    outline : Geometry
        What the grid covers, in ``crs.METRIC`` [m].
    job : JobContext
        Told of the progress.

    Returns
    -------
    RunResult
        The same plan, points and code give the same digits.

    Raises
    ------
    InvalidInputError
        If there is no crime to analyse.
    MethodError
        If the method cannot answer.
    """
    from geo.grid import square_grid

    if not len(points):
        message = "No crime of these months and categories is held; check the categories, or import more."
        raise InvalidInputError(message)
    job.progress(0.3, f"{len(points):,} crimes")
    grid = square_grid(outline, cell_size_m=plan.parameters["cell_size_m"])
    found = _hotspots(plan, points, grid, job) if plan.kind == "hotspots" else _density(plan, points, grid)
    job.progress(0.9, f"{len(grid):,} cells")
    return found


def _metric(points: CrimePoints) -> tuple[Any, Any]:
    """Metres of every point; police points repeat a few thousand positions, so each is converted once."""
    where = points.longitude + 1j * points.latitude
    unique, of_row = np.unique(where, return_inverse=True)
    x, y = crs.to_metric_xy(unique.real, unique.imag)
    return x[of_row], y[of_row]


def _frame(points: CrimePoints) -> Any:
    import geopandas as gpd
    import pandas as pd

    x, y = _metric(points)
    table = {
        columns.MONTH: pd.Categorical.from_codes(points.month, categories=list(points.months)),
        columns.CATEGORY: pd.Categorical.from_codes(points.category, categories=list(points.categories)),
    }
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(x, y), crs=crs.METRIC)


def _hotspots(plan: RunPlan, points: CrimePoints, grid: SquareGrid, job: JobContext) -> RunResult:
    from scipy.stats import false_discovery_control

    from geo.hotspots import find_hotspots

    options = {name: plan.parameters[name] for name in ("least_confidence", "permutations", "seed")}
    frame = _frame(points)
    job.progress(0.5, "Gi*")
    found = find_hotspots(frame, grid, months=plan.parameters["months"], **options)
    # Benjamini and Hochberg (1995): the p-value after multiple-test control that P8 asks for
    adjusted = false_discovery_control(found.cells[columns.P_VALUE].to_numpy(), method="bh")
    names = (columns.COUNT, columns.GI_Z, columns.P_VALUE, columns.P_PERMUTATION, columns.CONFIDENCE)
    values = {name: found.cells[name].to_numpy() for name in names} | {"p_adjusted": adjusted}
    cells = _cell_table(grid, values)
    rows = [_hotspot_row(spot, grid, adjusted) for spot in found.polygons.to_dict("records")]
    summary = {name: value for name, value in found.meta.items() if name not in {"method", "months", *options}}
    return RunResult(found.meta["method"], cells, rows, summary, result_digest(cells, rows))


def _hotspot_row(spot: dict[str, Any], grid: SquareGrid, adjusted: Any) -> dict[str, Any]:
    inside = shapely.contains_xy(spot[columns.GEOMETRY], *grid.centres())
    return {
        "rank": int(spot["rank"]),
        "geometry": shapely.to_wkb(crs.geometry_to_wgs84(spot[columns.GEOMETRY]), byte_order=1),
        "count": int(spot["count"]),
        "cells": int(spot["cells"]),
        "confidence": int(spot["confidence"]),
        "gi_star": float(spot["max_gi_star"]),
        "p_adjusted": float(adjusted[inside].min()),
        "area_km2": float(spot["area_km2"]),
        "top": [{"category": category, "count": count} for category, count in spot["top"]],
    }


def _density(plan: RunPlan, points: CrimePoints, grid: SquareGrid) -> RunResult:
    from geo.density import QUARTIC, density_of

    counted = np.isin(np.array(points.months)[points.month], plan.parameters["months"])
    x, y = (values[counted] for values in _metric(points))
    months = len(plan.parameters["months"])
    density = density_of(
        np.column_stack([x, y]), grid, bandwidth_m=plan.parameters["bandwidth_m"], months=months, kernel=QUARTIC
    )
    position = grid.cell_of(x, y)
    count = np.bincount(position[position >= 0], minlength=len(grid))
    cells = _cell_table(grid, {columns.COUNT: count, columns.DENSITY: density})
    summary = {
        "units": grid.label,
        "cells": len(grid),
        "cells_that_can_hold_a_point": int((count > 0).sum()),
        "points": len(x),
        "points_outside": int((position < 0).sum()),
        "largest_density": float(density.max()),
    }
    return RunResult(DENSITY_METHOD, cells, [], summary, result_digest(cells, []))


def _cell_table(grid: SquareGrid, values: dict[str, Any]) -> CellTable:
    size = grid.cell_size_m
    west, south = (corner.astype(np.float64) * size for corner in (grid.column, grid.row))
    return CellTable(np.array(grid.cells[columns.CELL].to_list()), west, south, float(size), values)
