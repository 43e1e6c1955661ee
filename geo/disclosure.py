"""The one function that a release passes through: marks in, what the public may know out (D1 to D9, S9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pandas as pd

from geo.columns import OUTSIDE
from geo.disclosure_cells import (
    ALL,
    BOROUGH,
    FEELINGS,
    Partition,
    Reasons,
    Relation,
    Tally,
    atom_key,
    cell_key,
    countable,
    fixed_cells,
    older_key,
    older_relations,
    relations,
    tally,
    tally_older,
)  # fmt: skip
from geo.disclosure_memory import Memory, Older
from geo.errors import DisclosureError
from geo.suppression import Audit, Board, suppress

METHOD: Final = "1"  # raised whenever the same marks could give another table
NEW: Final = "new"
KEPT: Final = "kept"
FEW: Final = "few"
PROTECTS: Final = "protects"
LINES: Final = "lines"


@dataclass(frozen=True, slots=True)
class Rules:
    """Thresholds of a release; settings of the deployment, with the safe defaults of D2.

    Attributes
    ----------
    people_min : int
        Fewest distinct people behind a number, and behind a change of a number.
    workshops_min : int
        Fewest distinct workshops behind either.
    others_min : int
        Fewest people outside the largest workshop behind either: who led that workshop knows all its answers.
    base : int
        Numbers are rounded to the nearest multiple.
    interval_min : int
        Nobody may be able to bound a hidden number to an interval narrower than this [people].
    """

    people_min: int = 10
    workshops_min: int = 2
    others_min: int = 3
    base: int = 5
    interval_min: int = 5

    def __post_init__(self) -> None:
        """Refuse rules that protect nobody."""
        small = self.people_min < 3 or self.workshops_min < 1 or self.others_min < 0  # noqa: PLR2004
        if small or not 1 <= self.base <= self.people_min or not 1 <= self.interval_min < self.people_min:
            message = (
                "Rules of a release: at least 3 people, 1 workshop, a base of at most the threshold of people and an "
                f"interval of less than it; got {self}."
            )
            raise DisclosureError(message)

    def is_enough(self, workshops: Mapping[str, int]) -> bool:
        """Whether these people, by workshop, are enough to speak of; the same for a number and for a change of one."""
        people = sum(workshops.values())
        if people < self.people_min or sum(1 for count in workshops.values() if count) < self.workshops_min:
            return False
        return self.workshops_min == 1 or people - max(workshops.values()) >= self.others_min

    def rounded(self, people: int) -> int:
        """Return the nearest multiple of the base, half up."""
        return self.base * ((2 * people + self.base) // (2 * self.base))

    def stands_for(self, value: int) -> tuple[int, int]:
        """Return the fewest and the most people that a shown number can mean."""
        low = -((self.base - 2 * value) // 2)
        return max(self.people_min, low), (2 * value + self.base + 1) // 2 - 1


@dataclass(frozen=True, slots=True)
class Disclosed:
    """A release as the public may have it, and apart from it what only the next release and staff need.

    Attributes
    ----------
    table : DataFrame, shape (n_cells,)
        Public. ``area``, ``feeling``, ``item``, ``people`` (rounded, missing where hidden) and ``since`` (number of the
        release in which the number was counted), one row for every approved slice whatever the marks say.
    partition : Partition
        Public. The areas spoken of.
    memory : Memory
        Private. What the next release is checked against: counts by workshop.
    why : dict of str to str
        For staff. Cell key -> ``new``, ``kept`` (too few people changed), ``few`` (not enough people yet), ``protects``
        (held back so that another cell cannot be worked out) or ``lines`` (beside earlier ward lines, too few people).
    counts : dict of str to int
        For staff. Distinct people behind each cell.
    audit : Audit
        The attack that the table withstood.
    """

    table: pd.DataFrame
    partition: Partition
    memory: Memory
    why: Mapping[str, str]
    counts: Mapping[str, int]
    audit: Audit

    @property
    def hidden(self) -> int:
        """Cells without a number."""
        return int(self.table["people"].isna().sum())


@dataclass(slots=True)
class _Work:
    """The table while it is being made."""

    rules: Rules
    found: Tally
    keys: list[str]
    memory: Memory
    board: Board = field(default_factory=lambda: Board({}, {}, set()))
    basis: dict[str, dict[str, int]] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)


def disclose(
    marks: Any,
    partition: Partition,
    *,
    reasons: Reasons,
    rules: Rules | None = None,
    number: int = 1,
    memory: Memory | None = None,
) -> Disclosed:
    """Turn marks into the fixed table that the public may have.

    A number is shown where enough distinct people (D1, D2) of enough workshops stand behind it, rounded; a number of
    the release before changes only where enough people of enough workshops changed behind it, since the difference of
    two releases is itself a number about people (D4). Then hidden cells are protected: as long as any can be bounded to
    less than ``rules.interval_min`` people by linear programming over everything public, a new number is taken back
    (D3). No randomness: the same input gives the same table to the digit.

    Parameters
    ----------
    marks : DataFrame, shape (n_marks,)
        With ``contributor``, ``people`` (a group mark speaks for several), ``workshop``, ``feeling``, ``times``,
        ``reasons``, ``areas`` (boundary set -> codes of its areas that the mark touches), ``publish``, ``status`` and
        ``source``; ``kind`` where borders may be among them.
    partition : Partition
        Wards and unions of wards. While the wards stay the same, the unions of the release before are used.
    reasons : mapping of str to iterable of str
        Feeling -> reason codes that the table has a line for.
    rules : Rules, optional
        Thresholds.
    number : int
        Number of this release.
    memory : Memory, optional
        What the release before left; None for the first.

    Returns
    -------
    Disclosed
        Every approved slice, shown or hidden.

    Raises
    ------
    ColumnError
        If a column is missing.
    DisclosureError
        If the table could not be made safe, or the input cannot be counted.

    References
    ----------
    Office for National Statistics. Policy on protecting confidentiality in tables of birth and death statistics; the
    10-5 rule: a threshold of 10 and rounding to the nearest 5.

    Government Statistical Service (2014). GSS/GSR disclosure control guidance for tables produced from administrative
    sources: thresholds, secondary suppression, differencing.

    Hundepool, A. et al. (2012). Statistical Disclosure Control. Wiley: chapter 4, tabular data.

    Examples
    --------
    >>> one = dict(people=1, feeling="unsafe", times=["night"], reasons=["dark"], areas={"wards": ["A"]})
    >>> one |= dict(publish="count", status="approved", source="workshop")
    >>> marks = pd.DataFrame([one | dict(contributor=str(n), workshop=str(n % 3)) for n in range(24)])
    >>> made = disclose(marks, Partition("wards", {"U": ("A", "B")}), reasons={"unsafe": ["dark"]})
    >>> made.table.query("area == 'borough' and feeling == 'unsafe' and item == 'night'")["people"].tolist()
    [25]
    """
    rules = rules or Rules()
    before = (memory or Memory(partition)).moved_to(partition)
    partition = before.partition
    counted = countable(marks)
    work = _Work(rules, tally(counted, partition, reasons), fixed_cells(partition, reasons), before)
    ties = relations(partition, reasons) + _bring_older(work, counted, partition)
    _first_values(work, counted)
    ties = [_guessed(tie, work.found, rules) for tie in ties]
    report = suppress(
        work.board, ties, _protected(work, ties), interval_min=rules.interval_min, bounds=rules.stands_for,
        rank=lambda key: _worth(key, partition, work.found),
    )  # fmt: skip
    if report.narrow and memory is None:
        message = "The table does not withstand its own audit, so nothing is published."
        raise DisclosureError(message)
    return _finish(work, partition, number, report)


def share_percent(people: int | None, base: int | None) -> int | None:
    """Return a percentage, made from two shown numbers only (D2).

    Parameters
    ----------
    people, base : int or None
        Rounded numbers of one release; None where hidden.

    Returns
    -------
    int or None
        None where either is hidden.

    Raises
    ------
    DisclosureError
        If the part is larger than its base.
    """
    if people is None or not base:
        return None
    if people > base:
        message = "A part cannot be larger than its base: these two numbers do not belong together."
        raise DisclosureError(message)
    return (200 * people + base) // (2 * base)


def _first_values(work: _Work, counted: Any) -> None:
    """Give every cell its number by threshold and by what changed since it was last counted."""
    board, memory = work.board, work.memory
    board.former = dict(memory.values)
    blocked = _blocked(work, counted)
    for key in work.keys:
        now, before = work.found.workshops(key), memory.basis.get(key)
        enough = work.rules.is_enough(now)
        changed = before is None or work.rules.is_enough(_difference(now, before))
        work.basis[key] = now if changed or before is None else dict(before)
        if key in blocked or not changed:
            work.why[key] = LINES if key in blocked and key not in board.former else KEPT
            work.basis[key] = now if before is None else dict(before)
            if key in board.former:
                board.values[key] = board.former[key]
            elif key not in blocked:
                work.why[key] = FEW
        elif enough:
            board.values[key] = work.rules.rounded(sum(now.values()))
            board.fresh.add(key)
            work.why[key] = NEW
        else:
            work.why[key] = FEW
    board.former = {key: value for key, value in board.former.items() if work.why.get(key) != FEW}


def _difference(now: Mapping[str, int], before: Mapping[str, int]) -> dict[str, int]:
    """Return by workshop how many people came or went."""
    return {name: abs(now.get(name, 0) - before.get(name, 0)) for name in sorted(now.keys() | before.keys())}


def _bring_older(work: _Work, counted: Any, partition: Partition) -> list[Relation]:
    """Count by earlier ward lines, carry over what is the same people as before, and return what ties old to new."""
    ties: list[Relation] = []
    fixed: dict[str, tuple[int, int]] = {}
    for older in work.memory.older:
        if not older.values or not _is_known(counted, older):
            continue
        tally_older(work.found, counted, older.partition, partition)
        _carry_over(work, older, partition)
        pairs = {
            (old, new)
            for areas in counted["areas"]
            for old in areas.get(older.partition.set_name, ())
            for new in areas.get(partition.set_name, ())
        }
        ties += older_relations(older.partition, partition, pairs)
        fixed |= {_older_name(older, key): work.rules.stands_for(value) for key, value in older.values.items()}
    work.board.fixed = fixed
    return ties


def _is_known(counted: Any, older: Older) -> bool:
    """Whether every mark says where it lies by the earlier lines."""
    return all(older.partition.set_name in areas for areas in counted["areas"])


def _older_name(older: Older, key: str) -> str:
    area, _, rest = key.partition("|")
    return f"{older_key(older.partition, area)}|{rest}"


def _carry_over(work: _Work, older: Older, partition: Partition) -> None:
    """Treat a new area with exactly the people of an earlier one as that one: its number changes by the same rule."""
    memory = work.memory
    olds = {key: _older_name(older, key) for key in older.basis}
    for area in (*partition.unions, *partition.wards):
        for feeling in (ALL, *FEELINGS):
            new = cell_key(area, feeling)
            if new in memory.basis or not work.found.people(new):
                continue
            same = [
                key for key, name in olds.items() if key.split("|")[1] == feeling and not work.found.apart(new, name)
            ]
            if same:
                memory.take_over(new, older, min(same, key=lambda key: (key not in older.values, key)))


def _blocked(work: _Work, counted: Any) -> set[str]:
    """Return new cells that, beside a number of earlier ward lines, would speak of too few people."""
    found: set[str] = set()
    areas = [key for key in work.keys if not key.startswith(f"{BOROUGH}|")]
    for older in work.memory.older:
        if not older.values:
            continue
        if not _is_known(counted, older):
            return set(areas)  # nobody can check against lines that are no longer here
        names = [(key.split("|")[1], _older_name(older, key)) for key in older.values]
        for key in areas:
            feeling = key.split("|")[1]
            for other, name in names:
                if other != feeling or not work.found.meet(key, name):
                    continue
                apart = work.found.apart(key, name)
                if apart and not work.rules.is_enough(apart):
                    found.add(key)
    return found


def _guessed(tie: Relation, found: Tally, rules: Rules) -> Relation:
    """Say whether an attacker who takes the parts to add up is right to within what the interval protects."""
    twice = sum(found.people(part) for part in tie.parts) - found.people(tie.total)
    return replace(tie, adds_up=tie.covers and twice < rules.interval_min)


def _protected(work: _Work, ties: list[Relation]) -> set[str]:
    """Return the cells that must stay uncertain unless shown; pieces of earlier lines where they are few people."""
    fixed = set(work.keys) | {cell_key(OUTSIDE, feeling) for feeling in (ALL, *FEELINGS)}
    pieces = {key for tie in ties for key in (tie.total, *tie.parts)} - fixed
    return fixed | {key for key in pieces if not work.rules.is_enough(work.found.workshops(key))}


def _worth(key: str, partition: Partition, found: Tally) -> tuple[int, bool, int, str]:
    """Return a sort key: small areas first, there all feelings together before each, then few people before many."""
    area, feeling, _ = key.split("|")
    return partition.level(area), feeling != ALL, found.people(key), key


def _finish(work: _Work, partition: Partition, number: int, report: Audit) -> Disclosed:
    values, memory = work.board.values, work.memory
    since = {key: number if key in work.board.fresh else memory.since.get(key, number) for key in values}
    for key in work.keys:
        if work.why[key] == NEW and key not in work.board.fresh:
            work.why[key] = PROTECTS
            if key in memory.basis:
                work.basis[key] = dict(memory.basis[key])
    rows = [
        (*key.split("|"), values.get(key), since.get(key)) for key in work.keys
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["area", "feeling", "item", "people", "since"])
    table = table.astype({"people": "Int64", "since": "Int64"})
    after = Memory(partition, dict(values), since, work.basis, memory.older)
    counts = {key: work.found.people(key) for key in work.keys}
    return Disclosed(table, partition, after, work.why, counts, report)


__all__ = ["METHOD", "Disclosed", "Memory", "Partition", "Rules", "atom_key", "disclose", "share_percent"]
