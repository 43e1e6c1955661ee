"""Workshops by staff: whose they are, set up, extend, end, the roster, paper forms, who was in the room."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from service.core import Core
from service.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError, NotSignedInError
from service.people.access import PUBLIC
from service.people.models import AuditEvent
from service.places.models import Place
from service.store.base import utc_now
from service.workshops import pages, workflow
from service.workshops.forms import PaperForm, SetUpForm, fresh_form
from service.workshops.models import Workshop
from service.workshops.windows import from_local, time_words
from tests.conftest import bearer
from tests.support.squares import mark
from tests.support.workshops import MINUTE, close_window, phone, put_on_duty, set_up, staff

HOUR = timedelta(hours=1)
FORM = {
    "title": "Tuesday club",
    "room_contact": "020 7946 0000",
    "opens_at": "2026-06-03T16:00",
    "closes_at": "2026-06-03T18:00",
    "asks": ["times", "reasons"],
}


def stored(core: Core, identifier: uuid.UUID) -> Workshop:
    with core.store.read() as session:
        return session.scalars(select(Workshop).where(Workshop.uuid == identifier)).one()


def window(**values: Any) -> dict[str, Any]:
    now = utc_now()
    times = {"opens_at": now - MINUTE, "closes_at": now + HOUR}
    return {"title": "Club", "room_contact": "020 7946 0000"} | times | values


def refused(core: Core, **values: Any) -> set[str]:
    with pytest.raises(InvalidInputError) as caught:
        workflow.create_workshop(core, staff(core, "youth_worker"), workflow.WorkshopIn(**window(**values)))
    return {problem.field for problem in caught.value.errors}


@pytest.mark.requirement("C3")
def test_words_borders_and_wall_are_off_unless_asked_for(core: Core) -> None:
    made, _ = set_up(core)
    row = stored(core, made)
    assert (row.takes_words, row.takes_borders, row.wall_on, row.questions["groups"]) == (False,) * 4
    form = fresh_form(utc_now())
    assert (form.words, form.borders, form.groups) == ("", "", "")


@pytest.mark.requirement("S3")
def test_words_need_a_lead_on_duty_through_the_whole_window(core: Core) -> None:
    assert refused(core, takes_words=True) == {"takes_words"}
    put_on_duty(core, hours=0.5)
    assert refused(core, takes_words=True) == {"takes_words"}  # half an hour of one
    lead = staff(core, "safeguarding_lead")
    assert lead.number is not None
    now = utc_now()
    gap = workflow.DutyIn(lead.number, now + timedelta(minutes=40), now + 2 * HOUR, "020 7946 0123")
    number = workflow.add_duty(core, lead, gap)
    assert refused(core, takes_words=True) == {"takes_words"}  # ten minutes of nobody
    workflow.remove_duty(core, lead, number)
    joined = workflow.DutyIn(lead.number, now + timedelta(minutes=20), now + 2 * HOUR, "020 7946 0123")
    workflow.add_duty(core, lead, joined)
    assert stored(core, set_up(core, takes_words=True, closes_at=now + HOUR)[0]).takes_words


@pytest.mark.requirement("S3")
def test_duty_needs_a_lead_an_order_of_times_and_a_number_out_of_hours(core: Core) -> None:
    lead, worker = staff(core, "safeguarding_lead"), staff(core, "youth_worker")
    assert lead.number is not None
    assert worker.number is not None
    now = utc_now()
    wrong = {
        "principal_id": workflow.DutyIn(worker.number, now, now + HOUR, "020 7946 0123"),
        "closes_at": workflow.DutyIn(lead.number, now, now - HOUR, "020 7946 0123"),
        "out_of_hours": workflow.DutyIn(lead.number, now, now + HOUR, "ask around"),
    }
    for field, duty in wrong.items():
        with pytest.raises(InvalidInputError) as caught:
            workflow.add_duty(core, lead, duty)
        assert [problem.field for problem in caught.value.errors] == [field]
    with pytest.raises(ForbiddenError):
        workflow.add_duty(core, worker, workflow.DutyIn(lead.number, now, now + HOUR, "020 7946 0123"))


@pytest.mark.requirement("S3")
def test_taking_a_duty_away_names_the_workshops_that_lose_words(core: Core) -> None:
    number = put_on_duty(core)
    set_up(core, title="Silent")
    set_up(core, title="With words", takes_words=True)
    assert workflow.remove_duty(core, staff(core, "safeguarding_lead"), number) == ["With words"]
    with pytest.raises(NotFoundError):
        workflow.remove_duty(core, staff(core, "safeguarding_lead"), number)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("title", {"title": "   "}),
        ("title", {"title": "x" * 200}),
        ("room_contact", {"room_contact": ""}),
        ("closes_at", {"closes_at": utc_now() - HOUR}),
        ("closes_at", {"opens_at": utc_now() + 3 * HOUR, "closes_at": utc_now() + 2 * HOUR}),
        ("closes_at", {"closes_at": utc_now() + 40 * HOUR}),
        ("area", {"area": "in|squares|E05999999"}),
        ("area", {"area": "in|nowhere|E05000001"}),
        ("area", {"area": '{"type": "Point", "coordinates": [0, 51]}'}),
        ("area", {"area": "{"}),
        ("area", {"area": "[1, 2]"}),
    ],
)
def test_what_cannot_be_set_up_is_told_by_field(core: Core, field: str, values: dict[str, Any]) -> None:
    assert refused(core, **values) == {field}


def test_area_is_the_borough_a_ward_or_drawn(client: TestClient, core: Core) -> None:
    from tests.support.squares import at

    ring = [at(100, 100), at(400, 100), at(400, 400), at(100, 100)]
    drawn = '{"type": "Polygon", "coordinates": [' + str(ring) + "]}"
    boxes = []
    for area in ("", "in|squares|E05000001", drawn):
        _, code = set_up(core, area=area)
        boxes.append(phone(client, code).get("/api/v1/workshop").json()["bbox"])
    assert boxes[0] is None
    assert boxes[1][2] - boxes[1][0] == pytest.approx(0.0145, abs=0.001)  # 1 km at 51.4 degrees north
    assert boxes[2][:2] == pytest.approx([min(x for x, _ in ring), min(y for _, y in ring)])


@pytest.mark.requirement("X2")
def test_team_sees_its_own_workshops_and_a_lead_sees_all(core: Core) -> None:
    mine, _ = set_up(core, title="North")
    other, _ = set_up(core, "other_worker", title="South")
    seen = {
        role: {room.workshop.title for room in workflow.list_workshops(core, staff(core, role))}
        for role in ("youth_worker", "other_worker", "safeguarding_lead")
    }
    assert seen == {"youth_worker": {"North"}, "other_worker": {"South"}, "safeguarding_lead": {"North", "South"}}
    worker = staff(core, "youth_worker")
    for act in (
        lambda: workflow.read_room(core, worker, other),
        lambda: workflow.code_of(core, worker, other),
        lambda: workflow.end_workshop(core, worker, other),
        lambda: workflow.renew_code(core, worker, other),
        lambda: workflow.extend_workshop(core, worker, other, utc_now() + HOUR),
        lambda: workflow.release_batch(core, worker, other),
        lambda: workflow.take_form(core, worker, other, workflow.Filled("1 9")),
        lambda: workflow.read_room(core, worker, uuid.uuid4()),
    ):
        with pytest.raises(NotFoundError):
            act()
    lead = staff(core, "safeguarding_lead")
    with pytest.raises(ForbiddenError):
        workflow.code_of(core, lead, mine)
    for role in ("planner", "moderator", "admin"):
        with pytest.raises(ForbiddenError):
            workflow.list_workshops(core, staff(core, role))
    with pytest.raises(NotSignedInError):
        workflow.list_workshops(core, PUBLIC)


@pytest.mark.requirement("S6")
def test_lead_finds_the_adult_in_the_room_by_the_code(real: TestClient) -> None:
    core: Core = real.app.state.core  # type: ignore[attr-defined]
    made, code = set_up(core, room_contact="Room 4, 020 7946 0999")
    answer = real.post("/workshops/find", data={"code": code.replace("-", " ")}, headers=bearer("safeguarding_lead"))
    assert answer.status_code == 200
    assert answer.url.path == f"/workshops/{made}"  # no code in it
    assert "Room 4, 020 7946 0999" in answer.text
    assert "youth_worker" in answer.text  # who led it
    assert "North team" in answer.text
    assert code.replace("-", " ") not in answer.text
    absent = real.post("/workshops/find", data={"code": "acorn acorn sock"}, headers=bearer("safeguarding_lead"))
    assert absent.status_code == 404


def test_extended_workshop_takes_marks_again_and_its_seats_last(client: TestClient, core: Core) -> None:
    made, code = set_up(core)
    device = phone(client, code)
    close_window(core, made)
    assert device.post("/api/v1/workshop/places", json=mark()).status_code == 410
    worker = staff(core, "youth_worker")
    workflow.extend_workshop(core, worker, made, utc_now() + HOUR)
    assert device.post("/api/v1/workshop/places", json=mark()).status_code == 201
    with pytest.raises(InvalidInputError):
        workflow.extend_workshop(core, worker, made, utc_now() - HOUR)
    workflow.end_workshop(core, worker, made)
    with pytest.raises(ConflictError):
        workflow.extend_workshop(core, worker, made, utc_now() + HOUR)


@pytest.mark.requirement("S3")
def test_workshop_with_words_is_extended_only_while_a_lead_is_on_duty(core: Core) -> None:
    put_on_duty(core, hours=3)
    made, _ = set_up(core, takes_words=True)
    worker = staff(core, "youth_worker")
    workflow.extend_workshop(core, worker, made, utc_now() + 2.5 * HOUR)
    with pytest.raises(InvalidInputError, match="lead"):
        workflow.extend_workshop(core, worker, made, utc_now() + 4 * HOUR)


@pytest.mark.requirement("S3")
def test_workshop_of_tomorrow_is_extended_if_a_lead_is_on_duty_then(core: Core) -> None:
    put_on_duty(core, since=-23, hours=30)  # from 23 hours from now
    begin = utc_now() + 24 * HOUR
    made, _ = set_up(core, takes_words=True, opens_at=begin, closes_at=begin + HOUR)
    workflow.extend_workshop(core, staff(core, "youth_worker"), made, begin + 2 * HOUR)
    assert stored(core, made).closes_at == begin + 2 * HOUR


@pytest.mark.parametrize("people", ["²", "0", "two", "999"])
def test_number_of_people_on_a_paper_form_that_is_none_is_refused(core: Core, people: str) -> None:
    with pytest.raises(InvalidInputError, match="how many people"):
        pages._filled(core, PaperForm(people=people))


@pytest.mark.requirement("X9")
def test_every_act_is_in_the_audit_without_code_and_title(core: Core) -> None:
    made, code = set_up(core, title="QUAGGA club")
    worker = staff(core, "youth_worker")
    workflow.renew_code(core, worker, made)
    workflow.set_wall(core, worker, made, on=True)
    workflow.extend_workshop(core, worker, made, utc_now() + HOUR)
    workflow.end_workshop(core, worker, made)
    with core.store.read() as session:
        rows = list(session.scalars(select(AuditEvent).order_by(AuditEvent.seq)))
    acts = [row.act for row in rows if row.subject == str(made)]
    assert acts == ["workshop.create", "workshop.new-code", "workshop.wall", "workshop.extend", "workshop.end"]
    text = " ".join(f"{row.subject} {row.details}" for row in rows)
    assert "QUAGGA" not in text
    assert code not in text


def paper(core: Core, identifier: uuid.UUID, numbers: list[str], **values: Any) -> None:
    known = {box.code: box.number for box in workflow.form_boxes(core)}
    typed = " ".join(str(known[code]) for code in numbers)
    workflow.take_form(core, staff(core, "youth_worker"), identifier, workflow.Filled(typed, **values))


@pytest.mark.requirement("A1")
def test_filled_form_becomes_a_mark_of_the_workshop(core: Core) -> None:
    made, _ = set_up(core)
    close_window(core, made)  # typed in after the session
    paper(core, made, ["unsafe", "night", "poor_lighting", "E05000002"], people=3)
    with core.store.read() as session:
        (row,) = session.scalars(select(Place))
    assert (row.source, row.feeling, row.times, row.reasons) == ("paper", "unsafe", ["night"], ["poor_lighting"])
    assert (row.kind, row.people, row.note, row.workshop_id) == ("area", 3, None, stored(core, made).id)
    assert row.contributor_key is not None


@pytest.mark.parametrize("typed", ["", "9999", "1 2 39", "1", "two", "39"])
def test_form_that_makes_no_sense_is_told(core: Core, typed: str) -> None:
    made, _ = set_up(core)
    with pytest.raises(InvalidInputError):
        workflow.take_form(core, staff(core, "youth_worker"), made, workflow.Filled(typed))


def test_paper_page_stores_with_one_line_and_takes_the_last_one_back(real: TestClient) -> None:
    core: Core = real.app.state.core  # type: ignore[attr-defined]
    made, _ = set_up(core)
    known = {box.code: box.number for box in workflow.form_boxes(core)}
    typed = f"{known['unsafe']} {known['E05000001']}"
    worker = bearer("youth_worker")
    answer = real.post(f"/workshops/{made}/paper", data={"boxes": typed}, headers=worker)
    assert "Stored: Unsafe, South West." in answer.text
    receipt = re.findall(r'name="receipt" value="([^"]+)"', answer.text)[0]
    back = real.post(f"/workshops/{made}/paper", data={"action": "undo", "receipt": receipt}, headers=worker)
    assert "Taken out again." in back.text
    with core.store.read() as session:
        assert [row.status for row in session.scalars(select(Place))] == ["withdrawn"]
    wrong = real.post(f"/workshops/{made}/paper", data={"boxes": "1 9999"}, headers=worker)
    assert wrong.status_code == 422
    assert "no box 9999" in wrong.text


@pytest.mark.requirement("S1", "L3")
def test_printed_sheets_hold_the_words_of_s1_and_ask_no_name(real: TestClient) -> None:
    core: Core = real.app.state.core  # type: ignore[attr-defined]
    made, code = set_up(core)
    sheet = real.get(f"/workshops/{made}/sheet", headers=bearer("youth_worker")).text
    form = real.get(f"/workshops/{made}/form", headers=bearer("youth_worker")).text
    for text in (sheet, form):
        for words in ("999", "0800 1111", "We cannot keep a secret", "pass it on", "Who reads"):
            assert words in text
        assert "Your name:" not in text
    assert all(f"<span>{word}</span>" in sheet for word in code.split("-"))
    assert sheet.count("<li>") >= 3


@pytest.mark.requirement("X2")
@pytest.mark.parametrize("path", ["/workshops", "/workshops/new", "/duty"])
def test_staff_pages_are_for_staff(real: TestClient, path: str) -> None:
    allowed = {
        "/workshops": {"youth_worker", "safeguarding_lead"},
        "/workshops/new": {"youth_worker"},
        "/duty": {"safeguarding_lead"},
    }[path]
    assert real.get(path).status_code == 401
    for role in ("youth_worker", "moderator", "safeguarding_lead", "planner", "admin"):
        assert real.get(path, headers=bearer(role)).status_code == (200 if role in allowed else 403), role


@pytest.mark.requirement("X4", "X8")
def test_pages_with_a_code_are_not_kept_and_no_address_holds_it(real: TestClient) -> None:
    core: Core = real.app.state.core  # type: ignore[attr-defined]
    made, code = set_up(core)
    page = real.get(f"/workshops/{made}", headers=bearer("youth_worker"))
    assert page.headers["cache-control"] == "no-store"
    assert code.replace("-", " ") in page.text
    assert not [link for link in re.findall(r'(?:href|src|action)="([^"]*)"', page.text) if code in link]


def test_setting_up_by_the_page(real: TestClient) -> None:
    core: Core = real.app.state.core  # type: ignore[attr-defined]
    form = fresh_form(utc_now()).model_dump() | {"title": "Tuesday club", "room_contact": "020 7946 0000"}
    answer = real.post("/workshops/new", data=form, headers=bearer("youth_worker"))
    assert answer.status_code == 200
    assert re.fullmatch(r"/workshops/[0-9a-f-]{36}", answer.url.path)
    (room,) = workflow.list_workshops(core, staff(core, "youth_worker"))
    assert (room.workshop.title, room.state, room.team) == ("Tuesday club", "open", "North team")
    again = real.post("/workshops/new", data=form | {"title": ""}, headers=bearer("youth_worker"))
    assert again.status_code == 422
    assert "Give it a title." in again.text
    assert "020 7946 0000" in again.text  # what was typed is kept


def test_duty_page_enters_and_takes_away(real: TestClient) -> None:
    core: Core = real.app.state.core  # type: ignore[attr-defined]
    lead = bearer("safeguarding_lead")
    number = staff(core, "safeguarding_lead").number
    times = {"opens_at": "2026-11-20T09:00", "closes_at": "2027-06-20T17:00"}
    form = {"action": "add", "lead": number, "out_of_hours": "020 7946 0123"} | times
    form["opens_at"] = f"{utc_now():%Y-%m-%dT%H:%M}"
    form["closes_at"] = f"{utc_now() + 8 * HOUR:%Y-%m-%dT%H:%M}"
    assert "020 7946 0123" in real.post("/duty", data=form, headers=lead).text
    assert real.post("/duty", data=form | {"out_of_hours": ""}, headers=lead).status_code == 422
    (turn,) = workflow.list_duty(core, staff(core, "safeguarding_lead"))
    gone = real.post("/duty", data={"action": "remove", "number": turn.id}, headers=lead)
    assert "Nobody is on duty" in gone.text


def test_times_of_forms_are_on_the_boroughs_clock() -> None:
    summer, winter = from_local("2026-06-03T16:00"), from_local("2026-12-03T16:00")
    assert (summer.hour, winter.hour) == (15, 16)  # summer time is an hour ahead of UTC
    assert time_words(summer) == "3 June 2026, 16:00"
    with pytest.raises(InvalidInputError):
        SetUpForm(**FORM | {"opens_at": "soon"}).to_workshop()


def test_demo_visitor_sets_one_up_and_joins_it(demo_client: TestClient) -> None:
    from tests.support.squares import add_squares

    core: Core = demo_client.app.state.core  # type: ignore[attr-defined]
    add_squares(core)
    workflow.add_sample_duty(core)
    workflow.add_sample_duty(core)
    form = fresh_form(utc_now()).model_dump() | {"title": "Visitors", "room_contact": "020 7946 0000", "words": "1"}
    page = demo_client.post("/workshops/new", data=form).text
    code = re.findall(r'class="code" translate="no">([^<]+)<', page)[0]
    device = phone(demo_client, code)
    assert device.get("/api/v1/workshop").json()["takes_words"] is True
    assert device.post("/api/v1/workshop/places", json=mark(note="words")).status_code == 201


def test_sample_workshops_have_pages(demo_client: TestClient) -> None:
    from tests.support.squares import add_squares

    core: Core = demo_client.app.state.core  # type: ignore[attr-defined]
    add_squares(core)
    now = utc_now()
    sample = workflow.SampleWorkshop(uuid.uuid4(), "Sample club", now - 3 * HOUR, now - HOUR)
    workflow.add_samples(core, [sample])
    assert "Sample club" in demo_client.get("/workshops").text
    page = demo_client.get(f"/workshops/{sample.id}")
    assert page.status_code == 200
    assert "it has no code" in page.text


@pytest.mark.requirement("C7")
def test_receipt_of_a_mark_from_a_workshop_works_without_the_seat(client: TestClient, core: Core) -> None:
    _, code = set_up(core)
    receipt = phone(client, code).post("/api/v1/workshop/places", json=mark()).json()["receipt"]
    seen = client.post("/api/v1/receipts/read", json={"receipt": " ".join(receipt["words"])}).json()
    assert (seen["ward"], seen["state"]) == ("South West", "pending")
    taken = client.post("/api/v1/receipts/withdraw", json={"receipt": receipt["secret"]}).json()
    assert taken["state"] == "withdrawn"
