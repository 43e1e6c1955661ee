"""Words around a map: months and numbers as people read them, notices, sources, what is missing (P7, P9)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from geo.crimes import CATEGORY_NAMES, FORCE_NAMES
from geo.maps.facts import Source
from service.core import Core
from service.people.access import Principal, Right

# dates on pages are English; strftime would follow the machine
MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
SAMPLE_NOTICE: Final = "Sample data: every mark, venue and crime here is made up to show how the map works."
MARKS_SOURCE: Final = Source("Marks made by young people in this deployment")
VENUES_SOURCE: Final = Source("Verified safe places: the partnership's own list")
MARKS_CAVEATS: Final = (
    "Marked by young people and reported to the police are two different things: neither corrects the other.",
    "Who was asked decides what is marked. A place without marks was not asked about, or nobody marked it.",
)
MEASURE_WORDS: Final[dict[str, tuple[str, str]]] = {
    "crimes": ("Crimes reported to the police", ""),
    "crimes_km2": ("Crimes reported to the police", "per square kilometre"),
    "crimes_rate": ("Crimes reported to the police", "per 1,000 residents"),
    "marks": ("Marks by young people", ""),
    "unsafe_share": ("Feels unsafe", "share of people who marked"),
}
_MISSING_SHOWN: Final = 6


def month_words(month: str) -> str:
    """Return a month in words.

    Examples
    --------
    >>> month_words("2018-06")
    'June 2018'
    """
    year, _, number = month.partition("-")
    return f"{MONTHS[int(number) - 1]} {year}"


def period_words(first: str | None, last: str | None, missing: Mapping[str, Sequence[str]]) -> str:
    """Return the months a map covers, and those that are missing."""
    if first is None or last is None:
        return "No recorded crime is held yet"
    words = month_words(first) if first == last else f"{month_words(first)} to {month_words(last)}"
    return f"{words}{_missing_words(first, last, missing)}"


def _missing_words(first: str, last: str, missing: Mapping[str, Sequence[str]]) -> str:
    told = []
    total = _months_between(first, last)
    for force, months in missing.items():
        if not months:
            continue
        name = FORCE_NAMES.get(force, force)
        if len(months) >= total:
            told.append(f"{name}: no month held")
        elif len(months) > _MISSING_SHOWN:
            told.append(f"{name}: {len(months)} months missing")
        else:
            told.append(f"{name}: {', '.join(month_words(month) for month in months)} missing")
    return f" ({'; '.join(told)})" if told else ""


def _months_between(first: str, last: str) -> int:
    """Return the number of months from first to last, both counted."""
    (year, month), (end_year, end_month) = (map(int, text.split("-")) for text in (first, last))
    return (end_year - year) * 12 + end_month - month + 1


def category_words(category: str) -> str:
    """Return a crime type as the police name it (P6)."""
    return CATEGORY_NAMES.get(category, category.replace("-", " ").capitalize())


def notices(core: Core, view: Any) -> list[str]:
    """Return the banners of a map: sample data, approximate boundaries."""
    return [text for text in (SAMPLE_NOTICE if core.is_demo else "", view.caveat) if text]


def nobody_words(principal: Principal) -> str:
    """Say that there is no mark, as far as the reader may know: some see approved ones only."""
    return "Nobody has marked a place yet." if principal.may(Right.PLACES_PENDING) else "No approved marks yet."


def marks_words(count: int) -> str:
    """Return a number of marks in words.

    Examples
    --------
    >>> marks_words(1), marks_words(1200)
    ('1 mark', '1,200 marks')
    """
    return "1 mark" if count == 1 else f"{count:,} marks"


def boundary_source(view: Any) -> Source:
    """Return publisher and licence of a boundary set."""
    licence = ". ".join(part for part in (view.licence, view.attribution) if part)
    return Source(f"Boundaries: {view.title}, {view.source}", licence)


def distinct(sources: Iterable[Source]) -> list[Source]:
    """Return sources, each once, in order."""
    return list(dict.fromkeys(sources))


def listed(words: Sequence[str]) -> str:
    """Join words as a sentence does.

    Examples
    --------
    >>> listed(["Evelyn", "Deptford", "Ladywell"])
    'Evelyn, Deptford and Ladywell'
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""
