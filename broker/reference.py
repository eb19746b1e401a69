"""The code that a page shows and the log holds: by it an operator finds what happened."""

from __future__ import annotations

import base64
import hashlib
import secrets


def new_reference() -> str:
    """A `txn`: 128 random bits in base32, 26 characters. Never a secret; people see its first 8 characters."""
    return base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=")


def reference_of(*parts: str | None) -> str:
    """A reference that is always the same for the same things, so that repeating a request makes no second one."""
    digest = hashlib.sha256("\0".join(part or "" for part in parts).encode()).digest()
    return base64.b32encode(digest[:16]).decode().rstrip("=")
