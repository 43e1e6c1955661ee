"""Duty: what the routes, the commands, the jobs and other subjects ask of it."""

from __future__ import annotations

from service.duty.backup import BackupMade, make_backup
from service.duty.characteristics import counts_of, home_areas, questions, require_asked, store_answers
from service.duty.classes import CLASSES
from service.duty.exports import ExportFile, export_places, list_shares, read_ledger
from service.duty.participation import Participation, import_residents, participation
from service.duty.restore import Restored, RestorePlan, restore_backup
from service.duty.retention import (
    SCHEDULE,
    RetentionReport,
    RetentionState,
    ask_retention,
    retention_state,
    run_retention,
)
from service.duty.subject import subject_export

__all__ = [
    "CLASSES",
    "SCHEDULE",
    "BackupMade",
    "ExportFile",
    "Participation",
    "RestorePlan",
    "Restored",
    "RetentionReport",
    "RetentionState",
    "ask_retention",
    "counts_of",
    "export_places",
    "home_areas",
    "import_residents",
    "list_shares",
    "make_backup",
    "participation",
    "questions",
    "read_ledger",
    "require_asked",
    "restore_backup",
    "retention_state",
    "run_retention",
    "store_answers",
    "subject_export",
]
