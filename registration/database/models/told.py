"""What happened, and whom it is told to: the audit trail, e-mails, receivers of events."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from registration.database.models.base import Base


class AuditRecord(Base, table="audit"):
    """What happened, appended only. actor, subject: account ids, or `operator:<name>`. No name of a person.

    seq, hash: its place in the chain; None of what an older version has written beside this one.
    """

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)
    at: Mapped[int] = mapped_column(index=True)
    event: Mapped[str] = mapped_column(String(32))
    actor: Mapped[str] = mapped_column(String(128))
    subject: Mapped[str | None] = mapped_column(String(32))
    fo_nummer: Mapped[str | None] = mapped_column(String(9))
    details: Mapped[dict[str, str]] = mapped_column(JSON)
    seq: Mapped[int | None] = mapped_column(index=True, unique=True)
    hash: Mapped[str | None] = mapped_column(String(64))
    __table_args__ = tuple(Index(f"ix_audit_{of}", of, "seq") for of in ("actor", "subject", "fo_nummer"))


class AuditCheckpoint(Base, table="audit_checkpoint"):
    """What stands in place of records that were pruned. seq, hash: of the last one. statement: the same, signed."""

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[str] = mapped_column(String(64))
    at: Mapped[int]
    statement: Mapped[str] = mapped_column(Text)


class OutboxEntry(Base, table="outbox"):
    """An e-mail to send, at least once. kind: of mail.KINDS. words: what its text needs.

    claimed_until: another sender leaves it alone until then. sent_at: when the server took it.
    """

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    address: Mapped[str] = mapped_column(String(254))
    locale: Mapped[str] = mapped_column(String(8))
    words: Mapped[dict[str, str]] = mapped_column(JSON)
    created_at: Mapped[int]
    next_try_at: Mapped[int]
    tries: Mapped[int] = mapped_column(Integer, default=0)
    claimed_until: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[int | None]
    __table_args__ = (Index("ix_outbox_sent_at_next_try_at", "sent_at", "next_try_at"),)


class Webhook(Base, table="webhook"):
    """How far a receiver of events has been told of the audit trail. seq: of the last record that is dealt with.

    claimed_until: another sender leaves it alone until then. tries: at the record that is next.
    """

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    seq: Mapped[int]
    tries: Mapped[int] = mapped_column(Integer, default=0)
    next_try_at: Mapped[int] = mapped_column(default=0)
    claimed_until: Mapped[int] = mapped_column(default=0)
