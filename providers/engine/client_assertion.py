"""How we authenticate at a bank's token endpoint: private_key_jwt (RFC 7523; OpenID Connect Core §9)."""

from __future__ import annotations

import secrets

from providers.connection import Connection
from providers.model import Keys

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFETIME = 300
"""Seconds. Idura recommends at most 5 minutes, the DVV refuses over 10, Telia over 60."""


def build_client_assertion(connection: Connection, keys: Keys, now: int) -> str:
    """A fresh client assertion, its `jti` never used before; now: seconds. Raises KeyFailure."""
    audience = (
        connection.token_endpoint if connection.dialect.assertion_audience == "token_endpoint" else connection.issuer
    )
    return keys.sign(
        "rp-sig",
        {
            "iss": connection.client_id,
            "sub": connection.client_id,
            "aud": audience,
            "jti": secrets.token_hex(16),
            "iat": now,
            "exp": now + LIFETIME,
        },
    )
