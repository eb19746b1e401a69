"""A bank's public keys: those of a JWKS that can verify what the bank signs (RFC 7517 §4, §5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from joserfc import jws
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import RSAKey, thumbprint

from providers.engine.compact import decode, given
from providers.engine.signature import signature_registry

ALGORITHMS = ("RS256",)
SMALLEST_KEY = 2048
"""Bits of an RSA modulus (Regulation M72; FTN profile, algorithms)."""
LARGEST_KEY = 16384
"""Bits; with larger ones a bank could keep our processors busy."""


MOST_OF_ONE_KID = 4
"""Keys under one `kid`, which banks should not do and some might (RFC 7517 §4.5): each costs every token a check."""

KeySet = Mapping[str, tuple[RSAKey, ...]]
"""The keys of a set by `kid`, in their order."""


def usable_keys(keys: object, *, kid_required: bool = True) -> dict[str, tuple[RSAKey, ...]]:
    """The RSA keys of a JWKS that can verify; whatever is malformed or not for this use is left out.

    Each is imported by itself: one malformed key must not cost the others. One without a `kid`, unless that is
    required, goes by its thumbprint (RFC 7638).
    """
    found: dict[str, tuple[RSAKey, ...]] = {}
    for jwk in keys if isinstance(keys, list | tuple) else ():
        if not isinstance(jwk, Mapping) or not _is_for_signatures(jwk := given(jwk)):
            continue
        kid, modulus, exponent = jwk.get("kid"), jwk.get("n"), jwk.get("e")
        if not isinstance(modulus, str) or not isinstance(exponent, str):
            continue
        if kid is None and not kid_required:
            kid = thumbprint({"e": exponent, "kty": "RSA", "n": modulus})
        if not isinstance(kid, str) or len(held := found.get(kid, ())) == MOST_OF_ONE_KID:
            continue
        try:
            if not SMALLEST_KEY <= int.from_bytes(decode(modulus)).bit_length() <= LARGEST_KEY:
                continue
            # Only what makes the key: a stray member of another type would break the import.
            members: dict[str, Any] = {"kty": "RSA", "n": modulus, "e": exponent, "kid": kid}
            key = RSAKey.import_key(members)
        except (ValueError, TypeError, KeyError, JoseError):
            continue
        if key.thumbprint() not in [other.thumbprint() for other in held]:
            found[kid] = (*held, key)
    return found


def keys_of(keys: KeySet, kid: str | None) -> tuple[RSAKey, ...]:
    """The keys of a `kid`, most often one; without one the only key there is, and none where there are several.

    To choose a key is no check: the signature still has to hold under it.
    """
    if kid is None:
        every = [key for held in keys.values() for key in held]
        return tuple(every) if len(every) == 1 else ()
    return keys.get(kid, ())


def verify_by_one(token: str, keys: Sequence[RSAKey], algorithms: tuple[str, ...]) -> tuple[bytes, RSAKey]:
    """The payload of a compact JWS, and under which of the keys its signature holds; keys: at least one.

    Raises BadSignatureError if it holds under none, JoseError for what is no such JWS.
    """
    registry = signature_registry(algorithms)
    for key in keys[:-1]:
        with suppress(BadSignatureError):
            return jws.deserialize_compact(token, key, registry=registry).payload, key
    return jws.deserialize_compact(token, keys[-1], registry=registry).payload, keys[-1]


def _is_for_signatures(jwk: Mapping[str, Any]) -> bool:
    """Whether `use`, `key_ops` and `alg`, each as far as it is there, allow what we verify (RFC 7517 §4)."""
    operations = jwk.get("key_ops") or ["verify"]
    return (
        jwk.get("kty") == "RSA"
        and jwk.get("use", "sig") == "sig"
        and jwk.get("alg", ALGORITHMS[0]) in ALGORITHMS
        and "verify" in (operations if isinstance(operations, list | tuple) else [operations])
    )
