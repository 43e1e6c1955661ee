"""Workshops for tests: who runs them, a lead on duty, a code, seats."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import select

from service.core import Core
from service.people.access import Principal
from service.people.models import PrincipalRow
from service.store.base import utc_now
from service.workshops import workflow

OWN = {"Origin": "http://testserver"}
MINUTE = timedelta(minutes=1)


def staff(core: Core, label: str) -> Principal:
    """Return the member of staff with a label of ``STAFF_KEYS``."""
    with core.store.read() as session:
        row = session.scalars(select(PrincipalRow).where(PrincipalRow.label == label)).one()
    return Principal(row.label, row.role, row.id, row.team_id)


def put_on_duty(core: Core, *, hours: float = 12, since: float = 1) -> int:
    """Put the lead on duty from so many hours ago for so many hours from now."""
    lead = staff(core, "safeguarding_lead")
    assert lead.number is not None
    now = utc_now()
    times = (now - timedelta(hours=since), now + timedelta(hours=hours))
    return workflow.add_duty(core, lead, workflow.DutyIn(lead.number, *times, "020 7946 0123"))


def set_up(core: Core, label: str = "youth_worker", **values: Any) -> tuple[uuid.UUID, str]:
    """Set up a workshop that opened a minute ago; return its id and code."""
    now = utc_now()
    given = {
        "title": "Test club",
        "room_contact": "020 7946 0000",
        "opens_at": now - MINUTE,
        "closes_at": now + 120 * MINUTE,
    } | values
    worker = staff(core, label)
    made = workflow.create_workshop(core, worker, workflow.WorkshopIn(**given))
    return made, workflow.code_of(core, worker, made)


def phone(client: TestClient, code: str) -> TestClient:
    """Return a browser of its own that joined."""
    device = TestClient(client.app, headers=OWN)
    answer = device.post("/api/v1/workshop/join", json={"code": code})
    assert answer.status_code == 200, answer.text
    return device


def close_window(core: Core, workshop: uuid.UUID, *, ago: timedelta = MINUTE) -> None:
    """Move the window of a workshop into the past."""
    from service.workshops.models import Workshop

    def write(session: Any) -> None:
        row = session.scalars(select(Workshop).where(Workshop.uuid == workshop)).one()
        row.closes_at = utc_now() - ago
        row.opens_at = row.closes_at - 120 * MINUTE

    core.store.write(write)
