"""Sealed marks at the server: delivered once each, late too, refused without being lost, withdrawn ones stay away."""

from __future__ import annotations

import io
import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from service.app import create_app
from service.core import Core
from service.places.models import Place
from service.store.base import utc_now
from service.workshops.models import Seat, Workshop
from service.workshops.sealed import seat_pass
from service.workshops.sealing import seal
from tests.api.test_access import lines  # noqa: F401 - a fixture
from tests.support.squares import add_squares, mark
from tests.support.workshops import close_window, phone, put_on_duty, set_up

SEALED = "/api/v1/sealed"
pytestmark = pytest.mark.requirement("X7")
RECEIPT = "AAECAwQFBgcICQoLDA0ODw"


def device(client: TestClient, code: str) -> tuple[str, str, str]:
    """Join and return workshop, public key and pass: all that a device keeps."""
    browser = phone(client, code)
    page = browser.get("/api/v1/workshop").json()
    core: Core = client.app.state.core  # type: ignore[attr-defined]
    return page["workshop"], page["public_key"], seat_pass(core, browser.cookies["seat"])


def envelope(kept: tuple[str, str, str], feature: dict[str, Any], **content: Any) -> dict[str, str]:
    workshop, key, sealed_pass = kept
    inside = {"v": 1, "seat": sealed_pass, "made": utc_now().isoformat(), "mark": feature} | content
    sealed = seal(key, uuid.UUID(workshop), uuid.UUID(feature["id"]), json.dumps(inside).encode())
    return {"id": feature["id"], "sealed": sealed}


def send(client: TestClient, *marks: dict[str, str], held: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
    answer = client.post(SEALED, json={"marks": marks, "held": held or []})
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    outcomes: list[dict[str, Any]] = answer.json()["marks"]
    return outcomes


def said(outcomes: list[dict[str, Any]]) -> list[str]:
    return [one["outcome"] for one in outcomes]


def places(core: Core) -> list[Place]:
    with core.store.read() as session:
        return list(session.scalars(select(Place).order_by(Place.seq)))


def seats(core: Core) -> list[Seat]:
    with core.store.read() as session:
        return list(session.scalars(select(Seat).order_by(Seat.id)))


def test_batch_is_stored_in_order_and_once(client: TestClient, core: Core) -> None:
    _, code = set_up(core)
    kept = device(client, code)
    marks = [envelope(kept, mark(100 * at, 100)) for at in (1, 2, 3)]
    assert said(send(client, *marks)) == ["stored"] * 3
    assert said(send(client, *marks)) == ["already"] * 3
    assert [str(row.id) for row in places(core)] == [one["id"] for one in marks]
    assert {(row.source, row.status, row.workshop_id) for row in places(core)} == {("workshop", "pending", 1)}
    assert seats(core)[0].marks == 3


def test_expired_code_and_closed_window_take_no_new_mark_but_every_sealed_one(client: TestClient, core: Core) -> None:
    made, code = set_up(core)
    browser = phone(client, code)
    kept = device(client, code)
    one = envelope(kept, mark())
    close_window(core, made)
    assert browser.post("/api/v1/workshop/places", json=mark()).status_code == 410
    assert said(send(client, one)) == ["stored"]


@pytest.mark.requirement("L7")
def test_withdrawn_mark_does_not_come_back(client: TestClient, core: Core) -> None:
    _, code = set_up(core)
    kept = device(client, code)
    one = envelope(kept, mark() | {"receipt": RECEIPT})
    assert said(send(client, one)) == ["stored"]
    assert client.post("/api/v1/receipts/withdraw", json={"receipt": RECEIPT}).status_code == 200
    assert said(send(client, one)) == ["gone"]
    assert [row.status for row in places(core)] == ["withdrawn"]


def test_mark_refused_for_its_content_says_which_part(client: TestClient, core: Core) -> None:
    _, code = set_up(core)
    kept = device(client, code)
    far, fine = envelope(kept, mark(50_000, 50_000)), envelope(kept, mark())
    refused, stored = send(client, far, fine)
    assert (refused["outcome"], stored["outcome"]) == ("refused", "stored")
    assert [one["field"] for one in refused["problem"]["errors"]] == ["geometry.coordinates"]


@pytest.mark.requirement("S3")
def test_words_written_while_a_lead_was_on_duty_are_taken_later(client: TestClient, core: Core) -> None:
    put_on_duty(core, hours=4)
    made, code = set_up(core, takes_words=True)
    kept = device(client, code)
    one = envelope(kept, mark(note="too dark by the steps"))
    close_window(core, made)
    assert said(send(client, one)) == ["stored"]
    assert places(core)[0].note == "too dark by the steps"


@pytest.mark.parametrize("harm", ["bit", "cut", "id", "workshop", "junk"])
def test_envelope_that_does_not_open_is_refused_alone(client: TestClient, core: Core, harm: str) -> None:
    _, code = set_up(core)
    other, _ = set_up(core, title="Other club")
    kept = device(client, code)
    bad, good = envelope(kept, mark()), envelope(kept, mark())
    if harm == "bit":
        bad["sealed"] = bad["sealed"][:-20] + ("A" if bad["sealed"][-20] != "A" else "B") + bad["sealed"][-19:]
    elif harm == "cut":
        bad["sealed"] = bad["sealed"][:-100]
    elif harm == "id":
        bad["id"] = str(uuid.uuid4())
    elif harm == "workshop":
        bad = envelope((str(other), *kept[1:]), mark())
    else:
        bad["sealed"] = "AAAA"
    outcomes = send(client, bad, good)
    assert said(outcomes) == ["refused", "stored"]
    assert outcomes[0]["problem"]["code"] == "invalid-input"
    assert len(places(core)) == 1


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({"seat": "AAAA"}, "not-signed-in"),
        ({"v": 2}, "invalid-input"),
        ({"secret": "my name is in this key"}, "invalid-input"),
        ({"mark": {"type": "Feature"}}, "invalid-input"),
        ({"made": "yesterday"}, "invalid-input"),
    ],
)
def test_content_that_is_not_ours_is_refused(client: TestClient, core: Core, content: Any, code: str) -> None:
    _, join_code = set_up(core)
    kept = device(client, join_code)
    (outcome,) = send(client, envelope(kept, mark(), **content))
    assert (outcome["outcome"], outcome["problem"]["code"]) == ("refused", code)
    assert "my name" not in json.dumps(outcome)
    assert not places(core)


def test_pass_of_one_workshop_opens_no_other(client: TestClient, core: Core) -> None:
    """An envelope for workshop B with a seat of workshop A would put a mark where its sender never was."""
    _, code = set_up(core)
    _, code_b = set_up(core, title="Other club")
    kept, kept_b = device(client, code), device(client, code_b)
    (outcome,) = send(client, envelope((kept_b[0], kept_b[1], kept[2]), mark()))
    assert outcome["outcome"] == "refused"
    assert not places(core)


def test_device_is_told_whether_its_workshop_takes_new_marks(client: TestClient, core: Core) -> None:
    made, code = set_up(core)
    kept = device(client, code)
    body = {"marks": [], "held": [{"seat": kept[2], "unsent": 0}]}
    (window,) = client.post(SEALED, json=body).json()["windows"]
    assert (window["workshop"], window["is_open"]) == (str(made), True)
    close_window(core, made)
    (window,) = client.post(SEALED, json=body).json()["windows"]
    assert window["is_open"] is False


def test_adult_in_the_room_sees_what_is_unsent(client: TestClient, core: Core) -> None:
    _, code = set_up(core)
    kept, other = device(client, code), device(client, code)
    far, fine = envelope(kept, mark(50_000, 50_000)), envelope(kept, mark())
    send(client, far, fine, held=[{"seat": kept[2], "unsent": 3}, {"seat": other[2], "unsent": 1}])
    assert [row.unsent for row in seats(core)] == [2, 1]  # of the three one was delivered
    assert all(row.unsent_at is not None for row in seats(core))
    send(client, held=[{"seat": kept[2], "unsent": 0}, {"seat": "AAAA", "unsent": 9}])
    assert [row.unsent for row in seats(core)] == [0, 1]


def test_mark_that_is_stored_is_never_refused_for_a_limit(make_settings: Any) -> None:
    with TestClient(create_app(make_settings("demo", seat_marks_max=1))) as client:
        core: Core = client.app.state.core  # type: ignore[attr-defined]
        add_squares(core)
        _, code = set_up(core)
        kept = device(client, code)
        first, second = envelope(kept, mark()), envelope(kept, mark())
        assert said(send(client, first)) == ["stored"]
        assert said(send(client, first, second)) == ["already", "refused"]


def test_seat_of_long_ago_is_refused_and_said_so(client: TestClient, core: Core) -> None:
    made, code = set_up(core)
    kept = device(client, code)
    close_window(core, made)

    def age(session: Any) -> None:
        for row in session.scalars(select(Seat)):
            row.expires_at = utc_now() - timedelta(minutes=1)

    core.store.write(age)
    (outcome,) = send(client, envelope(kept, mark()))
    assert (outcome["outcome"], outcome["problem"]["code"]) == ("refused", "not-signed-in")


def test_workshop_without_a_key_takes_no_envelope(client: TestClient, core: Core) -> None:
    made, code = set_up(core)
    kept = device(client, code)

    def forget(session: Any) -> None:
        session.scalars(select(Workshop).where(Workshop.uuid == made)).one().private_key_sealed = None

    core.store.write(forget)
    assert said(send(client, envelope(kept, mark()))) == ["refused"]


@pytest.mark.requirement("X3")
def test_network_is_held_to_a_rate(make_settings: Any) -> None:
    with TestClient(create_app(make_settings("demo", marks_per_minute=2))) as client:
        codes = [client.post(SEALED, json={}).status_code for _ in range(3)]
        assert codes == [200, 200, 429]


@pytest.mark.parametrize(
    "body",
    [
        {"marks": [{"id": "1", "sealed": "AAAA"}]},
        {"marks": [{"id": str(uuid.uuid4()), "sealed": "not base64!"}]},
        {"marks": [{"id": str(uuid.uuid4()), "sealed": "A"}] * 21},
        {"held": [{"seat": "AAAA", "unsent": -1}]},
        {"else": 1},
    ],
)
def test_batch_of_another_shape_is_a_problem(client: TestClient, body: Any) -> None:
    answer = client.post(SEALED, json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


@pytest.mark.requirement("X9")
def test_nothing_of_a_sealed_mark_is_logged(client: TestClient, core: Core, lines: io.StringIO) -> None:  # noqa: F811
    _, code = set_up(core)
    kept = device(client, code)
    feature = mark(50_000, 50_000, note="the boy in the red coat") | {"receipt": RECEIPT}
    one = envelope(kept, feature)
    send(client, one)
    logged = lines.getvalue()
    for secret in ("red coat", RECEIPT, kept[2], one["sealed"][:60], str(feature["geometry"]["coordinates"][0])):
        assert secret not in logged
