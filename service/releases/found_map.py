"""The public map of a release: areas of its partition, shaded by how many people marked them; no mark, no position."""

from __future__ import annotations

from typing import Any, Final

import geopandas as gpd
import pandas as pd
import shapely

from geo import crs
from geo.maps import build
from geo.maps.assets import Assets
from geo.maps.elements import Measure
from geo.maps.facts import Column, MapFacts, Source, Table
from geo.maps.figure import Slots, render
from service.core import Core
from service.maps import workflow as maps
from service.releases.downloads import area_shapes_of
from service.releases.schemas import AreaOut, ReleaseOut
from service.releases.words import area_rows
from service.web.templates import day_words

MEASURES: Final = {
    "unsafe": ("People who marked a place that feels unsafe", 1),
    "safe": ("People who marked a place that feels safe", 2),
    "all": ("People who marked any place", 0),
}
TOLERANCE_DEGREES: Final = 1e-5
BY: Final = "Marked by young people in workshops; only as one release shows it"


def found_map(core: Core, release: ReleaseOut, measure: str, *, nonce: str) -> str:
    """Return the map as a page for a frame.

    A union is drawn ward by ward where any of its wards has a number of its own, and as one shape elsewhere.

    Parameters
    ----------
    core : Core
        The deployment.
    release : ReleaseOut
        What is drawn.
    measure : str
        A key of ``MEASURES``.
    nonce : str
        Of the answer's content policy.

    Returns
    -------
    str
        HTML.

    Raises
    ------
    UnavailableError
        If the ward lines of the release are no longer here.
    """
    label, column = MEASURES[measure]
    zones = _zones(release, column)
    shapes = {one["code"]: one["shape"] for one in area_shapes_of(core, release)}
    frame = gpd.GeoDataFrame(
        {"area_name": [name for name, _ in zones.values()]},
        geometry=[shapely.simplify(shapes[code], TOLERANCE_DEGREES) for code in zones],
        index=pd.Index(list(zones), name="area_gss"),
        crs=crs.WGS84,
    )
    values = pd.Series({code: value for code, (_, value) in zones.items()}, dtype=float)
    few = frozenset(code for code, (_, value) in zones.items() if value is None)
    ground, landmarks = maps.mark_layers(core)
    drawn = build.ward_map(
        frame, Measure(label, "rounded", values, few, "count"), facts=_facts(release, label, zones), ground=ground,
        landmarks=landmarks,
    )  # fmt: skip
    assets = Assets(f"{core.settings.base_path}/static/maps")
    return render(drawn, nonce=nonce, assets=assets, slots=Slots(embed=True))


def _zones(release: ReleaseOut, column: int) -> dict[str, tuple[str, int | None]]:
    """Return name and number of each shape to draw, by code."""
    found: dict[str, tuple[str, int | None]] = {}
    for union in area_rows(release):
        parts = union.wards if any(ward.cells[column] is not None for ward in union.wards) else [union]
        found |= {one.area.code: (_short(one.area), one.cells[column]) for one in parts}
    return found


def _short(area: AreaOut) -> str:
    """Return a name that fits on the map: the first ward of a union stands for the others."""
    more = len(area.wards) - 1
    return (
        f"{area.name.split(', ')[0].split(' and ')[0]} and {more} more" if area.level == "union" and more else area.name
    )


def _facts(release: ReleaseOut, label: str, zones: dict[str, tuple[str, int | None]]) -> MapFacts:
    rows: list[Any] = [[name, "hidden" if value is None else f"about {value}"] for name, value in zones.values()]
    sources = [Source(BY), Source(f"Ward lines: {release.partition.source}", release.partition.licence)]
    notices = ["Sample data: every number on this map is made up."] if release.is_sample else []
    return MapFacts(
        title=f"{label}: {release.borough}",
        period=f"Release {release.number} of {day_words(release.made_on)}",
        sources=sources,
        caveats=[
            f"Hatched: {release.hidden_because[0].lower()}{release.hidden_because[1:]}",
            "Numbers are rounded. A place with many marks may be one that many people use.",
            *(["The ward lines are approximate."] if release.partition.approximate else []),
        ],
        summary="",
        notices=notices,
        empty="",
        table=Table(f"{label}, by area", [Column("Area"), Column("People", numeric=True)], rows),
        language="en-GB",
    )
