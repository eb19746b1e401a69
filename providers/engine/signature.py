"""joserfc's signature check with our bounds in place of its own."""

from __future__ import annotations

from collections.abc import Sequence

from joserfc import jws

from providers.engine.compact import LONGEST_HEADER, LONGEST_TOKEN


class _Registry(jws.JWSRegistry):
    """joserfc refuses a header of more than 512 bytes: a bank's `x5c`, which we ignore, is longer than that."""

    max_header_length = LONGEST_HEADER
    max_payload_length = LONGEST_TOKEN
    max_signature_length = 4096


def signature_registry(algorithms: Sequence[str]) -> jws.JWSRegistry:
    """What `jws.deserialize_compact` may take: these algorithms, and members it does not know in the header."""
    return _Registry(algorithms=list(algorithms), strict_check_header=False)
