"""The lake: immutable GeoParquet files of crimes, one of each force and month, named by their digest."""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import shutil
import uuid
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from geo import columns, crs
from geo.crimes import SCHEMA, Key
from service.errors import ConflictError

ROW_GROUP: Final = 65_536
BUFFER_ROWS: Final = 262_144  # rows of all keys together that wait in memory
OPEN_FILES: Final = 200  # well below the usual limit of 1,024 open files of a process

_FILE_SCHEMA: Final = SCHEMA.append(pa.field(columns.GEOMETRY, pa.binary(), nullable=False))
_WKB_POINT: Final = np.dtype([("order", "u1"), ("kind", "<u4"), ("x", "<f8"), ("y", "<f8")])
_LOCK: Final = "import.lock"
_TEMPORARY: Final = "tmp-"


@dataclass(frozen=True, slots=True)
class LakeFile:
    """One file that is whole and on disk."""

    force: str
    month: str
    path: str  # below the data folder, which holds the lake
    digest: str
    rows: int
    categories: dict[str, int]

    @property
    def key(self) -> Key:
        """Force and month."""
        return self.force, self.month


class _Hashing(io.RawIOBase):
    """A file that knows the digest of what was written; Parquet is written from front to back."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("xb")
        self.digest = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self.digest.update(data)
        return self._file.write(data)

    def close(self) -> None:
        if not self._file.closed:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        super().close()


class _Part:
    """A GeoParquet file being written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._sink = _Hashing(path)
        self._writer = pq.ParquetWriter(pa.PythonFile(self._sink, mode="w"), _FILE_SCHEMA, compression="zstd")
        self._box = [np.inf, np.inf, -np.inf, -np.inf]

    def write(self, table: pa.Table) -> None:
        x, y = (table[name].to_numpy() for name in (columns.LONGITUDE, columns.LATITUDE))
        box = self._box
        self._box = [min(box[0], x.min()), min(box[1], y.min()), max(box[2], x.max()), max(box[3], y.max())]
        geometry = pa.chunked_array([_wkb_points(x, y)])
        self._writer.write_table(table.append_column(_FILE_SCHEMA.field(columns.GEOMETRY), geometry), ROW_GROUP)

    def close(self) -> str:
        """Finish the file on disk and return its digest."""
        self._writer.add_key_value_metadata({"geo": _geo_metadata(self._box)})
        self._writer.close()
        self._sink.close()
        return self._sink.digest.hexdigest()


@dataclass
class _Pending:
    """What is known of one key while its rows come in."""

    buffer: list[pa.RecordBatch] = field(default_factory=list)
    waiting: int = 0
    rows: int = 0
    parts: list[Path] = field(default_factory=list)
    categories: Counter[str] = field(default_factory=Counter)


class LakeWriter:
    """Writes crimes of any number of keys at once, with memory that does not grow with their number.

    Parameters
    ----------
    folder : Path
        The lake. Nothing in it changes before ``finish``.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._temporary = folder / f"{_TEMPORARY}{uuid.uuid4().hex}"
        self._temporary.mkdir(parents=True)
        self._pending: dict[Key, _Pending] = {}
        self._open: OrderedDict[Key, _Part] = OrderedDict()
        self._waiting = 0

    @property
    def keys(self) -> set[Key]:
        """Every key that has rows."""
        return set(self._pending)

    def add(self, key: Key, rows: pa.RecordBatch) -> None:
        """Take rows of one key, in ``geo.crimes.SCHEMA``."""
        pending = self._pending.setdefault(key, _Pending())
        for item in pc.value_counts(rows[columns.CATEGORY]).to_pylist():
            pending.categories[item["values"]] += item["counts"]
        pending.buffer.append(rows)
        pending.waiting += rows.num_rows
        pending.rows += rows.num_rows
        self._waiting += rows.num_rows
        if pending.waiting >= ROW_GROUP:
            self._flush(key)
        elif self._waiting >= BUFFER_ROWS:
            self._flush(max(self._pending, key=lambda other: self._pending[other].waiting))

    def finish(self) -> list[LakeFile]:
        """Put every file in its place and return them in order of key; they are on disk then."""
        files = [self._finish_key(key) for key in sorted(self._pending)]
        for folder in {self._folder, *(self._folder / file.force for file in files)}:
            _sync_folder(folder)
        self.discard()
        return files

    def discard(self) -> None:
        """Throw away what was not finished."""
        for part in self._open.values():
            part.close()
        self._open.clear()
        shutil.rmtree(self._temporary, ignore_errors=True)

    def _flush(self, key: Key) -> None:
        pending = self._pending[key]
        if not pending.waiting:
            return
        part = self._open.get(key)
        if part is None:
            if len(self._open) >= OPEN_FILES:
                _, oldest = self._open.popitem(last=False)
                oldest.close()
            part = self._open[key] = self._new_part(key, pending)
        self._open.move_to_end(key)
        part.write(pa.Table.from_batches(pending.buffer, SCHEMA))
        self._waiting -= pending.waiting
        pending.buffer, pending.waiting = [], 0

    def _new_part(self, key: Key, pending: _Pending) -> _Part:
        path = self._temporary / f"{key[0]}-{key[1]}-{len(pending.parts)}"
        pending.parts.append(path)
        return _Part(path)

    def _finish_key(self, key: Key) -> LakeFile:
        self._flush(key)
        pending = self._pending[key]
        last = self._open.pop(key, None)
        digest = last.close() if last is not None else ""
        if len(pending.parts) > 1:
            digest = self._merge(key, pending)
        relative = f"{self._folder.name}/{key[0]}/{key[1]}-{digest}.parquet"
        target = self._folder.parent / relative
        target.parent.mkdir(exist_ok=True)
        # the same bytes may be there already; putting them again heals a damaged file
        pending.parts[-1].replace(target)
        return LakeFile(*key, relative, digest, pending.rows, dict(sorted(pending.categories.items())))

    def _merge(self, key: Key, pending: _Pending) -> str:
        """Join the parts of a key whose file had to be closed in between."""
        old = list(pending.parts)
        whole = self._new_part(key, pending)
        for path in old:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(ROW_GROUP, columns=SCHEMA.names):
                    whole.write(pa.Table.from_batches([batch]).cast(SCHEMA))
        return whole.close()


def _wkb_points(x: Any, y: Any) -> pa.Array:
    """Points as little-endian WKB, 21 bytes each, without a Python object a point."""
    points = np.empty(len(x), dtype=_WKB_POINT)
    points["order"], points["kind"], points["x"], points["y"] = 1, 1, x, y
    offsets = np.arange(len(x) + 1, dtype=np.int32) * _WKB_POINT.itemsize
    return pa.BinaryArray.from_buffers(pa.binary(), len(x), [None, pa.py_buffer(offsets), pa.py_buffer(points)])


@cache
def _projjson() -> dict[str, Any]:
    from pyproj import CRS

    found: dict[str, Any] = CRS.from_user_input(crs.WGS84).to_json_dict()
    return found


def _geo_metadata(box: Sequence[float]) -> str:
    """Return the "geo" metadata of GeoParquet 1.1."""
    column = {
        "encoding": "WKB",
        "geometry_types": ["Point"],
        "crs": _projjson(),
        "bbox": [float(value) for value in box],
    }
    return json.dumps({"version": "1.1.0", "primary_column": columns.GEOMETRY, "columns": {columns.GEOMETRY: column}})


def read_rows(path: Path, names: Sequence[str], categories: Sequence[str] | None = None) -> pa.Table:
    """Read some columns of a file of the lake, of some categories or all.

    Parameters
    ----------
    path : Path
        A file of the lake.
    names : sequence of str
        Columns wanted.
    categories : sequence of str or None
        Slugs wanted; None for all.

    Returns
    -------
    Table, shape (n,)
        In the order of the file.
    """
    where = None if categories is None else [(columns.CATEGORY, "in", list(categories))]
    return pq.read_table(path, columns=list(names), filters=where, partitioning=None)


@contextmanager
def import_lock(folder: Path) -> Iterator[None]:
    """Hold the lake for one import; the lock goes with the process, however that ends.

    Raises
    ------
    ConflictError
        If another import holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = "Another import of crimes is running; wait until it is done."
            raise ConflictError(message) from error
        yield


def sweep(folder: Path, keep: set[str]) -> int:
    """Remove what an interrupted import left, and files that no table names; only under ``import_lock``.

    Parameters
    ----------
    folder : Path
        The lake.
    keep : set of str
        Paths that tables name, as ``LakeFile.path``.

    Returns
    -------
    int
        Files and folders removed.
    """
    found = list(folder.glob(f"{_TEMPORARY}*"))
    for path in found:
        shutil.rmtree(path)
    orphans = [path for path in folder.glob("*/*.parquet") if path.relative_to(folder.parent).as_posix() not in keep]
    for path in orphans:
        path.unlink()
    return len(found) + len(orphans)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
