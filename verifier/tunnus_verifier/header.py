"""The header of a token, read before anything can be verified (RFC 7515 §4, RFC 8725 §3)."""

from __future__ import annotations

import base64
import json
import re
from functools import lru_cache
from typing import Any

from tunnus_verifier.errors import Malformed, WrongHeader

SIGNED = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
"""A compact JWS with a payload and a signature; `alg: none` leaves the signature empty."""

ENCRYPTED = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
"""A compact JWE."""

LARGEST = 16 * 1024
"""Characters of a token. One with every claim and an encryption around it has about 2,000."""


def read_header(segment: str) -> dict[str, Any]:
    """The header in the first part of a token. Raises Malformed."""
    try:
        header = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except (ValueError, RecursionError):
        raise Malformed("the header is not JSON") from None
    if not isinstance(header, dict):
        raise Malformed("the header is not an object")
    return header


@lru_cache(maxsize=64)
def check_header(segment: str, algorithms: tuple[str, ...]) -> tuple[str, str]:
    """(kid, alg) of a signed token's header. Kept, since all tokens of one key have the same header.

    Raises WrongHeader naming the parameter, or Malformed.
    """
    header = read_header(segment)
    typ = header.get("typ")
    if not isinstance(typ, str) or typ.lower() != "jwt":  # else an access token or a logout token would pass
        raise WrongHeader("not JWT", claim="typ")
    alg = header.get("alg")
    if not isinstance(alg, str) or alg not in algorithms:
        raise WrongHeader("not an accepted algorithm", claim="alg")
    for name in ("crit", "b64"):
        if name in header:  # RFC 7515 §4.1.11: we know no extension, so none may be critical
            raise WrongHeader("no extension is understood", claim=name)
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise WrongHeader("names no key", claim="kid")
    return kid, alg
