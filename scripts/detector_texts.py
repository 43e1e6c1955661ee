"""The labelled texts that the detector may learn, and which writers are left out together when it is measured.

Every second text of detector_second.jsonl (from the second on) is never learnt, and nothing of detector_unseen.jsonl:
never add texts that the detector is judged on.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

CORPORA: Final = Path(__file__).resolve().parents[1] / "tests" / "corpora"
HALVED: Final = "detector_second"
SOURCES: Final = (
    *("detector_seen", "detector_train_b", "detector_train_c", "detector_train_d", "detector_train_e"),
    *("detector_train_f", "detector_train_g", "detector_train_h", "detector_train_i"),
    HALVED,
)  # each by another writer, but for the last two of the "train" ones, which are by one
FOLDS: Final = (
    {"detector_train_b", "detector_train_g"},
    {"detector_train_c", HALVED},
    {"detector_train_d", "detector_train_h", "detector_train_i"},
    {"detector_train_e", "detector_train_f"},
    {"detector_seen"},
)


def learnt_rows(source: str) -> list[dict[str, Any]]:
    """Return the rows of a corpus that may be learnt: every second one of the halved corpus."""
    lines = (CORPORA / f"{source}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines[:: 2 if source == HALVED else 1]]
