"""Workshops of the sample deployment: held in the past, made up, seen by whoever opens the demo."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from service.core import Core
from service.errors import ConflictError
from service.workshops import store


@dataclass(frozen=True)
class SampleWorkshop:
    """A made-up workshop: its id, its title and the window in which marks were taken."""

    id: uuid.UUID
    title: str
    opens_at: datetime
    closes_at: datetime


def add_samples(core: Core, workshops: Sequence[SampleWorkshop]) -> int:
    """Store made-up workshops; those that are there already stay as they are.

    Parameters
    ----------
    core : Core
        The deployment.
    workshops : sequence of SampleWorkshop
        With times in UTC.

    Returns
    -------
    int
        How many were new.

    Raises
    ------
    ConflictError
        In a real deployment: sample and real marks never mix.
    """
    if not core.is_demo:
        message = "Sample workshops belong in a demo only."
        raise ConflictError(message)

    def write(session: Session) -> int:
        there = store.known(session, [workshop.id for workshop in workshops])
        new = [workshop for workshop in workshops if workshop.id not in there]
        store.add(session, [_row(workshop) for workshop in new])
        return len(new)

    return core.store.write(write)


def _row(workshop: SampleWorkshop) -> dict[str, object]:
    return {
        "uuid": workshop.id,
        "title": workshop.title,
        "opens_at": workshop.opens_at,
        "closes_at": workshop.closes_at,
        "takes_words": True,
        "takes_borders": True,
        "is_sample": True,
    }
