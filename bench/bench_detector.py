"""The safeguarding detector on labelled corpora: recall and precision with intervals, harmless texts flagged, time.

Run: python bench/bench_detector.py [corpus.jsonl ...]. Each line of a corpus is
{"id": ..., "text": ..., "labels": [...]}; no labels means harmless.
Without arguments: the seen corpus, on which the rules and weights were made.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # it works without an installed project too

from service.moderation.detector import LABELS, detect  # noqa: E402  the path must be set first

SEEN = ROOT / "tests" / "corpora" / "detector_seen.jsonl"
Z_95 = 1.959964


@dataclass(frozen=True)
class Row:
    id: str
    text: str
    labels: frozenset[str]
    found: frozenset[str]
    ms: float


def wilson(hits: int, of: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927); 0 to 1 where nothing was counted."""
    if of == 0:
        return 0.0, 1.0
    share, z2 = hits / of, Z_95**2
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = Z_95 / (1 + z2 / of) * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return middle - half, middle + half


def measure(path: Path) -> list[Row]:
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        given = json.loads(line)
        labels = frozenset(given["labels"])
        if unknown := labels - LABELS.keys():
            raise SystemExit(f"{path}:{number}: unknown labels {sorted(unknown)}; known are {sorted(LABELS)}")
        start = time.process_time()  # not the clock on the wall: other work on the machine says nothing about this
        found = detect(given["text"])
        ms = (time.process_time() - start) * 1000
        rows.append(Row(str(given["id"]), given["text"], labels, frozenset(one.label for one in found), ms))
    return rows


def cell(hits: int, of: int) -> str:
    low, high = wilson(hits, of)
    return f"{hits / of:.3f} [{low:.3f}, {high:.3f}] {hits}/{of}" if of else "none"


def table(rows: list[Row]) -> list[str]:
    lines = [f"{'label':<11} {'n':>4}  {'recall [95 %]':<32} {'precision [95 %]':<32}"]
    for label in LABELS:
        have = [row for row in rows if label in row.labels]
        flagged = [row for row in rows if label in row.found]
        both = sum(label in row.found for row in have)
        lines.append(f"{label:<11} {len(have):>4}  {cell(both, len(have)):<32} {cell(both, len(flagged)):<32}")
    harmless = [row for row in rows if not row.labels]
    lines.append(f"harmless texts with any flag: {cell(sum(bool(row.found) for row in harmless), len(harmless))}")
    urgent = {"disclosure", "self_harm"}
    lines.append(f"harmless texts put first:     {cell(sum(bool(r.found & urgent) for r in harmless), len(harmless))}")
    grave = [row for row in rows if row.labels & urgent]
    lines.append(
        f"grave texts put first, by either label: {cell(sum(bool(r.found & urgent) for r in grave), len(grave))}"
    )
    times = sorted(row.ms for row in rows)
    most = times[int(len(times) * 0.95)]
    lines.append(
        f"ms of processor time a text: median {statistics.median(times):.2f}, 95 % {most:.2f}, most {times[-1]:.2f}"
    )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", nargs="*", type=Path, default=[SEEN])
    parser.add_argument("--wrong", action="store_true", help="also list the texts that were missed or flagged wrongly")
    options = parser.parse_args()
    detect("The rules are read once; that is not timed.")
    for path in options.corpora:
        rows = measure(path)
        print(
            f"\n{path.name}: {len(rows)} texts" + (" (seen: rules and weights were made on it)" if path == SEEN else "")
        )
        print("\n".join(table(rows)))
        if options.wrong:
            for row in rows:
                for label in sorted(row.labels ^ row.found):
                    print(f"{'missed' if label in row.labels else 'extra '} {label:<11} {row.id}: {row.text}")


if __name__ == "__main__":
    main()
