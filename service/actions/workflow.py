"""Findings: sentences that staff write from marks; a release takes in those that are ready."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy.orm import Session

from service.actions import store
from service.actions.models import Finding
from service.actions.schemas import FindingIn, FindingOut, Status
from service.areas import workflow as areas
from service.core import Core
from service.errors import FieldProblem, InvalidInputError, NotFoundError
from service.moderation.wording import check_wording, wording_problems
from service.people.access import Principal, Right
from service.people.audit import record
from service.places import workflow as places
from service.store.base import utc_now


@dataclass(frozen=True, slots=True)
class Ready:
    """A finding that the next release takes in; ``area`` is empty for the whole borough."""

    text: str
    theme: str
    area: str


def list_findings(core: Core, principal: Principal) -> list[FindingOut]:
    """Return all findings.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the principal may not write findings.
    """
    principal.require(Right.FINDINGS_WRITE)
    with core.store.read() as session:
        return [FindingOut.model_validate(row) for row in store.read_findings(session)]


def findings_for_release(core: Core, set_name: str) -> list[Ready]:
    """Return the findings that are ready; one about a ward of another set speaks of the whole borough then."""
    with core.store.read() as session:
        rows = store.read_findings(session, status="ready")
    return [Ready(row.text, row.theme, (row.area_gss or "") if row.area_set == set_name else "") for row in rows]


def write_finding(core: Core, principal: Principal, given: FindingIn) -> FindingOut:
    """Store a finding as a draft.

    Parameters
    ----------
    core : Core
        The deployment.
    principal : Principal
        Who writes.
    given : FindingIn
        Words, theme and ward.

    Returns
    -------
    FindingOut
        The stored draft.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the principal may not write findings.
    InvalidInputError
        If the theme or the ward is not known, or the words are of the list that published text avoids (E2) and nothing
        says why they stay.
    """
    principal.require(Right.FINDINGS_WRITE)
    set_name = _checked(core, given)
    override = " ".join(given.override.split()) or None
    row = Finding(
        id=uuid.uuid4(), text=given.text, theme=given.theme, area_set=set_name, area_gss=given.area or None,
        wording_override=override, created_by=principal.id,
    )  # fmt: skip
    is_kept = override is not None and bool(check_wording(given.text))

    def write(session: Session) -> None:
        session.add(row)
        record(
            session,
            core,
            principal,
            "finding.write",
            subject=str(row.id),
            theme=given.theme,
            area=given.area,
            override=is_kept,
        )

    core.store.write(write)
    return FindingOut.model_validate(row)


def set_status(core: Core, principal: Principal, finding_id: uuid.UUID, status: Status) -> FindingOut:
    """Say that a finding goes into the next release, or no longer.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the principal may not write findings.
    NotFoundError
        If there is none of this id.
    InvalidInputError
        If it is to be published with words of the list that came to it after it was written.
    """
    principal.require(Right.FINDINGS_WRITE)

    def write(session: Session) -> FindingOut:
        row = store.read_finding(session, finding_id)
        if row is None:
            message = "There is no such finding."
            raise NotFoundError(message)
        if status == "ready" and not row.wording_override and (problems := wording_problems(row.text, "text")):
            raise _unfit(problems)
        row.status, row.changed_at = status, utc_now()
        record(session, core, principal, f"finding.{status}", subject=str(finding_id))
        session.flush()
        return FindingOut.model_validate(row)

    return core.store.write(write)


def _checked(core: Core, given: FindingIn) -> str | None:
    problems = []
    if given.theme and given.theme not in places.reasons_by_code():
        problems.append(FieldProblem(field="theme", message="This is not a reason. Choose one from the list."))
    set_name = None
    if given.area:
        set_name = areas.default_set(core).name
        if given.area not in areas.area_shapes(core, set_name).codes.tolist():
            problems.append(FieldProblem(field="area", message="This is not a ward. Choose one from the list."))
    if not given.override.strip():
        problems += wording_problems(given.text, "text")
    if problems:
        raise _unfit(problems)
    return set_name


def _unfit(problems: list[FieldProblem]) -> InvalidInputError:
    return InvalidInputError("; ".join(one.message for one in problems), errors=problems)
