"""The fixed table of cells that a release may show, and the distinct people of each workshop behind each cell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from geo.columns import OUTSIDE, require_columns
from geo.errors import DisclosureError

BOROUGH: Final = "borough"
ALL: Final = "all"
FEELINGS: Final = ("safe", "unsafe", "mixed")
DAY_TIMES: Final = frozenset({"weekday_day", "after_school", "weekend_day"})
NIGHT_TIMES: Final = frozenset({"evening", "night"})
DAY: Final = "day"
NIGHT: Final = "night"
REASON: Final = "reason:"
MARK_COLUMNS: Final = (
    "contributor", "people", "workshop", "feeling", "times", "reasons", "areas", "publish", "status", "source",
)  # fmt: skip
Reasons = Mapping[str, Iterable[str]]
"""Feeling -> reason codes that the table has a line for."""


def cell_key(area: str, feeling: str, item: str = "") -> str:
    """Return the key of a cell: ``area|feeling|item``."""
    return f"{area}|{feeling}|{item}"


@dataclass(frozen=True, slots=True)
class Partition:
    """The one public partition of a release: wards, and unions of wards that were fixed before anybody looked at marks.

    Attributes
    ----------
    set_name : str
        The boundary set of the wards.
    unions : dict of str to tuple of str
        Code of a union -> codes of its wards; each ward in exactly one.
    """

    set_name: str
    unions: Mapping[str, tuple[str, ...]]

    def __post_init__(self) -> None:
        """Refuse a ward that is in two unions, and codes with a meaning of their own."""
        wards = [ward for members in self.unions.values() for ward in members]
        codes = [*wards, *self.unions]
        if len(set(codes)) != len(codes) or {BOROUGH, OUTSIDE} & set(codes) or any("|" in code for code in codes):
            message = "Wards and unions need codes of their own, each ward in one union: no code twice, none empty."
            raise DisclosureError(message)

    @property
    def wards(self) -> tuple[str, ...]:
        """Codes of all wards, union by union."""
        return tuple(ward for members in self.unions.values() for ward in members)

    @property
    def union_of(self) -> dict[str, str]:
        """Ward code -> code of its union."""
        return {ward: union for union, members in self.unions.items() for ward in members}

    def level(self, area: str) -> int:
        """Return 0 for a ward, 1 for a union, 2 for the borough."""
        return 2 if area == BOROUGH else int(area in self.unions)


@dataclass(frozen=True, slots=True)
class Relation:
    """What everybody knows of distinct people: nobody is in a part without being in the total.

    Attributes
    ----------
    total : str
        Key of the cell that holds the parts.
    parts : tuple of str
        Keys.
    covers : bool
        Whether everybody in the total is in at least one part; the parts then add up to the total or to more.
    adds_up : bool
        Whether so few people are in two parts that an attacker who takes the parts to add up exactly is right, or
        nearly so.
    """

    total: str
    parts: tuple[str, ...]
    covers: bool = True
    adds_up: bool = True


@dataclass(slots=True)
class Tally:
    """Who stands behind each cell.

    Attributes
    ----------
    speakers : dict of str to dict
        Cell key -> (workshop, contributor) -> people it speaks for.
    """

    speakers: dict[str, dict[tuple[str, str], int]] = field(default_factory=dict)

    def add(self, key: str, who: tuple[str, str], people: int) -> None:
        """Count a contributor once, with the most people it spoke for."""
        cell = self.speakers.setdefault(key, {})
        cell[who] = max(people, cell.get(who, 0))

    def workshops(self, key: str) -> dict[str, int]:
        """Return the distinct people behind a cell by workshop."""
        return by_workshop(self.speakers.get(key, {}))

    def people(self, key: str) -> int:
        """Return the distinct people behind a cell."""
        return sum(self.speakers.get(key, {}).values())

    def apart(self, one: str, other: str) -> dict[str, int]:
        """Return by workshop the people who are behind one of two cells and not behind the other."""
        first, second = self.speakers.get(one, {}), self.speakers.get(other, {})
        found = {
            who: abs(first.get(who, 0) - second.get(who, 0))
            for who in sorted(first.keys() | second.keys())
            if first.get(who, 0) != second.get(who, 0)
        }
        return by_workshop(found)

    def meet(self, one: str, other: str) -> bool:
        """Whether anybody is behind both cells."""
        return not self.speakers.get(one, {}).keys().isdisjoint(self.speakers.get(other, {}))


def by_workshop(speakers: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """Add people up by workshop, in order of workshops."""
    found: dict[str, int] = {}
    for workshop, contributor in sorted(speakers):
        found[workshop] = found.get(workshop, 0) + speakers[workshop, contributor]
    return found


def countable(marks: Any) -> Any:
    """Return the marks that a release may count at all.

    Marks that wait, are held, rejected or withdrawn, that say ``publish = never`` (S9), that were made in open mode
    (anybody can make any number of them) and borders (E5) are outside every count, totals and thresholds included: the
    release is the same, byte for byte, whether they exist or not.

    Parameters
    ----------
    marks : DataFrame, shape (n_marks,)
        With ``MARK_COLUMNS``; ``kind`` is looked at where it is there.

    Returns
    -------
    DataFrame
        A part of ``marks``.

    Raises
    ------
    ColumnError
        If a column is missing.
    DisclosureError
        If a countable mark speaks for fewer than one person, or has no workshop or contributor.
    """
    require_columns(marks, MARK_COLUMNS)
    wanted = (
        (marks["status"] == "approved")
        & (marks["publish"] == "count")
        & (marks["source"] != "open")
        & marks["feeling"].isin(FEELINGS)
    )
    if "kind" in marks.columns:
        wanted &= marks["kind"] != "border"
    found = marks[wanted]
    if len(found) and (
        bool((found["people"] < 1).any()) or bool(found[["workshop", "contributor"]].isna().any(axis=None))
    ):
        message = "Every mark needs a workshop, a contributor and at least one person it speaks for."
        raise DisclosureError(message)
    return found


def tally(marks: Any, partition: Partition, reasons: Reasons) -> Tally:
    """Count the distinct people behind every cell of the fixed table.

    Parameters
    ----------
    marks : DataFrame, shape (n_marks,)
        As ``countable`` returns them; ``areas`` maps the name of a boundary set to the codes of its areas that the mark
        touches.
    partition : Partition
        Wards and unions; a ward that the partition does not know counts for the borough only.
    reasons : mapping of str to iterable of str
        Feeling -> codes that the table has a line for.

    Returns
    -------
    Tally
        A person who marked several places is behind a cell once (D1).
    """
    union_of = partition.union_of
    known = {feeling: frozenset(codes) for feeling, codes in reasons.items()}
    found = Tally()
    for row in marks[list(MARK_COLUMNS)].itertuples(index=False):
        who, people = (str(row.workshop), str(row.contributor)), int(row.people)
        wards = [code if code in union_of else OUTSIDE for code in row.areas.get(partition.set_name, ())]
        areas = {BOROUGH, *wards, *(union_of[ward] for ward in wards if ward in union_of)}
        for area in areas:
            found.add(cell_key(area, ALL), who, people)
            found.add(cell_key(area, row.feeling), who, people)
        for item in _items(row, known.get(row.feeling, frozenset())):
            found.add(cell_key(BOROUGH, row.feeling, item), who, people)
            if not item.startswith(REASON):
                found.add(cell_key(BOROUGH, ALL, item), who, people)
    return found


def _items(row: Any, reasons: frozenset[str]) -> Iterator[str]:
    times = set(row.times)
    if times & DAY_TIMES:
        yield DAY
    if times & NIGHT_TIMES:
        yield NIGHT
    for code in sorted(set(row.reasons) & reasons):
        yield REASON + code


def tally_older(found: Tally, marks: Any, older: Partition, new: Partition) -> None:
    """Count people by the areas of an earlier set, and by what lies in both an earlier and a new ward.

    Parameters
    ----------
    found : Tally
        Filled with keys as ``older_key`` and ``atom_key`` give them.
    marks : DataFrame
        As for ``tally``.
    older, new : Partition
        The earlier partition and the one of this release.
    """
    old_unions, new_wards = older.union_of, new.union_of
    for row in marks[list(MARK_COLUMNS)].itertuples(index=False):
        who, people = (str(row.workshop), str(row.contributor)), int(row.people)
        olds = [code if code in old_unions else OUTSIDE for code in row.areas.get(older.set_name, ())]
        news = [code if code in new_wards else OUTSIDE for code in row.areas.get(new.set_name, ())]
        names = {older_key(older, area) for area in olds}
        names |= {older_key(older, old_unions[area]) for area in olds if area in old_unions}
        names |= {atom_key(older, old, area) for old in olds for area in news}
        for name in names:
            found.add(cell_key(name, ALL), who, people)
            found.add(cell_key(name, row.feeling), who, people)


def older_key(older: Partition, area: str) -> str:
    """Return the name of an area of an earlier set, apart from an area of today with the same code."""
    return f"{older.set_name}:{area}"


def atom_key(older: Partition, old: str, new: str) -> str:
    """Return the name of what lies both in an earlier ward and in a ward of today."""
    return f"{older.set_name}:{old}&{new}"


def fixed_cells(partition: Partition, reasons: Reasons) -> list[str]:
    """Return the keys of all approved slices, whatever the marks say (D7).

    Parameters
    ----------
    partition : Partition
        Wards and unions.
    reasons : mapping of str to iterable of str
        Feeling -> reason codes.

    Returns
    -------
    list of str
        Borough themes (people, feelings, day and night, reasons by feeling), then unions, then wards by feeling.
    """
    feelings = (ALL, *FEELINGS)
    keys = [cell_key(BOROUGH, feeling) for feeling in feelings]
    keys += [cell_key(BOROUGH, feeling, item) for feeling in feelings for item in (DAY, NIGHT)]
    keys += [cell_key(BOROUGH, feeling, REASON + code) for feeling in FEELINGS for code in _lines(reasons, feeling)]
    areas = (*partition.unions, *partition.wards)
    return keys + [cell_key(area, feeling) for area in areas for feeling in feelings]


def _lines(reasons: Reasons, feeling: str) -> list[str]:
    return sorted(set(reasons.get(feeling, ())))


def relations(partition: Partition, reasons: Reasons) -> list[Relation]:
    """Return everything that ties the cells of the table together.

    Parameters
    ----------
    partition : Partition
        Wards and unions; what lies outside every ward is a part of the borough that is never shown.
    reasons : mapping of str to iterable of str
        Feeling -> reason codes.

    Returns
    -------
    list of Relation
        Borough over unions over wards for each feeling; all feelings over each; times and reasons inside their feeling.
    """
    found: list[Relation] = []
    for feeling in (ALL, *FEELINGS):
        unions = tuple(cell_key(union, feeling) for union in (*partition.unions, OUTSIDE))
        found.append(Relation(cell_key(BOROUGH, feeling), unions))
        for union, wards in partition.unions.items():
            found.append(Relation(cell_key(union, feeling), tuple(cell_key(ward, feeling) for ward in wards)))
        times = tuple(cell_key(BOROUGH, feeling, item) for item in (DAY, NIGHT))
        found.append(Relation(cell_key(BOROUGH, feeling), times, covers=False))
        named = tuple(cell_key(BOROUGH, feeling, REASON + code) for code in _lines(reasons, feeling))
        found.append(Relation(cell_key(BOROUGH, feeling), named, covers=False))
    for area in (BOROUGH, *partition.unions, *partition.wards, OUTSIDE):
        found.append(Relation(cell_key(area, ALL), tuple(cell_key(area, feeling) for feeling in FEELINGS)))
    for item in (DAY, NIGHT):
        parts = tuple(cell_key(BOROUGH, feeling, item) for feeling in FEELINGS)
        found.append(Relation(cell_key(BOROUGH, ALL, item), parts))
    return [relation for relation in found if relation.parts]


def older_relations(older: Partition, new: Partition, atoms: Iterable[tuple[str, str]]) -> list[Relation]:
    """Return how areas of an earlier set and of this one are made of the same pieces.

    Parameters
    ----------
    older, new : Partition
        The two partitions.
    atoms : iterable of (str, str)
        Earlier ward and ward of today that have a piece in common.

    Returns
    -------
    list of Relation
        Pieces of each ward of either set, earlier wards of each earlier union.
    """
    pairs = sorted(set(atoms))
    found: list[Relation] = []
    for feeling in (ALL, *FEELINGS):
        for ward in new.wards:
            parts = [cell_key(atom_key(older, a, b), feeling) for a, b in pairs if b == ward]
            found.append(Relation(cell_key(ward, feeling), tuple(parts)))
        for ward in older.wards:
            parts = [cell_key(atom_key(older, a, b), feeling) for a, b in pairs if a == ward]
            found.append(Relation(cell_key(older_key(older, ward), feeling), tuple(parts)))
        for union, wards in older.unions.items():
            parts = [cell_key(older_key(older, ward), feeling) for ward in wards]
            found.append(Relation(cell_key(older_key(older, union), feeling), tuple(parts)))
    return [relation for relation in found if relation.parts]
