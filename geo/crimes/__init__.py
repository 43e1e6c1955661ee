"""Read what the police publish as one stream of crimes; months, and which of them are missing."""

from geo.crimes.chunks import SCHEMA, CrimeChunk, Limits, RejectedRow
from geo.crimes.months import is_month, missing_between, missing_months, month_range, require_month, shift_month
from geo.crimes.partition import Key, partition
from geo.crimes.reader import read_crimes
from geo.crimes.tables import (
    CATEGORIES,
    CATEGORY_NAMES,
    CAVEATS,
    FORCE_NAMES,
    FORCES,
    LICENCE,
    RECORDING_BREAKS,
    SAMPLE_LICENCE,
    SAMPLE_SOURCE,
    SOURCE,
    TRANSPORT_POLICE,
    category_slug,
    force_slug,
)

__all__ = [
    "CATEGORIES",
    "CATEGORY_NAMES",
    "CAVEATS",
    "FORCES",
    "FORCE_NAMES",
    "LICENCE",
    "RECORDING_BREAKS",
    "SAMPLE_LICENCE",
    "SAMPLE_SOURCE",
    "SCHEMA",
    "SOURCE",
    "TRANSPORT_POLICE",
    "CrimeChunk",
    "Key",
    "Limits",
    "RejectedRow",
    "category_slug",
    "force_slug",
    "is_month",
    "missing_between",
    "missing_months",
    "month_range",
    "partition",
    "read_crimes",
    "require_month",
    "shift_month",
]
