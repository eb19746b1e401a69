"""The chain of records: each one's hash is over the hash before it, so none is changed, removed or put in unseen.

Records are chained in their own transaction, as its last act. A step in the background would be cheaper, but until it
has run whoever can write the table can change what is there, and it would need the right to change rows, which the
service's role must not have. So who appends holds the end of the chain until the commit: PostgreSQL by an advisory
lock (it needs no right and no row, and is let go when the others can see the commit), SQLite as its only writer.

No deadlock comes of it: everything else is flushed before, so whoever holds the lock waits for nobody. The cost is two
questions, and that transactions with a record commit one after the other; what takes long in them, as the hash of a
password, is before. `bench/audit.py` measures it.
"""

from __future__ import annotations

import hashlib
import json
from typing import cast

from sqlalchemy import Table, func, insert, select
from sqlalchemy.orm import Session

from kit.audit.heads import Head
from registration.database.connection import LAST_ACT
from registration.database.models import AuditCheckpoint, AuditRecord

CHAIN = "registration"
"""The name of the chain in its heads, where the broker has the name of a file."""
BEGINNING = Head(CHAIN, 0, "0" * 64)
"""Stands before the first record."""
_LOCK = 0x74756E6E75736174
"""Of PostgreSQL's advisory locks, which are numbers: this database's end of the chain."""
_WAITING = "audit"
# Made once, and of tables instead of classes: that is half of the time that a record takes.
_RECORDS, _CHECKPOINTS = cast(Table, AuditRecord.__table__), cast(Table, AuditCheckpoint.__table__)
_COLUMNS = [name for name in _RECORDS.columns.keys() if name != "id"]  # noqa: SIM118 - not a dictionary
_HOLD = select(func.pg_advisory_xact_lock(_LOCK))
_END = (
    select(_RECORDS.c.seq, _RECORDS.c.hash).where(_RECORDS.c.seq.is_not(None)).order_by(_RECORDS.c.seq.desc()).limit(1)
)
_CHECKPOINT = select(_CHECKPOINTS.c.seq, _CHECKPOINTS.c.hash).order_by(_CHECKPOINTS.c.seq.desc()).limit(1)
_INSERT = insert(_RECORDS)


def digest(previous: str, record: AuditRecord) -> str:
    """The hash of a record: SHA-256 over the hash before it and every column but `id`, in hexadecimal."""
    told = [record.seq, record.at, record.event, record.actor, record.subject, record.fo_nummer, record.details]
    whole = json.dumps([previous, *told], sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(whole.encode()).hexdigest()


def append_at_commit(session: Session, record: AuditRecord) -> None:
    """Let a record wait for the commit of a transaction of `Database.write`; a rollback forgets it."""
    session.info.setdefault(_WAITING, []).append(record)
    session.info[LAST_ACT] = append_waiting


def hold_end(session: Session) -> None:
    """Keep everybody else from appending until this transaction ends; SQLite's writers have done so already."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection().execute(_HOLD)


def last(session: Session) -> Head:
    """The end of the chain: its last record, or what a checkpoint says of it."""
    connection = session.connection()
    found = connection.execute(_END).first() or connection.execute(_CHECKPOINT).first()
    return Head(CHAIN, *found) if found is not None else BEGINNING


def append_waiting(session: Session) -> None:
    """Append what waits, now: for a transaction that reads it, and changes nothing after."""
    waiting = session.info.pop(_WAITING, ())
    if not waiting:
        return
    session.flush()
    hold_end(session)
    end = last(session)
    rows = []
    for record in waiting:
        record.seq = end.seq + 1
        record.hash = digest(end.hash, record)
        end = Head(CHAIN, record.seq, record.hash)
        rows.append({name: getattr(record, name) for name in _COLUMNS})
    session.connection().execute(_INSERT, rows)
