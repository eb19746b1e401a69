"""What customer service decides, asks for and is asked."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from registration.database.models.accounts import Account
from registration.database.models.base import Base

OPEN = text("state = 'open'")


class Case(Base, table="service_case"):
    """What a person has asked for a company, and whoever decides it. kind, state: of cases.KINDS and cases.STATES.

    way: how it is decided, of cases.WAYS. decided_by: as an actor of the audit trail. code_digest: of the activation
    code that was sent last, under our key; code_made_at: when it was.
    """

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    way: Mapped[str] = mapped_column(String(16))
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    fo_nummer: Mapped[str] = mapped_column(String(9), index=True)
    company_name: Mapped[str] = mapped_column(String(255))
    customer_number: Mapped[str] = mapped_column(String(64))
    opened_at: Mapped[int]
    decided_at: Mapped[int | None]
    decided_by: Mapped[str | None] = mapped_column(String(128))
    reason: Mapped[str | None] = mapped_column(String(255))
    code_digest: Mapped[str | None] = mapped_column(String(64))
    code_made_at: Mapped[int | None]
    code_tries: Mapped[int] = mapped_column(Integer, default=0)
    account: Mapped[Account] = relationship()
    __table_args__ = (
        Index("ix_service_case_state_opened_at", "state", "opened_at"),
        Index("uq_service_case_open", "account_id", "fo_nummer", unique=True, sqlite_where=OPEN, postgresql_where=OPEN),
    )


class StaffAct(Base, table="staff_act"):
    """What a member of staff has asked for, once. id: the SHA-256 of who asked and of their `request_id`, cut.

    asked: as it was sent. asked_by, decided_by: actors, as in the trail. state: `done`, `waiting` for a second member
    of staff, or `refused` by that one. account_id, fo_nummer: whom it concerns.
    """

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    asked: Mapped[dict[str, Any]] = mapped_column(JSON)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    fo_nummer: Mapped[str | None] = mapped_column(String(9))
    asked_by: Mapped[str] = mapped_column(String(128))
    asked_at: Mapped[int]
    state: Mapped[str] = mapped_column(String(8), index=True)
    decided_by: Mapped[str | None] = mapped_column(String(128))
    decided_at: Mapped[int | None]
    expires_at: Mapped[int] = mapped_column(index=True)


class CallerCheck(Base, table="caller_check"):
    """A member of staff asks who is on the phone. staff: as the audit trail names them. case_id: of what it is about.

    code: a keyed digest of what was read out, None where a link was sent. browser: SHA-256 of the caller's cookie, once
    it is bound. attempt: the trip by which they identify. sealed: who they are, until it is shown. tries: of digits.
    """

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    code: Mapped[str | None] = mapped_column(String(64), unique=True)
    staff: Mapped[str] = mapped_column(String(128))
    account_id: Mapped[str | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    case_id: Mapped[str | None] = mapped_column(String(32))
    browser: Mapped[str | None] = mapped_column(String(64), unique=True)
    attempt: Mapped[str | None] = mapped_column(String(64), unique=True)
    identified_at: Mapped[int | None]
    sealed: Mapped[str | None] = mapped_column(Text)
    tries: Mapped[int] = mapped_column(Integer)
    expires_at: Mapped[int] = mapped_column(index=True)
