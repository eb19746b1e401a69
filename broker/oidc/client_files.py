"""Clients in files of their own, read again while the broker runs.

New clients and most changes are taken within seconds. A mistake anywhere in the files leaves all as it was, and so does
what needs a restart: another sector, another key to encrypt to, a client that is gone.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from broker.oidc.registered import NeedsRestart, RegisteredClients
from broker.settings import Settings
from broker.settings.client_files import ClientFiles, files_at, problems_with, read_client_files
from kit.settings.report import dotted

log = logging.getLogger("tunnus.clients")

LOOK = 10.0
"""Seconds from one look to the next."""

Signature = tuple[tuple[str, int, int, int], ...]


class WatchedClientFiles:
    """The files of `clients_from`; nothing to look at without it. Shared by all threads.

    settings: as they were at the start. registered: gets what has changed.
    """

    def __init__(self, settings: Settings, registered: RegisteredClients) -> None:
        self.place = settings.clients_from
        self._settings = settings
        self._registered = registered
        self._lock = threading.Lock()
        self._seen: Signature | None = None
        self._in_files: frozenset[str] = frozenset()
        self.problems: tuple[str, ...] = ()
        """What is wrong with the files: the last good state is used."""
        self.waiting: dict[str, str] = {}
        """What a restart would change: by client, why it was not changed."""
        if self.place is not None:
            self._seen = _signature(self.place)
            self._in_files = frozenset(read_client_files(self.place).clients)

    def look_again(self) -> None:
        """Take what has changed, or note why it cannot be taken. What could not be used is tried at each look."""
        if self.place is None:
            return
        with self._lock:
            signature = _signature(self.place)
            if signature == self._seen and not self.problems:
                return
            self._seen = signature
            self._read_again(read_client_files(self.place))

    def _read_again(self, found: ClientFiles) -> None:
        at_start = self._registered.sections.keys() - self._in_files
        new = {name: client for name, client in found.clients.items() if name not in at_start}
        wrong = found.problems
        if not wrong:  # else a client may be half of one
            wrong = [*found.placed(problems_with(self._settings, {**self._registered.sections, **new}))]
        told = tuple(f"{Path(problem.source or '').name}: {dotted(problem.key)} {problem.wrong}" for problem in wrong)
        if told:
            if told != self.problems:
                log.error("clients_refused", extra={"problems": "; ".join(told)})
            self.problems = told
            return
        self.problems = ()
        waiting = dict.fromkeys(at_start & found.clients.keys(), "it stood in the configuration at the start")
        waiting |= dict.fromkeys(self._in_files - new.keys(), "it is in no file any more")
        for name, client in new.items():
            if self._registered.has(name, client):
                continue
            try:
                self._registered.take(name, client)
                log.info("client_taken", extra={"client": name})
            except NeedsRestart as reason:
                waiting[name] = str(reason)
        for name in waiting.keys() - self.waiting.keys():
            log.warning("client_needs_restart", extra={"client": name, "reason": waiting[name]})
        self._in_files |= new.keys()
        self.waiting = waiting


def _signature(place: Path) -> Signature:
    """What changes when the files do; nothing while they cannot be looked at."""
    try:
        found = [(file, file.stat()) for file in files_at(place)]
    except OSError:
        return ()
    return tuple((file.name, seen.st_mtime_ns, seen.st_size, seen.st_ino) for file, seen in found)
