"""The keys that our services with pages and clients have in common: `client`, `cookie` and `sealing`.

client    P-256: client assertions (RFC 7523)
cookie    signs the session's cookie
sealing   encrypts what only we are to read (Fernet)
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from joserfc.jwk import ECKey, OctKey

from kit.keys.files import unusable
from kit.keys.key_file import HeldKey
from kit.keys.timetable import FOLDER_LOOK, Purpose
from kit.keys.watch import WatchedKeys


def secret_purpose(name: str, alg: str, kept: int) -> Purpose:
    """A purpose of secret keys. alg: `HS256`, `A128CBC-HS256`. kept: seconds for which what a key made may be kept."""
    return Purpose(name, "secret", (alg,), warm_up=2 * FOLDER_LOOK, tail=kept)


class ServiceKeys(WatchedKeys):
    """What a folder holds, each key used as its phase says; command: of the service, for what it says of the folder.

    Raises KeysUnusable if a key is missing at the start.
    """

    def __init__(
        self, folder: Path, purposes: Mapping[str, Purpose], clock: Callable[[], float], *, command: str
    ) -> None:
        super().__init__(folder, purposes, clock)
        self._command = command
        if lost := self.missing():
            mend = f"make keys: {command} keys init --dir {folder}"
            raise unusable(folder, f"has no key in use for {', '.join(lost)}", mend)

    @property
    def client(self) -> ECKey:
        """The key that client assertions are signed with now."""
        key = self.now_in_use("client", "ES256").key
        if not isinstance(key, ECKey):
            raise TypeError("a client key is an EC key")
        return key

    @property
    def public_jwk(self) -> dict[str, Any]:
        """The public part of the client key in use."""
        return self.now_in_use("client", "ES256").public_jwk()

    @property
    def cookie(self) -> tuple[bytes, ...]:
        """All of them verify, the last one signs."""
        return tuple(reversed(self._newest_first("cookie", "HS256")))

    @property
    def sealing(self) -> MultiFernet:
        """The newest key encrypts, each that is held decrypts."""
        return _sealing_by(*self._newest_first("sealing", "A128CBC-HS256"))

    def now_in_use(self, purpose: str, alg: str) -> HeldKey:
        """The key of a purpose that is in use now. Raises KeysUnusable if there is none."""
        held = self.in_use(purpose, alg)
        if held is None:
            raise unusable(self._path, f"has no {purpose} key in use", f"{self._command} keys status says why")
        return held

    def _newest_first(self, purpose: str, alg: str) -> list[bytes]:
        """The key in use, then every other one that still opens."""
        first = self.now_in_use(purpose, alg)
        return [secret_of(first), *(secret_of(key) for key in self.held(purpose) if key.kid != first.kid)]


@lru_cache(maxsize=8)
def _sealing_by(*keys: bytes) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])


def secret_of(held: HeldKey) -> bytes:
    """The bytes of a secret key."""
    if not isinstance(held.key, OctKey):
        raise TypeError(f"{held.purpose.name} is no secret key")
    return held.key.raw_value
