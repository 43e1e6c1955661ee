"""What retention takes from the characteristics."""

from __future__ import annotations

from sqlalchemy import delete, func, select

from service.duty.apart import Answer, exists_apart, open_apart
from service.duty.erasing import Work


def sweep_answers(work: Work, days: int) -> int:
    """Delete answers of months that are over for longer than the period."""
    if not exists_apart(work.core):
        return 0
    old = Answer.month < f"{work.before(days):%Y-%m}"
    with open_apart(work.core) as store:
        with store.read() as session:
            count = session.scalar(select(func.count()).select_from(Answer).where(old)) or 0
        if count and not work.is_dry:
            store.write(lambda session: session.execute(delete(Answer).where(old)))
    return count
