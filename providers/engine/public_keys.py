"""A bank's public keys: those of a JWKS that can verify what the bank signs (RFC 7517 §4, §5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import RSAKey, thumbprint

from providers.engine.compact import decode, given

ALGORITHMS = ("RS256",)
SMALLEST_KEY = 2048
"""Bits of an RSA modulus (Regulation M72; FTN profile, algorithms)."""
LARGEST_KEY = 16384
"""Bits; with larger ones a bank could keep our processors busy."""


def usable_keys(keys: object, *, kid_required: bool = True) -> dict[str, RSAKey]:
    """The RSA keys of a JWKS that can verify, by `kid`; whatever is malformed or not for this use is left out.

    Each is imported by itself: one malformed key must not cost the others. One without a `kid`, unless that is
    required, goes by its thumbprint (RFC 7638).
    """
    found: dict[str, RSAKey] = {}
    for jwk in keys if isinstance(keys, list | tuple) else ():
        if not isinstance(jwk, Mapping) or not _is_for_signatures(jwk := given(jwk)):
            continue
        kid, modulus, exponent = jwk.get("kid"), jwk.get("n"), jwk.get("e")
        if not isinstance(modulus, str) or not isinstance(exponent, str):
            continue
        if kid is None and not kid_required:
            kid = thumbprint({"e": exponent, "kty": "RSA", "n": modulus})
        if not isinstance(kid, str) or kid in found:
            continue
        try:
            if not SMALLEST_KEY <= int.from_bytes(decode(modulus)).bit_length() <= LARGEST_KEY:
                continue
            # Only what makes the key: a stray member of another type would break the import.
            members: dict[str, Any] = {"kty": "RSA", "n": modulus, "e": exponent, "kid": kid}
            found[kid] = RSAKey.import_key(members)
        except (ValueError, TypeError, KeyError, JoseError):
            continue
    return found


def key_of(keys: Mapping[str, RSAKey], kid: str | None) -> RSAKey | None:
    """The key of a `kid`; without one the only key there is, and none where there are several.

    To choose a key is no check: the signature still has to hold under it.
    """
    if kid is None:
        return next(iter(keys.values())) if len(keys) == 1 else None
    return keys.get(kid)


def _is_for_signatures(jwk: Mapping[str, Any]) -> bool:
    """Whether `use`, `key_ops` and `alg`, each as far as it is there, allow what we verify (RFC 7517 §4)."""
    operations = jwk.get("key_ops") or ["verify"]
    return (
        jwk.get("kty") == "RSA"
        and jwk.get("use", "sig") == "sig"
        and jwk.get("alg", ALGORITHMS[0]) in ALGORITHMS
        and "verify" in (operations if isinstance(operations, list | tuple) else [operations])
    )
