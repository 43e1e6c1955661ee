"""Layers of recorded analyses: hot spots and density of the current run, with table, period and caveats (P7, P8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from geo.crimes import LICENCE, SAMPLE_LICENCE, SAMPLE_SOURCE, SOURCE
from geo.maps.classes import class_of, class_words
from geo.maps.elements import RANK_WORDS, DensityLayer, HotspotLayer
from geo.maps.facts import Column, Source, Table
from geo.maps.raster import density_layer
from service.core import Core
from service.maps.drawn import Drawn
from service.maps.words import category_words, listed, month_words
from service.runs import workflow as runs

_TOP_SHOWN: Final = 3


def hotspots(core: Core, *, shown: bool = True) -> Drawn:
    """Return the hot spots of the current run; callers ask for the right."""
    run = runs.current_run(core, "hotspots")
    if run is None:
        empty = (
            f"No hot spots have been worked out yet. They need at least {core.settings.hotspot_min_months} months of "
            "recorded crime: import it with 'safer-places crimes import', then start a run."
        )
        return Drawn(None, empty=empty)
    import geopandas

    found = runs.hotspots_of(core, run.id)
    frame = geopandas.GeoDataFrame(
        {"rank": [spot.rank for spot in found], "confidence": [spot.confidence for spot in found]},
        geometry=[spot.geometry for spot in found],
        crs="EPSG:4326",
    )
    element = HotspotLayer(frame, [_hotspot_card(spot) for spot in found], shown=shown)
    return Drawn(
        element,
        _hotspot_table(found),
        _run_period(run),
        _hotspot_sentence(run, found),
        [_run_source(run)],
        [f"Method: {run.method}.", *run.caveats],
    )


def _hotspot_card(spot: Any) -> dict[str, Any]:
    rows = [
        ["Crimes reported to the police", f"{spot.count:,}"],
        ["Confidence", f"{spot.confidence} %"],
        ["p after FDR", _p_words(spot.p_adjusted)],
        ["Size", f"{spot.area_km2:.2f} km²"],
        ["Most often", _top_words(spot.top)],
    ]
    return {"title": f"Hot spot {spot.rank}", "rows": rows, "note": "Cells on a grid, never the true spot of a crime."}


def _p_words(value: float) -> str:
    return "below 0.0001" if value < 0.0001 else f"{value:.4f}"  # noqa: PLR2004 - as many digits as are told


def _top_words(top: Sequence[dict[str, Any]]) -> str:
    return "; ".join(f"{category_words(item['category'])} ({item['count']:,})" for item in top[:_TOP_SHOWN])


def _hotspot_table(found: Sequence[Any]) -> Table:
    columns = [
        Column("Hot spot"),
        Column("Confidence, %", numeric=True),
        Column("p after FDR", numeric=True),
        Column("Crimes", numeric=True),
        Column("Cells", numeric=True),
        Column("km²", numeric=True),
        Column("Most often"),
    ]
    rows = [
        [
            str(spot.rank),
            spot.confidence,
            _p_words(spot.p_adjusted),
            spot.count,
            spot.cells,
            round(spot.area_km2, 2),
            _top_words(spot.top),
        ]
        for spot in found
    ]
    return Table(f"Hot spots of recorded crime: {RANK_WORDS}", columns, rows)


def _hotspot_sentence(run: Any, found: Sequence[Any]) -> str:
    could = _could_hold(run)
    if not found:
        return f"No hot spot was found: crime is spread as chance would spread it.{could}"
    crimes = sum(spot.count for spot in found)
    points = run.summary.get("points")
    share = f", {100 * crimes / points:.0f} % of all" if points else ""
    sure = max(spot.confidence for spot in found)
    months = run.parameters.get("months") or []
    when = f" of {month_words(months[0])} to {month_words(months[-1])}" if months else ""
    spots = "1 hot spot holds" if len(found) == 1 else f"{len(found)} hot spots hold"
    return f"{spots} {crimes:,} crimes{when}{share}, with up to {sure} % confidence.{could}"


def _could_hold(run: Any) -> str:
    """Say how many cells can hold a point at all; in front stands a space."""
    cells, able = run.summary.get("cells"), run.summary.get("cells_that_can_hold_a_point")
    return f" {able:,} of {cells:,} cells can hold a point at all." if cells and able is not None else ""


def _run_period(run: Any) -> str:
    months = run.parameters.get("months") or []
    if not months:
        return ""
    missing = list(run.summary.get("missing_months", []))
    words = f"{month_words(months[0])} to {month_words(months[-1])}, {len(months)} months counted"
    return f"{words} ({listed([month_words(month) for month in missing])} missing)" if missing else words


def _run_source(run: Any) -> Source:
    """Return publisher and licence; of sample data, that it is made up."""
    if run.is_sample:
        return Source(f"Recorded crime: {SAMPLE_SOURCE}", SAMPLE_LICENCE)
    return Source(f"Recorded crime: {SOURCE}", LICENCE)


def density(core: Core, *, shown: bool = False) -> Drawn:
    """Return the density of the current run; callers ask for the right."""
    run = runs.current_run(core, "density")
    if run is None:
        empty = (
            "No density has been worked out yet. Import recorded crime with 'safer-places crimes import', then start a "
            "density run."
        )
        return Drawn(None, empty=empty)
    cells = runs.cells_of(core, run.id)
    bandwidth = run.parameters.get("bandwidth_m")
    note = f"Bandwidth {bandwidth:g} m, cells of {cells.cell_size_m:g} m." if bandwidth else ""
    element = density_layer(
        cells.west,
        cells.south,
        cells.values["density"],
        cell_size_m=cells.cell_size_m,
        label="Density of recorded crime",
        note=note,
    )
    element.shown = shown
    return Drawn(
        element,
        _density_table(element, cells.values["density"], cells.cell_size_m),
        _run_period(run),
        _density_sentence(cells.values["density"], cells.cell_size_m) + _could_hold(run),
        [_run_source(run)],
        [f"Method: {run.method}.", *run.caveats],
    )


def _density_table(element: DensityLayer, values: Any, cell_size_m: float) -> Table:
    """Size of each class: what the map shows, in words."""
    limits = element.limits
    classes = np.where(np.asarray(values) > 0, class_of(values, limits), 0)
    cell_km2 = (cell_size_m / 1000) ** 2
    spoken = ["none", *(class_words(limits) if limits else ["above 0"])]
    rows: list[list[str | int | float]] = []
    for number, words in enumerate(spoken):
        here = int((classes == number).sum())
        rows.append([words, here, round(here * cell_km2, 2), 100 * here / max(len(classes), 1)])
    columns = [
        Column("Crimes per km² and month"),
        Column("Cells", numeric=True),
        Column("km²", numeric=True),
        Column("% of the grid", numeric=True),
    ]
    return Table("How much of the borough each class of density covers", columns, rows)


def _density_sentence(values: Any, cell_size_m: float) -> str:
    known = np.asarray(values, dtype=float)
    if known.size == 0 or not known.sum():
        return ""
    ranked = np.sort(known)[::-1]
    half = int(np.searchsorted(np.cumsum(ranked), ranked.sum() / 2)) + 1
    return (
        f"Half of the density lies on {100 * half / known.size:.0f} % of the ground; the highest cell of "
        f"{cell_size_m:g} m has {ranked[0]:,.1f} crimes per km² and month."
    )
