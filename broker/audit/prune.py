"""Removing what is older than it must be kept: whole files, with a signed checkpoint in their place, told in the trail.

Each step leaves a trail that verifies, and a call that was cut short is finished by the next:

    1  the checkpoint is on the disk       its files are there too, and are verified as before
    2  the trail tells of it               by a file of this process: opened, pruned, closed
    3  the files are removed

A file goes if its last record is old enough, nobody writes it any more, and it is as it was written: evidence of
tampering is not for a schedule to remove.
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

from broker.audit.chain import PRUNED, parse
from broker.audit.checkpoints import Checkpoints, read_checkpoints, write_checkpoint
from broker.audit.reader import Finding, files_of, verify
from broker.audit.trail import AuditTrail
from kit.audit.heads import Head
from kit.audit.signed import ALG, AUDIT_SIG, Trust
from kit.keys.files import exclusive, sync_folder
from kit.keys.watch import WatchedKeys

_LONGEST_RECORDS = 128 * 1024
"""Bytes at a file's end that surely hold its last record: one has 16 fields of 512 characters, escaped."""


class Tampered(Exception):
    """Something is not as it was written, so nothing is removed. findings: what."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__()
        self.findings = findings


@dataclass(frozen=True)
class Pruned:
    """What was removed. checkpoint: the newest one, None without any. kept: old files that are still written to."""

    files: int
    records: int
    checkpoint: str | None
    kept: int


def prune(trail: AuditTrail, folder: Path, older_than: str, keys: WatchedKeys, trust: Trust, now: float) -> Pruned:
    """Remove the files whose last record is older. trail: of this process, for the record; it is closed.

    older_than: a time as records have it. trust: who may have signed the checkpoints before. now: seconds since the
    epoch. Raises Tampered, CannotSign, AuditUnavailable, OSError; what was not removed then is by the next call.
    """
    with exclusive(folder):
        seen = verify(folder, trust=trust)
        if seen.findings:
            raise Tampered(seen.findings)
        there = read_checkpoints(folder, trust)
        ends = [last_record(path) for path in files_of(folder) if path.name not in there.gone]
        old = [head for head, time in filter(None, ends) if time < older_than]
        free = [head for head in old if _is_free(folder / head.file)]
        untold = [checkpoint for checkpoint in there.held if checkpoint.name in seen.unfinished]
        if free or _signed_by_an_older_key(there, keys):
            made = write_checkpoint(folder, keys, there.held, free, older_than, now)
            there.held.append(made)
            untold.append(made)
        for checkpoint in untold:
            trail.record(PRUNED, checkpoint=checkpoint.digest, count=checkpoint.records)
        trail.close()
        left = [head for head in there.gone.values() if (folder / head.file).exists()]
        for head in left:
            (folder / head.file).unlink()
        sync_folder(folder)
    newest = there.held[-1].name if there.held else None
    return Pruned(len(left), sum(head.seq for head in left), newest, len(old) - len(free))


def last_record(path: Path) -> tuple[Head, str] | None:
    """The last whole record of a file that verifies, and its time; None if it has none."""
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _LONGEST_RECORDS))
        lines = file.read().split(b"\n")[:-1]  # after the last line end there is nothing, or a torn line
    if not lines:
        return None
    record = parse(lines[-1])
    return Head(path.name, int(record["seq"]), str(record["hash"])), str(record["time"])


def _is_free(path: Path) -> bool:
    """Whether no process writes to a file: one that does holds a lock on it."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


def _signed_by_an_older_key(there: Checkpoints, keys: WatchedKeys) -> bool:
    """Whether the newest checkpoint must be vouched for by the key in use, while the one that signed it is known."""
    held = keys.in_use(AUDIT_SIG.name, ALG)
    return bool(there.held) and held is not None and there.held[-1].kid != held.kid
