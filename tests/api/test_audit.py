"""The audit: one row an act, in the write of the act, each sealed to the one before it."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.core import Core
from service.people.access import Principal
from service.people.audit import FIRST, record, seal
from service.people.models import AuditEvent
from service.people.workflow import make_key, principal_of_key

WHO = Principal("worker", "youth_worker", 1)


@pytest.fixture(params=["demo_core", pytest.param("postgresql_core", marks=pytest.mark.postgresql)])
def core(request: pytest.FixtureRequest) -> Core:
    found: Core = request.getfixturevalue(request.param)
    return found


def rows(core: Core) -> list[AuditEvent]:
    with core.store.read() as session:
        return list(session.scalars(select(AuditEvent).order_by(AuditEvent.seq)))


@pytest.mark.requirement("X9")
def test_each_row_holds_the_hash_of_the_one_before_it(core: Core) -> None:
    for number in range(3):
        core.store.write(lambda session, n=number: record(session, core, WHO, "try", subject=str(n), rows=n))
    found = rows(core)
    assert [row.previous for row in found] == [FIRST, found[0].hash, found[1].hash]
    assert [row.hash for row in found] == [seal(core, row) for row in found]
    found[1].details = {"rows": 9}
    assert seal(core, found[1]) != found[1].hash


def test_an_act_that_fails_leaves_no_row(core: Core) -> None:
    def act(session: Session) -> None:
        record(session, core, WHO, "try")
        message = "no"
        raise ValueError(message)

    with pytest.raises(ValueError, match="no"):
        core.store.write(act)
    assert rows(core) == []


def test_a_made_key_acts_in_its_role_and_team_and_is_in_the_audit(core: Core) -> None:
    key = make_key(core, label="desk", role="planner", team="Planning")
    who = principal_of_key(core, key)
    assert (who.id, who.role, who.team_id is not None) == ("desk", "planner", True)
    made = rows(core)[-1]
    assert (made.actor, made.act, made.subject) == ("command-line", "key.make", "desk")
    assert key not in str(made.details)
