"""Reading the trail: what was recorded of somebody, and whether anything was tampered with."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from kit.audit.heads import Head
from kit.audit.signed import Trust, claims_of
from registration.audit.chain import BEGINNING, CHAIN, digest
from registration.database.models import AuditCheckpoint, AuditRecord

CHECKPOINT = "registration-audit-checkpoint+jwt"
"""The `typ` of a checkpoint. Claims: `seq`, `hash`, `older_than`, `previous`, `iat` (seconds), `keys`."""
_MANY = 1000


@dataclass
class Verification:
    """What `verify` saw. unchained: records without a hash, which an older version wrote beside this one.

    pruned: records that a checkpoint stands for. findings: (number of the record, what is wrong).
    """

    records: int = 0
    pruned: int = 0
    unchained: int = 0
    findings: list[tuple[int, str]] = field(default_factory=list)


def verify(session: Session, heads: Iterable[Head], trust: Trust) -> Verification:
    """Check the chain from the last checkpoint, and the heads. trust: who may sign checkpoints.

    Of another transaction's changes between its questions it would say that something is wrong: to be called after
    `snapshot`, or in a transaction that keeps others from appending.
    """
    result = Verification()
    start, statements = _checkpoints(session, trust, result)
    result.pruned = start.seq
    wanted: dict[int, list[str]] = {}
    for head in heads:
        wanted.setdefault(head.seq if head.file == CHAIN else -1, []).append(head.hash)
    if -1 in wanted:
        result.findings.append((0, f"{len(wanted.pop(-1))} heads are of another trail"))
    _compare(start, wanted, result)
    told = set()
    end = start
    chained = select(AuditRecord).where(AuditRecord.seq.is_not(None)).order_by(AuditRecord.seq)
    for record in session.scalars(chained.execution_options(yield_per=_MANY)):
        seq, hash = record.seq or 0, record.hash or ""
        result.records += 1
        if seq <= start.seq:
            result.findings.append((seq, "is there, though a checkpoint stands for it"))
            continue
        if seq != end.seq + 1:
            result.findings.append((seq, f"records before it were removed: {end.seq} is followed by {seq}"))
        elif hash != digest(end.hash, record):
            result.findings.append((seq, "was changed, or does not follow from the one before: its hash is another"))
        end = Head(CHAIN, seq, hash)
        _compare(end, wanted, result)
        if record.event == "audit_pruned":
            told.add(record.details.get("checkpoint", ""))
        session.expunge(record)
    result.findings += [(seq, "is missing; its hash was kept") for seq in sorted(wanted) if seq > start.seq]
    result.findings += [
        (0, f"checkpoint {one[:8]}… is not there, but the trail tells of it") for one in told - statements
    ]
    free = session.scalar(select(func.count()).where(AuditRecord.seq.is_(None)))
    result.unchained = free or 0
    return result


def _compare(end: Head, wanted: dict[int, list[str]], result: Verification) -> None:
    """Compare the heads of one record, and strike them out."""
    if any(hash != end.hash for hash in wanted.pop(end.seq, ())):
        result.findings.append((end.seq, "is not the record whose hash was kept"))


def _checkpoints(session: Session, trust: Trust, result: Verification) -> tuple[Head, set[str]]:
    """Where the chain starts, and the digests of all checkpoints. The newest one's signature vouches for the others."""
    rows = session.scalars(select(AuditCheckpoint).order_by(AuditCheckpoint.seq.desc())).all()
    expected: str | None = None
    digests: set[str] = set()
    for number, row in enumerate(rows):
        made = statement_digest(row.statement)
        claims = claims_of(row.statement) if number else trust.open(row.statement, CHECKPOINT)
        if claims is None or (number and made != expected):
            wrong = "is not the one that the next one follows" if number else "is signed by no key that is known"
            result.findings.append((row.seq, f"the checkpoint {wrong}"))
            return (_head(rows[0]) if number else BEGINNING), digests
        if (claims["seq"], claims["hash"]) != (row.seq, row.hash):
            result.findings.append((row.seq, "the checkpoint says something else than was signed"))
        digests.add(made)
        expected = claims["previous"]
    if expected is not None:
        result.findings.append((rows[-1].seq, "a checkpoint before it was removed"))
    return (_head(rows[0]) if rows else BEGINNING), digests


def statement_digest(statement: str) -> str:
    """By what the trail and the next checkpoint know a signed statement."""
    return hashlib.sha256(statement.encode()).hexdigest()


def _head(row: AuditCheckpoint) -> Head:
    return Head(CHAIN, row.seq, row.hash)


def find(session: Session, who: str, since: int) -> Iterator[AuditRecord]:
    """The records that name somebody as actor or subject, or a company, from a time on; oldest first.

    who: an account's id or its first characters, an operator's name, or an FO-nummer. since: seconds.
    """
    start = AuditRecord.subject.startswith(who, autoescape=True) | AuditRecord.actor.startswith(who, autoescape=True)
    named = or_(start, AuditRecord.actor == f"operator:{who}", AuditRecord.fo_nummer == who)
    found = select(AuditRecord).where(named, AuditRecord.at >= since).order_by(AuditRecord.id)
    yield from session.scalars(found)


def snapshot(session: Session) -> None:
    """Let who only reads see one moment, whatever others commit meanwhile; on SQLite they do. Call it first."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection().exec_driver_sql("BEGIN ISOLATION LEVEL REPEATABLE READ")
