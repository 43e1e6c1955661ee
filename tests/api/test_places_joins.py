"""Marks counted by area, imported in bulk and joined again while others arrive, on both engines."""

from __future__ import annotations

import threading
import uuid
from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select, update

from service.areas.models import BoundarySet
from service.core import Core
from service.errors import NotFoundError, UnavailableError
from service.jobs.context import JobCancelledError, Silent
from service.people.access import DEMO
from service.places import counting, rejoin, workflow
from service.places.models import Place, PlaceArea, PlaceHotspot
from service.places.store import PlaceFilter
from service.web.queries import Bbox
from tests.support.hotspots import add_run
from tests.support.squares import add_squares, at, drawn, mark, square

URL = "/api/v1/places"


def imported(core: Core, *features: dict[str, Any]) -> workflow.Imported:
    for feature in features:
        feature["properties"].setdefault("day", "2026-05-01")
    return workflow.import_places(core, features)


def areas_of(core: Core, set_name: str = "squares") -> dict[uuid.UUID, list[str]]:
    """Return the current areas of each place, as the list shows them."""
    features, _ = workflow.list_places(core, DEMO, PlaceFilter(), limit=1000)
    return {
        feature["id"]: [area["area_gss"] for area in feature["properties"]["areas"] if area["set"] == set_name]
        for feature in features
    }


def test_import_stores_good_marks_and_names_what_is_wrong_with_others(core: Core) -> None:
    good = mark(500, 500, day="2026-05-01", status="approved", times=["night"])
    result = workflow.import_places(
        core, [good, mark(-900, 0, day="2026-05-01"), mark(day="2026-05-01", reasons=["ghosts"]), mark(), good]
    )
    assert (result.stored, result.known) == (1, 1)
    assert [(number, problems[0].field) for number, problems in sorted(result.rejected)] == [
        (1, "geometry.coordinates"),
        (2, "properties.reasons[0]"),
        (3, "properties.day"),
    ]
    assert workflow.import_places(core, [good]).known == 1
    (feature,), _ = workflow.list_places(core, DEMO, PlaceFilter())
    properties = feature["properties"]
    assert (properties["day"], properties["status"]) == (date(2026, 5, 1), "approved")
    assert properties["areas"][0]["area_gss"] == "E05000001"


def test_imported_marks_are_joined_like_those_that_arrive(client: TestClient, core: Core) -> None:
    add_run(core, [(1, (0, 0, 250, 250))])
    features = [mark(100, 100), mark(990, 1500), drawn("route", (750, 500), (1750, 500))]
    for feature in features:
        client.post(URL, json=feature)
    copies = [feature | {"id": str(uuid.uuid4())} for feature in features]
    imported(core, *copies)
    found, _ = workflow.list_places(core, DEMO, PlaceFilter())
    for one, copy in zip(found[:3], found[3:], strict=True):
        assert one["properties"]["areas"] == copy["properties"]["areas"]
        assert one["properties"]["hotspot"] == copy["properties"]["hotspot"]


@pytest.mark.requirement("D1")
def test_people_are_counted_once_whatever_they_pinned(core: Core) -> None:
    one, two = "contributor-key-one", "contributor-key-two"
    imported(
        core,
        *(mark(100 + k, 100, contributor_key=one) for k in range(12)),  # twelve pins of one person
        mark(300, 300, contributor_key=two, people=5),  # a group of five
        mark(300, 320, contributor_key=two, people=4),
        mark(400, 400),  # nobody said who
        mark(410, 400),
        mark(500, 500, feeling="safe", contributor_key=one),
        mark(1500, 500, feeling="mixed", day="2026-05-02"),
    )
    counts = workflow.counts_by_area(core, DEMO, "squares")
    first = counts["E05000001"]
    assert first.marks == {"unsafe": 16.0, "safe": 1.0, "mixed": 0.0}
    # 1 for the twelve pins, 5 for the group, 1 for each mark without a key
    assert first.people == {"unsafe": 8.0, "safe": 1.0, "mixed": 0.0}
    assert first.everyone == 8.0  # person one marked both kinds and is one person
    assert first.contributors == 3  # one, two, and all who did not say
    assert first.workshops == 1
    assert (counts["E05000002"].total, counts["E05000002"].contributors) == (1.0, 1)


def test_counts_add_up_with_those_outside_and_routes_by_share(core: Core) -> None:
    imported(core, mark(-300, 500), mark(500, 500), drawn("route", (750, 500), (1750, 500)))
    counts = workflow.counts_by_area(core, DEMO, "squares")
    assert {code: area.total for code, area in counts.items()} == {
        "": 1.0,
        "E05000001": pytest.approx(1.25, abs=1e-3),
        "E05000002": pytest.approx(0.75, abs=1e-3),
    }
    assert sum(area.total for area in counts.values()) == pytest.approx(3.0, abs=1e-5)


def test_counts_narrow_by_day_and_time(core: Core) -> None:
    imported(core, mark(times=["night"]), mark(times=["weekday_day"], day="2026-06-01"), mark(day="2026-07-01"))

    def total(**narrow: Any) -> float:
        return sum(area.total for area in workflow.counts_by_area(core, DEMO, "squares", **narrow).values())

    assert total() == 3
    assert total(times=("evening", "night")) == 1
    assert total(start=date(2026, 6, 1), end=date(2026, 6, 30)) == 1


def test_reasons_are_counted_by_area(core: Core) -> None:
    imported(
        core,
        mark(100, 100, reasons=["drugs", "groups"]),
        mark(200, 100, reasons=["drugs"]),
        mark(1500, 100, feeling="safe", reasons=["calm"]),
    )
    assert workflow.reasons_by_area(core, DEMO, "squares") == {
        "E05000001": {"drugs": 2.0, "groups": 1.0},
        "E05000002": {"calm": 1.0},
    }
    assert workflow.reasons_by_area(core, DEMO, "squares", feeling="safe") == {"E05000002": {"calm": 1.0}}


def test_marks_are_counted_once_in_the_area_that_holds_most_of_them(core: Core) -> None:
    imported(core, mark(500, 500, feeling="safe"), mark(-300, 500), drawn("route", (750, 500), (1250.5, 500)))
    counts = workflow.marks_by_area(core, DEMO, "squares", PlaceFilter())
    assert counts == {"": {"unsafe": 1}, "E05000001": {"safe": 1}, "E05000002": {"unsafe": 1}}
    assert workflow.marks_by_area(core, DEMO, "squares", PlaceFilter(feeling="safe")) == {"E05000001": {"safe": 1}}


def test_kept_counts_follow_every_change_and_are_counted_once(
    client: TestClient, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []
    read_people = counting.read_people
    monkeypatch.setattr(counting, "read_people", lambda *args: counted.append("once") or read_people(*args))

    def feelings() -> dict[str, float]:
        found = [workflow.counts_by_area(core, DEMO, "squares").get("E05000001") for _ in range(3)]
        assert found[0] is found[1] is found[2]
        return {name: count for name, count in found[0].marks.items() if count} if found[0] else {}

    def change(**values: Any) -> None:  # past the workflow, as another process would
        core.store.write(lambda session: session.execute(update(Place).where(Place.seq == 1).values(**values)) and None)

    assert feelings() == {}
    imported(core, mark(500, 500), mark(510, 500, feeling="safe"))
    assert feelings() == {"unsafe": 1, "safe": 1}
    change(feeling="mixed", version=2)
    assert feelings() == {"mixed": 1, "safe": 1}
    change(status="withdrawn")
    assert feelings() == {"safe": 1}
    assert len(counted) == 4


def test_positions_of_a_box_come_as_arrays(core: Core) -> None:
    imported(core, mark(100, 100, people=3), mark(1500, 1500, feeling="safe"), drawn("route", (0, 0), (50, 50)))
    west, south = at(40, 40)
    east, north = at(1600, 1600)
    found = workflow.places_in_bbox(core, DEMO, Bbox(west, south, east, north))
    assert found.feeling.tolist() == [0, 1, 0]
    assert found.kind.tolist() == [0, 0, 1]
    assert found.people.tolist() == [3, 1, 1]
    assert (found.longitude[1], found.latitude[1]) == pytest.approx(at(1500, 1500), abs=1e-7)
    assert found.features is not None
    assert [feature["geometry"]["type"] for feature in found.features] == ["Point", "Point", "LineString"]
    many = workflow.places_in_bbox(core, DEMO, None, PlaceFilter(feeling="safe"), few=0)
    assert (len(many), many.features) == (1, None)
    assert len(workflow.places_in_bbox(core, DEMO, Bbox(0, 0, 1, 1))) == 0


def test_new_set_is_joined_by_the_job_and_counts_wait_for_it(core: Core) -> None:
    imported(core, *(mark(90 * k, 700) for k in range(1, 11)), mark(1500, 100))
    halves = {"W1": square(0, 0).union(square(0, 1)), "W2": square(1, 0).union(square(1, 1))}
    add_squares(core, "halves", wards={code: (code, shape) for code, shape in halves.items()})
    with pytest.raises(UnavailableError):
        workflow.counts_by_area(core, DEMO, "halves")
    assert workflow.rejoin_places(core, "halves", Silent()) == 11
    counts = workflow.counts_by_area(core, DEMO, "halves")
    assert {code: area.total for code, area in counts.items()} == {"W1": 10.0, "W2": 1.0}


def test_rejoining_swaps_and_sweeps(core: Core) -> None:
    imported(core, mark(100, 100), mark(1500, 100), drawn("area", (800, 800), (1200, 800), (1200, 1200), (800, 1200)))
    before = areas_of(core)
    for generation in (1, 2, 3):
        workflow.rejoin_places(core, "squares", Silent())
        assert areas_of(core) == before
        with core.store.read() as session:
            assert session.scalar(select(BoundarySet.place_generation)) == generation
            assert set(session.scalars(select(PlaceArea.generation))) == {generation}


def test_job_that_was_stopped_leaves_the_old_whole_and_goes_on(core: Core, monkeypatch: Any) -> None:
    imported(core, *(mark(10 * k, 700) for k in range(1, 31)))
    workflow.rejoin_places(core, "squares", Silent())
    before = areas_of(core)
    monkeypatch.setattr(rejoin, "CHUNK", 7)

    class Stopped(Silent):
        def progress(self, fraction: float, message: str = "") -> None:  # noqa: ARG002
            raise JobCancelledError

    with pytest.raises(JobCancelledError):
        workflow.rejoin_places(core, "squares", Stopped())
    assert areas_of(core) == before
    assert workflow.rejoin_places(core, "squares", Silent()) == 23  # 7 of 30 were done
    assert areas_of(core) == before


@pytest.mark.parametrize("few", [0, 1000])
def test_mark_that_arrives_moves_or_goes_during_the_job_is_not_missed(
    client: TestClient, core: Core, monkeypatch: Any, few: int
) -> None:
    monkeypatch.setattr(rejoin, "CHUNK", 5)
    monkeypatch.setattr(rejoin, "FEW", few)
    first = mark(100, 100)
    receipts = [client.post(URL, json=one).json()["receipt"]["secret"] for one in (first, mark(120, 100))]
    imported(core, *(mark(10 * k, 700) for k in range(1, 31)))
    workflow.rejoin_places(core, "squares", Silent())
    late: list[str] = []

    class Busy(Silent):
        def progress(self, fraction: float, message: str = "") -> None:  # noqa: ARG002
            if len(late) < 4 and "places" in message:
                feature = mark(1500, 1500)
                client.post(URL, json=feature)
                late.append(feature["id"])
                there = {"type": "Point", "coordinates": at(1500, 500)}
                client.post("/api/v1/receipts/correct", json={"receipt": receipts[0], "geometry": there})
                client.post("/api/v1/receipts/withdraw", json={"receipt": receipts[1]})

    workflow.rejoin_places(core, "squares", Busy())
    found = areas_of(core)
    assert late
    assert [found[identifier] for identifier in late] == [["E05000004"]] * len(late)
    assert found[first["id"]] == ["E05000002"]
    assert len(found) == 31 + len(late)
    assert all(len(codes) == 1 for codes in found.values())


def test_marks_that_arrive_from_many_sides_during_swaps_all_keep_their_area(client: TestClient, core: Core) -> None:
    imported(core, *(mark(10 * k, 700) for k in range(1, 51)))
    answers: list[int] = []

    def send() -> None:
        answers.extend(client.post(URL, json=mark(1500, 1500)).status_code for _ in range(15))

    threads = [threading.Thread(target=send) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        workflow.rejoin_places(core, "squares", Silent())
    for thread in threads:
        thread.join()
    assert answers == [201] * 45
    found = areas_of(core)
    assert len(found) == 95
    assert all(len(codes) == 1 for codes in found.values())


def test_set_that_is_replaced_during_its_job_is_left_to_the_new_job(core: Core, monkeypatch: Any) -> None:
    from sqlalchemy import delete

    imported(core, mark(100, 100))

    class Replacing(Silent):
        def progress(self, fraction: float, message: str = "") -> None:  # noqa: ARG002
            core.store.write(lambda session: session.execute(delete(BoundarySet)))

    workflow.rejoin_places(core, "squares", Silent())
    assert workflow.rejoin_places(core, "squares", Replacing()) == 0


def test_unknown_set_is_not_found(core: Core) -> None:
    with pytest.raises(NotFoundError):
        workflow.rejoin_places(core, "nothing", Silent())


def test_hot_spots_of_a_new_run_reach_every_place(client: TestClient, core: Core, monkeypatch: Any) -> None:
    monkeypatch.setattr(rejoin, "CHUNK", 4)
    add_run(core, [(1, (0, 0, 250, 250))])
    imported(core, *(mark(100 * k, 100) for k in range(1, 11)))
    run = add_run(core, [(1, (950, 0, 1050, 200)), (2, (0, 0, 150, 150))])
    assert workflow.rejoin_hotspots(core, run, Silent()) == 10
    client.post(URL, json=mark(1020, 100))
    found, _ = workflow.list_places(core, DEMO, PlaceFilter())
    ranks = [feature["properties"]["hotspot"]["rank"] for feature in found]
    assert ranks == [2, *[None] * 8, 1, 1]
    # 400 m: 250 m from the second (ends at 150 m), 550 m from the first (begins at 950 m)
    assert found[3]["properties"]["hotspot"]["nearest_rank"] == 2
    assert found[3]["properties"]["hotspot"]["distance_m"] == pytest.approx(250, abs=0.05)
    with core.store.read() as session:
        assert session.scalar(select(func.count()).select_from(PlaceHotspot)) == 11  # those of the old run are gone


def test_run_that_is_no_longer_current_is_left_alone(core: Core) -> None:
    old = add_run(core, [(1, (0, 0, 250, 250))])
    imported(core, mark(100, 100))
    add_run(core, [])
    assert workflow.rejoin_hotspots(core, old, Silent()) == 0


def test_run_without_hot_spots_says_none(core: Core) -> None:
    run = add_run(core, [])
    imported(core, mark(100, 100))
    workflow.rejoin_hotspots(core, run, Silent())
    (feature,), _ = workflow.list_places(core, DEMO, PlaceFilter())
    hotspot = feature["properties"]["hotspot"]
    assert (hotspot["rank"], hotspot["nearest_rank"], hotspot["distance_m"]) == (None, None, None)
