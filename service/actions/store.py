"""Every query of findings; the first argument is the session."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.actions.models import Finding


def read_findings(session: Session, *, status: str | None = None) -> list[Finding]:
    """Return findings in order of writing, all or those of one status."""
    query = select(Finding).order_by(Finding.created_at, Finding.id)
    return list(session.scalars(query if status is None else query.where(Finding.status == status)))


def read_finding(session: Session, finding_id: uuid.UUID) -> Finding | None:
    """Return one finding."""
    return session.get(Finding, finding_id)
