"""Duty: what the routes, the commands, the jobs and other subjects ask of it."""

from __future__ import annotations

from service.duty.backup import BackupMade, make_backup
from service.duty.classes import CLASSES
from service.duty.restore import Restored, RestorePlan, restore_backup
from service.duty.retention import (
    SCHEDULE,
    RetentionReport,
    RetentionState,
    ask_retention,
    retention_state,
    run_retention,
)

__all__ = [
    "CLASSES",
    "SCHEDULE",
    "BackupMade",
    "RestorePlan",
    "Restored",
    "RetentionReport",
    "RetentionState",
    "ask_retention",
    "make_backup",
    "restore_backup",
    "retention_state",
    "run_retention",
]
