"""JSON of crimes: what is held, counts by area, series; public open data, never a point (P1)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from service.crimes import workflow
from service.crimes.schemas import CrimeQuery, MonthsAnswer, Rule, SeriesAnswer, SummaryAnswer
from service.web.dependencies import CoreDep

router = APIRouter(prefix="/api/v1/crimes", tags=["crimes"])

SetName = Annotated[
    str | None, Query(alias="set", max_length=60, description="Boundary set; without it the default one.")
]


def crime_query(
    first: Annotated[
        str | None, Query(alias="from", description="First month, YYYY-MM.", examples=["2018-01"], max_length=20)
    ] = None,
    last: Annotated[
        str | None, Query(alias="to", description="Last month, YYYY-MM.", examples=["2018-06"], max_length=20)
    ] = None,
    category: Annotated[
        list[str] | None, Query(description="Category of the police; repeat it for several.", examples=[["robbery"]])
    ] = None,
    rule: Annotated[
        Rule, Query(description="Assignment rule of `count`: point in polygon, or nearest LSOA centre.")
    ] = "polygon",
) -> CrimeQuery:
    """Read the query that the crime routes share."""
    return CrimeQuery(first, last, tuple(dict.fromkeys(category or ())), rule)


CrimeQueryDep = Annotated[CrimeQuery, Depends(crime_query)]


@router.get("/months", summary="Which months of which force are held, and which are missing?")
def read_months(core: CoreDep) -> MonthsAnswer:
    """Name every month held with its source, licence and digest, and every month that is missing."""
    return workflow.months_held(core)


@router.get("/summary", summary="Crimes of a period in each area of a set")
def read_summary(core: CoreDep, query: CrimeQueryDep, set_name: SetName = None) -> SummaryAnswer:
    """Count crimes by area, by both assignment rules, with the share of points near a line and what is missing."""
    return workflow.summary(core, set_name, query)


@router.get("/series", summary="Crimes month by month")
def read_series(
    core: CoreDep,
    query: CrimeQueryDep,
    set_name: SetName = None,
    area: Annotated[
        str | None, Query(description="Code of the area; without it all areas together.", max_length=20)
    ] = None,
) -> SeriesAnswer:
    """Count crimes month by month; a month of a local force that is not held is null, never zero."""
    return workflow.series(core, set_name, area, query)
