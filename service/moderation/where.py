"""Where a mark is, in words and on a small drawing: shown on request only."""

from __future__ import annotations

import math
import uuid

from geo import crs
from service.core import Core
from service.errors import NotFoundError
from service.moderation.schemas import WhereOut
from service.moderation.store import Mark
from service.names.workflow import landmarks
from service.places.workflow import where_is
from service.store.spatial import E7
from service.web.sketch import sketch_areas

TO_TENS = -1


def where_words(core: Core, place_id: uuid.UUID) -> WhereOut:
    """Return the ward, the nearest landmark and the spot on a drawing of the wards; the caller has asked for the right.

    Raises
    ------
    NotFoundError
        If the mark has no position any more.
    """
    found = where_is(core, place_id)
    if found is None:
        message = "This mark has no position."
        raise NotFoundError(message)
    sketch = sketch_areas(core)
    x, y = sketch.at(found["longitude"], found["latitude"]) if sketch else (0.0, 0.0)
    return WhereOut(
        ward=found["ward"],
        near=_near(core, found["longitude"], found["latitude"]),
        view_box=sketch.view_box if sketch else None,
        paths=list(sketch.paths) if sketch else [],
        x=x,
        y=y,
    )


def ward_name(core: Core, place_id: uuid.UUID) -> str | None:
    """Return the ward of a mark; None outside all, or where it has no position."""
    found = where_is(core, place_id)
    return found["ward"] if found else None


def metres_between(one: Mark, other: Mark) -> int | None:
    """Return how far two marks are from each other [m]; None where one has no position."""
    spots = [(place.longitude_e7, place.latitude_e7) for place in (one, other)]
    if any(longitude is None or latitude is None for longitude, latitude in spots):
        return None
    x, y = crs.to_metric_xy([(spot[0] or 0) / E7 for spot in spots], [(spot[1] or 0) / E7 for spot in spots])
    return round(math.hypot(float(x[0] - x[1]), float(y[0] - y[1])))


def _near(core: Core, longitude: float, latitude: float) -> str | None:
    found = landmarks(core)
    if not found:
        return None
    x, y = crs.to_metric_xy([longitude, *(row[0] for row in found)], [latitude, *(row[1] for row in found)])
    metres = [math.hypot(float(across - x[0]), float(up - y[0])) for across, up in zip(x[1:], y[1:], strict=True)]
    nearest = min(range(len(found)), key=metres.__getitem__)
    return f"{found[nearest][2]}, about {round(metres[nearest], TO_TENS):.0f} m away"
