"""joserfc's checks of a JWS and a JWE with our bounds in place of its own.

The engine has read the header strictly before (`compact`), so that joserfc need only look at what it works by: a
member that means nothing to us, or an optional one that is null, never breaks a login.
"""

from __future__ import annotations

from functools import lru_cache

from joserfc import jwe, jws
from joserfc.registry import JWE_HEADER_REGISTRY, JWS_HEADER_REGISTRY

from providers.engine.compact import LONGEST_HEADER, LONGEST_TOKEN


class _Signature(jws.JWSRegistry):
    """joserfc refuses a header of more than 512 bytes: a bank's `x5c`, which we ignore, is longer than that."""

    max_header_length = LONGEST_HEADER
    max_payload_length = LONGEST_TOKEN
    max_signature_length = 4096


class _Encryption(jwe.JWERegistry):
    """joserfc's own bound of a header is 1,024 bytes."""

    max_protected_header_length = LONGEST_HEADER


@lru_cache(maxsize=32)
def signature_registry(algorithms: tuple[str, ...]) -> jws.JWSRegistry:
    """What `jws.deserialize_compact` may take: these algorithms, and members it does not know in the header."""
    registry = _Signature(algorithms=list(algorithms), strict_check_header=False)
    registry.header_registry = {name: JWS_HEADER_REGISTRY[name] for name in ("alg", "crit")}
    return registry


@lru_cache(maxsize=32)
def encryption_registry(algorithms: tuple[str, ...]) -> jwe.JWERegistry:
    """What `jwe.decrypt_compact` may take: these `alg` and `enc`, and members it does not know in the header."""
    registry = _Encryption(algorithms=list(algorithms), strict_check_header=False)
    registry.header_registry = {name: JWE_HEADER_REGISTRY[name] for name in ("alg", "enc", "crit", "zip")}
    return registry
