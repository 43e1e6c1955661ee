"""Shared data as a file that carries its use statement inside: GeoJSON, CSV, GeoPackage."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path
from typing import Any, Final

import shapely

MEDIA: Final = {"geojson": "application/geo+json", "csv": "text/csv", "gpkg": "application/geopackage+sqlite3"}
RISKY: Final = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet takes such a cell for a formula


def to_file(features: list[dict[str, Any]], statement: dict[str, str], kind: str) -> bytes:
    """Return features as a file of a kind.

    Parameters
    ----------
    features : list of dict
        GeoJSON Features in EPSG:4326.
    statement : dict of str to str
        Who may use it, for what, under which agreement: in every file.
    kind : str
        geojson, csv or gpkg.

    Returns
    -------
    bytes
        The file.
    """
    if kind == "csv":
        return _csv(features, statement)
    if kind == "gpkg":
        return _geopackage(features, statement)
    body = {"type": "FeatureCollection", "use_statement": statement, "features": features}
    return json.dumps(body, ensure_ascii=False, default=str).encode()


def _flat(feature: dict[str, Any]) -> dict[str, Any]:
    return {
        name: " ".join(value) if isinstance(value, list) else value for name, value in feature["properties"].items()
    }


def _csv(features: list[dict[str, Any]], statement: dict[str, str]) -> bytes:
    rows = [
        _flat(feature)
        | {"geometry": shapely.from_geojson(json.dumps(feature["geometry"])).wkt if feature["geometry"] else ""}
        | {"use_statement": "; ".join(f"{name}: {value}" for name, value in statement.items())}
        for feature in features
    ]
    sink = io.StringIO()
    writer = csv.DictWriter(sink, list(rows[0]) if rows else ["use_statement"], lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: _plain(value) for name, value in row.items()} for row in rows)
    return sink.getvalue().encode("utf-8-sig")


def _plain(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(RISKY) else value


def _geopackage(features: list[dict[str, Any]], statement: dict[str, str]) -> bytes:
    import geopandas
    import pyogrio

    from geo import crs

    shapes = [shapely.from_geojson(json.dumps(f["geometry"])) if f["geometry"] else None for f in features]
    frame = geopandas.GeoDataFrame([_flat(f) for f in features], geometry=shapes, crs=crs.WGS84)
    words = "; ".join(f"{name}: {value}" for name, value in statement.items())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shared.gpkg"
        options = {"layer": "places", "driver": "GPKG", "geometry_type": "Unknown", "promote_to_multi": False}
        pyogrio.write_dataframe(
            frame, path, **options, dataset_metadata=statement, layer_options={"DESCRIPTION": words}
        )
        return path.read_bytes()
