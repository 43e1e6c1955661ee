"""Who sees what: rows and fields by role, staff sessions, no trace of anybody in the logs."""

from __future__ import annotations

import io
import logging
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, text, update

from service.core import Core
from service.logs import LineFormatter
from service.people import workflow as people
from service.people.access import Principal
from service.people.models import AuditEvent
from service.places import workflow as places
from service.places.models import Place
from tests.conftest import bearer
from tests.support.squares import mark
from tests.support.staff import PASSWORD, Staff, enrol, sign_in

URL = "/api/v1/places"
OWN = {"Origin": "http://testserver"}
LISTED = {"day", "kind", "feeling", "times", "reasons", "status", "publish", "people", "version", "is_sample", "areas"}
AREA = {"set", "area_gss", "name", "share"}
EXACT = {"edge_m", "neighbour_gss", "near_border"}
WORDS = {"note", "suggestion"}

# role -> states it sees, whether it sees the position, whether it sees the words: product.md 1 and 4, by hand
SEEN: dict[str, tuple[set[str], bool, bool]] = {
    "youth_worker": ({"approved"}, True, False),  # of no workshop; see test_ownership for those of its own team
    "moderator": ({"approved", "pending", "rejected"}, True, True),
    "safeguarding_lead": ({"approved", "pending", "held", "rejected"}, True, True),
    "planner": ({"approved"}, True, False),
}


@pytest.fixture
def filled(real: TestClient) -> Core:
    """Fill a real deployment with one mark of each state, and a border."""
    core: Core = real.app.state.core  # type: ignore[attr-defined]
    for state in ("pending", "approved", "held", "rejected", "withdrawn"):
        put(real, core, state)
    put(real, core, "approved", kind="border")
    return core


def put(client: TestClient, core: Core, state: str, **values: Any) -> str:
    feature = mark()
    assert client.post(URL, json=feature, headers=bearer("youth_worker")).status_code == 201
    change = {"status": state, "note": "ZEBRA", "suggestion": "OKAPI"} | values
    statement = update(Place).where(Place.id == uuid.UUID(feature["id"])).values(**change)
    core.store.write(lambda session: session.execute(statement, execution_options={"synchronize_session": False}))
    return str(feature["id"])


def listed(core: Core, role: str) -> list[dict[str, Any]]:
    return places.list_places(core, Principal(role, role), places.PlaceFilter())[0]


@pytest.mark.requirement("X2", "L5")
@pytest.mark.parametrize("role", SEEN)
def test_role_sees_its_rows_and_fields_and_no_others(filled: Core, role: str) -> None:
    states, exact, words = SEEN[role]
    found = [feature for feature in listed(filled, role) if feature["properties"]["kind"] != "border"]
    assert {feature["properties"]["status"] for feature in found} == states
    for feature in found:
        assert (feature["geometry"] is not None) == exact
        properties = feature["properties"]
        assert set(properties) == LISTED | ({"hotspot"} if exact else set()) | (WORDS if words else set())
        assert set(properties["areas"][0]) == AREA | (EXACT if exact else set())


@pytest.mark.requirement("X2", "E5")
def test_borders_are_seen_by_the_lead_only(filled: Core) -> None:
    seen = {role: any(f["properties"]["kind"] == "border" for f in listed(filled, role)) for role in SEEN}
    assert seen == {"youth_worker": False, "moderator": False, "safeguarding_lead": True, "planner": False}


@pytest.mark.requirement("E5")
def test_a_mark_has_no_field_for_a_name() -> None:
    from service.places.schemas import PlaceProperties

    assert not [name for name in PlaceProperties.model_fields if "name" in name or "who" in name]


@pytest.mark.requirement("X2")
@pytest.mark.parametrize(
    ("role", "status"),
    [(None, 401), ("admin", 403), ("planner", 200), ("youth_worker", 200), ("moderator", 200)],
)
def test_list_asks_for_the_right(real: TestClient, role: str | None, status: int) -> None:
    headers = bearer(role) if role else {}
    assert real.get(URL, headers=headers).status_code == status
    assert real.get(f"{URL}/{uuid.uuid4()}", headers=headers).status_code == (404 if status == 200 else status)


@pytest.mark.requirement("X2", "S5")
def test_one_place_is_as_hidden_as_the_list(real: TestClient, filled: Core) -> None:
    held = put(real, filled, "held")
    pending = put(real, filled, "pending")
    assert real.get(f"{URL}/{held}", headers=bearer("moderator")).status_code == 404
    assert real.get(f"{URL}/{pending}", headers=bearer("planner")).status_code == 404
    assert real.get(f"{URL}/{pending}", headers=bearer("moderator")).status_code == 200
    assert real.get(f"{URL}/{pending}", headers=bearer("youth_worker")).status_code == 404  # of no team's workshop


@pytest.mark.requirement("X2")
def test_maps_and_counts_ask_for_the_right(filled: Core) -> None:
    from service.errors import ForbiddenError, NotSignedInError
    from service.people.access import PUBLIC

    admin = Principal("admin", "admin")
    for principal, error in ((PUBLIC, NotSignedInError), (admin, ForbiddenError)):
        with pytest.raises(error):
            places.places_in_bbox(filled, principal, None)
        with pytest.raises(error):
            places.counts_by_area(filled, principal, "squares")
        with pytest.raises(error):
            places.reasons_by_area(filled, principal, "squares")
    assert len(places.places_in_bbox(filled, Principal("p", "planner"), None)) == 1


def test_wrong_key_never_falls_back_to_the_public_view(real: TestClient) -> None:
    for header in ("Bearer nobody", "Basic dGVzdA==", "Bearer", "nonsense"):
        answer = real.get("/api/v1/venues", headers={"Authorization": header})
        assert (answer.status_code, answer.json()["code"]) == (401, "not-signed-in")


def signed_in(client: TestClient, role: str) -> Staff:
    """Sign somebody with a fresh account in."""
    who = enrol(client.app.state.core, role)  # type: ignore[attr-defined]
    assert sign_in(client, who).status_code == 303
    return who


def test_session_of_a_page_acts_in_the_role_of_its_account(real: TestClient) -> None:
    signed_in(real, "planner")
    assert real.get(URL).status_code == 200
    assert real.post(URL, json=mark(), headers=OWN).status_code == 403  # a planner does not mark
    real.post("/sign-out", headers=OWN)
    assert real.get(URL).status_code == 401


def test_cookie_is_secure_over_https(make_settings: Any) -> None:
    from service.app import create_app

    with TestClient(create_app(make_settings("real")), base_url="https://testserver") as client:
        who = enrol(client.app.state.core, "planner")  # type: ignore[attr-defined]
        data = {"login": who.login, "password": PASSWORD, "code": who.once()}
        answer = client.post("/sign-in", data=data, headers={"Origin": "https://testserver"}, follow_redirects=False)
    assert "secure" in answer.headers["set-cookie"].lower()


def test_forged_or_foreign_session_is_nobody(real: TestClient) -> None:
    core: Core = real.app.state.core  # type: ignore[attr-defined]
    who = enrol(core, "planner")
    found = people.find_session(core, who.session)
    assert found is not None
    assert (found.principal.id, found.principal.role) == (who.label, "planner")
    for forged in (who.session[:-2] + "xx", "", "a.b.c", people.hash_key(who.session), "\ud800"):
        assert people.find_session(core, forged) is None


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        (OWN, 201),
    ],
)
def test_change_by_cookie_comes_from_our_own_pages_only(real: TestClient, headers: dict[str, str], status: int) -> None:
    signed_in(real, "youth_worker")
    assert real.post(URL, json=mark(), headers=headers).status_code == status


@pytest.mark.requirement("X3")
def test_wrong_sign_ins_are_throttled_and_a_network_is_forgotten(make_settings: Any) -> None:
    from service.app import create_app

    with TestClient(create_app(make_settings("real", sign_in_tries_per_minute=4))) as real:
        form = {"login": "x", "password": "y", "code": "z"}
        statuses = [real.post("/sign-in", data=form, headers=OWN).status_code for _ in range(6)]
        assert statuses == [401] * 4 + [429] * 2
        assert real.get(URL, headers={"Authorization": "Bearer x"}).status_code == 429
        assert real.post("/staff/invite", data={"token": "x"}, headers=OWN).status_code == 429
        buckets = real.app.state.core.throttles["sign-in"]  # type: ignore[attr-defined]
        assert len(buckets) == 1
        assert "testclient" not in str(buckets._buckets)
        buckets.take("somebody else", now=time.monotonic() + 61)
        assert list(buckets._buckets) == ["somebody else"]


@pytest.mark.requirement("X3")
def test_sixty_colleagues_of_one_network_get_in(make_settings: Any) -> None:
    from service.app import create_app

    with TestClient(create_app(make_settings("real"))) as real:
        who = enrol(real.app.state.core, "planner")  # type: ignore[attr-defined]
        for number in range(40):  # of sixty, forty mistype at nine o'clock: each their own login
            form = {"login": f"colleague{number}", "password": "y", "code": "z"}
            assert real.post("/sign-in", data=form, headers=OWN).status_code == 401
        assert sign_in(real, who).status_code == 303


@pytest.mark.requirement("X3")
def test_flood_of_marks_from_one_network_is_stopped(make_settings: Any) -> None:
    from service.app import create_app
    from tests.support.squares import add_squares

    with TestClient(create_app(make_settings("demo", marks_per_minute=5))) as client:
        add_squares(client.app.state.core)  # type: ignore[attr-defined]
        statuses = [client.post(URL, json=mark()).status_code for _ in range(7)]
    assert statuses == [201] * 5 + [429] * 2


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Collect everything that any logger says, as the service writes it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LineFormatter())
    root = logging.getLogger()
    # the client of the test tells the addresses that it asks for: that is not the service
    handler.addFilter(lambda record: not record.name.startswith("httpx"))
    loggers = [root, logging.getLogger("safer_places")]
    levels = [logger.level for logger in loggers]
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    loggers[1].setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.mark.requirement("X9")
def test_reads_of_exact_positions_are_told_without_positions(
    real: TestClient, filled: Core, lines: io.StringIO
) -> None:
    real.get(URL, headers=bearer("planner"))
    (line,) = [line for line in lines.getvalue().splitlines() if "safer_places.audit" in line]
    assert '"event": "places.list"' in line
    assert '"principal": "planner"' in line
    with filled.store.read() as session:
        row = session.scalars(select(AuditEvent).order_by(AuditEvent.seq.desc())).first()
    assert row is not None
    assert (row.actor, row.act, row.details) == ("planner", "places.list", {"rows": 1})


@pytest.mark.requirement("X9")
def test_every_way_to_read_exact_positions_is_in_the_audit(real: TestClient, filled: Core) -> None:
    number = put(real, filled, "approved")
    box = {"bbox": "-1,51,1,52", "zoom": "12"}
    for path, act in (
        (URL, "places.list"),
        (f"{URL}/{number}", "places.read"),
        ("/maps/data/places", "places.map"),
        ("/maps/places/download", "places.download"),
        ("/maps/download", "places.download"),
    ):
        before = acts(filled)
        answer = real.get(path, params=box if "data" in path else {}, headers=bearer("planner"))
        assert answer.status_code == 200, path
        assert act in acts(filled)[len(before) :], path


def acts(core: Core) -> list[str]:
    with core.store.read() as session:
        return list(session.scalars(select(AuditEvent.act).order_by(AuditEvent.seq)))


@pytest.mark.requirement("X9", "L3", "X4")
def test_no_word_position_secret_or_address_stands_in_any_log_line(
    demo_client: TestClient, lines: io.StringIO, monkeypatch: Any
) -> None:
    from tests.support.squares import add_squares

    core: Core = demo_client.app.state.core  # type: ignore[attr-defined]
    add_squares(core)
    client = TestClient(demo_client.app, client=("203.0.113.77", 50000), raise_server_exceptions=False)
    feature = mark(note="ZEBRA words", suggestion="OKAPI words", contributor_key="QUAGGA-contributor-key")
    receipt = client.post(URL, json=feature).json()["receipt"]["secret"]
    longitude, latitude = (str(number)[:8] for number in feature["geometry"]["coordinates"])
    client.post(URL, json=feature | {"properties": {"feeling": "ZEBRA"}})
    client.post(URL, json=mark(note="ZEBRA\u200b"))
    client.get(URL, params={"bbox": f"{longitude},{latitude},1,52"})
    client.get(f"/nowhere/{receipt}")
    client.post("/api/v1/receipts/read", json={"receipt": receipt})
    client.post("/sign-in", data={"login": "QUAGGA", "password": "QUAGGA-key", "code": "QUAGGA"}, headers=OWN)
    client.post("/staff/invite", data={"token": "QUAGGA-token"}, headers=OWN)
    core.store.write(lambda session: session.execute(text("DROP TABLE place_rtree")))
    assert client.post(URL, json=mark(note="ZEBRA words")).status_code == 503  # a database error with words in it
    monkeypatch.setattr(places, "check_place", lambda *_: int("ZEBRA words"))
    assert client.post(URL, json=mark(note="ZEBRA words")).status_code == 500  # an error whose message has words
    said = lines.getvalue()
    assert "unexpected" in said
    assert "ValueError" in said
    for probe in ("ZEBRA", "OKAPI", "QUAGGA", receipt, "203.0.113", longitude, latitude):
        assert probe not in said, probe


@pytest.mark.requirement("L3")
def test_no_table_has_a_column_for_who_or_where_from() -> None:
    from service.tables import METADATA

    words = ("email", "phone", "birth", "school", "ip_", "address", "device", "user_agent", "first_name", "surname")
    columns = [f"{table.name}.{column.name}" for table in METADATA.tables.values() for column in table.columns]
    found = [name for name in columns if any(word in name for word in words)]
    assert found == ["venue.address"]  # of a library or shop, which agreed


@pytest.mark.requirement("L3")
def test_no_address_of_a_device_is_in_the_store(demo_client: TestClient, tmp_path: Any) -> None:
    from tests.support.squares import add_squares

    core: Core = demo_client.app.state.core  # type: ignore[attr-defined]
    add_squares(core)
    client = TestClient(demo_client.app, client=("203.0.113.77", 50000), headers={"User-Agent": "PROBE-device"})
    client.post(URL, json=mark())
    client.post("/api/v1/receipts/read", json={"receipt": "A1b2C3d4E5f6G7h8I9j0Kw"})
    for path in core.settings.data_dir.iterdir():
        content = path.read_bytes()
        assert b"203.0.113" not in content, path
        assert b"PROBE-device" not in content, path
