"""Every table of the service in one place, for migrations and for the test that compares them with the models."""

from __future__ import annotations

from service.actions.models import Finding
from service.areas.models import Area, BoundarySet
from service.crimes.models import CrimeCount, CrimeFile, CrimeManifest
from service.duty.models import RetentionRun, Share
from service.jobs.models import Job, Schedule
from service.moderation.models import Decision, Flag, Hold, PlaceVersion, SecondLook
from service.names.models import Name
from service.people.models import AuditEvent, Invite, PrincipalRow, RecoveryCode, StaffSession, Team
from service.places.models import Place, PlaceArea, PlaceHotspot, Receipt
from service.releases.models import Release
from service.runs.models import Hotspot, Run
from service.store.base import Base
from service.store.deployment import Deployment
from service.venues.models import Venue
from service.workshops.models import Duty, Seat, WallBatch, Workshop

METADATA = Base.metadata

__all__ = [
    "METADATA",
    "Area",
    "AuditEvent",
    "BoundarySet",
    "CrimeCount",
    "CrimeFile",
    "CrimeManifest",
    "Decision",
    "Deployment",
    "Duty",
    "Finding",
    "Flag",
    "Hold",
    "Hotspot",
    "Invite",
    "Job",
    "Name",
    "Place",
    "PlaceArea",
    "PlaceHotspot",
    "PlaceVersion",
    "PrincipalRow",
    "Receipt",
    "RecoveryCode",
    "Release",
    "RetentionRun",
    "Run",
    "Schedule",
    "Seat",
    "SecondLook",
    "Share",
    "StaffSession",
    "Team",
    "Venue",
    "WallBatch",
    "Workshop",
]
