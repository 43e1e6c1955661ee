"""Complementary suppression by linear programming: no hidden cell may follow from what is shown, nor nearly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import linprog

from geo.disclosure_cells import Relation
from geo.errors import DisclosureError

FloatArray = npt.NDArray[np.float64]
Bounds = Mapping[str, tuple[int, int]]

SLACK: Final = 1e-6  # people: what a solver may be off by
UNBOUNDED: Final = 1e6  # people: stands for "any number"
DISBELIEF: Final = 1e4  # price of disbelieving a shown number, so much above one person in two parts
REST: Final = "rest of "


@dataclass(slots=True)
class Audit:
    """What an attacker can work out from everything that is public.

    Attributes
    ----------
    narrow : dict of str to Relation or None
        Protected cells that can be bounded to an interval narrower than wanted, in order of keys, with the one total
        that gives each away; None where it takes several together.
    checked : int
        Protected cells looked at, the sums of hidden cells included.
    programs : int
        Linear programs solved.
    """

    narrow: dict[str, Relation | None] = field(default_factory=dict)
    checked: int = 0
    programs: int = 0


def audit(shown: Bounds, relations: Sequence[Relation], protected: Iterable[str], *, interval_min: int) -> Audit:
    """Attack a table: bound every protected cell as narrowly as what is public allows.

    The attacker knows the table's relations, the rounding and the thresholds. Where few people are in two parts of a
    total (``Relation.adds_up``) the attacker guesses so, rightly, and takes the parts to add up exactly; elsewhere the
    guess would be wrong by more than the interval protects. No shown number is taken to be out of date unless the
    numbers contradict each other. Both beliefs only narrow the intervals. Beside the whole table each total that adds
    up is also attacked on its own.

    Parameters
    ----------
    shown : mapping of str to (int, int)
        Key -> least and most people that a public number stands for.
    relations : sequence of Relation
        What ties cells together.
    protected : iterable of str
        Keys that must stay uncertain; keys with a shown number are skipped.
    interval_min : int
        Fewest people between the lowest and the highest possible value.

    Returns
    -------
    Audit
        Empty ``narrow`` where the table is safe.

    Raises
    ------
    DisclosureError
        If the solver gives up, so that nothing is known.

    References
    ----------
    Fischetti, M. and Salazar, J. J. (2001). Solving the cell suppression problem on tabular data with linear
    constraints. Management Science 47(7), 1008-1027: the attacker's two programs for each cell.

    Cox, L. H. (1980). Suppression methodology and statistical disclosure control. Journal of the American Statistical
    Association 75(370), 377-385.
    """
    tied = [*relations, *_rests(shown, relations)]
    names = {relation.total for relation in tied if relation.total.startswith(REST)}
    targets = sorted(({*protected} - set(shown)) | names)
    narrow = _narrow_alone(shown, tied, set(targets), interval_min)
    report = Audit(checked=len(targets))
    attacker = _Attacker(shown, tied)
    together = attacker.bound([key for key in targets if key in attacker.index and key not in narrow], interval_min)
    report.narrow = {key: narrow.get(key) for key in sorted(narrow.keys() | together)}
    report.programs = attacker.programs
    return report


@dataclass(slots=True)
class Board:
    """The table while it is being made.

    Attributes
    ----------
    values : dict of str to int
        Shown numbers, rounded.
    former : dict of str to int
        Numbers of the release before, which everybody has.
    fresh : set of str
        Keys whose number is new in this release: only these may still be taken back.
    fixed : dict of str to (int, int)
        Bounds of numbers that were published of earlier ward lines and cannot be taken back.
    """

    values: dict[str, int]
    former: Mapping[str, int]
    fresh: set[str]
    fixed: Bounds = field(default_factory=dict)

    def take_back(self, key: str) -> None:
        """Show the former number again, or none: either way nothing that is not public already."""
        self.fresh.discard(key)
        if key in self.former:
            self.values[key] = self.former[key]
        else:
            self.values.pop(key, None)


def suppress(
    board: Board,
    relations: Sequence[Relation],
    protected: Iterable[str],
    *,
    interval_min: int,
    bounds: Callable[[int], tuple[int, int]],
    rank: Callable[[str], Any],
) -> Audit:
    """Take back new numbers until the table passes its own audit.

    Parameters
    ----------
    board : Board
        Changed in place.
    relations : sequence of Relation
        What ties cells together.
    protected : iterable of str
        Keys that must stay uncertain where they are not shown.
    interval_min : int
        As for ``audit``.
    bounds : callable
        Shown number -> least and most people it stands for.
    rank : callable
        Key -> sort key; what is worth least comes first and is taken back first.

    Returns
    -------
    Audit
        The last one. ``narrow`` is empty, or names cells about which this release says nothing that was not public.
    """
    home: dict[str, list[Relation]] = {}
    for relation in relations:
        for key in (relation.total, *relation.parts) if relation.covers else ():
            home.setdefault(key, []).append(relation)
    wanted = set(protected)
    while True:
        _agree(board, relations, rank)
        shown = {**board.fixed, **{key: bounds(value) for key, value in board.values.items()}}
        report = audit(shown, relations, wanted, interval_min=interval_min)
        chosen: set[str | None] = set()
        for key, tie in report.narrow.items():
            here = {tie.total, *tie.parts} & board.fresh if tie else set()
            if not here & chosen:  # one number taken back may protect all that hang on the same total
                chosen.add(min(here, key=rank) if here else _nearest(key, home, board.fresh, rank))
        if not chosen - {None}:
            return report
        for found in chosen:
            if found is not None:
                board.take_back(found)


def _agree(board: Board, relations: Sequence[Relation], rank: Callable[[str], Any]) -> None:
    """Take back new numbers that make a part larger than its total: one of the two is older than the other."""
    again = True
    while again:
        again = False
        for relation in relations:
            total = board.values.get(relation.total)
            for part in relation.parts:
                if total is None or board.values.get(part, 0) <= total:
                    continue
                new = [key for key in (part, relation.total) if key in board.fresh]
                again = bool(new)
                if new:
                    board.take_back(min(new, key=rank))
                    break


def _nearest(key: str, home: Mapping[str, list[Relation]], fresh: set[str], rank: Callable[[str], Any]) -> str | None:
    """Return the new number worth least among those nearest to a cell that can be worked out."""
    ring = {key.removeprefix(REST)}
    seen: set[str] = set()
    while ring:
        near = {name for one in ring for tie in home.get(one, ()) for name in (tie.total, *tie.parts)} | ring
        found = near & fresh
        if found:
            return min(found, key=rank)
        seen |= ring
        ring = near - seen
    return None


def _rests(shown: Bounds, relations: Sequence[Relation]) -> list[Relation]:
    """Return the hidden parts of each shown total taken together: they must not be known as a whole either."""
    found = []
    for relation in relations:
        hidden = tuple(part for part in relation.parts if part not in shown)
        if relation.covers and relation.total in shown and 1 < len(hidden) < len(relation.parts):
            name = REST + relation.total
            known = tuple(part for part in relation.parts if part in shown)
            found += [
                Relation(name, hidden, adds_up=relation.adds_up),
                Relation(relation.total, (*known, name), adds_up=relation.adds_up),
            ]
    return found


def _narrow_alone(
    shown: Bounds, relations: Sequence[Relation], targets: set[str], interval_min: int
) -> dict[str, Relation]:
    """Attack each total on its own, its parts taken to add up exactly wherever they can."""
    narrow: dict[str, Relation] = {}
    for relation in relations:
        if not relation.covers or not relation.adds_up or relation.total not in shown:
            continue
        hidden = [part for part in relation.parts if part not in shown]
        lows = sum(shown[part][0] for part in relation.parts if part in shown)
        highs = sum(shown[part][1] for part in relation.parts if part in shown)
        most = shown[relation.total][1] - lows
        least = max(0, shown[relation.total][0] - highs) if len(hidden) == 1 else 0
        if most >= 0 and most - least < interval_min:
            narrow |= {part: relation for part in hidden if part in targets}
    return narrow


def _zeros(beside: Any, columns: int) -> Any:
    return sparse.csr_array((beside.shape[0], columns))


class _Attacker:
    """The linear programs of one table."""

    def __init__(self, shown: Bounds, relations: Sequence[Relation]) -> None:
        self.relations = [relation for relation in relations if relation.parts]
        keys = {key for relation in self.relations for key in (relation.total, *relation.parts)}
        self.index = {key: position for position, key in enumerate(sorted(keys))}
        self.programs = 0
        self.low = np.zeros(len(self.index))
        self.high = np.full(len(self.index), UNBOUNDED)
        for key, (low, high) in shown.items():
            if key in self.index:
                self.low[self.index[key]], self.high[self.index[key]] = low, high
        self.inside = self._inside()
        covering = [relation for relation in self.relations if relation.covers]
        self.cover = self._cover(covering)
        self.adds_up = np.array([relation.adds_up for relation in covering], dtype=bool)
        if len(self.index):
            self._believe()
        self.rows = sparse.vstack([self.inside, self.cover[~self.adds_up]], format="csr")
        self.equal = self.cover[self.adds_up]

    def _inside(self) -> Any:
        """Rows of ``part - total <= 0``."""
        pairs = [(self.index[part], self.index[tie.total]) for tie in self.relations for part in tie.parts]
        rows = np.repeat(np.arange(len(pairs)), 2)
        columns = np.array(pairs, dtype=np.intp).reshape(-1)
        data = np.tile([1.0, -1.0], len(pairs))
        return sparse.csr_array((data, (rows, columns)), shape=(len(pairs), len(self.index)))

    def _cover(self, covering: Sequence[Relation]) -> Any:
        """Rows of ``total - sum(parts) <= 0``."""
        rows, columns, data = [], [], []
        for row, tie in enumerate(covering):
            rows += [row] * (1 + len(tie.parts))
            columns += [self.index[tie.total], *(self.index[part] for part in tie.parts)]
            data += [1.0] + [-1.0] * len(tie.parts)
        return sparse.csr_array((data, (rows, columns)), shape=(len(covering), len(self.index)))

    def _believe(self) -> None:
        """Find the simplest story: parts add up where the attacker guesses so, and no shown number contradicts it."""
        cells, ties = len(self.index), self.cover.shape[0]
        known = np.flatnonzero(self.high < UNBOUNDED)
        pick = sparse.csr_array((np.ones(len(known)), (np.arange(len(known)), known)), shape=(len(known), cells))
        off = sparse.eye_array(len(known), format="csr")
        rows = sparse.block_array(
            [
                [self.inside, _zeros(self.inside, ties), _zeros(self.inside, len(known))],
                [pick, None, -off],
                [-pick, None, -off],
            ],
            format="csr",
        )  # fmt: skip
        limits = np.concatenate([np.zeros(self.inside.shape[0]), self.high[known], -self.low[known]])
        equal = sparse.hstack(
            [self.cover, sparse.eye_array(ties, format="csr"), sparse.csr_array((ties, len(known)))], format="csr"
        )
        cost = np.concatenate([np.zeros(cells), self.adds_up.astype(float), np.full(len(known), DISBELIEF)])
        ceiling = np.full(len(cost), UNBOUNDED)
        found = self._solve(
            cost, (rows, limits), (equal, np.zeros(ties)), np.column_stack([np.zeros(len(cost)), ceiling])
        )
        self.adds_up &= found[cells : cells + ties] < SLACK
        doubted = known[found[cells + ties :] > SLACK]
        self.low[doubted], self.high[doubted] = 0.0, UNBOUNDED

    def _solve(self, cost: FloatArray, upper: Any, equal: Any, box: FloatArray) -> FloatArray:
        self.programs += 1
        answer = linprog(cost, A_ub=upper[0], b_ub=upper[1], A_eq=equal[0], b_eq=equal[1], bounds=box, method="highs")
        if answer.status != 0:
            message = f"The audit could not be computed ({answer.message}), so nothing may be published."
            raise DisclosureError(message)
        return np.asarray(answer.x, dtype=np.float64)

    def bound(self, targets: Sequence[str], interval_min: int) -> set[str]:
        """Return the targets whose lowest and highest possible values lie closer than wanted.

        One solution bounds every cell from inside: a cell whose values in two solutions lie far enough apart needs no
        program of its own. So all are driven apart together, each no further than wanted; where that helps none of them
        the halves are, down to a single cell with its two programs.
        """
        ends = np.vstack([np.full(len(self.index), np.inf), np.full(len(self.index), -np.inf)])
        heaps, narrow = [list(targets)], set()
        while heaps:
            keys = heaps.pop()
            left = [key for key in keys if not self._is_wide(key, ends, interval_min)]
            if not left:
                continue
            self._drive(left, ends, None)
            self._drive(left, ends, interval_min if len(left) > 1 else int(UNBOUNDED))
            still = [key for key in left if not self._is_wide(key, ends, interval_min)]
            if len(left) == 1:
                narrow |= set(still)
            elif len(still) < len(left):
                heaps.append(still)
            else:
                heaps += [still[len(still) // 2 :], still[: len(still) // 2]]
        return narrow

    def _drive(self, keys: Sequence[str], ends: FloatArray, goal: int | None) -> None:
        """Look for low values of some cells, or for values up to ``goal`` people above the lowest seen."""
        cells, extra = len(self.index), len(keys) if goal is not None else 0
        positions = np.array([self.index[key] for key in keys], dtype=np.intp)
        rows, equal = self.rows, self.equal
        box = np.column_stack([self.low, self.high])
        cost = np.zeros(cells + extra)
        if goal is None:
            cost[positions] = 1.0
        else:  # a gain that stops counting at the goal spreads people over all cells instead of heaping them in one
            cost[cells:] = -1.0
            pick = sparse.csr_array((np.ones(extra), (np.arange(extra), positions)), shape=(extra, cells))
            gain = sparse.hstack([-pick, sparse.eye_array(extra)], format="csr")
            rows = sparse.vstack([sparse.hstack([rows, _zeros(rows, extra)]), gain], format="csr")
            equal = sparse.hstack([equal, _zeros(equal, extra)], format="csr")
            most = np.minimum(np.ceil(ends[0, positions] - SLACK) + goal, UNBOUNDED)
            box = np.vstack([box, np.column_stack([np.zeros(extra), most])])
        found = self._solve(cost, (rows, np.zeros(rows.shape[0])), (equal, np.zeros(equal.shape[0])), box)[:cells]
        np.minimum(ends[0], found, out=ends[0])
        np.maximum(ends[1], found, out=ends[1])

    def _is_wide(self, key: str, ends: FloatArray, interval_min: int) -> bool:
        """Whether whole numbers of people that far apart are possible."""
        low, high = ends[:, self.index[key]]
        return bool(np.floor(high + SLACK) - np.ceil(low - SLACK) >= interval_min)
