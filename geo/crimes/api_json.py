"""Read the answers of the police API: an array of crimes as JSON, one object at a time."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa

from geo import columns
from geo.crimes import chunks
from geo.crimes.normalise import REPORTED_BY, normalise
from geo.crimes.source import Source
from geo.crimes.tables import TRANSPORT_POLICE
from geo.errors import CrimeFileError

_READ_BYTES: Final = 1 << 20
_BATCH_ROWS: Final = 20_000
_FIELDS: Final = (
    columns.CRIME_ID,
    columns.MONTH,
    REPORTED_BY,
    columns.LONGITUDE,
    columns.LATITUDE,
    columns.LOCATION,
    columns.CATEGORY,
    columns.OUTCOME,
)


def read_api_json(
    source: Source, *, force: str, seen: set[int] | None = None
) -> Iterator[tuple[pa.RecordBatch, list[chunks.RejectedRow]]]:
    """Read crimes of the API's street-level answers.

    The API names no force; it only marks the transport police by ``location_type``.

    Parameters
    ----------
    source : Source
        The bytes: UTF-8, an array of objects.
    force : str
        Slug of the force whose area was asked for.
    seen : set of int or None
        Ids of the API read before, extended here: two areas that were asked for may both hold a point on their
        common edge. None keeps every record.

    Yields
    ------
    rows : RecordBatch, shape (n,)
        Crimes in ``chunks.SCHEMA``; ``source_row`` is the place in the array, from 1.
    rejected : list of RejectedRow
        Records of the same part that are none.

    Raises
    ------
    CrimeFileError
        If the bytes are no such array.
    """
    batch: list[dict[str, str | None]] = []
    lines: list[int] = []
    rejected: list[chunks.RejectedRow] = []
    for number, record in enumerate(_records(source), start=1):
        row = _row(record, force, seen)
        if isinstance(row, str):
            rejected.append(chunks.RejectedRow(number, row))
        else:
            batch.append(row)
            lines.append(number)
        if len(batch) + len(rejected) >= _BATCH_ROWS:
            yield _chunk(batch, lines, rejected, force)
            batch, lines, rejected = [], [], []
    yield _chunk(batch, lines, rejected, force)


def _chunk(
    batch: list[dict[str, str | None]], lines: list[int], rejected: list[chunks.RejectedRow], force: str
) -> tuple[pa.RecordBatch, list[chunks.RejectedRow]]:
    text = {name: pa.array([row[name] for row in batch], pa.string()) for name in _FIELDS}
    rows, more = normalise(text, np.array(lines, dtype=np.int64), force=force)
    return rows, sorted([*rejected, *more])


def _row(record: Any, force: str, seen: set[int] | None) -> dict[str, str | None] | str:
    """Cells of one record, or the reason why it is none."""
    if not isinstance(record, dict) or "category" not in record:
        return chunks.NOT_A_RECORD
    number = record.get("id")
    if seen is not None and isinstance(number, int):
        if number in seen:
            return chunks.ALREADY_READ
        seen.add(number)
    location = _object(record.get("location"))
    outcome = _object(record.get("outcome_status"))
    row: dict[str, str | None] = {
        columns.CRIME_ID: _text(record.get("persistent_id")),
        columns.MONTH: _text(record.get("month")),
        REPORTED_BY: TRANSPORT_POLICE if record.get("location_type") == "BTP" else force,
        columns.LONGITUDE: _text(location.get("longitude")),
        columns.LATITUDE: _text(location.get("latitude")),
        columns.LOCATION: _text(_object(location.get("street")).get("name")),
        columns.CATEGORY: _text(record.get("category")),
        columns.OUTCOME: _text(outcome.get("category")),
    }
    return row if _is_unicode(row.values()) else chunks.NOT_TEXT


def _is_unicode(cells: Iterable[str | None]) -> bool:
    """Tell whether cells can be written as UTF-8: JSON may escape half a surrogate pair, which is no character."""
    try:
        "".join(cell or "" for cell in cells).encode()
    except UnicodeEncodeError:
        return False
    return True


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _records(source: Source) -> Iterator[Any]:
    """Objects of a JSON array, decoded one by one from a window of the text."""
    decoder, scanner = codecs.getincrementaldecoder("utf-8-sig")(), json.JSONDecoder()
    window, opened, more = "", False, True
    while True:
        if more:
            data = source.read(_READ_BYTES)
            more = bool(data)
            try:
                window += decoder.decode(data, final=not data)
            except UnicodeDecodeError as error:
                raise _not_an_array(source) from error
        window = window.lstrip()
        if not opened and window:
            if window[0] != "[":
                raise _not_an_array(source)
            window, opened = window[1:], True
        at = 0
        while opened:
            at = _skip(window, at)
            if window[at : at + 1] == "]":
                return
            found = _decode(scanner, window, at, source)
            if found is None:
                break  # the object goes on beyond the window
            record, at = found
            yield record
        window = window[at:]
        if not more or len(window) > 8 * _READ_BYTES:
            raise _not_an_array(source)


def _decode(scanner: json.JSONDecoder, window: str, at: int, source: Source) -> tuple[Any, int] | None:
    try:
        return scanner.raw_decode(window, at)
    except RecursionError as error:  # arrays in arrays without end
        raise _not_an_array(source) from error
    except ValueError:
        return None


def _skip(window: str, at: int) -> int:
    while window[at : at + 1] in {" ", "\n", "\r", "\t", ","}:
        at += 1
    return at


def _not_an_array(source: Source) -> CrimeFileError:
    return CrimeFileError(f"{source.name} is not an answer of the police API: wanted a whole JSON array of crimes.")
