"""Learn weights.json of the detector from the labelled corpora; `--left-out F` only measures.

Two logistic regressions: harm to a person or not, and disclosure or self-harm. Each sees the evidence of a text. What
the language model says of a text (scripts/detector_encoder.py) is added afterwards, so that neither learns from sums
that the other made of its own texts; F holds what it says of texts whose writers were left out.
Run it after a change of the rules.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from scripts.detector_texts import FOLDS, SOURCES, learnt_rows
from service.moderation.detector.contacts import contacts
from service.moderation.detector.detect import note_of
from service.moderation.detector.evidence import LETTERS_OF, WEIGHED, features
from service.moderation.detector.normal import fold
from service.moderation.detector.weights import names_harm

TARGET = Path(__file__).resolve().parents[1] / "service" / "moderation" / "detector" / "data" / "weights.json"
STRENGTH = 0.4  # C of both regressions
FEWEST = 2  # texts that must hold a piece of evidence before it is weighed
LETTERS = 0.3  # letters in a row count so much less than a word: there are many of them in each
SCALE = 32  # a weight of 1 is kept as 32
MOST = 24_000  # pieces of evidence that are kept, the heaviest first
HEARD = 1.0  # how much the language model counts beside the evidence
MOST_HEARD = 2.0  # and at most, for harm: where the evidence is further below the cut, the model is not asked
CUT = -1.8  # chosen on writers that were left out, see docs/detector.md
NAMED = 9.0  # both labels are named where neither leads by more
SENTENCE_CUT = 0.0  # for one sentence of several: less was said, so it must say more
WORD_CUT = -4.0  # for a note with a word that names a harm


@dataclass(frozen=True)
class Text:
    """A text as it is learnt: what it is, and the evidence in it."""

    source: str
    labels: frozenset[str]
    evidence: frozenset[str]
    names_harm: bool


@dataclass(frozen=True)
class Learnt:
    """Two starting values, and the weights of each piece of evidence."""

    start: list[int]
    weights: dict[str, list[int]]


def read_texts() -> list[Text]:
    """Return the evidence of every text that may be learnt."""
    texts = []
    for source in SOURCES:
        for row in learnt_rows(source):
            folded = fold(row["text"])
            note = note_of(folded, [(start, stop) for _, start, stop in contacts(folded.chars)])
            texts.append(Text(source, frozenset(row["labels"]), frozenset(features(note)), names_harm(note.hits)))
    return texts


def _factor(name: str) -> float:
    return LETTERS if name.startswith(LETTERS_OF) else 1.0


def _matrix(texts: list[Text], columns: dict[str, int]) -> csr_matrix:
    places = [[columns[name] for name in sorted(text.evidence) if name in columns] for text in texts]
    values = np.array([_factor(name) for name in columns])
    indices = np.array([place for row in places for place in row], dtype=np.int32)
    starts = np.cumsum([0, *map(len, places)]).astype(np.int32)
    return csr_matrix((values[indices], indices, starts), shape=(len(texts), len(columns)))


def _fit(matrix: csr_matrix, truth: list[bool]) -> tuple[int, Any]:
    model = LogisticRegression(C=STRENGTH, class_weight="balanced", solver="liblinear", max_iter=500, random_state=0)
    model.fit(matrix, np.array(truth))
    return round(float(model.intercept_[0]) * SCALE), model.coef_[0] * SCALE


def learn(texts: list[Text]) -> Learnt:
    """Return what the texts teach."""
    number = Counter(name for text in texts for name in text.evidence)
    columns = {name: n for n, name in enumerate(sorted(name for name, count in number.items() if count >= FEWEST))}
    matrix = _matrix(texts, columns)
    harm_start, harm = _fit(matrix, [bool(text.labels & set(WEIGHED)) for text in texts])
    is_one = np.array([len(text.labels & set(WEIGHED)) == 1 for text in texts])
    truth = [WEIGHED[0] in text.labels for text, chosen in zip(texts, is_one, strict=True) if chosen]
    kind_start, kind = _fit(matrix[is_one], truth)
    pairs = {name: [round(harm[n] * _factor(name)), round(kind[n] * _factor(name))] for name, n in columns.items()}
    heaviest = sorted(pairs, key=lambda name: (-abs(pairs[name][0]) - abs(pairs[name][1]) / 2, name))[:MOST]
    weights = {name: pairs[name] for name in sorted(heaviest) if any(pairs[name])}
    return Learnt([harm_start, kind_start], weights)


def sums(text: Text, learnt: Learnt) -> tuple[float, float]:
    """Return the two sums of a text, as the detector makes them."""
    pairs = [learnt.start, *(learnt.weights[name] for name in text.evidence if name in learnt.weights)]
    return sum(pair[0] for pair in pairs) / SCALE, sum(pair[1] for pair in pairs) / SCALE


def left_out(texts: list[Text], odds: Any) -> list[tuple[Text, float, float]]:
    """Return both sums of every text, learnt without its writer; log odds of the language model likewise."""
    harm, kind = np.zeros(len(texts)), np.zeros(len(texts))
    for writers in FOLDS:
        learnt = learn([text for text in texts if text.source not in writers])
        for n, text in enumerate(texts):
            if text.source in writers:
                harm[n], kind[n] = sums(text, learnt)
    harm += np.minimum(odds[:, 0] * HEARD, MOST_HEARD)
    kind += (odds[:, 1] - odds[:, 2]) * HEARD
    return list(zip(texts, harm.tolist(), kind.tolist(), strict=True))


def table(found: list[tuple[Text, float, float]], cut: float) -> None:
    """Print recall of both labels and harmless texts flagged, for each writer."""
    for source in (*SOURCES, ""):
        rows = [row for row in found if row[0].source == source or not source]
        flagged = [(t, kind, harm >= (min(cut, WORD_CUT) if t.names_harm else cut)) for t, harm, kind in rows]
        cells = []
        for label, sign in zip(WEIGHED, (1, -1), strict=True):
            mine = [is_flagged and sign * kind > -NAMED for t, kind, is_flagged in flagged if label in t.labels]
            cells.append(f"{label} {sum(mine)}/{len(mine)} = {sum(mine) / len(mine):.3f}")
        harmless = [is_flagged for t, _, is_flagged in flagged if not t.labels]
        share = sum(harmless) / len(harmless)
        name = source or "all"
        print(f"cut {cut:5.2f} {name:<17} {'  '.join(cells)}  harmless {sum(harmless)}/{len(harmless)} = {share:.3f}")


def main() -> None:
    """Write the weights, or measure them on texts that were left out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--left-out", metavar="F", help="measure only; sums of scripts/detector_encoder.py (.npy)")
    asked, texts = parser.parse_args(), read_texts()
    if asked.left_out:
        found = left_out(texts, np.load(asked.left_out))
        for cut in (CUT, CUT - 0.6, CUT - 0.3, CUT + 0.3, CUT + 0.6):
            table(found, cut)
        return
    learnt = learn(texts)
    head = {"why": "Learnt by scripts/detector_weights.py; each piece of evidence: harm, and disclosure over self-harm",
            "start": learnt.start, "cut": round(CUT * SCALE), "named": round(NAMED * SCALE),
            "word_cut": round(WORD_CUT * SCALE), "sentence_cut": round(SENTENCE_CUT * SCALE),
            "heard": round(HEARD * SCALE), "most_heard": round(MOST_HEARD * SCALE)}  # fmt: skip
    _write(TARGET, head, "weight", learnt.weights)


def _write(target: Path, head: dict[str, Any], key: str, values: Mapping[str, Sequence[int]]) -> None:
    """Write numbers by name, one name a line."""
    lines = ",\n".join(
        f"{json.dumps(name, ensure_ascii=False)}:[{','.join(map(str, numbers))}]" for name, numbers in values.items()
    )
    opening = json.dumps(head, separators=(",", ":"))[:-1]
    target.write_text(f'{opening},"{key}":{{\n{lines}\n}}}}\n', encoding="utf-8")
    print(f"{target.name}: {len(values)} names, {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
