"""Learn service/moderation/detector/data/weights.json from the labelled corpora; `--left-out` only measures.

Two logistic regressions on the evidence of each text: harm to a person or not, and disclosure or self-harm.
Every second text of detector_second.jsonl (from the second on) is never learnt. Run it after a change of the rules;
never add texts that the detector is judged on.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from service.moderation.detector.contacts import contacts
from service.moderation.detector.detect import note_of
from service.moderation.detector.normal import fold
from service.moderation.detector.weights import WEIGHED, features, names_harm

ROOT = Path(__file__).resolve().parents[1]
CORPORA = ROOT / "tests" / "corpora"
SOURCES = (
    *("detector_seen", "detector_train_b", "detector_train_c", "detector_train_d", "detector_train_e"),
    *("detector_train_f", "detector_train_g"),
    "detector_second",
)  # each by another writer
HALVED = "detector_second"
TARGET = ROOT / "service" / "moderation" / "detector" / "data" / "weights.json"
STRENGTH = 0.2  # C of both regressions
FEWEST = 2  # texts that must hold a piece of evidence before it is weighed
SCALE = 32  # a weight of 1 is kept as 32
MOST = 14_000  # pieces of evidence that are kept, the heaviest first
CUT = -1.1  # chosen on writers that were left out, see docs/detector.md
NAMED = 3.0  # both labels are named where neither leads by more
SENTENCE_CUT = 0.0  # for one sentence of several: less was said, so it must say more
WORD_CUT = -3.0  # for a note with a word that names a harm


@dataclass(frozen=True)
class Text:
    """A text as it is learnt: what it is, and the evidence in it."""

    source: str
    labels: frozenset[str]
    evidence: frozenset[str]
    names_harm: bool


def learnt_rows(source: str) -> list[dict[str, Any]]:
    """Return the rows of a corpus that may be learnt: every second one of the halved corpus."""
    lines = (CORPORA / f"{source}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines[:: 2 if source == HALVED else 1]]


def read_texts() -> list[Text]:
    """Return the evidence of every text that may be learnt."""
    texts = []
    for source in SOURCES:
        for row in learnt_rows(source):
            folded = fold(row["text"])
            note = note_of(folded, [(start, stop) for _, start, stop in contacts(folded.chars)])
            texts.append(Text(source, frozenset(row["labels"]), frozenset(features(note)), names_harm(note.hits)))
    return texts


def _matrix(texts: list[Text], columns: dict[str, int]) -> csr_matrix:
    places = [[columns[name] for name in sorted(text.evidence) if name in columns] for text in texts]
    indices = np.array([place for row in places for place in row], dtype=np.int32)
    starts = np.cumsum([0, *map(len, places)]).astype(np.int32)
    return csr_matrix((np.ones(len(indices)), indices, starts), shape=(len(texts), len(columns)))


def _fit(texts: list[Text], truth: list[bool], columns: dict[str, int]) -> tuple[int, Any]:
    model = LogisticRegression(C=STRENGTH, class_weight="balanced", solver="liblinear", max_iter=500, random_state=0)
    model.fit(_matrix(texts, columns), np.array(truth))
    return round(float(model.intercept_[0]) * SCALE), np.rint(model.coef_[0] * SCALE).astype(int)


def learn(texts: list[Text]) -> tuple[list[int], dict[str, list[int]]]:
    """Return the two starting values and the weights of each piece of evidence."""
    number = Counter(name for text in texts for name in text.evidence)
    columns = {name: n for n, name in enumerate(sorted(name for name, count in number.items() if count >= FEWEST))}
    grave = [text for text in texts if text.labels & set(WEIGHED)]
    one = [text for text in grave if not set(WEIGHED) <= text.labels]
    harm_start, harm = _fit(texts, [bool(text.labels & set(WEIGHED)) for text in texts], columns)
    kind_start, kind = _fit(one, [WEIGHED[0] in text.labels for text in one], columns)
    weights = {name: [int(harm[n]), int(kind[n])] for name, n in columns.items() if harm[n] or kind[n]}
    heaviest = sorted(weights, key=lambda name: (-abs(weights[name][0]) - abs(weights[name][1]) / 2, name))[:MOST]
    return [harm_start, kind_start], {name: weights[name] for name in sorted(heaviest)}


def sums(text: Text, start: list[int], weights: dict[str, list[int]]) -> tuple[float, float]:
    """Return the two sums of a text, as the detector makes them."""
    pairs = [weights[name] for name in text.evidence if name in weights]
    return (start[0] + sum(p[0] for p in pairs)) / SCALE, (start[1] + sum(p[1] for p in pairs)) / SCALE


def left_out(texts: list[Text], *, writers: bool) -> list[tuple[Text, float, float]]:
    """Return the sums of texts that were not learnt: a writer left out at a time, or a fifth of all texts."""
    found = []
    if writers:
        folds = [([t for t in texts if t.source != s], [t for t in texts if t.source == s]) for s in SOURCES]
    else:
        kinds = [f"{text.source}{bool(text.labels & set(WEIGHED))}" for text in texts]
        parts = StratifiedKFold(5, shuffle=True, random_state=0).split(kinds, kinds)
        folds = [([texts[n] for n in a], [texts[n] for n in b]) for a, b in parts]
    for known, unknown in folds:
        start, weights = learn(known)
        found += [(text, *sums(text, start, weights)) for text in unknown]
    return found


def table(found: list[tuple[Text, float, float]], cut: float) -> None:
    """Print recall of both labels and harmless texts flagged, for each writer."""
    for source in SOURCES:
        rows = [row for row in found if row[0].source == source]
        flagged = [(t, kind, harm >= (min(cut, WORD_CUT) if t.names_harm else cut)) for t, harm, kind in rows]
        cells = []
        for label, sign in zip(WEIGHED, (1, -1), strict=True):
            mine = [is_flagged and sign * kind > -NAMED for t, kind, is_flagged in flagged if label in t.labels]
            cells.append(f"{label} {sum(mine)}/{len(mine)} = {sum(mine) / len(mine):.3f}")
        harmless = [is_flagged for t, _, is_flagged in flagged if not t.labels]
        share = sum(harmless) / len(harmless)
        print(f"cut {cut:5.2f} {source:<17} {'  '.join(cells)}  harmless {sum(harmless)}/{len(harmless)} = {share:.3f}")


def main() -> None:
    """Write the weights, or measure them on texts that were left out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--left-out", action="store_true", help="measure only; two tables, several cuts")
    texts = read_texts()
    if parser.parse_args().left_out:
        for writers in (True, False):
            found = left_out(texts, writers=writers)
            print("a writer left out at a time" if writers else "a fifth of all texts left out at a time")
            for cut in (CUT, 0.0, -0.5, -0.8, -1.4):
                table(found, cut)
        return
    start, weights = learn(texts)
    head = {"why": "Learnt by scripts/detector_weights.py; each piece of evidence: harm, and disclosure over self-harm",
            "start": start, "cut": round(CUT * SCALE), "named": round(NAMED * SCALE),
            "word_cut": round(WORD_CUT * SCALE), "sentence_cut": round(SENTENCE_CUT * SCALE)}  # fmt: skip
    lines = ",\n".join(f"{json.dumps(name, ensure_ascii=False)}:[{a},{b}]" for name, (a, b) in weights.items())
    opening = json.dumps(head, separators=(",", ":"))[:-1]
    TARGET.write_text(f'{opening},"weight":{{\n{lines}\n}}}}\n', encoding="utf-8")
    print(f"{len(weights)} pieces of evidence, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
