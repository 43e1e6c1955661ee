from __future__ import annotations

import pytest
from fastapi.testclient import TestClient


def test_ready_answers_from_the_store(demo_client: TestClient) -> None:
    assert demo_client.get("/ready").json() == {"status": "ok"}


@pytest.mark.requirement("X8")
def test_answers_are_not_stored_unless_a_route_says_so(demo_client: TestClient) -> None:
    assert demo_client.get("/health").headers["cache-control"] == "no-store"


def test_unknown_address_is_a_problem(demo_client: TestClient) -> None:
    answer = demo_client.get("/api/v1/nothing")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not-found"


def test_unknown_page_is_a_page_for_a_browser(demo_client: TestClient) -> None:
    answer = demo_client.get("/nothing", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "Page not found" in answer.text
