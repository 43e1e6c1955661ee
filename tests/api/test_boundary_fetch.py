"""Fetching wards from a feature service that pages, fails, cuts answers and is resumed."""

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import shapely

from geo import crs
from service.areas.open_geography import Backoff, FetchError
from service.areas.workflow import FetchPlan, area_shapes, fetch_set, list_sets
from service.core import open_core
from service.errors import InvalidInputError
from service.outbound import OutboundDeniedError
from tests.support.arcgis import FakeLayer, running

WEST, SOUTH = 537_000.0, 174_000.0
QUICK = Backoff(attempts=4, first_s=0.001, longest_s=0.002)
PLAN = FetchPlan("wards", 2022, "E09000023")


def square(k: Any) -> Any:
    """Nineteen squares of 100 m in rows of five; the fourth has a hole that the fifth fills."""
    x, y = WEST + 100 * (k % 5), SOUTH + 100 * (k // 5)
    return shapely.box(x, y, x + 100, y + 100)


HOLE = shapely.box(WEST + 340, SOUTH + 40, WEST + 360, SOUTH + 60)


def shape_of(k: Any) -> Any:
    if k == 3:
        return square(3).difference(HOLE)
    return shapely.union_all([square(4), HOLE]) if k == 4 else square(k)


def wards(**options: Any) -> Any:
    rows = [
        (
            {"WD22CD": f"E050137{14 + k}", "WD22NM": f"Ward {k}", "LAD22CD": "E09000023", "LAD22NM": "Lewisham"},
            shape_of(k),
        )
        for k in (*range(10, 19), *range(10))  # the service's own order is another than that of the codes
    ]
    other = ({"WD22CD": "E05011462", "WD22NM": "Elsewhere", "LAD22CD": "E09000028"}, square(30))
    return FakeLayer("Wards_December_2022_Boundaries_UK_BFC", [other, *rows], **options)


@pytest.fixture
def portal() -> Any:
    with running(wards()) as service:
        yield service


@pytest.fixture
def core(portal: Any, make_settings: Any) -> Any:
    opened = open_core(make_settings("real", open_geography_url=portal.url))
    yield opened
    opened.store.close()


def fetch(core: Any, plan: Any = PLAN, **options: Any) -> Any:
    heard = []
    done = fetch_set(core, plan, progress=lambda *step: heard.append(step), backoff=options.get("backoff", QUICK))
    return done, heard


def offsets(portal: Any) -> Any:
    return [query["resultOffset"] for query in portal.requests if "resultOffset" in query]


def test_every_page_is_fetched_and_stored_exactly(core: Any, portal: Any) -> None:
    done, heard = fetch(core)
    shapes = area_shapes(core, "wards-2022")
    assert shapes.codes.tolist() == [f"E050137{14 + k}" for k in range(19)]
    assert shapes.names.tolist() == [f"Ward {k}" for k in range(19)]
    metric = crs.geometry_to_metric(shapes.geometries)
    for k in range(19):
        # 1e-8 degrees and 1 mm of rounding on the way there and back
        assert shapely.hausdorff_distance(metric[k], shape_of(k)) < 0.003
    assert offsets(portal) == ["0", "7", "14"]
    assert heard == [(0, 19), (7, 19), (14, 19), (19, 19)]
    assert done.changed
    assert (done.file.code_field, done.file.name_field, done.file.source_crs) == ("WD22CD", "WD22NM", "EPSG:27700")


def test_hole_and_multipolygon_survive(core: Any, portal: Any) -> None:
    done, _ = fetch(core)
    assert done.report.clean
    assert done.report.multipart == ("E05013718",)
    assert done.report.total_km2 == pytest.approx(0.19, abs=1e-5)


def test_set_says_where_it_comes_from(core: Any, portal: Any) -> None:
    view = fetch(core)[0].view
    assert (view.name, view.level, view.approximate, view.is_default) == ("wards-2022", "ward", False, True)
    assert "Wards_December_2022_Boundaries_UK_BFC" in view.source
    assert view.licence == "Open Government Licence v3.0"
    assert "Office for National Statistics" in view.attribution


def test_requests_follow_the_contract(core: Any, portal: Any) -> None:
    fetch(core)
    count, *pages = portal.requests
    assert count == {"where": "LAD22CD='E09000023'", "returnCountOnly": "true", "f": "json"}
    for page in pages:
        assert page["outFields"] == "WD22CD,WD22NM"
        assert page["orderByFields"] == "WD22CD"
        assert page["outSR"] == "27700"
        assert page["returnGeometry"] == "true"


@pytest.mark.parametrize("fault", ["503", "429", "500", "error-body", "no-json", "cut"])
def test_passing_fault_is_tried_again(core: Any, portal: Any, fault: Any) -> None:
    portal.faults = [fault, "", fault, fault, ""]  # at the count once, then twice at a page
    done, _ = fetch(core)
    assert len(done.report.areas) == 19
    assert len(portal.requests) == 1 + 3 + 3  # count, three pages, three repetitions


def test_lasting_fault_ends_with_one_message_and_keeps_the_pages(core: Any, portal: Any) -> None:
    portal.faults = ["", "", *["503"] * 4]
    with pytest.raises(FetchError, match=r"failed 4 times \(HTTP 503\)"):
        fetch(core)
    assert list_sets(core) == []
    portal.requests.clear()
    done, heard = fetch(core)
    assert offsets(portal) == ["7", "14"]  # the first page is not asked for again
    assert heard[1] == (7, 19)
    assert len(done.report.areas) == 19


def test_interrupted_fetch_goes_on_where_it_stopped(core: Any, portal: Any) -> None:
    def interrupt(got: Any, total: Any) -> Any:
        if got == 14:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch_set(core, PLAN, progress=interrupt, backoff=QUICK)
    portal.requests.clear()
    fetch(core)
    assert offsets(portal) == ["14"]
    assert not list((core.settings.data_dir / "fetch").iterdir())


@pytest.mark.slow
def test_command_killed_in_the_middle_goes_on_where_it_stopped(portal: Any, make_settings: Any) -> None:
    settings = make_settings("real")
    environment = os.environ | {
        "SAFER_PLACES_DATA_DIR": str(settings.data_dir),
        "SAFER_PLACES_OPEN_GEOGRAPHY_URL": portal.url,
    }
    command = [sys.executable, "-m", "service.cli", "boundaries", "fetch", "wards", "--year", "2022"]
    portal.faults = ["", "", "stall"]  # the count, the first page; the second page is held back
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert portal.stalled.wait(timeout=60)
        process.kill()
    portal.requests.clear()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Read 19 areas, 0.19 km2, from EPSG:27700." in done.stdout
    assert "Stored wards-2022. It is the default." in done.stdout
    assert offsets(portal) == ["7", "14"]


def test_half_written_page_is_fetched_again(core: Any, portal: Any) -> None:
    portal.faults = ["", "", *["503"] * 4]
    with pytest.raises(FetchError):
        fetch(core)
    (folder,) = (core.settings.data_dir / "fetch").iterdir()
    (folder / "page-0000007.part").write_bytes(b'{"features": [')  # what a killed process leaves
    done, _ = fetch(core)
    assert len(done.report.areas) == 19


def test_layer_that_changed_meanwhile_is_fetched_from_the_start(core: Any, portal: Any) -> None:
    portal.faults = ["", "", *["503"] * 4]
    with pytest.raises(FetchError):
        fetch(core)
    portal.layers[0].rows.pop()
    portal.requests.clear()
    done, _ = fetch(core)
    assert offsets(portal) == ["0", "7", "14"]
    assert len(done.report.areas) == 18


def test_fetching_again_changes_nothing(core: Any, portal: Any) -> None:
    first, _ = fetch(core)
    again, _ = fetch(core)
    assert not again.changed
    assert again.view == first.view


def test_service_that_ends_early_is_told(core: Any, portal: Any) -> None:
    answer = portal.answer
    portal.answer = lambda path, query: {
        name: value for name, value in answer(path, query).items() if name != "exceededTransferLimit"
    }
    with pytest.raises(FetchError, match="ended after 7 of 19 areas"):
        fetch(core)
    assert list_sets(core) == []


def test_refusal_is_told_at_once_with_what_to_do(core: Any, portal: Any) -> None:
    with pytest.raises(FetchError, match=r"error 400, Invalid URL.*--service"):
        fetch(core, FetchPlan("wards", 2023, "E09000023"))
    assert len(portal.requests) == 1


def test_unknown_borough_is_told(core: Any, portal: Any) -> None:
    with pytest.raises(FetchError, match="no areas with LAD22CD = E09000099"):
        fetch(core, FetchPlan("wards", 2022, "E09000099"))


def test_redirect_is_not_followed(core: Any, portal: Any) -> None:
    portal.faults = ["302"]
    with pytest.raises(FetchError, match="HTTP 302"):
        fetch(core)
    assert len(portal.requests) == 1


def test_server_that_only_speaks_geojson_is_understood(make_settings: Any) -> None:
    with running(wards(speaks_geojson_only=True)) as portal:
        core = open_core(make_settings("real", open_geography_url=portal.url))
        try:
            done, _ = fetch(core)
        finally:
            core.store.close()
    assert len(done.report.areas) == 19
    assert done.file.source_crs == "EPSG:4326"


def test_named_service_and_set_are_used(make_settings: Any) -> None:
    layer = wards()
    layer.service = "WD_DEC_2022_UK_BFC_V9"
    with running(layer) as portal:
        core = open_core(make_settings("demo", open_geography_url=portal.url))
        try:
            done, _ = fetch(core, FetchPlan("wards", 2022, "E09000023", "ours", "WD_DEC_2022_UK_BFC_V9", default=True))
        finally:
            core.store.close()
    assert (done.view.name, done.view.is_default) == ("ours", True)


def test_boroughs_come_from_their_own_layer(make_settings: Any) -> None:
    outline = shapely.union_all([square(k) for k in range(20)])
    rows = [({"LAD22CD": "E09000023", "LAD22NM": "Lewisham"}, outline)]
    with running(FakeLayer("Local_Authority_Districts_December_2022_Boundaries_UK_BFC", rows)) as portal:
        core = open_core(make_settings("real", open_geography_url=portal.url))
        try:
            done, _ = fetch(core, FetchPlan("boroughs", 2022, "E09000023"))
        finally:
            core.store.close()
    assert (done.view.name, done.view.level, done.view.area_count) == ("boroughs-2022", "borough", 1)


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (FetchPlan("parishes", 2022, "E09000023"), "use wards or boroughs"),
        (FetchPlan("wards", 1999, "E09000023"), "known: 2022, 2023, 2024"),
        (FetchPlan("wards", 2022, "x' OR 1=1"), "no GSS code"),
        (FetchPlan("wards", 2022, "E09000023", service="../admin"), "letters, digits and underscores"),
        (FetchPlan("wards", 2022, "E09000023", set_name="Not A Slug"), "cannot be used"),
    ],
)
def test_plan_that_cannot_be_used_asks_nothing(core: Any, portal: Any, plan: Any, message: Any) -> None:
    with pytest.raises(InvalidInputError, match=message):
        fetch(core, plan)
    assert portal.requests == []


@pytest.mark.requirement("X10")
def test_other_host_than_the_setting_is_refused(core: Any, portal: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(type(core.settings), "outbound_hosts", frozenset({"data.police.uk"}))
    with pytest.raises(OutboundDeniedError, match="not allowed"):
        fetch(core)
    assert portal.requests == []


def test_waits_grow_and_are_bounded() -> None:
    patience = Backoff(attempts=6, first_s=1.0, longest_s=10.0)
    assert np.allclose([patience.wait_s(k) for k in range(1, 6)], [1, 2, 4, 8, 10])
