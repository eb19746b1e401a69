"""JOSE by hand (RFC 7515, 7516, 7518): exactly what is asked for, also what a library would refuse to make.

Reading is strict: canonical base64url, no duplicate members, one algorithm. Writing takes any header.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*\Z")


class Malformed(Exception):
    """A JOSE object does not hold; the text says what is wrong."""


def encode(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The bytes of canonical base64url without padding. Raises Malformed."""
    if not _BASE64URL.match(text) or len(text) % 4 == 1:
        raise Malformed("not base64url")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode(data) != text:
        raise Malformed("not canonical base64url")
    return data


def to_json(value: Any) -> bytes:
    """Compact JSON in UTF-8."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Malformed("a JSON member stands twice")
    return members


def from_json(data: bytes, what: str) -> dict[str, Any]:
    """A JSON object, no member twice. Raises Malformed, naming `what`."""
    try:
        value = json.loads(data.decode(), object_pairs_hook=_no_duplicates)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise Malformed(f"{what} is not JSON") from error
    if not isinstance(value, dict):
        raise Malformed(f"{what} is not a JSON object")
    return value


@dataclass(frozen=True, slots=True)
class Jws:
    """A compact JWS, taken apart but not verified."""

    header: Mapping[str, Any]
    payload: bytes
    signing_input: bytes
    signature: bytes


def parse_jws(token: str) -> Jws:
    """Take a compact JWS apart. Raises Malformed."""
    parts = token.split(".")
    if len(parts) != 3:
        raise Malformed("not a compact JWS of three parts")
    header = from_json(decode(parts[0]), "the JWS header")
    return Jws(header, decode(parts[1]), f"{parts[0]}.{parts[1]}".encode(), decode(parts[2]))


def verify_rs256(jws: Jws, key: RSAPublicKey) -> bool:
    """Whether the signature is RS256 by that key; the header must say so too."""
    if jws.header.get("alg") != "RS256" or "crit" in jws.header:
        return False
    try:
        key.verify(jws.signature, jws.signing_input, rsa_padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def public_jwk(key: RSAPublicKey) -> dict[str, Any]:
    """The public members of an RSA key: kty, n, e."""
    numbers = key.public_numbers()
    return {
        "kty": "RSA",
        "n": encode(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8)),
        "e": encode(numbers.e.to_bytes((numbers.e.bit_length() + 7) // 8)),
    }


def thumbprint(key: RSAPublicKey) -> str:
    """The RFC 7638 thumbprint, by SHA-256."""
    members = json.dumps(public_jwk(key), sort_keys=True, separators=(",", ":"))
    return encode(hashlib.sha256(members.encode()).digest())


def read_public_jwk(jwk: Mapping[str, Any]) -> RSAPublicKey:
    """An RSA public key of at least 2048 bits from a JWK. Raises Malformed."""
    n, e = jwk.get("n"), jwk.get("e")
    if jwk.get("kty") != "RSA" or not isinstance(n, str) or not isinstance(e, str):
        raise Malformed("not an RSA key with n and e")
    if jwk.keys() & {"d", "p", "q", "dp", "dq", "qi", "k"}:
        raise Malformed("a private member is published")
    try:
        key = RSAPublicNumbers(int.from_bytes(decode(e)), int.from_bytes(decode(n))).public_key()
    except ValueError as error:
        raise Malformed("not a usable RSA key") from error
    if key.key_size < 2048:
        raise Malformed("an RSA key of fewer than 2048 bits")
    return key


def sign_raw(header: bytes, payload: bytes, key: RSAPrivateKey) -> str:
    """A compact RS256 JWS over exactly this header text."""
    signing_input = f"{encode(header)}.{encode(payload)}"
    signature = key.sign(signing_input.encode(), rsa_padding.PKCS1v15(), hashes.SHA256())
    return f"{signing_input}.{encode(signature)}"


def sign(header: Mapping[str, Any], payload: bytes, key: RSAPrivateKey) -> str:
    """A compact RS256 JWS; `alg` of the header is the caller's word."""
    return sign_raw(to_json(header), payload, key)


def sign_pss(header: Mapping[str, Any], payload: bytes, key: RSAPrivateKey) -> str:
    """A compact PS256 JWS."""
    signing_input = f"{encode(to_json(header))}.{encode(payload)}"
    pss = rsa_padding.PSS(mgf=rsa_padding.MGF1(hashes.SHA256()), salt_length=32)
    return f"{signing_input}.{encode(key.sign(signing_input.encode(), pss, hashes.SHA256()))}"


def sign_hmac(header: Mapping[str, Any], payload: bytes, secret: bytes) -> str:
    """A compact HS256 JWS."""
    signing_input = f"{encode(to_json(header))}.{encode(payload)}"
    return f"{signing_input}.{encode(hmac.digest(secret, signing_input.encode(), 'sha256'))}"


def unsigned(header: Mapping[str, Any], payload: bytes) -> str:
    """A compact JWS with an empty signature."""
    return f"{encode(to_json(header))}.{encode(payload)}."


_ENC_BYTES = {"A128CBC-HS256": 32, "A128GCM": 16, "A192GCM": 24, "A256GCM": 32}


def encrypt(
    header: Mapping[str, Any],
    plaintext: bytes,
    key: RSAPublicKey | bytes,
    *,
    header_text: bytes | None = None,
) -> str:
    """A compact JWE by `alg` and `enc` of the header; key: the recipient's, or the bytes of `dir`.

    With `zip` DEF the plaintext is compressed. header_text: the exact header, where it is no plain JSON.
    """
    enc = header["enc"]
    if isinstance(key, bytes):
        content_key, encrypted_key = key[: _ENC_BYTES[enc]].ljust(_ENC_BYTES[enc], b"\0"), b""
    else:
        content_key = os.urandom(_ENC_BYTES[enc])
        encrypted_key = _wrap(str(header["alg"]), content_key, key)
    if header.get("zip") == "DEF":
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        plaintext = deflate.compress(plaintext) + deflate.flush()
    protected = encode(header_text if header_text is not None else to_json(header))
    iv, ciphertext, tag = _seal(enc, content_key, plaintext, protected.encode())
    return ".".join((protected, encode(encrypted_key), encode(iv), encode(ciphertext), encode(tag)))


def _wrap(alg: str, content_key: bytes, key: RSAPublicKey) -> bytes:
    if alg == "RSA1_5":
        return key.encrypt(content_key, rsa_padding.PKCS1v15())
    digest = hashes.SHA256() if alg == "RSA-OAEP-256" else hashes.SHA1()  # noqa: S303 (RFC 7518 §4.3)
    return key.encrypt(content_key, rsa_padding.OAEP(rsa_padding.MGF1(digest), digest, None))


def _seal(enc: str, key: bytes, plaintext: bytes, associated: bytes) -> tuple[bytes, bytes, bytes]:
    if enc != "A128CBC-HS256":
        iv = os.urandom(12)
        sealed = AESGCM(key).encrypt(iv, plaintext, associated)
        return iv, sealed[:-16], sealed[-16:]
    iv = os.urandom(16)
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key[16:]), modes.CBC(iv)).encryptor()
    ciphertext = encryptor.update(padder.update(plaintext) + padder.finalize()) + encryptor.finalize()
    authenticated = associated + iv + ciphertext + (len(associated) * 8).to_bytes(8)
    return iv, ciphertext, hmac.digest(key[:16], authenticated, "sha256")[:16]
