"""Security Event Tokens (RFC 8417): what has happened, signed for one receiver, to be pushed to it (RFC 8935)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from joserfc import jwt

from kit.keys.timetable import Purpose
from kit.keys.watch import WatchedKeys

ALG = "ES256"
EVENT_SIG = Purpose("event-sig", "sig", (ALG,), warm_up=86_400, cooldown=8 * 86_400, needed=False)
"""Receivers may cache the set for a day; an event is tried for a week, each time as it was signed or anew."""
MEDIA_TYPE = "application/secevent+jwt"


class NoEventKey(Exception):
    """No event-sig key is in use."""


def event_token(
    keys: WatchedKeys,
    event: str,
    facts: Mapping[str, Any],
    *,
    issuer: str,
    audience: str,
    id: str,
    subject: str,
    at: int,
    now: int,
) -> str:
    """A token of one event. event: its URI. facts: its payload. id: `jti`, the same whenever it is told again.

    subject: an opaque identifier (RFC 9493 §3.2.2). at: when it happened, now: both in seconds. Raises NoEventKey.
    """
    held = keys.in_use(EVENT_SIG.name, ALG)
    if held is None:
        raise NoEventKey(f"no {EVENT_SIG.name} key is in use")
    claims = {
        "iss": issuer,
        "aud": audience,
        "jti": id,
        "iat": now,
        "toe": at,
        "sub_id": {"format": "opaque", "id": subject},
        "events": {event: dict(facts)},
    }
    header = {"alg": ALG, "kid": held.kid, "typ": "secevent+jwt"}
    return jwt.encode(header, claims, held.key, algorithms=[ALG])


def public_set(keys: WatchedKeys) -> dict[str, Any]:
    """The JWK Set by which receivers verify."""
    return {"keys": [key.public_jwk() for key in keys.published(EVENT_SIG.name)]}
