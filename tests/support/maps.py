"""A deployment with something on every layer of the maps: square borough, thirteen months, marks, venue, names."""

from __future__ import annotations

import uuid
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from sqlalchemy import insert

from service.core import Core, Mode, initialise, open_core
from service.jobs.workflow import run_all
from service.names import workflow as names
from service.people.access import DEMO, Principal
from service.places import workflow as places
from service.places.models import Place
from service.places.schemas import PlaceIn
from service.settings import Settings
from service.store.spatial import index_geometries, to_e7
from service.venues import workflow as venues
from service.venues.schemas import VenueIn
from tests.support import crime_square as square

MISSING = "2017-03"
HELD = [month for month in square.MONTHS if month != MISSING]
WORKER = Principal("worker", "youth_worker")
VENUE: dict[str, Any] = {
    "name": "Corner Library",
    "kind": "library",
    "address": "1 High Street",
    "hours": {"mon": [["09:00", "17:30"]], "tue": [["09:00", "17:30"]], "sat": [["10:00", "14:00"]]},
    "checked_by": "Community safety team",
    "checked_on": "2026-06-01",
    "expires_on": "2099-06-01",
    "consent": True,
}
NAMES = "name,kind,lon,lat\nSquare Road,street,{lon},{lat}\nSquare Station,station,{lon},{lat}\n"


def mark(lon: float, lat: float, feeling: str = "unsafe", **properties: Any) -> PlaceIn:
    """A mark as a page sends it."""
    geometry = properties.pop("geometry", None) or {"type": "Point", "coordinates": [lon, lat]}
    said = {"feeling": feeling, "times": ["evening"], "reasons": [], **properties}
    return PlaceIn.model_validate(
        {"type": "Feature", "id": str(uuid.uuid4()), "geometry": geometry, "properties": said}
    )


def fill(folder: Path, mode: Mode = "demo", **values: Any) -> Path:
    """Make the data folder; the store is closed again."""
    settings = Settings(data_dir=folder / "data", worker=False, **values)
    initialise(settings, mode)
    core = open_core(settings)
    square.import_borough(core, folder)
    square.import_months(core, folder / "files", HELD)
    add_venue_and_names(core, folder)
    lon, lat = (float(part[0]) for part in square.centres())
    who = DEMO if mode == "demo" else WORKER
    for number in range(12):  # twelve people at one corner: nine unsafe, three safe
        place = mark(lon, lat, "unsafe" if number < 9 else "safe", contributor_key=f"{number:016d}")
        places.create_place(core, who, place)
    line = {"type": "LineString", "coordinates": [[lon + 0.02, lat + 0.01], [lon + 0.03, lat + 0.01]]}
    places.create_place(core, who, mark(lon, lat, "mixed", kind="route", geometry=line, times=["weekday_day"]))
    assert all(outcome.status == "done" for outcome in run_all(core))  # joins, hot spots, density
    core.store.close()
    return settings.data_dir


def add_venue_and_names(core: Core, folder: Path) -> None:
    """Add one venue in the middle, a street and a station."""
    middle = len(square.centres()[0]) // 2 + square.SIDE // 2
    lon, lat = (float(part[middle]) for part in square.centres())
    keeper = DEMO if core.is_demo else WORKER
    venues.create_venue(core, keeper, VenueIn.model_validate(VENUE | {"longitude": lon, "latitude": lat}))
    file = folder / "names.csv"
    file.write_text(NAMES.format(lon=lon, lat=lat), encoding="utf-8")
    names.import_names(core, file)


def add_many(core: Core, number: int, *, seed: int = 1) -> None:
    """Add approved points at random corners straight into the tables: a hundred thousand in a few seconds."""
    rng = np.random.default_rng(seed)
    lon, lat = square.centres()
    at = rng.integers(0, len(lon), number)
    x = lon[at] + rng.uniform(-0.001, 0.001, number)
    y = lat[at] + rng.uniform(-0.001, 0.001, number)
    feelings = rng.choice(["unsafe", "safe", "mixed"], number)
    points = shapely.to_wkb(shapely.points(x, y))
    rows = [
        {
            "id": uuid.UUID(bytes=rng.bytes(16), version=4),
            "request_hash": "",
            "people": 1,
            "day": date(2026, 1, 1),
            "kind": "point",
            "feeling": str(feelings[k]),
            "times": [],
            "reasons": [],
            "status": "approved",
            "publish": "count",
            "geometry": points[k],
            "longitude_e7": to_e7(x[k]),
            "latitude_e7": to_e7(y[k]),
            "source": "test",
            "version": 1,
            "is_sample": True,
        }
        for k in range(number)
    ]

    def write(session: Any) -> None:
        seqs = list(session.scalars(insert(Place).returning(Place.seq, sort_by_parameter_order=True), rows))
        index_geometries(session, "place", list(zip(seqs, shapely.points(x, y), strict=True)))

    core.store.write(write)


def make_pmtiles(path: Path) -> Path:
    """A small vector file with roads, water and a name, written by GDAL."""
    import geopandas

    lon, lat = (float(part[0]) for part in square.centres())
    roads = geopandas.GeoDataFrame(
        {"name": ["Square Road"], "kind": ["minor_road"]},
        geometry=[shapely.LineString([(lon - 0.01, lat), (lon + 0.05, lat + 0.03)])],
        crs="EPSG:4326",
    )
    options = {"MINZOOM": "10", "MAXZOOM": "14"}
    roads.to_file(path, layer="roads", driver="PMTiles", engine="pyogrio", dataset_options=options)
    return path
