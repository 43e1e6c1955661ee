"""A small language model that reads words in their order: what a list of words cannot tell.

A transformer of the family of Wang et al. (2020), "MiniLM", started from all-MiniLM-L6-v2 (Apache-2.0) and taught on
our labelled texts by scripts/detector_encoder.py. It runs here, in numpy, from a file of the package: nothing is sent
anywhere and nothing is downloaded. Its weights are kept as whole numbers of one byte with a scale a column.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

LONGEST: Final = 96  # pieces of words, the two marks of begin and end counted: a longer text is not read
FILE: Final = "encoder.npz"
_HEADS: Final = 12
_BEGIN, _END, _UNKNOWN = "[CLS]", "[SEP]", "[UNK]"
_WORD = re.compile(r"[a-z0-9]+|[^\sa-z0-9]")
_LONGEST_WORD: Final = 40  # letters; a longer one is unknown
_GELU: Final = float(np.sqrt(2 / np.pi))
Array = NDArray[np.float32]


def pieces_of(text: str, vocabulary: dict[str, int]) -> list[int]:
    """Return a folded text in the pieces of a vocabulary, the longest first (WordPiece; Wu et al., 2016).

    Parameters
    ----------
    text : str
        Plain small letters, as ``fold`` gives them.
    vocabulary : dict of str to int
        Number of each piece; those within a word begin with ``##``.

    Returns
    -------
    list of int
        Numbers of the pieces, between a mark of the begin and one of the end.
    """
    found = [vocabulary[_BEGIN]]
    for word in _WORD.findall(text):
        found += _cut(word, vocabulary)
    return [*found, vocabulary[_END]]


def _cut(word: str, vocabulary: dict[str, int]) -> list[int]:
    cut: list[int] = []
    start = 0
    while start < len(word) <= _LONGEST_WORD:
        lead = "##" if start else ""
        stop = next((at for at in range(len(word), start, -1) if lead + word[start:at] in vocabulary), None)
        if stop is None:
            break
        cut.append(vocabulary[lead + word[start:stop]])
        start = stop
    return cut if start == len(word) else [vocabulary[_UNKNOWN]]


def _even(x: Array, scale: Array, shift: Array) -> Array:
    """Return rows with mean 0 and variance 1, scaled and shifted (Ba et al., 2016)."""
    centred = x - x.mean(-1, keepdims=True)
    spread: Array = np.sqrt((centred * centred).mean(-1, keepdims=True) + np.float32(1e-12))
    even: Array = centred / spread * scale + shift
    return even


@dataclass(frozen=True)
class _Layer:
    """One layer: attention of the pieces to each other, then two dense steps for each piece."""

    attend: Array
    attend_shift: Array
    join: Array
    join_shift: Array
    widen: Array
    widen_shift: Array
    narrow: Array
    narrow_shift: Array
    even: list[Array]

    def apply(self, x: Array) -> Array:
        """Return the pieces after this layer, in the same shape (pieces, width)."""
        rows, width = x.shape
        size = width // _HEADS
        three = (x @ self.attend + self.attend_shift).reshape(rows, 3, _HEADS, size).transpose(1, 2, 0, 3)
        score = three[0] @ three[1].transpose(0, 2, 1) / np.float32(np.sqrt(size))
        score = np.exp(score - score.max(-1, keepdims=True))
        heard = (score / score.sum(-1, keepdims=True)) @ three[2]
        joined = heard.transpose(1, 0, 2).reshape(rows, width) @ self.join + self.join_shift
        x = _even(x + joined, self.even[0], self.even[1])
        wide = x @ self.widen + self.widen_shift
        wide = wide * np.float32(0.5) * (1 + np.tanh(np.float32(_GELU) * (wide + np.float32(0.044715) * wide**3)))
        return _even(x + wide @ self.narrow + self.narrow_shift, self.even[2], self.even[3])


@dataclass(frozen=True)
class Encoder:
    """The model: a vocabulary, a row for each piece and each place, layers, and three sums at the end."""

    vocabulary: dict[str, int]
    rows: NDArray[np.int8]
    row_scale: Array
    places: Array
    even: list[Array]
    layers: list[_Layer]
    end: Array
    end_shift: Array

    def read(self, text: str) -> tuple[float, float, float] | None:
        """Return how much a text speaks of harm to a person, of a disclosure, of self-harm (log odds).

        Parameters
        ----------
        text : str
            Plain small letters, as ``fold`` gives them.

        Returns
        -------
        tuple of float, or None
            Log odds of each; None for a text that is longer than the model reads.
        """
        ids = pieces_of(text, self.vocabulary)
        if len(ids) > LONGEST:
            return None
        x = self.rows[ids] * self.row_scale[ids, None] + self.places[: len(ids)]
        x = _even(x, self.even[0], self.even[1])
        for layer in self.layers:
            x = layer.apply(x)
        harm, disclosure, self_harm = (x.mean(0) @ self.end + self.end_shift).tolist()
        return harm, disclosure, self_harm


def _plain(kept: Any, name: str) -> Array:
    """Return a matrix that is kept as whole numbers with a scale for each column, or as it is."""
    scale = f"{name}.scale"
    matrix: Array = kept[name].astype(np.float32)
    return matrix * kept[scale] if scale in kept else matrix


@cache
def encoder() -> Encoder:
    """Return the model of the package."""
    path = resources.files("service.moderation.detector") / "data" / FILE
    with path.open("rb") as file, np.load(file) as kept:
        vocabulary = {piece: n for n, piece in enumerate(bytes(kept["vocabulary"]).decode("utf-8").split("\n"))}
        names = ("attend", "attend_shift", "join", "join_shift", "widen", "widen_shift", "narrow", "narrow_shift")
        layers = [
            _Layer(
                **{name: _plain(kept, f"{n}.{name}") for name in names},
                even=[_plain(kept, f"{n}.even{k}") for k in range(4)],
            )
            for n in range(int(kept["layers"]))
        ]
        return Encoder(
            vocabulary=vocabulary,
            rows=kept["rows"],
            row_scale=kept["row_scale"],
            places=_plain(kept, "places"),
            even=[_plain(kept, "even0"), _plain(kept, "even1")],
            layers=layers,
            end=_plain(kept, "end"),
            end_shift=_plain(kept, "end_shift"),
        )
