"""The key ring: every private key of the process, parsed once, each used as its phase says."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from joserfc import jwe, jws
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from joserfc.util import urlsafe_b64decode

from broker.keys import sealing
from broker.keys.pkcs11 import Pkcs11Token
from broker.keys.purposes import BANK_CACHE, PURPOSES, purposes_of
from broker.settings.models import KeysSettings
from kit.keys.key_file import HeldKey
from kit.keys.timetable import Purpose
from kit.keys.watch import WatchedKeys
from providers.engine.signature import encryption_registry
from providers.model import Decrypted, DecryptionFailed, KeyFailure, UnknownKey

_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)  # `dumps` with options makes one each time


class KeyRing(WatchedKeys):
    """`providers.model.Keys` and the store's `Sealer` over a folder of key files.

    clock: seconds since the epoch. Raises KeysUnusable if the folder cannot be used from the start.
    """

    def __init__(self, folder: Path, clock: Callable[[], float], purposes: Mapping[str, Purpose] = PURPOSES) -> None:
        super().__init__(folder, purposes, clock)

    @classmethod
    def of(cls, settings: KeysSettings, clock: Callable[[], float]) -> KeyRing:
        """The ring of a configuration, with the token that it names."""
        return cls(settings.dir, clock, purposes_of(settings))

    def check_token(self) -> None:
        """See whether the token holds each key that it must, if there is one. Raises KeysUnavailable."""
        for purpose in self.purposes.values():
            if isinstance(purpose.token, Pkcs11Token):
                purpose.token.find(purpose.name, [key.kid for key in self.held(purpose.name) if key.in_token])

    def sign(self, purpose: str, claims: Mapping[str, Any], *, typ: str | None = "JWT", alg: str = "RS256") -> str:
        """See `providers.model.Keys.sign`. Raises UnknownKey if no key is in use."""
        held = self._in_use(purpose, alg)
        header = {"alg": alg, "kid": held.kid} | ({"typ": typ} if typ is not None else {})
        payload = _ENCODER.encode(claims).encode()
        return jws.serialize_compact(header, payload, held.key, registry=_signing(alg))

    def decrypt(self, purpose: str, token: str, *, algorithms: Sequence[str], kid_required: bool = True) -> Decrypted:
        """See `providers.model.Keys.decrypt`; algorithms: every `alg` and `enc` that is allowed."""
        kid = _kid_of(token)
        if kid is None and kid_required:
            raise UnknownKey("the message names no key")
        candidates = [key for key in reversed(self.held(purpose)) if kid in (None, key.kid)]
        if not candidates:
            raise UnknownKey(f"no {purpose} key of that kid decrypts now")
        registry = encryption_registry(tuple(algorithms))
        for held in candidates:
            with suppress(JoseError, ValueError, TypeError):
                opened = jwe.decrypt_compact(token, held.key, registry=registry)
                return Decrypted(header=dict(opened.protected), payload=opened.plaintext or b"", kid=held.kid)
        raise DecryptionFailed("the message opens with no key that it may be for")

    def public_set(self, purpose: str) -> list[dict[str, Any]]:
        """See `providers.model.Keys.public_set`; oldest first."""
        return [key.public_jwk() for key in self.published(purpose)]

    def pairwise(self, message: bytes) -> bytes:
        """HMAC-SHA256 of a message by the pairwise key: 32 bytes."""
        return hmac.digest(_secret(self._in_use("pairwise", "HS256")), message, "sha256")

    def keyed_digest(self, message: bytes) -> bytes:
        """HMAC-SHA256 under a key made of the newest store key, 32 bytes: for what could be guessed, as an address."""
        return hmac.digest(_digest_key(_secret(self._in_use("store", "A256GCM"))), message, "sha256")

    def seal(self, name: str, data: bytes) -> bytes:
        """Encrypt data with the newest store key in use, bound to a name."""
        held = self._in_use("store", "A256GCM")
        return sealing.seal(_cipher(_secret(held)), sealing.key_id(held.kid), name, data)

    def unseal(self, name: str, data: bytes) -> bytes:
        """The reverse of `seal`. Raises UnknownKey if its key is gone, DecryptionFailed if it does not open."""
        identifier = sealing.key_of(data)
        held = next((key for key in self.held("store") if sealing.key_id(key.kid) == identifier), None)
        if held is None:
            raise UnknownKey("no store key that is held sealed this value")
        return sealing.unseal(_cipher(_secret(held)), name, data)

    def lost_encryption_key(self) -> float | None:
        """Until when banks may encrypt to a key that is not held any more, in seconds; None if they do not.

        They do while they cache a set that is older than our oldest `rp-enc` key; a signature by a younger `rp-sig` key
        makes them fetch another one, as they do not know its `kid`.
        """
        oldest = min((key.timetable.publish_from for key in self.held("rp-enc")), default=None)
        signing = self.in_use("rp-sig", "RS256")
        if oldest is None or signing is None or signing.timetable.publish_from >= oldest:
            return None
        until = oldest + BANK_CACHE
        return until if self._clock() < until else None

    @property
    def entity_kid(self) -> str | None:
        """Which key signs our entity statement and signed JWKS now."""
        held = self.in_use("entity", "RS256")
        return held.kid if held else None

    def _in_use(self, purpose: str, alg: str) -> HeldKey:
        held = self.in_use(purpose, alg)
        if held is None:
            raise UnknownKey(f"no {purpose} key for {alg} is in use")
        return held


@lru_cache(maxsize=16)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)


@lru_cache(maxsize=16)
def _digest_key(key: bytes) -> bytes:
    return hmac.digest(key, b"tunnus keyed digest", "sha256")


@lru_cache(maxsize=16)
def _signing(alg: str) -> jws.JWSRegistry:
    return jws.JWSRegistry(algorithms=[alg])


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
