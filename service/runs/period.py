"""Which months a run takes: those held, with every gap named (P4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from geo.crimes import TRANSPORT_POLICE, Key, month_range
from service.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class Held:
    """The file of one force and month that is current."""

    force: str
    month: str
    digest: str
    rows: int
    taken: str  # month in which the file was taken from the publisher (P7)

    @property
    def key(self) -> Key:
        """Force and month."""
        return self.force, self.month


@dataclass(frozen=True, slots=True)
class Period:
    """The months of a run.

    Attributes
    ----------
    months : tuple of str
        Months counted: those in which the main force is held.
    missing_months : tuple of str
        Months between the first and the last that are not counted, because the main force is missing.
    gaps : tuple of (str, str)
        Force and month of other forces that are missing in a month counted.
    files : tuple of Held
        Files of the months counted, of every force, in order of force and month.
    """

    months: tuple[str, ...]
    missing_months: tuple[str, ...]
    gaps: tuple[Key, ...]
    files: tuple[Held, ...]


def choose_period(held: Iterable[Held], *, start: str | None, end: str | None, least: int) -> Period:
    """Choose the months of a run.

    Parameters
    ----------
    held : iterable of Held
        Every current file.
    start, end : str or None
        First and last month wanted; None takes the newest ``least`` months held up to ``end``, or up to the newest.
    least : int
        Fewest months that the method takes.

    Returns
    -------
    Period
        Months held; the force with the most rows (transport police apart) decides which those are.

    Raises
    ------
    InvalidInputError
        If fewer than ``least`` months are held.
    """
    files = sorted(held, key=lambda file: file.key)
    main = _main_force(files)
    months = sorted(file.month for file in files if file.force == main)
    months = [month for month in months if (start or "") <= month <= (end or "9999-99")]
    if start is None:
        months = months[-least:]
    if len(months) < least:
        words = f"between {start or 'the first'} and {end or 'the newest'}" if start or end else "in all"
        message = f"{len(months)} months of crime are held {words}; this analysis takes at least {least}."
        raise InvalidInputError(message)
    counted = set(months)
    keys = {file.key for file in files}
    # the transport police, too, where no file of theirs was ever imported: their crimes are missing, not zero
    others = sorted(({file.force for file in files} | {TRANSPORT_POLICE}) - {main})
    return Period(
        months=tuple(months),
        missing_months=tuple(month for month in month_range(months[0], months[-1]) if month not in counted),
        gaps=tuple((force, month) for force in others for month in months if (force, month) not in keys),
        files=tuple(file for file in files if file.month in counted),
    )


def _main_force(files: list[Held]) -> str | None:
    """Name the force with the most rows: the borough's own, where one borough is held, and its neighbours' rarely."""
    rows: dict[str, int] = {}
    for file in files:
        rows[file.force] = rows.get(file.force, 0) + file.rows
    local = {force: count for force, count in rows.items() if force != TRANSPORT_POLICE} or rows
    return max(sorted(local), key=lambda force: local[force], default=None)
