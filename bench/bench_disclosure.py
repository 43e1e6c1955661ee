"""Releases: the time of the disclosure function beside counting alone. `python bench/bench_disclosure.py`."""

from __future__ import annotations

import random
import time

import pandas as pd

from geo.disclosure import disclose
from geo.disclosure_cells import MARK_COLUMNS, Partition, countable, tally

REASONS = {"safe": [f"s{n}" for n in range(13)], "unsafe": [f"u{n}" for n in range(18)]}
TIMES = ("weekday_day", "after_school", "evening", "night")
# wards, workshops, people in each
SIZES = ((19, 3, 12), (19, 30, 15), (19, 200, 15), (650, 100, 12), (650, 1000, 15))


def marks_of(wards: list[str], workshops: int, people: int, *, seed: int) -> pd.DataFrame:
    """Return one to three marks a person, in wards near the workshop."""
    chance = random.Random(seed)
    rows = []
    for workshop in range(workshops):
        start = chance.randrange(len(wards))
        near = [wards[(start + step) % len(wards)] for step in range(4)]
        for person in range(people):
            for _ in range(chance.randint(1, 3)):
                feeling = chance.choices(("safe", "unsafe", "mixed"), (4, 5, 1))[0]
                reasons = chance.sample(REASONS.get(feeling, ["s0"]), 1)
                where = {"wards": [chance.choice(near)]}
                times = chance.sample(TIMES, chance.randint(0, 2))
                rows.append(
                    (str(person), 1, str(workshop), feeling, times, reasons, where, "count", "approved", "workshop")
                )
    return pd.DataFrame(rows, columns=list(MARK_COLUMNS))


def main() -> None:
    """Print one line a size."""
    print("| wards | workshops | people | marks | cells | shown | programs | s | counting alone, s |")
    print("|---|---|---|---|---|---|---|---|---|")
    for count, workshops, people in SIZES:
        wards = [f"W{n:04}" for n in range(count)]
        unions = {f"U{n:04}": tuple(wards[n : n + 5]) for n in range(0, count, 5)}
        partition = Partition("wards", unions)
        frame = marks_of(wards, workshops, people, seed=count + workshops)
        start = time.perf_counter()
        tally(countable(frame), partition, REASONS)
        counted = time.perf_counter() - start
        start = time.perf_counter()
        made = disclose(frame, partition, reasons=REASONS)
        took = time.perf_counter() - start
        cells = len(made.table)
        line = (count, workshops, workshops * people, len(frame), cells, cells - made.hidden, made.audit.programs)
        print("| " + " | ".join(f"{one:,}" for one in line) + f" | {took:.2f} | {counted:.3f} |", flush=True)


if __name__ == "__main__":
    main()
