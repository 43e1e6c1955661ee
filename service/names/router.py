"""Search for streets and landmarks as JSON."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from service.names import workflow
from service.names.schemas import NameList, NameOut
from service.web.dependencies import CoreDep

router = APIRouter(prefix="/api/v1/names", tags=["names"])


@router.get("", summary="Find a street or landmark")
def search_names(
    core: CoreDep,
    q: Annotated[str, Query(description="Beginning of a name or of a word in it.", max_length=80, examples=["ladyw"])],
    limit: Annotated[int, Query(description="At most so many.", ge=1, le=20)] = 8,
) -> NameList:
    """Return names that fit; what was typed is not kept."""
    found = workflow.search_names(core, q, limit=limit)
    return NameList(names=[NameOut.model_validate(name) for name in found])
