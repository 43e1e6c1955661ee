"""The table of rights by role: what must never be in one hand."""

from __future__ import annotations

import pytest

from service.people.access import RIGHTS, Principal, Right

MARKS = {right for right in Right if right.startswith("places.")} - {Right.PLACES_CREATE}


@pytest.mark.requirement("X2")
def test_admins_and_the_public_see_no_marks() -> None:
    for role in ("admin", "public"):
        assert not RIGHTS[role] & MARKS


@pytest.mark.requirement("S5")
def test_only_the_lead_sees_held_marks_and_decides() -> None:
    for right in (Right.PLACES_HELD, Right.LEAD_DECIDE):
        assert {role for role, rights in RIGHTS.items() if right in rights} == {"safeguarding_lead", "demo"}


@pytest.mark.requirement("L5")
def test_planners_read_no_words() -> None:
    assert Right.PLACES_WORDS not in RIGHTS["planner"]


def test_a_scoped_key_has_no_more_than_its_scopes_and_its_role() -> None:
    key = Principal("desk", "planner", scopes=frozenset({"places.list", "places.words"}))
    assert key.may(Right.PLACES_LIST)
    assert not key.may(Right.PLACES_WORDS)  # its role lacks it
    assert not key.may(Right.PLACES_EXACT)  # its scopes lack it
