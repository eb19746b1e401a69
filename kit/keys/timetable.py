"""When a key is published, used, and still opens what was made for it (FTN profile, key rotation).

    signing      warm-up: published, not used · in use · cooldown: published, not used · tail: neither
    encryption   warm-up: decrypts, not published · in use: published · tail: decrypts, not published
    secret       warm-up: opens, not used · in use · tail: opens

Who holds what, at each moment of a rotation (K the old key, L the new one):

- *L is made.* Processes find its file within FOLDER_LOOK; another host may have it later, by a copy (MARGIN).
  Signing: whoever fetches our set from now on has K and L, whoever fetched before has K alone, for as long as it
  caches. Encryption: nobody outside knows L; a process that has not looked yet could not open what came for it.
- *The warm-up ends.* Every cache that was filled without L has lapsed (signing), every process holds L (encryption,
  secret). So L signs, or is published instead of K. K goes on for OVERLAP, so that clocks that differ leave no gap.
- *K's last use.* What K signed lives for the cooldown: until then K stays published, for a cache that is filled
  anew. Whoever fetched K a moment before it was withdrawn encrypts to it for as long as it caches, and what it sent
  lives on: until then, the tail, K opens. Nothing verifies or opens by K after that: its file is removed, as K in a
  thief's hands still opens what was recorded.
- *Emergency.* K is in other hands, so it is withdrawn as soon as every process has looked. Caches keep it until they
  are filled anew; a signature by a `kid` that they do not know makes them do that at once. An encryption key
  has no such signal: it is always replaced together with the key that signs to the same peers, and both are published
  in the same moment, before the first signature, so that the fetch that the new `kid` causes brings both.

A timetable that is shorter than those caches is refused, unless it says that it is an emergency's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Literal

from kit.keys.token import Token

FOLDER_LOOK = 30
"""Seconds between two looks of a process at its folder of keys."""
MARGIN = 3600
"""Seconds that rotation adds to what others may cache: for copies to other hosts, and proxies in between."""
OVERLAP = 60
"""Seconds that the old key is used beyond the first use of the new one: the clocks of two hosts differ by less."""
ALL_LOOKED = FOLDER_LOOK + 10
"""Seconds after which every process that shares the folder has looked, clocks that differ by 5 s included."""
AT_ONCE = ALL_LOOKED + 15
"""Seconds to the first signature of an emergency's key; by then every process publishes all that came with it."""


class Phase(StrEnum):
    """Where a key is in its timetable."""

    FUTURE = "future"
    WARM_UP = "warm-up"
    IN_USE = "in use"
    COOLDOWN = "cooldown"
    TAIL = "tail"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Purpose:
    """What keys of a purpose are for, and the least seconds of their phases.

    The first key of its kind needs no warm-up: nobody holds an older set in a cache. lead: what rotation adds to the
    warm-up. by_hand: what people must do before the warm-up of a new key ends. together: the purpose that is
    replaced too when a key of this one is lost or in other hands. token: holds the private keys, if not their files.
    needed: whether nothing works without a key of it.
    """

    name: str
    role: Literal["sig", "enc", "secret"]
    algorithms: tuple[str, ...]
    warm_up: int = 0
    cooldown: int = 0
    tail: int = 0
    rotates: bool = True
    lead: int = MARGIN
    by_hand: str | None = None
    together: str | None = None
    token: Token | None = None
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Timetable:
    """Seconds since the epoch; None is "until there is a successor".

    publish_from, publish_until: in the published set. use_from, use_until: signs or encrypts (for an encryption
    key the peer does: both pairs are equal). keep_until: decrypts until then. emergency: its phases may be short.
    """

    created: int
    publish_from: int
    use_from: int
    use_until: int | None = None
    publish_until: int | None = None
    keep_until: int | None = None
    emergency: bool = False

    @classmethod
    def from_now(cls, now: int) -> Timetable:
        """In use at once, without an end: the first of its kind."""
        return cls(created=now, publish_from=now, use_from=now)

    @classmethod
    def next(cls, purpose: Purpose, now: int, *, emergency: bool = False) -> Timetable:
        """Of a key that is made now to take over from another one."""
        if emergency:
            shown = now + ALL_LOOKED
            return cls(now, shown, now + AT_ONCE if purpose.role == "sig" else shown, emergency=True)
        use = now + purpose.warm_up + purpose.lead
        return cls(now, now if purpose.role == "sig" else use, use)

    @classmethod
    def from_json(cls, value: Any) -> Timetable:
        """A timetable as its file has it. Raises ValueError that names the member."""
        names = cls.__slots__
        if not isinstance(value, dict) or set(value) - set(names):
            raise ValueError(f"timetable is not a table of {', '.join(names)}")
        for name in names:
            time = value.get(name)
            if name == "emergency":
                if time not in (None, True, False):
                    raise ValueError("timetable.emergency is not true or false")
                continue
            if name in {"created", "publish_from", "use_from"} and time is None:
                raise ValueError(f"timetable.{name} is missing")
            if time is not None and (not isinstance(time, int) or isinstance(time, bool) or time < 0):
                raise ValueError(f"timetable.{name} is not a number of seconds since 1970")
        return cls(**value)

    def to_json(self) -> dict[str, Any]:
        """The reverse of `from_json`."""
        return {name: getattr(self, name) for name in self.__slots__}

    def ended_by(self, purpose: Purpose, successor: Timetable) -> Timetable:
        """This timetable with the end that its successor gives it; the earlier of two ends holds."""
        if successor.emergency:
            return self._withdrawn_at(successor.use_from, purpose)
        use = successor.use_from + OVERLAP
        if self.use_until is not None and self.use_until <= use:
            return self
        if purpose.role == "sig":
            publish = keep = use + purpose.cooldown + MARGIN
        else:
            publish, keep = use, use + purpose.tail + MARGIN
        return replace(self, use_until=use, publish_until=publish, keep_until=keep)

    def _withdrawn_at(self, end: int, purpose: Purpose) -> Timetable:
        use = publish = min(self.use_until or end, end)
        # What was encrypted to a stolen key is still ours to open; what a stolen secret has sealed is not.
        keep = self.keep_until or use + purpose.tail + MARGIN
        if purpose.role == "sig":
            publish = keep = min(self.publish_until or end, end)
        elif purpose.role == "secret":
            keep = end
        return replace(self, use_until=use, publish_until=publish, keep_until=keep, emergency=True)

    def later(self, seconds: int) -> Timetable:
        """A timetable whose first use, of the key or of its successor, is put off."""
        if self.use_until is None:
            publish = self.publish_from + (seconds if self.publish_from == self.use_from else 0)
            return replace(self, publish_from=publish, use_from=self.use_from + seconds)
        return replace(
            self,
            use_until=self.use_until + seconds,
            publish_until=(self.publish_until or 0) + seconds,
            keep_until=(self.keep_until or 0) + seconds,
        )

    def phase(self, purpose: Purpose, now: float) -> Phase:
        """The phase at a moment; now: seconds since the epoch."""
        if now < self.created:
            return Phase.FUTURE
        if now < self.use_from:
            return Phase.WARM_UP
        if _before(now, self.use_until):
            return Phase.IN_USE
        if purpose.role == "sig" and _before(now, self.publish_until):
            return Phase.COOLDOWN
        if _before(now, self.keep_until):
            return Phase.TAIL
        return Phase.GONE

    def published(self, now: float) -> bool:
        """Whether the key stands in the published set."""
        return self.publish_from <= now and _before(now, self.publish_until)

    def change_after(self, purpose: Purpose, now: float) -> tuple[int, str] | None:
        """When the clock next changes something, in seconds, and what; None if it never does."""
        uses = {"sig": "signs", "enc": "is published", "secret": "is used"}[purpose.role]
        changes = [
            (self.created, "begins"),
            (self.use_from, f"{uses} from then on"),
            (self.use_until, f"{uses} no more"),
            (self.publish_until if purpose.role == "sig" else None, "is withdrawn"),
            (self.keep_until, "is gone; its file can be removed"),
        ]
        return next(((at, what) for at, what in changes if at is not None and now < at), None)

    def problems(self, purpose: Purpose, *, first: bool) -> Iterator[str]:
        """Why this timetable would hurt someone; first: no older key of its kind is held."""
        ends = (self.use_until, self.publish_until, self.keep_until)
        if not purpose.rotates and any(end is not None for end in ends):
            yield f"a {purpose.name} key is never rotated, and its timetable has an end"
        given = [end for end in ends if end is not None]
        if given and len(given) < len(ends):
            yield "use_until, publish_until and keep_until go together"
            return
        times = [self.created, self.publish_from, self.use_from, *given]
        if times != sorted(times) or self.use_from == self.use_until:
            names = [name for name in self.__slots__ if name != "emergency"]
            yield "the times are not in order: " + " <= ".join(names)
            return
        if purpose.role != "sig" and (self.publish_from, self.publish_until) != (self.use_from, self.use_until):
            yield f"a {purpose.name} key is published exactly while it is in use"
        if not self.emergency:
            yield from self._short_phases(purpose, first=first)

    def _short_phases(self, purpose: Purpose, *, first: bool) -> Iterator[str]:
        begins = self.publish_from if purpose.role == "sig" else self.created
        if not first and self.use_from - begins < purpose.warm_up:
            yield f"the warm-up is shorter than the {purpose.warm_up} s that others may take to see the key"
        if self.use_until is None or self.publish_until is None or self.keep_until is None:
            return
        if self.publish_until - self.use_until < purpose.cooldown:
            yield f"the cooldown is shorter than the {purpose.cooldown} s that a signature is valid"
        if self.keep_until - self.use_until < purpose.tail:
            yield f"the tail is shorter than the {purpose.tail} s that others may still encrypt to the key"


def _before(now: float, end: int | None) -> bool:
    return end is None or now < end
