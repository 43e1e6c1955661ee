"""Run retention: every class by its period, in one write, with a report that proves it ran (L6, X12)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from service.core import Core
from service.duty import store
from service.duty.classes import CLASSES
from service.duty.erasing import Work, count_with_lead
from service.duty.scrub import scrub
from service.jobs.workflow import enqueue
from service.people.access import Principal, Right
from service.people.audit import record
from service.store.base import utc_now

LATE: Final = timedelta(days=2)
LOCAL_TIME: Final = ZoneInfo("Europe/London")
SCHEDULE: Final = Principal("schedule", "operator")


@dataclass(frozen=True)
class RetentionReport:
    """What one run erased, or would erase: rows by class, and the periods it went by."""

    at: datetime
    is_dry: bool
    counts: dict[str, int]
    days: dict[str, int]
    with_lead: int  # marks kept whatever their age, because the lead has not decided
    log_emptied: bool = True

    @property
    def total(self) -> int:
        """Rows of all classes."""
        return sum(self.counts.values())

    def as_json(self) -> dict[str, Any]:
        """Return what is stored."""
        return {"counts": self.counts, "days": self.days, "with_lead": self.with_lead}


class _OnlyTriedError(Exception):
    """Ends a dry run: everything it did is rolled back."""

    def __init__(self, report: RetentionReport) -> None:
        super().__init__("dry run")
        self.report = report


def run_retention(
    core: Core, principal: Principal, *, is_dry: bool = False, now: datetime | None = None
) -> RetentionReport:
    """Erase what is older than the period of its class; a mark with the lead is never touched.

    Parameters
    ----------
    core : Core
        The deployment; its settings hold the periods.
    principal : Principal
        Who runs it, for the audit: the schedule, the command line, or staff whose right the caller has asked.
    is_dry : bool
        Count only: the same statements run and are rolled back.
    now : datetime, optional
        The time, aware; the clock's where left out.

    Returns
    -------
    RetentionReport
        Rows by class.
    """
    moment = now or utc_now()
    try:
        report = core.store.write(lambda session: _run(session, core, principal, moment, is_dry=is_dry))
    except _OnlyTriedError as tried:
        return tried.report
    emptied = scrub(core)  # also where nothing was old: marks taken back since the last run left bytes in their pages
    return RetentionReport(report.at, report.is_dry, report.counts, report.days, report.with_lead, emptied)


def _run(session: Session, core: Core, principal: Principal, moment: datetime, *, is_dry: bool) -> RetentionReport:
    work = Work(session, core, moment, moment.astimezone(LOCAL_TIME).date(), is_dry)
    days = {one.name: one.days(core.settings) for one in CLASSES}
    counts = {one.name: one.erase(work, days[one.name]) for one in CLASSES}
    report = RetentionReport(moment, is_dry, counts, days, count_with_lead(session))
    if is_dry:
        raise _OnlyTriedError(report)
    store.add_run(session, moment, report.as_json())
    record(session, core, principal, "retention.run", rows=report.total)
    return report


def ask_retention(core: Core, principal: Principal) -> None:
    """Queue a run of retention for the worker; one that waits already is enough.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the caller may not run retention.
    """
    principal.require(Right.RETENTION_RUN)

    def write(session: Session) -> None:
        enqueue(session, "retention", {}, dedupe_key="retention:regular")
        record(session, core, principal, "retention.ask")

    core.store.write(write)


@dataclass(frozen=True)
class RetentionState:
    """What the staff page shows: the last runs, whether one is overdue, what would go now."""

    runs: list[RetentionReport]
    is_late: bool
    would_go: RetentionReport


def retention_state(core: Core, principal: Principal, *, now: datetime | None = None) -> RetentionState:
    """Return the last runs and what would be erased now.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the caller may not run retention.
    """
    principal.require(Right.RETENTION_RUN)
    moment = now or utc_now()
    with core.store.read() as session:
        rows = store.read_runs(session, 30)
    runs = [
        RetentionReport(row.at, False, row.report["counts"], row.report["days"], row.report["with_lead"])
        for row in rows
    ]
    return RetentionState(runs, is_late(runs, moment), run_retention(core, principal, is_dry=True, now=moment))


def is_late(runs: list[RetentionReport], moment: datetime) -> bool:
    """Return whether no run is younger than two days: the job did not come round."""
    return not runs or moment - runs[0].at > LATE
