"""A backup file: a tar archive that is whole or not there, with the digest of everything in it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from service.errors import ConflictError, InvalidInputError

MANIFEST: Final = "manifest.json"
FORMAT: Final = 1
PIECE: Final = 1 << 20


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing that gets its name only once it is whole and on disk; readable by its owner only.

    A process that is killed meanwhile leaves nothing behind: the file has no name until then. Where the file system
    knows no such files, it is written beside under a name with a dot.

    Raises
    ------
    ConflictError
        If something has the name already.
    """
    if path.exists():
        message = f"{path} is there already. Choose another name: nothing is written over."
        raise ConflictError(message)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    part = path.with_name(f".{path.name}.part")
    try:
        handle, is_nameless = _open_nameless(path.parent, part)
        with os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            source = f"/proc/self/fd/{file.fileno()}" if is_nameless else str(part)
            # dst_dir_fd makes Python follow the link below /proc
            os.link(source, path.name, dst_dir_fd=folder)
            os.fsync(folder)
    except FileExistsError as error:
        message = f"{path} has come into being meanwhile. Choose another name: nothing is written over."
        raise ConflictError(message) from error
    finally:
        part.unlink(missing_ok=True)
        os.close(folder)


def _open_nameless(folder: Path, part: Path) -> tuple[int, bool]:
    try:
        return os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600), True
    except (OSError, AttributeError):
        part.unlink(missing_ok=True)
        return os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), False


@dataclass
class ArchiveWriter:
    """Adds members to an archive and keeps their digests."""

    tar: tarfile.TarFile
    files: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, name: str, source: BinaryIO, size: int) -> None:
        """Add so many bytes of an open file; a log may grow meanwhile."""
        reader = _Hashing(source)
        member = tarfile.TarInfo(name)
        member.size, member.mode = size, 0o600
        self.tar.addfile(member, cast("BinaryIO", reader))
        self.files[name] = {"size": size, "sha256": reader.digest.hexdigest()}

    def add_file(self, name: str, path: Path) -> None:
        """Add a file."""
        with path.open("rb") as file:
            self.add(name, file, os.fstat(file.fileno()).st_size)

    def finish(self, facts: dict[str, Any]) -> None:
        """Add the manifest as the last member: an archive without one was cut short."""
        data = json.dumps({"format": FORMAT, **facts, "files": self.files}, indent=1).encode()
        member = tarfile.TarInfo(MANIFEST)
        member.size, member.mode = len(data), 0o600
        self.tar.addfile(member, io.BytesIO(data))


class _Hashing:
    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.digest = hashlib.sha256()

    def read(self, size: int) -> bytes:
        data = self._source.read(size)
        self.digest.update(data)
        return data


def read_manifest(path: Path) -> dict[str, Any]:
    """Return the manifest of a backup.

    Raises
    ------
    InvalidInputError
        If the file is no backup of ours, or was cut short.
    """
    message = f"{path} is no backup of Safer Places, or was cut short."
    try:
        with tarfile.open(path, "r:") as tar:
            member = tar.extractfile(MANIFEST)
            facts: dict[str, Any] = json.loads(member.read()) if member else {}
    except (tarfile.TarError, KeyError, ValueError, OSError) as error:
        raise InvalidInputError(message) from error
    if facts.get("format") != FORMAT or not isinstance(facts.get("files"), dict):
        raise InvalidInputError(message)
    return facts


def unpack(path: Path, facts: dict[str, Any], folder: Path) -> None:
    """Write every member below a folder and check its digest.

    Raises
    ------
    InvalidInputError
        If a member is missing, changed, or wants to lie outside of the folder.
    """
    with tarfile.open(path, "r:") as tar:
        for name, wanted in facts["files"].items():
            target = (folder / name).resolve()
            if not target.is_relative_to(folder.resolve()):
                message = f"{path} holds a member outside of its folder; it is not used."
                raise InvalidInputError(message)
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if _copy(tar, name, target) != wanted["sha256"]:
                message = f"{path} is damaged at {name}; take another backup."
                raise InvalidInputError(message)


def _copy(tar: tarfile.TarFile, name: str, target: Path) -> str:
    try:
        source = tar.extractfile(name)
    except KeyError:
        return ""
    if source is None:
        return ""
    digest = hashlib.sha256()
    with os.fdopen(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        while piece := source.read(PIECE):
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()
