"""The link that confirms an e-mail address: a signed token that names the outbox entry it was sent with.

Nothing personal stands in it. It is valid for a day from when it was signed, which is when its e-mail was sent; a
key that signed it opens it until its tail ends, which is later.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer

from registration.keys import Keys

VALID = 86_400
"""Seconds from signing."""
_SALT = "registration e-mail link"
_ID = re.compile(r"[0-9a-f]{32}")


class _Signer(TimestampSigner):
    """Signs with the time that it is given."""

    def __init__(self, *arguments: Any, now: int, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._now = now

    def get_timestamp(self) -> int:
        return self._now


def link_token(keys: Keys, outbox_id: str, now: int) -> str:
    """A token for an address: letters, digits, `-`, `_` and `.`. now: seconds since the epoch."""
    return str(_serializer(keys, now).dumps(outbox_id))


def read_link(keys: Keys, token: str, now: int) -> tuple[str, bool] | None:
    """The outbox entry of a token and whether it has expired; None if we did not sign it."""
    try:
        found, signed = _serializer(keys, now).loads(token, return_timestamp=True)
    except BadData:
        return None
    if not isinstance(found, str) or not _ID.fullmatch(found):
        return None
    return found, now - int(signed.timestamp()) >= VALID


def _serializer(keys: Keys, now: int) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(
        list(keys.cookie),
        salt=_SALT,
        signer=_Signer,
        signer_kwargs={"now": now, "key_derivation": "hmac", "digest_method": hashlib.sha256},
    )
