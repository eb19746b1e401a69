"""A folder of keys as a running process holds it: looked at again by the clock, and never worse off for a lost file.

A file that vanishes though its key was not gone is a loss, not a withdrawal (that is `keys rotate --emergency`): a
process keeps that key in memory while nothing else can do its work, and decrypts by it for as long as others may still
send what it opens. So keys can be made anew on a running system, and no login is lost by it.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from kit.keys.files import KeysUnusable
from kit.keys.folder import read_folder
from kit.keys.key_file import HeldKey
from kit.keys.timetable import FOLDER_LOOK, Phase, Purpose, Timetable
from kit.settings.report import Problem

log = logging.getLogger("tunnus.keys")
DAY = 86_400


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """How a key stands now, with nothing of the key itself. change: when the clock next changes it, and what."""

    purpose: str
    kid: str
    alg: str
    phase: Phase
    published: bool
    use_from: int
    use_until: int | None
    change: tuple[int, str] | None


class _Known(NamedTuple):
    """Keys that were found among others: the same at any moment from since on, before until."""

    of: tuple[HeldKey, ...]
    since: float
    until: float
    found: Sequence[HeldKey]


class WatchedKeys:
    """The keys of a folder. purposes: by name. clock: seconds since the epoch.

    The folder is looked at again at most every FOLDER_LOOK seconds, by one thread while the others go on with what is
    held. A folder that cannot be used any more leaves the last good state, is logged and stands in `problems`. Raises
    KeysUnusable if the folder cannot be used from the start.
    """

    def __init__(self, folder: Path, purposes: Mapping[str, Purpose], clock: Callable[[], float]) -> None:
        self._path = folder
        self.purposes = purposes
        self._clock = clock
        self._lock = threading.Lock()
        self._problems: tuple[Problem, ...] = ()
        self._folder = read_folder(folder, purposes)
        self._vanished: tuple[HeldKey, ...] = ()
        self._keys = self._folder.keys
        self._looked_at = clock()
        self._known: dict[tuple[str, str | None], _Known] = {}
        self.parsed = len(self._folder.keys)
        """How many key files were parsed in this process."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was wrong with the folder at the last look; empty if nothing was."""
        self._look_again()
        return self._problems

    def held(self, purpose: str) -> Sequence[HeldKey]:
        """The keys of a purpose that still do something, oldest first."""
        return self._doing(purpose, None, lambda phase: phase not in (Phase.FUTURE, Phase.GONE))

    def in_use(self, purpose: str, alg: str) -> HeldKey | None:
        """The newest key in use for a purpose and algorithm."""
        found = self._doing(purpose, alg, lambda phase: phase is Phase.IN_USE)
        return found[-1] if found else None

    def _doing(self, purpose: str, alg: str | None, wanted: Callable[[Phase], bool]) -> Sequence[HeldKey]:
        """The keys of a purpose, and of an algorithm, in some phases; found anew only when the clock changes one."""
        now, known = self._look_again(), self._known.get((purpose, alg))
        if known is None or known.of is not self._keys or not known.since <= now < known.until:
            of = self._keys
            mine = [key for key in of if key.purpose.name == purpose and alg in (None, key.alg)]
            changes = [change[0] for key in mine if (change := key.timetable.change_after(key.purpose, now))]
            doing = [key for key in mine if wanted(key.timetable.phase(key.purpose, now))]
            found = tuple(sorted(doing, key=lambda key: key.timetable.use_from))
            known = self._known[purpose, alg] = _Known(of, now, min(changes, default=math.inf), found)
        return known.found

    def published(self, purpose: str) -> list[HeldKey]:
        """The keys of a purpose that stand in its published set, oldest first."""
        held, now = self.held(purpose), self._clock()
        return [key for key in held if key.timetable.published(now)]

    def status(self) -> list[KeyStatus]:
        """Every key of the folder with its phase, by purpose, oldest first."""
        now = self._look_again()
        return [status_of(key, now) for key in self._keys]

    def missing(self) -> list[str]:
        """Each purpose and algorithm that is needed and no key is in use for: `rp-sig RS256`. Empty if all is well."""
        return missing(self.status(), {name: one for name, one in self.purposes.items() if one.needed})

    def _look_again(self) -> float:
        """Look at the folder if it is time; return the time now."""
        now = self._clock()
        if 0 <= now - self._looked_at < FOLDER_LOOK or not self._lock.acquire(blocking=False):
            return now
        try:
            self._looked_at = now
            folder = read_folder(self._path, self.purposes, self._folder)
            if folder is not self._folder:
                log.info("keys_changed", extra={"count": len(folder.keys)})
            self.parsed += folder.parsed if folder is not self._folder else 0
            files = {key.file for key in folder.keys}
            lost = [key for key in (*self._folder.keys, *self._vanished) if key.file not in files]
            self._vanished = tuple(_kept(lost, folder.keys, now))
            self._folder = folder
            self._keys = tuple(sorted((*folder.keys, *self._vanished), key=self._order))
            self._tell([Problem((str(self._path / key.file),), _VANISHED, mend=_RESTORE) for key in self._vanished])
        except KeysUnusable as error:
            self._tell(error.problems)
        finally:
            self._lock.release()
        return now

    def _order(self, key: HeldKey) -> tuple[int, int]:
        return list(self.purposes).index(key.purpose.name), key.timetable.use_from

    def _tell(self, problems: Iterable[Problem]) -> None:
        found = tuple(problems)
        if found and found != self._problems:
            log.error("keys_unusable", extra={"count": len(found)})
        self._problems = found


_VANISHED = "is not there any more; its key lives in the memory of running processes only"
_RESTORE = "restore it from the backup before they end; without one, make keys anew: keys init"


def _kept(lost: list[HeldKey], filed: Iterable[HeldKey], now: float) -> list[HeldKey]:
    """What is kept of keys whose files have vanished, under the timetables that they now have."""
    covered = {(key.purpose.name, key.alg) for key in filed if key.timetable.phase(key.purpose, now) is Phase.IN_USE}
    kept = []
    for key in lost:
        phase = key.timetable.phase(key.purpose, now)
        if (key.purpose.name, key.alg) not in covered:
            if phase is Phase.IN_USE:
                kept.append(key)
        elif phase is Phase.IN_USE and key.purpose.tail:
            end = int(now)
            ended = replace(
                key.timetable, use_until=end, publish_until=end, keep_until=end + key.purpose.tail, emergency=True
            )
            kept.append(replace(key, timetable=ended))
        elif phase is Phase.TAIL and key.purpose.role != "sig":
            kept.append(key)
    return kept


def status_of(key: HeldKey, now: float) -> KeyStatus:
    """How a key stands; now: seconds since the epoch."""
    table = key.timetable
    return KeyStatus(
        purpose=key.purpose.name,
        kid=key.kid,
        alg=key.alg,
        phase=table.phase(key.purpose, now),
        published=key.purpose.role != "secret" and table.published(now),
        use_from=table.use_from,
        use_until=table.use_until,
        change=table.change_after(key.purpose, now),
    )


def missing(found: Iterable[KeyStatus], purposes: Mapping[str, Purpose]) -> list[str]:
    """Each purpose and algorithm that no key is in use for."""
    in_use = {(status.purpose, status.alg) for status in found if status.phase is Phase.IN_USE}
    wanted = [(name, alg) for name, purpose in purposes.items() for alg in purpose.algorithms]
    return [f"{name} {alg}" for name, alg in wanted if (name, alg) not in in_use]


def replaced_by(key: Timetable | KeyStatus, days: int | None) -> int | None:
    """Until when the last key of a kind must have a successor in use, in seconds; days: `rotate_every`."""
    ends = [key.use_until, key.use_from + days * DAY if days else None]
    return min((end for end in ends if end is not None), default=None)


def last_of_each(found: Iterable[KeyStatus], now: float) -> list[KeyStatus]:
    """The last key of each purpose and algorithm: in use, or to be used after the one that is."""
    living = [status for status in found if status.use_until is None or now < status.use_until]
    return list({(status.purpose, status.alg): status for status in living}.values())


def ages(
    found: Iterable[KeyStatus], every: Mapping[str, int], now: float
) -> Iterator[tuple[str, str, float, float | None]]:
    """Of the last key of each kind: purpose, algorithm, days since its first use, days until it must be replaced.

    every: `rotate_every`. The days left are None without an end, and negative when it is late.
    """
    for key in last_of_each(found, now):
        by = replaced_by(key, every.get(key.purpose))
        yield key.purpose, key.alg, (now - key.use_from) / DAY, None if by is None else (by - now) / DAY
