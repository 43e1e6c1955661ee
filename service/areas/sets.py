"""What the other subjects see of a boundary set, and what an import must say about one."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from service.errors import InvalidInputError

LEVELS: Final = ("ward", "lsoa", "borough", "grid")
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?")
# How far apart corners of full-resolution lines stand: 6 to 31 m measured on ONS BFC and OS sets, 85 m and more on
# generalised ones. Above this the lines look generalised and somebody has to say how coarsely.
CORNERS_APART_M: Final = 60.0
FULL_RESOLUTION_M: Final = 1.0


@dataclass(frozen=True, slots=True)
class SetView:
    """One boundary set as stored, without its areas.

    ``digest`` changes whenever the areas or the words about them do: it is the key of everything derived from the set.
    """

    id: int
    name: str
    level: str
    title: str
    source: str
    licence: str
    attribution: str
    valid_from: date | None
    valid_to: date | None
    resolution_m: float
    approximate: bool
    digest: str
    is_default: bool
    join_points: bool
    place_generation: int
    crime_generation: int
    area_count: int
    report: dict[str, Any]
    imported_at: datetime

    @property
    def caveat(self) -> str:
        """The sentence that goes with every use of the set; empty for an exact one."""
        if not self.approximate:
            return ""
        return (
            f"Approximate boundaries: lines lie up to about {self.resolution_m:g} m from the true ones. "
            "For drawing and demonstration only."
        )

    @property
    def why_no_numbers(self) -> str:
        """Why nothing is counted by these areas; empty where crimes and marks are joined to them."""
        return "" if self.join_points else "These areas are drawn only: there are no numbers for this set."


@dataclass(frozen=True, slots=True)
class SetWords:
    """What an import says about a set.

    Parameters
    ----------
    name : str
        Key: lower-case letters, digits and hyphens.
    level : str
        One of ``LEVELS``.
    title, source, licence, attribution : str
        Words for people; an empty title is the name.
    valid_from, valid_to : date or None
        First and last day in force.
    resolution_m : float or None
        How far a line may lie from the true one [m]; None where nobody said.
    join_points : bool
        Whether places and crimes are joined to the set; False for one that is only drawn.
    """

    name: str
    level: str
    title: str = ""
    source: str = ""
    licence: str = "not stated"
    attribution: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    resolution_m: float | None = None
    join_points: bool = True

    def checked(self) -> SetWords:
        """Return the words if they can be used.

        Raises
        ------
        InvalidInputError
            Naming the option and what to do.
        """
        if not _NAME.fullmatch(self.name):
            raise InvalidInputError(
                f"The name {self.name!r} cannot be used: take up to 60 lower-case letters, digits and hyphens."
            )
        if self.level not in LEVELS:
            raise InvalidInputError(f"There is no level {self.level!r}; use one of {', '.join(LEVELS)}.")
        if self.valid_from and self.valid_to and self.valid_from > self.valid_to:
            raise InvalidInputError("The first day of validity lies after the last one.")
        if self.resolution_m is not None and not 0 <= self.resolution_m < float("inf"):
            raise InvalidInputError(f"The resolution {self.resolution_m:g} m cannot be; give metres of 0 or more.")
        return self

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class AreaShapes:
    """The areas of one set as arrays in ascending order of code; shared between threads, never to be changed.

    Parameters
    ----------
    codes, names : ndarray of str, shape (n_areas,)
        Area codes and names.
    geometries : ndarray of Geometry, shape (n_areas,)
        Polygons in WGS84, longitude first.
    area_km2 : ndarray of float, shape (n_areas,)
        Sizes [km2].
    residents : ndarray of float, shape (n_areas,)
        Residents; NaN where not known.
    """

    codes: npt.NDArray[np.str_]
    names: npt.NDArray[np.str_]
    geometries: npt.NDArray[np.object_]
    area_km2: npt.NDArray[np.float64]
    residents: npt.NDArray[np.float64]
