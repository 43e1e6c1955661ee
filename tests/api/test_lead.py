"""The lead: clock, who was in the room, decision and reason, withdrawal that waits, nothing sent to anybody."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.moderation import holds, workflow
from service.moderation.clock import due_at, last_day_read, wait_after
from service.moderation.models import Decision, Hold
from service.moderation.schemas import HoldsOut, MarkOut, RoomOut
from service.places.models import Place
from service.settings import Settings
from service.store.base import utc_now
from tests.conftest import bearer
from tests.support.moderation import add_workshop, ask, audit_rows, core_of, decide, send, stored, take

LEAD = "safeguarding_lead"


def hold(client: TestClient, place_id: str, role: str = "moderator") -> int:
    answer = ask(client, role, f"/marks/{place_id}/hold", {})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["hold"])


def settle(client: TestClient, number: int, then: str = "return", role: str = LEAD, **more: Any) -> Any:
    body = {"outcome": "talked_with_worker", "reason": "The worker knew already.", "then": then}
    return ask(client, role, f"/holds/{number}/decide", body | more)


def waiting(client: TestClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(client, LEAD, "/holds").json()["holds"]
    return found


def hold_row(client: TestClient, number: int) -> Hold:
    with core_of(client).store.read() as session:
        return session.scalars(select(Hold).where(Hold.id == number)).one()


@pytest.mark.requirement("S4")
@pytest.mark.parametrize(
    ("held", "due"),
    [
        # local time is UTC + 1 in July and UTC in December; decided by 20:00 local, at least 60 minutes
        ("2026-07-06T15:00", "2026-07-06T19:00"),
        ("2026-12-05T15:00", "2026-12-05T20:00"),  # a Saturday: weekends too
        ("2026-12-05T19:30", "2026-12-05T20:30"),
        ("2026-12-05T23:40", "2026-12-06T00:40"),
        ("2026-10-25T00:30", "2026-10-25T20:00"),  # the clock goes back in that night
    ],
)
def test_the_clock_is_the_same_day_in_local_time(held: str, due: str) -> None:
    moment = datetime.fromisoformat(held).replace(tzinfo=UTC)
    assert due_at(Settings(), moment) == datetime.fromisoformat(due).replace(tzinfo=UTC)


@pytest.mark.requirement("S3")
@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2026-12-05T19:59", "2026-12-04"),
        ("2026-12-05T20:00", "2026-12-05"),
        ("2026-07-06T19:00", "2026-07-06"),  # 20:00 in summer time
    ],
)
def test_words_of_a_day_are_read_by_the_evening(now: str, day: str) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert last_day_read(Settings(), moment).isoformat() == day


def test_waits_between_emails_double_up_to_four_hours() -> None:
    settings = Settings(escalate_every_minutes=30)
    minutes = [wait_after(settings, step).total_seconds() / 60 for step in range(1, 7)]
    assert minutes == [30, 60, 120, 240, 240, 240]


@pytest.mark.requirement("S6")
def test_lead_sees_who_was_in_the_room_and_nothing_that_names_a_child(client: TestClient) -> None:
    workshop = add_workshop(core_of(client), title="Riverside, Monday")
    place_id, _ = send(client, workshop=workshop, note="my stepdad hits me", contributor_key="contributor-one-1")
    number = hold(client, place_id, "youth_worker")
    (found,) = waiting(client)
    assert found["number"] == number
    assert found["held_by"] == "youth_worker"
    assert found["room"] == {
        "title": "Riverside, Monday",
        "opens_at": "2026-07-06T16:00:00Z",
        "closes_at": "2026-07-06T18:00:00Z",
        "adult": "youth_worker",
        "contact": "Club phone 020 7946 0000",
    }
    assert found["mark"]["note"] == "my stepdad hits me"
    page = client.get("/lead", headers=bearer(LEAD)).text
    for words in (
        "Riverside, Monday",
        "Club phone 020 7946 0000",
        "17:00 on 6 July 2026 to 19:00",
        "my stepdad hits me",
    ):
        assert words in page
    key = stored(client, place_id).contributor_key
    assert key
    assert key not in page + str(found)
    fields = {*MarkOut.model_fields, *RoomOut.model_fields, *HoldsOut.model_fields}
    assert not [name for name in fields if "contributor" in name or "receipt" in name or "name" in name]


@pytest.mark.requirement("S8")
def test_words_are_folded_away_until_the_lead_opens_them(client: TestClient) -> None:
    hold(client, send(client, note="ZEBRA words")[0])
    page = client.get("/lead", headers=bearer(LEAD)).text
    before, _, after = page.partition("<summary>Show the words</summary>")
    assert "ZEBRA" not in before
    assert '<details class="veil">' in before
    assert "ZEBRA" in after
    assert "116 123" in page


@pytest.mark.requirement("S4", "X9")
def test_decision_and_reason_are_recorded_and_no_action_needs_a_reason_too(client: TestClient) -> None:
    place_id, _ = send(client)
    number = hold(client, place_id)
    for wrong in ({"outcome": "nothing"}, {"reason": ""}, {"reason": "   "}, {"then": "burn"}):
        assert settle(client, number, **({"then": "return"} | wrong)).status_code == 422
    answer = settle(client, number, outcome="no_action", reason="ZEBRA was a joke, the worker said.")
    assert answer.json() == {"number": number, "status": "pending"}
    row = hold_row(client, number)
    assert (row.outcome, row.reason, row.decided_by) == ("no_action", "ZEBRA was a joke, the worker said.", LEAD)
    assert row.decided_at is not None
    (event,) = audit_rows(client, "hold.decide")
    assert event.details == {"hold": number, "outcome": "no_action", "then": "return"}
    assert event.subject == place_id
    assert settle(client, number).status_code == 409
    with core_of(client).store.read() as session:
        acts = list(session.scalars(select(Decision.act).order_by(Decision.id)))
    assert acts == ["hold", "decide"]
    assert take(client)["id"] == place_id  # back with the moderators


@pytest.mark.requirement("S4")
@pytest.mark.parametrize(("then", "status"), [("return", "pending"), ("reject", "rejected"), ("erase", "withdrawn")])
def test_what_happens_to_the_mark_is_what_the_lead_said(client: TestClient, then: str, status: str) -> None:
    place_id, receipt = send(client, note="ZEBRA words")
    assert settle(client, hold(client, place_id), then).json()["status"] == status
    place = stored(client, place_id)
    assert place.status == status
    assert (place.note is None) == (then == "erase")
    assert client.post("/api/v1/receipts/read", json={"receipt": receipt}).json()["state"] == status


@pytest.mark.requirement("S5", "L7")
def test_withdrawal_of_a_held_mark_waits_for_the_lead_and_is_then_carried_out(client: TestClient) -> None:
    place_id, receipt = send(client, note="ZEBRA words")
    number = hold(client, place_id)
    for _ in range(2):
        assert client.post("/api/v1/receipts/withdraw", json={"receipt": receipt}).json()["state"] == "withdrawn"
    place = stored(client, place_id)
    assert (place.note, place.publish, place.version) == ("ZEBRA words", "never", 3)
    (found,) = waiting(client)
    assert found["taken_back"] is True
    assert "took this mark back" in client.get("/lead", headers=bearer(LEAD)).text
    assert settle(client, number, "return").json()["status"] == "withdrawn"  # whatever the lead asked
    place = stored(client, place_id)
    assert (place.note, place.geometry, place.status) == (None, None, "withdrawn")
    assert hold_row(client, number).reason == "The worker knew already."  # the ledger stays


@pytest.mark.requirement("S5")
@pytest.mark.parametrize("before", ["pending", "approved", "rejected"])
def test_a_mark_in_any_state_can_be_passed_on_and_leaves_every_output(client: TestClient, before: str) -> None:
    place_id, _ = send(client, note="ZEBRA words")
    if before != "pending":
        decide(client, place_id, "approve" if before == "approved" else "reject", reason="attack")
    hold(client, place_id)
    for role in ("planner", "moderator", "youth_worker"):
        assert "ZEBRA" not in client.get("/api/v1/places", headers=bearer(role)).text
        assert place_id not in client.get("/api/v1/places", headers=bearer(role)).text
    assert place_id in client.get("/api/v1/places", headers=bearer(LEAD)).text
    assert hold_row(client, waiting(client)[0]["number"]).status_before == before


@pytest.mark.requirement("S4")
def test_late_ones_come_first_and_are_called_late(client: TestClient) -> None:
    first, second = hold(client, send(client)[0]), hold(client, send(client)[0])
    past = utc_now() - timedelta(hours=2)
    change = update(Hold).where(Hold.id == second).values(due_at=past)
    core_of(client).store.write(lambda session: session.execute(change))
    assert [(one["number"], one["late"]) for one in waiting(client)] == [(second, True), (first, False)]
    page = client.get("/lead", headers=bearer(LEAD)).text
    assert page.index("Late: to be decided by") < page.index("Decide by")


@pytest.mark.requirement("X9")
def test_reading_what_is_held_is_told_in_the_audit(client: TestClient) -> None:
    hold(client, send(client)[0])
    waiting(client)
    (event,) = audit_rows(client, "hold.read")
    assert (event.actor, event.details) == (LEAD, {"rows": 1})


def test_marks_that_came_in_as_held_get_a_clock(client: TestClient) -> None:
    place_id, _ = send(client)
    change = update(Place).where(Place.id == uuid.UUID(place_id)).values(status="held")
    core_of(client).store.write(lambda session: session.execute(change))
    assert [one["held_by"] for one in waiting(client)] == ["import"]
    assert len(waiting(client)) == 1
    assert holds.adopt_held(core_of(client)) == 0


@pytest.mark.requirement("S4")
def test_a_mark_has_one_open_hold_whoever_asks_at_once(client: TestClient) -> None:
    place_id, _ = send(client)
    number = hold(client, place_id)
    seq = stored(client, place_id).seq
    core = core_of(client)

    def again(session: Session) -> int:
        place = session.scalars(select(Place).where(Place.seq == seq)).one()
        return holds.place_hold(session, core, place, by="another").id

    assert core.store.write(again) == number
    second = {"place_seq": seq, "status_before": "pending", "held_by": "x", "due_at": utc_now()}
    with pytest.raises(IntegrityError):
        core.store.write(lambda session: session.execute(insert(Hold).values(escalations=0, **second)))


@pytest.mark.requirement("S4")
def test_a_mark_that_is_no_longer_with_the_lead_is_not_decided(client: TestClient) -> None:
    place_id, _ = send(client)
    number = hold(client, place_id)
    change = update(Place).where(Place.id == uuid.UUID(place_id)).values(status="approved")
    core_of(client).store.write(lambda session: session.execute(change))
    decision = {"outcome": "no_action", "reason": "Talked it over.", "then": "return"}
    assert ask(client, LEAD, f"/holds/{number}/decide", decision).status_code == 409
    assert stored(client, place_id).status == "approved"


def test_the_form_of_the_page_decides_and_says_what_is_missing(client: TestClient) -> None:
    number = hold(client, send(client)[0])
    headers = bearer(LEAD) | {"Accept": "text/html"}
    empty = client.post(f"/lead/{number}", data={"outcome": "other", "reason": "", "then": "return"}, headers=headers)
    assert empty.status_code == 422
    assert "Nothing was decided" in empty.text
    assert 'value="other" required autocomplete="off" checked' in empty.text
    form = {"outcome": "other", "reason": "Agreed with the school", "then": "reject"}
    done = client.post(f"/lead/{number}", data=form, headers=headers, follow_redirects=False)
    assert (done.status_code, done.headers["location"]) == (303, "/lead#decided")
    page = client.get("/lead", headers=headers).text
    assert "Nothing waits for you" in page
    assert "Agreed with the school" in page
    assert client.post("/lead/999", data=form, headers=headers).status_code == 404


@pytest.mark.requirement("S5")
def test_nothing_is_sent_to_anybody_by_a_decision(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a connection was opened")

    number = hold(client, send(client)[0])
    if core_of(client).store.is_sqlite:  # on PostgreSQL the store itself is a connection
        monkeypatch.setattr(socket.socket, "connect", refuse)
    assert settle(client, number, outcome="police_by_person").status_code == 200


def test_what_waits_is_counted_for_the_command_line(client: TestClient) -> None:
    hold(client, send(client)[0])
    found = workflow.count_due(core_of(client))
    assert (found.held, found.late) == (1, 0)
