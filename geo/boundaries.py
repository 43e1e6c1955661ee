"""Boundary sets read from a file or a bundled folder; the door to their check and to the check of a drawn place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson
import shapely

from geo import crs
from geo.boundary_check import BoundaryReport, Flaw, check_boundaries, require_codes, require_polygons, some, to_areas
from geo.columns import AREA_GSS, AREA_NAME
from geo.errors import BoundaryError, CRSError
from geo.place_shapes import Outline, PlaceLimits, geometry_from_geojson, prepare_outline, validate_place_geometry

__all__ = [
    "APPROXIMATE_ABOVE_M",
    "LEVELS",
    "BoundaryFile",
    "BoundaryReport",
    "BoundarySet",
    "Flaw",
    "Outline",
    "PlaceLimits",
    "SetInfo",
    "check_boundaries",
    "geometry_from_geojson",
    "prepare_outline",
    "read_boundaries",
    "read_bundled",
    "to_areas",
    "validate_place_geometry",
]

LEVELS: Final = ("ward", "lsoa", "borough", "grid")
APPROXIMATE_ABOVE_M: Final = 20.0  # product.md 2: drawn and demonstrated with, refused in production

_GSS = re.compile(r"[A-Z]\d{8}")
_NAME_HINT = re.compile(r"(name|nm)\d*$", re.IGNORECASE)

GeometryArray = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class SetInfo:
    """What a boundary set says about itself.

    Parameters
    ----------
    name : str
        Key of the set, for example ``wards-2022``.
    level : str
        One of ``LEVELS``.
    title, source, licence, attribution : str
        Words for people; the licence asks for the attribution on every output.
    valid_from, valid_to : str or None
        First and last day the areas were in force, ``YYYY-MM-DD``; None where open.
    resolution_m : float
        How far a line may lie from the true one [m].
    area_gss : str
        Code of the borough the set covers.
    """

    name: str
    level: str
    title: str
    source: str
    licence: str
    attribution: str
    valid_from: str | None
    valid_to: str | None
    resolution_m: float
    area_gss: str

    @property
    def approximate(self) -> bool:
        """Whether the set is only good enough to draw and demonstrate with."""
        return self.resolution_m > APPROXIMATE_ABOVE_M


@dataclass(frozen=True, slots=True)
class BoundarySet:
    """Areas of one set as plain arrays, cheap to read where no frame is needed.

    Parameters
    ----------
    info : SetInfo
        What the set says about itself.
    codes, names : ndarray of str, shape (n_areas,)
        Area codes, ascending and unique, and their names.
    geometries : ndarray of Geometry, shape (n_areas,)
        Polygons or multipolygons in ``crs.WGS84``.
    """

    info: SetInfo
    codes: npt.NDArray[np.str_]
    names: npt.NDArray[np.str_]
    geometries: GeometryArray

    def to_frame(self) -> Any:
        """Return the areas as a GeoDataFrame indexed by ``area_gss`` in ``crs.WGS84``."""
        return to_areas(self.codes, self.names, self.geometries)


@dataclass(frozen=True, slots=True)
class BoundaryFile:
    """A file read as areas, and what was guessed about it.

    Parameters
    ----------
    areas : GeoDataFrame
        ``area_name`` and geometry in ``crs.WGS84``, indexed by ``area_gss`` in the order of the file.
    code_field, name_field : str
        Columns taken as code and name; the name falls back on the code.
    layer : str or None
        Layer read, where the format has layers.
    source_crs : str
        CRS of the file.
    """

    areas: Any
    code_field: str
    name_field: str
    layer: str | None
    source_crs: str


def read_bundled(folder: str | Path) -> BoundarySet:
    """Read a folder made by ``scripts/build_boundaries.py``, without GDAL and geopandas.

    Parameters
    ----------
    folder : str or Path
        Folder with ``set.json`` and ``areas.geojson``.

    Returns
    -------
    BoundarySet
        The areas in ascending order of code.

    Raises
    ------
    BoundaryError
        If a file is missing, is no JSON or lacks a property.
    """
    folder = Path(folder)
    try:
        described = orjson.loads((folder / "set.json").read_bytes())
        features = orjson.loads((folder / "areas.geojson").read_bytes())["features"]
        info = SetInfo(**{name: described[name] for name in SetInfo.__dataclass_fields__})
        rows = sorted(
            (f["properties"][AREA_GSS], f["properties"][AREA_NAME], orjson.dumps(f["geometry"])) for f in features
        )
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError) as error:
        message = f"{folder} is not a bundled boundary set ({error!r}); wanted set.json and areas.geojson."
        raise BoundaryError(message) from error
    codes, names, texts = zip(*rows, strict=True) if rows else ((), (), ())
    return BoundarySet(
        info,
        np.array(codes, dtype=str),
        np.array(names, dtype=str),
        shapely.from_geojson(np.array(texts, dtype=object)),
    )


def read_boundaries(
    path: str | Path, *, code_field: str | None = None, name_field: str | None = None, layer: str | None = None
) -> BoundaryFile:
    """Read areas from any vector file that GDAL reads.

    Parameters
    ----------
    path : str or Path
        File or folder on this machine; ``.gz`` and ``.zip`` are opened in place.
    code_field, name_field : str, optional
        Columns with code and name. Guessed where None: the code is the column whose values are all different and
        written as GSS codes, the name the column called like it.
    layer : str, optional
        Layer to read; needed where the file has several.

    Returns
    -------
    BoundaryFile
        The areas in ``crs.WGS84`` and what was guessed.

    Raises
    ------
    BoundaryError
        If the file cannot be read, has no CRS, no column serves as code, a code is blank or repeated, or a row is no
        polygon.
    """
    frame, layer = _read_layer(Path(path), layer)
    code_field = _code_field(frame, code_field)
    name_field = _name_field(frame, code_field, name_field)
    codes = frame[code_field].astype("string").fillna("").str.strip()
    source_crs = frame.crs.to_string()
    try:
        geometries = crs.to_wgs84(frame).geometry.to_numpy()
    except CRSError as error:
        raise BoundaryError(str(error)) from error
    areas = to_areas(codes, frame[name_field].astype("string").fillna("").str.strip(), shapely.force_2d(geometries))
    require_codes(areas.index)
    require_polygons(areas)
    return BoundaryFile(areas, code_field, name_field, layer, source_crs)


def _read_layer(path: Path, layer: str | None) -> tuple[Any, str | None]:
    import pyogrio  # noqa: PLC0415  pulls geopandas, 1.9 s
    from pyogrio.errors import DataLayerError, DataSourceError  # noqa: PLC0415

    if not path.exists():  # GDAL would also take addresses; a boundary file is on this machine
        message = f"{path} does not exist."
        raise BoundaryError(message)
    source = f"/vsigzip/{path.resolve()}" if path.suffix == ".gz" else str(path)
    try:
        layers = [str(name) for name, geometry_type in pyogrio.list_layers(source) if geometry_type is not None]
        if layer is None and len(layers) != 1:
            message = f"{path} has {len(layers)} layers with shapes ({some(layers)}); name one with the layer option."
            raise BoundaryError(message)
        frame = pyogrio.read_dataframe(source, layer=layer or layers[0])
    except (DataSourceError, DataLayerError) as error:
        message = f"{path} cannot be read as areas: {' '.join(str(error).split())}"
        raise BoundaryError(message) from error
    if frame.crs is None:
        message = (
            f"{path} does not say its coordinate reference system. Add it to the file (a .prj beside a shapefile)."
        )
        raise BoundaryError(message)
    if frame.empty:
        message = f"{path} holds no areas."
        raise BoundaryError(message)
    return frame, layer or layers[0]


def _code_field(frame: Any, wanted: str | None) -> str:
    if wanted is not None:
        return _require_field(frame, wanted)
    for name in _attributes(frame):
        values = frame[name].dropna().astype(str).str.strip()
        if len(values) == len(frame) and values.is_unique and values.map(_GSS.fullmatch).notna().all():
            return name
    message = (
        "No column holds a different GSS code (like E05013714) in every row. Name the code field; the columns are "
        f"{some(_attributes(frame))}."
    )
    raise BoundaryError(message)


def _name_field(frame: Any, code_field: str, wanted: str | None) -> str:
    if wanted is not None:
        return _require_field(frame, wanted)
    attributes = [name for name in _attributes(frame) if name != code_field]
    alike = {re.sub(r"(?i)cd$", "NM", code_field).lower(), re.sub(r"(?i)code", "name", code_field).lower()}
    texts = [name for name in attributes if _is_text(frame[name])]
    for name in texts:
        if name.lower() in alike:
            return name
    hinted = [name for name in texts if _NAME_HINT.search(name)]
    distinct = [name for name in hinted if frame[name].is_unique]
    return (distinct or hinted or [code_field])[0]


def _attributes(frame: Any) -> list[str]:
    return [str(name) for name in frame.columns if name != frame.geometry.name]


def _is_text(values: Any) -> bool:
    present = values.dropna()
    return bool(len(present)) and bool(present.map(lambda value: isinstance(value, str)).all())


def _require_field(frame: Any, name: str) -> str:
    if name not in _attributes(frame):
        message = f"There is no column {name}; the columns are {some(_attributes(frame))}."
        raise BoundaryError(message)
    return name
