"""Results of runs on disk: cells as Parquet, outlines by digest; written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely

from service.errors import UnavailableError
from service.runs.schemas import CellTable

FOLDER: Final = "runs"
_SIZE_KEY: Final = b"cell_size_m"
_CORNERS: Final = ("cell", "west", "south")


def result_digest(cells: CellTable, hotspots: list[dict[str, Any]]) -> str:
    """Digest of a result, digit by digit: of the numbers themselves, whatever file format holds them.

    Parameters
    ----------
    cells : CellTable
        The cells, in the order of the grid.
    hotspots : list of dict
        Rows of the table of hot spots, by rank.

    Returns
    -------
    str
        SHA-256 in hex.
    """
    digest = hashlib.sha256()
    columns = {"west": cells.west, "south": cells.south, **cells.values}
    for name in sorted(columns):
        values = np.ascontiguousarray(columns[name])
        little = values.astype(values.dtype.newbyteorder("<"))
        digest.update(f"{name} {little.dtype.str} {len(little)}\n".encode())
        digest.update(little.tobytes())
    for row in hotspots:
        numbers = {name: value.hex() if isinstance(value, float) else value for name, value in row.items()}
        digest.update(json.dumps(numbers | {"geometry": row["geometry"].hex()}, sort_keys=True).encode())
    return digest.hexdigest()


def write_cells(data_dir: Path, run_id: uuid.UUID, cells: CellTable) -> str:
    """Write the cells of a run and return the path below the data folder; the file is whole and on disk then.

    Parameters
    ----------
    data_dir : Path
        The data folder.
    run_id : UUID
        Names the file.
    cells : CellTable
        The cells.

    Returns
    -------
    str
        Path below ``data_dir``.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"cell": cells.cell, "west": cells.west, "south": cells.south, **cells.values})
    table = table.replace_schema_metadata({_SIZE_KEY: str(cells.cell_size_m).encode()})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    path = f"{FOLDER}/{run_id}.parquet"
    _write_whole(data_dir / path, sink.getvalue().to_pybytes())
    return path


def read_cells(data_dir: Path, path: str) -> CellTable:
    """Read the cells of a run.

    Raises
    ------
    UnavailableError
        If the file is not there.
    """
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(data_dir / path, partitioning=None)
    except FileNotFoundError as error:
        message = "The cells of this run are missing from the data folder; restore it from the backup."
        raise UnavailableError(message) from error
    arrays = {name: table[name].to_numpy() for name in table.column_names if name != "cell"}
    values = {name: array for name, array in arrays.items() if name not in _CORNERS}
    size = float((table.schema.metadata or {})[_SIZE_KEY])
    return CellTable(np.array(table["cell"].to_pylist()), arrays["west"], arrays["south"], size, values)


def write_outline(data_dir: Path, outline: Any) -> str:
    """Keep the outline that a run covers, so that it repeats after a change of boundaries; return its digest."""
    data: bytes = shapely.to_wkb(outline, byte_order=1)
    digest = hashlib.sha256(data).hexdigest()
    path = _outline_path(data_dir, digest)
    if not path.exists():
        _write_whole(path, data)
    return digest


def read_outline(data_dir: Path, digest: str) -> Any:
    """Read an outline by its digest.

    Raises
    ------
    UnavailableError
        If the file is not there, or is not what it was.
    """
    try:
        data = _outline_path(data_dir, digest).read_bytes()
    except FileNotFoundError:
        data = b""
    if hashlib.sha256(data).hexdigest() != digest:
        message = "The outline of this run is missing or damaged in the data folder; restore it from the backup."
        raise UnavailableError(message)
    return shapely.from_wkb(data)


def _outline_path(data_dir: Path, digest: str) -> Path:
    return data_dir / FOLDER / "outlines" / f"{digest}.wkb"


def _write_whole(path: Path, data: bytes) -> None:
    """Write beside the target, sync, then rename: a reader sees all of it or nothing, whenever the power goes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"tmp-{uuid.uuid4().hex}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    for folder in (path.parent, path.parent.parent):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
