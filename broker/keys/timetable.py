"""When a key is published, used, and still opens what was made for it (FTN profile, key rotation).

    signing      warm-up: published, not used · in use · cooldown: published, not used · tail: neither
    encryption   warm-up: decrypts, not published · in use: published · tail: decrypts, not published
    store        warm-up: decrypts, not used · in use · tail: decrypts

Others cache what we publish. So a key must stand in the published set long before its first signature, and a
key that was published must decrypt long after. A timetable that is shorter than those caches is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

BANK_CACHE = 24 * 3600
"""Seconds a bank may cache our signed JWKS (OP Identity Service Broker API §2-§3)."""
CLIENT_CACHE = 3600
"""Seconds a client may cache our JWKS; `/jwks` must not allow more."""
TOKEN_LIFETIME = 600
"""Seconds an identity token, a bank's ID token, a request object or a client assertion is valid."""
FOLDER_LOOK = 30
"""Seconds between two looks of a broker at the folder."""
STORE_LIFETIME = 26 * 3600
"""Seconds the longest-lived thing in the store may live: a return record, with its transaction's extensions."""


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

    The first key of its kind needs no warm-up: nobody holds an older set in a cache.
    """

    name: str
    role: Literal["sig", "enc", "secret"]
    algorithms: tuple[str, ...]
    warm_up: int = 0
    cooldown: int = 0
    tail: int = 0
    rotates: bool = True


PURPOSES: Mapping[str, Purpose] = {
    purpose.name: purpose
    for purpose in (
        Purpose("entity", "sig", ("RS256",)),
        Purpose("rp-sig", "sig", ("RS256",), warm_up=BANK_CACHE, cooldown=TOKEN_LIFETIME),
        Purpose("rp-enc", "enc", ("RSA-OAEP",), warm_up=2 * FOLDER_LOOK, tail=BANK_CACHE + TOKEN_LIFETIME),
        Purpose("id-token-sig", "sig", ("RS256", "ES256"), warm_up=CLIENT_CACHE, cooldown=TOKEN_LIFETIME),
        Purpose("pairwise", "secret", ("HS256",), rotates=False),
        Purpose("store", "secret", ("A256GCM",), warm_up=2 * FOLDER_LOOK, tail=STORE_LIFETIME),
    )
}


@dataclass(frozen=True, slots=True)
class Timetable:
    """Seconds since the epoch; None is "until someone writes when".

    publish_from, publish_until: in the published set. use_from, use_until: signs or encrypts (for an encryption
    key the bank does: both pairs are equal). keep_until: decrypts until then.
    """

    created: int
    publish_from: int
    use_from: int
    use_until: int | None = None
    publish_until: int | None = None
    keep_until: int | None = None

    @classmethod
    def from_now(cls, now: int) -> Timetable:
        """In use at once, without an end."""
        return cls(created=now, publish_from=now, use_from=now)

    @classmethod
    def from_json(cls, value: Any) -> Timetable:
        """A timetable as its file has it. Raises ValueError that names the member."""
        names = cls.__slots__
        if not isinstance(value, dict) or set(value) - set(names):
            raise ValueError(f"timetable is not a table of {', '.join(names)}")
        for name in names:
            time = value.get(name)
            if name in {"created", "publish_from", "use_from"} and time is None:
                raise ValueError(f"timetable.{name} is missing")
            if time is not None and (not isinstance(time, int) or isinstance(time, bool) or time < 0):
                raise ValueError(f"timetable.{name} is not a number of seconds since 1970")
        return cls(**value)

    def to_json(self) -> dict[str, int | None]:
        """The reverse of `from_json`."""
        return {name: getattr(self, name) for name in self.__slots__}

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
            yield "the times are not in order: " + " <= ".join(self.__slots__)
            return
        if purpose.role != "sig" and (self.publish_from, self.publish_until) != (self.use_from, self.use_until):
            yield f"a {purpose.name} key is published exactly while it is in use"
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
