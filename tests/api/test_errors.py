"""Every failure is an RFC 9457 problem with our code and the security headers, whatever raised it."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from service import errors
from service.app import create_app
from service.errors import TABLE, Problem, ServiceError
from tests.conftest import bearer

HEADERS = ("content-security-policy", "x-content-type-options", "referrer-policy", "permissions-policy")


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert all(name in answer.headers for name in HEADERS)
    assert answer.headers["cache-control"] == "no-store"
    body: dict[str, Any] = answer.json()
    Problem.model_validate(body)
    assert (body["type"], body["status"], body["code"]) == ("about:blank", status, code)
    assert len(body["detail"]) > 10
    return body


@pytest.fixture
def raising(make_settings: Any) -> Any:
    """Return a client of an application with a route that raises what it is told."""
    app = create_app(make_settings("demo"))
    router = APIRouter()
    told: dict[str, Exception] = {}

    @router.get("/api/v1/raise")
    def read() -> None:
        raise told["error"]

    app.include_router(router)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client, told


@pytest.mark.parametrize("kind", list(TABLE))
def test_every_class_of_the_table_is_its_problem(raising: Any, kind: type[Exception]) -> None:
    client, told = raising
    told["error"] = kind("what happened and what to do")
    status, code = TABLE[kind]
    assert problem(client.get("/api/v1/raise"), status, code)["detail"] == "what happened and what to do"


def test_every_error_class_stands_in_the_table() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ServiceError)]
    assert [kind for kind in kinds if kind is not ServiceError and kind not in TABLE] == []
    from geo import errors as geo_errors

    kinds = [kind for kind in vars(geo_errors).values() if isinstance(kind, type)]
    missing = [kind for kind in kinds if issubclass(kind, geo_errors.GeoError) and kind not in TABLE]
    assert [kind.__name__ for kind in missing if kind is not geo_errors.GeoError and kind.__name__ != "MapError"] == []


def test_child_of_a_class_is_told_as_its_parent(raising: Any) -> None:
    class Child(errors.ConflictError):
        """A child that nobody put into the table."""

    client, told = raising
    told["error"] = Child("two things at once, send one")
    problem(client.get("/api/v1/raise"), 409, "conflict")


@pytest.mark.parametrize("error", [RuntimeError("SECRET"), KeyError("SECRET"), ServiceError("SECRET")])
def test_unexpected_error_tells_nothing_of_itself(raising: Any, error: Exception) -> None:
    client, told = raising
    told["error"] = error
    answer = client.get("/api/v1/raise")
    problem(answer, 500, "internal-error")
    assert "SECRET" not in answer.text


def test_database_that_is_away_is_503_with_a_time_to_retry(raising: Any) -> None:
    client, told = raising
    told["error"] = OperationalError("SELECT SECRET", {}, Exception("SECRET"))
    answer = client.get("/api/v1/raise")
    problem(answer, 503, "store-unavailable")
    assert answer.headers["retry-after"] == "30"
    assert "SECRET" not in answer.text


def test_throttled_and_unsigned_say_what_to_send(raising: Any) -> None:
    client, told = raising
    told["error"] = errors.TooManyRequestsError("wait a little, then try again")
    assert client.get("/api/v1/raise").headers["retry-after"]
    told["error"] = errors.NotSignedInError("sign in first, please")
    assert client.get("/api/v1/raise").headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nothing", 404, "not-found"),
        ("GET", "/nothing", 404, "not-found"),
        ("PUT", "/api/v1/places", 405, "method-not-allowed"),
        ("DELETE", "/api/v1/reasons", 405, "method-not-allowed"),
        ("GET", "/api/v1/places/not-a-uuid", 422, "invalid-input"),
        ("GET", "/api/v1/places?bbox=words", 422, "invalid-input"),
        ("GET", "/api/v1/venues?open_at=whenever", 422, "invalid-input"),
        ("POST", "/api/v1/places", 422, "invalid-input"),
        ("POST", "/api/v1/receipts/read", 422, "invalid-input"),
        ("GET", "/static/nothing.css", 404, "not-found"),
        ("GET", "/static/../settings.py", 404, "not-found"),
    ],
)
def test_what_the_framework_refuses_is_a_problem_too(
    demo_client: TestClient, method: str, path: str, status: int, code: str
) -> None:
    problem(demo_client.request(method, path), status, code)


def test_wrong_method_says_which_are_taken(demo_client: TestClient) -> None:
    assert "POST" in demo_client.put("/api/v1/places").headers["allow"]


def test_malformed_json_is_told_without_repeating_it(demo_client: TestClient) -> None:
    answer = demo_client.post(
        "/api/v1/places", content=b'{"note": "SECRET', headers={"Content-Type": "application/json"}
    )
    assert "JSON" in problem(answer, 422, "invalid-input")["detail"]
    assert "SECRET" not in answer.text


def test_json_sent_as_something_else_is_refused(demo_client: TestClient) -> None:
    answer = demo_client.post("/api/v1/places", content=b"{}", headers={"Content-Type": "text/plain"})
    problem(answer, 422, "invalid-input")


def test_refused_fields_are_named_by_their_path(demo_client: TestClient) -> None:
    feature = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [0, 0]},
        "properties": {"feeling": "x", "times": ["night", "noon"]},
    }
    body = problem(demo_client.post("/api/v1/places", json=feature), 422, "invalid-input")
    assert [error["field"] for error in body["errors"]] == ["properties.feeling", "properties.times[1]"]


@pytest.mark.requirement("X8")
@pytest.mark.parametrize("path", ["/api/v1/places", "/api/v1/venues?hidden=true", "/api/v1/jobs", "/sign-in"])
def test_what_is_not_public_is_not_stored_by_caches(real_client: TestClient, path: str) -> None:
    assert real_client.get(path, headers=bearer("planner")).headers["cache-control"] == "no-store"


def test_a_browser_gets_a_page_and_a_program_a_problem(real_client: TestClient) -> None:
    html = {"Accept": "text/html,*/*"}
    assert real_client.get("/nothing", headers=html).headers["content-type"].startswith("text/html")
    assert real_client.get("/api/v1/nothing", headers=html).headers["content-type"] == "application/problem+json"
