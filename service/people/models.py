"""Tables of staff: teams, principals, sessions, invites, recovery codes, and the audit of what they did."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import JSON

from service.store.base import AwareDateTime, Base, BigKey, Seq, utc_now


class Team(Base):
    """A team of staff: who may see a workshop's raw notes."""

    __tablename__ = "team"

    id: Mapped[Seq]
    name: Mapped[str] = mapped_column(String(120), unique=True)
    created_at: Mapped[datetime] = mapped_column(AwareDateTime, default=utc_now)


class PrincipalRow(Base):
    """A member of staff or an API key that may act; keys and passwords only as hashes."""

    __tablename__ = "principal"

    id: Mapped[Seq]
    kind: Mapped[str] = mapped_column(String(20))  # staff, api_key
    label: Mapped[str] = mapped_column(String(120), unique=True)  # how colleagues and the audit call it
    role: Mapped[str] = mapped_column(String(30))
    team_id: Mapped[int | None] = mapped_column(BigKey, ForeignKey("team.id"))
    secret_hash: Mapped[str | None] = mapped_column(String(200), index=True)  # SHA-256 of an API key
    created_at: Mapped[datetime] = mapped_column(AwareDateTime, default=utc_now)
    expires_at: Mapped[datetime | None] = mapped_column(AwareDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(AwareDateTime)
    login: Mapped[str | None] = mapped_column(String(120), unique=True, index=True)  # what a member of staff types
    notify_to: Mapped[str | None] = mapped_column(String(200))  # where escalations go; staff only
    password_hash: Mapped[str | None] = mapped_column(String(200))  # argon2id
    totp_sealed: Mapped[str | None] = mapped_column(String(300))  # encrypted with the deployment's secret
    totp_last_step: Mapped[int | None]  # a code is good once
    oidc_subject: Mapped[str | None] = mapped_column(String(300), unique=True, index=True)  # issuer and subject
    failed_count: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None] = mapped_column(AwareDateTime)
    scopes: Mapped[list[str]] = mapped_column(
        JSON, default=list
    )  # of an API key: rights it is held to; [] is its role's
    agreement_id: Mapped[str | None] = mapped_column(String(60))  # an API key that may read exact places (L8)
    last_used_on: Mapped[date | None]
    created_by: Mapped[str | None] = mapped_column(String(120))


class RecoveryCode(Base):
    """The hash of a code that stands in for the second factor, once."""

    __tablename__ = "recovery_code"

    id: Mapped[Seq]
    principal_id: Mapped[int] = mapped_column(BigKey, ForeignKey("principal.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime | None] = mapped_column(AwareDateTime)


class StaffSession(Base):
    """A signed-in browser of a member of staff; the token only as a hash, and new after each rotation."""

    __tablename__ = "staff_session"

    id: Mapped[Seq]
    principal_id: Mapped[int] = mapped_column(BigKey, ForeignKey("principal.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    previous_hash: Mapped[str | None] = mapped_column(String(64), index=True)  # valid for seconds after a rotation
    created_at: Mapped[datetime] = mapped_column(AwareDateTime, default=utc_now)
    seen_at: Mapped[datetime] = mapped_column(AwareDateTime, default=utc_now)
    rotated_at: Mapped[datetime] = mapped_column(AwareDateTime, default=utc_now)
    confirmed_at: Mapped[datetime | None] = mapped_column(AwareDateTime)  # password and code given again (X5)
    expires_at: Mapped[datetime] = mapped_column(AwareDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(AwareDateTime)


class Invite(Base):
    """A link that lets a colleague make an account once."""

    __tablename__ = "invite"

    id: Mapped[Seq]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    label: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(String(30))
    team_id: Mapped[int | None] = mapped_column(BigKey, ForeignKey("team.id"))
    principal_id: Mapped[int | None] = mapped_column(BigKey, ForeignKey("principal.id", ondelete="CASCADE"))  # a reset
    created_by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime] = mapped_column(AwareDateTime, default=utc_now)
    expires_at: Mapped[datetime] = mapped_column(AwareDateTime)
    used_at: Mapped[datetime | None] = mapped_column(AwareDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(AwareDateTime)


class AuditEvent(Base):
    """One act of staff or read of exact data; each row holds the hash of the row before it, so a change shows (X9)."""

    __tablename__ = "audit_event"
    __table_args__ = (Index("ix_audit_event_subject", "subject"),)

    seq: Mapped[Seq]
    at: Mapped[datetime] = mapped_column(AwareDateTime)
    actor: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(String(30))
    act: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(120), default="")
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64), unique=True)
