"""Receipts: see, correct and take back a mark without saying who one is (L7, C7)."""

from __future__ import annotations

import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import sleep
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from service.core import Core
from service.places.changing import change_place
from service.places.models import Place, PlaceArea, Receipt
from tests.support.squares import at, drawn, mark

PLACES, READ, CORRECT, WITHDRAW = (
    "/api/v1/places",
    "/api/v1/receipts/read",
    "/api/v1/receipts/correct",
    "/api/v1/receipts/withdraw",
)


OWN = {"Origin": "http://testserver"}


@pytest.fixture
def sent(client: TestClient) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a mark and its receipt."""
    feature = mark(500, 500, feeling="unsafe", reasons=["drugs"], times=["night"], note="ZEBRA", suggestion="OKAPI")
    return feature, client.post(PLACES, json=feature).json()["receipt"]


def test_receipt_shows_ward_day_and_state_and_never_the_words(
    client: TestClient, sent: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    answer = client.post(READ, json={"receipt": sent[1]["secret"]})
    seen = answer.json()
    assert (seen["ward"], seen["state"], seen["kind"], seen["feeling"]) == (
        "South West",
        "pending",
        "point",
        "unsafe",
    )
    assert "ZEBRA" not in answer.text
    assert "OKAPI" not in answer.text
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.requirement("X4", "A5")
def test_receipt_can_be_said_as_words(client: TestClient, sent: tuple[dict[str, Any], dict[str, Any]]) -> None:
    words = sent[1]["words"]
    said = ", ".join(words).upper()
    assert client.post(READ, json={"receipt": said}).json()["ward"] == "South West"
    assert client.post(READ, json={"receipt": " ".join(reversed(words))}).status_code == 404


def test_unknown_receipt_is_not_found(client: TestClient) -> None:
    answer = client.post(READ, json={"receipt": "A1b2C3d4E5f6G7h8I9j0Kw"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_correcting_goes_back_to_pending_and_keeps_the_rest(
    client: TestClient, core: Core, sent: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    approve(core, sent[0]["id"])
    answer = client.post(CORRECT, json={"receipt": sent[1]["secret"], "feeling": "mixed", "times": []})
    seen = answer.json()
    assert (seen["feeling"], seen["times"], seen["reasons"]) == ("mixed", [], ["drugs"])
    assert (seen["state"], seen["version"]) == ("pending", 2)


def test_moving_joins_again(client: TestClient, sent: tuple[dict[str, Any], dict[str, Any]]) -> None:
    there = {"type": "Point", "coordinates": at(1500, 1500)}
    assert client.post(CORRECT, json={"receipt": sent[1]["secret"], "geometry": there}).json()["ward"] == "North East"
    areas = client.get(f"{PLACES}/{sent[0]['id']}").json()["properties"]["areas"]
    assert [area["area_gss"] for area in areas] == ["E05000004"]
    longitude, latitude = there["coordinates"]
    near = {"bbox": f"{longitude - 1e-4},{latitude - 1e-4},{longitude + 1e-4},{latitude + 1e-4}"}
    assert client.get(PLACES, params=near).json()["number_returned"] == 1
    longitude, latitude = sent[0]["geometry"]["coordinates"]
    old = {"bbox": f"{longitude - 1e-4},{latitude - 1e-4},{longitude + 1e-4},{latitude + 1e-4}"}
    assert client.get(PLACES, params=old).json()["number_returned"] == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({}, "body"),
        ({"feeling": "safe"}, "reasons[0]"),  # drugs is no reason to feel safe
        ({"reasons": ["ghosts"]}, "reasons[0]"),
        ({"kind": "route"}, "kind"),
        ({"geometry": {"type": "Point", "coordinates": [0.5, 51.5]}}, "geometry.coordinates"),
        ({"note": "new words"}, "body"),
    ],
)
def test_correction_that_cannot_be_is_refused(
    client: TestClient, sent: tuple[dict[str, Any], dict[str, Any]], change: dict[str, Any], field: str
) -> None:
    answer = client.post(CORRECT, json={"receipt": sent[1]["secret"], **change})
    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.json()["errors"]]


def test_point_becomes_a_route_with_its_shape(client: TestClient, sent: tuple[dict[str, Any], dict[str, Any]]) -> None:
    line = drawn("route", (1200, 1200), (1800, 1800))["geometry"]
    seen = client.post(CORRECT, json={"receipt": sent[1]["secret"], "kind": "route", "geometry": line}).json()
    assert (seen["kind"], seen["ward"]) == ("route", "North East")


@pytest.mark.requirement("L7", "C7")
def test_withdrawing_erases_what_was_said_and_leaves_a_tombstone(
    client: TestClient, core: Core, sent: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    answer = client.post(WITHDRAW, json={"receipt": sent[1]["secret"]})
    assert (answer.json()["state"], answer.json()["ward"]) == ("withdrawn", None)
    assert client.get(PLACES).json()["features"] == []
    assert client.get(f"{PLACES}/{sent[0]['id']}").status_code == 404
    with core.store.read() as session:
        place = session.scalars(select(Place)).one()
        assert session.scalars(select(PlaceArea)).all() == []
        assert session.scalars(select(Receipt)).one()
        if core.store.is_sqlite:
            assert session.execute(text("SELECT count(*) FROM place_rtree")).scalar() == 0
    gone = ("geometry", "longitude_e7", "latitude_e7", "note", "suggestion", "public_text", "contributor_key")
    assert [getattr(place, name) for name in gone] == [None] * len(gone)
    assert (place.request_hash, place.times, place.reasons) == ("", [], [])


def test_withdrawn_id_stays_gone(client: TestClient, sent: tuple[dict[str, Any], dict[str, Any]]) -> None:
    client.post(WITHDRAW, json={"receipt": sent[1]["secret"]})
    answer = client.post(PLACES, json=sent[0])
    assert (answer.status_code, answer.json()["code"]) == (410, "gone")
    assert client.post(CORRECT, json={"receipt": sent[1]["secret"], "times": []}).status_code == 410


def test_withdrawing_twice_changes_nothing_more(
    client: TestClient, sent: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    first = client.post(WITHDRAW, json={"receipt": sent[1]["secret"]}).json()
    assert client.post(WITHDRAW, json={"receipt": sent[1]["secret"]}).json() == first


@pytest.mark.requirement("S5")
def test_held_mark_waits_for_the_lead_and_leaves_every_output(
    client: TestClient, core: Core, sent: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    approve(core, sent[0]["id"], "held")
    refused = client.post(CORRECT, json={"receipt": sent[1]["secret"], "times": []})
    assert refused.status_code == 409
    assert not re.search("adult|lead|looking", refused.text)
    assert client.post(WITHDRAW, json={"receipt": sent[1]["secret"]}).json()["state"] == "withdrawn"
    with core.store.read() as session:
        place = session.scalars(select(Place)).one()
    assert (place.note, place.publish) == ("ZEBRA", "never")
    assert place.withdrawn_on is not None


@pytest.mark.requirement("S4")
def test_who_holds_the_receipt_does_not_learn_that_a_mark_is_with_the_lead(
    client: TestClient, core: Core, sent: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    """Somebody at home who makes a child show the receipt reads the same of a mark that waits and of one passed on."""
    other = client.post(PLACES, json={**sent[0], "id": str(uuid.uuid4())}).json()["receipt"]["secret"]
    held, plain = sent[1]["secret"], other
    approve(core, sent[0]["id"], "held")

    def told(path: str, secret: str) -> Any:
        return client.post(path, json={"receipt": secret}).json() | {"version": None}

    def page(secret: str, action: str) -> str:
        answer = client.post("/receipt", data={"receipt": secret, "action": action}, headers=OWN)
        return re.sub(r"nonce-?=?\"?[\w+/=-]+\"?", "", answer.text.replace(secret, ""))

    for action in ("look", "take-back"):
        assert page(held, action) == page(plain, action)
    assert told(READ, held) == told(READ, plain)
    assert told(WITHDRAW, held) == told(WITHDRAW, plain)
    assert told(READ, held) == told(READ, plain)
    assert page(held, "look") == page(plain, "look")


@pytest.mark.requirement("S5")
def test_withdrawal_waits_for_a_lead_who_is_taking_the_mark(
    client: TestClient, core: Core, sent: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    with core.store.read() as session:
        seq = session.scalars(select(Place.seq)).one()
    taking, go_on = Event(), Event()

    def hold(session: Session) -> None:
        change_place(session, seq, {"status": "held"}, by="moderator")
        taking.set()
        assert go_on.wait(20)

    with ThreadPoolExecutor(2) as pool:
        held = pool.submit(core.store.write, hold)
        assert taking.wait(20)
        withdrawn = pool.submit(client.post, WITHDRAW, json={"receipt": sent[1]["secret"]})
        sleep(0.3)  # it is on its way by now
        go_on.set()
        held.result()
        assert withdrawn.result().json()["state"] == "withdrawn"
    with core.store.read() as session:
        place = session.scalars(select(Place)).one()
    assert (place.status, place.note, place.publish) == ("held", "ZEBRA", "never")


@pytest.mark.requirement("X3")
def test_trying_receipts_is_throttled_for_a_network(client: TestClient) -> None:
    body = {"receipt": "A1b2C3d4E5f6G7h8I9j0Kw"}
    statuses = [client.post(READ, json=body).status_code for _ in range(22)]
    assert statuses[:20] == [404] * 20
    assert statuses[-1] == 429
    assert int(client.post(READ, json=body).headers["retry-after"]) > 0


@pytest.mark.parametrize("url", [READ, WITHDRAW])
@pytest.mark.requirement("X4")
def test_receipt_is_never_taken_from_an_address(
    client: TestClient, sent: tuple[dict[str, Any], dict[str, Any]], url: str
) -> None:
    assert client.post(url, params={"receipt": sent[1]["secret"]}).status_code == 422
    assert client.get(f"{url}/{sent[1]['secret']}").status_code == 404


def approve(core: Core, identifier: str, status: str = "approved") -> None:
    """Give a mark a state; moderation comes with workshops."""
    statement = update(Place).where(Place.id == uuid.UUID(identifier)).values(status=status)
    core.store.write(lambda session: session.execute(statement, execution_options={"synchronize_session": False}))
