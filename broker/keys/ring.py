"""The key ring: every private key of the process, parsed once, each used as its phase says."""

from __future__ import annotations

import hmac
import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from joserfc import jwe, jws
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from joserfc.util import urlsafe_b64decode

from broker.keys import sealing
from broker.keys.folder import Folder, read_folder
from broker.keys.key_file import HeldKey
from broker.keys.timetable import FOLDER_LOOK, PURPOSES, Phase
from kit.keys.files import KeysUnusable
from kit.settings.report import Problem
from providers.engine.signature import encryption_registry
from providers.model import Decrypted, DecryptionFailed, KeyFailure, UnknownKey

log = logging.getLogger("tunnus.keys")


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """How a key stands now, with nothing of the key itself."""

    purpose: str
    kid: str
    alg: str
    phase: Phase
    published: bool
    use_until: int | None


class KeyRing:
    """`providers.model.Keys` and the store's `Sealer` over a folder of key files.

    clock: seconds since the epoch. The folder is looked at again at most every 30 s, by one thread while the
    others go on with what is held. A folder that cannot be used any more leaves the last good state, is logged
    and stands in `problems`. Raises KeysUnusable if the folder cannot be used from the start.
    """

    def __init__(self, folder: Path, clock: Callable[[], float]) -> None:
        self._path = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._problems: tuple[Problem, ...] = ()
        self._folder = read_folder(folder)
        self._ciphers = _ciphers(self._folder)
        self._looked_at = clock()
        self.parsed = len(self._folder.keys)
        """How many key files were parsed in this process."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was wrong with the folder at the last look; empty if nothing was."""
        self._look_again()
        return self._problems

    def sign(self, purpose: str, claims: Mapping[str, Any], *, typ: str | None = "JWT", alg: str = "RS256") -> str:
        """See `providers.model.Keys.sign`. Raises UnknownKey if no key is in use."""
        held = self._in_use(purpose, alg)
        header = {"alg": alg, "kid": held.kid} | ({"typ": typ} if typ is not None else {})
        payload = json.dumps(claims, separators=(",", ":"), ensure_ascii=False).encode()
        return jws.serialize_compact(header, payload, held.key, algorithms=[alg])

    def decrypt(self, purpose: str, token: str, *, algorithms: Sequence[str], kid_required: bool = True) -> Decrypted:
        """See `providers.model.Keys.decrypt`; algorithms: every `alg` and `enc` that is allowed."""
        kid = _kid_of(token)
        if kid is None and kid_required:
            raise UnknownKey("the message names no key")
        candidates = [key for key in reversed(self._held(purpose)) if kid in (None, key.kid)]
        if not candidates:
            raise UnknownKey(f"no {purpose} key of that kid decrypts now")
        registry = encryption_registry(algorithms)
        for held in candidates:
            with suppress(JoseError, ValueError, TypeError):
                opened = jwe.decrypt_compact(token, held.key, registry=registry)
                return Decrypted(header=dict(opened.protected), payload=opened.plaintext or b"", kid=held.kid)
        raise DecryptionFailed("the message opens with no key that it may be for")

    def public_set(self, purpose: str) -> list[dict[str, Any]]:
        """See `providers.model.Keys.public_set`; oldest first."""
        now = self._clock()
        return [key.public_jwk() for key in self._held(purpose) if key.timetable.published(now)]

    def pairwise(self, message: bytes) -> bytes:
        """HMAC-SHA256 of a message by the pairwise key: 32 bytes."""
        return hmac.digest(_secret(self._in_use("pairwise", "HS256")), message, "sha256")

    def keyed_digest(self, message: bytes) -> bytes:
        """HMAC-SHA256 under a key made of the newest store key, 32 bytes: for what could be guessed, as an address."""
        key = hmac.digest(_secret(self._in_use("store", "A256GCM")), b"tunnus keyed digest", "sha256")
        return hmac.digest(key, message, "sha256")

    def seal(self, name: str, data: bytes) -> bytes:
        """Encrypt data with the newest store key in use, bound to a name."""
        held = self._in_use("store", "A256GCM")
        identifier = sealing.key_id(held.kid)
        return sealing.seal(self._ciphers[identifier], identifier, name, data)

    def unseal(self, name: str, data: bytes) -> bytes:
        """The reverse of `seal`. Raises UnknownKey if its key is gone, DecryptionFailed if it does not open."""
        identifier = sealing.key_of(data)
        if not any(sealing.key_id(key.kid) == identifier for key in self._held("store")):
            raise UnknownKey("no store key that is held sealed this value")
        return sealing.unseal(self._ciphers[identifier], name, data)

    def status(self) -> list[KeyStatus]:
        """Every key of the folder with its phase, by purpose, oldest first."""
        self._look_again()
        now = self._clock()
        return [
            KeyStatus(
                purpose=key.purpose.name,
                kid=key.kid,
                alg=key.alg,
                phase=key.timetable.phase(key.purpose, now),
                published=key.purpose.role != "secret" and key.timetable.published(now),
                use_until=key.timetable.use_until,
            )
            for key in self._folder.keys
        ]

    def missing(self) -> list[str]:
        """Each purpose and algorithm that no key is in use for: `rp-sig RS256`. Empty if all is well."""
        wanted = [(name, alg) for name, purpose in PURPOSES.items() for alg in purpose.algorithms]
        in_use = {(status.purpose, status.alg) for status in self.status() if status.phase is Phase.IN_USE}
        return [f"{name} {alg}" for name, alg in wanted if (name, alg) not in in_use]

    def _held(self, purpose: str) -> list[HeldKey]:
        """The keys of a purpose that still do something."""
        self._look_again()
        now = self._clock()
        unheld = (Phase.FUTURE, Phase.GONE)
        return [key for key in self._folder.of(purpose) if key.timetable.phase(key.purpose, now) not in unheld]

    def _in_use(self, purpose: str, alg: str) -> HeldKey:
        self._look_again()
        now = self._clock()
        found = [key for key in self._folder.of(purpose) if key.alg == alg]
        in_use = [key for key in found if key.timetable.phase(key.purpose, now) is Phase.IN_USE]
        if not in_use:
            raise UnknownKey(f"no {purpose} key for {alg} is in use")
        return max(in_use, key=lambda key: key.timetable.use_from)

    def _look_again(self) -> None:
        if 0 <= self._clock() - self._looked_at < FOLDER_LOOK or not self._lock.acquire(blocking=False):
            return
        try:
            self._looked_at = self._clock()
            folder = read_folder(self._path, self._folder)
            if folder is not self._folder:
                self.parsed += folder.parsed
                # Ciphers first, and never fewer than before: a reader may still hold the older folder.
                self._ciphers = self._ciphers | _ciphers(folder)
                self._folder = folder
                log.info("keys_changed", extra={"count": len(folder.keys)})
            self._problems = ()
        except KeysUnusable as error:
            if error.problems != self._problems:
                log.error("keys_unusable", extra={"count": len(error.problems)})
            self._problems = error.problems
        finally:
            self._lock.release()


def _ciphers(folder: Folder) -> dict[bytes, AESGCM]:
    return {sealing.key_id(key.kid): AESGCM(_secret(key)) for key in folder.of("store")}


def _secret(held: HeldKey) -> bytes:
    if not isinstance(held.key, OctKey):
        raise KeyFailure(f"{held.purpose.name} is no secret key")
    return held.key.raw_value


def _kid_of(token: str) -> str | None:
    """The unverified `kid` of a compact JWE, None if it has none. Raises UnknownKey if it is no text."""
    try:
        header = json.loads(urlsafe_b64decode(token.partition(".")[0].encode("ascii")))
        kid = header.get("kid")
    except (ValueError, AttributeError, RecursionError) as error:
        raise DecryptionFailed("the message has no readable header") from error
    if kid is not None and not isinstance(kid, str):
        raise UnknownKey("the message names no key")
    if "zip" in header:
        raise DecryptionFailed("the message is compressed")
    return kid or None
