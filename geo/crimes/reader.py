"""Read any police file - CSV, gzip, archive of many months and forces, API answer - as one stream of crimes."""

from __future__ import annotations

import gzip
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final, cast

from geo.crimes.api_json import read_api_json
from geo.crimes.chunks import CrimeChunk, Limits, RejectedRow, no_rows
from geo.crimes.months import is_month
from geo.crimes.source import Source
from geo.crimes.street_csv import read_street_csv
from geo.crimes.tables import force_slug
from geo.errors import CrimeFileError

_STREET_FILE: Final = re.compile(r"(?P<month>\d{4}-\d{2})-(?P<force>[a-z-]+)-street\.csv", re.IGNORECASE)
_RATIO_FROM_BYTES: Final = 1 << 20  # below, a high ratio is harmless


def read_crimes(
    path: Path, *, force: str | None = None, limits: Limits | None = None, seen: set[int] | None = None
) -> Iterator[CrimeChunk]:
    """Read one police file; what it is, is told from its first bytes.

    Every line is either among the rows or among the rejected; memory does not grow with the file.

    Parameters
    ----------
    path : Path
        The police's street CSV, the same gzipped, an archive (zip) of many months and forces, or the API's JSON,
        gzipped or not.
    force : str or None
        Force (slug or name) of rows that name none: needed for the API's JSON. A CSV row's own "Reported by" comes
        first, then the file name, then this.
    limits : Limits or None
        Guards against files made to fill memory or disk; None for the usual ones.
    seen : set of int or None
        Ids of API records read before, see ``read_api_json``.

    Yields
    ------
    CrimeChunk
        Some thousand rows each; at least one for each CSV, also when it is empty.

    Raises
    ------
    CrimeFileError
        If the file cannot be opened, is none of these, is broken, passes a limit, or needs a force.
    """
    limits = limits or Limits()
    slug = _require_force(force)
    try:
        with path.open("rb") as file:
            start = file.read(4)
            file.seek(0)
            if start.startswith(b"PK"):
                yield from _read_archive(path.name, file, slug, limits)
            elif start.startswith(b"\x1f\x8b"):
                with gzip.open(file) as stream:
                    source = Source(cast(BinaryIO, stream), path.name, _most_bytes(path, limits))
                    yield from _chunks(source, slug, seen, file.tell)
            else:
                source = Source(file, path.name, limits.member_bytes)
                yield from _chunks(source, slug, seen, file.tell)
    except OSError as error:
        message = f"{path.name} cannot be read: {error.strerror or error}."
        raise CrimeFileError(message) from error


def _most_bytes(path: Path, limits: Limits) -> int:
    """Bytes that a gzip file may give: it does not tell beforehand, so the ratio counts while it is read."""
    return min(limits.member_bytes, max(_RATIO_FROM_BYTES, limits.ratio * path.stat().st_size))


def _require_force(force: str | None) -> str | None:
    if force is None:
        return None
    slug = force_slug(force)
    if slug is None:
        message = f"{force[:40]!r} is no force of the police's archive; write a slug such as metropolitan, kent or btp."
        raise CrimeFileError(message)
    return slug


def _chunks(
    source: Source, force: str | None, seen: set[int] | None, position: Callable[[], int]
) -> Iterator[CrimeChunk]:
    start = source.peek(1024).removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        message = f"{source.name} is empty."
        raise CrimeFileError(message)
    if start[:1] in {b"[", b"{"}:
        if force is None:
            message = f"{source.name} is an answer of the police API, which does not tell the force; give it by option."
            raise CrimeFileError(message)
        parts, is_api = read_api_json(source, force=force, seen=seen), True
    else:
        parts, is_api = _street_parts(source, force), False
    for rows, rejected in parts:
        yield CrimeChunk(source.name, rows, tuple(rejected), position(), is_api=is_api)


def _street_parts(source: Source, force: str | None) -> Iterator[tuple[Any, list[RejectedRow]]]:
    """Read a street file; one that is named as in the archive holds one month, and its name tells a blank force."""
    match = _STREET_FILE.fullmatch(PurePosixPath(source.name).name.removesuffix(".gz"))
    if match is None:
        return read_street_csv(source, force=force)
    month = match["month"] if is_month(match["month"]) else None
    return read_street_csv(source, force=force_slug(match["force"]) or force, month=month)


def _read_archive(name: str, file: BinaryIO, force: str | None, limits: Limits) -> Iterator[CrimeChunk]:
    try:
        archive = zipfile.ZipFile(file)
    except zipfile.BadZipFile as error:
        message = f"{name} is not a whole zip archive ({error}); download it again."
        raise CrimeFileError(message) from error
    with archive:
        members, passed_over = _street_members(name, archive, limits)
        yield CrimeChunk(name, no_rows(), (), 0, passed_over)
        done = 0
        for member in members:
            for chunk in _read_member(name, archive, member, force, limits):
                share = chunk.bytes_read / max(member.file_size, 1)
                at = done + int(share * member.compress_size)
                yield replace(chunk, bytes_read=at)
            done += member.compress_size


def _street_members(
    name: str, archive: zipfile.ZipFile, limits: Limits
) -> tuple[list[zipfile.ZipInfo], tuple[str, ...]]:
    """Street files in order of name, and what else the archive holds; refuses bombs before anything is unpacked."""
    members = [info for info in archive.infolist() if not info.is_dir()]
    if len(members) > limits.members:
        message = f"{name} holds {len(members):,} files, more than {limits.members:,}; split it."
        raise CrimeFileError(message)
    street = sorted(
        (info for info in members if _STREET_FILE.fullmatch(PurePosixPath(info.filename).name)),
        key=lambda info: info.filename,
    )
    if not street:
        message = f"{name} holds no street-level file such as 2018-06/2018-06-metropolitan-street.csv."
        raise CrimeFileError(message)
    if sum(info.file_size for info in street) > limits.total_bytes:
        message = f"{name} unpacks to more than {limits.total_bytes:,} bytes; split it."
        raise CrimeFileError(message)
    for info in street:
        if info.file_size > max(_RATIO_FROM_BYTES, limits.ratio * info.compress_size):
            message = (
                f"{info.filename} in {name} unpacks to over {limits.ratio} times its size; this is no police file."
            )
            raise CrimeFileError(message)
    chosen = {info.filename for info in street}
    return street, tuple(info.filename for info in members if info.filename not in chosen)


def _read_member(
    name: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo, force: str | None, limits: Limits
) -> Iterator[CrimeChunk]:
    source_name = f"{name}/{member.filename}"
    try:
        stream: Any = archive.open(member)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        message = f"{source_name} cannot be unpacked ({error}); download the archive again."
        raise CrimeFileError(message) from error
    with stream:
        source = Source(stream, source_name, limits.member_bytes)
        yield from _chunks(source, force, None, lambda: source.count)
