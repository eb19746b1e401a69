"""One record as a line of JSON, chained to the one before.

{"seq":2,"previous":"<hash of line 1>","time":"…","event":"identified", …,"hash":"<of this line without hash>"}
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from kit.logs.withheld import withhold

FIELDS = frozenset(
    {
        "txn",
        "attempt",
        "client",
        "provider",
        "connection",
        "reference",
        "acr",
        "auth_time",
        "signing_kid",
        "encryption_kid",
        "sub",
        "step",
        "code",
        "reason",
        "count",
        "checkpoint",
    }
)
"""What a record may hold besides time and event. No name, code, birth date, token or IP address."""
REFUSED_BEFORE_CLAIM = "refused_before_claim"
"""Refusals of one kind, with a count: no attempt was claimed, so they belong to no identification."""
PRUNED = "pruned"
"""Files were removed: `checkpoint` is the digest of what stands in their place, `count` their records."""
EVENTS = frozenset({"identified", "refused", "handed_over", REFUSED_BEFORE_CLAIM, PRUNED})
OPENED, CLOSED = "opened", "closed"

BEGINNING = "0" * 64
"""Stands for the hash of a line before the first."""
_HASH_START = b',"hash":"'
_TAIL = len(_HASH_START) + 64 + len(b'"}')
_LONGEST = 512
_ENCODER = json.JSONEncoder(separators=(",", ":"))  # `dumps` with options makes one each time


class Unreadable(ValueError):
    """A line is no record. The message says why, without anything of the line."""


def checked(event: str, fields: Mapping[str, Any]) -> dict[str, str | int]:
    """The fields as they may be written. Raises TypeError for an event, a field or a value that may not be."""
    if event not in EVENTS:
        raise TypeError(f"no event of the audit trail: {event}")
    unknown = fields.keys() - FIELDS
    if unknown:
        raise TypeError(f"no field of the audit trail: {', '.join(sorted(unknown))}")
    checked_fields: dict[str, str | int] = {}
    for name, value in fields.items():
        if isinstance(value, bool) or not isinstance(value, str | int | None):
            raise TypeError(f"{name} is neither text nor number")
        if value is not None:
            checked_fields[name] = printable(value) if isinstance(value, str) else value
    return checked_fields


def printable(text: str) -> str:
    """A text as a record holds it: at most 512 characters, all printable, no personal identity code.

    Banks, too, send what goes into a record. Their line break or control character is no reason to refuse a person
    who has identified, as nothing hangs on it; it is written as `\\u000a`, to be seen for what it was.
    """
    if text.isprintable():
        return withhold(text)[:_LONGEST]
    bare = "".join(character for character in text if character.isprintable())
    if withhold(bare) != bare:  # a code stays one with a zero-width space in it
        text = withhold(bare)
    elif len(bare) != len(text):
        text = "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in text)
    return text[:_LONGEST]


def moment(seconds: float) -> str:
    """A time as records have it, which are in order as texts are; seconds since the epoch."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def line_of(seq: int, previous: str, now: float, event: str, fields: Mapping[str, str | int]) -> tuple[bytes, str]:
    """A record as a line, without its line end, and its hash; now: seconds since the epoch."""
    record = {"seq": seq, "previous": previous, "time": moment(now), "event": event, **fields}
    body = _ENCODER.encode(record).encode()
    digest = hashlib.sha256(body).hexdigest()
    return body[:-1] + _HASH_START + digest.encode() + b'"}', digest


def parse(line: bytes) -> dict[str, Any]:
    """A line's record, its hash not checked. Raises Unreadable."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Unreadable("is not JSON") from error
    if not isinstance(record, dict) or not isinstance(record.get("seq"), int):
        raise Unreadable("is no record")
    return record


def own_hash(line: bytes) -> str:
    """The hash that a line must hold."""
    return hashlib.sha256(line[:-_TAIL] + b"}").hexdigest()
