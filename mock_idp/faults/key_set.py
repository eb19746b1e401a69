"""Faults of the key set. The ID token is signed by a key that nobody has seen, so that the set must be fetched again.

Each is in force until the issuer's next authorization request. Where the new key cannot be had, a relying party
that still holds a good set keeps it and says the key is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from flask import Response

from mock_idp.faults.model import Fault, Publication, Where
from mock_idp.faults.slow import hang, oversized, truncated
from mock_idp.protocol import jose

Bend = Callable[[Publication], Response | None]
_TYPE = "application/jwk-set+jwt"


def _fault(
    name: str,
    title: str,
    bend: Bend,
    *,
    tolerated: bool = False,
    code: str = "unavailable",
    conformance: str | None = None,
    options: Mapping[str, float] | None = None,
    signs_with: Literal["fresh", "weak"] = "fresh",
    keeps_kid: bool = False,
) -> Fault:
    return Fault(
        name,
        title,
        Where.JWKS,
        None if tolerated else code,
        None if tolerated else "id_token",
        conformance=conformance,
        options=options or {},
        signs_with=signs_with,
        keeps_kid=keeps_kid,
        key_set=bend,
    )


def _nothing(_publication: Publication) -> None:
    return None


def _claims(**members: Any) -> Bend:
    """Other claims in the signed set; None leaves one out."""

    def bend(publication: Publication) -> None:
        changed = publication.claims | {n: v(publication) if callable(v) else v for n, v in members.items()}
        publication.claims = {name: value for name, value in changed.items() if value is not None}

    return bend


def _header(**members: Any) -> Bend:
    def bend(publication: Publication) -> None:
        publication.header = {n: v for n, v in (publication.header | members).items() if v is not None}

    return bend


def _wrong_signer(publication: Publication) -> None:
    # The attacker signs under the bank's own entity key id.
    publication.signer = publication.bank.keys.stranger()


def _signed_by_signing_key(publication: Publication) -> None:
    publication.signer = publication.bank.keys.of(publication.issuer).current
    publication.header["kid"] = publication.signer.kid


def _without_fresh(publication: Publication) -> None:
    publication.keys.remove(publication.fresh)


def _malformed_beside(publication: Publication) -> None:
    broken = [{"kty": "RSA", "kid": "broken", "n": "!!", "e": 3}, {"kty": "unheard-of", "kid": "new"}, {}, 7]
    publication.keys[:0] = [*broken, {"kty": "EC", "crv": "P-256", "kid": "short", "x": "AA", "y": "AA"}]


def _fresh_with(**members: Any) -> Bend:
    def bend(publication: Publication) -> None:
        publication.fresh.update(members)

    return bend


def _symmetric(publication: Publication) -> None:
    secret = jose.encode(b"known to everybody, 32 bytes long")
    publication.keys[-1] = {"kty": "oct", "k": secret, "kid": publication.fresh["kid"], "use": "sig", "alg": "HS256"}


def _unsigned(publication: Publication) -> Response:
    return Response(jose.to_json({"keys": publication.keys}), mimetype="application/json")


def _alg_none(publication: Publication) -> Response:
    claims = jose.to_json(publication.claims | {"keys": publication.keys})
    return Response(jose.unsigned(publication.header | {"alg": "none"}, claims), mimetype=_TYPE)


def _whole(publication: Publication) -> bytes:
    claims = jose.to_json(publication.claims | {"keys": publication.keys})
    return jose.sign(publication.header, claims, publication.signer.private).encode()


def _redirect(publication: Publication) -> Response:
    return Response("", 302, headers={"Location": f"{publication.bank.config.back}/attacker/jwks"})


FAULTS = (
    _fault("jwks-down", "The key set answers 503", lambda _p: Response("", 503)),
    _fault("jwks-not-found", "The key set answers 404", lambda _p: Response("", 404)),
    _fault(
        "jwks-html", "The key set is an HTML page", lambda _p: Response("<h1>Maintenance", 200, mimetype="text/html")
    ),
    _fault("jwks-redirect", "The key set is moved to somebody else", _redirect),
    _fault(
        "jwks-huge",
        "A key set of 10 MB",
        lambda p: oversized(p.options, _whole(p), b"", _TYPE),
        options={"bytes": 10_000_000.0},
    ),
    _fault("jwks-hang", "The key set does not answer", lambda p: hang(p.bank, p.options), options={"seconds": 30.0}),
    _fault("jwks-truncated", "Half a key set", lambda p: truncated(_whole(p), _TYPE)),
    _fault("jwks-wrong-signer", "Signed by an attacker's key", _wrong_signer),
    _fault(
        "jwks-signed-by-signing-key", "Signed by the bank's signing key, not its entity key", _signed_by_signing_key
    ),
    _fault("jwks-unsigned", "A plain JWKS where a signed one is due", _unsigned),
    _fault("jwks-alg-none", "alg none", _alg_none),
    _fault("jwks-expired", "exp was an hour ago", _claims(exp=lambda p: p.now - 3600, iat=lambda p: p.now - 7200)),
    _fault("jwks-from-future", "iat is an hour ahead", _claims(iat=lambda p: p.now + 3600)),
    _fault("jwks-wrong-iss", "iss is another entity", _claims(iss="https://attacker.example")),
    _fault("jwks-wrong-sub", "sub is another entity", _claims(sub="https://attacker.example")),
    _fault("jwks-missing-iss", "iss is missing", _claims(iss=None)),
    _fault("jwks-unknown-kid", "The key is never published", _without_fresh),
    _fault("jwks-key-for-encryption", "The key is published for encryption (use enc)", _fresh_with(use="enc")),
    _fault("jwks-symmetric-key", "A symmetric key under the key id", _symmetric),
    _fault("jwks-weak-key", "An RSA key of 1024 bits", _nothing, signs_with="weak"),
    _fault(
        "signing-key-rotation",
        "A new signing key, published when it is used",
        _nothing,
        tolerated=True,
        conformance="oidcc-client-test-signing-key-rotation-just-before-signing",
    ),
    _fault(
        "signing-key-same-kid",
        "A new signing key under the kid of the one before",
        _nothing,
        tolerated=True,
        keeps_kid=True,
    ),
    _fault(
        "jwks-malformed-key-beside", "Malformed and unknown keys beside the good one", _malformed_beside, tolerated=True
    ),
    _fault(
        "jwks-optional-members-null",
        "use, alg and key_ops of the key are null",
        _fresh_with(use=None, alg=None, key_ops=None),
        tolerated=True,
    ),
    _fault(
        "jwks-key-ops-string",
        "key_ops is one string",
        _fresh_with(key_ops="verify"),
        tolerated=True,
    ),
    _fault("jwks-typ-jws", "typ JWS, as OP sends", _header(typ="JWS"), tolerated=True),
    _fault("jwks-typ-absent", "No typ", _header(typ=None), tolerated=True),
    _fault("jwks-without-times", "No iat and no exp: both are optional", _claims(iat=None, exp=None), tolerated=True),
    _fault("jwks-extra-claims", "Claims that nobody knows", _claims(x={"y": 1}), tolerated=True),
)
