"""What the crime routes answer, and what other subjects read of crimes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

Rule = Literal["polygon", "nearest"]
Change = Literal["new", "replaced", "unchanged"]
NumberSource = Literal["police-points"]


@dataclass(frozen=True, slots=True)
class CrimeQuery:
    """Which crimes are counted, and how.

    Attributes
    ----------
    first, last : str or None
        Months ``YYYY-MM``, both included; None for the first or last month held.
    categories : tuple of str
        Slugs; none means all.
    rule : {"polygon", "nearest"}
        Which rule ``count`` follows; both counts are always given where there are areas (P2).
    """

    first: str | None = None
    last: str | None = None
    categories: tuple[str, ...] = ()
    rule: Rule = "polygon"


@dataclass(frozen=True, slots=True)
class KeyReport:
    """What an import did with one force and month."""

    force: str
    month: str
    rows: int
    rejected: int
    digest: str
    change: Change


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did."""

    keys: list[KeyReport]
    rows: int
    rejected: dict[str, int]  # by reason
    report: Path | None  # CSV of the rejected lines
    passed_over: list[str]
    seconds: float
    waiting_sets: list[str]  # boundary sets whose counts a job makes
    new_types: dict[str, int] = field(default_factory=dict)  # crime types not known here, kept as the police name them

    @property
    def is_unchanged(self) -> bool:
        """Whether everything was held already."""
        return all(key.change == "unchanged" for key in self.keys)


@dataclass(frozen=True, slots=True)
class CrimePoints:
    """Crimes of a period as arrays, for the analysis only: police points are never drawn or handed out (P1).

    Attributes
    ----------
    longitude, latitude : ndarray, shape (n,)
        Snap points in EPSG:4326 [degrees].
    month, category : ndarray of int16, shape (n,)
        Positions in ``months`` and ``categories``.
    months, categories : tuple of str
        Every month of the period, held or not; the categories met, in alphabetical order.
    digests : tuple of str
        Files used, in order of force and month: the inputs of a run.
    held : tuple of (str, str)
        Force and month of each file, in the same order.
    missing : dict of str to list of str
        Months of each force that are not held.
    is_sample : bool
        Whether any file is sample data.
    """

    longitude: npt.NDArray[np.float64]
    latitude: npt.NDArray[np.float64]
    month: npt.NDArray[np.int16]
    category: npt.NDArray[np.int16]
    months: tuple[str, ...]
    categories: tuple[str, ...]
    digests: tuple[str, ...]
    held: tuple[tuple[str, str], ...]
    missing: dict[str, list[str]]
    is_sample: bool

    def __len__(self) -> int:
        """Return the number of crimes."""
        return len(self.longitude)


class Model(BaseModel):
    """Base of the answers."""

    model_config = ConfigDict(populate_by_name=True)


class Provenance(Model):
    """Where the numbers come from and what they cannot say (P7)."""

    source: str = Field(description="Who publishes the data.", examples=["data.police.uk (Home Office)"])
    licence: str = Field(description="Licence of the data.", examples=["Open Government Licence v3.0"])
    extract_months: list[str] = Field(
        description="Months in which the files used were taken from the publisher.", examples=[["2026-11"]]
    )
    extents: list[str] = Field(
        description="What the files cover: 'force' for a whole force, or the area that the API was asked for.",
        examples=[["force"]],
    )
    is_sample: bool = Field(description="Whether sample data is among it: then no number is real.")
    caveats: list[str] = Field(description="Sentences that go wherever the numbers go.")


class MonthHeld(Model):
    """One month of one force."""

    month: str = Field(description="Month, YYYY-MM.", examples=["2018-06"])
    rows: int = Field(description="Crimes with a point.", ge=0)
    rejected: int = Field(description="Lines of this month that could not be used, mostly without a point.", ge=0)
    source: Literal["archive", "api"] = Field(description="Whether from the police's archive or their API.")
    extent: str = Field(description="What the file covers: 'force', or the area that the API was asked for.")
    digest: str = Field(description="SHA-256 of the immutable file: the name of this version of the month.")
    imported_at: datetime = Field(description="When the file was imported, UTC.")
    is_sample: bool = Field(description="Whether this is sample data.")


class ForceHeld(Model):
    """What is held of one force."""

    force: str = Field(description="Slug of the force as the archive names it.", examples=["metropolitan"])
    name: str = Field(description="Name of the force.", examples=["Metropolitan Police Service"])
    months: list[MonthHeld] = Field(description="Months held, in order.")
    missing: list[str] = Field(description="Months between the first and last of all that are not held (P4).")


class CategoryNote(Model):
    """A crime type as the police name it, and what it does not mean (P6)."""

    slug: str = Field(description="Slug of the police API.", examples=["possession-of-weapons"])
    name: str = Field(description="Name as the police give it.", examples=["Possession of weapons"])
    note: str = Field(description="What it holds, what it is not, and changes of recording.")


class MonthsAnswer(Model):
    """Which months of which force are held."""

    first: str | None = Field(description="First month held of any force; null where nothing is held.")
    last: str | None = Field(description="Last month held of any force.")
    forces: list[ForceHeld] = Field(description="Forces, transport police always among them once anything is held.")
    categories: list[CategoryNote] = Field(description="Crime types with notes.")
    provenance: Provenance = Field(description="Source, licence, caveats.")


class AreaSummary(Model):
    """Crimes of a period in one area."""

    area_gss: str = Field(description="Code of the area.", examples=["E05013714"])
    name: str = Field(description="Name of the area.")
    count: int | None = Field(description="Crimes by the rule asked for; null where no month is held.")
    polygon: int | None = Field(description="Crimes whose point lies in the area.")
    nearest: int | None = Field(description="Crimes whose point is nearest to the centre of an LSOA of the area.")
    near_line_share: float | None = Field(
        description="Share of the points in the area that lie near an edge; null without a point.", ge=0, le=1
    )
    area_km2: float = Field(description="Size [km2].")
    residents: int | None = Field(description="Residents, where known.")
    source: NumberSource = Field(description="'police-points': counted here from the police's points (P3).")


class SummaryAnswer(Model):
    """Crimes of a period in each area of a set."""

    set: str = Field(description="Name of the boundary set.", examples=["wards-2022"])
    set_title: str = Field(description="Title of the boundary set.")
    level: str = Field(description="Level of the set.", examples=["ward"])
    first: str | None = Field(alias="from", description="First month of the period; null where nothing is held.")
    last: str | None = Field(alias="to", description="Last month of the period.")
    categories: list[str] = Field(description="Categories counted; empty means all.")
    rule: Rule = Field(description="Which rule `count` follows.")
    months: int = Field(description="Months in the period.", ge=0)
    months_complete: int = Field(description="Months in which every local force is held; the base of a rate.", ge=0)
    missing: dict[str, list[str]] = Field(
        description="Months of each force that are not held: missing, never zero (P4).",
        examples=[{"btp": ["2018-05"]}],
    )
    areas: list[AreaSummary] = Field(description="Every area of the set, by code.")
    outside: int | None = Field(description="Crimes in no area of the set; the same under both rules.")
    total: int | None = Field(description="All crimes of the period: the areas and outside.")
    near_line_share: float | None = Field(description="Share of the points in all areas that lie near an edge (P2).")
    near_line_m: float = Field(description="Distance that counts as near an edge [m].")
    provenance: Provenance = Field(description="Source, licence, extract months, caveats.")


class MonthCount(Model):
    """Crimes of one month."""

    month: str = Field(description="Month, YYYY-MM.", examples=["2018-06"])
    count: int | None = Field(description="Crimes by the rule asked for; null where a local force is missing (P4).")
    categories: dict[str, int] = Field(description="The same by category; empty where `count` is null.")
    missing_forces: list[str] = Field(description="Forces that are not held in this month.", examples=[["btp"]])


class SeriesBreak(Model):
    """A change of recording: do not read a step there as a change of crime."""

    month: str = Field(description="Month of the change.", examples=["2024-02"])
    force: str = Field(description="Force that changed.")
    note: str = Field(description="What changed.")


class SeriesAnswer(Model):
    """Crimes month by month in one area or a whole set."""

    set: str = Field(description="Name of the boundary set.")
    area: str | None = Field(description="Code of the area; null for all areas of the set together.")
    name: str | None = Field(description="Name of the area.")
    categories: list[str] = Field(description="Categories counted; empty means all.")
    rule: Rule = Field(description="Which rule the counts follow.")
    months: list[MonthCount] = Field(description="Every month of the period, held or not.")
    breaks: list[SeriesBreak] = Field(description="Recording changes within the period.")
    source: NumberSource = Field(description="'police-points': counted here from the police's points (P3).")
    provenance: Provenance = Field(description="Source, licence, extract months, caveats.")
