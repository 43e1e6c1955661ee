"""Read the police's street-level CSV as a stream, with the line number of every row."""

from __future__ import annotations

import codecs
import csv
from collections import deque
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from geo import columns
from geo.crimes.chunks import RejectedRow, no_rows
from geo.crimes.normalise import REPORTED_BY, normalise
from geo.crimes.source import Source
from geo.errors import CrimeFileError

BLOCK_BYTES: Final = 1 << 20
BAD_ROWS_MAX: Final = 100_000  # without one good row among them, a file is something else
_HEADER_BYTES: Final = 1 << 16

# Header of the police's file, lower case -> our column; LSOA name and Context are always derivable or blank.
_COLUMNS: Final = {
    "crime id": columns.CRIME_ID,
    "month": columns.MONTH,
    "reported by": REPORTED_BY,
    "longitude": columns.LONGITUDE,
    "latitude": columns.LATITUDE,
    "location": columns.LOCATION,
    "lsoa code": columns.LSOA_GSS,
    "crime type": columns.CATEGORY,
    "last outcome category": columns.OUTCOME,
}
_NEEDED: Final = ("month", "longitude", "latitude", "crime type")


def read_street_csv(
    source: Source, *, force: str | None, month: str | None = None, block_bytes: int = BLOCK_BYTES
) -> Iterator[tuple[pa.RecordBatch, list[RejectedRow]]]:
    """Read crimes of the police's 12-column layout, a block at a time.

    Parameters
    ----------
    source : Source
        The decompressed bytes: UTF-8 with or without byte order mark, any line ending, header in any case and order.
    force : str or None
        Slug for rows that name no force themselves.
    month : str or None
        The one month that the rows may have; None for any.
    block_bytes : int
        Bytes parsed at a time; one row can be no longer.

    Yields
    ------
    rows : RecordBatch, shape (n,)
        Crimes in ``chunks.SCHEMA``.
    rejected : list of RejectedRow
        Lines of the same part of the file that are none.

    Raises
    ------
    CrimeFileError
        If the file is no such CSV, is cut within a compressed block, or has a quote that is never closed.
    """
    names = _read_header(source)
    counter = _LineCounter(names)
    try:
        for batch in _batches(source, names, counter, block_bytes):
            lines, short = counter.lines(batch)
            text = {_COLUMNS[name]: batch[i] for i, name in enumerate(names) if name in _COLUMNS}
            rows, rejected = normalise(text, lines, force=force, month=month)
            yield rows, sorted([*short, *rejected])
    except pa.ArrowInvalid as error:
        raise CrimeFileError(_not_readable(source.name, counter)) from error
    if rest := counter.rest():
        yield no_rows(), rest


def _not_readable(name: str, counter: _LineCounter) -> str:
    if counter.is_hopeless:
        return f"{name} has over {BAD_ROWS_MAX:,} lines in a row without the columns of its first line."
    return f"{name} cannot be read as CSV after line {counter.last_line:,}: is a quote opened there and never closed?"


def _batches(source: Source, names: list[str], counter: _LineCounter, block_bytes: int) -> Iterator[pa.RecordBatch]:
    if not source.peek(1):
        return
    try:
        yield from pyarrow.csv.open_csv(
            pa.PythonFile(source, mode="r"),
            # one thread: only then does pyarrow tell the number of a bad row
            read_options=pyarrow.csv.ReadOptions(use_threads=False, column_names=names, block_size=block_bytes),
            parse_options=pyarrow.csv.ParseOptions(
                newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=counter.on_bad_row
            ),
            # bytes first: text that is not UTF-8 spoils its own row and not the block
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.binary()), strings_can_be_null=False
            ),
        )
    finally:
        source.stop()  # pyarrow reads ahead, also after an error


def _read_header(source: Source) -> list[str]:
    start = source.peek(_HEADER_BYTES)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        message = f"{source.name} is UTF-16 text; save it as CSV in UTF-8."
        raise CrimeFileError(message)
    ends = [at for at in (start.find(b"\n"), start.find(b"\r")) if at >= 0]
    line = start[: min(ends)] if ends else start
    source.read(len(line) + (2 if start[len(line) : len(line) + 2] == b"\r\n" else 1))
    try:
        names = next(csv.reader([line.decode("utf-8-sig")]), [])
    except (UnicodeDecodeError, csv.Error) as error:
        message = f"{source.name} is not a CSV file of the police: its first line is not text."
        raise CrimeFileError(message) from error
    names = [" ".join(name.lower().split()) for name in names]
    _require_columns(names, source.name)
    return names


def _require_columns(names: list[str], source: str) -> None:
    missing = [name for name in _NEEDED if name not in names]
    if missing and {"easting", "northing"} <= set(names):
        message = f"{source} is the layout of before 2012 with easting and northing; take the months from the archive."
        raise CrimeFileError(message)
    if missing:
        message = f"{source} is not a street-level CSV of the police: its first line lacks {', '.join(missing)}."
        raise CrimeFileError(message)
    repeated = sorted({name for name in names if names.count(name) > 1 and name in _COLUMNS})
    if repeated:
        message = f"{source} has the column {repeated[0]} more than once; keep one."
        raise CrimeFileError(message)


class _LineCounter:
    """Line numbers of rows: pyarrow counts records, a quoted line break makes a record longer than a line."""

    def __init__(self, names: list[str]) -> None:
        self._n_columns = len(names)
        self._bad: deque[tuple[int, int, int]] = deque()  # record number, columns found, line breaks inside
        self._record = 1  # number of the next record, counted from 1 after the header
        self._extra = 1  # the header and the line breaks inside records before that
        self.last_line = 1
        self.is_hopeless = False  # so many bad rows waited for a good one that the file is something else

    def on_bad_row(self, row: Any) -> str:
        """Remember a row with the wrong number of columns; pyarrow calls this."""
        self._bad.append((row.number, row.actual_columns, row.text.count("\n")))
        self.is_hopeless = len(self._bad) > BAD_ROWS_MAX
        return "error" if self.is_hopeless else "skip"

    def lines(self, batch: pa.RecordBatch) -> tuple[npt.NDArray[np.int64], list[RejectedRow]]:
        """Line numbers of the rows of a batch, and the bad rows between and before them."""
        breaks = _line_breaks(batch)
        lines = np.empty(batch.num_rows, dtype=np.int64)
        rejected, done = [], 0
        while done < batch.num_rows:
            until = self._bad[0][0] - self._record if self._bad else batch.num_rows
            stop = min(batch.num_rows, done + until)
            part = breaks[done:stop]
            before = np.concatenate([[0], np.cumsum(part)]) if len(part) else np.zeros(1, dtype=np.int64)
            lines[done:stop] = self._record + self._extra + np.arange(stop - done) + before[:-1]
            self._record += stop - done
            self._extra += int(before[-1])
            done = stop
            if done < batch.num_rows:
                rejected.append(self._next_bad())
        while self._bad and self._bad[0][0] == self._record:  # bad rows that follow at once
            rejected.append(self._next_bad())
        self.last_line = self._record + self._extra - 1
        return lines, rejected

    def rest(self) -> list[RejectedRow]:
        """Return the bad rows after the last good one."""
        return [self._next_bad() for _ in range(len(self._bad))]

    def _next_bad(self) -> RejectedRow:
        record, found, breaks = self._bad.popleft()
        line = record + self._extra
        self._record = record + 1
        self._extra += breaks
        reason = f"{found} columns, not {self._n_columns}"
        return RejectedRow(line, f"{reason}, up to line {line + breaks}" if breaks else reason)


def _line_breaks(batch: pa.RecordBatch) -> npt.NDArray[np.int64]:
    """Line breaks inside the cells of each row; looking for the byte in whole buffers costs next to nothing."""
    total = np.zeros(batch.num_rows, dtype=np.int64)
    for column in batch.columns:
        values = column.buffers()[2]
        if values is not None and b"\n" in values.to_pybytes():
            total += pc.count_substring(column, "\n").to_numpy(zero_copy_only=False)
    return total
