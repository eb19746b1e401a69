"""A pushed authorization request that the client has signed (RFC 9101; FAPI 2.0 Message Signing §5.3.1).

Authlib's `rfc9101` verifies the signature and compares `client_id`, and nothing more: no `aud`, `exp` or `nbf`, any
algorithm that joserfc recommends, and without a registered demand `none`. So the rules stand here; what the parameters
in it may be is for `guard` to say, as of any request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from broker.oidc.clients import Client
from broker.oidc.descriptions import describe_refused_jwt
from broker.oidc.guard import Refused
from broker.oidc.parameters import KNOWN
from kit.client_authentication import ClientRefused
from kit.client_authentication.assertion import CLOCK_SKEW, SigningKey, read_parts, seconds_of, verify_signature

LONGEST = 8192
"""Characters of a request object."""
LONGEST_LIFE = 3600
"""Seconds that `exp` may lie behind `nbf`, and `nbf` behind now (FAPI 2.0 Message Signing §5.3.1)."""

_TYPES = ("jwt", "oauth-authz-req+jwt")


Keys = Callable[[Client, str | None], Sequence[SigningKey]]
"""The keys of a client, the one that an unverified `kid` names among them."""


def parameters_of(compact: str, client: Client, keys_of: Keys, issuer: str, now: float) -> dict[str, str]:
    """The authorization request's parameters in a request object, every rule of RFC 9101 §6 held.

    client: authenticated. issuer: ours. now: seconds since the epoch. Raises Refused (`invalid_request_object`).
    """
    try:
        header, claims = read_parts(compact, LONGEST)
        kid = header.get("kid")
        verify_signature(compact, header, keys_of(client, kid if isinstance(kid, str) else None), _TYPES)
        _is_from_the_client(claims, client)
        _is_for_us(claims, issuer)
        _is_of_now(claims, now)
        return {name: _text(claims, name) for name in sorted(KNOWN & claims.keys())}
    except ClientRefused as reason:
        raise Refused("invalid_request_object", describe_refused_jwt(str(reason), "request")) from reason


def _is_from_the_client(claims: Mapping[str, Any], client: Client) -> None:
    if claims.get("iss") != client.client_id or claims.get("client_id") != client.client_id:
        raise ClientRefused("iss and client_id must be the client that authenticates")
    # With one, it could serve as a client assertion (RFC 9101 §10.8).
    if claims.get("sub") == client.client_id:
        raise ClientRefused("sub must not be there")
    if claims.keys() & {"request", "request_uri"}:
        raise ClientRefused("it must hold no request and no request_uri")


def _is_for_us(claims: Mapping[str, Any], issuer: str) -> None:
    audience = claims.get("aud")
    if issuer not in (audience if isinstance(audience, list) else [audience]):
        raise ClientRefused("aud must be our issuer")


def _is_of_now(claims: Mapping[str, Any], now: float) -> None:
    begins, ends = seconds_of(claims, "nbf"), seconds_of(claims, "exp")
    if now >= ends + CLOCK_SKEW:
        raise ClientRefused("exp is past")
    if begins > now + CLOCK_SKEW:
        raise ClientRefused("nbf lies in the future")
    if begins < now - LONGEST_LIFE or ends > begins + LONGEST_LIFE:
        raise ClientRefused("nbf must be at most 60 minutes back, and exp at most 60 minutes after nbf")


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims[name]
    if name == "max_age" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise ClientRefused(f"{name} must be a string")
    return value
