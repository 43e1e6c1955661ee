"""Query parameters that several routes share."""

from __future__ import annotations

import math
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field

CORNERS = 4
BRITISH_LATITUDES, BRITISH_LONGITUDES = (49.0, 61.0), (-9.0, 2.0)


class Bbox(NamedTuple):
    """A box in EPSG:4326 [degrees]."""

    west: float
    south: float
    east: float
    north: float


def parse_bbox(text: str) -> Bbox:
    """Return the box that a text such as ``-0.07,51.41,0.04,51.49`` names.

    Raises
    ------
    ValueError
        If it is not four numbers in the order west, south, east, north, in degrees.
    """
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != CORNERS or not all(math.isfinite(number) for number in numbers):
        message = "Send four numbers in degrees: west,south,east,north, such as -0.07,51.41,0.04,51.49."
        raise ValueError(message)
    box = Bbox(*numbers)
    if _looks_swapped(box):
        message = "Longitude and latitude are swapped: send west,south,east,north, such as -0.07,51.41,0.04,51.49."
        raise ValueError(message)
    if not (-180 <= box.west <= box.east <= 180 and -90 <= box.south <= box.north <= 90):  # noqa: PLR2004  degrees
        message = "West must not lie east of east, nor south north of north; degrees within -180..180 and -90..90."
        raise ValueError(message)
    return box


def _looks_swapped(box: Bbox) -> bool:
    """Return whether the box lies in the British Isles once its numbers change places, and not as it stands."""
    (south, north), (west, east) = BRITISH_LATITUDES, BRITISH_LONGITUDES
    return all(south <= one <= north for one in (box.west, box.east)) and all(
        west <= one <= east for one in (box.south, box.north)
    )


def _checked(text: str) -> str:
    parse_bbox(text)
    return text


BboxText = Annotated[
    str,
    AfterValidator(_checked),
    Field(description="Box in degrees: west,south,east,north.", max_length=120, examples=["-0.07,51.41,0.04,51.49"]),
]
