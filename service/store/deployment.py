"""Table of the deployment: whether this store is the demo or real, decided once when it is made."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.store.base import AwareDateTime, Base, utc_now


class Deployment(Base):
    """One row: the mode cannot change, so sample and real marks never mix."""

    __tablename__ = "deployment"
    __table_args__ = (
        CheckConstraint("id = 1", name="one_row"),
        CheckConstraint("mode IN ('demo', 'real')", name="mode"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    mode: Mapped[str] = mapped_column(String(10))
    area_gss: Mapped[str] = mapped_column(String(20))
    area_name: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime] = mapped_column(AwareDateTime, default=utc_now)


def read_deployment(session: Session) -> Deployment | None:
    """Return the deployment row, or None in a store that was never initialised."""
    return session.scalar(select(Deployment))
