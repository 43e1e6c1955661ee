"""Class limits of a choropleth: at most five classes with round limits that a reader can say aloud."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

MAX_CLASSES: Final = 5
_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_WHOLE_FROM: Final = 1.0  # counts: limits below one say nothing


def class_limits(values: npt.ArrayLike, *, classes: int = MAX_CLASSES, whole: bool) -> tuple[float, ...]:
    """Return round, rising limits between the classes of some values.

    Parameters
    ----------
    values : array_like, shape (n,)
        Values in any unit; NaN is left out.
    classes : int
        Most classes wanted, 1 to ``MAX_CLASSES``.
    whole : bool
        Whether limits must be whole numbers (counts).

    Returns
    -------
    tuple of float
        Inner limits, at most ``classes - 1``; a value equal to a limit is in the class above. Empty where all values
        are equal or there are none.

    Raises
    ------
    ValueError
        If ``classes`` is out of range.

    Examples
    --------
    >>> class_limits([0, 110, 190, 260, 480], whole=True)
    (100.0, 200.0, 300.0, 400.0)
    """
    if not 1 <= classes <= MAX_CLASSES:
        message = f"Asked for {classes} classes; a map shows 1 to {MAX_CLASSES}."
        raise ValueError(message)
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    if known.size == 0 or known.min() == known.max() or classes == 1:
        return ()
    step = _round_step((known.max() - known.min()) / classes)
    if whole:
        step = max(np.ceil(step), _WHOLE_FROM)
    first = (np.floor(known.min() / step) + 1) * step
    limits = first + step * np.arange(classes)
    inner = limits[limits <= known.max()][: classes - 1]
    return tuple(float(np.round(limit, 10)) for limit in inner)


def _round_step(width: float) -> float:
    """Return the smallest of 1, 2, 2.5, 5, 10 times a power of ten that is at least ``width``."""
    power = 10.0 ** np.floor(np.log10(width))
    return float(next(step * power for step in _STEPS if step * power >= width * (1 - 1e-9)))


def one_digit(value: float) -> float:
    """Round a positive number to one digit that is not zero.

    Parameters
    ----------
    value : float
        Above zero.

    Returns
    -------
    float
        The nearest number with one digit.

    Examples
    --------
    >>> one_digit(226.1), one_digit(0.049)
    (200.0, 0.05)
    """
    places = -int(np.floor(np.log10(value)))
    return float(round(value, places))


def class_of(values: npt.ArrayLike, limits: Sequence[float]) -> npt.NDArray[Any]:
    """Return the class of each value, counted from 1.

    Parameters
    ----------
    values : array_like, shape (n,)
        Values in the unit of the limits; NaN gets class 0.
    limits : sequence of float
        Inner limits, rising.

    Returns
    -------
    ndarray of int, shape (n,)
        1 to ``len(limits) + 1``; 0 for NaN.

    Examples
    --------
    >>> class_of([0, 100, 99.9, float("nan")], [100.0]).tolist()
    [1, 2, 1, 0]
    """
    given = np.asarray(values, dtype=np.float64)
    found = np.searchsorted(np.asarray(limits, dtype=np.float64), given, side="right") + 1
    return np.where(np.isfinite(given), found, 0)


def class_words(limits: Sequence[float], *, unit: str = "") -> list[str]:
    """Say each class in words.

    Parameters
    ----------
    limits : sequence of float
        Inner limits, rising.
    unit : str
        Follows each number, e.g. " %"; empty for none.

    Returns
    -------
    list of str
        ``len(limits) + 1`` phrases, few to many; one phrase "one value" where there are no limits.

    Examples
    --------
    >>> class_words([100.0, 200.0])
    ['less than 100', '100 to less than 200', '200 or more']
    """
    if not limits:
        return ["all areas alike"]
    told = [f"{limit:,.10g}{unit}" for limit in limits]
    between = [f"{low} to less than {high}" for low, high in itertools.pairwise(told)]
    return [f"less than {told[0]}", *between, f"{told[-1]} or more"]


def shade(classes: int) -> list[int]:
    """Return which of the five steps of a ramp each of ``classes`` classes takes, so that few classes stay apart.

    Parameters
    ----------
    classes : int
        Number of classes, 1 to ``MAX_CLASSES``.

    Returns
    -------
    list of int
        Steps 1 to 5, rising.

    Examples
    --------
    >>> shade(2), shade(5)
    ([2, 4], [1, 2, 3, 4, 5])
    """
    spread: dict[int, list[int]] = {1: [3], 2: [2, 4], 3: [1, 3, 5], 4: [1, 2, 4, 5], 5: [1, 2, 3, 4, 5]}
    return spread[classes]
