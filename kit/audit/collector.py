"""Heads on their way to the collector: a bounded queue, and a thread that no login waits for."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Gauge

from kit.audit.heads import Head, sign_head
from kit.audit.settings import CollectorSettings
from kit.audit.signed import CannotSign
from kit.audit.transport import NotSent, Send, Signed, transport_of
from kit.keys.watch import WatchedKeys
from kit.serving.operations import Check

log = logging.getLogger("tunnus.audit")
MOST = 1440
"""Heads that wait, a day's: beyond it the oldest gives way, as a later head stands for all records before it."""
AT_ONCE = 100
"""Heads in one call."""
RETRY = 30.0
"""Seconds after a failure until the next try."""
AGAIN = 3600.0
"""Seconds after which a head that is still the last one is sent again: it vouches for the keys of that time."""
LATE = 300.0
"""Seconds that a head may wait before it is a warning: somebody could change what it stands for."""


class Collector:
    """Signs heads and sends them, until `close`. send: None where no collector is configured: nothing is done then.

    clock: seconds since the epoch. keys: with an audit-sig key.
    """

    def __init__(self, keys: WatchedKeys, send: Send | None, clock: Callable[[], float]) -> None:
        self._keys = keys
        self._send = send
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: deque[Signed] = deque(maxlen=MOST)
        self._last: Signed | None = None
        self._closed = False
        self._thread: threading.Thread | None = None
        self.dropped = 0
        """Heads that gave way unsent."""
        self.problem: str | None = None
        """Why the last head could not be signed or sent; None if it could."""

    @classmethod
    def of(
        cls, settings: CollectorSettings | None, keys: WatchedKeys, clock: Callable[[], float], app: str
    ) -> Collector:
        """The collector of a configuration. app: what we are called there."""
        return cls(keys, transport_of(settings, app) if settings else None, clock)

    def offer(self, head: Head) -> None:
        """Sign a head and let it wait; return at once. One that cannot be signed is left to the next."""
        if self._send is None:
            return
        now = self._clock()
        if self._last is not None and head == self._last.head and 0 <= now - self._last.at < AGAIN:
            return
        try:
            signed = Signed(head, sign_head(self._keys, head, now), now)
        except CannotSign as error:
            self._failed(str(error))
            return
        self._last = signed
        with self._changed:
            self.dropped += len(self._waiting) == MOST
            self._waiting.append(signed)
            self._changed.notify_all()

    def send_waiting(self) -> bool:
        """Send what waits; whether all of it went. They leave the queue when the collector has them."""
        while self._send is not None:
            with self._changed:
                batch = list(self._waiting)[:AT_ONCE]
            if not batch:
                return True
            try:
                self._send(batch)
            except NotSent as error:
                self._failed(str(error))
                return False
            self.problem = None
            with self._changed:
                while self._waiting and self._waiting[0] in batch:
                    self._waiting.popleft()
        return True

    def start(self) -> None:
        """Send from a thread of its own."""
        if self._send is not None:
            self._thread = threading.Thread(target=self._run, name="audit-heads", daemon=True)
            self._thread.start()

    def close(self, seconds: float) -> None:
        """Try once more what waits, for so long at most; what is not sent then is in the log alone."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(seconds)
        if self._waiting:
            log.error("audit_heads_unsent", extra={"count": len(self._waiting), "reason": self.problem})

    def _run(self) -> None:
        sent = True
        while True:
            with self._changed:
                if sent:
                    self._changed.wait_for(lambda: self._waiting or self._closed)
                else:
                    self._changed.wait_for(lambda: self._closed, RETRY)
                last = self._closed
            sent = self.send_waiting()
            if last:
                return

    def _failed(self, reason: str) -> None:
        if reason != self.problem:
            log.error("audit_heads", extra={"reason": reason})
        self.problem = reason

    @property
    def unsent(self) -> int:
        """Heads that wait."""
        return len(self._waiting)

    @property
    def oldest(self) -> float:
        """Seconds that the oldest of them has waited."""
        with self._changed:
            return max(0.0, self._clock() - self._waiting[0].at) if self._waiting else 0.0

    def checks(self) -> Iterator[Check]:
        """For `/readyz`; nothing without a collector."""
        if self._send is None:
            return
        if self.problem is not None and (not self.unsent or self.oldest > LATE):
            said = f"{self.unsent} unsent, the oldest for {self.oldest / 60:.0f} minutes: {self.problem}"
            yield Check("audit heads", "warning", said, "mend the collector, or audit.collector; they are sent then")
        else:
            yield Check("audit heads", "ok", f"{self.unsent} unsent")

    def show(self, registry: CollectorRegistry) -> None:
        """Add what is unsent to the metrics: nothing, without a collector."""
        watched = (
            ("tunnus_audit_heads_unsent", "Heads of the audit trail that wait for the collector.", lambda: self.unsent),
            ("tunnus_audit_heads_oldest_seconds", "Since when the oldest of them waits.", lambda: self.oldest),
            ("tunnus_audit_heads_dropped", "Heads that gave way unsent to later ones.", lambda: self.dropped),
        )
        for name, said, value in watched:
            Gauge(name, said, registry=registry).set_function(value)
