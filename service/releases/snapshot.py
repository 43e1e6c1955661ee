"""The file of a release: canonical JSON named by its digest, written once and checked whenever it is read."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from service.core import Core
from service.errors import UnavailableError
from service.releases.schemas import ReleaseContent

FOLDER: Final = "releases"


def encode(content: ReleaseContent) -> bytes:
    """Return the content as bytes; the same content is the same bytes."""
    values = content.model_dump(mode="json")
    return (json.dumps(values, sort_keys=True, ensure_ascii=False, indent=1) + "\n").encode()


def digest_of(body: bytes) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(body).hexdigest()


def write_file(core: Core, body: bytes) -> tuple[str, str]:
    """Write a release below the data folder, whole or not at all.

    Parameters
    ----------
    core : Core
        The deployment.
    body : bytes
        As ``encode`` returns it.

    Returns
    -------
    tuple of str
        Digest, and path below the data folder.
    """
    digest = digest_of(body)
    folder = core.settings.data_dir / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{digest}.json"
    if not path.exists():
        handle, scratch = tempfile.mkstemp(dir=folder, prefix="tmp-")
        with os.fdopen(handle, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        Path(scratch).replace(path)
        _sync(folder)
    return digest, f"{FOLDER}/{digest}.json"


def read_file(core: Core, path: str, digest: str) -> ReleaseContent:
    """Return a release from its file.

    Raises
    ------
    UnavailableError
        If the file is gone or was changed.
    """

    def load() -> ReleaseContent:
        try:
            body = (core.settings.data_dir / path).read_bytes()
            if digest_of(body) != digest:
                raise UnavailableError(_DAMAGED)
            return ReleaseContent.model_validate_json(body)
        except (OSError, ValidationError) as error:
            raise UnavailableError(_DAMAGED) from error

    return core.cache.get(("release-file", digest), load)


_DAMAGED: Final = "The file of this release is missing or damaged. Put the data folder back from a backup."


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
