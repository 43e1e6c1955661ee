"""The sample deployment: filled through the real ways in, joined, with hot spots; a second call changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.app import create_app
from service.areas import workflow as areas
from service.core import Core, StartError, initialise, open_core
from service.crimes import workflow as crimes
from service.demo.workflow import Size, fill
from service.errors import ConflictError
from service.jobs import workflow as jobs
from service.people.access import DEMO
from service.places import workflow as places
from service.runs import workflow as runs
from service.settings import Settings
from service.venues import workflow as venues
from service.workshops.workflow import add_samples

TODAY = date(2026, 11, 23)
SIZE = Size(marks=60, months=12)
EVERY = places.PlaceFilter()

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Core]:
    """A small sample deployment."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("sample"), worker=False)
    initialise(settings, "demo")
    core = open_core(settings)
    assert fill(core, SIZE, today=TODAY, tell=lambda _: None) == 0
    yield core
    core.store.close()


def marks_of(core: Core) -> list[dict[str, Any]]:
    features, _ = places.list_places(core, DEMO, EVERY, limit=1000)
    return features


def test_every_mark_is_stored_as_sample_and_lies_in_a_ward(filled: Core) -> None:
    marks = marks_of(filled)
    assert len(marks) == SIZE.marks
    assert all(mark["properties"]["is_sample"] for mark in marks)
    wards = [
        area["area_gss"]
        for mark in marks
        for area in mark["properties"]["areas"]
        if area["set"] == areas.default_set(filled).name
    ]
    assert len(wards) >= SIZE.marks
    assert "" not in wards


def test_months_end_two_months_before_today_and_none_is_missing(filled: Core) -> None:
    held = crimes.months_held(filled)
    assert (held.first, held.last) == ("2025-10", "2026-09")
    summary = crimes.summary(filled)
    assert summary.months == summary.months_complete == 12
    assert summary.provenance.is_sample


def test_ward_counts_and_outside_add_up_to_all_records(filled: Core) -> None:
    summary = crimes.summary(filled)
    assert summary.total is not None
    assert sum(area.count for area in summary.areas) + (summary.outside or 0) == summary.total
    # 12 months of about 2,000: five standard deviations of a Poisson sum are 775
    assert abs(summary.total - 24_000) < 775


def test_hot_spots_are_found_and_every_mark_knows_where_it_stands(filled: Core) -> None:
    run = runs.current_run(filled, "hotspots")
    assert run is not None
    assert len(runs.hotspots_of(filled, run.id)) >= 1
    assert runs.current_run(filled, "density") is not None
    assert all(mark["properties"]["hotspot"]["distance_m"] is not None for mark in marks_of(filled))


def test_venues_are_sample_and_open_to_all(filled: Core) -> None:
    found = [venue["properties"] for venue in venues.list_venues(filled, today=TODAY)]
    assert len(found) == 17  # rows of service/demo/data/venues.csv
    assert all("(sample)" in venue["name"] and venue["is_sample"] for venue in found)


def test_no_job_is_left_waiting_or_failed(filled: Core) -> None:
    assert set(jobs.count_jobs(filled)) == {"done"}


def test_second_fill_changes_nothing(filled: Core) -> None:
    before = [mark["id"] for mark in marks_of(filled)]
    told: list[str] = []
    assert fill(filled, SIZE, today=TODAY, tell=told.append) == 0
    assert told == []
    assert [mark["id"] for mark in marks_of(filled)] == before


def test_every_page_says_that_it_is_sample(filled: Core) -> None:
    with TestClient(create_app(filled.settings)) as client:
        page = client.get("/", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "sample" in page.text.lower()


def test_demo_never_goes_into_a_real_store(real_core: Core) -> None:
    with pytest.raises(StartError, match="is a real one"):
        initialise(real_core.settings, "demo")


def test_sample_workshops_are_refused_by_a_real_deployment(real_core: Core) -> None:
    with pytest.raises(ConflictError, match="demo only"):
        add_samples(real_core, [])
