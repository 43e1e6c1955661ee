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
from sqlalchemy import text, update

from service.core import Core
from service.logs import LineFormatter
from service.people import workflow as people
from service.people.access import Principal
from service.places import workflow as places
from service.places.models import Place
from tests.conftest import STAFF_KEYS, bearer
from tests.support.squares import mark

URL = "/api/v1/places"
OWN = {"Origin": "http://testserver"}
LISTED = {"day", "kind", "feeling", "times", "reasons", "status", "publish", "people", "version", "is_sample", "areas"}
AREA = {"set", "area_gss", "name", "share"}
EXACT = {"edge_m", "neighbour_gss", "near_border"}
WORDS = {"note", "suggestion"}

# role -> states it sees, whether it sees the position, whether it sees the words: product.md 1 and 4, by hand
SEEN: dict[str, tuple[set[str], bool, bool]] = {
    "youth_worker": ({"approved", "pending"}, True, False),
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


def sign_in(client: TestClient, role: str) -> Any:
    data = {"key": STAFF_KEYS[role]}
    return client.post("/sign-in", data=data, headers=OWN, follow_redirects=False)


def test_session_of_a_page_acts_in_the_role_of_its_key(real: TestClient) -> None:
    answer = sign_in(real, "planner")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "max-age=3600" in cookie
    assert real.get(URL).status_code == 200
    assert real.post(URL, json=mark(), headers=OWN).status_code == 403  # a planner does not mark
    real.post("/sign-out", headers=OWN)
    assert real.get(URL).status_code == 401


def test_cookie_is_secure_over_https(make_settings: Any) -> None:
    from service.app import create_app

    with TestClient(create_app(make_settings("real")), base_url="https://testserver") as client:
        data = {"key": STAFF_KEYS["planner"]}
        answer = client.post("/sign-in", data=data, headers={"Origin": "https://testserver"}, follow_redirects=False)
    assert "secure" in answer.headers["set-cookie"].lower()


def test_session_ends_after_its_time(real: TestClient, monkeypatch: Any) -> None:
    sign_in(real, "planner")
    assert real.get(URL).status_code == 200
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3600 + 2)
    assert real.get(URL).status_code == 401


def test_forged_or_foreign_session_is_nobody(real: TestClient) -> None:
    core: Core = real.app.state.core  # type: ignore[attr-defined]
    _, cookie = people.start_session(core, STAFF_KEYS["planner"])
    found = people.principal_of_session(core, cookie)
    assert found is not None
    assert (found.id, found.role) == ("planner", "planner")
    for forged in (cookie[:-2] + "xx", "", "a.b.c", people._signer(core).dumps(["planner", "0" * 16])):
        assert people.principal_of_session(core, forged) is None


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
    sign_in(real, "youth_worker")
    assert real.post(URL, json=mark(), headers=headers).status_code == status


@pytest.mark.requirement("X3")
def test_wrong_keys_are_throttled_and_a_network_is_forgotten(real: TestClient) -> None:
    statuses = [real.post("/sign-in", data={"key": "x"}, headers=OWN).status_code for _ in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    assert real.get(URL, headers={"Authorization": "Bearer x"}).status_code == 429
    buckets = real.app.state.core.throttles["sign-in"]  # type: ignore[attr-defined]
    assert len(buckets) == 1
    assert "testclient" not in str(buckets._buckets)
    buckets.take("somebody else", now=time.monotonic() + 61)
    assert list(buckets._buckets) == ["somebody else"]


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
    assert '"rows": 1' in line


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
    client.post("/sign-in", data={"key": "QUAGGA-key"}, headers=OWN)
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
