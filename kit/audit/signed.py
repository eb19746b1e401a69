"""Statements about a trail, signed by a key of their own; who knows one key can follow those before and after it.

Each holds the public set as it was published when it was made, so the key in its warm-up and the one in its cooldown:
that set is vouched for by the signature. A key that was withdrawn in an emergency is vouched for by nobody.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from kit.keys.timetable import Purpose
from kit.keys.watch import WatchedKeys

ALG = "ES256"
AUDIT_SIG = Purpose("audit-sig", "sig", (ALG,), warm_up=86_400, cooldown=30 * 86_400, needed=False)
"""A month of cooldown: whoever signs once a day, or once a week, vouches for the key before."""


class CannotSign(Exception):
    """No audit-sig key is in use."""


def sign(keys: WatchedKeys, typ: str, claims: Mapping[str, Any]) -> str:
    """A compact JWS over claims and the published keys. typ: what kind of statement it is. Raises CannotSign."""
    held = keys.in_use(AUDIT_SIG.name, ALG)
    if held is None:
        raise CannotSign(f"no {AUDIT_SIG.name} key is in use")
    payload = {**claims, "keys": public_keys(keys)}
    header = {"alg": ALG, "kid": held.kid, "typ": typ}
    return jws.serialize_compact(header, json.dumps(payload, separators=(",", ":")), held.key, algorithms=[ALG])


def public_keys(keys: WatchedKeys) -> list[dict[str, Any]]:
    """The audit-sig keys as they are published now."""
    return [key.public_jwk() for key in keys.published(AUDIT_SIG.name)]


def claims_of(token: str) -> dict[str, Any] | None:
    """The claims of a statement that something else vouches for: its signature is not looked at. None if it is none."""
    try:
        claims = json.loads(jws.extract_compact(token.encode()).payload)
    except (JoseError, ValueError, RecursionError):
        return None
    return claims if isinstance(claims, dict) else None


def kid_of(token: str) -> str:
    """The key that a statement says it is signed by."""
    return str(jws.extract_compact(token.encode()).headers().get("kid"))


class Trust:
    """The keys that statements may be signed by. keys: public JWKs to begin with."""

    def __init__(self, keys: Iterable[Mapping[str, Any]]) -> None:
        self._keys: dict[str, ECKey] = {}
        self.learn(keys)

    def open(self, token: str, typ: str) -> dict[str, Any] | None:
        """The claims of a statement of that kind, None if no known key signed it. Its keys are known from then on."""
        try:
            kid = jws.extract_compact(token.encode()).headers().get("kid")
            key = self._keys.get(kid) if isinstance(kid, str) else None
            if key is None:
                return None
            found = jws.deserialize_compact(token, key, algorithms=[ALG])
            claims = json.loads(found.payload)
        except (JoseError, ValueError, RecursionError):
            return None
        if found.headers().get("typ") != typ or not isinstance(claims, dict):
            return None
        self.learn(claims.get("keys", ()))
        return claims

    def open_all(self, tokens: Iterable[str], typ: str) -> tuple[list[dict[str, Any]], int]:
        """The claims of all that open, in any order, and how many do not."""
        opened: list[dict[str, Any]] = []
        closed = list(tokens)
        while closed:
            left, before = [], len(self._keys)
            for token in closed:
                claims = self.open(token, typ)
                if claims is None:
                    left.append(token)
                else:
                    opened.append(claims)
            closed = left
            if len(self._keys) == before:
                break
        return opened, len(closed)

    def learn(self, keys: Iterable[Mapping[str, Any]]) -> None:
        """Trust further public JWKs."""
        for key in keys:
            if key["kid"] not in self._keys:
                self._keys[key["kid"]] = ECKey.import_key(dict(key))
