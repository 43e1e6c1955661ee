"""Named dependencies that routes share: the core and a read session."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from service.core import Core


async def get_core(request: Request) -> Core:
    """Return the core of the running application; async because it never blocks and so needs no thread."""
    core: Core = request.app.state.core
    return core


def get_session(request: Request) -> Iterator[Session]:
    """Open a read session for the request and close it; writes go through ``store.write``."""
    core: Core = request.app.state.core
    with core.store.read() as session:
        yield session


CoreDep = Annotated[Core, Depends(get_core)]
SessionDep = Annotated[Session, Depends(get_session)]
