"""Encryption of what stands in the store: AES-256-GCM, bound to the name it is stored under.

    byte 0        format version
    bytes 1-8     which key: the first bytes of the SHA-256 of its kid
    bytes 9-20    nonce, random
    the rest      ciphertext and tag

Associated data: everything before the ciphertext, and the name. With random nonces of 96 bits one key may seal
2**32 values (NIST SP 800-38D §8.3).
"""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from providers.model import DecryptionFailed

VERSION = b"\x01"
_ID, _NONCE, _TAG = 8, 12, 16
_HEADER = len(VERSION) + _ID


@lru_cache(maxsize=64)
def key_id(kid: str) -> bytes:
    """How a sealed value names its key."""
    return hashlib.sha256(kid.encode()).digest()[:_ID]


def key_of(sealed: bytes) -> bytes:
    """The key id of a sealed value. Raises DecryptionFailed for another format."""
    if len(sealed) < _HEADER + _NONCE + _TAG or not sealed.startswith(VERSION):
        raise DecryptionFailed("the sealed value has another format")
    return sealed[len(VERSION) : _HEADER]


def seal(cipher: AESGCM, identifier: bytes, name: str, data: bytes) -> bytes:
    """Encrypt data under a key, bound to a name."""
    header, nonce = VERSION + identifier, os.urandom(_NONCE)
    return header + nonce + cipher.encrypt(nonce, data, header + name.encode())


def unseal(cipher: AESGCM, name: str, sealed: bytes) -> bytes:
    """The reverse. Raises DecryptionFailed if the value was changed, or was sealed for another name."""
    nonce = sealed[_HEADER : _HEADER + _NONCE]
    try:
        return cipher.decrypt(nonce, sealed[_HEADER + _NONCE :], sealed[:_HEADER] + name.encode())
    except InvalidTag as error:
        raise DecryptionFailed("the sealed value does not open under this name") from error
