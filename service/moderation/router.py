"""JSON of the queue and of the lead, under /api/v1/moderation; the same rights as the pages."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Path

from service.moderation import workflow
from service.moderation.schemas import (
    AgreementOut,
    DecidedOut,
    DecideIn,
    DecisionsOut,
    DeskIn,
    HeldOut,
    HoldDecidedOut,
    HoldDecideIn,
    HoldsOut,
    NextIn,
    NextOut,
    OthersOut,
    SecondIn,
    SecondOut,
    UndoneOut,
    WhereOut,
)
from service.people.dependencies import PrincipalDep
from service.web.dependencies import CoreDep
from service.web.openapi import problems

MarkId = Annotated[uuid.UUID, Path(description="Id of the mark.")]
Number = Annotated[int, Path(ge=1, le=2**53, description="Its number.")]
NO_CONTENT = 204

router = APIRouter(
    prefix="/api/v1/moderation",
    tags=["moderation"],
    responses=problems((401, "Nobody is signed in."), (403, "The role may not do this.")),
)
CHANGED = problems(
    (404, "There is none that the role may see."),
    (409, "It changed, somebody else has it, or it is with the lead: nothing was done."),
    (410, "Its owner took it back."),
)


@router.post("/next", summary="Show the mark to read now and keep it for this page")
def show_next(core: CoreDep, principal: PrincipalDep, body: NextIn) -> NextOut:
    """Return the most urgent mark that nobody else reads, else the oldest: its words, not its position."""
    return workflow.next_mark(core, principal, body)


@router.post("/give-back", summary="Let others read what this page had", status_code=NO_CONTENT)
def give_back(core: CoreDep, principal: PrincipalDep, body: DeskIn) -> None:
    """End the lease of this page."""
    workflow.give_back(core, principal, body.desk)


@router.post(
    "/marks/{place_id}/keep", summary="Keep a mark longer", status_code=NO_CONTENT, responses=problems((409, "Lost."))
)
def keep(core: CoreDep, principal: PrincipalDep, place_id: MarkId, body: DeskIn) -> None:
    """Renew the lease of the page that shows the mark."""
    workflow.keep(core, principal, place_id, body.desk)


@router.post("/marks/{place_id}/decide", summary="Decide on a mark", responses=CHANGED)
def decide(core: CoreDep, principal: PrincipalDep, place_id: MarkId, body: DecideIn) -> DecidedOut:
    """Approve, reject, write public wording, take words out, never publish, count again, or merge."""
    return workflow.decide(core, principal, place_id, body)


@router.post("/marks/{place_id}/hold", summary="Pass a mark to the safeguarding lead", responses=CHANGED)
def hold(core: CoreDep, principal: PrincipalDep, place_id: MarkId) -> HeldOut:
    """Take the mark out of every output at once; only the lead sees it until the lead has decided."""
    return workflow.hold_mark(core, principal, place_id)


@router.get("/marks/{place_id}/where", summary="Show where a mark is", responses=CHANGED)
def show_where(core: CoreDep, principal: PrincipalDep, place_id: MarkId) -> WhereOut:
    """Return ward, nearest landmark and the spot on a small drawing; the audit tells that it was asked."""
    return workflow.where(core, principal, place_id)


@router.get("/marks/{place_id}/others", summary="Marks of the same workshop, to merge with", responses=CHANGED)
def show_others(core: CoreDep, principal: PrincipalDep, place_id: MarkId) -> OthersOut:
    """Return the other marks of the workshop, the nearest first."""
    return workflow.others(core, principal, place_id)


@router.get("/decisions", summary="One's own newest acts")
def list_decisions(core: CoreDep, principal: PrincipalDep) -> DecisionsOut:
    """Return at most 20 acts, newest first."""
    return workflow.list_decisions(core, principal)


@router.post("/decisions/{number}/undo", summary="Undo an act of one's own", responses=CHANGED)
def undo(core: CoreDep, principal: PrincipalDep, number: Number) -> UndoneOut:
    """Put back what the act changed, unless something later changed the same."""
    return workflow.undo(core, principal, number)


@router.get("/second", summary="The next second look")
def ask_second(core: CoreDep, principal: PrincipalDep) -> SecondOut:
    """Return a mark as the first moderator read it, without what they did or who they are."""
    return workflow.ask_second(core, principal)


@router.post("/second/{number}", summary="Judge a mark again", status_code=NO_CONTENT, responses=CHANGED)
def judge_second(core: CoreDep, principal: PrincipalDep, number: Number, body: SecondIn) -> None:
    """Record the second judgement; it changes the mark only if it passes it to the lead."""
    workflow.judge_second(core, principal, number, body.act)


@router.get("/agreement", summary="How well moderators agree, by class of act")
def show_agreement(core: CoreDep, principal: PrincipalDep) -> AgreementOut:
    """Return shares and kappa with intervals, never by person; nothing below the least number."""
    return workflow.agreement(core, principal)


@router.get("/holds", summary="What waits for the safeguarding lead")
def list_holds(core: CoreDep, principal: PrincipalDep) -> HoldsOut:
    """Return undecided holds with their clock and who was in the room; the earliest due first."""
    return workflow.list_holds(core, principal)


@router.post("/holds/{number}/decide", summary="Record a lead's decision", responses=CHANGED)
def decide_hold(core: CoreDep, principal: PrincipalDep, number: Number, body: HoldDecideIn) -> HoldDecidedOut:
    """Record decision and reason, and carry out what happens to the mark. Nothing is sent to anybody."""
    return workflow.decide_hold(core, principal, number, body)
