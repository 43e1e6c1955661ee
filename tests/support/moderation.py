"""Workshops, marks and people for the tests of moderation."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import select

from service.core import Core
from service.people.models import AuditEvent, PrincipalRow, Team
from service.places.models import Place
from service.workshops.models import Workshop
from tests.conftest import bearer
from tests.support.squares import mark

API = "/api/v1/moderation"
DESK = "desk-of-the-test"


def add_workshop(core: Core, *, team: str = "North team", title: str = "Club night") -> str:
    """Store a workshop of a team, led by the youth worker of the tests, and return its id."""
    identifier = uuid.uuid4()

    def write(session: Any) -> None:
        session.add(
            Workshop(
                uuid=identifier,
                title=title,
                team_id=session.scalar(select(Team.id).where(Team.name == team)),
                lead_id=session.scalar(select(PrincipalRow.id).where(PrincipalRow.label == "youth_worker")),
                opens_at=datetime(2026, 7, 6, 16, 0, tzinfo=UTC),
                closes_at=datetime(2026, 7, 6, 18, 0, tzinfo=UTC),
                room_contact="Club phone 020 7946 0000",
                takes_words=True,
            )
        )

    core.store.write(write)
    return str(identifier)


def send(client: TestClient, **properties: Any) -> tuple[str, str]:
    """Send a mark as a visitor of the demo and return its id and its receipt."""
    feature = mark(**properties)
    answer = client.post("/api/v1/places", json=feature)
    assert answer.status_code == 201, answer.text
    return str(feature["id"]), str(answer.json()["receipt"]["secret"])


def ask(client: TestClient, role: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Ask the API of moderation in a role: GET, or POST where there is a body."""
    if body is None:
        return client.get(API + path, headers=bearer(role))
    return client.post(API + path, json=body, headers=bearer(role))


def take(client: TestClient, role: str = "moderator", desk: str = DESK, **more: Any) -> Any:
    """Return the mark that a role is shown next."""
    answer = ask(client, role, "/next", {"desk": desk} | more)
    assert answer.status_code == 200, answer.text
    return answer.json()["mark"]


def decide(client: TestClient, place_id: str, act: str, *, role: str = "moderator", **more: Any) -> Any:
    """Decide on a mark, of the version that is stored unless another is given."""
    body = {"desk": DESK, "act": act, "version": more.pop("version", None) or stored(client, place_id).version}
    return ask(client, role, f"/marks/{place_id}/decide", body | more)


def stored(client: TestClient, place_id: str) -> Place:
    """Return the row of a mark."""
    with core_of(client).store.read() as session:
        found: Place = session.scalars(select(Place).where(Place.id == uuid.UUID(place_id))).one()
    return found


def audit_rows(client: TestClient, act: str) -> list[AuditEvent]:
    """Return the audit of an act, oldest first."""
    with core_of(client).store.read() as session:
        return list(session.scalars(select(AuditEvent).where(AuditEvent.act == act).order_by(AuditEvent.seq)))


def core_of(client: TestClient) -> Core:
    """Return the core behind a client."""
    core: Core = client.app.state.core  # type: ignore[attr-defined]
    return core
