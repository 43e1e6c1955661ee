"""Every query of staff; the first argument is the session."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from service.people.models import Invite, PrincipalRow, RecoveryCode, StaffSession, Team
from service.store.base import Base


def add(session: Session, *rows: Base) -> None:
    """Store new rows."""
    session.add_all(rows)
    session.flush()


def _active(now: datetime) -> list[Any]:
    expires = PrincipalRow.expires_at
    return [PrincipalRow.revoked_at.is_(None), or_(expires.is_(None), expires > now)]


def find_by_key(session: Session, secret_hash: str, now: datetime) -> PrincipalRow | None:
    """Return the API key with this hash that is neither expired nor revoked."""
    return session.scalar(
        select(PrincipalRow).where(
            PrincipalRow.kind == "api_key", PrincipalRow.secret_hash == secret_hash, *_active(now)
        )
    )


def find_active(session: Session, number: int, now: datetime) -> PrincipalRow | None:
    """Return the principal with this number that is neither expired nor revoked."""
    return session.scalar(select(PrincipalRow).where(PrincipalRow.id == number, *_active(now)))


def find_login(session: Session, login: str, now: datetime) -> PrincipalRow | None:
    """Return the account with this login that is neither expired nor revoked."""
    found = select(PrincipalRow).where(PrincipalRow.kind == "staff", PrincipalRow.login == login, *_active(now))
    return session.scalar(found)


def find_subject(session: Session, subject: str, now: datetime) -> PrincipalRow | None:
    """Return the account that is bound to this subject of an OpenID provider."""
    found = select(PrincipalRow).where(
        PrincipalRow.kind == "staff", PrincipalRow.oidc_subject == subject, *_active(now)
    )
    return session.scalar(found)


def is_known(session: Session, *, login: str | None = None, subject: str | None = None) -> bool:
    """Return whether a login or subject is taken, by an account that has ended too."""
    query = select(PrincipalRow.id)
    query = query.where(PrincipalRow.login == login) if login else query.where(PrincipalRow.oidc_subject == subject)
    return session.scalar(query) is not None


def lock_person(session: Session, number: int, now: datetime) -> PrincipalRow | None:
    """Return the account for a change; on PostgreSQL others wait for this transaction."""
    query = select(PrincipalRow).where(PrincipalRow.id == number, PrincipalRow.kind == "staff", *_active(now))
    return session.scalar(query.with_for_update())


def find_principal(session: Session, number: int, kind: str) -> PrincipalRow | None:
    """Return an account or API key, an ended one too."""
    return session.scalar(select(PrincipalRow).where(PrincipalRow.id == number, PrincipalRow.kind == kind))


def find_label(session: Session, label: str) -> PrincipalRow | None:
    """Return the principal that colleagues know by this name."""
    return session.scalar(select(PrincipalRow).where(PrincipalRow.label == label))


def read_principals(session: Session, kind: str) -> list[tuple[PrincipalRow, str | None]]:
    """Return the accounts or API keys with the name of their team, by name."""
    query = select(PrincipalRow, Team.name).outerjoin(Team, Team.id == PrincipalRow.team_id)
    rows = session.execute(query.where(PrincipalRow.kind == kind).order_by(func.lower(PrincipalRow.label)))
    return [(row[0], row[1]) for row in rows]


def note_use(session: Session, number: int, day: date) -> None:
    """Keep the day on which a key was last used."""
    session.execute(update(PrincipalRow).where(PrincipalRow.id == number).values(last_used_on=day))


# --- teams -----------------------------------------------------------------------------------------------------------


def find_team(session: Session, name: str) -> Team | None:
    """Return the team with this name."""
    return session.scalar(select(Team).where(Team.name == name))


def find_team_by_number(session: Session, number: int) -> Team | None:
    """Return the team with this number."""
    return session.get(Team, number)


def read_teams(session: Session) -> list[tuple[Team, int]]:
    """Return every team and how many accounts are in it, by name."""
    people = select(PrincipalRow.team_id, func.count().label("people")).where(
        PrincipalRow.kind == "staff", PrincipalRow.revoked_at.is_(None)
    )
    counted = people.group_by(PrincipalRow.team_id).subquery()
    query = select(Team, func.coalesce(counted.c.people, 0)).outerjoin(counted, counted.c.team_id == Team.id)
    return [(row[0], row[1]) for row in session.execute(query.order_by(func.lower(Team.name)))]


# --- sessions --------------------------------------------------------------------------------------------------------


def find_session(
    session: Session, digest: str, now: datetime, used_since: datetime
) -> tuple[StaffSession, PrincipalRow] | None:
    """Return the open session of a token, or of the token before, and whose it is."""
    query = (
        select(StaffSession, PrincipalRow)
        .join(PrincipalRow, PrincipalRow.id == StaffSession.principal_id)
        .where(
            or_(StaffSession.token_hash == digest, StaffSession.previous_hash == digest),
            *_open(now, used_since),
            PrincipalRow.kind == "staff",
            *_active(now),
        )
    )
    row = session.execute(query).first()
    return (row[0], row[1]) if row else None


def _open(now: datetime, used_since: datetime) -> list[Any]:
    return [StaffSession.revoked_at.is_(None), StaffSession.expires_at > now, StaffSession.seen_at > used_since]


def lock_session(session: Session, number: int) -> StaffSession | None:
    """Return a session for a change."""
    return session.scalar(select(StaffSession).where(StaffSession.id == number).with_for_update())


def read_sessions(session: Session, number: int, now: datetime, used_since: datetime) -> list[StaffSession]:
    """Return the open sessions of an account, the newest first."""
    query = select(StaffSession).where(StaffSession.principal_id == number, *_open(now, used_since))
    return list(session.scalars(query.order_by(StaffSession.created_at.desc())))


def count_sessions(session: Session, now: datetime, used_since: datetime) -> dict[int, int]:
    """Return how many sessions of each account are open."""
    query = select(StaffSession.principal_id, func.count()).where(*_open(now, used_since))
    return {row[0]: row[1] for row in session.execute(query.group_by(StaffSession.principal_id))}


def end_one_session(session: Session, number: int | None, now: datetime) -> None:
    """End a session, if it is named and open."""
    if number is not None:
        ended = update(StaffSession).where(StaffSession.id == number, StaffSession.revoked_at.is_(None))
        session.execute(ended.values(revoked_at=now))


def end_sessions(session: Session, number: int, now: datetime, *, but: int | None = None) -> int:
    """End the sessions of an account and return how many there were."""
    ended = update(StaffSession).where(StaffSession.principal_id == number, StaffSession.revoked_at.is_(None))
    if but is not None:
        ended = ended.where(StaffSession.id != but)
    return int(getattr(session.execute(ended.values(revoked_at=now)), "rowcount", 0))


def delete_old_sessions(session: Session, before: datetime) -> None:
    """Delete the sessions that ended before a time."""
    session.execute(delete(StaffSession).where(StaffSession.expires_at < before))


# --- invites and recovery codes --------------------------------------------------------------------------------------


def find_invite(session: Session, digest: str, now: datetime) -> tuple[Invite, PrincipalRow] | None:
    """Return the invite of a token that is neither used, revoked nor expired, and the account it is for."""
    query = (
        select(Invite, PrincipalRow)
        .join(PrincipalRow, PrincipalRow.id == Invite.principal_id)
        .where(
            Invite.token_hash == digest,
            Invite.used_at.is_(None),
            Invite.revoked_at.is_(None),
            Invite.expires_at > now,
            *_active(now),
        )
    )
    row = session.execute(query.with_for_update()).first()
    return (row[0], row[1]) if row else None


def revoke_invites(session: Session, number: int, now: datetime) -> None:
    """Make the open invites of an account useless."""
    open_ = update(Invite).where(Invite.principal_id == number, Invite.used_at.is_(None), Invite.revoked_at.is_(None))
    session.execute(open_.values(revoked_at=now))


def read_open_invites(session: Session, now: datetime) -> dict[int, datetime]:
    """Return the accounts that have an invite to take up, and until when."""
    query = select(Invite.principal_id, Invite.expires_at).where(
        Invite.used_at.is_(None), Invite.revoked_at.is_(None), Invite.expires_at > now
    )
    return {row[0]: row[1] for row in session.execute(query) if row[0] is not None}


def put_recovery_codes(session: Session, number: int, hashes: list[str]) -> None:
    """Replace the recovery codes of an account."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.principal_id == number))
    session.add_all(RecoveryCode(principal_id=number, code_hash=code) for code in hashes)
    session.flush()


def use_recovery_code(session: Session, number: int, code_hash: str, now: datetime) -> bool:
    """Use a recovery code up; False where there is none like it, or it was used."""
    used = update(RecoveryCode).where(
        RecoveryCode.principal_id == number, RecoveryCode.code_hash == code_hash, RecoveryCode.used_at.is_(None)
    )
    return bool(getattr(session.execute(used.values(used_at=now)), "rowcount", 0))


def count_recovery_codes(session: Session, number: int) -> int:
    """Return how many recovery codes an account has left."""
    query = select(func.count()).where(RecoveryCode.principal_id == number, RecoveryCode.used_at.is_(None))
    return session.scalar(query) or 0
