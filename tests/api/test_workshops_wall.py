"""The wall: enough people behind each area, batches that tell nothing of one person, a stream that lasts."""

from __future__ import annotations

import json
import uuid
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient

from service.core import Core
from service.errors import ConflictError
from service.places.workflow import WardMark
from service.workshops import workflow
from service.workshops.wall import drawn_areas
from tests.conftest import bearer
from tests.support.squares import drawn, mark
from tests.support.workshops import phone, set_up, staff

NAMES = {"A": "Ash", "B": "Beech", "C": "Cedar"}


def said(ward: str, people: int, feeling: str = "safe", *, start: int = 1) -> list[WardMark]:
    return [WardMark(ward, start + n, f"{ward}-{start + n}", feeling) for n in range(people)]


def test_ward_is_drawn_from_five_people_on() -> None:
    four, _ = drawn_areas(said("A", 4), NAMES, [], fewest=5)
    five, changed = drawn_areas(said("A", 5), NAMES, [], fewest=5)
    assert four == []
    assert [(area["name"], area["state"], changed) for area in five] == [("Ash", "safe", 1)]


@pytest.mark.requirement("D1")
def test_twelve_marks_of_one_person_are_one_person() -> None:
    same = [WardMark("A", n, "one", "unsafe") for n in range(12)]
    assert drawn_areas(same, NAMES, [], fewest=5) == ([], 0)


def test_small_wards_are_drawn_together_if_that_is_enough() -> None:
    marks = said("A", 5) + said("B", 2, "unsafe", start=10) + said("C", 3, "unsafe", start=20)
    areas, _ = drawn_areas(marks, NAMES, [], fewest=5)
    assert [(area["name"], area["codes"]) for area in areas] == [("Ash", ["A"]), ("Beech and Cedar", ["B", "C"])]
    alone, _ = drawn_areas(said("A", 5) + said("B", 4, start=10), NAMES, [], fewest=5)
    assert [area["name"] for area in alone] == ["Ash"]


def test_area_changes_only_with_five_new_people() -> None:
    first, _ = drawn_areas(said("A", 5, "safe"), NAMES, [], fewest=5)
    more = said("A", 5, "safe") + said("A", 4, "unsafe", start=6)
    again, changed = drawn_areas(more, NAMES, first, fewest=5)
    assert (again, changed) == (first, 0)
    more += said("A", 1, "unsafe", start=10)
    last, changed = drawn_areas(more, NAMES, first, fewest=5)
    assert ([area["state"] for area in last], changed) == (["both"], 1)  # five and five


def test_area_goes_when_people_took_their_marks_back() -> None:
    first, _ = drawn_areas(said("A", 5), NAMES, [], fewest=5)
    assert drawn_areas(said("A", 4), NAMES, first, fewest=5) == ([], 1)


@pytest.mark.parametrize(
    ("safe", "unsafe", "state"), [(5, 0, "safe"), (3, 2, "safe"), (2, 3, "unsafe"), (5, 5, "both"), (0, 6, "unsafe")]
)
def test_state_is_what_six_of_ten_say(safe: int, unsafe: int, state: str) -> None:
    marks = said("A", safe) + said("A", unsafe, "unsafe", start=100)
    assert drawn_areas(marks, NAMES, [], fewest=5)[0][0]["state"] == state


def send(client: TestClient, code: str, people: int, **values: Any) -> None:
    for _ in range(people):
        one = values.pop("one", None) or mark(contributor_key=uuid.uuid4().hex, **values)
        assert phone(client, code).post("/api/v1/workshop/places", json=one).status_code == 201


@pytest.mark.requirement("C4")
def test_wall_is_off_empty_and_filled_only_by_release(client: TestClient, core: Core) -> None:
    made, code = set_up(core)
    worker = staff(core, "youth_worker")
    number = workflow.read_own(core, worker, made).id
    send(client, code, 5)
    assert workflow.read_wall(core, number).to_json() == {"on": False, "paused": False, "batch": 0, "areas": []}
    with pytest.raises(ConflictError):
        workflow.release_batch(core, worker, made)
    workflow.set_wall(core, worker, made, on=True)
    assert workflow.read_wall(core, number).areas == []
    assert workflow.release_batch(core, worker, made) == 1
    shown = workflow.read_wall(core, number).areas
    assert shown == [{"codes": ["E05000001"], "name": "South West", "state": "unsafe"}]  # no number of anything
    with pytest.raises(ConflictError):
        workflow.release_batch(core, worker, made)
    workflow.set_wall(core, worker, made, on=False)
    assert workflow.read_wall(core, number).areas == []


@pytest.mark.requirement("S9", "E5", "S5")
def test_never_published_border_held_and_withdrawn_marks_stay_off_the_wall(client: TestClient, core: Core) -> None:
    from sqlalchemy import update

    from service.places.models import Place

    made, code = set_up(core, takes_borders=True)
    worker = staff(core, "youth_worker")
    workflow.set_wall(core, worker, made, on=True)
    send(client, code, 4)
    send(client, code, 1, publish="never")
    send(client, code, 1, one=drawn("border", (100, 100), (300, 300), contributor_key=uuid.uuid4().hex))
    with pytest.raises(ConflictError):
        workflow.release_batch(core, worker, made)
    send(client, code, 1)
    assert workflow.release_batch(core, worker, made) == 1
    held = update(Place).where(Place.kind == "point", Place.publish == "count").values(status="held")
    core.store.write(lambda session: session.execute(held, execution_options={"synchronize_session": False}))
    assert workflow.release_batch(core, worker, made) == 1
    assert workflow.read_wall(core, workflow.read_own(core, worker, made).id).areas == []


@pytest.mark.requirement("X2")
def test_wall_and_its_stream_are_for_those_who_run_it(real: TestClient) -> None:
    core: Core = real.app.state.core  # type: ignore[attr-defined]
    made, _ = set_up(core)
    for path in (f"/workshops/{made}/wall", f"/workshops/{made}/wall/events"):
        assert real.get(path).status_code == 401
        assert real.get(path, headers=bearer("other_worker")).status_code == 404
        assert real.get(path, headers=bearer("safeguarding_lead")).status_code == 403
    assert real.get(f"/workshops/{made}/wall", headers=bearer("youth_worker")).status_code == 200


def test_stream_tells_the_state_at_once_and_again_when_it_changes(tmp_path: Any) -> None:
    from service.core import initialise, open_core
    from service.settings import Settings
    from tests.conftest import add_staff, running_server
    from tests.support.squares import add_squares

    settings = Settings(data_dir=tmp_path)
    initialise(settings, "demo")
    add_staff(settings)
    core = open_core(settings)
    add_squares(core)
    made, _ = set_up(core)
    with running_server(tmp_path, {"SAFER_PLACES_WORKER": "false"}) as server:
        url = f"{server.url}/workshops/{made}/wall/events"
        with httpx2.Client(headers=bearer("youth_worker"), timeout=60) as client:
            with client.stream("GET", url) as one, client.stream("GET", url) as other:
                assert one.headers["content-type"].startswith("text/event-stream")
                lines, twin = one.iter_lines(), other.iter_lines()
                assert next(lines) == "retry: 3000"
                assert state(lines)["on"] is False
                assert state(twin)["on"] is False
                workflow.set_wall(core, staff(core, "youth_worker"), made, on=True)
                assert state(lines)["on"] is True
                assert state(twin)["on"] is True
            with client.stream("GET", url) as after:  # a screen that comes back
                assert state(after.iter_lines())["on"] is True
    core.store.close()


def state(lines: Any) -> dict[str, Any]:
    found: dict[str, Any] = next(json.loads(line[6:]) for line in lines if line.startswith("data: "))
    return found
