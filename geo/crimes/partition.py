"""Group crimes by the key under which they are kept: (force, month)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from geo import columns

Key = tuple[str, str]


def partition(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[Key, pa.RecordBatch]]:
    """Split each batch into batches of one force and month.

    Parameters
    ----------
    batches : iterable of RecordBatch
        Crimes in ``chunks.SCHEMA``; one batch is held at a time.

    Yields
    ------
    key : (str, str)
        Force slug and month ``YYYY-MM``.
    rows : RecordBatch, shape (n,)
        The rows of that key, in their order; n > 0. A key comes again for each batch that holds it.

    Raises
    ------
    KeyError
        If a batch lacks the force or the month.
    """
    for batch in batches:
        forces, months = batch[columns.FORCE], batch[columns.MONTH]
        keys = pc.binary_join_element_wise(forces, months, " ").dictionary_encode()
        if len(keys.dictionary) == 1:
            yield _key(keys.dictionary[0].as_py()), batch
            continue
        for code, text in enumerate(keys.dictionary.to_pylist()):
            yield _key(text), batch.filter(pc.equal(keys.indices, code))


def _key(text: str) -> Key:
    force, _, month = text.partition(" ")
    return force, month
