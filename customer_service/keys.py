"""Our keys: a folder, one file a key, made and replaced by `tunnus-customer-service keys`.

    client    P-256: client assertions to registration, and to the employer's provider (RFC 7523)
    sealing   what a browser holds of a sign-in under way
    cookie    signs the session's cookie, which holds a random name only

All of them are replaced without anybody noticing: what they protect lasts for hours.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.fernet import InvalidToken

from kit.keys.client import CLIENT
from kit.keys.service_keys import ServiceKeys, secret_purpose

LONGEST_KEPT = 86_400
"""Seconds for which something signed or sealed may be kept: a session of eight hours at most."""
PURPOSES = {
    purpose.name: purpose
    for purpose in (
        replace(CLIENT, by_hand="give registration and the employer's provider the new public set (keys show-public)"),
        secret_purpose("sealing", "A128CBC-HS256", LONGEST_KEPT),
        secret_purpose("cookie", "HS256", LONGEST_KEPT),
    )
}


class Keys(ServiceKeys):
    """What the folder holds. Raises KeysUnusable if it cannot be used, or a key is missing at the start."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        super().__init__(folder, PURPOSES, clock, command="tunnus-customer-service")

    def seal(self, name: str, value: Any) -> str:
        """A JSON value as a text that only we can read. name: where it stands, so that it opens nowhere else."""
        return self.sealing.encrypt(json.dumps([name, value]).encode()).decode()

    def unseal(self, name: str, sealed: str) -> Any | None:
        """What was sealed under that name; None if it was not, or by a key that is gone."""
        try:
            found, value = json.loads(self.sealing.decrypt(sealed.encode()))
        except InvalidToken:
            return None
        return value if found == name else None
