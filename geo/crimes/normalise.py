"""Turn columns of text, as the police wrote them, into crimes of one schema, and tell why a line cannot be one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from geo import columns
from geo.crimes import chunks
from geo.crimes.months import is_month
from geo.crimes.tables import category_slug, force_slug

REPORTED_BY: Final = "reported_by"

# Great Britain and Northern Ireland with their islands, in degrees: transport police also report from Scotland.
WEST, SOUTH, EAST, NORTH = -8.7, 49.8, 1.8, 60.9

_TEXT_COLUMNS: Final = (columns.LSOA_GSS, columns.LOCATION, columns.OUTCOME, columns.CRIME_ID)

BoolArray = npt.NDArray[np.bool_]


class _Reasons:
    """The first reason found for each line."""

    def __init__(self, n_rows: int) -> None:
        self.names: list[str] = [""]
        self.codes = np.zeros(n_rows, dtype=np.int16)

    def add(self, where: BoolArray, reason: str) -> None:
        """Give ``reason`` to the lines of ``where`` that have none yet."""
        where = where & (self.codes == 0)
        if where.any():
            self.codes[where] = len(self.names)
            self.names.append(reason)


def normalise(
    text: Mapping[str, pa.Array], lines: npt.NDArray[np.int64], *, force: str | None, month: str | None = None
) -> tuple[pa.RecordBatch, list[chunks.RejectedRow]]:
    """Make crimes of columns of text.

    Parameters
    ----------
    text : mapping of str to Array of binary, each of shape (n,)
        By our column name, and ``REPORTED_BY`` for the name of the force. Blank cells are empty or null. Month,
        category, longitude and latitude must be there.
    lines : ndarray of int64, shape (n,)
        Line number of each row in its file.
    force : str or None
        Slug for rows that name no force themselves; a name that is not known is no crime of this force.
    month : str or None
        The one month (YYYY-MM) that the rows may have; None for any.

    Returns
    -------
    rows : RecordBatch, shape (m,)
        The rows that are crimes, in order, in ``chunks.SCHEMA``; points in EPSG:4326 [degrees].
    rejected : list of RejectedRow
        The other ``n - m`` lines, in order.

    Raises
    ------
    KeyError
        If one of the four columns is not there.
    """
    reasons = _Reasons(len(lines))
    clean = {name: _to_text(column, reasons) for name, column in text.items()}
    reasons.add(_all_blank(clean, len(lines)), chunks.BLANK_LINE)
    months = _translate(clean[columns.MONTH], lambda name: name if is_month(name) else None)
    reasons.add(_is_null(months), chunks.NO_MONTH)
    if month is not None:
        reasons.add(pc.not_equal(months, month).fill_null(False).to_numpy(zero_copy_only=False), chunks.OTHER_MONTH)
    category = _translate(clean[columns.CATEGORY], category_slug)
    reasons.add(_is_null(category), chunks.NO_CATEGORY)
    forces = _forces(clean.get(REPORTED_BY), len(lines), force)
    reasons.add(_is_null(forces), chunks.NO_FORCE)
    longitude, latitude = _points(clean[columns.LONGITUDE], clean[columns.LATITUDE], reasons)
    found = [months, forces, category, pa.array(longitude), pa.array(latitude)]
    found += [_optional(clean.get(name), len(lines)) for name in _TEXT_COLUMNS]
    batch = pa.RecordBatch.from_arrays([*found, pa.array(lines)], schema=_LOOSE)
    bad = np.flatnonzero(reasons.codes)
    if len(bad):
        batch = batch.filter(pa.array(reasons.codes == 0))
    rejected = [
        chunks.RejectedRow(int(lines[i]), reasons.names[reasons.codes[i]], forces[i].as_py(), months[i].as_py())
        for i in bad.tolist()
    ]
    return pa.RecordBatch.from_arrays(batch.columns, schema=chunks.SCHEMA), rejected


# Before the bad rows are out, every field may be null.
_LOOSE: Final = pa.schema([field.with_nullable(True) for field in chunks.SCHEMA])


def _to_text(column: pa.Array, reasons: _Reasons) -> pa.Array:
    try:
        return pc.cast(column, pa.string())
    except pa.ArrowInvalid:
        values = [_decoded(value) for value in column.to_pylist()]
        wrong = np.array([value is None for value in values])
        reasons.add(wrong & column.is_valid().to_numpy(zero_copy_only=False), chunks.NOT_TEXT)
        return pa.array(values, pa.string())


def _decoded(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _is_null(column: pa.Array) -> BoolArray:
    if column.null_count == 0:
        return np.zeros(len(column), dtype=np.bool_)
    return np.asarray(column.is_null().to_numpy(zero_copy_only=False))


def _is_blank(column: pa.Array) -> BoolArray:
    length = pc.binary_length(column).fill_null(0).to_numpy(zero_copy_only=False)
    return np.asarray(length == 0)


def _all_blank(clean: Mapping[str, pa.Array], n_rows: int) -> BoolArray:
    blank = np.ones(n_rows, dtype=np.bool_)
    for column in clean.values():
        if not blank.any():  # nearly always after the first column with a value on every line
            break
        blank &= _is_blank(column)
    return blank


def _translate(column: pa.Array, known: Callable[[str], str | None]) -> pa.Array:
    """Put each distinct value of a column through ``known``: a few dozen calls for a million rows."""
    encoded = column.dictionary_encode()
    table = pa.array([known(value.strip()) for value in encoded.dictionary.to_pylist()], pa.string())
    return table.take(encoded.indices)


def _forces(column: pa.Array | None, n_rows: int, force: str | None) -> pa.Array:
    if column is None:
        return pa.array([force], pa.string()).take(pa.array(np.zeros(n_rows, dtype=np.int64)))
    named = _translate(column, force_slug)
    return named if force is None else pc.if_else(pa.array(_is_blank(column)), pa.scalar(force), named)


def _optional(column: pa.Array | None, n_rows: int) -> pa.Array:
    if column is None:
        return pa.nulls(n_rows, pa.string())
    blank = _is_blank(column)
    return pc.if_else(pa.array(blank), pa.scalar(None, pa.string()), column) if blank.any() else column


def _points(
    longitude: pa.Array, latitude: pa.Array, reasons: _Reasons
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    blank = _is_blank(longitude) & _is_blank(latitude)
    reasons.add(blank, chunks.NO_LOCATION)
    x, y = _numbers(longitude), _numbers(latitude)
    finite = np.isfinite(x) & np.isfinite(y)
    reasons.add(~finite, chunks.NOT_A_NUMBER)
    reasons.add(finite & _inside(y, x), chunks.SWAPPED)
    reasons.add(finite & ~_inside(x, y), chunks.OUTSIDE_COUNTRY)
    return x, y


def _inside(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> BoolArray:
    return np.asarray((x >= WEST) & (x <= EAST) & (y >= SOUTH) & (y <= NORTH))


def _numbers(column: pa.Array) -> npt.NDArray[np.float64]:
    blank = _is_blank(column)
    try:
        column = pc.if_else(pa.array(blank), pa.scalar(None, pa.string()), column) if blank.any() else column
        values: Any = pc.cast(column, pa.float64())
    except pa.ArrowInvalid:
        values = pa.array([_number(text) for text in column.to_pylist()], pa.float64())
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)


def _number(text: str | None) -> float | None:
    try:
        # float() also reads 1_000; a coordinate written so is a mistake
        return None if text is None or "_" in text else float(text)
    except ValueError:
        return None
