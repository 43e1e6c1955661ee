"""Duty: what the routes, the commands, the jobs and other subjects ask of it."""

from __future__ import annotations

from service.duty.backup import BackupMade, make_backup
from service.duty.classes import CLASSES
from service.duty.exports import ExportFile, export_places, list_shares, read_ledger
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
    "RestorePlan",
    "Restored",
    "RetentionReport",
    "RetentionState",
    "ask_retention",
    "export_places",
    "list_shares",
    "make_backup",
    "read_ledger",
    "restore_backup",
    "retention_state",
    "run_retention",
    "subject_export",
]
