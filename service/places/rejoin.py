"""Jobs that derive every place's areas or hot spots again: in chunks, swapped in one step, nobody missed."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace

from sqlalchemy.orm import Session

from service.core import Core
from service.errors import NotFoundError
from service.jobs.context import JobContext
from service.places import rejoin_store, store
from service.places.joining import SetIndex, metric_from_wkb
from service.places.rejoin_store import Chunk
from service.places.state import current_joiner, hotspot_index

CHUNK = 5_000
FEW = 200  # so many late arrivals are joined inside the write that swaps: a few milliseconds
SWEPT = 20_000


class SetReplacedError(Exception):
    """The set was imported anew while its job ran; the new one has a job of its own."""


def rejoin_places(core: Core, set_name: str, job: JobContext) -> int:
    """Join every place to a set again, in a new generation that counts from one moment to the next.

    A place that arrives meanwhile is written to the generation that counts; the swap finds what the new one lacks and
    adds it first. Interrupted anywhere, the old generation stays whole, and the next try goes on where this one ended.

    Parameters
    ----------
    core : Core
        The deployment.
    set_name : str
        A set that places are joined to.
    job : JobContext
        Progress and cancel.

    Returns
    -------
    int
        Places that have been joined.

    Raises
    ------
    NotFoundError
        If there is no such set.
    JobCancelledError
        If somebody asked the job to stop.
    """
    joiner = current_joiner(core)
    found = next((one for one in joiner.sets if one.set.name == set_name), None)
    if found is None:
        message = f"Places are not joined to a boundary set {set_name[:60]!r}."
        raise NotFoundError(message)
    target = found.set.stored_generation + 1
    index = replace(found, set=replace(found.set, stored_generation=target))
    try:
        joined = _fill(
            core, job, lambda after: _unjoined(core, index, after), lambda chunk: _join_chunk(core, index, chunk)
        )
        while late := core.store.write(lambda session: _swap(session, index)):
            _join_chunk(core, index, late)
    except SetReplacedError:
        return 0
    _sweep(core, job, lambda session, seqs: rejoin_store.sweep_generations(session, index.set.id, target, seqs=seqs))
    return joined


def rejoin_hotspots(core: Core, run_id: uuid.UUID, job: JobContext) -> int:
    """Find for every place where it stands to the hot spots of the current run.

    Parameters
    ----------
    core : Core
        The deployment.
    run_id : UUID
        The run; one that is no longer current is left alone.
    job : JobContext
        Progress and cancel.

    Returns
    -------
    int
        Places that have been joined.

    Raises
    ------
    JobCancelledError
        If somebody asked the job to stop.
    """
    with core.store.read() as session:
        if not rejoin_store.is_current_run(session, run_id):
            return 0
    index = hotspot_index(core, run_id)
    assert index is not None

    def read(after: int) -> Chunk:
        with core.store.read() as session:
            return rejoin_store.read_without_hotspot(session, run_id, after=after, limit=CHUNK)

    def join(chunk: Chunk) -> None:
        rows = index.join(metric_from_wkb([geometry for _, _, geometry in chunk]))
        pairs = [(seq, row | {"place_seq": seq}) for (seq, _, _), row in zip(chunk, rows, strict=True)]

        def write(session: Session) -> None:
            unchanged = rejoin_store.read_unchanged(session, chunk)
            store.insert_hotspots(session, [row for seq, row in pairs if seq in unchanged])

        core.store.write(write)

    joined = _fill(core, job, read, join)
    joined += _fill(core, job, read, join)  # whoever was corrected while the first pass read them
    _sweep(core, job, lambda session, seqs: rejoin_store.sweep_runs(session, seqs=seqs))
    return joined


def _fill(core: Core, job: JobContext, read: Callable[[int], Chunk], join: Callable[[Chunk], None]) -> int:
    """Go through the places that lack something, chunk by chunk."""
    with core.store.read() as session:
        total = max(rejoin_store.count_positions(session), 1)
    done, after = 0, 0
    while chunk := read(after):
        join(chunk)
        done, after = done + len(chunk), chunk[-1][0]
        job.progress(0.95 * min(done / total, 1.0), f"{done:,} of {total:,} places")
    return done


def _unjoined(core: Core, index: SetIndex, after: int) -> Chunk:
    with core.store.read() as session:
        return rejoin_store.read_unjoined(session, index.set.id, index.set.generation, after=after, limit=CHUNK)


def _join_chunk(core: Core, index: SetIndex, chunk: Chunk) -> None:
    rows = _rows(index, chunk)

    def write(session: Session) -> None:
        if rejoin_store.read_generation(session, index.set.id) is None:
            raise SetReplacedError
        unchanged = rejoin_store.read_unchanged(session, chunk)
        store.insert_areas(session, [row for row in rows if row["place_seq"] in unchanged])

    core.store.write(write)


def _rows(index: SetIndex, chunk: Chunk) -> list[dict[str, object]]:
    areas = index.join_many(metric_from_wkb([geometry for _, _, geometry in chunk]))
    return [row | {"place_seq": seq} for (seq, _, _), rows in zip(chunk, areas, strict=True) for row in rows]


def _swap(session: Session, index: SetIndex) -> Chunk:
    """Make the new generation count if it is complete; else return what is still to be joined."""
    stored = rejoin_store.read_generation(session, index.set.id)
    if stored is None:
        raise SetReplacedError
    target = index.set.generation
    late = rejoin_store.read_unjoined(session, index.set.id, target, after=0, limit=CHUNK)
    if len(late) > FEW:
        return late
    store.insert_areas(session, _rows(index, late))
    if stored < target:
        rejoin_store.carry_erased(session, index.set.id, stored, target)
        rejoin_store.swap_generation(session, index.set.id, target)
    return []


def _sweep(core: Core, job: JobContext, sweep: Callable[[Session, tuple[int, int]], None]) -> None:
    with core.store.read() as session:
        last = rejoin_store.last_seq(session)
    for first in range(0, last + 1, SWEPT):
        seqs = (first, first + SWEPT - 1)
        core.store.write(lambda session, seqs=seqs: sweep(session, seqs))  # type: ignore[misc]
        job.progress(0.95 + 0.05 * min((first + SWEPT) / (last + 1), 1.0), "clearing older rows")
