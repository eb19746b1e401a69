"""The parts an engine is made of in tests: keys in memory, a clock that is set, an observer that remembers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from joserfc import jwe
from joserfc.errors import JoseError

from providers.connection import Connection, Dialect, PinnedJwks
from providers.dialects import DIALECTS
from providers.engine.signature import encryption_registry
from providers.errors import IdentificationError, Step
from providers.model import Attempt, BeginRequest, Decrypted, DecryptionFailed, Message, Provider, UnknownKey
from tests.harness.engine.jose import header_of, public_jwk, rsa_key, sign

NOW = 1_800_000_000
"""Seconds since the epoch: when everything in these tests happens."""
ISSUER = "https://bank.example/op"
ENTITY_ID = "https://bank.example/entity"
JWKS_URI = "https://bank.example/signed-jwks"
TOKEN_ENDPOINT = "https://bank.example/token"
CLIENT_ID = "tunnus"
NONCE = "5e" * 32
STATE = "ab" * 32
TEST_LEVEL = "http://ftn.ficora.fi/2017/loatest2"
HIGH_TEST_LEVEL = "http://ftn.ficora.fi/2017/loatest3"
PRODUCTION_LEVEL = "http://ftn.ficora.fi/2017/loa2"
HIGH_PRODUCTION_LEVEL = "http://ftn.ficora.fi/2017/loa3"
CODE = "010190Y999W"
"""An artificial personal identity code with one of the separators of 2023."""


class MemoryKeys:
    """`providers.model.Keys` in memory. held: names of keys by purpose, the first one signs. signed: how often."""

    def __init__(self, held: Mapping[str, Sequence[str]] | None = None) -> None:
        usual = {"entity": ["our-entity"], "rp-sig": ["our-sig"], "rp-enc": ["our-enc", "our-old-enc"]}
        self.held = usual if held is None else held
        self.signed = 0

    def sign(self, purpose: str, claims: Mapping[str, Any], *, typ: str | None = "JWT", alg: str = "RS256") -> str:
        """See `providers.model.Keys`."""
        if not self.held.get(purpose):
            raise UnknownKey("no key is in use")
        self.signed += 1
        name = self.held[purpose][0]
        header = {"alg": alg, "kid": name} | ({"typ": typ} if typ else {})
        return sign(header, dict(claims), name)

    def decrypt(self, purpose: str, token: str, *, algorithms: Sequence[str], kid_required: bool = True) -> Decrypted:
        """See `providers.model.Keys`."""
        kid = header_of(token).get("kid")
        names = [name for name in self.held.get(purpose, ()) if name == kid or not (kid or kid_required)]
        if not names:
            raise UnknownKey("no such key")
        registry = encryption_registry(tuple(algorithms))
        for name in names:
            with suppress(JoseError, ValueError, TypeError):
                opened = jwe.decrypt_compact(token, rsa_key(name), registry=registry)
                return Decrypted(header=dict(opened.protected), payload=opened.plaintext or b"", kid=name)
        raise DecryptionFailed("it does not open")

    def public_set(self, purpose: str) -> list[dict[str, Any]]:
        """See `providers.model.Keys`."""
        if not self.held.get(purpose):
            raise UnknownKey("no such key")
        members = {"use": "enc"} if purpose.endswith("-enc") else {"use": "sig", "alg": "RS256"}
        return [public_jwk(name, **members) for name in self.held[purpose]]


class Clock:
    """A clock that stands until it is set."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Seen:
    """`providers.model.Observer` that remembers."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, str | int | float]]] = []

    def event(self, name: str, **fields: str | int | float) -> None:
        """See `providers.model.Observer`."""
        self.events.append((name, fields))

    def names(self) -> list[str]:
        """The events, by name, in order."""
        return [name for name, _ in self.events]

    def count(self, name: str) -> int:
        """How often an event was seen."""
        return self.names().count(name)


def make_connection(dialect: str | Dialect = "ftn", **fields: Any) -> Connection:
    """A connection of test, its bank's key pinned, unless the fields say otherwise."""
    values: dict[str, Any] = {
        "id": "bank",
        "dialect": DIALECTS[dialect] if isinstance(dialect, str) else dialect,
        "issuer": ISSUER,
        "authorization_endpoint": "https://bank.example/authorize",
        "token_endpoint": TOKEN_ENDPOINT,
        "jwks": PinnedJwks((public_jwk("bank-sig"),)),
        "client_id": CLIENT_ID,
        "redirect_uri": "https://tunnus.example/callback/bank",
        "service_names": {"fi": "Palvelu", "sv": "Tjänst", "en": "Service"},
        "test": True,
    }
    return Connection(**(values | fields))


def make_request(provider: Provider | None = None, **changes: Any) -> BeginRequest:
    """What the broker asks for one attempt."""
    request = BeginRequest(
        handle=STATE,
        provider=provider,
        ui_locale="sv",
        acr_values=(TEST_LEVEL,),
        profile=True,
        credential="weak",
        now=NOW,
    )
    return replace(request, **changes)


def make_attempt(**changes: Any) -> Attempt:
    """An attempt that expects what `Bank.claims` says."""
    private = {"nonce": NONCE, "code_verifier": None, "names_asked": True} | changes.pop("private", {})
    attempt = Attempt(
        connection="bank",
        provider=None,
        acr_values=(TEST_LEVEL,),
        started_at=NOW - 60,
        expires_at=NOW + 840,
        private=private,
    )
    return replace(attempt, **changes)


def message(**parameters: str | list[str]) -> Message:
    """What a browser brings: each parameter with its values."""
    return {name: value if isinstance(value, list) else [value] for name, value in parameters.items()}


def refused(kind: type[IdentificationError], step: Step, claim: str | None, act: Callable[[], object]) -> None:
    """Act, and be refused with exactly that."""
    with pytest.raises(kind) as caught:
        act()
    assert (type(caught.value), caught.value.step, caught.value.claim) == (kind, step, claim)
