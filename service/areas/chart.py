"""A trend as bars: positions for a small SVG drawing that stretches with the page; its words stand beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from service.crimes.schemas import MonthCount, SeriesBreak

WIDTH: Final = 360.0
HEIGHT: Final = 100.0
GAP: Final = 0.25  # of a bar's slot
STEPS: Final = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class Bar:
    """One month; ``height`` None where it is missing (P4)."""

    month: str
    count: int | None
    x: float
    y: float
    width: float
    height: float | None


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars with the round number at the top of the scale."""

    bars: list[Bar]
    top: int
    mean_y: float | None
    breaks: list[tuple[float, SeriesBreak]]
    width: float = WIDTH
    height: float = HEIGHT


def trend_chart(months: list[MonthCount], mean: float | None, breaks: list[SeriesBreak]) -> Chart | None:
    """Place the bars of a trend.

    Parameters
    ----------
    months : list of MonthCount
        In order; a count is None where a force is missing.
    mean : float or None
        Mean of the known months.
    breaks : list of SeriesBreak
        Changes of recording.

    Returns
    -------
    Chart or None
        None without a known month.
    """
    known = [month.count for month in months if month.count is not None]
    if not known:
        return None
    top = round_up(max(known))
    slot = WIDTH / len(months)
    bars = []
    for at, month in enumerate(months):
        height = None if month.count is None else round(HEIGHT * month.count / top, 2)
        y = 0.0 if height is None else round(HEIGHT - height, 2)
        bars.append(
            Bar(month.month, month.count, round((at + GAP / 2) * slot, 2), y, round(slot * (1 - GAP), 2), height)
        )
    order = [month.month for month in months]
    lines = [(round(order.index(item.month) * slot, 2), item) for item in breaks if item.month in order]
    return Chart(bars, top, None if mean is None else round(HEIGHT * (1 - mean / top), 2), lines)


def round_up(count: int) -> int:
    """Return the next of 1, 2, 5, 10, 20, 50 ... that is not below ``count``."""
    power = 1
    while power * STEPS[-1] < count:
        power *= 10
    return next(power * step for step in STEPS if power * step >= count)
