"""A release in words: sentences, bars and table rows for the public page, for many people and for few."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from geo.disclosure import share_percent
from service.releases.schemas import AreaOut, ReleaseOut

FEELINGS: Final = {"unsafe": "Feels unsafe", "safe": "Feels safe", "mixed": "It depends"}
NOT_YET: Final = "Not enough people yet"
_LONG: Final = {
    "unsafe": "somewhere that feels unsafe",
    "safe": "somewhere that feels safe",
    "mixed": "a place where it depends",
}
Numbers = dict[tuple[str, str, str], int | None]


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a chart.

    Attributes
    ----------
    label : str
        What is counted.
    people : int or None
        About so many people; None where hidden.
    words : str
        "about 25 of 60 people", or that there are not enough people yet.
    width : int
        Length in per cent; 0 where hidden.
    feeling : str
        Decides colour and marker.
    """

    label: str
    people: int | None
    words: str
    width: int
    feeling: str


@dataclass(frozen=True, slots=True)
class AreaRow:
    """One area of the table; ``cells`` are people in all, unsafe, safe, it depends."""

    area: AreaOut
    cells: list[int | None]
    wards: list[AreaRow] = field(default_factory=list)

    @property
    def has_any(self) -> bool:
        """Whether any number of the area itself is shown."""
        return any(value is not None for value in self.cells)

    @property
    def shown(self) -> list[AreaRow]:
        """Its wards that have a number of their own."""
        return [ward for ward in self.wards if ward.has_any]


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why it feels so: bars by number of people, and the reasons that are hidden."""

    feeling: str
    title: str
    bars: list[Bar]
    hidden: list[str]


@dataclass(frozen=True, slots=True)
class Found:
    """Everything the page shows."""

    sentence: str
    feelings: list[Bar]
    times: list[tuple[str, list[Bar]]]
    reasons: list[Reasons]
    areas: list[AreaRow]
    has_any: bool


def found_of(release: ReleaseOut) -> Found:
    """Return a release in words.

    Parameters
    ----------
    release : ReleaseOut
        Any release.

    Returns
    -------
    Found
        Made from shown numbers only.
    """
    numbers = numbers_of(release)
    base = numbers["borough", "all", ""]
    most = max((numbers["borough", code, ""] or 0 for code in FEELINGS), default=0)
    feelings = [_bar(words, numbers["borough", code, ""], base, code, most) for code, words in FEELINGS.items()]
    times = [(FEELINGS[code], [_time(numbers, code, item) for item in ("day", "night")]) for code in ("unsafe", "safe")]
    return Found(
        sentence=_sentence(release, numbers),
        feelings=feelings,
        times=times,
        reasons=[_reasons(release, numbers, code) for code in ("unsafe", "safe")],
        areas=area_rows(release),
        has_any=any(value is not None for value in numbers.values()),
    )


def numbers_of(release: ReleaseOut) -> Numbers:
    """Return the numbers by area, feeling and item."""
    return {(cell.area, cell.feeling, cell.item): cell.people for cell in release.cells}


def area_rows(release: ReleaseOut) -> list[AreaRow]:
    """Return the unions with their wards, in the order of the release."""
    numbers = numbers_of(release)
    rows = {
        area.code: AreaRow(area, [numbers[area.code, feeling, ""] for feeling in ("all", *FEELINGS)])
        for area in release.partition.areas
    }
    for row in rows.values():
        if row.area.level == "ward":
            rows[row.area.union].wards.append(row)
    return [row for row in rows.values() if row.area.level == "union"]


def area_words(release: ReleaseOut, set_name: str, code: str) -> tuple[AreaRow, AreaRow] | None:
    """Return a ward and the union it is in; None where the release does not speak of it."""
    if release.partition.set != set_name:
        return None
    for union in area_rows(release):
        for ward in union.wards:
            if ward.area.code == code:
                return ward, union
    return None


def about(people: int | None, base: int | None = None) -> str:
    """Return a number as pages say it."""
    if people is None:
        return NOT_YET
    of = f" of {base}" if base is not None and base >= people else ""
    return f"about {people}{of} people"


def _bar(label: str, people: int | None, base: int | None, feeling: str, most: int = 0) -> Bar:
    """Return a bar as long as its share of the base, or of the largest beside it where the base is hidden."""
    whole = max(base or most, people or 0)
    width = share_percent(people, whole)
    return Bar(label, people, about(people, base), width or 0, feeling)


def _time(numbers: Numbers, feeling: str, item: str) -> Bar:
    label = {"day": "In the day", "night": "After dark"}[item]
    return _bar(label, numbers["borough", feeling, item], numbers["borough", feeling, ""], feeling)


def _reasons(release: ReleaseOut, numbers: Numbers, feeling: str) -> Reasons:
    base = numbers["borough", feeling, ""]
    named = {
        item.removeprefix("reason:"): people
        for (area, one, item), people in numbers.items()
        if area == "borough" and one == feeling and item.startswith("reason:")
    }
    shown = sorted(
        (code for code, people in named.items() if people is not None), key=lambda code: (-(named[code] or 0), code)
    )
    bars = [_bar(release.reasons.get(code, code), named[code], base, feeling) for code in shown]
    hidden = [release.reasons.get(code, code) for code, people in named.items() if people is None]
    title = {"unsafe": "What makes places feel unsafe", "safe": "What makes places feel safe"}[feeling]
    return Reasons(feeling, title, bars, hidden)


def _sentence(release: ReleaseOut, numbers: Numbers) -> str:
    base = numbers["borough", "all", ""]
    who = f"About {base} young people marked places in {release.borough}." if base is not None else ""
    said = [
        f"about {people} marked {_LONG[code]}"
        for code in FEELINGS
        if (people := numbers["borough", code, ""]) is not None
    ]
    if not who and not said:
        return f"Not enough young people have marked places in {release.borough} yet to show a number."
    if not said:
        return f"{who} What they said is not shown yet: too few said the same."
    listed = said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"
    if not who:
        listed = listed.replace(" marked ", " young people marked ", 1)
    return f"{who} {listed[0].upper()}{listed[1:]}.".strip()
