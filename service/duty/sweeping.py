"""What retention takes from everything that is no mark: codes, seats, sessions, decisions, audit, jobs, log files."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from service.duty.erasing import Work
from service.duty.models import Share
from service.jobs.models import Job
from service.logs import AUDIT_FILE
from service.moderation.models import Decision, Hold, Notice, QueueLease, SecondLook
from service.people.access import Principal
from service.people.audit import prune
from service.people.models import Invite, RecoveryCode, StaffSession
from service.places.models import Place
from service.workshops.models import Duty, Seat, WallBatch, Workshop

ROTATE_DAYS = 30
RETENTION = Principal("retention", "operator")
NO_SYNC = {"synchronize_session": False}


def _delete(session: Session, model: Any, *conditions: Any) -> int:
    done = session.execute(delete(model).where(*conditions), execution_options=NO_SYNC)
    return int(done.rowcount)  # type: ignore[attr-defined]


def sweep_seats(work: Work, days: int) -> int:
    """Delete seats and wall batches; a seat that says it still holds marks stays as long as the workshop's keys."""
    long_gone = work.moment(work.core.settings.retention_keys_days)
    over = Seat.expires_at < work.moment(days)
    seats = _delete(work.session, Seat, over, or_(Seat.unsent == 0, Seat.expires_at < long_gone))
    return seats + _delete(work.session, WallBatch, WallBatch.released_at < work.moment(days))


def sweep_keys(work: Work, days: int) -> int:
    """Take code, sealing keys and contact of workshops that are over; title and window stay.

    The private key stays this long because a device may still hold marks that were sealed to it.
    """
    end = func.coalesce(Workshop.ended_at, Workshop.closes_at, Workshop.created_at)
    waiting = exists().where(Hold.place_seq == Place.seq, Place.workshop_id == Workshop.id, Hold.decided_at.is_(None))
    held = exists().where(Place.workshop_id == Workshop.id, Place.status == "held")
    secret = (Workshop.code_hash, Workshop.code_sealed, Workshop.public_key, Workshop.private_key_sealed)
    filled = or_(*(column.is_not(None) for column in secret), Workshop.room_contact != "")
    empty: dict[Any, Any] = dict.fromkeys(secret)
    statement = (
        update(Workshop)
        .where(end < work.moment(days), filled, ~waiting, ~held)
        .values(empty | {Workshop.room_contact: ""})
    )
    return int(work.session.execute(statement, execution_options=NO_SYNC).rowcount)  # type: ignore[attr-defined]


def sweep_sessions(work: Work, days: int) -> int:
    """Delete staff sessions, invites and used recovery codes that are over."""
    past, session = work.moment(days), work.session
    count = _delete(session, StaffSession, or_(StaffSession.expires_at < past, StaffSession.revoked_at < past))
    count += _delete(session, Invite, or_(Invite.expires_at < past, Invite.used_at < past, Invite.revoked_at < past))
    return count + _delete(session, RecoveryCode, RecoveryCode.used_at < past)


def sweep_duty(work: Work, days: int) -> int:
    """Delete who was on duty."""
    return _delete(work.session, Duty, Duty.closes_at < work.moment(days))


def sweep_decisions(work: Work, days: int) -> int:
    """Delete decisions of moderators and second looks; those on a mark with the lead stay."""
    waiting = select(Hold.place_seq).where(Hold.decided_at.is_(None))
    past = work.moment(days)
    count = _delete(work.session, Decision, Decision.at < past, Decision.place_seq.not_in(waiting))
    return count + _delete(work.session, SecondLook, SecondLook.asked_at < past, SecondLook.place_seq.not_in(waiting))


def sweep_holds(work: Work, days: int) -> int:
    """Delete the lead's decisions and reasons; an undecided one stays whatever its age (S5)."""
    return _delete(work.session, Hold, Hold.decided_at < work.moment(days))


def sweep_jobs(work: Work, days: int) -> int:
    """Delete jobs that ended, e-mails to leads that were sent or settled, and leases of the queue that ran out."""
    past, session = work.moment(days), work.session
    count = _delete(session, Job, Job.finished_at < past)
    count += _delete(session, Notice, or_(Notice.sent_at < past, Notice.settled_at < past))
    return count + _delete(session, QueueLease, QueueLease.until < past)


def sweep_shares(work: Work, days: int) -> int:
    """Delete rows of the ledger of shares."""
    return _delete(work.session, Share, Share.at < work.moment(days))


def sweep_audit(work: Work, days: int) -> int:
    """Delete the oldest audit events; the chain of those that stay still verifies."""
    return prune(work.session, work.core, RETENTION, work.moment(days))


def rotate_logs(work: Work, days: int) -> int:
    """Put a month-old audit log aside under its last day, and delete those that were put aside too long ago.

    The chain is in the store; the file is a copy for shipping. Writers notice that it was moved and start a new one.
    """
    folder = work.core.settings.data_dir
    old = [path for path in folder.glob("audit-????????.log") if path.stem[6:] < f"{work.before(days):%Y%m%d}"]
    if work.is_dry:
        return len(old)
    for path in old:
        path.unlink()
    current = folder / AUDIT_FILE
    aside = folder / f"audit-{work.today:%Y%m%d}.log"
    newest = max((path.stem[6:] for path in folder.glob("audit-????????.log")), default="")
    due = newest < f"{work.before(ROTATE_DAYS):%Y%m%d}"
    if due and current.exists() and current.stat().st_size and not aside.exists():
        current.rename(aside)
    return len(old)
