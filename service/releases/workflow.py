"""Releases: make, preview, list, read. Every public number about marks comes out of ``current``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from geo.disclosure import Memory
from service.core import Core
from service.errors import ConflictError, NotFoundError
from service.jobs.context import JobContext
from service.jobs.workflow import enqueue
from service.people.access import Principal, Right
from service.people.audit import record
from service.places import workflow as places
from service.releases import snapshot, store
from service.releases.downloads import as_csv, as_geojson
from service.releases.making import Made, make
from service.releases.models import Release
from service.releases.schemas import ReleaseLine, ReleaseOut
from service.releases.words import area_words, found_of

CLOCK = Principal("schedule", "admin")
SHELL = Principal("command line", "admin")
__all__ = [
    "CLOCK", "SHELL", "Change", "Preview", "area_words", "as_csv", "as_geojson", "as_out", "current",
    "current_or_none", "found_of", "list_releases", "make_release", "preview", "read_release", "release_job",
    "request_release",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """One number that the next release would change; None is hidden."""

    key: str
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What staff see before they publish.

    Attributes
    ----------
    made : Made
        The release as it would be.
    before : ReleaseOut or None
        The current one.
    changes : list of Change
        Numbers that differ.
    new_findings : int
        Findings that the current one lacks.
    intruder_test : str
        A warning where the motivated-intruder test is missing or old (D8); else empty.
    """

    made: Made
    before: ReleaseOut | None
    changes: list[Change]
    new_findings: int
    intruder_test: str


def current_or_none(core: Core) -> ReleaseOut | None:
    """Return the release that the public reads; None before the first."""
    with core.store.read() as session:
        row = store.read_current(session)
    return _out(core, row) if row else None


def current(core: Core) -> ReleaseOut:
    """Return the release that the public reads.

    Raises
    ------
    NotFoundError
        Before the first.
    UnavailableError
        If its file is damaged.
    """
    found = current_or_none(core)
    if found is None:
        message = (
            "Nothing has been released yet: not enough young people have marked places, or nobody has published it."
        )
        raise NotFoundError(message)
    return found


def read_release(core: Core, number: int) -> ReleaseOut:
    """Return one release, the current or a former one: the public has them all.

    Raises
    ------
    NotFoundError
        If there is none of this number.
    """
    with core.store.read() as session:
        row = store.read_number(session, number)
    if row is None:
        message = "There is no release of this number. The list is at /api/v1/releases."
        raise NotFoundError(message)
    return _out(core, row)


def list_releases(core: Core) -> list[ReleaseLine]:
    """Return all releases, the newest first."""
    with core.store.read() as session:
        rows = store.read_all(session)
    return [
        ReleaseLine(
            number=row.number, digest=row.digest, is_current=row.is_current, **_counted(row.summary),
        )
        for row in rows
    ]  # fmt: skip


def preview(core: Core, principal: Principal) -> Preview:
    """Return what a release would be now, and how it differs from the current one.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the principal may not read previews.
    UnavailableError, DisclosureError
        As ``make_release``.
    """
    principal.require(Right.RELEASES_READ)
    number, memory = _last(core)
    made = make(core, number=number + 1, memory=memory)
    before = current_or_none(core)
    old = {_key(cell): cell.people for cell in before.cells} if before else {}
    changes = [
        Change(_key(cell), old.get(_key(cell)), cell.people)
        for cell in made.content.cells
        if old.get(_key(cell)) != cell.people
    ]
    known = {one.text for one in before.findings} if before else set()
    fresh = sum(1 for one in made.content.findings if one.text not in known)
    return Preview(made, before, changes, fresh, intruder_warning(core))


def as_out(made: Made) -> ReleaseOut:
    """Return a release that is not stored in the shape of one that is."""
    return ReleaseOut(**dict(made.content), digest="")


def intruder_warning(core: Core, *, today: date | None = None) -> str:
    """Return what to tell staff where the motivated-intruder test is missing or old (D8); else nothing."""
    done, most = core.settings.intruder_test_on, core.settings.intruder_test_max_days
    if done is None:
        return "No motivated-intruder test is recorded. Do one, write it down and set SAFER_PLACES_INTRUDER_TEST_ON."
    if (today or places.today()) - done > timedelta(days=most):
        return f"The motivated-intruder test of {done:%d %B %Y} is older than {most} days. Do one before you publish."
    return ""


def make_release(core: Core, principal: Principal, *, only_changed: bool = False) -> ReleaseOut:
    """Make a release of the marks of now and let the public read it.

    Parameters
    ----------
    core : Core
        The deployment.
    principal : Principal
        Who publishes; ``CLOCK`` for the schedule.
    only_changed : bool
        Whether to keep the current one where not a number or finding would differ.

    Returns
    -------
    ReleaseOut
        The current release afterwards.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the principal may not publish.
    UnavailableError
        If marks are still being joined, or there are no wards.
    DisclosureError
        If the table could not be made safe; nothing is published.
    ConflictError
        If somebody else published meanwhile.
    """
    principal.require(Right.RELEASES_MAKE)
    number, memory = _last(core)
    made = make(core, number=number + 1, memory=memory)
    before = current_or_none(core)
    if only_changed and before is not None and _says(before) == _says(made.content):
        return before
    body = snapshot.encode(made.content)
    digest, path = snapshot.write_file(core, body)  # before the row: a row never names a file that is not there
    values = {
        "number": number + 1,
        "digest": digest,
        "path": path,
        "summary": _summary(made),
        "made_by": principal.id,
        "basis": made.disclosed.memory.to_json(),
    }
    core.store.write(lambda session: _store(session, core, principal, values))
    return read_release(core, number + 1)


def request_release(core: Core, principal: Principal) -> None:
    """Queue the making of a release, which may take longer than a page may wait.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the principal may not publish.
    """
    principal.require(Right.RELEASES_MAKE)

    def ask(session: Session) -> None:
        enqueue(session, "release", {"by": principal.id, "role": principal.role}, dedupe_key="release")
        record(session, core, principal, "release.ask")

    core.store.write(ask)


def release_job(core: Core, parameters: dict[str, Any], job: JobContext) -> dict[str, Any]:
    """Make a release as a job: for the member of staff who asked, or for the clock when its days are over."""
    job.progress(0.0, "Counting people and checking what could be worked out")
    if "by" in parameters:
        found = make_release(core, Principal(parameters["by"], parameters["role"]))
        return {"release": found.number}
    days = core.settings.release_every_days
    before = current_or_none(core)
    if not days or (before is not None and places.today() - before.made_on < timedelta(days=days)):
        return {"release": None, "words": "Not due."}
    if before is None and not _shows(make(core, number=1, memory=None).content):
        return {"release": None, "words": "There is not a number or finding to publish yet."}
    return {"release": make_release(core, CLOCK, only_changed=True).number}


def _shows(content: Any) -> bool:
    """Return whether a release tells anything; the clock begins with one that does, staff may publish any."""
    return bool(content.findings) or len(content.cells) > content.hidden


def _store(session: Session, core: Core, principal: Principal, values: dict[str, Any]) -> None:
    last = store.read_last(session, lock=True)
    if (last.number if last else 0) != values["number"] - 1:
        message = "Somebody else published a release meanwhile. Look at it, then publish again."
        raise ConflictError(message)
    store.insert_current(session, values)
    counted = values["summary"]
    record(
        session, core, principal, "release.make", subject=str(values["number"]), shown=counted["shown"],
        hidden=counted["hidden"], findings=counted["findings"], digest=values["digest"],
    )  # fmt: skip


def _last(core: Core) -> tuple[int, Memory | None]:
    with core.store.read() as session:
        row = store.read_last(session)
    return (row.number, Memory.from_json(row.basis)) if row else (0, None)


def _out(core: Core, row: Release) -> ReleaseOut:
    content = snapshot.read_file(core, row.path, row.digest)
    return ReleaseOut(**dict(content), digest=row.digest)


def _summary(made: Made) -> dict[str, Any]:
    cells = made.content.cells
    return {
        "made_on": made.content.made_on.isoformat(),
        "shown": len(cells) - made.content.hidden,
        "hidden": made.content.hidden,
        "findings": len(made.content.findings),
        "programs": made.disclosed.audit.programs,
    }


def _counted(summary: dict[str, Any]) -> dict[str, Any]:
    return {name: summary[name] for name in ("made_on", "shown", "hidden", "findings")}


def _key(cell: Any) -> str:
    return f"{cell.area}|{cell.feeling}|{cell.item}"


def _says(content: Any) -> tuple[Any, ...]:
    """Return what a reader would notice: numbers and findings, not the day."""
    return {_key(cell): cell.people for cell in content.cells}, content.findings, content.partition
