"""Column names that travel between modules, and the guard that a frame has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from geo.errors import ColumnError

AREA_GSS: Final = "area_gss"
AREA_NAME: Final = "area_name"
EDGE_M: Final = "edge_m"
NEIGHBOUR_GSS: Final = "neighbour_gss"
NEAR_BORDER: Final = "near_border"
SHARE: Final = "share"
GEOMETRY: Final = "geometry"

# crimes: one row published by the police
CRIME_ID: Final = "crime_id"
MONTH: Final = "month"  # text YYYY-MM
FORCE: Final = "force"  # slug as the police's archive names it, e.g. "metropolitan"
CATEGORY: Final = "category"  # slug of the police API, e.g. "anti-social-behaviour"
LONGITUDE: Final = "longitude"
LATITUDE: Final = "latitude"
LSOA_GSS: Final = "lsoa_gss"
LOCATION: Final = "location"
OUTCOME: Final = "outcome"
SOURCE_ROW: Final = "source_row"  # line number in the file it came from, 1 is the header of a CSV

# cells of an analysis grid
CELL: Final = "cell"
COUNT: Final = "count"
GI_Z: Final = "gi_star"
P_VALUE: Final = "p_value"
P_PERMUTATION: Final = "p_permutation"
CONFIDENCE: Final = "confidence"  # 0, 90, 95 or 99 after FDR
DENSITY: Final = "density"  # per km2 and month

OUTSIDE: Final = ""  # area code of a point that no area of the set holds


def require_columns(frame: Any, names: Iterable[str]) -> None:
    """Raise unless ``frame`` has every column of ``names``.

    Parameters
    ----------
    frame : DataFrame
        The frame as the caller gave it; it is not changed.
    names : iterable of str
        Columns that must be there.

    Raises
    ------
    ColumnError
        Naming the missing columns and those that are there.
    """
    missing = [name for name in names if name not in frame.columns]
    if missing:
        message = f"The frame lacks {', '.join(missing)}; it has {', '.join(map(str, frame.columns)) or 'no columns'}."
        raise ColumnError(message)
