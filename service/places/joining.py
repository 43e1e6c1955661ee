"""What is derived from the position of a place: areas of every set, and the hot spots of the current run."""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from geo import crs
from geo.boundaries import Outline
from geo.join import AreaIndex, assign_shares
from service.places.store import JoinSet, JoinState

FloatArray = npt.NDArray[np.float64]
CENTIMETRES = 2  # decimals kept of a distance in metres


@dataclass(frozen=True, slots=True)
class Derived:
    """Rows of ``place_area`` and ``place_hotspot`` that still lack the place's number."""

    areas: list[dict[str, Any]]
    hotspot: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class SetIndex:
    """A boundary set ready to be joined to."""

    set: JoinSet
    index: AreaIndex
    near_border_m: float

    def join(self, metric: Any) -> list[dict[str, Any]]:
        """Return the area rows of one geometry in ``crs.METRIC``."""
        if metric.geom_type == "Point":
            return [self._join_point(metric.x, metric.y)]
        shares = assign_shares(metric, self.index)
        crosses = len(shares) > 1
        return [self._row(code, share=share, edge_m=0.0 if crosses else None, near=crosses) for code, share in shares]

    def _join_point(self, x: float, y: float) -> dict[str, Any]:
        position = self.index.lookup_one(x, y)
        edge, other = self.index.edge_distance_one(x, y, position)
        codes = self.index.codes
        return self._row(
            str(codes[position]) if position >= 0 else "",  # outside every area
            edge_m=round(edge, CENTIMETRES),
            neighbour=str(codes[other]) if other >= 0 else "",
            near=edge <= self.near_border_m,
        )

    def join_points(self, x: Any, y: Any) -> list[dict[str, Any]]:
        """Return one area row for each point in ``crs.METRIC`` [m], in order."""
        position = self.index.lookup(x, y)
        edge_m, neighbour = self.index.edge_distance(x, y, position)
        codes = [*self.index.codes.tolist(), ""]  # position -1 is outside every area
        return [
            self._row(
                codes[at], edge_m=round(edge, CENTIMETRES), neighbour=codes[other], near=edge <= self.near_border_m
            )
            for at, edge, other in zip(position.tolist(), edge_m.tolist(), neighbour.tolist(), strict=True)
        ]

    def join_many(self, metrics: list[Any]) -> list[list[dict[str, Any]]]:
        """Return the area rows of many geometries in ``crs.METRIC``, in order; points go through in one step."""
        rows: list[list[dict[str, Any]]] = [[] for _ in metrics]
        points = [at for at, metric in enumerate(metrics) if metric.geom_type == "Point"]
        xy = shapely.get_coordinates([metrics[at] for at in points])
        for at, row in zip(points, self.join_points(xy[:, 0], xy[:, 1]), strict=True):
            rows[at].append(row)
        for at in set(range(len(metrics))).difference(points):
            rows[at].extend(self.join(metrics[at]))
        return rows

    def _row(
        self, code: str, *, share: float = 1.0, edge_m: float | None, neighbour: str = "", near: bool
    ) -> dict[str, Any]:
        return {
            "set_id": self.set.id,
            "generation": self.set.generation,
            "area_gss": code,
            "share": share,
            "edge_m": edge_m,
            "neighbour_gss": neighbour or None,
            "near_border": near,
        }


def metric_from_wkb(geometries: list[bytes]) -> list[Any]:
    """Return stored geometries in ``crs.METRIC``."""
    metrics: list[Any] = crs.geometry_to_metric(shapely.from_wkb(geometries)).tolist()
    return metrics


class HotspotIndex:
    """The hot spots of one run, ready to be asked.

    Parameters
    ----------
    run_id : UUID
        The run.
    ranks : list of int, shape (n,)
        Rank of each hot spot.
    polygons : array of Geometry, shape (n,)
        Their polygons in ``crs.METRIC`` [m].
    """

    def __init__(self, run_id: uuid.UUID, ranks: list[int], polygons: Any) -> None:
        order = np.argsort(ranks, kind="stable")
        self.run_id = run_id
        self._ranks = [ranks[at] for at in order]
        self._polygons = np.asarray(polygons, dtype=object)[order]
        self._tree = shapely.STRtree(self._polygons)

    @classmethod
    def from_wkb(cls, run_id: uuid.UUID, rows: list[tuple[int, bytes]]) -> HotspotIndex:
        """Build the index from ranks and polygons as stored, in ``crs.WGS84``."""
        polygons = shapely.from_wkb([geometry for _, geometry in rows])
        return cls(run_id, [rank for rank, _ in rows], crs.geometry_to_metric(polygons))

    def join(self, metrics: list[Any]) -> list[dict[str, Any]]:
        """Return one row for each geometry in ``crs.METRIC``: the hot spot it is in, or metres to the nearest."""
        if not self._ranks:
            return [self._row(None, None, None) for _ in metrics]
        shapes = np.asarray(metrics, dtype=object)
        (at, found), distance = self._tree.query_nearest(shapes, return_distance=True)
        # several are as near: the lowest rank is named, whatever order the tree gives them in
        nearest: dict[int, tuple[int, float]] = {}
        for place, spot, metres in zip(at.tolist(), found.tolist(), distance.tolist(), strict=True):
            if place not in nearest or spot < nearest[place][0]:
                nearest[place] = (spot, metres)
        return [self._nearest_row(*nearest[place]) for place in range(len(metrics))]

    def _nearest_row(self, spot: int, metres: float) -> dict[str, Any]:
        rank = self._ranks[spot]
        return self._row(rank if math.isclose(metres, 0.0, abs_tol=1e-9) else None, rank, round(metres, CENTIMETRES))

    def _row(self, rank: int | None, nearest: int | None, distance_m: float | None) -> dict[str, Any]:
        return {"run_id": self.run_id, "rank": rank, "nearest_rank": nearest, "distance_m": distance_m}


@dataclass(frozen=True)
class Joiner:
    """Every set and the hot spots of one state of the store."""

    state: JoinState
    sets: tuple[SetIndex, ...]
    hotspots: HotspotIndex | None
    outline: Outline
    names: dict[int, dict[str, str]]  # set -> code -> name

    @property
    def set_names(self) -> dict[int, str]:
        """Names of the sets by their number."""
        return {one.id: one.name for one in self.state.sets}

    def join(self, metric: Any) -> Derived:
        """Return what is derived for one geometry in ``crs.METRIC``."""
        areas = [row for one in self.sets for row in one.join(metric)]
        return Derived(areas, self.hotspots.join([metric])[0] if self.hotspots else None)

    def join_many(self, metrics: list[Any]) -> list[Derived]:
        """Return what is derived for many geometries in ``crs.METRIC``, in order; points go through in one step."""
        areas: list[list[dict[str, Any]]] = [[] for _ in metrics]
        for one in self.sets:
            for collected, rows in zip(areas, one.join_many(metrics), strict=True):
                collected.extend(rows)
        hotspots: list[Any] = self.hotspots.join(metrics) if self.hotspots else [None] * len(metrics)
        return [Derived(rows, hotspot) for rows, hotspot in zip(areas, hotspots, strict=True)]
