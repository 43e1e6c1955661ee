from __future__ import annotations

import numpy as np
import pytest

from geo.crimes import month_range
from service.errors import InvalidInputError
from service.runs.period import Held, choose_period
from service.runs.results import result_digest
from service.runs.schemas import CellTable


def held(force: str, *months: str, rows: int = 100) -> list[Held]:
    return [Held(force, month, f"{force}-{month}", rows, "2026-11") for month in months]


YEAR = month_range("2017-01", "2017-12")


def test_newest_months_are_taken_where_none_are_asked_for() -> None:
    chosen = choose_period(held("metropolitan", *month_range("2016-01", "2017-12")), start=None, end=None, least=12)
    assert chosen.months == tuple(YEAR)
    assert [file.month for file in chosen.files] == YEAR


def test_newest_months_before_the_last_one_asked_for() -> None:
    files = held("metropolitan", *month_range("2016-01", "2017-12"))
    chosen = choose_period(files, start=None, end="2017-06", least=12)
    assert (chosen.months[0], chosen.months[-1]) == ("2016-07", "2017-06")


@pytest.mark.requirement("P4")
def test_missing_month_is_named_and_another_held_one_is_taken_for_it() -> None:
    months = [month for month in month_range("2016-06", "2017-12") if month != "2017-03"]
    chosen = choose_period(held("metropolitan", *months), start=None, end=None, least=12)
    assert chosen.months[0] == "2016-12"
    assert len(chosen.months) == 12
    assert chosen.missing_months == ("2017-03",)


@pytest.mark.requirement("P4")
def test_months_asked_for_but_not_held_count_as_too_few() -> None:
    files = held("metropolitan", *YEAR[:11])
    with pytest.raises(InvalidInputError, match="11 months of crime are held between 2017-01 and 2017-12"):
        choose_period(files, start="2017-01", end="2017-12", least=12)
    with pytest.raises(InvalidInputError, match="0 months of crime are held in all"):
        choose_period([], start=None, end=None, least=12)


@pytest.mark.requirement("P4")
def test_transport_police_never_decide_and_their_gaps_are_named() -> None:
    files = held("metropolitan", *YEAR, rows=10) + held("btp", "2017-01", "2018-01", rows=999)
    chosen = choose_period(files, start=None, end=None, least=12)
    assert chosen.months == tuple(YEAR)  # 2018-01 is held of the transport police alone
    assert chosen.gaps == tuple(("btp", month) for month in YEAR[1:])
    assert ("btp", "2017-01") in {file.key for file in chosen.files}
    never = choose_period(held("metropolitan", *YEAR), start=None, end=None, least=12)
    assert never.gaps == tuple(("btp", month) for month in YEAR)


def test_force_with_the_most_rows_decides_which_months_there_are() -> None:
    files = held("metropolitan", *YEAR, rows=1000) + held("west-yorkshire", *month_range("2018-01", "2018-03"))
    assert choose_period(files, start=None, end=None, least=12).months == tuple(YEAR)


def cells(z: float = 1.0) -> CellTable:
    ids, corner = np.array(["a", "b"]), np.array([0.0, 250.0])
    return CellTable(ids, corner, corner, 250.0, {"count": np.array([1, 2]), "gi_star": np.array([0.5, z])})


def spot(**changes: object) -> list[dict[str, object]]:
    return [{"rank": 1, "geometry": b"\x01", "gi_star": 0.1, "top": []} | changes]


def test_digest_sees_the_last_bit_of_every_number() -> None:
    first = result_digest(cells(), spot())
    assert result_digest(cells(), spot()) == first
    others = [
        result_digest(cells(float(np.nextafter(1.0, 2.0))), spot()),
        result_digest(cells(), spot(gi_star=float(np.nextafter(0.1, 1.0)))),
        result_digest(cells(), spot(geometry=b"\x02")),
        result_digest(cells(), []),
    ]
    assert len({first, *others}) == 5


def test_digest_does_not_know_the_byte_order_of_the_machine() -> None:
    one = cells()
    other = CellTable(one.cell, one.west.astype(">f8"), one.south, 250.0, one.values)
    assert result_digest(one, []) == result_digest(other, [])
