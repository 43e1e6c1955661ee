"""Fetch months from the police API and import them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import shapely

from geo import crs
from service.areas import workflow as areas
from service.core import Core
from service.crimes.importing import import_files, require_force
from service.crimes.joining import After
from service.crimes.police_api import PoliceApi
from service.crimes.schemas import ImportReport
from service.errors import NotFoundError
from service.jobs.context import JobContext, Silent

_FETCH_SHARE: Final = 0.8  # of the progress; the rest is the import


def fetch_months(
    core: Core,
    months: Sequence[str],
    *,
    force: str,
    area: str | None = None,
    replace: bool = False,
    job: JobContext | None = None,
) -> tuple[ImportReport, list[str]]:
    """Fetch months from the police API and import them.

    Parameters
    ----------
    core : Core
        The deployment; its ``police_api_url`` is asked.
    months : sequence of str
        Months ``YYYY-MM``, such as ``geo.crimes.month_range`` gives.
    force : str
        Force whose area is asked for: the API does not tell.
    area : str or None
        Boundary set whose areas together are asked for; None for the borough.
    replace : bool
        As in ``import_files``.
    job : JobContext or None
        As in ``import_files``.

    Returns
    -------
    report : ImportReport
        As from ``import_files``.
    unpublished : list of str
        Months that the police have not published: they stay missing.

    Raises
    ------
    UnavailableError
        If the API cannot be reached; what was fetched is kept for the next attempt.
    NotFoundError
        If none of the months is published.
    InvalidInputError, ConflictError
        As ``import_files``.
    """
    context = job or Silent()
    slug = require_force(force)
    extent, shape = _area_asked(core, area)
    api = PoliceApi(core.settings, core.settings.data_dir / "cache" / "police-api")
    files: list[Path] = []
    unpublished: list[str] = []
    try:
        for done, month in enumerate(months):
            context.progress(_FETCH_SHARE * done / len(months), f"{month}, {api.requests} requests")
            try:
                files += list(api.fetch(month, shape))
            except NotFoundError:
                unpublished.append(month)
    finally:
        api.close()
    if not files:
        message = f"The police have published none of the months asked for ({', '.join(months[:12])})."
        raise NotFoundError(message)
    return import_files(
        core, files, force=slug, replace=replace, extent=extent, job=After(context, _FETCH_SHARE)
    ), unpublished


def _area_asked(core: Core, area: str | None) -> tuple[str, Any]:
    """Words for the extent, and the area in metres."""
    if area is None:
        return f"{core.area_name} ({core.area_gss}) and 50 m around", crs.geometry_to_metric(areas.outline_shape(core))
    return f"{area} and 50 m around", shapely.union_all(areas.area_index(core, area).polygons)
