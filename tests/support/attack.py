"""An attacker who shares no code with ``geo``: whole numbers of people, branch and bound, everything public."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import Bounds, LinearConstraint, milp

MANY = 10_000
FEELINGS = ("safe", "unsafe", "mixed")


def known_range(value: int) -> tuple[int, int]:
    """Return what a published number can mean where numbers of 10 and more are rounded to the nearest 5."""
    return max(10, math.ceil(value - 2.5)), math.ceil(value + 2.5) - 1


def ties_of(unions: dict[str, tuple[str, ...]]) -> list[tuple[str, list[str]]]:
    """Return each total of areas by feeling with its parts, from what the publication says of itself."""
    wards = [ward for members in unions.values() for ward in members]
    found = []
    for feeling in ("all", *FEELINGS):
        found.append((f"borough|{feeling}|", [f"{area}|{feeling}|" for area in (*unions, "elsewhere")]))
        found += [(f"{union}|{feeling}|", [f"{ward}|{feeling}|" for ward in unions[union]]) for union in unions]
    for area in ("borough", "elsewhere", *unions, *wards):
        found.append((f"{area}|all|", [f"{area}|{feeling}|" for feeling in FEELINGS]))
    for time in ("day", "night"):
        found.append((f"borough|all|{time}", [f"borough|{feeling}|{time}" for feeling in FEELINGS]))
    return found


def shown_of(table: pd.DataFrame) -> dict[str, int]:
    """Return the published numbers by key."""
    rows = table[table["people"].notna()]
    return {f"{row.area}|{row.feeling}|{row.item}": int(row.people) for row in rows.itertuples(index=False)}


class Attacker:
    """Bounds hidden numbers from published ones; ``exact`` takes every total as the sum of its parts."""

    def __init__(self, shown: dict[str, int], ties: list[tuple[str, list[str]]], *, exact: bool) -> None:
        keys = sorted({key for total, parts in ties for key in (total, *parts)} | set(shown))
        self.at = {key: position for position, key in enumerate(keys)}
        low, high = np.zeros(len(keys)), np.full(len(keys), float(MANY))
        for key, value in shown.items():
            low[self.at[key]], high[self.at[key]] = known_range(value)
        self.bounds = Bounds(low, high)
        rows, floors, ceilings = [], [], []
        for total, parts in ties:
            row = np.zeros(len(keys))
            row[[self.at[part] for part in parts]] = 1
            row[self.at[total]] = -1
            rows.append(row)
            floors.append(0.0)
            ceilings.append(0.0 if exact else np.inf)
            for part in parts:
                inside = np.zeros(len(keys))
                inside[self.at[part]], inside[self.at[total]] = 1, -1
                rows.append(inside)
                floors.append(-np.inf)
                ceilings.append(0.0)
        self.rows = LinearConstraint(np.array(rows), floors, ceilings)

    def extreme(self, key: str, sign: int) -> int | None:
        """Return the lowest (1) or highest (-1) possible value; None where nothing fits."""
        cost = np.zeros(len(self.at))
        cost[self.at[key]] = sign
        answer: Any = milp(cost, constraints=self.rows, bounds=self.bounds, integrality=np.ones(len(self.at)))
        return None if answer.x is None else round(float(answer.x[self.at[key]]))

    def is_possible(self) -> bool:
        """Whether any table at all fits what is published."""
        return self.extreme(next(iter(self.at)), 1) is not None

    def interval(self, key: str) -> tuple[int, int]:
        """Return what a hidden number can be."""
        low, high = self.extreme(key, 1), self.extreme(key, -1)
        assert low is not None
        assert high is not None
        return low, high


def narrowest(table: pd.DataFrame, unions: dict[str, tuple[str, ...]], *, one_mark: bool) -> tuple[int, str]:
    """Return the narrowest interval of any hidden cell; ``one_mark``: nobody marked twice, which is known."""
    shown, ties = shown_of(table), ties_of(unions)
    hidden = sorted({key for total, parts in ties for key in (total, *parts)} - set(shown))
    best = (MANY, "")
    for exact in (False, True) if one_mark else (False,):
        attacker = Attacker(shown, ties, exact=exact)
        assert attacker.is_possible(), "the truth itself must fit what was published"
        for key in hidden:
            low, high = attacker.interval(key)
            best = min(best, (high - low, key))
    return best
