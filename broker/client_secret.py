"""A client's secret: made here out of random bits, and known to us by its hash alone."""

from __future__ import annotations

import hashlib
import secrets


def new_client_secret() -> tuple[str, str]:
    """A secret of 256 random bits, and its hash as `clients.<id>.secret_hash` takes it.

    The hash is a plain SHA-256: a slow one protects secrets that people choose, and nobody chooses this one.
    """
    secret = secrets.token_urlsafe(32)
    return secret, f"sha256:{hashlib.sha256(secret.encode()).hexdigest()}"
