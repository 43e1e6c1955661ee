"""Learn service/moderation/detector/data/weights.toml from a labelled corpus (default: the seen one).

A multinomial logistic regression on the words and groups of each text: three classes, talk of a place, disclosure,
self-harm. Run it after a change of the rules or the corpus; never with texts that the detector is judged on.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

from service.moderation.detector.frames import Search, Token, tokens
from service.moderation.detector.normal import fold, pieces
from service.moderation.detector.rules import rules
from service.moderation.detector.weights import WEIGHED, features

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / "tests" / "corpora" / "detector_seen.jsonl"
TARGET = ROOT / "service" / "moderation" / "detector" / "data" / "weights.toml"
STRENGTH = 1.0  # C of the regression: chosen on batches that were left out, see docs/detector.md
FEWEST = 2  # texts that must hold a word before it is weighed
HEAD = """# Learnt by scripts/detector_weights.py from the seen corpus; not written by hand.

why = "Each word and group: what it adds for a disclosure and for self-harm, against talk of a place"
"""


def read_corpus(paths: list[Path]) -> list[tuple[str, list[str]]]:
    """Return texts and labels of corpus files."""
    lines = [line for path in paths for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [(row["text"], row["labels"]) for row in map(json.loads, lines)]


def weighed_tokens(text: str) -> list[Token]:
    """Return the words of a text as the detector weighs them."""
    search = Search(tokens(pieces(fold(text).chars), rules()))
    search.hush(rules().quiet)
    return search.tokens


def learn(rows: list[tuple[str, list[str]]]) -> tuple[list[float], dict[str, list[float]]]:
    """Return the two starting values and the weights of each word and group."""
    found = [features(weighed_tokens(text)) for text, _ in rows]
    number = Counter(tag for tags in found for tag in tags)
    kept = [{tag: 1 for tag in sorted(tags) if number[tag] >= FEWEST} for tags in found]
    classes = [next((n for n, label in enumerate(WEIGHED, 1) if label in labels), 0) for _, labels in rows]
    columns = DictVectorizer()
    model = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=2_000)
    model.fit(columns.fit_transform(kept), np.array(classes))
    values: Any = model.coef_[1:] - model.coef_[0]
    start = [round(float(x), 3) for x in model.intercept_[1:] - model.intercept_[0]]
    names = columns.get_feature_names_out()
    pairs = {str(name): [round(float(x), 3) for x in values[:, n]] for n, name in enumerate(names)}
    return start, {name: pair for name, pair in sorted(pairs.items()) if any(pair)}


def main() -> None:
    """Write the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", nargs="*", type=Path, default=[CORPUS])
    start, weights = learn(read_corpus(parser.parse_args().corpora))
    rows = "".join(f"{json.dumps(name, ensure_ascii=False)} = {pair}\n" for name, pair in weights.items())
    TARGET.write_text(f"{HEAD}start = {start}\n\n[weight]\n{rows}", encoding="utf-8")
    print(f"{len(weights)} words and groups from {TARGET.name}")


if __name__ == "__main__":
    main()
