"""Marks for tests of releases: one row a mark, as the disclosure function takes them."""

from __future__ import annotations

import random
from typing import Any

import pandas as pd

from geo.disclosure_cells import MARK_COLUMNS, Partition

REASONS = {"unsafe": ("lighting", "staff"), "safe": ("lighting", "staff")}
UNIONS = {"north": ("A", "B", "C"), "south": ("D", "E")}
PARTITION = Partition("wards", UNIONS)
TIMES = ("weekday_day", "after_school", "evening", "night")


def mark(workshop: str, contributor: str, ward: str = "A", feeling: str = "unsafe", **values: Any) -> dict[str, Any]:
    """Return an approved, countable mark of one person."""
    row = {
        "contributor": contributor, "people": 1, "workshop": workshop, "feeling": feeling, "times": ["night"],
        "reasons": ["lighting"], "areas": {"wards": [ward]}, "publish": "count", "status": "approved",
        "source": "workshop",
    }  # fmt: skip
    return row | values


def frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the rows as a frame with every column, empty or not."""
    return pd.DataFrame(rows, columns=list(MARK_COLUMNS))


def people(workshop: str, count: int, ward: str = "A", feeling: str = "unsafe", **values: Any) -> list[dict[str, Any]]:
    """Return one mark each of ``count`` people of a workshop."""
    start = values.pop("start", 0)
    return [mark(workshop, f"p{n}", ward, feeling, **values) for n in range(start, start + count)]


def random_marks(seed: int, *, workshops: int, size: int, most: int, label: str = "w") -> list[dict[str, Any]]:
    """Return marks of random workshops: each person marks one to ``most`` places, near where the workshop is."""
    chance = random.Random(seed)
    rows = []
    wards = list(PARTITION.wards)
    for number in range(workshops):
        near = chance.sample(wards, 3)
        for person in range(chance.randint(max(1, size // 2), size)):
            for _ in range(chance.randint(1, most)):
                rows.append(
                    mark(
                        f"{label}{number}", f"p{person}", chance.choice(near),
                        chance.choices(("safe", "unsafe", "mixed"), (4, 6, 1))[0],
                        times=chance.sample(TIMES, chance.randint(0, 2)),
                        reasons=chance.sample(("lighting", "staff"), chance.randint(0, 2)),
                    )
                )  # fmt: skip
    return rows
