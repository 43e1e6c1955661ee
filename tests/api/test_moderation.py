"""The queue: order, one mark for one moderator, every act with its audit and its undo, whose marks one may read."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from service.duty.workflow import SCHEDULE, run_retention
from service.moderation import workflow
from service.moderation.models import Decision, PlaceVersion, SecondLook
from service.people.access import Principal
from service.places.models import Place
from service.store.base import utc_now
from tests.conftest import bearer
from tests.support.moderation import (
    API,
    DESK,
    add_workshop,
    ask,
    audit_rows,
    core_of,
    decide,
    send,
    stored,
    take,
)


def set_urgency(client: TestClient, place_id: str, urgency: int) -> None:
    statement = update(Place).where(Place.id == uuid.UUID(place_id)).values(urgency=urgency)
    core_of(client).store.write(lambda session: session.execute(statement))


def decision_of(client: TestClient, number: int) -> Decision:
    with core_of(client).store.read() as session:
        found = session.get(Decision, number)
    assert found is not None
    return found


def versions(client: TestClient, place_id: str) -> list[PlaceVersion]:
    seq = stored(client, place_id).seq
    with core_of(client).store.read() as session:
        query = select(PlaceVersion).where(PlaceVersion.place_seq == seq).order_by(PlaceVersion.version)
        return list(session.scalars(query))


@pytest.mark.requirement("S3")
def test_urgent_marks_come_first_then_the_oldest(client: TestClient) -> None:
    ids = [send(client)[0] for _ in range(4)]
    set_urgency(client, ids[2], 3)
    set_urgency(client, ids[3], 1)
    seen = []
    for _ in ids:
        seen.append(take(client)["id"])
        decide(client, seen[-1], "approve")
    assert seen == [ids[2], ids[3], ids[0], ids[1]]
    assert take(client) is None


@pytest.mark.requirement("S3")
def test_urgency_is_there_from_the_moment_a_mark_is_stored(client: TestClient) -> None:
    grave, _ = send(client, note="my stepdad hits me and i am scared to go home")
    plain, _ = send(client, note="no lights on the path")
    assert stored(client, grave).urgency == 3
    assert stored(client, plain).urgency == 0
    shown = take(client)
    assert shown["id"] == grave
    assert "disclosure" in {one["label"] for one in shown["found"]}


def test_the_queue_shows_words_and_no_position(client: TestClient) -> None:
    send(client, note="no lights on the path", reasons=["poor_lighting"], times=["night"])
    shown = take(client)
    assert shown["note"] == "no lights on the path"
    assert shown["reasons"] == ["It is too dark"]
    assert not {"geometry", "longitude", "latitude", "ward", "areas"} & set(shown)


@pytest.mark.requirement("X9")
def test_the_place_is_shown_on_request_and_that_is_told(client: TestClient) -> None:
    place_id, _ = send(client)
    found = ask(client, "moderator", f"/marks/{place_id}/where").json()
    assert found["ward"] == "South West"
    assert found["view_box"]
    (row,) = audit_rows(client, "mark.where")
    assert (row.actor, row.subject) == ("moderator", place_id)
    assert row.details == {"rows": 1}


def test_two_pages_never_get_the_same_mark(client: TestClient) -> None:
    first, second = send(client)[0], send(client)[0]
    assert take(client, "moderator", "desk-one-1")["id"] == first
    assert take(client, "moderator", "desk-two-2")["id"] == second
    assert take(client, "safeguarding_lead", "desk-three-3") is None
    assert take(client, "moderator", "desk-one-1")["id"] == first
    refused = ask(
        client, "safeguarding_lead", f"/marks/{first}/decide", {"desk": "desk-three-3", "act": "approve", "version": 1}
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    ask(client, "moderator", "/give-back", {"desk": "desk-one-1"})
    assert take(client, "safeguarding_lead", "desk-three-3")["id"] == first


def test_a_lease_ends_and_is_renewed(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    place_id, _ = send(client)
    take(client, "moderator", "desk-one-1")
    body = {"desk": "desk-one-1"}
    assert ask(client, "moderator", f"/marks/{place_id}/keep", body).status_code == 204
    later = utc_now() + timedelta(seconds=core_of(client).settings.queue_lease_seconds + 5)
    monkeypatch.setattr(workflow, "utc_now", lambda: later)
    assert take(client, "safeguarding_lead", "desk-two-2")["id"] == place_id
    assert ask(client, "moderator", f"/marks/{place_id}/keep", body).status_code == 409


@pytest.mark.requirement("X9", "L5")
def test_approving_is_audited_and_the_former_version_kept(client: TestClient) -> None:
    place_id, _ = send(client, note="ZEBRA words")
    answer = decide(client, place_id, "approve").json()
    assert answer["done"] is True
    assert answer["mark"] is None
    place = stored(client, place_id)
    assert (place.status, place.version, place.public_text) == ("approved", 2, None)
    assert place.decided_on is not None
    (kept,) = versions(client, place_id)
    assert (kept.version, kept.changed_by) == (1, "moderator")
    assert kept.content["note"] == "ZEBRA words"
    (row,) = audit_rows(client, "mark.approve")
    assert (row.actor, row.subject) == ("moderator", place_id)
    assert "ZEBRA" not in str(row.details)


def test_a_version_that_changed_meanwhile_is_told_and_nothing_is_decided(client: TestClient) -> None:
    place_id, receipt = send(client)
    version = take(client)["version"]
    client.post("/api/v1/receipts/correct", json={"receipt": receipt, "feeling": "safe"})
    answer = decide(client, place_id, "approve", version=version)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert stored(client, place_id).status == "pending"
    assert take(client, prefer=place_id)["feeling"] == "safe"


@pytest.mark.requirement("L7")
def test_corrections_keep_versions_and_taking_back_erases_them(client: TestClient) -> None:
    place_id, receipt = send(client, note="ZEBRA words")
    client.post("/api/v1/receipts/correct", json={"receipt": receipt, "feeling": "safe"})
    assert [(row.version, row.changed_by, row.content["feeling"]) for row in versions(client, place_id)] == [
        (1, "owner", "unsafe")
    ]
    client.post("/api/v1/receipts/withdraw", json={"receipt": receipt})
    assert versions(client, place_id) == []
    assert decide(client, place_id, "approve").status_code == 410


def test_rejecting_needs_a_reason_of_the_list(client: TestClient) -> None:
    place_id, _ = send(client)
    assert decide(client, place_id, "reject").status_code == 422
    assert decide(client, place_id, "reject", reason="because").status_code == 422
    assert decide(client, place_id, "reject", reason="other").status_code == 422
    assert decide(client, place_id, "reject", reason="other", text="Half a word").status_code == 200
    assert stored(client, place_id).status == "rejected"
    (row,) = audit_rows(client, "mark.reject")
    assert row.details["reason"] == "other"


@pytest.mark.requirement("L5")
def test_words_are_taken_out_by_code_points(client: TestClient) -> None:
    # '😀 Ali Khan is here': the picture is one code point, so 'Ali Khan' is 2 to 10
    place_id, _ = send(client, note="😀 Ali Khan is here")
    spans = [{"field": "note", "start": 2, "stop": 5}, {"field": "note", "start": 5, "stop": 10}]
    answer = decide(client, place_id, "redact", spans=spans).json()
    assert answer["mark"]["note"] == "😀 [taken out] is here"
    assert answer["done"] is False
    assert versions(client, place_id)[0].content["note"] == "😀 Ali Khan is here"
    for wrong in ([], [{"field": "note", "start": 0, "stop": 99}], [{"field": "suggestion", "start": 0, "stop": 1}]):
        assert decide(client, place_id, "redact", spans=wrong).status_code == 422
    assert ask(client, "moderator", f"/decisions/{answer['decision']}/undo", {}).status_code == 200
    assert stored(client, place_id).note == "😀 Ali Khan is here"


@pytest.mark.requirement("E2")
def test_public_wording_is_checked_and_an_override_is_in_the_audit(client: TestClient) -> None:
    place_id, _ = send(client)
    refused = decide(client, place_id, "reword", text="A gang hangs out in this dangerous alley")
    assert refused.status_code == 422
    assert [one["field"] for one in refused.json()["errors"]] == ["wording", "wording"]
    assert stored(client, place_id).public_text is None
    good = decide(client, place_id, "reword", text="A group stands in the alley after dark").json()
    assert good["mark"]["public_text"] == "A group stands in the alley after dark"
    stays = decide(client, place_id, "reword", text="The Gang Show stage", override="It is the name of a show")
    assert stays.status_code == 200
    row = audit_rows(client, "mark.reword")[-1]
    assert row.details["override"] is True
    assert "name of a show" not in str(row.details)
    assert decision_of(client, row.details["decision"]).before["override"] == "It is the name of a show"
    assert decide(client, place_id, "approve").status_code == 422
    assert decide(client, place_id, "approve", override="It is the name of a show").status_code == 200


@pytest.mark.requirement("L6", "X9")
@pytest.mark.parametrize("way", ["withdraw", "retention"])
def test_what_a_moderator_wrote_as_a_reason_goes_with_the_words(client: TestClient, way: str) -> None:
    place_id, receipt = send(client)
    wording = {"text": "The Gang Show stage", "override": "It is the name of a show"}
    decide(client, place_id, "reword", **wording)
    number = decide(client, place_id, "reject", reason="other", text="Says who sent it: Zebedee").json()["decision"]
    assert decision_of(client, number).reason.startswith("other: Says")
    if way == "withdraw":
        assert client.post("/api/v1/receipts/withdraw", json={"receipt": receipt}).status_code == 200
    else:
        run_retention(core_of(client), SCHEDULE, now=utc_now() + timedelta(days=800))
    assert decision_of(client, number).reason == "other"
    with core_of(client).store.read() as session:
        assert {str(one) for one in session.scalars(select(Decision.before))} == {"{}"}
    assert "Zebedee" not in str([row.details for row in audit_rows(client, "mark.reject")])


@pytest.mark.requirement("S7")
@pytest.mark.parametrize("check", ["home", "venue", "allegation"])
def test_checklist_stops_public_wording_until_there_is_a_reason(client: TestClient, check: str) -> None:
    place_id, _ = send(client)
    refused = decide(client, place_id, "reword", text="Something happened there", checks=[check])
    assert refused.status_code == 422
    assert [one["field"] for one in refused.json()["errors"]] == ["checks"]
    fine = decide(client, place_id, "reword", text="Something happened there", checks=[check], override="Street only")
    assert fine.status_code == 200
    assert audit_rows(client, "mark.reword")[-1].details["checks"] == check


@pytest.mark.requirement("S7")
def test_the_detector_hints_at_the_checklist(client: TestClient) -> None:
    send(client, note="he lives at 14 Acacia Road SE13 5AB")
    assert "home" in take(client)["hints"]


def test_never_publish_and_count_again(client: TestClient) -> None:
    place_id, _ = send(client)
    assert decide(client, place_id, "never").json()["mark"]["publish"] == "never"
    assert decide(client, place_id, "count").json()["mark"]["publish"] == "count"


def test_merging_adds_the_people_of_another_person_and_undo_takes_them_off(client: TestClient) -> None:
    workshop = add_workshop(core_of(client))
    target, _ = send(client, workshop=workshop, contributor_key="contributor-one-1", people=1)
    other, receipt = send(client, workshop=workshop, contributor_key="contributor-two-2", people=2)
    same, _ = send(client, workshop=workshop, contributor_key="contributor-one-1")
    stranger, _ = send(client)
    found = ask(client, "moderator", f"/marks/{other}/others").json()["others"]
    assert {one["id"] for one in found} == {target, same}
    assert decide(client, other, "merge", into=stranger).status_code == 409
    assert decide(client, other, "merge").status_code == 422
    done = decide(client, other, "merge", into=target).json()
    assert done["done"] is True
    assert (stored(client, other).status, stored(client, other).merged_into) == ("rejected", stored(client, target).seq)
    assert stored(client, target).people == 3
    view = client.post("/api/v1/receipts/read", json={"receipt": receipt}).json()
    assert view["state"] == "approved"
    assert decide(client, same, "merge", into=target).status_code == 200
    assert stored(client, target).people == 3  # the same person speaks once
    assert decide(client, target, "merge", into=other).status_code == 409
    assert ask(client, "moderator", f"/decisions/{done['decision']}/undo", {}).status_code == 200
    assert stored(client, target).people == 1
    assert (stored(client, other).status, stored(client, other).merged_into) == ("pending", None)


@pytest.fixture
def merged(client: TestClient) -> tuple[str, str, str]:
    """Merge a mark of two people into one of one person; return the target, the other, and the other's receipt."""
    workshop = add_workshop(core_of(client))
    target, _ = send(client, workshop=workshop, contributor_key="contributor-one-1")
    other, receipt = send(client, workshop=workshop, contributor_key="contributor-two-2", people=2)
    assert decide(client, other, "merge", into=target).status_code == 200
    assert stored(client, target).people == 3
    assert decide(client, other, "merge", into=target).status_code == 409
    assert stored(client, target).people == 3
    return target, other, receipt


@pytest.mark.requirement("D1")
@pytest.mark.parametrize("way", ["approve", "reject", "never", "hold", "correct", "withdraw"])
def test_nobody_is_counted_twice_once_a_merged_mark_stands_alone_or_leaves(
    client: TestClient, merged: tuple[str, str, str], way: str
) -> None:
    target, other, receipt = merged
    if way == "hold":
        assert ask(client, "moderator", f"/marks/{other}/hold", {}).status_code == 200
    elif way == "correct":
        assert client.post("/api/v1/receipts/correct", json={"receipt": receipt, "times": ["night"]}).status_code == 200
    elif way == "withdraw":
        assert client.post("/api/v1/receipts/withdraw", json={"receipt": receipt}).status_code == 200
    else:
        more = {"reason": "attack"} if way == "reject" else {}
        done = decide(client, other, way, **more)
        assert done.status_code == 200, done.text
        assert stored(client, target).people == 1
        assert ask(client, "moderator", f"/decisions/{done.json()['decision']}/undo", {}).status_code == 200
        assert stored(client, target).people == 3  # as it was: merged again
        decide(client, other, way, **more)
    assert stored(client, target).people == 1


@pytest.mark.requirement("D1", "S9")
def test_a_mark_that_is_in_no_count_adds_nobody_when_it_is_merged(client: TestClient) -> None:
    workshop = add_workshop(core_of(client))
    target, _ = send(client, workshop=workshop, contributor_key="contributor-one-1")
    other, _ = send(client, workshop=workshop, contributor_key="contributor-two-2", people=2, publish="never")
    assert decide(client, other, "merge", into=target).status_code == 200
    assert stored(client, target).people == 1


@pytest.mark.requirement("L7")
def test_marks_that_a_withdrawn_one_spoke_for_wait_for_a_moderator_again(client: TestClient) -> None:
    workshop = add_workshop(core_of(client))
    target, receipt = send(client, workshop=workshop, contributor_key="contributor-one-1")
    other, _ = send(client, workshop=workshop, contributor_key="contributor-two-2")
    assert decide(client, other, "merge", into=target).status_code == 200
    assert client.post("/api/v1/receipts/withdraw", json={"receipt": receipt}).status_code == 200
    assert (stored(client, other).status, stored(client, other).merged_into) == ("pending", None)


def test_undo_in_any_order_and_never_over_something_later(client: TestClient) -> None:
    place_id, _ = send(client)
    wording = decide(client, place_id, "reword", text="First wording").json()["decision"]
    never = decide(client, place_id, "never").json()["decision"]
    approve = decide(client, place_id, "approve").json()["decision"]

    def undo(number: int, role: str = "moderator") -> int:
        return int(ask(client, role, f"/decisions/{number}/undo", {}).status_code)

    assert undo(wording, "safeguarding_lead") == 404  # one's own only
    assert undo(wording) == 200  # the oldest first
    place = stored(client, place_id)
    assert (place.public_text, place.publish, place.status) == (None, "never", "approved")
    assert undo(wording) == 409
    assert undo(approve) == 200
    assert (stored(client, place_id).status, stored(client, place_id).decided_on) == ("pending", None)
    again = decide(client, place_id, "count").json()["decision"]
    assert undo(never) == 409  # something later changed the same
    assert undo(again) == 200
    assert undo(never) == 200
    assert stored(client, place_id).publish == "count"
    listed = ask(client, "moderator", "/decisions").json()["decisions"]
    assert [one["undone"] for one in listed] == [True] * 4
    assert len(audit_rows(client, "mark.undo")) == 4


@pytest.mark.requirement("S4", "S5")
def test_every_moderator_can_pass_a_mark_on_and_then_no_moderator_sees_it(client: TestClient) -> None:
    place_id, _ = send(client, note="ZEBRA words")
    take(client, "moderator", "desk-one-1")
    answer = ask(client, "safeguarding_lead", f"/marks/{place_id}/hold", {})  # whoever else reads it
    assert answer.status_code == 200
    assert stored(client, place_id).status == "held"
    assert take(client, "moderator", "desk-one-1") is None
    for path, body in (("/decide", {"desk": DESK, "act": "approve", "version": 2}), ("/hold", {})):
        assert ask(client, "moderator", f"/marks/{place_id}{path}", body).status_code == 409
    for path in ("/where", "/others"):
        assert ask(client, "moderator", f"/marks/{place_id}{path}").status_code == 409
    assert client.get(f"/api/v1/places/{place_id}", headers=bearer("moderator")).status_code == 404
    assert client.get(f"/api/v1/places/{place_id}", headers=bearer("planner")).status_code == 404
    (decision,) = rows_of(client, Decision)
    assert decision.act == "hold"
    assert ask(client, "safeguarding_lead", f"/decisions/{decision.id}/undo", {}).status_code == 404


def rows_of(client: TestClient, model: Any) -> list[Any]:
    with core_of(client).store.read() as session:
        return list(session.scalars(select(model).order_by(model.id)))


@pytest.mark.requirement("X2", "L5")
def test_youth_workers_read_marks_of_their_own_team_only(client: TestClient) -> None:
    north = add_workshop(core_of(client), team="North team")
    south = add_workshop(core_of(client), team="South team")
    nobodys, _ = send(client, note="nobody's words")
    ours, _ = send(client, workshop=north, note="north words")
    theirs, _ = send(client, workshop=south, note="south words")
    assert take(client, "youth_worker")["id"] == ours
    assert take(client, "other_worker", "desk-of-south")["id"] == theirs
    assert take(client, "youth_worker", skip=[ours]) is None
    for foreign in (nobodys, theirs):
        for path in ("/where", "/others"):
            assert ask(client, "youth_worker", f"/marks/{foreign}{path}").status_code == 404
        assert ask(client, "youth_worker", f"/marks/{foreign}/hold", {}).status_code == 404
        assert decide(client, foreign, "approve", role="youth_worker").status_code == 404
    assert decide(client, ours, "approve", role="youth_worker").status_code == 200


@pytest.mark.requirement("X2")
@pytest.mark.parametrize(("role", "status"), [(None, 401), ("planner", 403), ("admin", 403)])
def test_others_have_no_business_in_the_queue(real: TestClient, role: str | None, status: int) -> None:
    headers = bearer(role) if role else {}
    some = uuid.uuid4()
    posts = {
        "/next": {"desk": DESK},
        "/give-back": {"desk": DESK},
        f"/marks/{some}/keep": {"desk": DESK},
        f"/marks/{some}/decide": {"desk": DESK, "act": "approve", "version": 1},
        f"/marks/{some}/hold": {},
        "/decisions/1/undo": {},
        "/second/1": {"act": "approve"},
        "/holds/1/decide": {"outcome": "no_action", "reason": "None", "then": "return"},
    }
    gets = [f"/marks/{some}/where", f"/marks/{some}/others", "/decisions", "/second", "/agreement", "/holds"]
    assert {real.post(API + path, json=body, headers=headers).status_code for path, body in posts.items()} == {status}
    assert {real.get(API + path, headers=headers).status_code for path in gets} == {status}
    for page in ("/queue", "/queue/second", "/queue/agreement", "/lead"):
        assert real.get(page, headers=headers | {"Accept": "text/html"}).status_code == status


@pytest.mark.requirement("S5", "X2")
def test_the_lead_alone_opens_the_leads_page(real: TestClient) -> None:
    for role in ("moderator", "youth_worker"):
        assert real.get("/lead", headers=bearer(role)).status_code == 403
        assert real.get(f"{API}/holds", headers=bearer(role)).status_code == 403
    assert real.get("/lead", headers=bearer("safeguarding_lead")).status_code == 200


@pytest.mark.requirement("E5")
def test_borders_are_moderated_by_the_lead_only(client: TestClient) -> None:
    from tests.support.squares import drawn

    answer = client.post("/api/v1/places", json=drawn("border", (100, 100), (400, 400)))
    assert answer.status_code == 201, answer.text
    assert take(client, "moderator") is None
    assert take(client, "safeguarding_lead")["kind"] == "border"


# ---- second looks ------------------------------------------------------------------------------------------------


@pytest.fixture
def sampled(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """Ask for a second look at every decision."""
    monkeypatch.setattr(core_of(client).settings, "second_look_share", 1.0)
    return client


@pytest.mark.requirement("L6", "E3")
def test_what_retention_took_can_be_neither_undone_nor_judged_again(sampled: TestClient) -> None:
    place_id, _ = send(sampled, note="no lights on the path")
    done = decide(sampled, place_id, "approve", role="safeguarding_lead").json()["decision"]
    run_retention(core_of(sampled), SCHEDULE, now=utc_now() + timedelta(days=400))
    refused = ask(sampled, "safeguarding_lead", f"/decisions/{done}/undo", {})
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert ask(sampled, "moderator", "/second").json() == {"asked": None}


@pytest.mark.requirement("E3")
def test_second_look_is_blind_and_by_somebody_else(sampled: TestClient) -> None:
    client = sampled
    place_id, _ = send(client, note="no lights on the path")
    decide(client, place_id, "reword", role="safeguarding_lead", text="It is dark there")
    decide(client, place_id, "reject", role="safeguarding_lead", reason="attack")
    answer = ask(client, "moderator", "/second")
    asked = answer.json()["asked"]
    assert asked["mark"]["note"] == "no lights on the path"
    assert asked["mark"]["status"] == "pending"
    for told in ("reject", "attack", "safeguarding_lead", "It is dark there"):
        assert told not in answer.text
    page = client.get("/queue/second", headers=bearer("moderator"))
    assert "no lights on the path" in page.text
    assert "safeguarding_lead" not in page.text
    assert ask(client, "moderator", f"/second/{asked['number']}", {"act": "approve"}).status_code == 204
    assert ask(client, "moderator", f"/second/{asked['number']}", {"act": "approve"}).status_code == 409
    assert stored(client, place_id).status == "rejected"  # a second look changes nothing
    assert ask(client, "moderator", "/second").json()["asked"] is None
    assert "by" not in audit_rows(client, "second.judge")[0].details


@pytest.mark.requirement("E3")
def test_nobody_judges_their_own_decision_and_undo_takes_the_question_back(sampled: TestClient) -> None:
    client = sampled
    place_id, _ = send(client)
    number = decide(client, place_id, "approve").json()["decision"]
    (look,) = rows_of(client, SecondLook)
    assert ask(client, "moderator", "/second").json()["asked"] is None
    assert ask(client, "moderator", f"/second/{look.id}", {"act": "approve"}).status_code == 403
    ask(client, "moderator", f"/decisions/{number}/undo", {})
    assert rows_of(client, SecondLook) == []


@pytest.mark.requirement("S4", "E3")
def test_second_look_can_pass_a_mark_to_the_lead(sampled: TestClient) -> None:
    place_id, _ = send(sampled)
    decide(sampled, place_id, "approve", role="safeguarding_lead")
    number = ask(sampled, "moderator", "/second").json()["asked"]["number"]
    assert ask(sampled, "moderator", f"/second/{number}", {"act": "hold"}).status_code == 204
    assert stored(sampled, place_id).status == "held"


@pytest.mark.requirement("E3")
def test_share_of_second_looks_follows_the_setting(client: TestClient) -> None:
    from service.moderation.second import is_sampled

    core = core_of(client)
    drawn = [is_sampled(core, f"{uuid.uuid5(uuid.NAMESPACE_URL, str(n))}:1") for n in range(4000)]
    # 4000 draws at 0.1: mean 400, standard deviation 19; five of them either way
    assert 305 <= sum(drawn) <= 495
    assert [is_sampled(core, f"same:{n}") for n in range(50)] == [is_sampled(core, f"same:{n}") for n in range(50)]


@pytest.mark.requirement("E3")
def test_agreement_is_hidden_below_the_least_number_and_never_by_person(client: TestClient) -> None:
    place_id, _ = send(client)
    seq = stored(client, place_id).seq

    def add(first: str, second: str, number: int) -> None:
        values = {"first_act": first, "first_by": "ANNA", "second_act": second, "second_by": "BEN"}
        rows = [SecondLook(place_seq=seq, judged_at=utc_now(), **values) for _ in range(number)]
        core_of(client).store.write(lambda session: session.add_all(rows))

    add("approve", "approve", 20)
    found = ask(client, "moderator", "/agreement").json()
    assert (found["rows"], found["kappa"], found["total"]) == ([], None, 20)
    assert "Not enough" in client.get("/queue/agreement", headers=bearer("moderator")).text
    add("approve", "reject", 5)
    add("reject", "approve", 10)
    add("reject", "reject", 15)
    answer = ask(client, "moderator", "/agreement")
    # worked example: observed (20 + 15) / 50 = 0.7, expected 0.5 * 0.6 + 0.5 * 0.4 = 0.5, kappa 0.2 / 0.5 = 0.4
    assert answer.json()["kappa"] == 0.4
    assert [(row["act"], row["same"], row["total"]) for row in answer.json()["rows"]] == [
        ("approve", 20, 25),
        ("reject", 15, 25),
    ]
    page = client.get("/queue/agreement", headers=bearer("moderator")).text
    assert "ANNA" not in answer.text + page
    assert "BEN" not in answer.text + page


@pytest.mark.requirement("X1")
def test_words_stay_text_on_every_page(sampled: TestClient) -> None:
    client = sampled
    payload = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    place_id, _ = send(client, note=payload)
    decide(client, place_id, "approve", role="safeguarding_lead")
    second = client.get("/queue/second", headers=bearer("moderator")).text
    ask(client, "moderator", f"/marks/{place_id}/hold", {})
    lead = client.get("/lead", headers=bearer("safeguarding_lead")).text
    for page in (second, lead):
        assert "&lt;script&gt;alert(1)" in page
        assert "<script>alert" not in page
        assert "<img src=x" not in page


@pytest.mark.requirement("X8")
def test_nothing_of_the_queue_is_stored_on_the_way(client: TestClient) -> None:
    send(client)
    for path in ("/queue", "/lead", "/queue/second"):
        assert client.get(path, headers=bearer("safeguarding_lead")).headers["cache-control"] == "no-store"
    assert ask(client, "moderator", "/next", {"desk": DESK}).headers["cache-control"] == "no-store"


def test_principals_of_the_same_name_are_told_apart_by_page(client: TestClient) -> None:
    first, second = send(client)[0], send(client)[0]
    core = core_of(client)
    visitor = Principal("demo", "demo")
    seen = [workflow.next_mark(core, visitor, workflow.NextIn(desk=desk)).mark for desk in ("visitor-1", "visitor-2")]
    assert [str(one.id) for one in seen if one] == [first, second]
