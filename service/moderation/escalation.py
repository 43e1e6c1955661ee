"""Escalation: who is told by e-mail that something waits, when, and again until it is sent (S3, S4).

Notices are stored first and sent afterwards, so that a mail server that is down loses nothing. A message says that
something waits and since when; never what, where or whose.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy.orm import Session

from service.core import Core
from service.mail import MailError, send_mail
from service.moderation import hold_store, store
from service.moderation.clock import last_day_read, local, wait_after
from service.moderation.holds import adopt_held
from service.moderation.models import Hold, Notice
from service.outbound import OutboundDeniedError
from service.people.access import Principal
from service.people.audit import record
from service.store.base import utc_now
from service.web.templates import day_words

CLOCK: Final = Principal("clock", "service")
ON_DUTY, LEADS, EVERYBODY = 1, 2, 3  # step -> who is told: on duty, then every lead, then administrators too
NOBODY: Final = "nobody-to-tell"
LONGEST_WAIT: Final = timedelta(minutes=30)  # between two tries to send


@dataclass(frozen=True, slots=True)
class Due:
    """What waits: marks with the lead, late ones, unread words of days that are over, e-mails not sent."""

    held: int
    late: int
    unread: int
    unsent: int


def escalate(core: Core, *, now: datetime | None = None) -> dict[str, int]:
    """Tell whoever is to be told by now, and send what waits to be sent; the job of every minute.

    Parameters
    ----------
    core : Core
        The deployment.
    now : datetime, optional
        The time, aware; the clock's where left out.

    Returns
    -------
    dict of int
        Notices made, sent, and failed.
    """
    moment = now or utc_now()
    adopt_held(core)
    made = core.store.write(lambda session: _make(session, core, moment))
    sent, failed = _send_due(core, moment)
    return {"made": made, "sent": sent, "failed": failed}


def count_due(core: Core, *, now: datetime | None = None) -> Due:
    """Return what waits, in numbers only."""
    moment = now or utc_now()
    with core.store.read() as session:
        held, late = hold_store.count_holds(session, moment)
        unread, _ = store.unread_words(session, last_day_read(core.settings, moment))
        unsent = len(hold_store.unsent_notices(session))
    return Due(held, late, unread, unsent)


def _make(session: Session, core: Core, now: datetime) -> int:
    _address(session, now)
    made = sum(_for_hold(session, core, hold, now) for hold in hold_store.open_holds(session))
    return made + _for_unread(session, core, now)


def _address(session: Session, now: datetime) -> None:
    """Give notices that had nobody to go to a recipient, once there is one."""
    for notice, _ in hold_store.unsent_notices(session):
        found = _recipients(session, notice.step, now) if notice.principal_id is None else []
        if found:
            notice.principal_id, notice.next_try_at, notice.problem = found[0], now, ""


def _for_hold(session: Session, core: Core, hold: Hold, now: datetime) -> int:
    """Tell of a new hold at once; of a late one again and again, each time more people and after a longer wait."""
    made = 0
    if not hold_store.has_notice(session, hold.id):
        made += _tell(session, core, {"kind": "new", "hold_id": hold.id, "step": ON_DUTY}, now)
    waited = hold.escalated_at is None or now >= hold.escalated_at + wait_after(core.settings, hold.escalations)
    if now >= hold.due_at and waited:
        hold.escalations, hold.escalated_at = hold.escalations + 1, now
        made += _tell(session, core, {"kind": "late", "hold_id": hold.id, "step": hold.escalations}, now)
    return made


def _for_unread(session: Session, core: Core, now: datetime) -> int:
    unread, oldest = store.unread_words(session, last_day_read(core.settings, now))
    if not unread:
        hold_store.settle_unread(session, now)
        return 0
    last = hold_store.last_unread_notice(session)
    if last is not None and now < last.created_at + wait_after(core.settings, last.step):
        return 0
    return _tell(session, core, {"kind": "unread", "day": oldest, "step": last.step + 1 if last else ON_DUTY}, now)


def _tell(session: Session, core: Core, about: dict[str, Any], now: datetime) -> int:
    recipients: list[int | None] = [*_recipients(session, about["step"], now)]
    problem = "" if recipients else NOBODY
    values = about | {"created_at": now, "next_try_at": now, "problem": problem}
    hold_store.add_notices(session, values, recipients or [None])
    details = {"kind": about["kind"], "step": about["step"], "hold": about.get("hold_id"), "told": len(recipients)}
    record(session, core, CLOCK, "notice.make", **details)
    return len(recipients) or 1


def _recipients(session: Session, step: int, now: datetime) -> list[int]:
    """Return who is told: the first of the ranks up to the step that has anybody, and everybody from the last on."""
    leads = hold_store.staff_of_role(session, "safeguarding_lead", now)
    on_duty = [one for one in hold_store.leads_on_duty(session, now) if one in leads]
    admins = hold_store.staff_of_role(session, "admin", now)
    if step <= ON_DUTY:
        return on_duty or leads or admins
    if step == LEADS:
        return leads or admins
    return leads + admins


def _send_due(core: Core, now: datetime) -> tuple[int, int]:
    with core.store.read() as session:
        waiting = hold_store.unsent_notices(session, now)
        since = hold_store.hold_times(session, [notice.hold_id for notice, _ in waiting if notice.hold_id is not None])
    sent = failed = 0
    for notice, address in waiting:
        problem = _send(core, notice, address, since)
        core.store.write(partial(_note, number=notice.id, problem=problem, now=now))
        sent, failed = sent + (not problem), failed + bool(problem)
    return sent, failed


def _send(core: Core, notice: Notice, address: str | None, since: dict[int, datetime]) -> str:
    """Send one e-mail and return why it could not be sent; nothing where it was."""
    if not address:
        return NOBODY
    subject, body = message_of(core, notice, since.get(notice.hold_id or 0))
    try:
        send_mail(core.settings, to=address, subject=subject, body=body)
    except MailError as error:
        return error.code
    except OutboundDeniedError:
        return "not-allowed"
    return ""


def _note(session: Session, *, number: int, problem: str, now: datetime) -> None:
    notice = hold_store.find_notice(session, number)
    if notice is None:
        return
    notice.tries += 1
    notice.problem = problem
    if problem:
        notice.next_try_at = now + min(timedelta(minutes=2 ** min(notice.tries - 1, 10)), LONGEST_WAIT)
    else:
        notice.sent_at = now


def message_of(core: Core, notice: Notice, held_at: datetime | None) -> tuple[str, str]:
    """Return subject and body of an e-mail: that something waits, since when, and the page; nothing else."""
    if notice.kind == "unread":
        subject = "Safer Places: words wait to be read"
        what = f"Words of {_day(notice.day)} or later have not been read yet."
        page = "/queue"
    else:
        late = notice.kind == "late"
        subject = "Safer Places: a mark waits and is late" if late else "Safer Places: a mark waits for you"
        since = f"{local(held_at):%H:%M} on {day_words(local(held_at).date())}" if held_at else "some time"
        what = f"A mark waits for the safeguarding lead since {since}." + (" It is late." if late else "")
        page = "/lead"
    where = f"{core.settings.public_url.rstrip('/')}{core.settings.base_path}{page}"
    body = f"{what}\n\nSign in and open {where}\n\nThis message holds nothing of what was said. Do not answer it.\n"
    return subject, body


def _day(day: date | None) -> str:
    return day_words(day) if day else "today"
