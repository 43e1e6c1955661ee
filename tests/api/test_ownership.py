"""Whose marks a youth worker sees: everything of the workshops of its own team, approved marks only of other teams."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from service.core import Core
from service.errors import InvalidInputError, NotFoundError
from service.people.access import DEMO, Principal
from service.people.models import Team
from service.places import workflow as places
from service.places.models import Place
from service.places.schemas import PlaceIn
from service.workshops.models import Workshop
from tests.support.squares import mark

STATES = ("pending", "approved", "held", "rejected")
OWNERS = ("North team", "South team", None)
WORDS = {"note", "suggestion"}


@pytest.fixture
def owned(client: TestClient, core: Core) -> Core:
    """Put one mark of each state into a workshop of each team, and into none."""
    numbers: dict[str, int] = {}

    def make(session: Any) -> None:
        for team in session.scalars(select(Team)):
            workshop = Workshop(title=f"Workshop of {team.name}", team_id=team.id)
            session.add(workshop)
            session.flush()
            numbers[team.name] = workshop.id

    core.store.write(make)
    for owner in OWNERS:
        for state in (*STATES, "border"):
            feature = mark(note=f"words {owner} {state}")
            places.create_place(core, DEMO, PlaceIn.model_validate(feature))
            values: dict[str, Any] = {"workshop_id": numbers.get(owner or ""), "status": state}
            values |= {"status": "approved", "kind": "border"} if state == "border" else {}
            change = update(Place).where(Place.id == uuid.UUID(feature["id"])).values(**values)
            core.store.write(lambda s, c=change: s.execute(c, execution_options={"synchronize_session": False}))
    return core


def worker(core: Core, team: str | None) -> Principal:
    with core.store.read() as session:
        number = session.scalar(select(Team.id).where(Team.name == team)) if team else None
    return Principal("worker", "youth_worker", 1, number)


def seen(core: Core, who: Principal) -> dict[tuple[str, bool, bool], int]:
    """Return how many marks are seen by state, with words or without, exact or not."""
    found: dict[tuple[str, bool, bool], int] = {}
    for feature in places.list_places(core, who, places.PlaceFilter())[0]:
        said = feature["properties"]
        key = (said["status"], set(said) >= WORDS, feature["geometry"] is not None)
        found[key] = found.get(key, 0) + 1
    return found


@pytest.mark.requirement("X2", "L5")
@pytest.mark.parametrize("team", ["North team", "South team"])
def test_worker_sees_pending_rejected_and_words_of_the_own_team_only(owned: Core, team: str) -> None:
    who = worker(owned, team)
    assert seen(owned, who) == {
        ("pending", True, True): 1,
        ("rejected", True, True): 1,
        ("approved", True, True): 1,
        ("approved", False, True): 2,  # of the other team and of no workshop
    }
    said = [f["properties"].get("note") for f in places.list_places(owned, who, places.PlaceFilter())[0]]
    assert {note for note in said if note} == {f"words {team} {s}" for s in ("pending", "rejected", "approved")}


@pytest.mark.requirement("X2")
@pytest.mark.requirement("X2")
def test_worker_marks_in_workshops_of_the_own_team_only(owned: Core) -> None:
    with owned.store.read() as session:
        shops = {row.title: row.uuid for row in session.scalars(select(Workshop))}

    def send(team: str) -> Any:
        feature = mark()
        feature["properties"]["workshop"] = str(shops[f"Workshop of {team}"])
        return places.create_place(owned, worker(owned, "North team"), PlaceIn.model_validate(feature))

    assert send("North team").is_new
    with pytest.raises(InvalidInputError, match="no such workshop"):
        send("South team")
    assert not Principal("moderator", "moderator", 2, None).is_of_one_team
    assert Principal("worker of nobody", "youth_worker", 3, None).is_of_one_team


def test_worker_of_no_team_owns_no_mark_of_no_workshop(owned: Core) -> None:
    assert seen(owned, worker(owned, None)) == {("approved", False, True): 3}


@pytest.mark.requirement("X2", "S5", "E5")
def test_other_roles_see_the_same_of_every_team(owned: Core) -> None:
    north = worker(owned, "North team")
    expected = {
        "moderator": {("pending", True, True): 3, ("approved", True, True): 3, ("rejected", True, True): 3},
        "planner": {("approved", False, True): 3},
    }
    for role, wanted in expected.items():
        assert seen(owned, replace(north, role=role)) == wanted
    lead = seen(owned, replace(north, role="safeguarding_lead"))
    assert lead == {(state, True, True): 3 for state in STATES} | {("approved", True, True): 6}  # borders too


@pytest.mark.requirement("X2")
def test_one_mark_maps_and_counts_are_as_hidden_as_the_list(owned: Core) -> None:
    north = worker(owned, "North team")
    visible = {feature["id"] for feature in places.list_places(owned, north, places.PlaceFilter())[0]}
    with owned.store.read() as session:
        everything = {str(number) for number in session.scalars(select(Place.id))}
    assert len(everything) == 15
    for number in everything:
        if number in visible:
            assert places.read_place(owned, north, uuid.UUID(number))["id"] == number
        else:
            with pytest.raises(NotFoundError):
                places.read_place(owned, north, uuid.UUID(number))
    drawn = places.places_in_bbox(owned, north, None)
    assert {feature["id"] for feature in drawn.features or []} == visible
    assert len(drawn) == len(visible) == 5
    assert sum(area.total for area in places.counts_by_area(owned, north, "squares").values()) == 5


@pytest.mark.requirement("X2", "L8")
def test_key_without_an_agreement_is_coarse(owned: Core) -> None:
    key = replace(worker(owned, "North team"), role="planner", is_key=True)
    assert seen(owned, key) == {("approved", False, False): 3}
    assert seen(owned, replace(key, agreement_id="DSA-7")) == {("approved", False, True): 3}
