"""Months as text ``YYYY-MM``: ranges, gaps, and which months of which force are not held (P4)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from geo.crimes.tables import TRANSPORT_POLICE
from geo.errors import MethodError

_MONTH = re.compile(r"20\d{2}-(0[1-9]|1[0-2])", re.ASCII)
_YEAR = 12


def is_month(text: str) -> bool:
    """Tell whether ``text`` is a month of this century written ``YYYY-MM``.

    Parameters
    ----------
    text : str
        Anything; the police's data begins in December 2010.

    Returns
    -------
    bool
        True for ``2018-06``, False for ``2018-6``, ``2018-13`` and ``June 2018``.
    """
    return _MONTH.fullmatch(text) is not None


def require_month(text: str) -> str:
    """Return ``text`` if it is a month.

    Parameters
    ----------
    text : str
        A month as a person or a client gave it.

    Returns
    -------
    str
        The same text.

    Raises
    ------
    MethodError
        If it is not written ``YYYY-MM``.
    """
    if not is_month(text):
        message = f"{text[:20]!r} is not a month; write it as YYYY-MM, for example 2018-06."
        raise MethodError(message)
    return text


def month_range(first: str, last: str) -> list[str]:
    """Every month from ``first`` to ``last``, both included.

    Parameters
    ----------
    first, last : str
        Months ``YYYY-MM``.

    Returns
    -------
    list of str
        In order; at least one month.

    Raises
    ------
    MethodError
        If one is not a month or ``last`` comes before ``first``.

    Examples
    --------
    >>> month_range("2017-11", "2018-02")
    ['2017-11', '2017-12', '2018-01', '2018-02']
    """
    start, stop = _number(require_month(first)), _number(require_month(last))
    if stop < start:
        message = f"The last month {last} comes before the first {first}; swap them."
        raise MethodError(message)
    return [_text(number) for number in range(start, stop + 1)]


def shift_month(month: str, by: int) -> str:
    """Return the month ``by`` months after ``month`` (before it, if negative).

    Parameters
    ----------
    month : str
        A month ``YYYY-MM``.
    by : int
        Months to go on.

    Returns
    -------
    str
        A month ``YYYY-MM``.

    Raises
    ------
    MethodError
        If ``month`` is not a month.

    Examples
    --------
    >>> shift_month("2018-01", -1)
    '2017-12'
    """
    return _text(_number(require_month(month)) + by)


def missing_between(held: Iterable[str]) -> list[str]:
    """Months not held between the first and the last month held.

    Parameters
    ----------
    held : iterable of str
        Months ``YYYY-MM`` in any order, repeats allowed.

    Returns
    -------
    list of str
        In order; empty where nothing is missing or nothing is held.

    Raises
    ------
    MethodError
        If one is not a month.
    """
    have = set(held)
    return [month for month in month_range(min(have), max(have)) if month not in have] if have else []


def missing_months(
    held: Iterable[tuple[str, str]], *, forces: Iterable[str], first: str, last: str
) -> dict[str, list[str]]:
    """Months of each force that are not held: missing, never zero.

    The transport police publish for every place with a station but apart from the local force, so they are always
    among the forces looked for.

    Parameters
    ----------
    held : iterable of (str, str)
        Keys (force, month) that are held.
    forces : iterable of str
        Slugs of the forces whose area is looked at; the transport police are added.
    first, last : str
        Months ``YYYY-MM``, both included.

    Returns
    -------
    dict of str to list of str
        Missing months in order; forces with none are left out.

    Raises
    ------
    MethodError
        If one is not a month or ``last`` comes before ``first``.
    """
    have, wanted = set(held), month_range(first, last)
    found = {
        force: [month for month in wanted if (force, month) not in have]
        for force in sorted({*forces, TRANSPORT_POLICE})
    }
    return {force: months for force, months in found.items() if months}


def _number(month: str) -> int:
    return int(month[:4]) * _YEAR + int(month[5:7]) - 1


def _text(number: int) -> str:
    return f"{number // _YEAR:04d}-{number % _YEAR + 1:02d}"
