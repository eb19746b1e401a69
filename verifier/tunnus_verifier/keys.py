"""The issuer's public keys: found by `kid`, kept, and fetched again when it is worth it.

- Fetched when the first token comes, and again when older than `lifetime`.
- Fetched for an unknown `kid`, at most once per `refetch_interval`: anyone can send unknown ones.
- One caller fetches at a time. Who needs that answer waits for it; who has a key goes on.
- When a fetch fails, the last good set stays in use, and the next try waits for `refetch_interval`.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from tunnus_verifier.errors import KeysUnavailable, UnknownKey
from tunnus_verifier.fetching import FetchError, check_url

logger = logging.getLogger(__name__)

PublicKey = RSAPublicKey | EllipticCurvePublicKey
Fetch = Callable[[str], bytes]
"""Gets the body at an address. Raises FetchError or OSError if it cannot."""

RETRY_AFTER_FAILURE = 1.0
"""Seconds to the next try while there is no set at all: a service that starts before the issuer soon works."""

SMALLEST_RSA = 2048
"""Bits (RFC 7518 §3.3)."""


@dataclass(frozen=True, slots=True)
class _State:
    """What is known. fetched: when the set came. tried: when a fetch last ended. failed: whether that one failed."""

    keys: Mapping[tuple[str, str], PublicKey]
    fetched: float | None = None
    tried: float | None = None
    forced: float | None = None
    attempts: int = 0
    failed: bool = False


class IssuerKeys:
    """The public keys of one issuer. Threads may share it.

    jwks_uri: None reads it from the issuer's discovery document. lifetime, refetch_interval: seconds.
    monotonic: a clock that never goes back, in seconds.
    """

    def __init__(
        self,
        issuer: str,
        *,
        jwks_uri: str | None,
        algorithms: tuple[str, ...],
        lifetime: float,
        refetch_interval: float,
        insecure_http: bool,
        fetch: Fetch,
        monotonic: Callable[[], float],
    ) -> None:
        self._issuer = issuer
        self._discovery = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        self._jwks_uri = jwks_uri
        self._algorithms = algorithms
        self._lifetime = lifetime
        self._refetch_interval = refetch_interval
        self._insecure_http = insecure_http
        self._fetch = fetch
        self._monotonic = monotonic
        self._one_at_a_time = threading.Lock()
        self._state = _State({})
        check_url(jwks_uri or self._discovery, insecure_http=insecure_http)

    def find(self, kid: str, alg: str) -> PublicKey:
        """The key with this `kid` for this algorithm.

        Raises UnknownKey if the issuer has none, KeysUnavailable if that cannot be known now.
        """
        before = self._state
        state = self._refreshed(before)
        key = state.keys.get((kid, alg))
        if key is None and state.fetched is not None and state.attempts == before.attempts:
            state = self._refetched(state)
            key = state.keys.get((kid, alg))
        if key is not None:
            return key
        if state.failed:
            raise KeysUnavailable("the issuer's keys cannot be fetched now")
        raise UnknownKey("the issuer has no such key for this algorithm", claim="kid")

    def _refreshed(self, state: _State) -> _State:
        """The state after a fetch, if one is due by the clock."""
        now = self._monotonic()
        if state.fetched is None:
            due = state.tried is None or now - state.tried >= RETRY_AFTER_FAILURE
            return self._load(state, wait=True) if due else state
        if now - state.fetched < self._lifetime:
            return state
        if state.failed and state.tried is not None and now - state.tried < self._refetch_interval:
            return state
        return self._load(state, wait=False)

    def _refetched(self, state: _State) -> _State:
        """The state after a fetch for an unknown `kid`, if the last such is long enough ago."""
        if state.forced is not None and self._monotonic() - state.forced < self._refetch_interval:
            return state
        return self._load(state, wait=True, forced=True)

    def _load(self, seen: _State, *, wait: bool, forced: bool = False) -> _State:
        """Fetch, unless another did or does since `seen`. wait: for the other's answer; else go on with what is."""
        if not self._one_at_a_time.acquire(blocking=wait):
            return self._state
        try:
            if self._state.attempts == seen.attempts:
                self._state = self._attempt(self._state, forced)
            return self._state
        finally:
            self._one_at_a_time.release()

    def _attempt(self, state: _State, forced: bool) -> _State:
        try:
            keys = usable_keys(self._fetch(self._where()), self._algorithms)
        except (FetchError, OSError, ValueError, RecursionError):
            logger.warning("the issuer's keys could not be fetched")
            keys = None
        now = self._monotonic()
        return _State(
            keys=state.keys if keys is None else keys,
            fetched=state.fetched if keys is None else now,
            tried=now,
            forced=now if forced else state.forced,
            attempts=state.attempts + 1,
            failed=keys is None,
        )

    def _where(self) -> str:
        """The address of the keys. Raises ValueError for a discovery document that is not this issuer's."""
        if self._jwks_uri is not None:
            return self._jwks_uri
        found = json.loads(self._fetch(self._discovery))
        # OpenID Connect Discovery §4.3: the issuer in it must be the very one that was asked.
        if not isinstance(found, dict) or found.get("issuer") != self._issuer:
            raise ValueError("the discovery document is another issuer's")
        jwks_uri = found.get("jwks_uri")
        if not isinstance(jwks_uri, str):
            raise ValueError("the discovery document names no jwks_uri")
        check_url(jwks_uri, insecure_http=self._insecure_http)
        return jwks_uri


def usable_keys(body: bytes, algorithms: tuple[str, ...]) -> Mapping[tuple[str, str], PublicKey]:
    """The keys of a JWK Set by (kid, alg); each that is broken or not for signatures is left out.

    Raises ValueError if it is no JWK Set or no key is left. Source: RFC 7517 §4, §5.
    """
    document = json.loads(body)
    members = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(members, list):
        raise ValueError("not a JWK Set")
    keys: dict[tuple[str, str], PublicKey] = {}
    for jwk in members:
        for alg in algorithms:
            if (key := _key_for(alg, jwk)) is not None:
                keys.setdefault((jwk["kid"], alg), key)
    if not keys:
        raise ValueError("no usable key")
    return keys


def _key_for(alg: str, jwk: Any) -> PublicKey | None:
    """The key, if this JWK verifies signatures of this algorithm."""
    if not isinstance(jwk, dict) or not isinstance(jwk.get("kid"), str):
        return None
    # An optional member that is null or empty is as if it were not there (RFC 7517 §4).
    if (jwk.get("use") or "sig") != "sig" or (jwk.get("alg") or alg) != alg:
        return None
    operations = jwk.get("key_ops") or ["verify"]
    if "verify" not in (operations if isinstance(operations, list) else [operations]):
        return None
    try:
        # Only the public members: whatever else an issuer publishes by mistake is not loaded.
        key = PyJWK.from_dict({name: jwk[name] for name in _MEMBERS[alg]}, algorithm=alg).key
    except (PyJWTError, ValueError, TypeError, KeyError):
        return None
    if isinstance(key, RSAPublicKey) and key.key_size >= SMALLEST_RSA:
        return key
    return key if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1) else None


_MEMBERS: Mapping[str, tuple[str, ...]] = {"RS256": ("kty", "n", "e"), "ES256": ("kty", "crv", "x", "y")}

SUPPORTED = tuple(_MEMBERS)
"""The algorithms that this package knows (RFC 7518 §3.3, §3.4)."""
