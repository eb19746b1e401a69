"""Our keys: a folder, one file a key, made and replaced by `tunnus-registration keys`.

    client    P-256: client assertions to the broker (RFC 7523)
    sealing   what is at rest: attempts, drafts and sessions
    cookie    signs the cookie and the links in e-mails
    audit-sig signs heads and checkpoints of the audit trail
    event-sig signs the events that webhooks are told
    digest    counts of tries, and where people have signed in from; made once, never replaced

The folder has mode 0700 and its files 0600; what is open to others is refused. A running process looks at it again
every 30 seconds. An older key opens and verifies until its tail ends (`kit.keys.timetable`).
"""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.fernet import InvalidToken

from kit import logs
from kit.audit.signed import AUDIT_SIG
from kit.keys.client import CLIENT
from kit.keys.service_keys import ServiceKeys, secret_of, secret_purpose
from kit.keys.timetable import Purpose
from kit.security_events import EVENT_SIG

LONGEST_KEPT = 8 * 86_400
"""Seconds for which something sealed or signed may be kept: a draft for a week at most, a session, a link for a day."""
PURPOSES = {
    purpose.name: purpose
    for purpose in (
        CLIENT,
        secret_purpose("sealing", "A128CBC-HS256", LONGEST_KEPT),
        secret_purpose("cookie", "HS256", LONGEST_KEPT),
        AUDIT_SIG,
        EVENT_SIG,
        Purpose("digest", "secret", ("HS256",), rotates=False),
    )
}

FORMATS = {"attempt": 0, "outcome": 0, "session": 0, "draft": 0, "caller": 0}
"""The format of what is sealed, by the first word of its name. A number goes up when a version of registration that
knows only the one before could not use what is written now; 0 is left out of what is written. Samples of all that was
ever written are in tests/registration/samples."""


class NewerRecord(Exception):
    """Something is sealed that only a newer version of registration knows the format of: a reload may reach one."""


class Keys(ServiceKeys):
    """What the folder holds, each key used as its phase says. Raises KeysUnusable if one is missing at the start."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        super().__init__(folder, PURPOSES, clock, command="tunnus-registration")

    def seal(self, name: str, value: Any) -> str:
        """A JSON value as a text that only we can read. name: where it stands, so that it opens nowhere else."""
        number = FORMATS[_kind(name)]
        whole = [name, value, number] if number else [name, value]
        return self.sealing.encrypt(json.dumps(whole).encode()).decode()

    def unseal(self, name: str, sealed: str) -> Any | None:
        """What was sealed under that name; None if it was not, or by a key that is gone. Raises NewerRecord."""
        try:
            found, value, *number = json.loads(self.sealing.decrypt(sealed.encode()))
        except InvalidToken:
            return None
        if found != name:
            return None
        kind = _kind(name)
        if number and number[0] > FORMATS[kind]:
            logs.add(record=kind)
            raise NewerRecord(kind)
        return value

    def keyed_digest(self, *parts: str) -> str:
        """A digest that nobody without our keys can compute: for what could be guessed, such as an address."""
        return hmac.digest(secret_of(self.now_in_use("digest", "HS256")), "\0".join(parts).encode(), "sha256").hex()


def _kind(name: str) -> str:
    return name.partition(":")[0]


def load_keys(folder: Path, clock: Callable[[], float] = time.time) -> Keys:
    """The keys of a folder. Raises KeysUnusable: also if others than its owner can get at it, or one is missing."""
    return Keys(folder, clock)
