"""A phone in a workshop: the code, the seat, marks in the window and after it, and marks without a code."""

from __future__ import annotations

import io
import math
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from service.app import create_app
from service.core import Core
from service.errors import GoneError, InvalidInputError, NotFoundError, NotSignedInError
from service.places.models import Place
from service.places.schemas import PlaceIn
from service.store.base import utc_now
from service.workshops import codes, workflow
from service.workshops.models import Duty, Seat
from tests.api.test_access import lines  # noqa: F401 - a fixture
from tests.support.squares import add_squares, drawn, mark
from tests.support.workshops import OWN, close_window, phone, put_on_duty, set_up, staff

JOIN, MARKS, OPEN = "/api/v1/workshop/join", "/api/v1/workshop/places", "/api/v1/open/places"


def rows(core: Core) -> list[Place]:
    with core.store.read() as session:
        return list(session.scalars(select(Place).order_by(Place.seq)))


@pytest.mark.requirement("X4")
def test_code_has_at_least_20_bits() -> None:
    words = codes.plain_words()
    assert len(set(words)) == 256
    # three different words in order
    assert math.log2(256 * 255 * 254) > 23.9
    made = {codes.make_code() for _ in range(200)}
    assert len(made) > 195
    assert all(len(set(code.split("-"))) == 3 for code in made)


@pytest.mark.requirement("A5")
@pytest.mark.parametrize(
    "typed",
    [
        "acorn-river-sock",
        "  Acorn RIVER  sock ",
        "acorn, river, sock.",
        "ACORNRIVERSOCK",
        "aco riv soc",
        "acorn–river–sock",
    ],
)
def test_code_is_read_however_it_was_typed(typed: str) -> None:
    assert {"acorn", "river", "sock"} <= set(codes.plain_words())
    assert codes.read_code(typed) == "acorn-river-sock"


@pytest.mark.parametrize("typed", ["", "acorn", "acorn river", "acorn river sock boat", "zzz yyy xxx", "1234567"])
def test_what_is_no_code_is_none(typed: str) -> None:
    assert codes.read_code(typed) is None


@pytest.mark.requirement("S2")
def test_phone_joins_and_marks(client: TestClient, core: Core) -> None:
    made, code = set_up(core)
    device = phone(client, code)
    answer = device.get("/api/v1/workshop").json()
    assert (answer["title"], answer["takes_words"], answer["takes_borders"]) == ("Test club", False, False)
    assert answer["workshop"] == str(made)
    assert len(answer["public_key"]) == 87  # 65 bytes in base64url: 65 * 8 / 6, rounded up
    sent = device.post(MARKS, json=mark(people=1))
    assert sent.status_code == 201
    assert set(sent.json()) == {"id", "receipt"}
    (row,) = rows(core)
    assert (row.source, row.status, row.workshop_id) == ("workshop", "pending", 1)


def test_same_mark_sent_twice_is_stored_and_counted_once(client: TestClient, core: Core) -> None:
    _, code = set_up(core)
    device = phone(client, code)
    one = mark()
    first, second = device.post(MARKS, json=one), device.post(MARKS, json=one)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    with core.store.read() as session:
        assert [seat.marks for seat in session.scalars(select(Seat))] == [1]


@pytest.mark.requirement("X4", "L3")
def test_cookie_is_hidden_from_scripts_ends_with_the_session_and_is_stored_hashed(
    client: TestClient, core: Core
) -> None:
    _, code = set_up(core)
    answer = client.post(JOIN, json={"code": code}, headers=OWN)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "max-age" not in cookie
    assert "expires" not in cookie
    token = cookie.split("seat=")[1].split(";")[0]
    with core.store.read() as session:
        (seat,) = session.scalars(select(Seat))
    assert token not in seat.token_hash.lower()
    assert set(Seat.__table__.columns.keys()) == {
        *("id", "workshop_id", "token_hash", "day", "expires_at", "marks", "unsent", "unsent_at")
    }


@pytest.mark.requirement("X4")
def test_code_is_stored_hashed_and_encrypted_only(client: TestClient, core: Core) -> None:
    from service.workshops.models import Workshop

    _, code = set_up(core)
    with core.store.read() as session:
        (row,) = session.scalars(select(Workshop))
    assert code not in f"{row.code_hash} {row.code_sealed}"
    assert row.code_hash == core.keyed_hash("join-code", code)


@pytest.mark.requirement("X4", "X9")
def test_codes_and_tokens_stand_in_no_log_line(client: TestClient, core: Core, lines: io.StringIO) -> None:  # noqa: F811
    _, code = set_up(core)
    device = phone(client, code)
    token = device.cookies["seat"]
    device.post(JOIN, json={"code": "acorn acorn acorn"})
    device.post(MARKS, json=mark(note="ZEBRA"))
    said = lines.getvalue()
    assert "workshop.create" in said
    for probe in (code, code.replace("-", " "), token, "acorn", "ZEBRA"):
        assert probe not in said


@pytest.mark.requirement("X3", "X4")
def test_wrong_codes_are_throttled_and_right_ones_are_not(make_settings: Any) -> None:
    with TestClient(create_app(make_settings("demo", join_tries_per_minute=5))) as client:
        core: Core = client.app.state.core  # type: ignore[attr-defined]
        add_squares(core)
        _, code = set_up(core)
        for _ in range(60):  # 60 phones behind one address
            phone(client, code)
        wrong = [client.post(JOIN, json={"code": "acorn acorn acorn"}, headers=OWN).status_code for _ in range(7)]
        assert wrong == [404] * 5 + [429] * 2


@pytest.mark.requirement("X3")
def test_one_phone_is_held_before_the_room_is(make_settings: Any) -> None:
    with TestClient(create_app(make_settings("demo", seat_marks_per_minute=3))) as client:
        core: Core = client.app.state.core  # type: ignore[attr-defined]
        add_squares(core)
        _, code = set_up(core)
        one, other = phone(client, code), phone(client, code)
        assert [one.post(MARKS, json=mark()).status_code for _ in range(5)] == [201] * 3 + [429] * 2
        assert other.post(MARKS, json=mark()).status_code == 201


def test_device_has_a_limit_of_marks_and_a_workshop_of_devices(make_settings: Any) -> None:
    with TestClient(create_app(make_settings("demo", seat_marks_max=2, seats_max=1))) as client:
        core: Core = client.app.state.core  # type: ignore[attr-defined]
        add_squares(core)
        _, code = set_up(core)
        one = phone(client, code)
        assert [one.post(MARKS, json=mark()).status_code for _ in range(3)] == [201, 201, 429]
        assert client.post(JOIN, json={"code": code}, headers=OWN).status_code == 429


def test_nobody_marks_without_a_seat(client: TestClient) -> None:
    answer = client.post(MARKS, json=mark(), headers=OWN)
    assert (answer.status_code, answer.json()["code"]) == (401, "not-signed-in")
    assert client.get("/api/v1/workshop").status_code == 401


def test_mark_by_seat_comes_from_our_own_pages_only(client: TestClient, core: Core) -> None:
    _, code = set_up(core)
    device = phone(client, code)
    assert device.post(MARKS, json=mark(), headers={"Origin": "https://evil.example"}).status_code == 403
    assert client.post(JOIN, json={"code": code}, headers={"Origin": "https://evil.example"}).status_code == 403


def test_code_lets_nobody_in_before_and_after_the_window(client: TestClient, core: Core) -> None:
    now = utc_now()
    _, early = set_up(core, opens_at=now + timedelta(hours=1), closes_at=now + timedelta(hours=2))
    made, over = set_up(core)
    close_window(core, made)
    answers = [client.post(JOIN, json={"code": code}, headers=OWN) for code in (early, over)]
    assert [answer.status_code for answer in answers] == [409, 410]
    assert "has not started" in answers[0].json()["detail"]


@pytest.mark.requirement("X4")
def test_new_code_shuts_the_old_one_out_and_keeps_the_seats(client: TestClient, core: Core) -> None:
    made, code = set_up(core)
    device = phone(client, code)
    workflow.renew_code(core, staff(core, "youth_worker"), made)
    assert client.post(JOIN, json={"code": code}, headers=OWN).status_code == 404
    assert device.post(MARKS, json=mark()).status_code == 201


def test_ended_workshop_takes_no_new_marks_and_late_ones_still(client: TestClient, core: Core) -> None:
    made, code = set_up(core)
    device = phone(client, code)
    token = device.cookies["seat"]
    workflow.end_workshop(core, staff(core, "youth_worker"), made)
    answer = device.post(MARKS, json=mark())
    assert (answer.status_code, answer.json()["code"]) == (410, "gone")
    with pytest.raises(GoneError):
        workflow.seat_of_token(core, token)
    seat = workflow.seat_of_token(core, token, late=True)
    assert workflow.create_in_workshop(core, seat, PlaceIn.model_validate(mark()), late=True).is_new
    with pytest.raises(GoneError):
        workflow.create_in_workshop(core, seat, PlaceIn.model_validate(mark()))


def test_late_delivery_ends_too(client: TestClient, core: Core) -> None:
    _, code = set_up(core)
    token = phone(client, code).cookies["seat"]

    def write(session: Any) -> None:
        session.scalars(select(Seat)).one().expires_at = utc_now() - timedelta(seconds=1)

    core.store.write(write)
    with pytest.raises(NotSignedInError):
        workflow.seat_of_token(core, token, late=True)


@pytest.mark.requirement("S3", "S2")
def test_words_are_taken_only_where_they_are_on_and_a_lead_is_on_duty(real: TestClient) -> None:
    core: Core = real.app.state.core  # type: ignore[attr-defined]
    _, silent = set_up(core)
    number = put_on_duty(core)
    _, code = set_up(core, takes_words=True)
    device = phone(real, code)
    assert phone(real, silent).post(MARKS, json=mark(note="words")).status_code == 422
    assert device.get("/api/v1/workshop").json()["takes_words"] is True
    assert device.post(MARKS, json=mark(note="words")).status_code == 201
    workflow.remove_duty(core, staff(core, "safeguarding_lead"), number)
    assert device.get("/api/v1/workshop").json()["takes_words"] is False
    refused = device.post(MARKS, json=mark(note="words"))
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "properties.note"
    assert "words" not in str(refused.json()).replace("Words", "").replace("words are", "")
    assert device.post(MARKS, json=mark()).status_code == 201


@pytest.mark.requirement("S3")
def test_late_words_count_the_duty_of_when_they_were_written(client: TestClient, core: Core) -> None:
    put_on_duty(core, hours=4)
    made, code = set_up(core, takes_words=True)
    token = phone(client, code).cookies["seat"]
    close_window(core, made)

    def shorten(session: Any) -> None:
        duty = session.scalars(select(Duty)).one()
        duty.closes_at = utc_now() - timedelta(minutes=10)
        duty.opens_at = duty.closes_at - timedelta(hours=1)

    core.store.write(shorten)
    seat = workflow.seat_of_token(core, token, late=True)
    place = PlaceIn.model_validate(mark(note="written in time"))
    written = utc_now() - timedelta(minutes=30)
    assert workflow.create_in_workshop(core, seat, place, late=True, made_at=written).is_new
    other = PlaceIn.model_validate(mark(note="nobody was on duty"))
    with pytest.raises(InvalidInputError):
        workflow.create_in_workshop(core, seat, other, late=True, made_at=utc_now() - timedelta(minutes=5))


@pytest.mark.requirement("E5", "C3")
def test_borders_are_off_unless_asked_for(client: TestClient, core: Core) -> None:
    _, without = set_up(core)
    _, with_borders = set_up(core, takes_borders=True)
    border = drawn("border", (100, 100), (300, 300))
    assert phone(client, without).post(MARKS, json=border).status_code == 422
    assert phone(client, with_borders).post(MARKS, json=border).status_code == 201


def test_mark_speaks_for_a_group_only_where_that_is_asked(client: TestClient, core: Core) -> None:
    _, alone = set_up(core)
    _, groups = set_up(core, questions={"groups": True})
    assert phone(client, alone).post(MARKS, json=mark(people=4)).status_code == 422
    assert phone(client, groups).post(MARKS, json=mark(people=4)).status_code == 201


@pytest.mark.requirement("C5")
def test_same_key_in_two_workshops_cannot_be_joined(client: TestClient, core: Core) -> None:
    key = "same-key-of-one-person"
    for _ in range(2):
        _, code = set_up(core)
        device = phone(client, code)
        device.post(MARKS, json=mark(contributor_key=key))
        device.post(MARKS, json=mark(contributor_key=key))
    stored = [row.contributor_key for row in rows(core)]
    assert stored[0] == stored[1]
    assert stored[2] == stored[3]
    assert stored[0] != stored[2]


def test_mark_names_no_other_workshop(client: TestClient, core: Core) -> None:
    other, _ = set_up(core)
    made, code = set_up(core)
    device = phone(client, code)
    assert device.post(MARKS, json=mark(workshop=str(other))).status_code == 422
    assert device.post(MARKS, json=mark(workshop=str(made))).status_code == 201


def test_device_says_what_it_still_holds(client: TestClient, core: Core) -> None:
    made, code = set_up(core)
    one, other = phone(client, code), phone(client, code)
    assert one.post("/api/v1/workshop/unsent", json={"unsent": 2}).status_code == 204
    other.post("/api/v1/workshop/unsent", json={"unsent": 1})
    worker = staff(core, "youth_worker")
    seen = workflow.live(core, workflow.read_room(core, worker, made)).unsent
    assert (seen.marks, seen.devices) == (3, 2)
    one.post("/api/v1/workshop/unsent", json={"unsent": 0})
    seen = workflow.live(core, workflow.read_room(core, worker, made)).unsent
    assert (seen.marks, seen.devices) == (1, 1)


@pytest.mark.requirement("S2")
def test_marks_without_a_code_are_off_by_default(real: TestClient) -> None:
    assert real.post(OPEN, json=mark()).status_code == 403


@pytest.mark.requirement("S2")
def test_open_mode_takes_fixed_reasons_and_rejects_words_borders_and_groups(make_settings: Any) -> None:
    with TestClient(create_app(make_settings("real", open_marking=True))) as client:
        core: Core = client.app.state.core  # type: ignore[attr-defined]
        add_squares(core)
        assert client.post(OPEN, json=mark(reasons=["poor_lighting"])).status_code == 201
        border = drawn("border", (100, 100), (300, 300))
        refused = [mark(note="words"), mark(suggestion="words"), border, mark(people=3)]
        assert [client.post(OPEN, json=one).status_code for one in refused] == [422] * 4
        assert [row.source for row in rows(core)] == ["open"]


def test_unknown_code_is_told_in_plain_words(client: TestClient) -> None:
    answer = client.post(JOIN, json={"code": "acorn river sock"}, headers=OWN)
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert "ask the adult" in answer.json()["detail"]
    assert "acorn" not in answer.text


def test_join_is_refused_without_a_code(core: Core) -> None:
    with pytest.raises(NotFoundError):
        workflow.join(core, "nonsense")


@pytest.mark.requirement("S3")
def test_writer_is_told_what_may_tell_about_a_person_before_it_is_sent(client: TestClient) -> None:
    from importlib.util import find_spec

    has_detector = find_spec("service.moderation.detector") is not None  # of the moderation subject
    answer = client.post("/api/v1/words/check", json={"texts": ["It is dark here.", "call me on 07700 900123"]})
    assert answer.status_code == 200
    assert answer.json() == {"personal": ["07700 900123"] if has_detector else [], "help": False}
    assert client.post("/api/v1/words/check", json={"texts": ["x", "y", "z"]}).status_code == 422
    assert client.post("/api/v1/words/check", json={"texts": ["x" * 5000]}).status_code == 422
