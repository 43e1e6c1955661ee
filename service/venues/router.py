"""JSON of venues: a public list, kept by staff."""

from __future__ import annotations

import uuid
from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Query, Response

from service.people.dependencies import PrincipalDep
from service.venues import workflow
from service.venues.schemas import VenueCollection, VenueIn, VenueOut, VenuePatch, VenueQuery
from service.web.dependencies import CoreDep
from service.web.openapi import problems
from service.web.queries import parse_bbox

GEOJSON = "application/geo+json"
CREATED, KNOWN = 201, 200
STAFF = problems((401, "Nobody is signed in."), (403, "The role does not look after venues."))
ONE = STAFF | problems((404, "There is no such venue."))

VenueId = Annotated[uuid.UUID, Path(description="Id of the venue.")]

router = APIRouter(prefix="/api/v1/venues", tags=["venues"])


@router.get("", summary="List verified safe places", response_model=VenueCollection)
def list_venues(core: CoreDep, principal: PrincipalDep, query: Annotated[VenueQuery, Query()]) -> Response:
    """Return venues that were checked, agreed to be listed and have not expired; public."""
    bbox = parse_bbox(query.bbox) if query.bbox else None
    if query.hidden:
        features = workflow.list_all_venues(core, principal, bbox=bbox, kind=query.kind)
    else:
        features = workflow.list_venues(core, bbox=bbox, kind=query.kind, open_at=query.open_at)
    body = orjson.dumps({"type": "FeatureCollection", "features": features})
    return Response(body, media_type=GEOJSON, headers={} if query.hidden else {"Cache-Control": "public, max-age=300"})


@router.post(
    "",
    summary="Enter a venue (staff)",
    status_code=CREATED,
    response_model=VenueOut,
    responses={
        KNOWN: {"model": VenueOut, "description": "Stored before under this id."},
        **STAFF,
        **problems((409, "Another venue is stored under this id.")),
    },
)
def create_venue(core: CoreDep, principal: PrincipalDep, venue: VenueIn) -> Response:
    """Store a venue that somebody checked and that agreed to be listed."""
    feature, is_new = workflow.create_venue(core, principal, venue)
    return Response(orjson.dumps(feature), CREATED if is_new else KNOWN, media_type=GEOJSON)


@router.patch("/{venue_id}", summary="Change a venue (staff)", response_model=VenueOut, responses=ONE)
def change_venue(core: CoreDep, principal: PrincipalDep, venue_id: VenueId, change: VenuePatch) -> Response:
    """Change what is sent; what is left out stays."""
    return Response(orjson.dumps(workflow.change_venue(core, principal, venue_id, change)), media_type=GEOJSON)


@router.delete("/{venue_id}", summary="Delete a venue (staff)", status_code=204, responses=ONE)
def delete_venue(core: CoreDep, principal: PrincipalDep, venue_id: VenueId) -> None:
    """Delete a venue."""
    workflow.delete_venue(core, principal, venue_id)
