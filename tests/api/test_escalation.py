"""Who is told that something waits, and when: against a real mail server on this machine, up, down and refusing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from service.core import Core
from service.jobs.kinds import KINDS
from service.jobs.schedule import EVERY
from service.jobs.workflow import run_all
from service.mail import MailError, send_mail
from service.moderation.models import Hold, Notice
from service.moderation.workflow import count_due, escalate
from service.outbound import OutboundDeniedError
from service.people import workflow as people
from service.people.models import AuditEvent, PrincipalRow
from service.places.models import Place
from service.settings import Settings
from service.workshops.models import Duty
from tests.conftest import ROOT, bearer
from tests.support.mailbox import Mailbox, free_port, running_mail
from tests.support.moderation import ask, send
from tests.support.staff import OURS, enrol, sign_in, take_up

START = datetime(2026, 7, 6, 14, 0, tzinfo=UTC)  # 15:00 local: due at 20:00 local, which is 19:00 UTC
DUE = datetime(2026, 7, 6, 19, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ON_DUTY, OTHER, ADMIN = "duty@example.org", "other@example.org", "admin@example.org"


@pytest.fixture
def port(core: Core, monkeypatch: pytest.MonkeyPatch) -> int:
    """Point the deployment to a mail server on a free port, where nobody listens yet."""
    number = free_port()
    values = {"smtp_host": "127.0.0.1", "smtp_port": number, "smtp_tls": "none", "smtp_sender": "places@example.org"}
    for name, value in (values | {"public_url": "https://places.example.org", "smtp_timeout_s": 5.0}).items():
        monkeypatch.setattr(core.settings, name, value)
    return number


@pytest.fixture
def staff(core: Core) -> Core:
    """Give the store a lead on duty, another lead, and an administrator with addresses."""

    def write(session: Any) -> None:
        for label, role, address in (
            ("lead-on-duty", "safeguarding_lead", ON_DUTY),
            ("other-lead", "safeguarding_lead", OTHER),
            ("operator", "admin", ADMIN),
            ("reader", "moderator", "reader@example.org"),
        ):
            session.add(PrincipalRow(kind="staff", label=label, role=role, notify_to=address))
        session.flush()
        on_duty = session.scalar(select(PrincipalRow.id).where(PrincipalRow.label == "lead-on-duty"))
        window = {"opens_at": START - timedelta(days=1), "closes_at": START + timedelta(days=2)}
        session.add(Duty(principal_id=on_duty, out_of_hours="020 7946 0000", **window))

    core.store.write(write)
    return core


@pytest.fixture
def box(port: int) -> Iterator[Mailbox]:
    with running_mail(port, Mailbox()) as found:
        yield found


def make_hold(client: TestClient, core: Core, note: str = "ZEBRA words") -> int:
    place_id, _ = send(client, note=note)
    number = int(ask(client, "moderator", f"/marks/{place_id}/hold", {}).json()["hold"])
    change = update(Hold).where(Hold.id == number).values(held_at=START, due_at=DUE)
    core.store.write(lambda session: session.execute(change))
    return number


def notices(core: Core) -> list[Notice]:
    with core.store.read() as session:
        return list(session.scalars(select(Notice).order_by(Notice.id)))


def test_the_job_comes_round_every_minute() -> None:
    assert EVERY["escalate"] == MINUTE
    assert "escalate" in KINDS


@pytest.mark.requirement("S4")
def test_more_people_are_told_the_later_it_gets(client: TestClient, staff: Core, box: Mailbox) -> None:
    make_hold(client, staff)
    steps: list[tuple[datetime, list[str]]] = [
        (START, [ON_DUTY]),  # at once
        (START + MINUTE, []),  # once only
        (DUE - MINUTE, []),
        (DUE, [ON_DUTY]),  # late
        (DUE + 29 * MINUTE, []),
        (DUE + 30 * MINUTE, [ON_DUTY, OTHER]),  # every lead
        (DUE + 89 * MINUTE, []),
        (DUE + 90 * MINUTE, [ON_DUTY, OTHER, ADMIN]),  # and the administrator
        (DUE + 209 * MINUTE, []),
        (DUE + 210 * MINUTE, [ON_DUTY, OTHER, ADMIN]),  # two hours later, and so on
    ]
    told = []
    for moment, _ in steps:
        escalate(staff, now=moment)
        told.append((moment, box.taken()))
    assert told == steps


@pytest.mark.requirement("S4", "X9")
def test_a_message_holds_no_content_and_no_place(client: TestClient, staff: Core, box: Mailbox) -> None:
    number = make_hold(client, staff)
    escalate(staff, now=START)
    (message,) = box.messages
    assert message["From"] == "places@example.org"
    body = message.get_content()
    assert "A mark waits for the safeguarding lead since 15:00 on 6 July 2026." in body
    assert "https://places.example.org/lead" in body
    with staff.store.read() as session:
        place = session.scalars(select(Place)).one()
        acts = [(row.act, row.details) for row in session.scalars(select(AuditEvent)) if row.act == "notice.make"]
    whole = str(message)
    for private in ("ZEBRA", "Club", "South West", str(place.id), str(place.longitude_e7), "unsafe"):
        assert private not in whole
    assert acts == [("notice.make", {"kind": "new", "step": 1, "hold": number, "told": 1})]


@pytest.mark.requirement("S4")
def test_a_server_that_is_down_loses_nothing(client: TestClient, staff: Core, port: int) -> None:
    make_hold(client, staff)
    assert escalate(staff, now=START) == {"made": 1, "sent": 0, "failed": 1}
    (notice,) = notices(staff)
    assert (notice.problem, notice.tries, notice.sent_at) == ("unreachable", 1, None)
    assert "1 e-mail could not be sent" in client.get("/lead", headers=bearer("safeguarding_lead")).text.replace(
        "<strong>", ""
    )
    assert count_due(staff, now=START).unsent == 1
    assert escalate(staff, now=START + timedelta(seconds=59))["failed"] == 0  # it backs off: a minute, two, four ...
    assert escalate(staff, now=START + MINUTE)["failed"] == 1
    assert escalate(staff, now=START + 2 * MINUTE)["failed"] == 0
    with running_mail(port, Mailbox()) as box:
        assert escalate(staff, now=START + 3 * MINUTE)["sent"] == 1
        assert box.taken() == [ON_DUTY]
    (notice,) = notices(staff)
    assert (notice.problem, notice.tries) == ("", 3)
    assert "could not be sent" not in client.get("/lead", headers=bearer("safeguarding_lead")).text


@pytest.mark.requirement("S4")
def test_one_refused_address_stops_no_other(client: TestClient, staff: Core, box: Mailbox) -> None:
    make_hold(client, staff)
    escalate(staff, now=START)
    escalate(staff, now=DUE)
    box.taken()
    box.refused.add(ON_DUTY)
    assert escalate(staff, now=DUE + 30 * MINUTE) == {"made": 2, "sent": 1, "failed": 1}
    assert box.taken() == [OTHER]
    assert [one.problem for one in notices(staff) if one.sent_at is None] == ["refused"]


@pytest.mark.requirement("S4")
def test_a_decision_ends_what_was_not_sent_yet(client: TestClient, staff: Core, port: int) -> None:
    number = make_hold(client, staff)
    escalate(staff, now=START)
    decision = {"outcome": "no_action", "reason": "Talked it over.", "then": "return"}
    assert ask(client, "safeguarding_lead", f"/holds/{number}/decide", decision).status_code == 200
    with running_mail(port, Mailbox()) as box:
        escalate(staff, now=DUE + 90 * MINUTE)
        assert box.messages == []
    assert [one.kind for one in notices(staff)] == ["new"]
    assert notices(staff)[0].settled_at is not None


@pytest.mark.requirement("S3")
def test_unread_words_at_the_end_of_the_day_are_told(client: TestClient, staff: Core, box: Mailbox) -> None:
    silent, _ = send(client)
    place_id, _ = send(client, note="ZEBRA words")
    days = update(Place).values(day=START.date())
    staff.store.write(lambda session: session.execute(days))
    assert escalate(staff, now=DUE - MINUTE)["made"] == 0
    escalate(staff, now=DUE)
    (message,) = box.messages
    assert "Words of 6 July 2026 or later have not been read yet." in message.get_content()
    assert "https://places.example.org/queue" in message.get_content()
    assert "ZEBRA" not in str(message)
    assert box.taken() == [ON_DUTY]
    escalate(staff, now=DUE + 30 * MINUTE)
    assert box.taken() == [ON_DUTY, OTHER]
    assert count_due(staff, now=DUE).unread == 1
    body = {"desk": "desk-of-the-test", "act": "approve", "version": 1}
    assert ask(client, "moderator", f"/marks/{place_id}/decide", body).status_code == 200
    assert escalate(staff, now=DUE + 300 * MINUTE)["made"] == 0
    assert silent  # a mark without words waits, and nobody is called for it


@pytest.mark.requirement("S4")
def test_nobody_to_tell_is_said_and_made_good_later(client: TestClient, core: Core, box: Mailbox) -> None:
    make_hold(client, core)
    escalate(core, now=START)
    assert [one.problem for one in notices(core)] == ["nobody-to-tell"]
    assert "could not be sent" in client.get("/lead", headers=bearer("safeguarding_lead")).text
    row = PrincipalRow(kind="staff", label="new-lead", role="safeguarding_lead", notify_to=OTHER)
    core.store.write(lambda session: session.add(row))
    escalate(core, now=START + MINUTE)
    assert box.taken() == [OTHER]


@pytest.mark.requirement("S4")
def test_without_a_mail_server_the_page_says_so(client: TestClient, staff: Core) -> None:
    make_hold(client, staff)
    escalate(staff, now=START)
    assert [one.problem for one in notices(staff)] == ["no-mail-server"]
    assert "could not be sent" in client.get("/lead", headers=bearer("safeguarding_lead")).text


def test_the_worker_runs_it(client: TestClient, staff: Core, box: Mailbox) -> None:
    from service.jobs.schedule import enqueue_due

    make_hold(client, staff)
    enqueue_due(staff)
    outcomes = [one.status for one in run_all(staff) if one.lease.kind == "escalate"]
    assert outcomes == ["done"]
    assert [one.sent_at is None for one in notices(staff)] == [False] * 4  # nobody is on duty today: every lead is told
    assert sorted(box.taken()) == [ON_DUTY, ON_DUTY, OTHER, OTHER]


@pytest.mark.requirement("X10")
def test_the_mail_server_is_on_the_allow_list_and_no_other_host(
    port: int, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert f"127.0.0.1:{port}" in core.settings.outbound_hosts
    monkeypatch.setattr(type(core.settings), "outbound_hosts", frozenset({"data.police.uk"}))
    with pytest.raises(OutboundDeniedError):
        send_mail(core.settings, to=ON_DUTY, subject="x", body="y")


@pytest.mark.parametrize(("tls", "code"), [("starttls", "refused"), ("tls", "unreachable")])
def test_a_server_without_encryption_gets_nothing_where_it_is_asked_for(
    core: Core, box: Mailbox, monkeypatch: pytest.MonkeyPatch, tls: str, code: str
) -> None:
    monkeypatch.setattr(core.settings, "smtp_tls", tls)
    with pytest.raises(MailError) as caught:
        send_mail(core.settings, to=ON_DUTY, subject="x", body="y")
    assert caught.value.code == code
    assert box.messages == []


def test_mail_settings_are_complete_or_refused() -> None:
    with pytest.raises(ValueError, match="smtp_sender"):
        Settings(smtp_host="mail.example.org")


def test_lead_due_prints_counts(make_settings: Any) -> None:
    settings = make_settings("demo")
    environment = os.environ | {"SAFER_PLACES_DATA_DIR": str(settings.data_dir)}
    command = [sys.executable, "-m", "service.cli", "lead", "due"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.splitlines() == [
        "With the lead: 0, late: 0",
        "Words not read in time: 0",
        "E-mails not sent yet: 0",
    ]


@pytest.mark.requirement("S4", "X9")
def test_addresses_are_given_on_the_pages_and_stand_in_no_audit(client: TestClient, core: Core, box: Mailbox) -> None:
    """The administrator gives the lead an address, the lead changes it, and the next e-mail goes there."""
    make_hold(client, core)
    boss = enrol(core, "admin", team=None)
    assert sign_in(client, boss).status_code == 303
    form = {"login": "lead@example.org", "label": "Lead", "role": "safeguarding_lead"}
    refused = client.post("/staff/accounts", data=form | {"notify": "no address\nBcc: x@y.zz"}, headers=OURS)
    assert refused.status_code == 422
    made = client.post("/staff/accounts", data=form | {"notify": "first@example.org"}, headers=OURS)
    token = re.search(r"/staff/invite#([\w-]{43})", made.text)
    assert token is not None
    escalate(core, now=START)
    assert "first@example.org" in box.taken()

    lead = take_up(core, token[1], "lead@example.org")
    assert sign_in(client, lead).status_code == 303
    assert "first@example.org" in client.get("/staff").text
    done = client.post("/staff/address", data={"notify": "second@example.org"}, headers=OURS, follow_redirects=False)
    assert done.status_code == 303
    escalate(core, now=DUE)
    assert "second@example.org" in box.taken()
    assert client.post("/staff/address", data={"notify": "nobody"}, headers=OURS).status_code == 422
    with core.store.read() as session:
        told = [(row.act, str(row.details), row.subject) for row in session.scalars(select(AuditEvent))]
    assert "address.change" in {act for act, *_ in told}
    assert not [row for row in told if "first@" in str(row) or "second@" in str(row)]

    client.post("/staff/address", data={"notify": ""}, headers=OURS)
    assert "do not reach you" in client.get("/staff").text
    assert sign_in(client, boss).status_code == 303
    assert "nobody is told when something is late" in client.get("/staff/accounts").text
    number = next(one.number for one in people.list_accounts(core, people.OPERATOR) if one.label == "Lead")
    change = {"number": number, "role": "safeguarding_lead", "notify": "third@example.org"}
    client.post("/staff/accounts/change", data=change, headers=OURS)
    escalate(core, now=DUE + 30 * MINUTE)
    assert "third@example.org" in box.taken()
