"""What every reader of police files yields: rows of one schema, and the lines that could not become rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import pyarrow as pa

from geo import columns

# The normalised crime: month, force, category and the point always stand; the rest is null where the police leave it
# blank (Crime ID and outcome on anti-social behaviour, LSOA in the API).
SCHEMA: Final = pa.schema(
    [
        pa.field(columns.MONTH, pa.string(), nullable=False),
        pa.field(columns.FORCE, pa.string(), nullable=False),
        pa.field(columns.CATEGORY, pa.string(), nullable=False),
        pa.field(columns.LONGITUDE, pa.float64(), nullable=False),
        pa.field(columns.LATITUDE, pa.float64(), nullable=False),
        pa.field(columns.LSOA_GSS, pa.string()),
        pa.field(columns.LOCATION, pa.string()),
        pa.field(columns.OUTCOME, pa.string()),
        pa.field(columns.CRIME_ID, pa.string()),
        pa.field(columns.SOURCE_ROW, pa.int64(), nullable=False),
    ]
)

NO_LOCATION: Final = "no location"
NOT_A_NUMBER: Final = "longitude or latitude is not a number"
OUTSIDE_COUNTRY: Final = "outside the United Kingdom"
SWAPPED: Final = "longitude and latitude are swapped"
NO_MONTH: Final = "month is not YYYY-MM"
NO_CATEGORY: Final = "crime type is blank or not a name"
OTHER_MONTH: Final = "month is not the one in the name of the file"
NO_FORCE: Final = "force is not known"
NOT_TEXT: Final = "not UTF-8 text"
BLANK_LINE: Final = "blank line"
NOT_A_RECORD: Final = "not a crime record of the police API"
ALREADY_READ: Final = "the same API record was read before"


class RejectedRow(NamedTuple):
    """One line of a file that did not become a crime, with no more of its content than the key it would count under."""

    line: int
    reason: str
    force: str | None = None
    month: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may hold at most: guards against compressed files made to fill a disk or the memory.

    Attributes
    ----------
    members : int
        Files in one archive.
    member_bytes : int
        Bytes of one file, decompressed.
    total_bytes : int
        Bytes of all files of one archive that are read, decompressed.
    ratio : int
        Decompressed bytes per compressed byte; the police's files reach about 12.
    """

    members: int = 20_000
    member_bytes: int = 4 * 1024**3
    total_bytes: int = 256 * 1024**3
    ratio: int = 200


@dataclass(frozen=True, slots=True)
class CrimeChunk:
    """A piece of a police file.

    Attributes
    ----------
    source : str
        File name, for a member of an archive ``archive.zip/2018-06/2018-06-kent-street.csv``.
    rows : RecordBatch, shape (n,)
        Crimes in ``SCHEMA``, points in EPSG:4326 [degrees].
    rejected : tuple of RejectedRow
        Lines that are not among ``rows``, in order of line.
    bytes_read : int
        Bytes of the file on disk used so far, for a progress bar.
    passed_over : tuple of str
        Members of an archive that hold something else than street-level crimes; only in the first chunk.
    is_api : bool
        Whether the file is an answer of the police API and not one of the archive's files.
    """

    source: str
    rows: pa.RecordBatch
    rejected: tuple[RejectedRow, ...]
    bytes_read: int
    passed_over: tuple[str, ...] = ()
    is_api: bool = False


def no_rows() -> pa.RecordBatch:
    """Return a batch of the schema without rows.

    Returns
    -------
    RecordBatch, shape (0,)
        In ``SCHEMA``.
    """
    return pa.RecordBatch.from_pylist([], schema=SCHEMA)
