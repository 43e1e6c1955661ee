"""What a release remembers for the next one: private, counts by workshop and no contributor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from geo.disclosure_cells import BOROUGH, Partition
from geo.errors import DisclosureError


@dataclass(frozen=True, slots=True)
class Older:
    """Numbers that were published of earlier ward lines, which nobody can take back.

    Attributes
    ----------
    partition : Partition
        Those wards and unions.
    values, since, basis
        As in ``Memory``, for areas only.
    """

    partition: Partition
    values: Mapping[str, int]
    since: Mapping[str, int]
    basis: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Memory:
    """What the next release is checked against.

    Attributes
    ----------
    partition : Partition
        Areas of the release.
    values : dict of str to int
        Cell key -> number that the public has.
    since : dict of str to int
        Cell key -> release in which that number was counted.
    basis : dict of str to dict
        Cell key -> workshop -> people when the cell was last counted, hidden cells too.
    older : tuple of Older
        Numbers of earlier ward lines, latest first.
    """

    partition: Partition
    values: Mapping[str, int] = field(default_factory=dict)
    since: dict[str, int] = field(default_factory=dict)
    basis: dict[str, dict[str, int]] = field(default_factory=dict)
    older: tuple[Older, ...] = ()

    def moved_to(self, partition: Partition) -> Memory:
        """Return a copy for the partition of the next release.

        Parameters
        ----------
        partition : Partition
            With the same wards this memory's own unions stay: other unions of the same wards would be one more way to
            subtract. With other wards all numbers of areas become ``older``.

        Returns
        -------
        Memory
            This one is not changed.
        """
        same = partition.set_name == self.partition.set_name
        if same and set(partition.wards) == set(self.partition.wards):
            return replace(self, values=dict(self.values), since=dict(self.since), basis=dict(self.basis))
        if same and self.values:
            message = "A boundary set keeps its wards: give the new wards a set name of their own."
            raise DisclosureError(message)
        past = Older(self.partition, *(_split(part)[1] for part in (self.values, self.since, self.basis)))
        older = tuple(one for one in (past, *self.older) if one.basis)
        values, since, basis = (_split(part)[0] for part in (self.values, self.since, self.basis))
        return Memory(partition, values, since, basis, older)

    def take_over(self, key: str, older: Older, from_key: str) -> None:
        """Give a cell of today what is remembered of a cell of earlier lines."""
        self.basis[key] = dict(older.basis[from_key])
        if from_key in older.values:
            self.since[key] = older.since[from_key]
            self.values[key] = older.values[from_key]  # type: ignore[index]  # made by moved_to, a dict of its own

    def to_json(self) -> dict[str, Any]:
        """Return the memory as what JSON can hold."""
        return {
            "partition": _partition_out(self.partition),
            "values": dict(self.values),
            "since": self.since,
            "basis": self.basis,
            "older": [
                {
                    "partition": _partition_out(one.partition),
                    "values": dict(one.values),
                    "since": dict(one.since),
                    "basis": {key: dict(counts) for key, counts in one.basis.items()},
                }
                for one in self.older
            ],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Memory:
        """Return the memory that ``to_json`` wrote.

        Raises
        ------
        DisclosureError
            If it is something else.
        """
        try:
            older = tuple(
                Older(_partition_in(one["partition"]), one["values"], one["since"], one["basis"])
                for one in stored["older"]
            )
            return cls(_partition_in(stored["partition"]), stored["values"], stored["since"], stored["basis"], older)
        except (KeyError, TypeError, AttributeError) as error:
            message = "This is not the memory of a release."
            raise DisclosureError(message) from error


def _split(part: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what is about the borough and what is about areas."""
    borough = {key: value for key, value in part.items() if key.startswith(f"{BOROUGH}|")}
    return borough, {key: value for key, value in part.items() if key not in borough}


def _partition_out(partition: Partition) -> dict[str, Any]:
    return {"set_name": partition.set_name, "unions": {code: list(wards) for code, wards in partition.unions.items()}}


def _partition_in(stored: Mapping[str, Any]) -> Partition:
    return Partition(stored["set_name"], {code: tuple(wards) for code, wards in stored["unions"].items()})
