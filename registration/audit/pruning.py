"""Removing what is older than it must be kept, from the beginning of the chain: in one transaction, all or nothing."""

from __future__ import annotations

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from kit.audit.signed import Trust, sign
from kit.keys.watch import WatchedKeys
from registration import audit
from registration.audit.chain import hold_end
from registration.audit.reading import CHECKPOINT, statement_digest, verify
from registration.database.models import AuditCheckpoint, AuditRecord


class Tampered(Exception):
    """Something is not as it was written, so nothing is removed; the text says what, a line each."""


def prune(session: Session, older_than: int, keys: WatchedKeys, trust: Trust, by: audit.By) -> int:
    """Remove the oldest records up to the first that is not older; return how many.

    A checkpoint, signed, stands in their place, and the trail tells of it. older_than: seconds since the epoch.
    trust: who may have signed the checkpoints before. Raises Tampered, CannotSign.
    """
    hold_end(session)
    seen = verify(session, (), trust)
    if seen.findings:
        raise Tampered("\n".join(f"record {seq}: {wrong}" for seq, wrong in seen.findings))
    chained = AuditRecord.seq.is_not(None)
    young = session.scalar(select(func.min(AuditRecord.seq)).where(chained, AuditRecord.at >= older_than))
    old = select(AuditRecord.seq, AuditRecord.hash).where(chained, AuditRecord.seq < young if young else chained)
    end = session.execute(old.order_by(AuditRecord.seq.desc()).limit(1)).first()
    if end is None:
        return 0
    before = session.scalar(select(AuditCheckpoint.statement).order_by(AuditCheckpoint.seq.desc()).limit(1))
    claims = {"seq": end.seq, "hash": end.hash, "older_than": older_than, "iat": by.now}
    statement = sign(keys, CHECKPOINT, {**claims, "previous": statement_digest(before) if before else None})
    session.add(AuditCheckpoint(seq=end.seq, hash=end.hash, at=by.now, statement=statement))
    unchained = AuditRecord.seq.is_(None) & (AuditRecord.at < older_than)
    removed = session.scalar(select(func.count()).where((AuditRecord.seq <= end.seq) | unchained)) or 0
    session.execute(delete(AuditRecord).where((AuditRecord.seq <= end.seq) | unchained))
    facts = {"records": removed, "seq": end.seq, "checkpoint": statement_digest(statement), "older_than": older_than}
    by.record(session, "audit_pruned", **{name: str(fact) for name, fact in facts.items()})
    return removed
