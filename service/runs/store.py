"""Queries on runs and the hot spots they found."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from service.runs.models import Hotspot, Run


def put_run(session: Session, run: dict[str, Any], hotspots: list[dict[str, Any]], *, make_current: bool) -> None:
    """Store a run and its hot spots; a current one takes the place of the one before, which stays."""
    if make_current:
        session.execute(
            update(Run)
            .where(Run.kind == run["kind"], Run.is_current)
            .values(is_current=False)
            .execution_options(synchronize_session=False)
        )
    session.add(Run(**run, is_current=make_current))
    session.flush()
    if hotspots:
        session.execute(insert(Hotspot), [row | {"run_id": run["id"]} for row in hotspots])


def read_run(session: Session, run_id: uuid.UUID) -> Run | None:
    """Return the run, or None."""
    return session.get(Run, run_id)


def read_current(session: Session, kind: str) -> Run | None:
    """Return the run that maps and places use, or None."""
    query = select(Run).where(Run.kind == kind, Run.is_current).order_by(Run.created_at.desc()).limit(1)
    return session.scalar(query)


def read_runs(session: Session, *, kind: str | None, limit: int) -> Sequence[Run]:
    """Return the newest runs first."""
    query = select(Run).order_by(Run.created_at.desc(), Run.id).limit(limit)
    return session.scalars(query if kind is None else query.where(Run.kind == kind)).all()


def read_hotspots(session: Session, run_id: uuid.UUID) -> Sequence[Hotspot]:
    """Return the hot spots of a run by rank."""
    return session.scalars(select(Hotspot).where(Hotspot.run_id == run_id).order_by(Hotspot.rank)).all()


def cited_digests(session: Session) -> set[str]:
    """Return the digest of every crime file that a run cites: those files are kept."""
    inputs: Iterable[dict[str, Any]] = session.scalars(select(Run.inputs))
    return {file["digest"] for one in inputs for file in one.get("crime_files", [])}
