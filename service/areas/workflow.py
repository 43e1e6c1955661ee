"""The door of the subject: what other subjects, routes and commands may ask of boundary sets."""

from __future__ import annotations

from service.areas.fetching import FetchPlan, fetch_set
from service.areas.importing import Fields, Imported, import_file, load_bundled
from service.areas.reading import (
    Detail,
    area_geojson,
    area_index,
    area_shapes,
    areas_frame,
    areas_geojson,
    default_set,
    get_set,
    list_sets,
    outline,
    outline_shape,
)
from service.areas.sets import AreaShapes, SetView, SetWords

__all__ = [
    "AreaShapes",
    "Detail",
    "FetchPlan",
    "Fields",
    "Imported",
    "SetView",
    "SetWords",
    "area_geojson",
    "area_index",
    "area_shapes",
    "areas_frame",
    "areas_geojson",
    "default_set",
    "fetch_set",
    "get_set",
    "import_file",
    "list_sets",
    "load_bundled",
    "outline",
    "outline_shape",
]
