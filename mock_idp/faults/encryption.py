"""Faults of the encryption: what a decrypting relying party must not fall for, and variants it must accept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mock_idp.faults.model import ALL_DIALECTS, Fault, Minting, Where
from mock_idp.protocol import jose
from mock_idp.protocol.refusal import Refused

Encrypt = Callable[[bytes, Minting], str]
_BOMB = 20_000_000
_PBES2_COUNT = 2**31 - 1


def _refused(
    name: str, title: str, jwe: Encrypt, conformance: str | None = None, dialects: tuple[str, ...] = ALL_DIALECTS
) -> Fault:
    return Fault(
        name,
        title,
        Where.JWE,
        expected_code="integrity_error",
        expected_step="id_token",
        dialects=dialects,
        conformance=conformance,
        jwe=jwe,
    )


def _tolerated(name: str, title: str, jwe: Encrypt, dialects: tuple[str, ...] = ALL_DIALECTS) -> Fault:
    return Fault(name, title, Where.JWE, dialects=dialects, jwe=jwe)


def _token(name: str, title: str, change: Callable[[str, Minting], Any]) -> Fault:
    return Fault(name, title, Where.JWE, expected_code="integrity_error", expected_step="id_token", id_token=change)


def _with_header(**members: Any) -> Encrypt:
    """Encrypt to the relying party with more members in the header; None leaves one out."""

    def encrypt(inner: bytes, minting: Minting) -> str:
        header = minting.jwe_header | {n: v(minting) if callable(v) else v for n, v in members.items()}
        return jose.encrypt({n: v for n, v in header.items() if v is not None}, inner, minting.recipient.key)

    return encrypt


def _rsa_oaep_256(inner: bytes, minting: Minting) -> str:
    """As a bank does that goes by the `alg` of the published key."""
    if not minting.recipient.is_for("RSA-OAEP-256"):
        raise Refused("relying party", "publishes no encryption key for RSA-OAEP-256", "invalid_client")
    return _with_header(alg="RSA-OAEP-256", enc="A256GCM")(inner, minting)


def _direct(inner: bytes, minting: Minting) -> str:
    # The attacker knows every byte of the relying party's public key.
    secret = jose.to_json(jose.public_jwk(minting.recipient.key))
    return jose.encrypt(minting.jwe_header | {"alg": "dir"}, inner, secret)


def _to_attacker(inner: bytes, minting: Minting) -> str:
    return jose.encrypt(minting.jwe_header, inner, minting.attacker.private.public_key())


def _claims_only(inner: bytes, minting: Minting) -> str:
    claims = jose.parse_jws(inner.decode()).payload
    return jose.encrypt(minting.jwe_header, claims, minting.recipient.key)


def _twice(inner: bytes, minting: Minting) -> str:
    nested = jose.encrypt(minting.jwe_header, inner, minting.recipient.key)
    return jose.encrypt(minting.jwe_header, nested.encode(), minting.recipient.key)


def _bomb(inner: bytes, minting: Minting) -> str:
    return jose.encrypt(minting.jwe_header | {"zip": "DEF"}, inner + b" " * _BOMB, minting.recipient.key)


def _duplicate_header(inner: bytes, minting: Minting) -> str:
    text = jose.to_json(minting.jwe_header)[:-1] + b',"alg":"RSA-OAEP"}'
    return jose.encrypt(minting.jwe_header, inner, minting.recipient.key, header_text=text)


def _password(inner: bytes, minting: Minting) -> str:
    token = jose.encrypt(minting.jwe_header, inner, minting.recipient.key)
    header = minting.jwe_header | {"alg": "PBES2-HS256+A128KW", "p2c": _PBES2_COUNT, "p2s": jose.encode(b"salt" * 4)}
    return f"{jose.encode(jose.to_json(header))}.{token.partition('.')[2]}"


def _flip_tag(token: str, _minting: Minting) -> str:
    head, _, tag = token.rpartition(".")
    data = bytearray(jose.decode(tag))
    data[0] ^= 1
    return f"{head}.{jose.encode(bytes(data))}"


def _json_serialization(token: str, _minting: Minting) -> str:
    names = ("protected", "encrypted_key", "iv", "ciphertext", "tag")
    return jose.to_json(dict(zip(names, token.split("."), strict=True))).decode()


def _issuer(minting: Minting) -> str:
    return minting.request.issuer.url(minting.bank.config)


def _client(minting: Minting) -> str:
    return minting.bank.config.client_id


FAULTS = (
    _refused("idtoken-not-encrypted", "Signed, not encrypted", lambda inner, _m: inner.decode()),
    _refused("encrypted-not-signed", "Encrypted, the claims inside not signed", _claims_only),
    _refused("encrypted-twice", "A JWE inside the JWE", _twice),
    _refused(
        "encrypted-idtoken-usingrsa15",
        "JWE alg RSA1_5",
        _with_header(alg="RSA1_5"),
        "fapi1-advanced-final-client-test-encrypted-idtoken-usingrsa15",
    ),
    _refused("jwe-dir", "JWE alg dir, keyed with the relying party's public key", _direct),
    _refused("jwe-pbes2", "JWE alg PBES2 with two thousand million iterations", _password),
    _refused("jwe-enc-not-allowed", "JWE enc A192GCM", _with_header(enc="A192GCM")),
    _refused("jwe-kid-unknown", "kid names no key of the relying party", _with_header(kid="nobody")),
    _refused("jwe-kid-absent", "No kid in the JWE header", _with_header(kid=None)),
    _refused("jwe-to-another-key", "Encrypted to somebody else, under the relying party's kid", _to_attacker),
    _refused("jwe-zip-bomb", "20 MB of spaces, compressed (zip)", _bomb),
    _refused("jwe-zip", "Compressed (zip)", _with_header(zip="DEF")),
    _refused("jwe-crit", "crit names an extension", _with_header(crit=["exp-check"], **{"exp-check": True})),
    _refused("jwe-duplicate-member", "alg stands twice in the JWE header", _duplicate_header),
    _refused("jwe-cty-wrong", "cty says plain text", _with_header(cty="text/plain")),
    _refused("jwe-header-long", "A header of 10,000 characters", _with_header(x="a" * 10_000)),
    _token("jwe-tag-invalid", "The authentication tag does not hold", _flip_tag),
    _token("jwe-stray-padding", "Padding after the tag", lambda token, _m: token + "=="),
    _token("jwe-whitespace", "A line break after the JWE", lambda token, _m: token + "\n"),
    _token("jwe-four-parts", "One part is missing", lambda token, _m: token.rpartition(".")[0]),
    _token("jwe-json-serialization", "The JWE in JSON serialization", _json_serialization),
    _token("idtoken-empty", "The ID token is two dots", lambda _token, _m: ".."),
    _tolerated("jwe-a128gcm", "JWE enc A128GCM", _with_header(enc="A128GCM"), ("ftn", "telia")),
    _tolerated(
        "jwe-rsa-oaep-256-a256gcm",
        "RSA-OAEP-256 with A256GCM",
        _rsa_oaep_256,
        ("ftn",),
    ),
    _refused(
        "jwe-rsa-oaep-256-undocumented",
        "RSA-OAEP-256 with A256GCM, where the dialect does not know it",
        _with_header(alg="RSA-OAEP-256", enc="A256GCM"),
        dialects=("telia", "isb"),
    ),
    _tolerated(
        "jwe-header-repeats-claims", "iss and aud repeated in the JWE header", _with_header(iss=_issuer, aud=_client)
    ),
    _tolerated("jwe-extra-header", "A JWE header member that nobody knows", _with_header(**{"x-bank": "1"})),
    _tolerated("jwe-cty-absent", "No cty in the JWE header", _with_header(cty=None)),
)
