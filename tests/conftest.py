"""Fixtures that all tests share: stores, applications, the browser, the real data."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import make_url

from service.app import create_app
from service.core import Core, initialise, open_core
from service.people.models import PrincipalRow, Team
from service.people.workflow import hash_key
from service.settings import Settings
from tests.support.postgresql import create_database, drop_database, find_binaries, running_cluster

ROOT = Path(__file__).resolve().parents[1]
REQUIRE_ALL = os.environ.get("SAFER_PLACES_TEST_REQUIRE_ALL") == "1"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ROLES = ("youth_worker", "moderator", "safeguarding_lead", "planner", "admin")
STAFF_KEYS = {role: f"test-key-of-{role}" for role in (*ROLES, "other_worker")}
# other_worker is a youth worker of another team
ASSESSMENT: dict[str, Any] = {
    "dpia_reference": "TEST-1",
    "controller": "Test council",
    "dpo_contact": "dpo@example.org",
    "dpia_date": "2026-01-01",
}


def _missing(what: str) -> None:
    """Skip where a part is missing, or fail where CI asks for every part."""
    if REQUIRE_ALL:
        pytest.fail(f"{what} is missing, and SAFER_PLACES_TEST_REQUIRE_ALL=1 asks for it")
    pytest.skip(f"{what} is missing")


@pytest.fixture(scope="session")
def realdata() -> Path:
    """Return the folder of real open data beside the checkout."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the open data folder ../shared/data is not beside the checkout")
    return folder


def add_staff(settings: Settings) -> None:
    """Give a store one API key a role, and a second youth worker of another team."""
    core = open_core(settings)

    def write(session: Any) -> None:
        teams = {name: Team(name=name) for name in ("North team", "South team")}
        session.add_all(teams.values())
        session.flush()
        for name, key in STAFF_KEYS.items():
            row = PrincipalRow(kind="api_key", label=name, role=name, secret_hash=hash_key(key))
            row.role = "youth_worker" if name == "other_worker" else name
            row.team_id = teams["South team" if name == "other_worker" else "North team"].id
            session.add(row)

    core.store.write(write)
    core.store.close()


def bearer(role: str) -> dict[str, str]:
    """Return the header of the test key of a role."""
    return {"Authorization": f"Bearer {STAFF_KEYS[role]}"}


@pytest.fixture(scope="session")
def template_stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Migrated stores of both modes, made once and copied for each test."""
    made = {}
    for mode in ("demo", "real"):
        folder = tmp_path_factory.mktemp(f"template-{mode}")
        initialise(Settings(data_dir=folder), mode)  # type: ignore[arg-type]
        add_staff(Settings(data_dir=folder))
        made[mode] = folder
    return made


@pytest.fixture
def make_settings(template_stores: dict[str, Path], tmp_path: Path) -> Callable[..., Settings]:
    """Return a maker of settings whose data folder holds a fresh store of the mode."""

    def make(mode: str = "demo", **values: Any) -> Settings:
        folder = tmp_path / f"store-{mode}"
        if not folder.exists():
            shutil.copytree(template_stores[mode], folder)
        extra = {"worker": False} | (ASSESSMENT if mode == "real" else {})
        return Settings(data_dir=folder, **(extra | values))

    return make


@pytest.fixture
def demo_core(make_settings: Callable[..., Settings]) -> Iterator[Core]:
    """Open the core of an empty demo."""
    core = open_core(make_settings("demo"))
    yield core
    core.store.close()


@pytest.fixture
def real_core(make_settings: Callable[..., Settings]) -> Iterator[Core]:
    """Open the core of an empty real deployment."""
    core = open_core(make_settings("real"))
    yield core
    core.store.close()


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """Start a throwaway PostgreSQL cluster once and give the URL of its first database."""
    if find_binaries() is None:
        _missing("a PostgreSQL server with PostGIS (on Debian: apt-get install postgresql postgis)")
    # Not below pytest's own folder: that one is closed to the user that the server runs as.
    folder = Path(tempfile.mkdtemp(prefix="safer-places-pg-"))
    with running_cluster(folder) as url:
        yield url


@pytest.fixture(scope="session")
def postgresql_template(postgresql_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the name of a migrated database of a demo, cloned for each test."""
    url = create_database(postgresql_url)
    settings = Settings(data_dir=tmp_path_factory.mktemp("template-postgresql"), database_url=url)
    initialise(settings, "demo")
    add_staff(settings)
    return str(make_url(url).database)


@pytest.fixture
def postgresql_settings(postgresql_url: str, postgresql_template: str, tmp_path: Path) -> Iterator[Settings]:
    """Return the settings of a fresh demo on PostgreSQL."""
    url = create_database(postgresql_url, template=postgresql_template)
    folder = tmp_path / "store-postgresql"
    folder.mkdir()
    yield Settings(data_dir=folder, database_url=url, worker=False)
    drop_database(url)


@pytest.fixture
def postgresql_core(postgresql_settings: Settings) -> Iterator[Core]:
    """Open the core of an empty demo on PostgreSQL."""
    core = open_core(postgresql_settings)
    yield core
    core.store.close()


@pytest.fixture
def postgresql_client(postgresql_settings: Settings) -> Iterator[TestClient]:
    """Run the application of an empty demo on PostgreSQL."""
    with TestClient(create_app(postgresql_settings)) as client:
        yield client


@pytest.fixture
def demo_client(make_settings: Callable[..., Settings]) -> Iterator[TestClient]:
    """Run the application of an empty demo."""
    with TestClient(create_app(make_settings("demo"))) as client:
        yield client


@pytest.fixture
def real_client(make_settings: Callable[..., Settings]) -> Iterator[TestClient]:
    """Run the application of an empty real deployment."""
    with TestClient(create_app(make_settings("real"))) as client:
        yield client


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Start headless Chromium once."""
    if CHROMIUM is None:
        _missing("Chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        yield chromium
        chromium.close()


class Server:
    """A real server process on a free port, with its output in a file."""

    def __init__(
        self, data_dir: Path, environment: dict[str, str] | None = None, python: Path | str = sys.executable
    ) -> None:
        self.data_dir = data_dir
        self.python = python
        self.environment = os.environ | {"SAFER_PLACES_DATA_DIR": str(data_dir)} | (environment or {})
        self.log = data_dir / "server.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def start(self) -> None:
        with self.log.open("ab") as log:
            offset = log.tell()
            self.process = subprocess.Popen(
                [self.python, "-m", "service.cli", "serve", "--port", "0"],
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.data_dir,
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            text = self.log.read_bytes()[offset:].decode()
            if " on http://" in text:
                self.url = "http://" + text.split(" on http://")[1].split()[0]
                if self._answers():
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"the server did not start:\n{self.log.read_text()}")

    def _answers(self) -> bool:
        try:
            return httpx2.get(self.url + "/ready", timeout=5).status_code == 200
        except httpx2.HTTPError:
            return False

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=30)


@contextmanager
def running_server(
    data_dir: Path, environment: dict[str, str] | None = None, python: Path | str = sys.executable
) -> Iterator[Server]:
    """Run a server process (of another environment's ``python``, if given) and stop it at the end."""
    server = Server(data_dir, environment, python)
    server.start()
    try:
        yield server
    finally:
        server.stop()
