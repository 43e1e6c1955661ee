"""Every table of the service in one place, for migrations and for the test that compares them with the models."""

from __future__ import annotations

from service.areas.models import Area, BoundarySet
from service.crimes.models import CrimeCount, CrimeFile, CrimeManifest
from service.jobs.models import Job
from service.names.models import Name
from service.people.models import PrincipalRow, Team
from service.places.models import Place, PlaceArea, PlaceHotspot, Receipt
from service.releases.models import Release
from service.runs.models import Hotspot, Run
from service.store.base import Base
from service.store.deployment import Deployment
from service.venues.models import Venue
from service.workshops.models import Workshop

METADATA = Base.metadata

__all__ = [
    "METADATA",
    "Area",
    "BoundarySet",
    "CrimeCount",
    "CrimeFile",
    "CrimeManifest",
    "Deployment",
    "Hotspot",
    "Job",
    "Name",
    "Place",
    "PlaceArea",
    "PlaceHotspot",
    "PrincipalRow",
    "Receipt",
    "Release",
    "Run",
    "Team",
    "Venue",
    "Workshop",
]
