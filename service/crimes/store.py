"""Every query on crime files, the manifest and the counts kept per file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, exists, func, insert, select, update
from sqlalchemy.orm import Session

from geo.columns import OUTSIDE
from service.areas.models import BoundarySet  # its crime_generation changes in one transaction with the counts
from service.crimes.models import CrimeCount, CrimeFile, CrimeManifest
from service.store.base import utc_now

Key = tuple[str, str]  # force, month


@dataclass(frozen=True, slots=True)
class Period:
    """Which counts are asked for: months from ``first`` to ``last``, and categories (none means all)."""

    first: str
    last: str
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CountedSet:
    """Whose counts are asked for: a boundary set and its current generation."""

    set_id: int
    generation: int


def current_files(session: Session, first: str = "", last: str = "9999-99") -> list[CrimeFile]:
    """Return the current file of each force and month, in that order."""
    query = (
        select(CrimeFile)
        .join(CrimeManifest, CrimeManifest.file_id == CrimeFile.id)
        .where(CrimeManifest.month.between(first, last))
        .order_by(CrimeManifest.force, CrimeManifest.month)
    )
    return list(session.scalars(query))


def files_of(session: Session, digests: Sequence[str]) -> list[CrimeFile]:
    """Return the files of these digests, current or not, in order of force and month."""
    query = select(CrimeFile).where(CrimeFile.digest.in_(digests)).order_by(CrimeFile.force, CrimeFile.month)
    return list(session.scalars(query))


def current_keys(session: Session) -> dict[Key, CrimeFile]:
    """Return the current file of each key."""
    return {(file.force, file.month): file for file in current_files(session)}


def all_paths(session: Session) -> set[str]:
    """Return the path of every file a table names, current or kept for a run."""
    return set(session.scalars(select(CrimeFile.path)))


def find_file(session: Session, digest: str) -> CrimeFile | None:
    """Return the file of a digest."""
    return session.scalar(select(CrimeFile).where(CrimeFile.digest == digest))


def put_file(session: Session, values: Mapping[str, Any]) -> int:
    """Add a file, or bring the row of the same digest up to date, and return its id."""
    row = find_file(session, values["digest"])
    if row is None:
        row = CrimeFile(**values)
        session.add(row)
    else:
        for name, value in values.items():
            setattr(row, name, value)
    session.flush()
    return row.id


def point_manifest(session: Session, key: Key, file_id: int) -> None:
    """Make a file the current one of its key."""
    row = session.get(CrimeManifest, key)
    if row is None:
        session.add(CrimeManifest(force=key[0], month=key[1], file_id=file_id))
    else:
        row.file_id = file_id
        row.updated_at = utc_now()
    session.flush()


def put_counts(session: Session, file_id: int, counted: CountedSet, counts: Iterable[Sequence[Any]]) -> None:
    """Store the counts of one file by one set, in place of those of an earlier attempt.

    Each count is (area_gss, category, in_polygon, nearest_centre, near_line).
    """
    session.execute(
        delete(CrimeCount).where(
            CrimeCount.file_id == file_id,
            CrimeCount.set_id == counted.set_id,
            CrimeCount.generation == counted.generation,
        )
    )
    names = ("area_gss", "category", "in_polygon", "nearest_centre", "near_line")
    fixed = {"file_id": file_id, "set_id": counted.set_id, "generation": counted.generation}
    rows = [fixed | dict(zip(names, count, strict=True)) for count in counts]
    if rows:
        session.execute(insert(CrimeCount), rows)


def is_current(session: Session, counted: CountedSet) -> bool:
    """Return whether the set is there and counts by this generation."""
    return session.scalar(select(BoundarySet.crime_generation).where(BoundarySet.id == counted.set_id)) == (
        counted.generation
    )


def has_set(session: Session, set_id: int) -> bool:
    """Return whether the set is still there: one that is replaced gets a new id."""
    return session.scalar(select(BoundarySet.id).where(BoundarySet.id == set_id)) is not None


def joinable_sets(session: Session) -> list[tuple[str, CountedSet]]:
    """Return name and current counts of each set that points are joined to."""
    query = select(BoundarySet.name, BoundarySet.id, BoundarySet.crime_generation).where(BoundarySet.join_points)
    return [(row[0], CountedSet(row[1], row[2])) for row in session.execute(query.order_by(BoundarySet.name))]


def adopt_generation(session: Session, counted: CountedSet) -> None:
    """Make the counts of a generation the ones that count, and remove the others."""
    session.execute(
        update(BoundarySet)
        .where(BoundarySet.id == counted.set_id)
        .values(crime_generation=counted.generation)
        .execution_options(synchronize_session=False)
    )
    drop_other_counts(session, counted)


def drop_other_counts(session: Session, counted: CountedSet) -> None:
    """Remove the counts of a set's other generations."""
    session.execute(
        delete(CrimeCount).where(CrimeCount.set_id == counted.set_id, CrimeCount.generation != counted.generation)
    )


def uncounted_files(session: Session, counted: CountedSet) -> list[CrimeFile]:
    """Return the current files that a set has no counts of, in order of key."""
    has_counts = exists().where(
        CrimeCount.file_id == CrimeFile.id,
        CrimeCount.set_id == counted.set_id,
        CrimeCount.generation == counted.generation,
    )
    query = (
        select(CrimeFile)
        .join(CrimeManifest, CrimeManifest.file_id == CrimeFile.id)
        .where(CrimeFile.rows > 0, ~has_counts)
        .order_by(CrimeFile.force, CrimeFile.month)
    )
    return list(session.scalars(query))


def _in_period(query: Any, counted: CountedSet, period: Period) -> Any:
    query = (
        query.select_from(CrimeCount)
        .join(CrimeManifest, CrimeManifest.file_id == CrimeCount.file_id)
        .where(
            CrimeCount.set_id == counted.set_id,
            CrimeCount.generation == counted.generation,
            CrimeManifest.month.between(period.first, period.last),
        )
    )
    return query.where(CrimeCount.category.in_(period.categories)) if period.categories else query


def counts_by_area(session: Session, counted: CountedSet, period: Period) -> list[tuple[str, int, int, int]]:
    """Return (area_gss, in_polygon, nearest_centre, near_line) of each area with rows, outside included."""
    query = select(
        CrimeCount.area_gss,
        func.sum(CrimeCount.in_polygon),
        func.sum(CrimeCount.nearest_centre),
        func.sum(CrimeCount.near_line),
    ).group_by(CrimeCount.area_gss)
    return [
        (row[0], int(row[1]), int(row[2]), int(row[3])) for row in session.execute(_in_period(query, counted, period))
    ]


def counts_by_month(
    session: Session, counted: CountedSet, period: Period, area_gss: str | None
) -> list[tuple[str, str, int, int]]:
    """Return (month, category, in_polygon, nearest_centre) of one area, or of all areas without what is outside."""
    query = select(
        CrimeManifest.month,
        CrimeCount.category,
        func.sum(CrimeCount.in_polygon),
        func.sum(CrimeCount.nearest_centre),
    ).group_by(CrimeManifest.month, CrimeCount.category)
    here = CrimeCount.area_gss != OUTSIDE if area_gss is None else CrimeCount.area_gss == area_gss
    found = session.execute(_in_period(query, counted, period).where(here))
    return [(row[0], row[1], int(row[2]), int(row[3])) for row in found]


def forces_inside(session: Session, counted: CountedSet) -> set[str]:
    """Return the forces with at least one row inside an area of the set, in any month held."""
    query = _in_period(select(CrimeManifest.force).distinct(), counted, Period("", "9999-99"))
    return set(session.scalars(query.where(CrimeCount.area_gss != OUTSIDE, CrimeCount.in_polygon > 0)))
