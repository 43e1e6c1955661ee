"""Read police files into the lake and tell what was refused; knows nothing of the database."""

from __future__ import annotations

import csv
import hashlib
import io
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from geo.crimes import CrimeChunk, Key, partition, read_crimes
from service.crimes.lake import LakeFile, LakeWriter
from service.errors import ConflictError, InvalidInputError

READER_VERSION: Final = 1  # raise it when the same bytes would give other rows
API, ARCHIVE = "api", "archive"

_TAKEN_FROM_FOLDERS: Final = ("-street.csv", "-street.csv.gz", ".zip", ".json", ".json.gz")
_HASH_BYTES: Final = 1 << 20

Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file as it was given."""

    path: Path
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class KeyIntake:
    """What the files gave for one force and month."""

    file: LakeFile
    source: str  # API or ARCHIVE
    rejected: int
    inputs: tuple[str, ...]


@dataclass
class Totals:
    """What the files gave in all."""

    rows: int = 0
    rejected: Counter[str] = field(default_factory=Counter)  # by reason
    passed_over: list[str] = field(default_factory=list)


def expand(paths: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """List the files to read: those given, and the street-level ones of folders.

    Parameters
    ----------
    paths : sequence of Path
        Files and folders.

    Returns
    -------
    files : list of Path
        In order, those of a folder by name.
    passed_over : list of str
        Names of other files in the folders.

    Raises
    ------
    InvalidInputError
        If there is nothing to read.
    """
    files: list[Path] = []
    passed_over: list[str] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        for inner in sorted(item for item in path.rglob("*") if item.is_file()):
            if inner.name.lower().endswith(_TAKEN_FROM_FOLDERS):
                files.append(inner)
            else:
                passed_over.append(inner.name)
    if not files:
        message = "There is no police file here: wanted a street-level CSV, an archive (zip) or the API's JSON."
        raise InvalidInputError(message)
    return files, passed_over


def fingerprint(path: Path) -> InputFile:
    """Return the file with its digest.

    Raises
    ------
    InvalidInputError
        If it cannot be read.
    """
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while data := file.read(_HASH_BYTES):
                digest.update(data)
                size += len(data)
    except OSError as error:
        message = f"{path.name} cannot be read: {error.strerror}."
        raise InvalidInputError(message) from error
    return InputFile(path, digest.hexdigest(), size)


def import_digest(inputs: Sequence[InputFile], force: str | None, extent: str) -> str:
    """Digest of everything that decides what an import gives: the bytes, the options, the reader."""
    parts = [str(READER_VERSION), force or "", extent, *sorted(item.sha256 for item in inputs)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class Intake:
    """One import on its way into the lake: nothing is visible before ``finish``.

    Parameters
    ----------
    lake : Path
        The lake's folder.
    report : Path
        The CSV of refused lines; made with the first of them.
    """

    def __init__(self, lake: Path, report: Path) -> None:
        self.totals = Totals()
        self._report = _RejectionReport(report)
        self._writer = LakeWriter(lake)
        self._seen: set[int] = set()
        self._from: dict[Key, list[InputFile]] = {}
        self._kind: dict[Key, str] = {}
        self._rejected: Counter[Key] = Counter()
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Throw away what was not finished."""
        self._writer.discard()
        self._report.close()

    @property
    def report(self) -> Path | None:
        """The CSV of refused lines, if there are any."""
        return self._report.path if self._report.lines else None

    @property
    def kinds(self) -> dict[Key, str]:
        """Every key with rows, and whether they came from the API or the archive."""
        return self._kind

    def take(self, item: InputFile, force: str | None, progress: Progress) -> None:
        """Read one file.

        Raises
        ------
        CrimeFileError
            If it is not a police file that can be read to its end.
        ConflictError
            If another file gave rows of the same force and month already.
        """
        for chunk in read_crimes(item.path, force=force, seen=self._seen):
            self.totals.passed_over += [f"{chunk.source}/{name}" for name in chunk.passed_over]
            self._take_chunk(chunk, item)
            progress(chunk.bytes_read / max(item.size, 1), self._message())

    def finish(self) -> list[KeyIntake]:
        """Put every file in its place, on disk, and return them in order of key."""
        found = self._writer.finish()
        self._report.close()
        return [
            KeyIntake(
                file, self._kind[file.key], self._rejected[file.key], tuple(i.sha256 for i in self._from[file.key])
            )
            for file in found
        ]

    def _take_chunk(self, chunk: CrimeChunk, item: InputFile) -> None:
        for row in chunk.rejected:
            self.totals.rejected[row.reason] += 1
            if row.force is not None and row.month is not None:
                self._rejected[row.force, row.month] += 1
        self._report.add(chunk)
        self.totals.rows += chunk.rows.num_rows
        if chunk.rows.num_rows:
            for key, rows in partition([chunk.rows]):
                self._claim(key, item, is_api=chunk.is_api)
                self._writer.add(key, rows)

    def _claim(self, key: Key, item: InputFile, *, is_api: bool) -> None:
        """Remember which files gave a key; areas of the API add up, files of the archive would count rows twice."""
        kind = API if is_api else ARCHIVE
        givers = self._from.setdefault(key, [])
        if item in givers:
            return
        first = self._kind.setdefault(key, kind)
        if givers and (first != kind or kind == ARCHIVE):
            message = (
                f"{givers[0].path.name} and {item.path.name} both hold {key[0]} {key[1]}; "
                "rows would count twice. Import the one that is right."
            )
            raise ConflictError(message)
        givers.append(item)

    def _message(self) -> str:
        seconds = max(time.monotonic() - self._started, 1e-3)
        return f"{self.totals.rows:,} rows, {self.totals.rows / seconds:,.0f} a second"


class _RejectionReport:
    """CSV of refused lines: file, line, reason, and nothing of their content."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = 0
        self._file: io.TextIOWrapper | None = None
        self._rows: Any = None

    def add(self, chunk: CrimeChunk) -> None:
        """Write the refused lines of a chunk."""
        if not chunk.rejected:
            return
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("w", newline="", encoding="utf-8")
            self._rows = csv.writer(self._file)
            self._rows.writerow(["file", "line", "reason"])
        # a name from an archive may start like a formula of a spreadsheet
        name = f"'{chunk.source}" if chunk.source[:1] in "=+-@\t\r" else chunk.source
        self._rows.writerows((name, row.line, row.reason) for row in chunk.rejected)
        self.lines += len(chunk.rejected)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
