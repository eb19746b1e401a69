"""Verifies identity tokens: form, header, key, signature, claims, in this order."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NoReturn

from jwt import PyJWS
from jwt.exceptions import InvalidSignatureError, PyJWTError

from tunnus_verifier.claims import Expected, IdentityClaims, read_claims
from tunnus_verifier.encryption import Decryption
from tunnus_verifier.errors import BadSignature, Malformed, NotDecrypted
from tunnus_verifier.fetching import fetch as fetch_over_http
from tunnus_verifier.header import ENCRYPTED, LARGEST, SIGNED, check_header
from tunnus_verifier.keys import SUPPORTED, Fetch, IssuerKeys


class Verifier:
    """Verifies the identity tokens that one issuer makes for one service. Make one at start; threads may share it.

    issuer: as it stands in `iss`, to the letter. audience: the service's own client id.
    jwks_uri: where the issuer's keys are; left out, its discovery document tells. Keys are fetched when needed.
    authorized_parties: other clients whose tokens are accepted too, if this service is among their audiences.
    algorithms: of RS256 and ES256. accepted_acr: levels of assurance; None accepts any, though one must be there.
    leeway: how far clocks may differ. max_age: how long ago the person may have identified; None: any time.
    refetch_interval: at most one fetch for unknown keys in it. keys_lifetime: after it keys are fetched anew.
    decryption_keys: private RSA JWKs. With them only encrypted tokens are accepted, unless accept_unencrypted.
    insecure_http: fetch keys over http also from another machine. fetch, clock, monotonic: replaced in tests.
    All times are seconds. Raises ValueError for settings that make no sense.
    """

    def __init__(
        self,
        issuer: str,
        audience: str,
        *,
        jwks_uri: str | None = None,
        authorized_parties: Iterable[str] = (),
        algorithms: Iterable[str] = SUPPORTED,
        accepted_acr: Collection[str] | None = None,
        leeway: float = 60,
        max_age: float | None = None,
        refetch_interval: float = 30,
        keys_lifetime: float = 86400,
        decryption_keys: Iterable[Mapping[str, Any]] | None = None,
        accept_unencrypted: bool = False,
        insecure_http: bool = False,
        fetch: Fetch = fetch_over_http,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._algorithms = tuple(algorithms)
        if not self._algorithms or not set(self._algorithms) <= set(SUPPORTED):
            raise ValueError(f"algorithms: some of {', '.join(SUPPORTED)}")
        for several in (authorized_parties, accepted_acr):
            if isinstance(several, str):
                raise ValueError("authorized_parties and accepted_acr are lists of texts")
        if not issuer or not audience:
            raise ValueError("issuer and audience must be given")
        self._issuer = issuer
        self._audience = audience
        self._authorized_parties = frozenset(authorized_parties)
        self._accepted_acr = None if accepted_acr is None else frozenset(accepted_acr)
        self._leeway = leeway
        self._max_age = max_age
        self._decryption = None if decryption_keys is None else Decryption(decryption_keys)
        self._accept_unencrypted = accept_unencrypted or self._decryption is None
        self._clock = clock
        self._jws = PyJWS(algorithms=self._algorithms)
        self._keys = IssuerKeys(
            issuer,
            jwks_uri=jwks_uri,
            algorithms=self._algorithms,
            lifetime=keys_lifetime,
            refetch_interval=refetch_interval,
            insecure_http=insecure_http,
            fetch=fetch,
            monotonic=monotonic,
        )

    def verify(self, token: str, *, nonce: str | None = None) -> IdentityClaims:
        """What a token says, every check passed.

        token: as it came, without "Bearer". nonce: the one that this service sent, if it is itself the client.
        Raises VerificationError: one of its subclasses, of which KeysUnavailable is not the token's fault.
        Source: OpenID Connect Core §3.1.3.7; RFC 8725 §3.
        """
        if not isinstance(token, str) or len(token) > LARGEST:
            raise Malformed("no text of a token's length")
        signed = self._signed(token)
        kid, alg = check_header(signed.partition(".")[0], self._algorithms)
        key = self._keys.find(kid, alg)
        try:
            payload = self._jws.decode_complete(signed, key, algorithms=[alg])["payload"]
        except InvalidSignatureError:
            raise BadSignature("the signature does not fit") from None
        except PyJWTError:
            raise Malformed("no signed token") from None
        expected = Expected(
            issuer=self._issuer,
            audience=self._audience,
            authorized_parties=self._authorized_parties,
            accepted_acr=self._accepted_acr,
            leeway=self._leeway,
            max_age=self._max_age,
            nonce=nonce,
            now=self._clock(),
        )
        return read_claims(_object(payload), expected)

    def _signed(self, token: str) -> str:
        """The signed token, decrypted if it came encrypted."""
        if SIGNED.fullmatch(token):
            if not self._accept_unencrypted:
                raise NotDecrypted("not encrypted, though only encrypted tokens are accepted")
            return token
        if not ENCRYPTED.fullmatch(token):
            raise Malformed("no compact JWS or JWE")
        if self._decryption is None:
            raise NotDecrypted("encrypted, and there are no decryption_keys")
        signed = self._decryption.decrypt(token)
        if not SIGNED.fullmatch(signed):
            raise Malformed("no signed token inside the encrypted one")
        return signed


def _not_a_number(_: str) -> NoReturn:
    raise ValueError("not JSON")


_decode = json.JSONDecoder(parse_constant=_not_a_number).decode
"""Without NaN and Infinity, which Python takes for JSON."""


def _object(payload: bytes) -> dict[str, Any]:
    """The claims in a payload. Raises Malformed."""
    try:
        claims = _decode(payload.decode())
    except (ValueError, RecursionError):
        raise Malformed("the claims are not JSON") from None
    if not isinstance(claims, dict):
        raise Malformed("the claims are not an object")
    return claims
