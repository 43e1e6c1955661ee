"""Marks: stored once, joined on arrival, listed by filter and page, on both engines."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from service.core import Core
from service.places import store
from service.places.schemas import PlaceCollection, PlaceCreated, PlaceOut
from service.places.state import today
from tests.support.squares import at, drawn, mark

URL = "/api/v1/places"


def post(client: TestClient, feature: dict[str, Any], **headers: str) -> Any:
    return client.post(URL, json=feature, headers=headers)


def stored(client: TestClient, feature: dict[str, Any]) -> dict[str, Any]:
    answer = post(client, feature)
    assert answer.status_code == 201, answer.text
    place: dict[str, Any] = answer.json()["place"]
    return place


def ids(client: TestClient, **query: Any) -> list[str]:
    answer = client.get(URL, params=query)
    assert answer.status_code == 200, answer.text
    return [feature["id"] for feature in answer.json()["features"]]


def test_mark_is_stored_pending_with_the_day_and_its_ward(client: TestClient) -> None:
    feature = mark(500, 500, feeling="unsafe", times=["night"], reasons=["poor_lighting"])
    place = stored(client, feature)
    assert place["id"] == feature["id"]
    assert place["geometry"]["coordinates"] == pytest.approx(feature["geometry"]["coordinates"], abs=1e-7)
    properties = place["properties"]
    assert properties["status"] == "pending"
    assert properties["day"] == today().isoformat()
    assert (properties["feeling"], properties["times"], properties["reasons"]) == (
        "unsafe",
        ["night"],
        ["poor_lighting"],
    )
    # the middle of a square of 1 km lies 500 m from each side
    assert properties["areas"] == [
        {
            "set": "squares",
            "area_gss": "E05000001",
            "name": "South West",
            "share": 1.0,
            "edge_m": pytest.approx(500, abs=0.03),
            "neighbour_gss": properties["areas"][0]["neighbour_gss"],
            "near_border": False,
        }
    ]


def test_answers_are_what_the_api_description_says(client: TestClient) -> None:
    feature = mark(note="words", suggestion="a lamp")
    PlaceCreated.model_validate(post(client, feature).json())
    PlaceOut.model_validate(client.get(f"{URL}/{feature['id']}").json())
    PlaceCollection.model_validate(client.get(URL).json())


def test_mark_10_m_from_a_line_is_near_the_neighbour(client: TestClient) -> None:
    area = stored(client, mark(990, 500))["properties"]["areas"][0]
    assert (area["area_gss"], area["neighbour_gss"], area["near_border"]) == ("E05000001", "E05000002", True)
    assert area["edge_m"] == pytest.approx(10, abs=0.03)


def test_mark_outside_every_ward_but_within_500_m_counts_as_outside(client: TestClient) -> None:
    area = stored(client, mark(-300, 500))["properties"]["areas"][0]
    assert (area["area_gss"], area["name"]) == ("", "")
    assert area["edge_m"] == pytest.approx(300, abs=0.03)


def test_route_is_shared_by_length(client: TestClient) -> None:
    # 250 m in the first ward, 750 m in the second
    place = stored(client, drawn("route", (750, 500), (1750, 500)))
    shares = {area["area_gss"]: area["share"] for area in place["properties"]["areas"]}
    assert shares == {"E05000001": pytest.approx(0.25, abs=1e-3), "E05000002": pytest.approx(0.75, abs=1e-3)}


def test_area_is_shared_by_surface(client: TestClient) -> None:
    # 400 m x 400 m around the corner where all four wards meet
    place = stored(client, drawn("area", (800, 800), (1200, 800), (1200, 1200), (800, 1200)))
    shares = [area["share"] for area in place["properties"]["areas"]]
    assert shares == pytest.approx([0.25] * 4, abs=1e-3)


def test_sent_twice_stored_once_with_the_same_answer(client: TestClient) -> None:
    feature = mark(note="as it was")
    first, second = post(client, feature), post(client, feature)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert ids(client) == [feature["id"]]


def test_key_stands_for_a_missing_id(client: TestClient) -> None:
    feature = mark() | {"id": None}
    first = post(client, feature, **{"Idempotency-Key": "request-1"})
    second = post(client, feature, **{"Idempotency-Key": "request-1"})
    other = post(client, feature, **{"Idempotency-Key": "request-2"})
    assert (first.status_code, second.status_code, other.status_code) == (201, 200, 201)
    assert first.json() == second.json()
    assert len(ids(client)) == 2
    assert uuid.UUID(first.json()["place"]["id"]).version == 4


def test_key_with_another_mark_is_a_conflict(client: TestClient) -> None:
    headers = {"Idempotency-Key": "request-1"}
    post(client, mark(feeling="safe") | {"id": None}, **headers)
    answer = post(client, mark(feeling="mixed") | {"id": None}, **headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_same_id_with_another_mark_is_a_conflict_and_changes_nothing(client: TestClient) -> None:
    feature = mark(feeling="unsafe")
    post(client, feature)
    answer = post(client, feature | {"properties": {"feeling": "safe"}})
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert client.get(f"{URL}/{feature['id']}").json()["properties"]["feeling"] == "unsafe"


@pytest.mark.requirement("X7")
def test_two_deliveries_of_one_mark_at_the_same_moment_store_it_once(
    client: TestClient, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second looked before the first had stored it: the database refuses, and the first one's answer is given."""
    feature = mark()
    assert post(client, feature).status_code == 201
    really = store.find_known
    blind = iter([True])
    monkeypatch.setattr(store, "find_known", lambda *given: None if next(blind, False) else really(*given))
    again = post(client, feature)
    assert (again.status_code, again.json()["place"]["id"]) == (200, feature["id"])
    with core.store.read() as session:
        assert session.execute(text("SELECT count(*) FROM place")).scalar_one() == 1


@pytest.mark.requirement("X4")
def test_receipt_of_another_mark_is_a_conflict_and_stores_nothing(client: TestClient, core: Core) -> None:
    secret = {"receipt": "A1b2C3d4E5f6G7h8I9j0Kw"}
    assert post(client, mark() | secret).status_code == 201
    refused = post(client, mark() | secret)
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert secret["receipt"] not in refused.text
    with core.store.read() as session:
        assert session.execute(text("SELECT count(*) FROM place")).scalar_one() == 1


def test_receipt_made_on_the_device_comes_back(client: TestClient) -> None:
    secret = "Zk3_w9Qe-Lp0Xy7RtUvB2A"
    answer = post(client, mark() | {"receipt": secret}).json()
    assert answer["receipt"]["secret"] == secret
    assert len(answer["receipt"]["words"]) == 16


def test_receipt_is_stored_only_as_a_hash(client: TestClient, core: Core) -> None:
    secret = post(client, mark()).json()["receipt"]["secret"]
    with core.store.read() as session:
        (row,) = session.execute(text("SELECT receipt_hash FROM receipt")).all()
    assert row.receipt_hash == core.keyed_hash("receipt", secret)
    assert secret not in row.receipt_hash


def test_list_is_paged_in_order_without_gap_or_repeat(client: TestClient) -> None:
    wanted = [stored(client, mark(100 * k, 500))["id"] for k in range(1, 8)]
    seen: list[str] = []
    url: str | None = f"{URL}?limit=3"
    pages = 0
    while url:
        answer = client.get(url).json()
        assert answer["number_returned"] == len(answer["features"])
        seen += [feature["id"] for feature in answer["features"]]
        url = next((link["href"] for link in answer["links"] if link["rel"] == "next"), None)
        pages += 1
    assert (seen, pages) == (wanted, 3)


def test_next_link_keeps_the_filters(client: TestClient) -> None:
    for k in range(4):
        stored(client, mark(100 + k, 500, feeling="safe" if k % 2 else "unsafe", times=["night"]))
    query = {"limit": 1, "feeling": "safe", "times": ["night", "evening"], "area": "squares:E05000001"}
    first = client.get(URL, params=query).json()
    second = client.get(first["links"][0]["href"]).json()
    assert [f["properties"]["feeling"] for f in second["features"]] == ["safe"]
    assert second["links"] == []


def test_filters_narrow(client: TestClient) -> None:
    dark = stored(client, mark(100, 100, feeling="unsafe", times=["night"], reasons=["poor_lighting"]))["id"]
    calm = stored(client, mark(1500, 1500, feeling="safe", times=["weekday_day"], reasons=["calm"]))["id"]
    walk = stored(client, drawn("route", (200, 1200), (800, 1200), feeling="mixed"))["id"]
    assert ids(client, feeling="safe") == [calm]
    assert ids(client, kind="route") == [walk]
    assert ids(client, times="night") == [dark]
    assert ids(client, times=["night", "weekday_day"]) == [dark, calm]
    assert ids(client, reason="calm") == [calm]
    assert ids(client, area="squares:E05000004") == [calm]
    assert ids(client, area="squares:E05000003") == [walk]
    assert ids(client, since="2200-01-01") == []
    assert ids(client, until="2000-01-01") == []
    assert ids(client, status="approved") == []
    assert ids(client, status="pending") == [dark, calm, walk]


def test_bbox_holds_its_edges_and_nothing_beyond(client: TestClient) -> None:
    longitude, latitude = -0.0211234, 51.4567891
    feature = mark() | {"geometry": {"type": "Point", "coordinates": at(500, 500)}}
    inside = stored(client, feature)
    longitude, latitude = inside["geometry"]["coordinates"]
    step = 1e-7  # a float index would take this for the same place
    assert ids(client, bbox=f"{longitude},{latitude},{longitude},{latitude}") == [inside["id"]]
    assert ids(client, bbox=f"{longitude + step},{latitude},{longitude + 1},{latitude + 1}") == []
    assert ids(client, bbox=f"{longitude - 1},{latitude - 1},{longitude},{latitude - step}") == []


@pytest.mark.parametrize(
    "query",
    [
        {"bbox": "here"},
        {"bbox": "1,2,3"},
        {"bbox": "0,0,nan,1"},
        {"bbox": "2,0,1,1"},
        {"area": "E05000001"},
        {"limit": 0},
        {"limit": 1001},
        {"cursor": -1},
        {"since": "yesterday"},
        {"status": "deleted"},
        {"colour": "red"},
    ],
)
def test_query_that_means_nothing_is_refused(client: TestClient, query: dict[str, Any]) -> None:
    answer = client.get(URL, params=query)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")


def test_unknown_place_is_not_found(client: TestClient) -> None:
    assert client.get(f"{URL}/{uuid.uuid4()}").status_code == 404


@pytest.mark.requirement("C3")
def test_what_is_not_said_is_the_most_private(client: TestClient) -> None:
    properties = stored(client, mark())["properties"]
    assert properties["status"] == "pending"  # nothing is counted anywhere before somebody moderated it
    assert (properties["note"], properties["suggestion"], properties["people"]) == (None, None, 1)


@pytest.mark.requirement("C5")
def test_one_key_in_two_sessions_cannot_be_joined(client: TestClient, core: Core, monkeypatch: Any) -> None:
    from datetime import date

    from sqlalchemy import select

    from service.places import workflow
    from service.places.models import Place

    key = "the-same-random-key-1"
    stored(client, mark(contributor_key=key))
    stored(client, mark(contributor_key=key))
    monkeypatch.setattr(workflow, "today", lambda: date(2026, 1, 2))
    stored(client, mark(contributor_key=key))
    with core.store.read() as session:
        kept = session.scalars(select(Place.contributor_key).order_by(Place.seq)).all()
    assert kept[0] == kept[1]  # one session: one person
    assert kept[2] != kept[0]  # another day: nobody can tell
    assert key not in str(kept)


def test_reasons_are_served_to_everybody(real: TestClient) -> None:
    answer = real.get("/api/v1/reasons")
    assert answer.headers["cache-control"].startswith("public")
    codes = {reason["code"]: reason["feeling"] for reason in answer.json()["reasons"]}
    assert (codes["poor_lighting"], codes["calm"], codes["police_there"]) == ("unsafe", "safe", "both")
    assert [time["code"] for time in answer.json()["times"]] == [
        "weekday_day",
        "after_school",
        "weekend_day",
        "evening",
        "night",
    ]


def test_place_knows_the_hot_spot_it_is_in_or_the_metres_to_it(client: TestClient, core: Core) -> None:
    from tests.support.hotspots import add_run

    add_run(core, [(1, (0, 0, 250, 250)), (2, (1500, 0, 1750, 250))])
    inside = stored(client, mark(100, 100))["properties"]["hotspot"]
    beside = stored(client, mark(1400, 100))["properties"]["hotspot"]
    assert (inside["rank"], inside["nearest_rank"], inside["distance_m"]) == (1, 1, 0.0)
    assert (beside["rank"], beside["nearest_rank"]) == (None, 2)
    assert beside["distance_m"] == pytest.approx(100, abs=0.05)
