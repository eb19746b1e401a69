"""The parts an engine is made of in tests: keys in memory, a clock that is set, an observer that remembers."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from joserfc import jwe
from joserfc.errors import JoseError

from providers.connection import Connection, Dialect, PinnedJwks
from providers.dialects import DIALECTS
from providers.engine.signature import encryption_registry
from providers.model import Decrypted, DecryptionFailed, KeyFailure, UnknownKey
from tests.harness.engine.jose import public_jwk, rsa_key, sign

NOW = 1_800_000_000
ISSUER = "https://bank.example/uas"
CLIENT_ID = "tunnus-client"
TEST_LEVEL = "http://ftn.ficora.fi/2017/loatest2"
PRODUCTION_LEVEL = "http://ftn.ficora.fi/2017/loa2"


class MemoryKeys:
    """`providers.model.Keys` in memory. held: names of keys by purpose, the first one signs."""

    def __init__(self, held: Mapping[str, Sequence[str]] | None = None) -> None:
        self.held = held or {
            "entity": ["our-entity"],
            "rp-sig": ["our-sig"],
            "rp-enc": ["our-enc", "our-old-enc"],
        }

    def sign(self, purpose: str, claims: Mapping[str, Any], *, typ: str | None = "JWT", alg: str = "RS256") -> str:
        """See `providers.model.Keys`."""
        if not self.held.get(purpose):
            raise KeyFailure("no key is in use")
        name = self.held[purpose][0]
        header = {"alg": alg, "kid": name} | ({"typ": typ} if typ else {})
        return sign(header, dict(claims), name)

    def decrypt(self, purpose: str, token: str, *, algorithms: Sequence[str], kid_required: bool = True) -> Decrypted:
        """See `providers.model.Keys`."""
        head = token.partition(".")[0]
        kid = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))).get("kid")
        names = [name for name in self.held.get(purpose, ()) if name == kid or not (kid or kid_required)]
        if not names:
            raise UnknownKey("no such key")
        registry = encryption_registry(algorithms)
        for name in names:
            with suppress(JoseError, ValueError, TypeError):
                opened = jwe.decrypt_compact(token, rsa_key(name), registry=registry)
                return Decrypted(header=dict(opened.protected), payload=opened.plaintext or b"", kid=name)
        raise DecryptionFailed("it does not open")

    def public_set(self, purpose: str) -> list[dict[str, Any]]:
        """See `providers.model.Keys`."""
        members = {"use": "enc"} if purpose.endswith("-enc") else {"use": "sig", "alg": "RS256"}
        return [public_jwk(name, **members) for name in self.held.get(purpose, ())]


class Clock:
    """A clock that stands until it is set."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Seen:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, str | int | float]]] = []

    def event(self, name: str, **fields: str | int | float) -> None:
        """See `providers.model.Observer`."""
        self.events.append((name, fields))

    def names(self) -> list[str]:
        """The events, by name, in order."""
        return [name for name, _ in self.events]


def connection(dialect: str | Dialect = "telia", **fields: Any) -> Connection:
    """A connection of test, its bank's key pinned, unless the fields say otherwise."""
    values: dict[str, Any] = {
        "id": "bank",
        "dialect": DIALECTS[dialect] if isinstance(dialect, str) else dialect,
        "issuer": ISSUER,
        "authorization_endpoint": "https://bank.example/authorize",
        "token_endpoint": "https://bank.example/token",
        "jwks": PinnedJwks((public_jwk("bank-sig"),)),
        "client_id": CLIENT_ID,
        "redirect_uri": "https://tunnus.example/callback/bank",
        "test": True,
    }
    return Connection(**(values | fields))
