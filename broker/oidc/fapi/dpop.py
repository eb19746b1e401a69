"""DPoP proofs: a client shows with each request that it holds a key (RFC 9449 §4.3), and has asked us just now (§8).

Authlib ships no server side of it, so joserfc verifies and the rules stand here. A nonce is nothing that is kept: it is
a keyed digest of the minute, so that every broker of the store knows it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.util import urlsafe_b64decode

from kit.client_authentication import ClientRefused
from kit.client_authentication.assertion import (
    FAPI_ALGORITHMS,
    SigningKey,
    read_parts,
    seconds_of,
    signing_keys,
    verify_signature,
)

OLDEST = 120
AHEAD = 60
"""Seconds that a proof's `iat` may lie back, or ahead."""
REMEMBERED = OLDEST + 2 * AHEAD
"""Seconds that its `jti` is remembered: longer than the proof can be used."""
NONCE_PERIOD = 120
"""Seconds after which there is a new nonce; the one before it is taken for as long again."""
_TYPES = ("dpop+jwt",)
_LONGEST = 4096
_LONGEST_JTI = 512
_PORTS = {"http": 80, "https": 443}


class NonceNeeded(ClientRefused):
    """The proof has no nonce of ours, or an old one; the client is to send it again with the one it is given."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that holds. jkt: the thumbprint of its key (RFC 7638). jti: still to be used up."""

    jkt: str
    jti: str = field(repr=False)


class Nonces:
    """The server's nonces. keyed_digest: 32 bytes that only our brokers can make. clock: seconds since the epoch."""

    def __init__(self, keyed_digest: Callable[[bytes], bytes], clock: Callable[[], float]) -> None:
        self._keyed_digest = keyed_digest
        self._clock = clock

    def current(self) -> str:
        """The nonce to give out now."""
        return self._of(int(self._clock()) // NONCE_PERIOD)

    def accepts(self, nonce: Any) -> bool:
        """Whether it is the current one, or the one before."""
        period = int(self._clock()) // NONCE_PERIOD
        known = isinstance(nonce, str) and nonce.isascii()
        return known and any(hmac.compare_digest(nonce, self._of(one)) for one in (period, period - 1))

    def _of(self, period: int) -> str:
        return _base64url(self._keyed_digest(f"dpop nonce {period}".encode()))


def read_proof(
    compact: str, method: str, urls: tuple[str, ...], nonces: Nonces, now: float, access_token: str | None = None
) -> Proof:
    """A proof of the `DPoP` header, every check of RFC 9449 §4.3 held but that its `jti` is new.

    urls: what the request may have been sent to. access_token: the one that is shown with it. now: seconds since the
    epoch. Raises ClientRefused, its subclass NonceNeeded if nothing else is wrong.
    """
    header, claims = read_parts(compact, _LONGEST)
    if header.get("alg") not in FAPI_ALGORITHMS:  # no key would verify it: said here in better words
        raise ClientRefused("alg must be PS256, ES256, EdDSA or Ed25519")
    key = _key_of(header.get("jwk"))
    verify_signature(compact, {**header, "kid": None}, (key,), _TYPES, strict=False)
    _check_request(claims, method, urls)
    if not now - OLDEST <= seconds_of(claims, "iat") <= now + AHEAD:
        raise ClientRefused("iat must be of now: make a new proof for each request, and compare the clocks")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 1 <= len(jti) <= _LONGEST_JTI or not jti.isprintable():
        raise ClientRefused("jti must be a printable string of 1 to 512 characters")
    if access_token is not None and claims.get("ath") != _base64url(hashlib.sha256(access_token.encode()).digest()):
        raise ClientRefused("ath must be the SHA-256 of the access token, in base64url")
    if not nonces.accepts(claims.get("nonce")):
        raise NonceNeeded("nonce must be the one of our DPoP-Nonce header: send the request again with it")
    return Proof(key.key.thumbprint(), jti)


def _key_of(jwk: Any) -> SigningKey:
    wanted = "jwk must be a public key: EC P-256, Ed25519, or RSA of 2048 to 4096 bits"
    if not isinstance(jwk, Mapping) or {"d", "p", "q", "dp", "dq", "qi", "k"} & jwk.keys():
        raise ClientRefused(wanted)
    bare = {name: jwk[name] for name in ("kty", "crv", "n", "e", "x", "y") if isinstance(jwk.get(name), str)}
    try:
        # A longer RSA key than 4096 bits costs us more to verify with than the client to send.
        if "n" in bare and not 2048 <= int.from_bytes(urlsafe_b64decode(bare["n"].encode())).bit_length() <= 4096:
            raise ClientRefused(wanted)
        (key,) = signing_keys([{"kty": None, **bare}], FAPI_ALGORITHMS)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise ClientRefused(wanted) from error
    return key


def _check_request(claims: Mapping[str, Any], method: str, urls: tuple[str, ...]) -> None:
    if claims.get("htm") != method:
        raise ClientRefused("htm must be the method of the request")
    htu = claims.get("htu")
    if not isinstance(htu, str) or _normalised(htu) not in map(_normalised, urls):
        raise ClientRefused("htu must be the URL of this endpoint, without query and fragment")


def _normalised(url: str) -> tuple[str, str, int | None, str] | None:
    """A URL to compare, without query and fragment (RFC 9449 §4.3; RFC 3986 §6.2.2, §6.2.3); None if it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname, port, parts.path) if parts.hostname and "@" not in parts.netloc else None


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
