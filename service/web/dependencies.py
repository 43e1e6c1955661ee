"""Named dependencies that routes share: the core and a read session."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from service.core import Core


def get_core(request: Request) -> Core:
    """Return the core of the running application."""
    core: Core = request.app.state.core
    return core


def get_session(request: Request) -> Iterator[Session]:
    """Open a read session for the request and close it; writes go through ``store.write``."""
    with get_core(request).store.read() as session:
        yield session


CoreDep = Annotated[Core, Depends(get_core)]
SessionDep = Annotated[Session, Depends(get_session)]
