"""Unions of neighbouring wards by position alone, so that what young people marked can never move a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from geo.errors import DisclosureError


def unite_wards(codes: Sequence[str], x: npt.ArrayLike, y: npt.ArrayLike, *, size: int) -> dict[str, tuple[str, ...]]:
    """Part wards into groups that lie together, by halving the longer side again and again.

    Parameters
    ----------
    codes : sequence of str, shape (n,)
        Codes of the wards, each once.
    x, y : array_like, shape (n,)
        A point of each ward, in ``crs.METRIC`` (metres).
    size : int
        Most wards of a union.

    Returns
    -------
    dict of str to tuple of str
        ``union-1`` ... from the north-west on -> ward codes in order; each ward in exactly one. The same wards give the
        same unions whatever order they come in.

    Raises
    ------
    DisclosureError
        If ``size`` is below 1, or codes and points do not go together.
    """
    east, north = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if size < 1 or len(set(codes)) != len(codes) or east.shape != (len(codes),) or north.shape != east.shape:
        message = "Give each ward one code and one point, and unions of at least one ward."
        raise DisclosureError(message)
    order = sorted(range(len(codes)), key=lambda position: codes[position])
    codes, east, north = [codes[position] for position in order], east[order], north[order]
    groups = _halve(list(range(len(codes))), east, north, size) if codes else []
    groups.sort(key=lambda group: (-round(float(north[group].mean())), round(float(east[group].mean()))))
    return {f"union-{n}": tuple(codes[position] for position in group) for n, group in enumerate(groups, start=1)}


def _halve(group: list[int], east: Any, north: Any, size: int) -> list[list[int]]:
    if len(group) <= size:
        return [sorted(group)]
    wide = np.ptp(east[group]) >= np.ptp(north[group])
    first, second = (east, north) if wide else (north, east)
    line = sorted(group, key=lambda position: (first[position], second[position], position))
    middle = (len(line) + 1) // 2
    return [*_halve(line[:middle], east, north, size), *_halve(line[middle:], east, north, size)]
