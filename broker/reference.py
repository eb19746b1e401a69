"""The code that a page shows and the log holds: by it an operator finds what happened."""

from __future__ import annotations

import base64
import secrets


def new_reference() -> str:
    """A `txn`: 128 random bits in base32, 26 characters. Never a secret; people see its first 8 characters."""
    return base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=")
