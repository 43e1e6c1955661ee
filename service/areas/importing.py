"""Bring boundary sets in, from a file or bundled; then queue the join of what is there already."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import shapely
from sqlalchemy.orm import Session

from geo import boundaries, crs
from geo.boundaries import BoundaryFile, BoundaryReport, Flaw
from service.areas import reading, store
from service.areas.sets import CORNERS_APART_M, FULL_RESOLUTION_M, AreaShapes, SetView, SetWords
from service.core import Core
from service.errors import InvalidInputError, UnavailableError
from service.jobs.workflow import enqueue

BUNDLED: Final = ("wards-2022", "wards-2002", "lsoa-2011", "borough")
BUNDLED_DEFAULT: Final = "wards-2022"
BUNDLED_DRAWN_ONLY: Final = frozenset({"lsoa-2011"})
JOIN_JOBS: Final = ("join_places", "join_crimes")
_BUNDLED_FILE = "data/boundaries/"
_FLAWS_KEPT = 100  # of each kind, the largest first


@dataclass(frozen=True, slots=True)
class Fields:
    """Columns and layer to read; None is guessed."""

    code: str | None = None
    name: str | None = None
    layer: str | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: the stored set, what was read and found, and whether anything changed."""

    view: SetView
    file: BoundaryFile
    report: BoundaryReport
    changed: bool


def import_file(core: Core, path: Path, words: SetWords, *, fields: Fields, default: bool) -> Imported:
    """Read, check and store a boundary set, and queue the join of the places and crimes that are there already.

    Parameters
    ----------
    core : Core
        The deployment.
    path : Path
        Any vector file GDAL reads.
    words : SetWords
        What to store about it.
    fields : Fields
        Columns and layer, where they should not be guessed.
    default : bool
        Whether the set becomes the default; the first set of wards does anyway.

    Returns
    -------
    Imported
        An import of what is stored already changes nothing and queues nothing.

    Raises
    ------
    InvalidInputError
        If the words cannot be used, or the set is too coarse for a real deployment.
    BoundaryError, CRSError
        If the file cannot be used.
    """
    _require_exact(core, words.checked())  # before the file is read: that can take a while
    file = boundaries.read_boundaries(path, code_field=fields.code, name_field=fields.name, layer=fields.layer)
    report = boundaries.check_boundaries(file.areas)
    areas = report.areas
    shapes, apart_m = _to_shapes(areas.index.to_numpy(), areas["area_name"].to_numpy(), areas.geometry.to_numpy())
    words = _with_resolution(words, apart_m)
    kept = _report_as_dict(report) | {
        "file": path.name,
        "code_field": file.code_field,
        "name_field": file.name_field,
        "layer": file.layer,
        "source_crs": file.source_crs,
    }
    changed = _store(core, words, shapes, kept, default=default)
    return Imported(reading.get_set(core, words.name), file, report, changed)


def load_bundled(core: Core) -> list[SetView]:
    """Store the bundled, approximate sets of Lewisham; a set of the same name from elsewhere stays.

    Returns
    -------
    list of SetView
        Every set that is now stored, the default first.

    Raises
    ------
    InvalidInputError
        In a real deployment: the sets are approximate.
    """
    stored = {view.name: view for view in reading.list_sets(core)}
    for name in BUNDLED:
        if name in stored and not str(stored[name].report.get("file", "")).startswith(_BUNDLED_FILE):
            continue
        bundled = boundaries.read_bundled(bundled_folder() / name)
        info = bundled.info
        words = SetWords(
            name=info.name,
            level=info.level,
            title=info.title,
            source=info.source,
            licence=info.licence,
            attribution=info.attribution,
            valid_from=_day(info.valid_from),
            valid_to=_day(info.valid_to),
            resolution_m=info.resolution_m,
            join_points=name not in BUNDLED_DRAWN_ONLY,
        )
        _require_exact(core, words)
        shapes, _ = _to_shapes(bundled.codes, bundled.names, bundled.geometries)
        kept = {"file": _BUNDLED_FILE + name, "source_crs": crs.WGS84}
        _store(core, words, shapes, kept, default=name == BUNDLED_DEFAULT and not stored)
    return reading.list_sets(core)


def bundled_folder() -> Path:
    """Return the folder of the bundled sets: in the wheel, or in the checkout.

    Raises
    ------
    UnavailableError
        If neither is there.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "data" / "boundaries", package.parent / "data" / "boundaries"):
        if folder.is_dir():
            return folder
    raise UnavailableError("The bundled boundaries are not where the package keeps them; install it again.")


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _require_exact(core: Core, words: SetWords) -> None:
    limit = core.settings.exact_resolution_m
    if core.mode == "real" and words.resolution_m is not None and words.resolution_m > limit:
        raise InvalidInputError(
            f"The set {words.name} is approximate ({words.resolution_m:g} m): a real deployment takes boundaries of at "
            f"most {limit:g} m. Import full-resolution ones, or run 'safer-places boundaries fetch wards'."
        )


def _with_resolution(words: SetWords, apart_m: float) -> SetWords:
    """Fill in the resolution where nobody said it; lines that look generalised need somebody to say it."""
    if words.resolution_m is not None:
        return words
    if words.level == "grid":
        return replace(words, resolution_m=0.0)
    if apart_m > CORNERS_APART_M:
        raise InvalidInputError(
            f"The lines look generalised (a corner every {apart_m:.0f} m). Say how far they may lie from the true ones "
            "with --resolution-m: 20 for generalised (BGC), 200 for super generalised (BSC), 500 for ultra (BUC)."
        )
    return replace(words, resolution_m=FULL_RESOLUTION_M)


def _to_shapes(codes: Any, names: Any, geometries: Any) -> tuple[AreaShapes, float]:
    """Return the areas ascending by code, and how far apart the corners of their lines stand on average [m]."""
    order = np.argsort(np.asarray(codes, dtype=str), kind="stable")
    metric = crs.geometry_to_metric(geometries[order])
    _require_usable(np.asarray(codes, dtype=str)[order], metric)
    shapes = AreaShapes(
        np.asarray(codes, dtype=str)[order],
        np.asarray(names, dtype=str)[order],
        geometries[order],
        shapely.area(metric) / 1e6,
        np.full(len(order), np.nan),
    )
    return shapes, float(shapely.length(metric).sum() / shapely.get_num_coordinates(metric).sum())


def _require_usable(codes: Any, metric: Any) -> None:
    """Refuse areas that are valid in degrees and collapse in metres, before a join of everything fails on them."""
    lost = codes[~(shapely.is_valid(metric) & (shapely.area(metric) > 0))]
    if len(lost):
        raise InvalidInputError(
            f"{len(lost)} areas collapse or cross themselves when their corners are rounded to a millimetre "
            f"({', '.join(lost[:5])}). Correct or remove them."
        )


def _store(core: Core, words: SetWords, shapes: AreaShapes, kept: dict[str, Any], *, default: bool) -> bool:
    """Store the set unless it is there as it is; return whether anything changed."""
    wkb = shapely.to_wkb(shapes.geometries)
    digest = _digest(words, shapes, wkb)
    values = words.as_dict() | {
        "title": words.title or words.name.replace("-", " ").capitalize(),
        "attribution": words.attribution or words.source,
        "digest": digest,
        "report": {"rows": len(shapes.codes), **kept},
    }
    areas = [
        {"area_gss": code, "name": name, "geometry": text, "area_km2": size}
        for code, name, text, size in zip(
            shapes.codes.tolist(), shapes.names.tolist(), wkb.tolist(), shapes.area_km2.tolist(), strict=True
        )
    ]

    def write(session: Session) -> bool:
        if store.read_digest(session, words.name) == digest:
            if default:
                store.set_default(session, words.name)
            return False
        store.replace_set(session, values, areas, default=default)
        for kind in JOIN_JOBS if words.join_points else ():
            enqueue(session, kind, {"set": words.name}, dedupe_key=f"{kind}:{words.name}")
        return True

    return core.store.write(write)


def _digest(words: SetWords, shapes: AreaShapes, wkb: Any) -> str:
    """Return the SHA-256 of the areas and the words: what is derived from a set is keyed by it."""
    digest = hashlib.sha256(orjson.dumps(words.as_dict(), option=orjson.OPT_SORT_KEYS))
    for code, name, text in zip(shapes.codes.tolist(), shapes.names.tolist(), wkb.tolist(), strict=True):
        digest.update(orjson.dumps([code, name, len(text)]))
        digest.update(text)
    return digest.hexdigest()


def _report_as_dict(report: BoundaryReport) -> dict[str, Any]:
    return {
        "total_km2": round(report.total_km2, 4),
        "repaired": list(report.repaired),
        "multipart": list(report.multipart),
        "overlap_count": len(report.overlaps),
        "gap_count": len(report.gaps),
        "overlaps": _flaws(report.overlaps),
        "gaps": _flaws(report.gaps),
    }


def _flaws(flaws: Iterable[Flaw]) -> list[dict[str, Any]]:
    return [{"area_gss": list(flaw.area_gss), "area_m2": flaw.area_m2} for flaw in list(flaws)[:_FLAWS_KEPT]]
