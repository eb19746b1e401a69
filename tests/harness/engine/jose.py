"""Compact JOSE as a bank, or an attacker, would write it: every header byte is ours to choose.

Written over `cryptography` alone, so that the engine is not held against the library it is made of.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
import os
from typing import Any

from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from joserfc.jwk import RSAKey

Key = RSAKey | str
"""A key, or the name of one."""


@functools.cache
def rsa_key(name: str, bits: int = 2048) -> RSAKey:
    """The RSA key of that name, made once in a test run; its `kid` is the name."""
    return RSAKey.generate_key(bits, {"kid": name})


def public_jwk(name: str, **members: Any) -> dict[str, Any]:
    """The public JWK of the key of that name; members: put over its own."""
    return {**rsa_key(name).as_dict(private=False), "kid": name, **members}


def _key(key: Key) -> RSAKey:
    return rsa_key(key) if isinstance(key, str) else key


def public(key: RSAKey, **members: Any) -> dict[str, Any]:
    """The public JWK of a signing key, with more members or others; None leaves one out."""
    jwk = {**key.as_dict(private=False), "use": "sig", "alg": "RS256"} | members
    return {name: value for name, value in jwk.items() if value is not None}


def b64(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(segment: str) -> bytes:
    """The reverse."""
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def as_bytes(content: Any) -> bytes:
    """JSON of a value; bytes as they are."""
    return content if isinstance(content, bytes) else json.dumps(content).encode()


def header_of(token: str) -> dict[str, Any]:
    """The header of a compact token, unverified."""
    return dict(json.loads(unb64(token.split(".")[0])))


def payload_of(token: str) -> dict[str, Any]:
    """What a compact JWS says, unverified."""
    return dict(json.loads(unb64(token.split(".")[1])))


def at_hash(access_token: str) -> str:
    """OpenID Connect Core §3.1.3.6."""
    return b64(hashlib.sha256(access_token.encode()).digest()[:16])


def sign(header: Any, payload: Any, key: Key, how: str = "RS256") -> str:
    """A compact JWS of any header and any payload. how: what is really done, whatever the header says."""
    signed = f"{b64(as_bytes(header))}.{b64(as_bytes(payload))}"
    if how == "none":
        return f"{signed}."
    private = _key(key).private_key
    assert private is not None
    if how == "HS256":  # the classic: the public key, which everybody has, as the secret
        secret = _key(key).as_pem(private=False)
        return f"{signed}.{b64(hmac.digest(secret, signed.encode(), 'sha256'))}"
    if how == "PS256":
        pss = rsa_padding.PSS(rsa_padding.MGF1(hashes.SHA256()), 32)
        return f"{signed}.{b64(private.sign(signed.encode(), pss, hashes.SHA256()))}"
    digest = {"RS256": hashes.SHA256(), "RS512": hashes.SHA512()}[how]
    return f"{signed}.{b64(private.sign(signed.encode(), rsa_padding.PKCS1v15(), digest))}"


def encrypt(header: Any, content: bytes, key: Key, wrap: str = "RSA-OAEP", enc: str = "A128CBC-HS256") -> str:
    """A compact JWE. wrap, enc: what is really done, whatever the header says."""
    cek = os.urandom({"A128CBC-HS256": 32, "A128GCM": 16, "A256GCM": 32}[enc])
    public_key = _key(key).public_key
    wrapped = b""
    if wrap == "dir":
        cek = hashlib.sha256(_key(key).as_pem(private=False)).digest()[: len(cek)]
    elif wrap == "RSA1_5":
        wrapped = public_key.encrypt(cek, rsa_padding.PKCS1v15())
    else:
        digest = hashes.SHA1() if wrap == "RSA-OAEP" else hashes.SHA256()  # noqa: S303 (RFC 7518 §4.3)
        wrapped = public_key.encrypt(cek, rsa_padding.OAEP(rsa_padding.MGF1(digest), digest, None))
    protected = b64(as_bytes(header))
    iv, sealed, tag = _seal(enc, cek, content, protected.encode())
    return ".".join((protected, b64(wrapped), b64(iv), b64(sealed), b64(tag)))


def _seal(enc: str, cek: bytes, content: bytes, aad: bytes) -> tuple[bytes, bytes, bytes]:
    if enc != "A128CBC-HS256":
        iv = os.urandom(12)
        sealed = AESGCM(cek).encrypt(iv, content, aad)
        return iv, sealed[:-16], sealed[-16:]
    iv = os.urandom(16)
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(cek[16:]), modes.CBC(iv)).encryptor()
    sealed = encryptor.update(padder.update(content) + padder.finalize()) + encryptor.finalize()
    length = (len(aad) * 8).to_bytes(8, "big")
    return iv, sealed, hmac.digest(cek[:16], aad + iv + sealed + length, "sha256")[:16]
