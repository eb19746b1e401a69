"""`client_secret_basic`: a client proves itself by a secret (RFC 6749 §2.3.1)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from urllib.parse import unquote_plus

from kit.client_authentication.errors import ClientRefused


def basic_credentials(authorization: str | None) -> tuple[str, str]:
    """The client's id and secret of the header, each form-urlencoded within it. Raises ClientRefused."""
    scheme, _, credentials = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        raise ClientRefused("no client authentication of a kind that is accepted")
    try:
        decoded = base64.b64decode(credentials.strip(), validate=True).decode("ascii")
    except ValueError as error:
        raise ClientRefused("the Basic credentials are malformed") from error
    client_id, _, secret = decoded.partition(":")
    return unquote_plus(client_id), unquote_plus(secret)


def new_secret() -> str:
    """A secret of 256 random bits."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    """A secret as configurations hold it.

    A plain SHA-256: secrets are made out of random bits (`tunnus client-secret`), never chosen, so a slow hash would
    protect nothing and cost every request.
    """
    return "sha256:" + hashlib.sha256(secret.encode()).hexdigest()


def is_secret(secret: str, hashed: str | None) -> bool:
    """Whether a secret is the hashed one, compared in constant time; hashed: None for a client without a secret."""
    return hashed is not None and hmac.compare_digest(hash_secret(secret), hashed)
