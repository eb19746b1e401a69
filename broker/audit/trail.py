"""Writing the trail: many threads, one file, and as few waits for the disk as there can be."""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from broker.audit.chain import CLOSED, OPENED, REFUSED_BEFORE_CLAIM, checked
from broker.audit.counts import Refusal, RefusalCounts
from broker.audit.file import File, Place
from broker.audit.probes import PROBE, probe_path
from kit.audit.heads import Head
from kit.keys.files import sync_folder
from kit.serving.greenlets import beside

log = logging.getLogger("tunnus.audit")


class AuditUnavailable(Exception):
    """A record could not be brought to the disk: whatever it stands for must not happen."""


class AuditTrail:
    """The audit trail of this process.

    folder: made if it is not there. clock: seconds since the epoch. The file is opened at the first record.
    head: is told of each head that goes to the log. write, sync: how bytes reach the disk; for tests.
    """

    def __init__(
        self,
        folder: Path,
        clock: Callable[[], float],
        *,
        head: Callable[[Head], None] = lambda head: None,
        write: Callable[[int, bytes], int] = os.write,
        sync: Callable[[int], None] = os.fdatasync,
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._tell_head = head
        self._write = write
        self._sync = sync
        self._changed = threading.Condition()
        self._file: File | None = None
        self._closed = False
        self._refusals = RefusalCounts(clock)
        self.problem: str | None = None
        """Why the last record could not be written; None if it could."""

    def record(self, event: str, **fields: str | int | None) -> None:
        """Write one record and return when it is on the disk; one wait for the disk serves all who wait.

        event: one of `chain.EVENTS`. A field that is None is left out. Raises TypeError for a
        field that is not allowed, AuditUnavailable if the record is not surely on the disk.
        """
        allowed = checked(event, fields)
        with self._changed:
            if self._closed:
                raise AuditUnavailable("the trail is closed")
            file = self._file or self._open()
            self._bring_to_disk(file, file.add(self._clock(), event, allowed))

    def count_refusal(self, refusal: Refusal) -> None:
        """Count a refusal before a claim; write it if its kind was not written within a minute.

        Raises AuditUnavailable if it could not be written; it stays counted.
        """
        self._refusals.add(refusal)
        self.write_refusals()

    @property
    def refusals_waiting(self) -> int:
        """Refusals that are counted and not written."""
        return self._refusals.waiting

    def write_refusals(self, *, all: bool = False) -> None:
        """Write the counted refusals that are due, or all. Raises AuditUnavailable; they stay counted."""
        taken = self._refusals.take(all=all)
        for place, (kind, count) in enumerate(taken):
            fields = {name: getattr(kind, name) for name in kind.__slots__}
            try:
                self.record(REFUSED_BEFORE_CLAIM, **fields, count=count)
            except AuditUnavailable:
                for refusal, left in taken[place:]:
                    self._refusals.add(refusal, left)
                raise

    def log_head(self) -> None:
        """Put the hash of the last record that is on the disk into the log, for `tunnus audit verify --heads`."""
        with self._changed:
            file = self._file
            if file is None or file.synced == 0:
                return
            head = Head(file.path.name, file.synced, file.synced_head)
        log.info("audit_head", extra={"file": head.file, "seq": head.seq, "head": head.hash})
        self._tell_head(head)

    def close(self) -> None:
        """Write what is counted and the last record, and close the file; nothing can be recorded after.

        Safe to call twice.
        """
        with suppress(AuditUnavailable):  # it has been logged
            self.write_refusals(all=True)
        with self._changed:
            if self._closed:
                return
            self._closed = True
            if self._file is None:
                return
            file = self._file
            try:
                self._bring_to_disk(file, file.add(self._clock(), CLOSED, {}))
            except AuditUnavailable:
                log.error("audit_not_closed", extra={"file": file.path.name})
                return
            self.log_head()
            self._file = None
            os.close(file.descriptor)

    def writable(self) -> str | None:
        """Why the trail cannot be written; None if it can, which a file shows that is brought to the disk and removed.

        Whether the last record could be written says nothing of now: a broker that is not ready gets no more of them.
        """
        try:
            if not self._folder.is_dir():
                free = not self._folder.exists() and os.access(self._folder.parent, os.W_OK | os.X_OK)
                return None if free else "the folder is not there and cannot be made"
            beside(self._probe)
        except OSError as error:
            return os.strerror(error.errno) if error.errno else "the disk failed"
        return None

    def _probe(self) -> None:
        probe = probe_path(self._folder)
        descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            self._write_synced(descriptor, bytes(PROBE))
        finally:
            os.close(descriptor)
            _remove(probe)

    def _open(self) -> File:
        """A new file with its first record; the lock is held. Raises AuditUnavailable."""
        started = datetime.fromtimestamp(self._clock(), UTC).strftime("%Y%m%dT%H%M%SZ")
        path = self._folder / f"audit-{started}-{os.getpid()}-{secrets.token_hex(4)}.jsonl"
        try:
            descriptor = beside(_create, path)
        except OSError as error:
            raise self._failed(error) from error
        file = File(path, descriptor)
        file.add(self._clock(), OPENED, {})
        self._file = file
        return file

    def _bring_to_disk(self, file: File, mine: Place) -> None:
        """Return when a record is on the disk. The lock is held, and let go while the disk works.

        Whoever finds nobody writing writes everything that waits; the others wait for that.
        """
        while mine.attempt != file.attempt or file.synced < mine.seq:
            if file.broken or mine.attempt != file.attempt:
                raise AuditUnavailable(self.problem or "the disk failed")
            if file.writing:
                self._changed.wait()
                continue
            lines, upto, head = file.begin_write()
            failure = None
            self._changed.release()
            try:
                beside(self._write_synced, file.descriptor, lines)
            except OSError as error:
                failure = error
            finally:
                self._changed.acquire()
                file.writing = False
                self._changed.notify_all()
            if failure is not None:
                self._step_back(file)
                raise self._failed(failure) from failure
            file.written(len(lines), upto, head)
            self.problem = None

    def _write_synced(self, descriptor: int, data: bytes) -> None:
        while data:
            data = data[self._write(descriptor, data) :]
        self._sync(descriptor)

    def _step_back(self, file: File) -> None:
        """Cut what may be half written, so that the next record goes on where the last one on the disk ends.

        A file without any record on the disk is removed. One that cannot be cut is left, unclosed, and the next
        record opens another. What was cut was nobody's: no record counts before the disk has it.
        """
        try:
            file.cut()
            if file.synced:
                return
            _remove(file.path)
        except OSError:
            pass
        file.broken = True
        if self._file is file:
            self._file = None
        os.close(file.descriptor)

    def _failed(self, error: OSError) -> AuditUnavailable:
        self.problem = os.strerror(error.errno) if error.errno else "the disk failed"
        log.error("audit_unavailable", extra={"reason": self.problem})
        return AuditUnavailable(self.problem)


def _create(path: Path) -> int:
    """The descriptor of a new file, in a folder that is made if it is not there. Raises OSError, and leaves none."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    readable = path.parent.stat().st_mode & 0o040  # by a group that may read the folder: who verifies
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600 | readable)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)  # for as long as it is written: a file so held is never pruned
        sync_folder(path.parent)
    except OSError:
        os.close(descriptor)
        _remove(path)
        raise
    return descriptor


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
