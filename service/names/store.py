"""Every query on names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import case, delete, func, insert, or_, select
from sqlalchemy.orm import Session

from service.names.models import Name

LANDMARK_RANK = {"station": 30, "place": 25, "park": 20, "landmark": 10}


def find_names(session: Session, folded: str, limit: int) -> Sequence[Name]:
    """Return names that begin with the words, then those with a word that does; short ones first."""
    whole = Name.folded.startswith(folded, autoescape=True)
    inside = Name.folded.contains(f" {folded}", autoescape=True)
    order = (case((Name.folded == folded, 0), (whole, 1), else_=2), func.length(Name.folded), Name.folded, Name.id)
    return session.scalars(select(Name).where(or_(whole, inside)).order_by(*order).limit(limit)).all()


def read_landmarks(session: Session, limit: int) -> Sequence[Name]:
    """Return what a map writes on itself: everything but streets, the most helpful kinds first."""
    rank = case(LANDMARK_RANK, value=Name.kind, else_=0)
    return session.scalars(select(Name).where(Name.kind != "street").order_by(rank.desc(), Name.id).limit(limit)).all()


def read_all(session: Session, limit: int) -> Sequence[Name]:
    """Return every name, landmarks before streets, the short ones first."""
    order = (case((Name.kind == "street", 1), else_=0), func.length(Name.folded), Name.folded, Name.id)
    return session.scalars(select(Name).order_by(*order).limit(limit)).all()


def count_names(session: Session) -> tuple[int, int]:
    """Return the number of names and the highest id: together they change with every import."""
    count, highest = session.execute(select(func.count(), func.max(Name.id))).one()
    return int(count), int(highest or 0)


def replace_source(session: Session, source: str, rows: Iterable[dict[str, Any]]) -> int:
    """Store the names of a source in place of those it had; return how many."""
    session.execute(delete(Name).where(Name.source == source))
    fresh = list(rows)
    if fresh:
        session.execute(insert(Name), fresh)
    return len(fresh)
