"""Regular work comes round once a period, however many workers look."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service.core import Core
from service.jobs import schedule
from service.jobs.workflow import count_jobs
from service.store.base import utc_now


@pytest.fixture(params=["demo_core", pytest.param("postgresql_core", marks=pytest.mark.postgresql)])
def core(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Core:
    monkeypatch.setattr(schedule, "EVERY", {"density": timedelta(hours=1)})
    found: Core = request.getfixturevalue(request.param)
    return found


def test_work_is_queued_when_due_and_not_again_before_its_time(core: Core) -> None:
    now = utc_now()
    assert schedule.enqueue_due(core, now=now) == ["density"]
    assert schedule.enqueue_due(core, now=now + timedelta(minutes=59)) == []
    assert schedule.enqueue_due(core, now=now + timedelta(minutes=61)) == ["density"]
    assert count_jobs(core) == {"queued": 1}  # the first still waits: it is not queued twice
