"""Who took part, beside who lives here: by age band and by ward, against the census, under the threshold (E1)."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from service.core import Core
from service.duty.apart import Resident, exists_apart, open_apart
from service.duty.characteristics import HOME, counts_of, home_areas, questions
from service.errors import InvalidInputError
from service.people.access import OPERATOR, Principal, Right
from service.people.audit import record

COLUMNS: Final = ("area_gss", "age_band", "residents")
BAND: Final = "age_band"


@dataclass(frozen=True)
class Share:
    """One band or ward: people who took part (None: too few), residents, and each as a share of those known."""

    name: str
    people: int | None
    residents: int | None
    share_of_people: float | None
    share_of_residents: float | None


@dataclass(frozen=True)
class Participation:
    """The report: two one-way tables. A table of both at once would say who is behind a hidden number."""

    bands: list[Share]
    wards: list[Share]
    source: str


def import_residents(core: Core, path: Path, source: str) -> int:
    """Store residents by ward and age band from a CSV with area_gss, age_band, residents; it replaces the last one.

    Raises
    ------
    InvalidInputError
        If a column is missing, or a line has no known band or no whole number.
    """
    rows = list(_read(path, source))

    def write(session: Session) -> None:
        session.execute(delete(Resident))
        session.add_all(rows)

    with open_apart(core) as store:
        store.write(write)
    core.store.write(lambda session: record(session, core, OPERATOR, "residents.import", rows=len(rows)))
    return len(rows)


def _read(path: Path, source: str) -> list[Resident]:
    known = {choice.code for one in questions() if one.code == BAND for choice in one.choices}
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            message = f"{path.name} lacks the columns {', '.join(missing)}."
            raise InvalidInputError(message)
        rows = []
        for number, line in enumerate(reader, 2):
            if line[BAND] not in known or not line["residents"].strip().isdigit():
                message = f"{path.name}, line {number}: wanted a band of {', '.join(sorted(known))} and a whole number."
                raise InvalidInputError(message)
            values = {"area_gss": line["area_gss"].strip(), "age_band": line[BAND], "source": source}
            rows.append(Resident(**values, residents=int(line["residents"])))
    return rows


def participation(core: Core, principal: Principal) -> Participation:
    """Return who took part beside who lives here.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the caller may not see counts.
    """
    principal.require(Right.CHARACTERISTICS_COUNT)
    counts = counts_of(core, principal)
    by_band: dict[str, int] = defaultdict(int)
    by_ward: dict[str, int] = defaultdict(int)
    source = ""
    if exists_apart(core):
        with open_apart(core) as store, store.read() as session:
            for row in session.scalars(select(Resident)):
                by_band[row.age_band] += row.residents
                by_ward[row.area_gss] += row.residents
                source = row.source
    bands = [(choice.code, choice.words) for one in questions() if one.code == BAND for choice in one.choices]
    wards = [(choice.code, choice.words) for choice in home_areas(core)]
    return Participation(_shares(bands, counts[BAND], by_band), _shares(wards, counts[HOME], by_ward), source)


def _shares(names: list[tuple[str, str]], people: dict[str, int | None], residents: dict[str, int]) -> list[Share]:
    """Return one line a name; shares are of the people shown and of all residents."""
    numbers = [count for count in people.values() if count is not None]
    shown = sum(numbers) if len(numbers) > 1 else 0  # all of one is no share
    living = sum(residents.get(code, 0) for code, _ in names)
    lines = []
    for code, words in names:
        count, there = people[code], residents.get(code)
        lines.append(
            Share(
                words,
                count,
                there,
                count / shown if count is not None and shown else None,
                there / living if there is not None and living else None,
            )
        )
    return lines
