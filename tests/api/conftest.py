"""Clients of the two engines with four square wards, for the tests of marks."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from service.core import Core
from tests.support.squares import add_squares


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def client(request: pytest.FixtureRequest) -> TestClient:
    """Run the application of an empty demo with square wards, on each engine."""
    name = "demo_client" if request.param == "sqlite" else "postgresql_client"
    found: TestClient = request.getfixturevalue(name)
    add_squares(found.app.state.core)  # type: ignore[attr-defined]
    return found


@pytest.fixture
def core(client: TestClient) -> Core:
    """Return the core behind the client."""
    found: Core = client.app.state.core  # type: ignore[attr-defined]
    return found


@pytest.fixture
def real(real_client: TestClient) -> TestClient:
    """Run the application of an empty real deployment with square wards."""
    add_squares(real_client.app.state.core)  # type: ignore[attr-defined]
    return real_client
