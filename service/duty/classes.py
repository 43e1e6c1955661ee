"""The classes of data that retention knows: for each its period, what is erased and what stays (L6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from service.duty import apart_sweep, erasing, sweeping
from service.duty.erasing import Work
from service.settings import Settings


@dataclass(frozen=True)
class DataClass:
    """One class: its name in reports, its setting, what goes and what stays, and the function that does it."""

    name: str
    setting: str | None  # field of Settings with the days; None: as soon as the lead has decided
    erased: str
    stays: str
    erase: Callable[[Work, int], int]

    def days(self, settings: Settings) -> int:
        """Return the period in days."""
        return int(getattr(settings, self.setting)) if self.setting else 0


# The order matters: what a decision frees comes first, what holds others together (tombstones, audit) last.
CLASSES: tuple[DataClass, ...] = (
    DataClass("withdrawn", None, "Marks taken back while the lead had them", "A tombstone", erasing.erase_withdrawn),
    DataClass(
        "rejected",
        "retention_rejected_days",
        "Everything a rejected mark said",
        "That there was one, its day and its state",
        erasing.erase_rejected,
    ),
    DataClass(
        "words",
        "retention_words_days",
        "Notes and suggestions as they were written, earlier versions, undo",
        "Place, feeling, times, reasons",
        erasing.erase_words,
    ),
    DataClass(
        "geometry",
        "retention_geometry_days",
        "The exact position, public wording, finer areas, metres to edges and hot spots",
        "Ward, feeling, times, reasons: counts stay",
        erasing.erase_geometry,
    ),
    DataClass(
        "versions",
        "retention_versions_days",
        "What marks said before a change",
        "What they say now",
        erasing.erase_versions,
    ),
    DataClass(
        "requests",
        "retention_requests_days",
        "The hash that tells a mark sent again from another",
        "The mark",
        erasing.erase_requests,
    ),
    DataClass(
        "receipts",
        "retention_receipts_days",
        "Receipts (hashes): the mark can no longer be taken back",
        "The mark",
        erasing.erase_receipts,
    ),
    DataClass(
        "seats",
        "retention_seats_days",
        "Browsers that joined a workshop, wall batches",
        "Nothing",
        sweeping.sweep_seats,
    ),
    DataClass(
        "keys",
        "retention_keys_days",
        "Join code, sealing keys and contact of a workshop that is over",
        "Title, team and window",
        sweeping.sweep_keys,
    ),
    DataClass(
        "sessions",
        "retention_sessions_days",
        "Staff sessions, invites, used recovery codes",
        "Nothing",
        sweeping.sweep_sessions,
    ),
    DataClass("duty", "retention_duty_days", "Who was on duty", "Nothing", sweeping.sweep_duty),
    DataClass(
        "decisions",
        "retention_decisions_days",
        "Decisions of moderators, second looks",
        "The state of the mark",
        sweeping.sweep_decisions,
    ),
    DataClass(
        "holds",
        "retention_holds_days",
        "Decisions and reasons of the safeguarding lead",
        "Nothing; undecided ones stay whatever their age",
        sweeping.sweep_holds,
    ),
    DataClass(
        "characteristics",
        "retention_characteristics_days",
        "Age bands and other answers about a person, kept apart",
        "Nothing",
        apart_sweep.sweep_answers,
    ),
    DataClass(
        "jobs", "retention_jobs_days", "Jobs that ended, e-mails sent to leads", "Their results", sweeping.sweep_jobs
    ),
    DataClass("shares", "retention_shares_days", "The ledger of onward shares", "Nothing", sweeping.sweep_shares),
    DataClass(
        "tombstones",
        "retention_tombstones_days",
        "Tombstones of marks taken back",
        "The count in this report",
        erasing.erase_tombstones,
    ),
    DataClass("logs", "retention_logs_days", "Audit log files put aside", "Younger ones", sweeping.rotate_logs),
    DataClass(
        "audit",
        "retention_audit_days",
        "The oldest audit events",
        "Younger ones, their chain whole",
        sweeping.sweep_audit,
    ),
)
