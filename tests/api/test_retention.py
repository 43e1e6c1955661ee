"""Retention: every class by its own period, held marks kept, counts kept, bytes gone, proof that it ran (L6, X12)."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, text, update

from service import erasures
from service.core import Core
from service.duty.workflow import CLASSES, SCHEDULE, run_retention
from service.jobs import schedule
from service.jobs.workflow import run_all
from service.moderation.models import Decision, Hold, PlaceVersion
from service.people.auditing import verify
from service.people.models import AuditEvent, Invite, PrincipalRow, StaffSession
from service.places.models import Place, PlaceArea, Receipt
from service.store.base import utc_now
from service.workshops.models import Seat, Workshop
from tests.conftest import bearer
from tests.support.squares import mark

PLACES = "/api/v1/places"
LONDON = ZoneInfo("Europe/London")
PROBE = "ZEBRAQUAGGAOKAPI"


def send(client: TestClient, **properties: Any) -> tuple[uuid.UUID, str]:
    """Send a mark with words and return its id and receipt."""
    feature = mark(note=f"{PROBE} note", suggestion=f"{PROBE} suggestion", times=["night"], **properties)
    answer = client.post(PLACES, json=feature)
    assert answer.status_code == 201
    return uuid.UUID(feature["id"]), answer.json()["receipt"]["secret"]


def change(core: Core, identifier: uuid.UUID, **values: Any) -> None:
    statement = update(Place).where(Place.id == identifier).values(**values)
    core.store.write(lambda session: session.execute(statement, execution_options={"synchronize_session": False}))


def read(core: Core, identifier: uuid.UUID) -> Place | None:
    with core.store.read() as session:
        return session.scalar(select(Place).where(Place.id == identifier))


def seq_of(core: Core, identifier: uuid.UUID) -> int:
    found = read(core, identifier)
    assert found is not None
    return found.seq


def in_days(days: int) -> datetime:
    """Return noon in the borough so many days from today, whatever the hour at which the tests run."""
    noon = datetime.combine(utc_now().astimezone(LONDON).date(), time(12), LONDON)
    return (noon + timedelta(days=days)).astimezone(UTC)


def areas_of(core: Core, seq: int) -> list[PlaceArea]:
    with core.store.read() as session:
        return list(session.scalars(select(PlaceArea).where(PlaceArea.place_seq == seq)))


@pytest.mark.requirement("L6", "X12")
def test_words_go_after_their_period_and_not_a_day_before(client: TestClient, core: Core) -> None:
    one, _ = send(client)
    days = core.settings.retention_words_days
    assert run_retention(core, SCHEDULE, now=in_days(days)).counts["words"] == 0
    place = read(core, one)
    assert place is not None
    assert place.note == f"{PROBE} note"
    assert run_retention(core, SCHEDULE, now=in_days(days + 1)).counts["words"] == 1
    place = read(core, one)
    assert place is not None
    assert (place.note, place.suggestion, place.request_hash) == (None, None, "")
    assert (place.feeling, place.times, place.geometry is not None) == ("unsafe", ["night"], True)
    assert place.erased_on is not None
    assert run_retention(core, SCHEDULE, now=in_days(days + 1)).counts["words"] == 0  # once


@pytest.mark.requirement("L6")
def test_period_counts_from_the_last_decision(client: TestClient, core: Core) -> None:
    one, _ = send(client)
    change(core, one, status="approved", decided_on=in_days(100).date())
    assert run_retention(core, SCHEDULE, now=in_days(200)).counts["words"] == 0
    assert run_retention(core, SCHEDULE, now=in_days(281)).counts["words"] == 1


@pytest.mark.requirement("L6", "X12")
def test_exact_position_goes_and_the_ward_stays_so_that_counts_stay(client: TestClient, core: Core) -> None:
    one, _ = send(client)
    change(core, one, status="approved")
    seq = seq_of(core, one)
    assert [row.area_gss for row in areas_of(core, seq)] == ["E05000001"]
    before = client.get(PLACES).json()["features"]
    assert run_retention(core, SCHEDULE, now=in_days(1096)).counts["geometry"] == 1
    place = read(core, one)
    assert place is not None
    assert (place.geometry, place.longitude_e7, place.latitude_e7) == (None, None, None)
    (row,) = areas_of(core, seq)
    assert (row.area_gss, row.share, row.edge_m, row.neighbour_gss, row.near_border) == (
        *("E05000001", 1.0, None, None, False),
    )
    after = client.get(PLACES).json()["features"]
    assert len(before) == len(after) == 1
    assert after[0]["geometry"] is None
    assert [one["name"] for one in after[0]["properties"]["areas"]] == ["South West"]
    if core.store.is_sqlite:
        with core.store.read() as session:
            assert session.execute(text("SELECT count(*) FROM place_rtree")).scalar() == 0


@pytest.mark.requirement("L6")
def test_ward_of_an_erased_mark_outlives_a_new_generation_of_its_set(client: TestClient, core: Core) -> None:
    from service.jobs.context import Silent
    from service.places.workflow import rejoin_places

    one, _ = send(client)
    kept, _ = send(client)
    change(core, one, status="approved", decided_on=in_days(-2000).date())
    change(core, kept, status="approved")
    assert run_retention(core, SCHEDULE).counts["geometry"] == 1
    rejoin_places(core, "squares", Silent())
    rejoin_places(core, "squares", Silent())
    for identifier in (one, kept):
        assert [row.area_gss for row in areas_of(core, seq_of(core, identifier))] == ["E05000001"]


@pytest.mark.requirement("L6")
def test_rejected_mark_keeps_only_that_it_was_there(client: TestClient, core: Core) -> None:
    one, _ = send(client)
    change(core, one, status="rejected", decided_on=utc_now().date(), public_text=f"{PROBE} public")
    assert run_retention(core, SCHEDULE, now=in_days(91)).counts["rejected"] == 1
    place = read(core, one)
    assert place is not None
    assert (place.status, place.publish, place.geometry, place.note, place.public_text, place.times) == (
        *("rejected", "never", None, None, None, []),
    )
    assert areas_of(core, place.seq) == []


@pytest.mark.requirement("L6", "S5")
@pytest.mark.parametrize("is_open_hold", [False, True])
def test_nothing_of_a_mark_with_the_lead_is_erased_whatever_its_age(
    client: TestClient, core: Core, is_open_hold: bool
) -> None:
    one, receipt = send(client)
    seq = seq_of(core, one)
    if is_open_hold:  # the state alone does not decide: a hold that nobody decided keeps it too
        hold = Hold(place_seq=seq, status_before="pending", held_by="moderator", due_at=utc_now())
        core.store.write(lambda session: session.add(hold))
    change(core, one, status="approved" if is_open_hold else "held", withdrawn_on=utc_now().date())
    report = run_retention(core, SCHEDULE, now=in_days(5000))
    assert report.with_lead == 1
    place = read(core, one)
    assert place is not None
    assert (place.note, place.geometry is not None, place.request_hash != "") == (f"{PROBE} note", True, True)
    assert client.post("/api/v1/receipts/read", json={"receipt": receipt}).status_code == 200


@pytest.mark.requirement("L6", "S5", "L7")
def test_held_mark_that_was_withdrawn_goes_once_the_lead_has_decided(client: TestClient, core: Core) -> None:
    one, receipt = send(client)
    change(core, one, status="held")
    client.post("/api/v1/receipts/withdraw", json={"receipt": receipt})
    assert run_retention(core, SCHEDULE).counts["withdrawn"] == 0
    change(core, one, status="approved")  # the lead decided and gave it back
    assert run_retention(core, SCHEDULE).counts["withdrawn"] == 1
    place = read(core, one)
    assert place is not None
    assert (place.status, place.note, place.geometry) == ("withdrawn", None, None)


@pytest.mark.requirement("L6")
def test_tombstone_stays_for_its_period_and_while_a_decision_names_it(client: TestClient, core: Core) -> None:
    gone, receipt = send(client)
    named, second = send(client)
    for secret in (receipt, second):
        client.post("/api/v1/receipts/withdraw", json={"receipt": secret})
    hold = Hold(
        place_seq=seq_of(core, named), status_before="pending", held_by="m", due_at=utc_now(), decided_at=utc_now()
    )
    core.store.write(lambda session: session.add(hold))
    assert run_retention(core, SCHEDULE, now=in_days(1000)).counts["tombstones"] == 0
    report = run_retention(core, SCHEDULE, now=in_days(1096))
    assert report.counts["tombstones"] == 1
    assert read(core, gone) is None
    assert read(core, named) is not None
    last = run_retention(core, SCHEDULE, now=in_days(2191)).counts
    assert (last["holds"], last["tombstones"]) == (1, 1)


@pytest.mark.requirement("L6")
def test_receipt_and_request_hash_go_after_their_periods(client: TestClient, core: Core) -> None:
    _, receipt = send(client)
    assert run_retention(core, SCHEDULE, now=in_days(91)).counts["requests"] == 1
    assert run_retention(core, SCHEDULE, now=in_days(730)).counts["receipts"] == 0
    assert run_retention(core, SCHEDULE, now=in_days(731)).counts["receipts"] == 1
    with core.store.read() as session:
        assert session.scalars(select(Receipt)).all() == []
    assert client.post("/api/v1/receipts/read", json={"receipt": receipt}).status_code == 404


def add_traces(core: Core, seq: int) -> None:
    now = utc_now()
    rows = [
        PlaceVersion(place_seq=seq, version=1, saved_on=now.date(), changed_by="owner", content={"note": PROBE}),
        Decision(place_seq=seq, actor="moderator", act="redact", before={"note": PROBE}, at=now),
    ]
    core.store.write(lambda session: session.add_all(rows))


@pytest.mark.requirement("L6")
def test_versions_and_undo_go_with_the_words(client: TestClient, core: Core) -> None:
    one, _ = send(client)
    add_traces(core, seq_of(core, one))
    change(core, one, note=None, suggestion=None)  # redacted: the words are only in what it takes to undo it
    report = run_retention(core, SCHEDULE, now=in_days(181))
    assert report.counts["words"] == 1
    with core.store.read() as session:
        assert session.scalars(select(PlaceVersion)).all() == []
        assert [row.before for row in session.scalars(select(Decision))] == [{}]
    assert run_retention(core, SCHEDULE, now=in_days(1096)).counts["decisions"] == 1


@pytest.mark.requirement("L6")
def test_codes_keys_seats_sessions_and_invites_go(core: Core) -> None:
    now = utc_now()

    def write(session: Any) -> None:
        workshop = Workshop(
            title="Tuesday club",
            code_hash="h",
            code_sealed="s",
            private_key_sealed="p",
            public_key="k",
            room_contact="Ama 020 7946 0000",
            opens_at=now,
            closes_at=now,
        )
        session.add(workshop)
        session.flush()
        person = session.scalars(select(PrincipalRow)).first()
        for index, unsent in enumerate((0, 2)):
            session.add(
                Seat(workshop_id=workshop.id, token_hash=f"t{index}", day=now.date(), expires_at=now, unsent=unsent)
            )
        session.add(StaffSession(principal_id=person.id, token_hash="x", expires_at=now))
        session.add(Invite(token_hash="i", label="l", role="planner", created_by="a", expires_at=now))

    core.store.write(write)
    first = run_retention(core, SCHEDULE, now=in_days(31)).counts
    assert (first["seats"], first["keys"], first["sessions"]) == (1, 0, 2)  # the seat with unsent marks stays
    second = run_retention(core, SCHEDULE, now=in_days(91)).counts
    assert (second["seats"], second["keys"]) == (1, 1)
    with core.store.read() as session:
        workshop = session.scalars(select(Workshop)).one()
    assert workshop.title == "Tuesday club"
    assert (workshop.code_hash, workshop.code_sealed, workshop.private_key_sealed, workshop.public_key) == (None,) * 4
    assert workshop.room_contact == ""


@pytest.mark.requirement("L6", "X9")
def test_audit_is_trimmed_from_its_beginning_and_never_early(core: Core) -> None:
    run_retention(core, SCHEDULE)
    run_retention(core, SCHEDULE)
    assert run_retention(core, SCHEDULE, now=in_days(729)).counts["audit"] == 0
    later = in_days(core.settings.retention_audit_days + 1)
    assert run_retention(core, SCHEDULE, now=later).counts["audit"] == 3
    with core.store.read() as session:
        acts = [row.act for row in session.scalars(select(AuditEvent).order_by(AuditEvent.seq))]
    assert acts == ["audit.prune", "retention.run"]
    assert verify(core) == 2
    with pytest.raises(ValueError, match="retention_audit_days"):
        type(core.settings)(retention_audit_days=729)
    with pytest.raises(ValueError, match="unsent marks need the keys"):
        type(core.settings)(retention_keys_days=29, late_delivery_days=30)


@pytest.mark.requirement("L6")
def test_audit_file_is_put_aside_and_later_deleted_while_it_is_written(core: Core) -> None:
    folder = core.settings.data_dir
    run_retention(core, SCHEDULE)
    run_retention(core, SCHEDULE)
    (aside,) = folder.glob("audit-????????.log")
    assert len(aside.read_text().splitlines()) == 1
    lines = (folder / "audit.log").read_text().splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["retention.run"]
    assert run_retention(core, SCHEDULE, now=in_days(core.settings.retention_logs_days + 1)).counts["logs"] == 1
    assert not aside.exists()
    assert verify(core) == 3


@pytest.mark.requirement("L6")
def test_dry_run_counts_and_changes_nothing(client: TestClient, core: Core) -> None:
    one, _ = send(client)
    report = run_retention(core, SCHEDULE, is_dry=True, now=in_days(2000))
    assert (report.counts["words"], report.counts["geometry"], report.is_dry) == (1, 1, True)
    place = read(core, one)
    assert place is not None
    assert place.note == f"{PROBE} note"
    assert not erasures.journal_path(core).exists()


@pytest.mark.requirement("L6", "X12")
def test_erased_words_are_in_no_file_of_the_data_folder(demo_client: TestClient) -> None:
    """A byte probe: store, write-ahead log, journal, logs. 300 marks, so that pages split and move."""
    from tests.support.squares import add_squares

    core: Core = demo_client.app.state.core  # type: ignore[attr-defined]
    add_squares(core)
    sent = [send(demo_client) for _ in range(300)]
    for identifier, _ in sent[::3]:
        add_traces(core, seq_of(core, identifier))
        change(core, identifier, note=None)
    demo_client.post("/api/v1/receipts/withdraw", json={"receipt": sent[1][1]})
    probe = PROBE.encode()
    assert any(probe in path.read_bytes() for path in core.settings.data_dir.iterdir() if path.is_file())
    report = run_retention(core, SCHEDULE, now=in_days(181))
    assert report.counts["words"] == 299
    assert report.log_emptied
    for path in core.settings.data_dir.rglob("*"):
        if path.is_file():
            assert probe not in path.read_bytes(), path.name


@pytest.mark.requirement("L6", "L7")
def test_bytes_of_marks_taken_back_go_with_the_next_run_even_if_nothing_else_is_old(demo_client: TestClient) -> None:
    from service.places.changing import erase_place
    from tests.support.squares import add_squares

    core: Core = demo_client.app.state.core  # type: ignore[attr-defined]
    add_squares(core)
    for identifier in [send(demo_client)[0] for _ in range(40)]:
        seq = seq_of(core, identifier)
        core.store.write(lambda session, seq=seq: erase_place(session, core, seq, version=1))  # type: ignore[misc]
    assert run_retention(core, SCHEDULE).total == 0
    for path in core.settings.data_dir.rglob("*"):
        assert not path.is_file() or PROBE.encode() not in path.read_bytes(), path.name


@pytest.mark.requirement("L6")
def test_every_class_has_a_setting_and_every_setting_a_class(core: Core) -> None:
    named = {one.setting for one in CLASSES if one.setting}
    assert named == {name for name in type(core.settings).model_fields if name.startswith("retention_")}


@pytest.mark.requirement("L6")
def test_it_comes_round_daily_by_itself_and_leaves_a_proof(core: Core) -> None:
    now = utc_now()
    assert "retention" in schedule.enqueue_due(core, now=now)
    assert "retention" not in schedule.enqueue_due(core, now=now + timedelta(hours=23))
    outcomes = [outcome for outcome in run_all(core) if outcome.lease.kind == "retention"]
    assert [outcome.status for outcome in outcomes] == ["done"]
    with core.store.read() as session:
        events = [row.act for row in session.scalars(select(AuditEvent))]
        assert session.execute(text("SELECT count(*) FROM retention_run")).scalar() == 1
    assert "retention.run" in events


@pytest.mark.requirement("L6", "X12")
def test_journal_names_erased_marks_by_keyed_hash_only(client: TestClient, core: Core) -> None:
    one, receipt = send(client)
    held, second = send(client)
    change(core, held, status="held")
    client.post("/api/v1/receipts/withdraw", json={"receipt": receipt})
    client.post("/api/v1/receipts/withdraw", json={"receipt": second})
    path = erasures.journal_path(core)
    found = {entry.id: entry.kind for entry in erasures.read_erasures(path)}
    assert found == {
        erasures.mark_hash(core, one): erasures.WITHDRAWN,
        erasures.mark_hash(core, held): erasures.WITHDRAWN_HELD,
    }
    text_ = path.read_text()
    assert str(one) not in text_
    assert one.hex not in text_
    assert PROBE not in text_
    assert path.stat().st_mode & 0o077 == 0


def test_torn_line_of_the_journal_is_passed_over_and_mended(core: Core) -> None:
    day = datetime(2026, 1, 2, tzinfo=UTC).date()
    one, two = uuid.uuid4(), uuid.uuid4()
    erasures.note_erasures(core, erasures.WORDS, [one], day)
    path = erasures.journal_path(core)
    with path.open("a") as file:
        file.write('{"id": "to')
    erasures.note_erasures(core, erasures.WORDS, [two], day)
    assert [entry.id for entry in erasures.read_erasures(path)] == [
        erasures.mark_hash(core, one),
        erasures.mark_hash(core, two),
    ]


@pytest.mark.requirement("L6", "X2")
def test_page_shows_periods_last_run_and_warns_when_late(real: TestClient) -> None:
    core: Core = real.app.state.core  # type: ignore[attr-defined]
    page = {"Accept": "text/html"}
    html = real.get("/staff/retention", headers=bearer("admin") | page).text
    assert "has not run for more than two days" in html
    assert "180 days" in html
    run_retention(core, SCHEDULE)
    assert "has not run" not in real.get("/staff/retention", headers=bearer("admin") | page).text
    done = real.post("/staff/retention", headers=bearer("admin") | page, follow_redirects=False)
    assert done.status_code == 303
    for role, status in (("planner", 403), ("moderator", 403), ("safeguarding_lead", 403), (None, 401)):
        headers = (bearer(role) if role else {}) | page
        assert real.get("/staff/retention", headers=headers).status_code == status
        assert real.post("/staff/retention", headers=headers).status_code == status
    assert real.get("/ready").status_code == 200
