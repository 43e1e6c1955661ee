"""JSON of places: create, list, read; the choices that a mark may name."""

from __future__ import annotations

import uuid
from typing import Annotated
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Header, Path, Query, Request, Response

from service.people.dependencies import PrincipalDep
from service.places import workflow
from service.places.reasons import Choices, choices
from service.places.schemas import PlaceCollection, PlaceCreated, PlaceIn, PlaceOut, PlaceQuery
from service.web.dependencies import CoreDep
from service.web.limits import require_tokens
from service.web.openapi import problems

GEOJSON = "application/geo+json"
CREATED, KNOWN = 201, 200

PlaceId = Annotated[uuid.UUID, Path(description="Id of the place.")]

router = APIRouter(prefix="/api/v1", tags=["places"])


@router.get("/reasons", summary="What a mark may say: reasons and times")
def read_reasons(response: Response) -> Choices:
    """Return codes, plain words and icons; public, the same for everybody."""
    response.headers["Cache-Control"] = "public, max-age=3600"
    return choices()


@router.post(
    "/places",
    summary="Mark a place",
    status_code=CREATED,
    response_model=PlaceCreated,
    responses={
        KNOWN: {"model": PlaceCreated, "description": "Stored before: the same answer as then."},
        **problems(
            (401, "Nobody is signed in."),
            (403, "The role may not mark."),
            (409, "Another mark is stored under this id."),
            (410, "The mark was taken back."),
            (413, "The body is too large."),
            (429, "Too many marks from this network."),
        ),
    },
)
def create_place(
    request: Request,
    core: CoreDep,
    principal: PrincipalDep,
    place: PlaceIn,
    idempotency_key: Annotated[
        str | None,
        Header(description="Names the request where the mark has no id.", min_length=8, max_length=200),
    ] = None,
) -> Response:
    """Store a mark, pending until somebody moderates it. Sent twice under one id or key, it is stored once."""
    require_tokens(core, request, "marks", core.settings.marks_per_minute)
    made = workflow.create_place(core, principal, place, idempotency_key=idempotency_key)
    body = {"place": made.place, "receipt": {"secret": made.receipt, "words": made.words}}
    return Response(orjson.dumps(body), CREATED if made.is_new else KNOWN, media_type="application/json")


@router.get(
    "/places",
    summary="List places (staff)",
    response_model=PlaceCollection,
    responses=problems((401, "Nobody is signed in."), (403, "The role may not see places.")),
)
def list_places(core: CoreDep, principal: PrincipalDep, query: Annotated[PlaceQuery, Query()]) -> Response:
    """Return a page of the places that the role may see, oldest first, with the fields that it may see."""
    features, cursor = workflow.list_places(core, principal, query.to_filter(), after=query.cursor, limit=query.limit)
    links = [] if cursor is None else [_next(core.settings.base_path, query, cursor)]
    body = {"type": "FeatureCollection", "features": features, "number_returned": len(features), "links": links}
    return Response(orjson.dumps(body), media_type=GEOJSON)


@router.get(
    "/places/{place_id}",
    summary="Read one place (staff)",
    response_model=PlaceOut,
    responses=problems((401, "Nobody is signed in."), (404, "There is none that the role may see.")),
)
def read_place(core: CoreDep, principal: PrincipalDep, place_id: PlaceId) -> Response:
    """Return one place with the fields that the role may see."""
    return Response(orjson.dumps(workflow.read_place(core, principal, place_id)), media_type=GEOJSON)


def _next(base: str, query: PlaceQuery, cursor: int) -> dict[str, str]:
    values = query.model_dump(mode="json", exclude_defaults=True) | {"cursor": cursor, "limit": query.limit}
    return {"rel": "next", "href": f"{base}/api/v1/places?{urlencode(values, doseq=True)}", "type": GEOJSON}
