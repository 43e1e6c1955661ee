"""The store on PostgreSQL: geometry in and out, writes as transactions, and claims of jobs side by side."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import shapely
from fastapi.testclient import TestClient
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.areas.workflow import load_bundled
from service.core import Core, StartError, initialise, open_core
from service.jobs import store as jobs
from service.jobs.lease import LEASE
from service.jobs.models import Job
from service.jobs.workflow import enqueue, run_all
from service.people.models import Team
from service.settings import Settings
from service.store.base import utc_now
from service.venues.models import Venue
from tests.support.postgresql import create_database, drop_database

pytestmark = pytest.mark.postgresql
SHAPES = [
    shapely.Point(-0.0143, 51.4613),
    shapely.LineString([(-0.02, 51.45), (-0.01, 51.46), (-0.0100000001, 51.46)]),
    shapely.Polygon([(0, 51), (1, 51), (1, 52)], [[(0.5, 51.2), (0.7, 51.2), (0.7, 51.4)]]),
    shapely.MultiPolygon([shapely.box(0, 51, 1, 52), shapely.box(2, 51, 3, 52)]),
]


@pytest.fixture
def core(postgresql_core: Core) -> Core:
    return postgresql_core


def venue(shape: Any) -> Venue:
    today = date(2026, 11, 23)
    return Venue(
        name="Library", kind="library", geometry=shapely.to_wkb(shape), longitude=0.0, latitude=51.0,
        checked_by="Council", checked_on=today, expires_on=today,
    )  # fmt: skip


def names(core: Core) -> list[str]:
    with core.store.read() as session:
        return sorted(name for name in session.scalars(select(Team.name)) if not name.endswith(" team"))  # of the staff


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.geom_type)
def test_geometry_comes_back_bit_by_bit(core: Core, shape: Any) -> None:
    stored = core.store.write(lambda session: put(session, venue(shape)))
    with core.store.read() as session:
        row = session.get_one(Venue, stored)
        assert shapely.from_wkb(row.geometry).equals_exact(shape, 0)
        only = session.scalar(select(Venue.geometry))
        assert shapely.from_wkb(only).equals_exact(shape, 0)
        assert session.scalar(text("SELECT ST_SRID(geometry) FROM venue")) == 4326


def put(session: Session, row: Any) -> Any:
    session.add(row)
    session.flush()
    return row.seq


def test_database_finds_by_place_with_its_index(core: Core) -> None:
    core.store.write(lambda session: [put(session, venue(shape)) for shape in SHAPES[:1] * 3])
    box = "ST_MakeEnvelope(-0.02, 51.46, -0.01, 51.47, 4326)"
    with core.store.read() as session:
        assert session.scalar(text(f"SELECT count(*) FROM venue WHERE ST_Intersects(geometry, {box})")) == 3
        session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join(session.scalars(text(f"EXPLAIN SELECT seq FROM venue WHERE ST_Intersects(geometry, {box})")))
    assert "ix_venue_geometry" in plan


def test_write_is_one_transaction(core: Core) -> None:
    def fail_late(session: Session) -> None:
        session.add(Team(name="half"))
        session.flush()
        raise ValueError("no")

    core.store.write(lambda session: session.add(Team(name="a")))
    with pytest.raises(ValueError, match="no"):
        core.store.write(fail_late)
    with pytest.raises(IntegrityError):
        core.store.write(lambda session: session.add(Team(name="a")))
    assert names(core) == ["a"]


@pytest.mark.requirement("X9")
def test_error_of_the_database_quotes_no_row(core: Core) -> None:
    words = " ".join(["what", "a", "child", "wrote"])  # put together here: the traceback quotes the lines of this test
    statement = text("INSERT INTO team (name, created_at) VALUES (:words, NULL)")
    with pytest.raises(IntegrityError) as caught:
        core.store.write(lambda session: session.execute(statement, {"words": words}))
    told = "".join(traceback.format_exception(caught.value))
    assert "created_at" in told
    assert words not in told


def test_many_threads_write_side_by_side_and_lose_nothing(core: Core) -> None:
    def write(thread: int) -> None:
        for n in range(20):
            core.store.write(lambda session, name=f"{thread}-{n}": session.add(Team(name=name)))

    threads = [threading.Thread(target=write, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names(core)) == 120


def test_job_whose_enqueuer_has_not_committed_yet_is_not_started(core: Core) -> None:
    """The job waits already; a second write wants it to see what that write is about to store."""
    job_id = core.store.write(lambda session: enqueue(session, "x", {}, dedupe_key="k"))

    def claim() -> jobs.Lease | None:
        return core.store.write(lambda session: jobs.claim(session, "w", utc_now(), LEASE))

    with Session(core.store.engine) as session, session.begin():
        assert enqueue(session, "x", {}, dedupe_key="k") == job_id
        assert claim() is None  # skipped, not waited for
    lease = claim()
    assert lease is not None
    assert lease.job_id == job_id


def test_enqueue_while_the_job_is_being_claimed_queues_another(core: Core) -> None:
    first = core.store.write(lambda session: enqueue(session, "x", {}, dedupe_key="k"))
    queued: list[Any] = []
    claiming = Session(core.store.engine)
    assert jobs.claim(claiming, "w", utc_now(), LEASE) is not None  # not committed yet
    thread = threading.Thread(
        target=lambda: queued.append(core.store.write(lambda session: enqueue(session, "x", {}, dedupe_key="k")))
    )
    thread.start()
    thread.join(0.3)
    assert thread.is_alive()  # waits to see what becomes of the claim
    claiming.commit()
    claiming.close()
    thread.join(10)
    assert queued != [first]
    with core.store.read() as session:
        assert session.scalar(select(func.count()).select_from(Job)) == 2


def test_claims_at_once_never_run_two_jobs_of_one_key(core: Core) -> None:
    """Two queued jobs of one key can come from two writes that did not see each other."""
    core.store.write(lambda session: session.add_all([Job(kind="x", dedupe_key="k") for _ in range(2)]))
    barrier, found = threading.Barrier(4), []

    def claim(n: int) -> None:
        barrier.wait()
        found.append(core.store.write(lambda session: jobs.claim(session, f"w{n}", utc_now(), LEASE)))

    threads = [threading.Thread(target=claim, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([lease for lease in found if lease is not None]) == 1
    later = utc_now() + LEASE + timedelta(seconds=1)
    assert core.store.write(lambda session: jobs.claim(session, "w9", later, LEASE)) is not None


def test_bundled_sets_are_stored_and_joined(core: Core) -> None:
    assert {view.name for view in load_bundled(core)} >= {"wards-2022", "wards-2002"}
    assert {outcome.status for outcome in run_all(core)} == {"done"}


def test_application_serves(postgresql_client: TestClient) -> None:
    assert postgresql_client.get("/ready").json() == {"status": "ok"}
    assert postgresql_client.get("/api/v1/jobs").json() == {"jobs": []}
    assert postgresql_client.get("/api/v1/hotspots").status_code == 404


@pytest.fixture
def empty_url(postgresql_url: str) -> Iterator[str]:
    url = create_database(postgresql_url)
    yield url
    drop_database(url)


def test_empty_database_is_told_and_initialised(empty_url: str, tmp_path: Any) -> None:
    settings = Settings(data_dir=tmp_path, database_url=empty_url)
    with pytest.raises(StartError, match="safer-places init"):
        open_core(settings)
    initialise(settings, "real")
    core = open_core(settings)
    core.store.close()
    assert core.mode == "real"
