"""Fetch from a police API on this machine: split areas, back off, go on after a cut, and call nobody else (P5, X10)."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
import shapely

from geo.crimes import month_range
from service.core import Core, open_core
from service.crimes import police_api
from service.crimes.police_api import PoliceApi
from service.crimes.workflow import fetch_months, import_files, months_held
from service.errors import ConflictError, NotFoundError, UnavailableError
from service.outbound import OutboundDeniedError, outbound_client
from service.settings import Settings
from tests.support.police import (
    PoliceService,
    Row,
    api_record,
    dump_rows,
    import_squares,
    lonlat,
    police_service,
    scattered,
    street_csv,
)

BOROUGH = {"E09000023": (537_000, 174_000, 539_000, 175_000)}
AREA = shapely.box(*BOROUGH["E09000023"])


def record(number: int, row: Row) -> dict[str, Any]:
    longitude, latitude = lonlat(row.x, row.y)
    return {
        "id": number,
        "persistent_id": "" if number % 3 else "same-for-several",
        "category": "drugs",
        "month": row.month,
        "location_type": "Force" if number % 10 else "BTP",
        "location": {"longitude": longitude, "latitude": latitude, "street": {"id": 1, "name": "On or near A Street"}},
        "outcome_status": None,
    }


def records_of(n_records: int, month: str = "2018-06", *, first: int = 0) -> list[dict[str, Any]]:
    rows = scattered(4 * n_records, seed=n_records, month=month)
    inside = [row for row in rows if shapely.contains_xy(AREA, row.x, row.y)][:n_records]
    assert len(inside) == n_records
    return [record(first + number, row) for number, row in enumerate(inside)]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten every pause; the number of attempts and the order of things stay."""
    monkeypatch.setattr(police_api, "REQUESTS_PER_S", 10_000.0)
    monkeypatch.setattr(police_api, "PAUSE_MAX_S", 0.01)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Callable[[PoliceService], PoliceApi]]:
    made = []

    def make(service: PoliceService) -> PoliceApi:
        settings = Settings(police_api_url=service.url, outbound_timeout_s=0.5)
        made.append(PoliceApi(settings, tmp_path / "answers", pause_s=0.001))
        return made[-1]

    yield make
    for one in made:
        one.close()


def ids(paths: Iterator[Path]) -> list[int]:
    return [entry["id"] for path in paths for entry in json.loads(path.read_text())]


@pytest.mark.requirement("P5")
def test_area_with_too_many_crimes_is_split_until_all_are_there(api: Any) -> None:
    with police_service(PoliceService(records_of(500), limit=60)) as service:
        found = ids(api(service).fetch("2018-06", AREA))
    assert set(found) == set(range(500))
    statuses = [status for _, status in service.requests]
    assert statuses[0] == 503
    # 500 records in pieces of at most 60 need at least 9 answers; each refusal makes four pieces more
    assert statuses.count(200) >= 9
    assert len(statuses) == 1 + 4 * statuses.count(503)


@pytest.mark.requirement("P5")
def test_records_on_the_cut_come_twice_and_count_once(real_core: Core, tmp_path: Path, api: Any) -> None:
    middle = (AREA.bounds[0] + AREA.bounds[2]) / 2
    rows = [Row(middle + 150 * (n % 2), y) for n, y in enumerate(np.linspace(174_100, 174_900, 40))]
    with police_service(PoliceService([record(n, row) for n, row in enumerate(rows)], limit=25)) as service:
        paths = list(api(service).fetch("2018-06", AREA))
    assert len(ids(iter(paths))) > 40
    report = import_files(real_core, paths, force="metropolitan")
    assert report.rows == 40
    assert set(report.rejected) == {"the same API record was read before"}


@pytest.mark.parametrize("fault", ["429", "500", "502", "cut", "half", "time-out"])
@pytest.mark.requirement("P5")
def test_fault_is_waited_out(api: Any, fault: str) -> None:
    with police_service(PoliceService(records_of(20), faults=[fault, fault])) as service:
        assert len(ids(api(service).fetch("2018-06", AREA))) == 20
        assert len(service.requests) == 3


def test_pauses_double_and_retry_after_is_heard(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(police_api, "PAUSE_MAX_S", 60.0)
    monkeypatch.setattr(police_api.time, "sleep", slept.append)
    with police_service(PoliceService(records_of(5), faults=["500", "500", "500"])) as service:
        list(api(service).fetch("2018-06", AREA))
    assert [pause for pause in slept if pause >= 0.001] == [0.001, 0.002, 0.004]


@pytest.mark.parametrize("fault", ["500", "429", "cut"])
def test_service_that_stays_down_is_told_and_asked_six_times(api: Any, fault: str) -> None:
    with (
        police_service(PoliceService(records_of(5), faults=[fault] * 20)) as service,
        pytest.raises(UnavailableError, match="run the same command later"),
    ):
        list(api(service).fetch("2018-06", AREA))
    assert len(service.requests) == 6


def test_503_for_the_smallest_area_is_no_reason_to_split_for_ever(api: Any) -> None:
    with (
        police_service(PoliceService(records_of(5), faults=["503"] * 1000)) as service,
        pytest.raises(UnavailableError, match="status 503"),
    ):
        list(api(service).fetch("2018-06", AREA))
    # 2,100 m across, halved until 250 m or less: 4 splits, then six attempts
    assert len(service.requests) == 4 + 6


def test_refused_request_is_not_repeated(api: Any) -> None:
    with (
        police_service(PoliceService(records_of(5), faults=["400"])) as service,
        pytest.raises(UnavailableError, match="status 400"),
    ):
        list(api(service).fetch("2018-06", AREA))
    assert len(service.requests) == 1


@pytest.mark.requirement("P5")
def test_cut_fetch_goes_on_where_it_stopped_and_a_second_one_asks_nothing(api: Any) -> None:
    with police_service(PoliceService(records_of(500), limit=60)) as service:
        whole = ids(api(service).fetch("2018-06", AREA))
        asked = len(service.requests)
        assert ids(api(service).fetch("2018-06", AREA)) == whole
        assert len(service.requests) == asked

    cut = PoliceService(records_of(501), limit=60)
    with police_service(cut):
        cut.faults = [""] * 10 + ["500"] * 6
        with pytest.raises(UnavailableError):
            ids(api(cut).fetch("2018-06", AREA))
        assert len(set(ids(api(cut).fetch("2018-06", AREA)))) == 501
    # the ten answers before the cut were not asked for again: every 503 that was answered made four pieces
    answered = [status for _, status in cut.requests if status != 500]
    assert len(answered) == 1 + 4 * answered.count(503)


@pytest.fixture
def core(make_settings: Callable[..., Settings], tmp_path: Path) -> Iterator[Callable[[str], Core]]:
    opened = []

    def make(url: str) -> Core:
        core = open_core(make_settings("real", police_api_url=url, outbound_timeout_s=0.5))
        import_squares(core, tmp_path, "borough", "borough", BOROUGH)
        opened.append(core)
        return core

    yield make
    for core in opened:
        core.store.close()


def test_fetched_months_are_held_with_their_extent_and_transport_police_apart(core: Any) -> None:
    records = records_of(100, "2018-05") + records_of(100, "2018-07", first=1_000)
    with police_service(PoliceService(records)) as service:
        report, unpublished = fetch_months(core(service.url), month_range("2018-05", "2018-07"), force="metropolitan")
        deployment = core(service.url)
    assert unpublished == ["2018-06"]
    # every tenth record is marked BTP
    assert {(key.force, key.month): key.rows for key in report.keys} == {
        ("metropolitan", "2018-05"): 90,
        ("btp", "2018-05"): 10,
        ("metropolitan", "2018-07"): 90,
        ("btp", "2018-07"): 10,
    }
    held = {force.force: force for force in months_held(deployment).forces}
    assert held["metropolitan"].missing == ["2018-06"]
    assert {(m.source, m.extent) for m in held["metropolitan"].months} == {
        ("api", "Lewisham (E09000023) and 50 m around")
    }


def test_nothing_published_is_an_error(core: Any) -> None:
    with (
        police_service(PoliceService(records_of(5))) as service,
        pytest.raises(NotFoundError, match="2019-01"),
    ):
        fetch_months(core(service.url), ["2019-01"], force="metropolitan")


def test_fetch_never_replaces_the_archive_unasked(core: Any, tmp_path: Path) -> None:
    path = tmp_path / "crimes.csv"
    path.write_bytes(street_csv([Row(537_500, 174_500)]))
    with police_service(PoliceService(records_of(50))) as service:
        deployment = core(service.url)
        import_files(deployment, [path])
        with pytest.raises(ConflictError, match="--replace"):
            fetch_months(deployment, ["2018-06"], force="metropolitan")
        report, _ = fetch_months(deployment, ["2018-06"], force="metropolitan", replace=True)
    assert report.rows == 50


def test_command_fetches_the_borough(
    make_settings: Callable[..., Settings], core: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    from service.cli import main

    with police_service(PoliceService(records_of(50))) as service:
        deployment = core(service.url)
        monkeypatch.setenv("SAFER_PLACES_DATA_DIR", str(deployment.settings.data_dir))
        monkeypatch.setenv("SAFER_PLACES_POLICE_API_URL", service.url)
        words = ["crimes", "fetch", "--from", "2018-06", "--to", "2018-07", "--force", "metropolitan"]
        monkeypatch.setattr(sys, "argv", ["safer-places", *words])
        with pytest.raises(SystemExit) as ended:
            main()
    output = capsys.readouterr().out
    assert not ended.value.code
    assert "50 crimes in 2 months" in output
    assert "Not published by the police, so still missing: 2018-07." in output


@pytest.mark.requirement("X10")
def test_host_that_no_setting_names_is_never_called() -> None:
    with police_service(PoliceService(records_of(1))) as service:
        other = Settings(police_api_url="https://data.police.uk/api")
        with outbound_client(other) as client, pytest.raises(OutboundDeniedError, match=r"127\.0\.0\.1"):
            client.post(f"{service.url}/crimes-street/all-crime", data={"date": "2018-06", "poly": "1,2"})
        allowed = Settings(police_api_url=service.url)
        with outbound_client(allowed) as client:
            for address in ("https://example.org/", "http://127.0.0.1:9/", "http://localhost/", "http://[::1]/"):
                with pytest.raises(OutboundDeniedError):
                    client.get(address)
    assert service.requests == []


@pytest.mark.requirement("X10")
def test_redirect_to_another_host_is_not_followed(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        police_service(PoliceService(records_of(1), faults=["302"])) as service,
        pytest.raises(UnavailableError, match="status 302"),
    ):
        list(api(service).fetch("2018-06", AREA))
    with outbound_client(Settings(police_api_url="http://a.example/api")) as client:
        assert not client.follow_redirects
        assert isinstance(client, httpx2.Client)


@pytest.mark.realdata
@pytest.mark.requirement("P5")
def test_real_answers_come_through_byte_for_byte(realdata: Path, api: Any, real_core: Core) -> None:
    samples = sorted((realdata / "crime" / "police_api_samples").glob("*.json"))
    records = {entry["id"]: entry for path in samples for entry in json.loads(path.read_text())}
    points = [[float(r["location"]["longitude"]), float(r["location"]["latitude"])] for r in records.values()]
    from geo import crs

    area = shapely.convex_hull(crs.geometry_to_metric(shapely.MultiPoint(points)))
    with police_service(PoliceService(list(records.values()), limit=200)) as service:
        client = api(service)
        paths = [path for month in ("2016-01", "2018-06") for path in client.fetch(month, area)]
    assert {e["id"]: e for path in paths for e in json.loads(path.read_text())} == records
    # 94 + 386 + 224 records, two of them in both wards of June 2018
    assert import_files(real_core, paths, force="metropolitan").rows == len(records) == 702


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.requirement("P5")
def test_real_borough_month_fetched_in_pieces_equals_the_dump(realdata: Path, core: Any) -> None:
    from service.areas.workflow import Fields, SetWords, import_file

    rows = [row for row in dump_rows(realdata) if row["month"] == "2018-06"]
    with police_service(PoliceService([api_record(row) for row in rows], limit=500)) as service:
        deployment = core(service.url)
        words = SetWords(name="outline", level="borough", resolution_m=0.5)
        import_file(
            deployment, realdata / "boundaries" / "lewisham_borough.geojson", words, fields=Fields(), default=False
        )
        report, _ = fetch_months(deployment, ["2018-06"], force="metropolitan")
    # the dump reaches 43 m beyond the borough, the fetch 50 m
    assert report.rows == len(rows)
    assert len(service.requests) > 8
