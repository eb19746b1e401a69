"""Faults of the signature: every confusion of algorithm and key that RFC 8725 warns of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import serialization

from mock_idp.faults.model import Fault, Minting, Where
from mock_idp.protocol import jose

Sign = Callable[[bytes, Minting], str]


def _refused(
    name: str, title: str, jws: Sign, conformance: str | None = None, *, code: str = "integrity_error"
) -> Fault:
    return Fault(name, title, Where.JWS, expected_code=code, expected_step="id_token", conformance=conformance, jws=jws)


def _with_header(key: str = "bank", /, **members: Any) -> Sign:
    """Sign by the bank's key or the attacker's, with more members in the header; None leaves one out."""

    def sign(payload: bytes, minting: Minting) -> str:
        header = minting.jws_header | {n: v(minting) if callable(v) else v for n, v in members.items()}
        private = minting.signing.private if key == "bank" else minting.attacker.private
        return jose.sign({n: v for n, v in header.items() if v is not None}, payload, private)

    return sign


def _flip(token: str) -> str:
    """The same JWS with one bit of its signature turned."""
    head, _, signature = token.rpartition(".")
    data = bytearray(jose.decode(signature))
    data[0] ^= 1
    return f"{head}.{jose.encode(bytes(data))}"


def _after(change: Callable[[str], str]) -> Sign:
    """Sign well, then change the text."""
    return lambda payload, m: change(jose.sign(m.jws_header, payload, m.signing.private))


def _hmac_with_public_key(payload: bytes, minting: Minting) -> str:
    pem = minting.signing.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return jose.sign_hmac(minting.jws_header | {"alg": "HS256"}, payload, pem)


def _hmac_with_jwk(payload: bytes, minting: Minting) -> str:
    return jose.sign_hmac(minting.jws_header | {"alg": "HS256"}, payload, jose.to_json(minting.signing.public()))


def _duplicate_header(payload: bytes, minting: Minting) -> str:
    text = jose.to_json(minting.jws_header)[:-1] + b',"alg":"RS256"}'
    return jose.sign_raw(text, payload, minting.signing.private)


def _json_serialization(payload: bytes, minting: Minting) -> str:
    header, body, signature = jose.sign(minting.jws_header, payload, minting.signing.private).split(".")
    return jose.to_json({"protected": header, "payload": body, "signature": signature}).decode()


def _attackers_jwk(minting: Minting) -> dict[str, Any]:
    return minting.attacker.public(use="sig", alg="RS256")


def _attackers_jwks(minting: Minting) -> str:
    return f"{minting.bank.config.back}/attacker/jwks"


def _payload(name: str, title: str, change: Callable[[bytes, Minting], bytes]) -> Fault:
    return Fault(name, title, Where.JWS, expected_code="integrity_error", expected_step="id_token", payload=change)


def _duplicate_claim(payload: bytes, _minting: Minting) -> bytes:
    return payload[:-1] + b',"sub":"somebody-else"}'


FAULTS = (
    _refused(
        "idtoken-sig-none",
        "alg none and no signature, inside the JWE",
        lambda payload, m: jose.unsigned({"alg": "none", "kid": m.signing.kid}, payload),
        "oidcc-client-test-idtoken-sig-none",
    ),
    _refused(
        "sig-none-other-case", "alg nOnE", lambda payload, m: jose.unsigned(m.jws_header | {"alg": "nOnE"}, payload)
    ),
    _refused(
        "signature-empty", "alg RS256, the signature is empty", lambda payload, m: jose.unsigned(m.jws_header, payload)
    ),
    _refused(
        "invalid-sig-rs256", "The signature does not verify", _after(_flip), "oidcc-client-test-invalid-sig-rs256"
    ),
    _refused("sig-by-another-key", "Signed by an attacker's key under the bank's kid", _with_header("attacker")),
    _refused(
        "invalid-sig-hs256",
        "HS256 keyed with the bank's public key (PEM)",
        _hmac_with_public_key,
        "oidcc-client-test-invalid-sig-hs256",
    ),
    _refused("sig-hs256-jwk", "HS256 keyed with the bank's public JWK", _hmac_with_jwk),
    _refused(
        "invalid-alternate-alg",
        "PS256 by the bank's own key",
        lambda payload, m: jose.sign_pss(m.jws_header | {"alg": "PS256"}, payload, m.signing.private),
        "fapi1-advanced-final-client-test-invalid-alternate-alg",
    ),
    _refused(
        "kid-absent-multiple-jwks",
        "No kid in the header",
        _with_header(kid=None),
        "oidcc-client-test-kid-absent-multiple-jwks",
    ),
    _refused("kid-wrong-type", "kid is a number", _with_header(kid=1)),
    _refused("jws-jwk", "The attacker's key stands in the header (jwk)", _with_header("attacker", jwk=_attackers_jwk)),
    _refused(
        "jws-jku", "The header points to the attacker's keys (jku)", _with_header("attacker", jku=_attackers_jwks)
    ),
    _refused(
        "jws-x5u",
        "The header points to the attacker's certificate (x5u)",
        _with_header("attacker", x5u=_attackers_jwks),
    ),
    _refused("jws-crit", "crit names an extension", _with_header(crit=["exp-check"], **{"exp-check": True})),
    _refused("jws-b64", "b64 false (RFC 7797)", _with_header(crit=["b64"], b64=False)),
    _refused("jws-duplicate-member", "alg stands twice in the header", _duplicate_header),
    _refused("jws-stray-padding", "Padding after the signature", _after(lambda token: token + "==")),
    _refused("jws-whitespace", "A line break after the JWS", _after(lambda token: token + "\n")),
    _refused("jws-two-parts", "The signature part is missing", _after(lambda token: token.rpartition(".")[0])),
    _refused("jws-json-serialization", "The JWS in JSON serialization", _json_serialization),
    _payload("claims-duplicate-member", "sub stands twice among the claims", _duplicate_claim),
    _payload("claims-no-object", "The claims are a JSON array", lambda payload, _m: b"[" + payload + b"]"),
    _payload("claims-not-json", "The claims are no JSON", lambda _payload, _m: b"not json"),
    _payload("claims-not-utf8", "The claims are not UTF-8", lambda payload, _m: payload[:-1] + b',"x":"\xff"}'),
    Fault("jws-extra-header", "A header member that nobody knows", Where.JWS, jws=_with_header(**{"x-bank": "1"})),
    Fault("jws-typ-absent", "No typ in the JWS header", Where.JWS, jws=_with_header(typ=None)),
)
