from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update
from typer.testing import CliRunner

from service.cli import app as cli
from service.core import Core
from service.errors import InvalidInputError
from service.jobs import kinds, lease
from service.jobs import store as jobs
from service.jobs.context import JobContext
from service.jobs.lease import LEASE
from service.jobs.models import Job
from service.jobs.runner import Runner
from service.jobs.workflow import enqueue, on_new_boundary_set, on_new_crimes
from service.settings import Settings
from service.store.base import utc_now
from tests.conftest import Server, bearer

Kinds = dict[str, kinds.Kind]


@pytest.fixture
def own_kinds(monkeypatch: pytest.MonkeyPatch) -> Kinds:
    """Kinds of the test's own beside the real ones."""
    added: Kinds = {}
    monkeypatch.setattr("service.jobs.runner.KINDS", added)
    return added


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def core(request: pytest.FixtureRequest) -> Core:
    """Cores on both engines: the same tests hold on each."""
    name = "demo_core" if request.param == "sqlite" else "postgresql_core"
    found: Core = request.getfixturevalue(name)
    return found


def add(core: Core, kind: str = "count", key: str | None = None, **parameters: Any) -> uuid.UUID:
    return core.store.write(lambda session: enqueue(session, kind, parameters, dedupe_key=key))


def read(core: Core, job_id: uuid.UUID) -> Job:
    with core.store.read() as session:
        job = session.get(Job, job_id)
    assert job is not None
    return job


def claim(core: Core, worker: str, *, later: timedelta = timedelta(0)) -> jobs.Lease | None:
    return core.store.write(lambda session: jobs.claim(session, worker, utc_now() + later, LEASE))


def run(core: Core) -> list[str]:
    return [outcome.status for outcome in Runner(core, retry_after_s=0).run_all()]


def test_job_exists_only_if_the_write_that_queued_it_commits(core: Core) -> None:
    def write_and_fail(session: Any) -> None:
        enqueue(session, "count", {})
        raise InvalidInputError("no")

    with pytest.raises(InvalidInputError):
        core.store.write(write_and_fail)
    with core.store.read() as session:
        assert session.scalars(select(Job)).all() == []


def test_jobs_run_in_the_order_they_came_and_keep_their_result(core: Core, own_kinds: Kinds) -> None:
    seen: list[int] = []

    def count(_core: Core, parameters: dict[str, Any], job: JobContext) -> dict[str, Any]:
        job.progress(0.5, "half way")
        seen.append(parameters["n"])
        return {"n": parameters["n"] * 2}

    own_kinds["count"] = count
    ids = [add(core, n=n) for n in range(5)]
    assert run(core) == ["done"] * 5
    assert seen == [0, 1, 2, 3, 4]
    done = read(core, ids[3])
    assert (done.status, done.result, done.progress, done.attempts) == ("done", {"n": 6}, 1.0, 1)
    assert done.message == "half way"
    assert done.started_at is not None
    assert done.finished_at is not None
    assert done.leased_until is None


def test_same_key_waits_once_and_runs_one_at_a_time(core: Core) -> None:
    first = add(core, key="join:a")
    assert add(core, key="join:a") == first
    assert claim(core, "w1") is not None
    second = add(core, key="join:a")  # the first has started and may have read the data before: it has to run again
    other = add(core, key="join:b")
    assert second != first
    taken = claim(core, "w2")
    assert taken is not None
    assert taken.job_id == other
    assert claim(core, "w3") is None


def test_lost_lease_is_taken_by_another_worker_and_the_first_can_store_nothing(core: Core) -> None:
    job_id = add(core)
    first = claim(core, "w1")
    assert first is not None
    assert claim(core, "w2") is None  # the lease holds
    second = claim(core, "w2", later=LEASE + timedelta(seconds=1))
    assert second is not None
    assert (second.job_id, second.attempt) == (job_id, 2)
    write = core.store.write
    assert write(lambda s: jobs.renew(s, first, utc_now() + LEASE)) is None
    assert not write(lambda s: jobs.finish(s, first, utc_now(), {"status": "done", "result": {"by": 1}}))
    assert not write(lambda s: jobs.release(s, first, not_before=None))
    assert write(lambda s: jobs.finish(s, second, utc_now(), {"status": "done", "result": {"by": 2}}))
    assert read(core, job_id).result == {"by": 2}


def test_third_lost_worker_ends_the_job_as_failed_in_plain_words(core: Core) -> None:
    job_id = add(core)
    for number in range(3):
        assert claim(core, f"w{number}", later=number * (LEASE + timedelta(seconds=1))) is not None
    assert claim(core, "w4", later=3 * (LEASE + timedelta(seconds=1))) is None
    ended = read(core, job_id)
    assert ended.status == "failed"
    assert "3 times" in (ended.error or "")


@pytest.mark.requirement("X9")
def test_unexpected_error_is_tried_three_times_and_told_without_its_text(core: Core, own_kinds: Kinds) -> None:
    def fail(_core: Core, _parameters: dict[str, Any], _job: JobContext) -> dict[str, Any]:
        raise RuntimeError("note of a child at 51.4, -0.02")

    own_kinds["count"] = fail
    job_id = add(core)
    assert run(core) == ["requeued", "requeued", "failed"]
    ended = read(core, job_id)
    assert (ended.status, ended.attempts) == ("failed", 3)
    assert "RuntimeError" in (ended.error or "")
    assert "child" not in (ended.error or "")


def test_error_of_our_own_fails_at_once_with_its_words(core: Core, own_kinds: Kinds) -> None:
    def refuse(_core: Core, _parameters: dict[str, Any], _job: JobContext) -> dict[str, Any]:
        raise InvalidInputError("There are 3 months; 12 are wanted.")

    own_kinds["count"] = refuse
    job_id = add(core)
    assert run(core) == ["failed"]
    assert read(core, job_id).error == "There are 3 months; 12 are wanted."


def test_unknown_kind_and_result_that_is_no_json_fail_as_jobs(core: Core, own_kinds: Kinds) -> None:
    own_kinds["count"] = lambda _core, _parameters, _job: {"when": utc_now()}
    unknown, odd = add(core, "dance"), add(core)
    run(core)
    assert "dance" in (read(core, unknown).error or "")
    assert (read(core, odd).status, read(core, odd).result) == ("failed", None)


def test_retry_waits_its_time(core: Core, own_kinds: Kinds) -> None:
    own_kinds["count"] = lambda _core, _parameters, _job: {}[1]
    add(core)
    runner = Runner(core, retry_after_s=3600)
    assert [outcome.status for outcome in runner.run_all()] == ["requeued"]
    assert claim(core, "w", later=timedelta(seconds=3590)) is None
    assert claim(core, "w", later=timedelta(seconds=3610)) is not None


def test_running_job_hears_a_cancel_at_its_next_progress(core: Core, own_kinds: Kinds) -> None:
    reached: list[str] = []

    def long(core: Core, _parameters: dict[str, Any], job: JobContext) -> dict[str, Any]:
        core.store.write(lambda session: jobs.request_cancel(session, job_id, utc_now()))
        job.progress(0.1)
        reached.append("after the cancel")
        return {}

    own_kinds["count"] = long
    job_id = add(core)
    assert run(core) == ["cancelled"]
    assert reached == []
    assert read(core, job_id).status == "cancelled"


def test_cancelled_job_whose_worker_was_lost_is_not_started_again(core: Core) -> None:
    job_id = add(core)
    assert claim(core, "w1") is not None
    core.store.write(lambda session: jobs.request_cancel(session, job_id, utc_now()))
    assert claim(core, "w2", later=LEASE * 2) is None
    assert read(core, job_id).status == "cancelled"


def test_stopping_worker_hands_its_job_back_uncounted(core: Core, own_kinds: Kinds) -> None:
    stop = threading.Event()

    def long(_core: Core, _parameters: dict[str, Any], job: JobContext) -> dict[str, Any]:
        stop.set()
        job.progress(0.1)
        return {}

    own_kinds["count"] = long
    job_id = add(core)
    assert [outcome.status for outcome in Runner(core, stop=stop).run_all()] == ["requeued"]
    handed = read(core, job_id)
    assert (handed.status, handed.attempts, handed.worker) == ("queued", 0, None)


def test_heartbeat_keeps_the_lease_of_a_step_that_says_nothing(
    core: Core, own_kinds: Kinds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "BEAT_S", 0.02)
    ends: list[Any] = []

    def quiet(core: Core, _parameters: dict[str, Any], _job: JobContext) -> dict[str, Any]:
        ends.append(read(core, job_id).leased_until)
        time.sleep(0.3)
        ends.append(read(core, job_id).leased_until)
        return {}

    own_kinds["count"] = quiet
    job_id = add(core)
    assert run(core) == ["done"]
    assert ends[1] - ends[0] > timedelta(seconds=0.1)


def test_two_workers_share_many_jobs_without_running_one_twice(core: Core, own_kinds: Kinds) -> None:
    seen: list[int] = []
    own_kinds["count"] = lambda _core, parameters, _job: seen.append(parameters["n"]) or {}  # type: ignore[func-returns-value]
    for n in range(40):
        add(core, n=n)
    workers = [threading.Thread(target=Runner(core).run_all) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(seen) == list(range(40))


def test_new_set_and_new_crimes_queue_what_they_need_once(core: Core) -> None:
    core.store.write(lambda session: on_new_boundary_set(session, "wards-2022"))
    core.store.write(lambda session: on_new_crimes(session, ["wards-2022", "wards-2002"]))
    with core.store.read() as session:
        waiting = sorted((job.kind, job.parameters.get("set", "")) for job in session.scalars(select(Job)))
    assert waiting == [
        ("density", ""),
        ("hotspots", ""),
        ("join_crimes", "wards-2002"),
        ("join_crimes", "wards-2022"),
        ("join_places", "wards-2022"),
    ]


# the API


@pytest.fixture
def client_core(real_client: TestClient) -> Core:
    found: Core = real_client.app.state.core  # type: ignore[attr-defined]
    return found


def test_api_lists_newest_first_and_filters(real_client: TestClient, client_core: Core) -> None:
    ids = [str(add(client_core, kind)) for kind in ("a", "b", "a")]
    answer = real_client.get("/api/v1/jobs", headers=bearer("planner"))
    assert [job["id"] for job in answer.json()["jobs"]] == ids[::-1]
    answer = real_client.get("/api/v1/jobs?kind=a&status=queued&limit=1", headers=bearer("planner"))
    assert [job["id"] for job in answer.json()["jobs"]] == [ids[2]]
    assert real_client.get("/api/v1/jobs?status=lost", headers=bearer("planner")).status_code == 422


@pytest.mark.requirement("X2")
def test_api_asks_for_rights(real_client: TestClient, client_core: Core) -> None:
    job_id = add(client_core)
    assert real_client.get("/api/v1/jobs").status_code == 401
    assert real_client.get(f"/api/v1/jobs/{job_id}").status_code == 401
    assert real_client.post(f"/api/v1/jobs/{job_id}/cancel").status_code == 401
    assert real_client.post(f"/api/v1/jobs/{job_id}/cancel", headers=bearer("youth_worker")).status_code == 403
    assert real_client.get(f"/api/v1/jobs/{job_id}", headers=bearer("youth_worker")).status_code == 200


def test_api_cancels_a_waiting_job_and_says_when_it_is_too_late(real_client: TestClient, client_core: Core) -> None:
    headers = bearer("planner")
    job_id = add(client_core)
    for _ in range(2):
        answer = real_client.post(f"/api/v1/jobs/{job_id}/cancel", headers=headers)
        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    ended = add(client_core)
    client_core.store.write(lambda session: session.execute(update(Job).where(Job.id == ended).values(status="done")))
    answer = real_client.post(f"/api/v1/jobs/{ended}/cancel", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    unknown = real_client.get(f"/api/v1/jobs/{uuid.uuid4()}", headers=headers)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not-found")
    assert real_client.get("/api/v1/jobs/first", headers=headers).status_code == 422


# the command line and the processes


@pytest.fixture
def environment(make_settings: Callable[..., Settings]) -> dict[str, str]:
    return os.environ | {"SAFER_PLACES_DATA_DIR": str(make_settings("demo").data_dir)}


def test_cli_lists_and_runs_what_waits(environment: dict[str, str], demo_core: Core) -> None:
    add(demo_core, "dance")
    runner = CliRunner(env={"SAFER_PLACES_DATA_DIR": environment["SAFER_PLACES_DATA_DIR"], "COLUMNS": "200"})
    listed = runner.invoke(cli, ["jobs", "list"])
    assert "dance" in listed.stdout
    ran = runner.invoke(cli, ["jobs", "run-all"])
    assert ran.exit_code == 1
    assert "dance failed: This version knows no job of the kind dance." in ran.stderr
    assert "0 jobs done." in ran.stderr


def wait_for(condition: Callable[[], Any], seconds: float = 20) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"not true within {seconds} s: {condition}")


def start_worker(environment: dict[str, str], *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "service.jobs.worker", *arguments], env=environment)


def test_worker_process_runs_jobs_and_ends_on_sigterm(environment: dict[str, str], demo_core: Core) -> None:
    job_id = add(demo_core, "dance")
    worker = start_worker(environment)
    try:
        wait_for(lambda: read(demo_core, job_id).status == "failed")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=10) == 0
    finally:
        worker.kill()
        worker.wait()


def test_worker_says_why_it_cannot_start(tmp_path: Any) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "service.jobs.worker"],
        env=os.environ | {"SAFER_PLACES_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode == 2
    assert "There is no store" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_worker_loads_no_heavy_library_before_a_job_needs_it() -> None:
    heavy = ("geopandas", "folium", "scipy", "pandas", "pyarrow")
    code = f"import sys, service.jobs.worker; print([name for name in {heavy} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert answer.stdout.strip() == "[]"


def children(pid: int | None) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def is_alive(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


@pytest.fixture
def server(environment: dict[str, str], demo_core: Core) -> Iterator[Server]:
    made = Server(demo_core.settings.data_dir)
    made.start()
    yield made
    made.stop()


def test_server_starts_its_worker_and_stops_it(server: Server, demo_core: Core) -> None:
    job_id = add(demo_core, "dance")
    wait_for(lambda: read(demo_core, job_id).status == "failed")
    assert server.process is not None
    (worker,) = children(server.process.pid)
    server.stop()
    assert not is_alive(worker)


def test_worker_of_a_killed_server_ends_by_itself(server: Server) -> None:
    assert server.process is not None
    (worker,) = wait_for(lambda: children(server.process.pid))  # type: ignore[union-attr]
    server.kill()
    wait_for(lambda: not is_alive(worker), 10)


def test_killed_worker_is_started_again(server: Server, demo_core: Core) -> None:
    assert server.process is not None
    pid = server.process.pid
    (worker,) = wait_for(lambda: children(pid))
    os.kill(worker, signal.SIGKILL)
    (fresh,) = wait_for(lambda: [child for child in children(pid) if child != worker and is_alive(child)])
    job_id = add(demo_core, "dance")
    wait_for(lambda: read(demo_core, job_id).status == "failed")
    assert fresh != worker
