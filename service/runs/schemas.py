"""What the API takes and says about runs, and what other subjects read of them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

RunKind = Literal["hotspots", "density"]
Month = Annotated[str, Field(pattern=r"^20\d{2}-(0[1-9]|1[0-2])$")]
Category = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,60}$")]


class PeriodParameters(BaseModel):
    """Which crimes a run takes."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    start: Month | None = Field(
        default=None,
        alias="from",
        description="First month; without it, the newest months held, as many as the method needs.",
        examples=["2017-07"],
    )
    end: Month | None = Field(
        default=None, alias="to", description="Last month; without it, the newest held.", examples=["2018-06"]
    )
    categories: list[Category] = Field(
        default=[],
        max_length=30,
        description="Crime types as the police name them (slugs); none means all.",
        examples=[["robbery"]],
    )
    cell_size_m: float | None = Field(
        default=None, ge=250, le=5000, description="Side of a cell [m], not below 250 (P1); without it, the setting."
    )
    make_current: bool = Field(default=True, description="Whether maps and places use this run from now on.")
    automatic: bool = Field(default=False, description="Queued by an import: too few months are then no failure.")

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.start and self.end and self.start > self.end:
            message = f"The first month {self.start} comes after the last one {self.end}."
            raise ValueError(message)
        return self


class HotspotParameters(PeriodParameters):
    """Options of a hot spot run."""

    least_confidence: Literal[90, 95, 99] = Field(
        default=95, description="Class [%] after the false discovery rate from which a cell belongs to a hot spot."
    )
    permutations: int = Field(default=999, ge=99, le=99_999, description="Draws of the conditional permutation check.")
    seed: int = Field(default=1, ge=0, lt=2**32, description="Seed of these draws.")


class DensityParameters(PeriodParameters):
    """Options of a density run."""

    bandwidth_m: float | None = Field(
        default=None, ge=100, le=5000, description="Radius of the quartic kernel [m]; without it, the setting."
    )


class HotspotRequest(BaseModel):
    """Ask for hot spots."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"kind": "hotspots", "parameters": {"from": "2017-07", "to": "2018-06", "categories": ["robbery"]}}
            ]
        }
    )

    kind: Literal["hotspots"] = Field(description="Hot spots by Getis-Ord Gi*.")
    parameters: HotspotParameters = Field(default=HotspotParameters(), description="Options; all have defaults.")


class DensityRequest(BaseModel):
    """Ask for a density surface."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"kind": "density", "parameters": {"bandwidth_m": 300}}]})

    kind: Literal["density"] = Field(description="Density per square kilometre and month, quartic kernel.")
    parameters: DensityParameters = Field(default=DensityParameters(), description="Options; all have defaults.")


RunRequest = Annotated[HotspotRequest | DensityRequest, Field(discriminator="kind")]


class RunOut(BaseModel):
    """A recorded analysis."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID = Field(description="Id of the run.", examples=["0b7f6a3e-6a3c-4b1e-9d55-0c6f3f1f9a11"])
    kind: str = Field(description="hotspots or density.", examples=["hotspots"])
    method: str = Field(description="The method in words.")
    parameters: dict[str, Any] = Field(
        description="Every option, as used; with the months.",
        examples=[{"categories": [], "cell_size_m": 250.0, "months": ["2018-05", "2018-06"]}],
    )
    inputs: dict[str, Any] = Field(
        description="Digests of the crime files and of the outline.",
        examples=[{"crime_files": [{"force": "metropolitan", "month": "2018-06", "digest": "5f3c..."}]}],
    )
    code_version: str = Field(
        description="Version of the package, and digest of the analysis code.",
        examples=["0.1.0+geo.0123456789abcdef"],
    )
    summary: dict[str, Any] = Field(description="What a reader must know: months missing, cells, thresholds, checks.")
    result_digest: str = Field(description="SHA-256 of the result: the same again if the run is repeated.")
    is_current: bool = Field(description="Whether maps and places use this run.")
    is_sample: bool = Field(description="Whether sample data is among it: then no number is real.")
    created_at: datetime = Field(description="When it was stored, UTC.")
    caveats: list[str] = Field(description="Sentences that go wherever the result goes (P7, P8, P9).")


class RunList(BaseModel):
    """The newest runs first."""

    runs: list[RunOut] = Field(description="The newest first.")


class HotspotProperties(BaseModel):
    """What is known of one hot spot."""

    rank: int = Field(description="1 has the highest Gi* (z score).", ge=1)
    count: int = Field(description="Crimes reported to the police in its cells, in the months of the run.")
    count_per_month: float = Field(description="The same a month held.")
    cells: int = Field(description="Cells that form it.")
    area_km2: float = Field(description="Size [km2].")
    confidence: int = Field(description="Highest class [%] among its cells after the false discovery rate.")
    p_adjusted: float = Field(description="Smallest p-value among its cells after the false discovery rate (P8).")
    gi_star: float = Field(description="Largest Gi* (z score) among its cells.")
    top: list[dict[str, Any]] = Field(
        description="Most frequent offence types.", examples=[[{"category": "robbery", "count": 12}]]
    )


class HotspotFeature(BaseModel):
    """One hot spot as a GeoJSON feature."""

    type: Literal["Feature"] = Field(default="Feature", description="Always Feature.")
    id: int = Field(description="The rank.")
    geometry: dict[str, Any] = Field(description="Polygon or MultiPolygon, longitude and latitude.")
    properties: HotspotProperties = Field(description="What is known of it.")


class HotspotCollection(BaseModel):
    """The hot spots of one run as GeoJSON, with what has to be said beside them."""

    type: Literal["FeatureCollection"] = Field(default="FeatureCollection", description="Always FeatureCollection.")
    run: uuid.UUID = Field(description="Id of the run.")
    method: str = Field(description="The method in words (P8).")
    period: dict[str, Any] = Field(description="First and last month, months counted, months missing (P4, P8).")
    units: str = Field(description="What was counted in.")
    cells: int = Field(description="Cells of the borough.")
    cells_that_can_hold_a_point: int = Field(description="Cells with any point of the data: points are snapped (P1).")
    source: str = Field(description="Source and licence (P7).")
    caveats: list[str] = Field(description="Sentences that go wherever the result goes (P7, P8, P9).")
    is_sample: bool = Field(description="Whether sample data is among it: then no number is real.")
    features: list[HotspotFeature] = Field(description="By rank.")


@dataclass(frozen=True, slots=True)
class HotspotView:
    """One hot spot, for pages and maps.

    ``geometry`` is in EPSG:4326, not to be changed; the numbers are those of ``HotspotProperties``.
    """

    rank: int
    geometry: Any
    count: int
    cells: int
    confidence: int
    p_adjusted: float
    gi_star: float
    area_km2: float
    top: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class CellTable:
    """The cells of a run as arrays of one length; shared between threads, never to be changed.

    Attributes
    ----------
    cell : ndarray of str, shape (n_cells,)
        Ids.
    west, south : ndarray of float, shape (n_cells,)
        South-west corner in ``crs.METRIC`` [m].
    cell_size_m : float
        Side [m].
    values : dict of str to ndarray, shape (n_cells,)
        Hot spots: ``count``, ``gi_star``, ``p_value``, ``p_adjusted``, ``p_permutation``, ``confidence``. Density:
        ``count``, ``density`` [1 / km2 / month].
    """

    cell: npt.NDArray[np.str_]
    west: npt.NDArray[np.float64]
    south: npt.NDArray[np.float64]
    cell_size_m: float
    values: dict[str, npt.NDArray[Any]]

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self.cell)


@dataclass(frozen=True, slots=True)
class Repetition:
    """What came of computing a stored run again."""

    run_id: uuid.UUID
    stored_digest: str
    digest: str
    stored_code: str
    code: str

    @property
    def is_same(self) -> bool:
        """Whether every digit is the same."""
        return self.digest == self.stored_digest
