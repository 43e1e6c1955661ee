"""Counts of crimes over the API: both rules, outside, gaps, sources; expected numbers by hand on square wards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
from fastapi.testclient import TestClient

from geo import crs
from service.app import create_app
from service.areas.workflow import get_set
from service.core import Core
from service.crimes.joining import _drop_rests
from service.crimes.schemas import CrimeQuery
from service.crimes.store import CountedSet
from service.crimes.workflow import crime_points, import_files, rejoin_crimes, summary
from service.errors import ForbiddenError
from service.jobs.context import JobCancelledError, Silent
from tests.support.police import (
    BTP,
    LSOAS,
    WARDS,
    Row,
    dump_rows,
    import_squares,
    scattered,
    street_csv,
    write_months,
    write_wards,
)

A, B = "E05000001", "E05000002"
# Ward A is x 537,000 to 538,000, ward B 538,000 to 539,000; y 174,000 to 175,000. LSOA centres: x 537,500 (in A),
# 538,100 and 538,600 (in B), y 174,500.
ROWS = [
    Row(537_500, 174_500),  # A by both rules
    Row(537_850, 174_500, kind="Drugs"),  # in A; 350 m from the centre in A, 250 m from the first in B: nearest is B
    Row(538_010, 174_500),  # in B, 10 m from the line between: near a line
    Row(538_600, 174_995, kind="Anti-social behaviour"),  # in B, 5 m from its northern edge: near a line
    Row(540_500, 174_500),  # outside
]


@pytest.fixture
def core(real_core: Core, tmp_path: Path) -> Core:
    import_squares(real_core, tmp_path, "wards", "ward", WARDS)
    import_squares(real_core, tmp_path, "lsoas", "lsoa", LSOAS)
    return real_core


@pytest.fixture
def client(core: Core) -> Iterator[TestClient]:
    with TestClient(create_app(core.settings)) as client:
        yield client


def load(core: Core, folder: Path, rows: list[Row], name: str = "crimes.csv", **options: Any) -> Any:
    path = folder / name
    path.write_bytes(street_csv(rows))
    report = import_files(core, [path], **options)
    for set_name in report.waiting_sets:
        rejoin_crimes(core, set_name, Silent())
    return report


def by_area(answer: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    return {a["area_gss"]: (a["count"], a["polygon"], a["nearest"], a["near_line_share"]) for a in answer["areas"]}


@pytest.mark.requirement("P2", "P3", "P7")
def test_summary_counts_by_both_rules_and_tells_the_share_near_a_line(
    core: Core, client: TestClient, tmp_path: Path
) -> None:
    load(core, tmp_path, ROWS)
    answer = client.get("/api/v1/crimes/summary", params={"set": "wards"}).json()
    assert by_area(answer) == {A: (2, 2, 1, 0.0), B: (2, 2, 3, 1.0)}
    assert (answer["outside"], answer["total"], answer["near_line_share"]) == (1, 5, 0.5)
    assert answer["near_line_m"] == 15.0
    assert {area["source"] for area in answer["areas"]} == {"police-points"}
    given = answer["provenance"]
    made_up = ("Sample data in the layout of data.police.uk", "Made up: no licence applies")
    published = ("data.police.uk (Home Office)", "Open Government Licence v3.0")
    assert (given["source"], given["licence"]) == (made_up if given["is_sample"] else published)
    assert given["extract_months"]
    assert any("street centre" in text for text in given["caveats"])
    nearest = client.get("/api/v1/crimes/summary", params={"set": "wards", "rule": "nearest"}).json()
    assert [area["count"] for area in nearest["areas"]] == [1, 3]


def test_summary_by_lsoa_uses_their_own_centres(core: Core, client: TestClient, tmp_path: Path) -> None:
    load(core, tmp_path, ROWS)
    answer = client.get("/api/v1/crimes/summary", params={"set": "lsoas"}).json()
    # x 538,600 lies 100 m from the middle of the third LSOA, 538,010 at 90 m from the second
    assert {code: row[1:3] for code, row in by_area(answer).items()} == {
        "E01000001": (2, 1),
        "E01000002": (1, 2),
        "E01000003": (1, 1),
    }


@pytest.mark.requirement("P4")
def test_removed_month_is_missing_never_zero(core: Core, client: TestClient, tmp_path: Path) -> None:
    rows = [Row(537_500, 174_500, month=month) for month in ("2018-04", "2018-06")]
    load(core, tmp_path, [*rows, Row(537_500, 174_500, month="2018-06", by=BTP)])
    answer = client.get("/api/v1/crimes/summary", params={"set": "wards"}).json()
    assert answer["missing"] == {"metropolitan": ["2018-05"], "btp": ["2018-04", "2018-05"]}
    assert (answer["from"], answer["to"], answer["months"], answer["months_complete"]) == ("2018-04", "2018-06", 3, 2)
    series = client.get("/api/v1/crimes/series", params={"set": "wards", "area": A}).json()
    assert [(m["month"], m["count"], m["missing_forces"]) for m in series["months"]] == [
        ("2018-04", 1, ["btp"]),
        ("2018-05", None, ["btp", "metropolitan"]),
        ("2018-06", 2, []),
    ]
    empty = client.get("/api/v1/crimes/series", params={"set": "wards", "area": B}).json()
    assert [m["count"] for m in empty["months"]] == [0, None, 0]  # a held month without crimes is a zero
    months = client.get("/api/v1/crimes/months").json()
    assert {f["force"]: ([m["month"] for m in f["months"]], f["missing"]) for f in months["forces"]} == {
        "metropolitan": (["2018-04", "2018-06"], ["2018-05"]),
        "btp": (["2018-06"], ["2018-04", "2018-05"]),
    }


@pytest.mark.requirement("P4")
def test_period_in_which_nothing_is_held_has_no_numbers(core: Core, client: TestClient, tmp_path: Path) -> None:
    load(core, tmp_path, ROWS)
    answer = client.get("/api/v1/crimes/summary", params={"set": "wards", "from": "2019-01", "to": "2019-02"}).json()
    assert [area["count"] for area in answer["areas"]] == [None, None]
    assert (answer["total"], answer["outside"], answer["months_complete"]) == (None, None, 0)
    assert answer["missing"]["metropolitan"] == ["2019-01", "2019-02"]


def test_nothing_imported_yet_is_an_empty_answer(client: TestClient) -> None:
    answer = client.get("/api/v1/crimes/summary").json()
    assert (answer["set"], answer["from"], answer["total"]) == ("wards", None, None)
    assert client.get("/api/v1/crimes/series").json()["months"] == []
    assert client.get("/api/v1/crimes/months").json()["forces"] == []


def test_categories_and_period_narrow_the_counts(core: Core, client: TestClient, tmp_path: Path) -> None:
    load(core, tmp_path, [*ROWS, Row(537_500, 174_500, month="2018-07")])
    query = {"set": "wards", "category": ["robbery", "drugs"], "from": "2018-06", "to": "2018-06"}
    assert [a["count"] for a in client.get("/api/v1/crimes/summary", params=query).json()["areas"]] == [2, 1]
    series = client.get("/api/v1/crimes/series", params={"set": "wards"}).json()
    assert [(m["count"], m["categories"]) for m in series["months"]] == [
        (4, {"anti-social-behaviour": 1, "drugs": 1, "robbery": 2}),
        (1, {"robbery": 1}),
    ]


@pytest.mark.parametrize(
    ("query", "status", "word"),
    [
        ({"set": "nowhere"}, 404, "nowhere"),
        ({"from": "June"}, 422, "YYYY-MM"),
        ({"from": "2018-07", "to": "2018-06"}, 422, "before"),
        ({"category": "knife-crime"}, 422, "knife-crime"),
        ({"rule": "guess"}, 422, "polygon"),
    ],
)
def test_bad_query_is_a_clear_problem(
    core: Core, client: TestClient, tmp_path: Path, query: dict[str, str], status: int, word: str
) -> None:
    load(core, tmp_path, ROWS)
    for route in ("summary", "series"):
        answer = client.get(f"/api/v1/crimes/{route}", params=query)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        assert word in answer.text
    assert client.get("/api/v1/crimes/series", params={"area": "E05999999"}).status_code == 404


@pytest.mark.requirement("P6")
def test_categories_come_with_what_they_do_not_mean(client: TestClient) -> None:
    notes = {c["slug"]: c["note"] for c in client.get("/api/v1/crimes/months").json()["categories"]}
    assert "not knife crime" in notes["possession-of-weapons"]


@pytest.mark.requirement("P1")
def test_no_answer_holds_a_point_a_street_or_a_crime_id(core: Core, client: TestClient, tmp_path: Path) -> None:
    load(core, tmp_path, ROWS)
    for route in ("months", "summary?set=wards", "summary?set=lsoas", "series?set=wards"):
        text = client.get(f"/api/v1/crimes/{route}").text
        assert "A Street" not in text
        assert not any(name in text for name in ("longitude", "latitude", "51.4", "crime_id"))


@pytest.mark.requirement("P1")
def test_grid_finer_than_250_m_is_refused(core: Core, tmp_path: Path) -> None:
    cells = {f"c{i}": (537_000 + 200 * i, 174_000, 537_200 + 200 * i, 174_200) for i in range(3)}
    import_squares(core, tmp_path, "fine", "grid", cells)
    cells = {f"c{i}": (537_000 + 250 * i, 174_000, 537_250 + 250 * i, 174_250) for i in range(3)}
    import_squares(core, tmp_path, "coarse", "grid", cells)
    with pytest.raises(ForbiddenError, match="250 m"):
        summary(core, "fine")
    assert len(summary(core, "coarse").areas) == 3


def test_set_that_is_not_counted_yet_answers_try_again(core: Core, client: TestClient, tmp_path: Path) -> None:
    path = tmp_path / "crimes.csv"
    path.write_bytes(street_csv(ROWS))
    assert import_files(core, [path]).waiting_sets == ["lsoas", "wards"]
    answer = client.get("/api/v1/crimes/summary", params={"set": "wards"})
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    rejoin_crimes(core, "wards", Silent())
    assert client.get("/api/v1/crimes/summary", params={"set": "wards"}).json()["total"] == 5


def test_new_month_is_counted_in_the_write_that_makes_it_current(core: Core, tmp_path: Path) -> None:
    load(core, tmp_path, ROWS)
    path = tmp_path / "july.csv"
    path.write_bytes(street_csv([Row(537_500, 174_500, month="2018-07")]))
    assert import_files(core, [path]).waiting_sets == []
    assert summary(core, "wards").total == 6


def test_replaced_month_counts_the_new_rows_only(core: Core, tmp_path: Path) -> None:
    load(core, tmp_path, ROWS)
    load(core, tmp_path, [Row(538_500, 174_500)] * 3)
    found = summary(core, "wards")
    assert ([area.count for area in found.areas], found.total) == ([0, 3], 3)


def test_cancelled_recount_leaves_the_old_counts_whole(core: Core, tmp_path: Path) -> None:
    load(core, tmp_path, [Row(537_500, 174_500, month=month) for month in ("2018-05", "2018-06")])
    before = summary(core, "wards")

    class StopAtTheSecondFile:
        def progress(self, fraction: float, message: str = "") -> None:
            assert message
            if fraction > 0:
                raise JobCancelledError

    with pytest.raises(JobCancelledError):
        rejoin_crimes(core, "wards", StopAtTheSecondFile())
    assert summary(core, "wards") == before
    assert rejoin_crimes(core, "wards", Silent()) == 2
    assert summary(core, "wards") == before


def test_recount_takes_another_distance_to_a_line(core: Core, tmp_path: Path) -> None:
    load(core, tmp_path, ROWS)
    wider = Core(core.settings.model_copy(update={"line_share_m": 200.0}), core.store, *list(vars(core).values())[2:6])
    rejoin_crimes(wider, "wards", Silent())
    # within 200 m of an edge: 537,850 (150 m), 538,010 and 538,600 (5 m), not 537,500 in the middle
    assert summary(wider, "wards").near_line_share == 0.75


def test_crime_points_are_the_rows_of_the_period_with_their_files(core: Core, tmp_path: Path) -> None:
    load(core, tmp_path, [*ROWS, Row(537_500, 174_500, month="2018-07"), Row(537_500, 174_500, by=BTP)])
    points = crime_points(core, "2018-06", "2018-08")
    assert len(points) == 7
    assert points.months == ("2018-06", "2018-07", "2018-08")
    assert points.held == (("btp", "2018-06"), ("metropolitan", "2018-06"), ("metropolitan", "2018-07"))
    assert points.missing == {"btp": ["2018-07", "2018-08"], "metropolitan": ["2018-08"]}
    assert np.bincount(points.month, minlength=3).tolist() == [6, 1, 0]
    x, y = crs.to_metric_xy(points.longitude[1], points.latitude[1])  # six decimals keep 0.1 m
    assert (x[0], y[0]) == (pytest.approx(537_500, abs=0.1), pytest.approx(174_500, abs=0.1))
    drugs = crime_points(core, "2018-06", "2018-06", ["drugs"])
    assert (len(drugs), drugs.categories, len(drugs.digests)) == (1, ("drugs",), 2)
    assert len(crime_points(core, "2020-01", "2020-02")) == 0


@pytest.mark.slow
@pytest.mark.realdata
def test_real_dump_counts_agree_with_an_independent_join(real_core: Core, realdata: Path, tmp_path: Path) -> None:
    from service.areas.workflow import Fields, SetWords, import_file

    rows = dump_rows(realdata)
    for year, vintage in (("2022", "2022"), ("2002", "2002_2022")):
        path = realdata / "boundaries" / f"lewisham_wards_{vintage}.geojson"
        words = SetWords(name=f"wards-{year}", level="ward", resolution_m=1.0)
        import_file(real_core, path, words, fields=Fields(), default=False)
    report = import_files(real_core, write_months(rows, tmp_path / "api"), force="metropolitan")
    assert (report.rows, sum(report.rejected.values()), len(report.keys)) == (73_260, 0, 58 - 1)
    for year, vintage in (("2022", "2022"), ("2002", "2002_2022")):
        assert rejoin_crimes(real_core, f"wards-{year}", Silent()) == 73_260
        found = summary(real_core, f"wards-{year}")
        assert found.total == 73_260
        wards = gpd.read_file(realdata / "boundaries" / f"lewisham_wards_{vintage}.geojson")
        points = gpd.GeoSeries.from_xy(
            [float(row["longitude"]) for row in rows], [float(row["latitude"]) for row in rows], crs="EPSG:4326"
        )
        joined = gpd.sjoin(points.to_frame("geometry"), wards[["ward_code", "geometry"]], predicate="within")
        assert not joined.index.duplicated().any()
        expected = joined["ward_code"].value_counts().to_dict()
        # both joins are exact, one in degrees and one in metres: a straight line of the one is bent by less than
        # 1 mm in the other, so only points exactly on a line may differ, and there are none
        assert {area.area_gss: area.polygon for area in found.areas} == expected
        assert found.outside == 73_260 - len(joined)
        assert sum(area.nearest or 0 for area in found.areas) == len(joined)
        assert found.missing == {"btp": ["2016-02", "2016-03"], "metropolitan": ["2016-03"]}
    asb = sum(len(points) for points in [crime_points(real_core, "2016-01", "2018-06", ["anti-social-behaviour"])])
    assert 73_260 - asb == 57_467


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.requirement("P5")
def test_real_answers_of_18_wards_give_each_record_once(real_core: Core, realdata: Path, tmp_path: Path) -> None:
    rows = [row for row in dump_rows(realdata) if row["month"] in {"2018-05", "2018-06"}]
    twice = sum("|" in row["ward_codes"] for row in rows)
    report = import_files(real_core, write_wards(rows, tmp_path / "api"), force="metropolitan")
    assert report.rows == len(rows)
    assert report.rejected == {"the same API record was read before": twice}
    assert twice > 100


def test_counts_add_up_whatever_the_points(core: Core, tmp_path: Path) -> None:
    load(core, tmp_path, scattered(2_000, seed=7))
    for name in ("wards", "lsoas"):
        found = summary(core, name)
        inside = sum(area.polygon or 0 for area in found.areas)
        assert sum(area.nearest or 0 for area in found.areas) == inside
        assert inside + (found.outside or 0) == found.total == 2_000
        assert 0 < (found.outside or 0) < 1_000


def test_join_that_starts_late_spares_the_counts_swapped_in_meanwhile(core: Core, tmp_path: Path) -> None:
    load(core, tmp_path, ROWS)
    rejoin_crimes(core, "wards", Silent())
    stale = CountedSet(get_set(core, "wards").id, get_set(core, "wards").crime_generation)
    rejoin_crimes(core, "wards", Silent())
    core.store.write(lambda session: _drop_rests(session, stale))  # what a second one does that had read the set before
    assert summary(core, "wards").total == len(ROWS)


@pytest.mark.requirement("P4")
def test_month_of_the_transport_police_alone_gives_no_counts(core: Core, tmp_path: Path) -> None:
    load(core, tmp_path, [*ROWS, Row(537_500, 174_500, month="2018-07", by=BTP)])
    rejoin_crimes(core, "wards", Silent())
    answer = summary(core, "wards", CrimeQuery(first="2018-07", last="2018-07"))
    assert (answer.months_complete, answer.total, answer.outside) == (0, None, None)
    assert [area.count for area in answer.areas] == [None, None]
