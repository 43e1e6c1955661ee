"""Is the process up, and can it serve."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from service.store.deployment import read_deployment
from service.web.dependencies import CoreDep

router = APIRouter(tags=["operation"])


class Health(BaseModel):
    """State of the process."""

    status: str = Field(description="Always 'ok' in an answer with status 200.", examples=["ok"])


@router.get("/health", summary="Is the process up?")
def read_health() -> Health:
    """Answer without touching the store."""
    return Health(status="ok")


@router.get("/ready", summary="Can it serve?")
def read_readiness(core: CoreDep) -> Health:
    """Answer after one read of the store; 503 while it cannot be reached."""
    with core.store.read() as session:
        read_deployment(session)
    return Health(status="ok")
