"""Import names and find them again; what is typed is not logged and not kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import shapely

from service.areas import workflow as areas
from service.core import Core
from service.names import store
from service.names.models import Name
from service.names.reading import FoundName, fold, read_names

MARGIN_DEGREES: Final = 0.02  # about 2 km: names just across the edge help to find the way
SAME_SPOT_DEGREES: Final = 0.004  # sections of one street this near to each other are one name
MAX_LANDMARKS: Final = 400


@dataclass(frozen=True, slots=True)
class NamesImported:
    """What came of an import."""

    stored: int
    elsewhere: int  # outside the borough and its margin
    repeated: int  # further sections of a street
    rejected: list[tuple[int, str]]  # line of the file, reason


def import_names(core: Core, path: Path, *, source: str = "", is_sample: bool = False) -> NamesImported:
    """Store the names of a file that lie in or near the borough, in place of those of the same source.

    Parameters
    ----------
    core : Core
        The deployment.
    path : Path
        CSV with a header, or OS Open Names.
    source : str
        Words for where it comes from; the file's name where empty.
    is_sample : bool
        Whether the names are made up.

    Returns
    -------
    NamesImported
        Counts.

    Raises
    ------
    InvalidInputError
        If the file cannot be read as one of the layouts.
    UnavailableError
        If there are no boundaries yet: the borough is not known.
    """
    west, south, east, north = shapely.bounds(areas.outline_shape(core)).tolist()
    box = (west - MARGIN_DEGREES, south - MARGIN_DEGREES, east + MARGIN_DEGREES, north + MARGIN_DEGREES)
    near = _Near(box)
    origin = (source or path.name)[:200]
    rejected: list[tuple[int, str]] = []
    found_names = read_names(path, refuse=lambda line, reason: rejected.append((line, reason)))
    rows = [_row(found, origin, is_sample=is_sample) for found in near.kept(found_names)]
    stored = core.store.write(lambda session: store.replace_source(session, origin, rows))
    return NamesImported(stored, near.elsewhere, near.repeated, sorted(rejected))


def search_names(core: Core, query: str, *, limit: int) -> Sequence[Name]:
    """Return streets and landmarks that fit what was typed, the best first; nothing for less than two letters."""
    folded = fold(query)
    if len(folded) < 2:  # noqa: PLR2004 - one letter fits everything
        return []
    with core.store.read() as session:
        return store.find_names(session, folded, limit)


def has_names(core: Core) -> bool:
    """Return whether there is anything to search."""
    with core.store.read() as session:
        return store.count_names(session)[0] > 0


def landmarks(core: Core) -> list[tuple[float, float, str, int]]:
    """Return (longitude, latitude, name, rank) of what maps write on themselves; cached until the next import."""
    with core.store.read() as session:
        version = store.count_names(session)

    def make() -> list[tuple[float, float, str, int]]:
        with core.store.read() as session:
            rows = store.read_landmarks(session, MAX_LANDMARKS)
        return [(row.longitude, row.latitude, row.name, store.LANDMARK_RANK.get(row.kind, 0)) for row in rows]

    return core.cache.get(("landmarks", version), make)


class _Near:
    """Keeps names inside a box, one of those that repeat at one spot, and counts the others."""

    def __init__(self, box: tuple[float, float, float, float]) -> None:
        self.box = box
        self.elsewhere = 0
        self.repeated = 0
        self._seen: set[tuple[str, str, int, int]] = set()

    def kept(self, names: Iterable[FoundName]) -> Iterator[FoundName]:
        west, south, east, north = self.box
        for found in names:
            if not (west <= found.longitude <= east and south <= found.latitude <= north):
                self.elsewhere += 1
                continue
            spot = (round(found.longitude / SAME_SPOT_DEGREES), round(found.latitude / SAME_SPOT_DEGREES))
            key = (fold(found.name), found.kind, *spot)
            if key in self._seen:
                self.repeated += 1
                continue
            self._seen.add(key)
            yield found


def _row(found: FoundName, source: str, *, is_sample: bool) -> dict[str, Any]:
    return {
        "name": found.name,
        "folded": fold(found.name)[:120],
        "kind": found.kind,
        "longitude": found.longitude,
        "latitude": found.latitude,
        "source": source,
        "is_sample": is_sample,
    }
