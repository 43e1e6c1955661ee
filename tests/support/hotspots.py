"""A run of hot spots made by hand, in metres from the corner of the square borough."""

from __future__ import annotations

import uuid
from typing import Any

import shapely
from sqlalchemy import update

from geo import crs
from service.core import Core
from service.runs.models import Hotspot, Run
from tests.support.squares import SOUTH, WEST


def add_run(core: Core, spots: list[tuple[int, tuple[float, float, float, float]]]) -> uuid.UUID:
    """Store a current run with ranked boxes (west, south, east, north)."""
    run_id = uuid.uuid4()

    def write(session: Any) -> None:
        session.execute(update(Run).values(is_current=False), execution_options={"synchronize_session": False})
        session.add(
            Run(
                id=run_id,
                kind="hotspots",
                method="by hand",
                parameters={},
                inputs={},
                code_version="test",
                result_digest="0" * 64,
                result_path="",
                is_current=True,
            )
        )
        session.flush()
        for rank, (west, south, east, north) in spots:
            box = shapely.box(WEST + west, SOUTH + south, WEST + east, SOUTH + north)
            session.add(_spot(run_id, rank, shapely.to_wkb(crs.geometry_to_wgs84(box))))

    core.store.write(write)
    return run_id


def _spot(run_id: uuid.UUID, rank: int, wkb: bytes) -> Hotspot:
    known = {"count": 10, "cells": 1, "confidence": 99, "gi_star": 5.0, "area_km2": 0.0625, "top": []}
    columns = {column.name for column in Hotspot.__table__.columns}
    values = {name: value for name, value in (known | {"p_adjusted": 0.001}).items() if name in columns}
    return Hotspot(run_id=run_id, rank=rank, geometry=wkb, **values)
