"""The journal of erasures, and of what keeps a mark from the public, so that a restored backup does not forget it.

A file beside the store that only grows. A line holds a keyed hash of a mark's id, the day and what was decided: nothing
of the mark, and without the deployment's secret not even which one. It is on disk before the write is answered.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from service.core import Core

FILE: Final = "erasures.jsonl"
WITHDRAWN: Final = "withdrawn"  # taken back by its owner
WITHDRAWN_HELD: Final = "withdrawn-held"  # taken back while it is with the lead, who decides first (S5)
WORDS: Final = "words"
GEOMETRY: Final = "geometry"
REJECTED: Final = "rejected"
HELD: Final = "held"  # passed to the lead: no restore may let it out again (S4)
DECIDED: Final = "decided"  # the lead has decided: it is held no longer
NEVER: Final = "never"  # never to be published (S9)
COUNT: Final = "count"  # to be counted again
KINDS: Final = (WITHDRAWN, WITHDRAWN_HELD, WORDS, GEOMETRY, REJECTED, HELD, DECIDED, NEVER, COUNT)
ENDS: Final = {DECIDED: HELD, COUNT: NEVER}  # what a line takes back of the lines before it


@dataclass(frozen=True)
class Erasure:
    """One line: which mark (a keyed hash), when, what."""

    id: str
    day: date
    kind: str


def journal_path(core: Core) -> Path:
    """Return the file of the journal."""
    return core.settings.data_dir / FILE


def mark_hash(core: Core, identifier: uuid.UUID) -> str:
    """Return what the journal calls a mark."""
    return core.keyed_hash("erasure", str(identifier))


def note_erasures(core: Core, kind: str, identifiers: Iterable[uuid.UUID], day: date) -> None:
    """Add erasures to the journal and wait until they are on disk; called inside the write that erases.

    Should that write fail after all, a restore erases what somebody had asked to be erased anyway: the safe side.

    Parameters
    ----------
    core : Core
        The deployment; its secret hides which mark a line means.
    kind : str
        One of ``KINDS``.
    identifiers : iterable of UUID
        Ids of the marks.
    day : date
        The day of the erasure.
    """
    lines = [json.dumps({"id": mark_hash(core, one), "day": day.isoformat(), "kind": kind}) for one in identifiers]
    if not lines:
        return
    handle = os.open(journal_path(core), os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        size = os.fstat(handle).st_size
        torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"  # the machine stopped in the middle of a line
        os.write(handle, ("\n" * torn + "\n".join(lines) + "\n").encode("ascii"))
        os.fsync(handle)
    finally:
        os.close(handle)


def begin_journal(core: Core) -> None:
    """Make an empty journal where there is none: from then on its absence means that it was lost."""
    os.close(os.open(journal_path(core), os.O_RDWR | os.O_CREAT, 0o600))


def read_erasures(path: Path) -> Iterator[Erasure]:
    """Yield the erasures of a journal; a line that was torn by a crash is passed over."""
    if not path.is_file():
        return
    for line in path.read_text(encoding="ascii", errors="replace").splitlines():
        try:
            values = json.loads(line)
            found = Erasure(str(values["id"]), date.fromisoformat(values["day"]), str(values["kind"]))
        except (ValueError, KeyError, TypeError):
            continue
        if found.kind in KINDS:
            yield found
