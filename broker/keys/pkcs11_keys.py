"""cryptography's private keys, of which only the public part is here: what is private is asked of a token."""

from __future__ import annotations

from typing import Any, NoReturn, Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa


class Operations(Protocol):
    """What a token does with a key that it holds, by its label."""

    def sign_rsa(self, label: str, data: bytes) -> bytes:
        """RS256."""
        ...

    def sign_ec(self, label: str, data: bytes) -> bytes:
        """ES256, in DER."""
        ...

    def decrypt(self, label: str, ciphertext: bytes, *, sha256: bool) -> bytes:
        """RSA-OAEP, or RSA-OAEP-256. Raises ValueError if it does not open."""
        ...


class TokenRSAKey(rsa.RSAPrivateKey):
    """An RSA key in a token."""

    def __init__(self, token: Operations, label: str, public: rsa.RSAPublicKey) -> None:
        self._token, self._label, self._public = token, label, public

    @property
    def key_size(self) -> int:
        """Bits of the modulus."""
        return self._public.key_size

    def public_key(self) -> rsa.RSAPublicKey:
        """The public part."""
        return self._public

    def sign(self, data: Any, padding_: Any, algorithm: Any) -> bytes:
        """PKCS#1 v1.5 with SHA-256, and nothing else. Raises UnsupportedAlgorithm, KeysUnavailable."""
        if not isinstance(padding_, padding.PKCS1v15) or not isinstance(algorithm, hashes.SHA256):
            raise UnsupportedAlgorithm("a token's key signs RS256 alone")
        return self._token.sign_rsa(self._label, bytes(data))

    def decrypt(self, ciphertext: Any, padding_: Any) -> bytes:
        """OAEP with SHA-1 or SHA-256. Raises ValueError if it does not open, KeysUnavailable."""
        if not isinstance(padding_, padding.OAEP):
            raise UnsupportedAlgorithm("a token's key decrypts RSA-OAEP alone")
        return self._token.decrypt(self._label, bytes(ciphertext), sha256=isinstance(padding_.algorithm, hashes.SHA256))

    def private_numbers(self) -> NoReturn:
        """There are none outside of the token."""
        raise UnsupportedAlgorithm("the key does not leave its token")

    def private_bytes(self, encoding: Any, format: Any, encryption_algorithm: Any) -> NoReturn:
        """There are none outside of the token."""
        raise UnsupportedAlgorithm("the key does not leave its token")

    def __copy__(self) -> TokenRSAKey:
        return self

    def __deepcopy__(self, memo: dict[Any, Any]) -> TokenRSAKey:
        return self


class TokenECKey(ec.EllipticCurvePrivateKey):
    """A P-256 key in a token."""

    def __init__(self, token: Operations, label: str, public: ec.EllipticCurvePublicKey) -> None:
        self._token, self._label, self._public = token, label, public

    @property
    def curve(self) -> ec.EllipticCurve:
        """P-256."""
        return self._public.curve

    @property
    def key_size(self) -> int:
        """256."""
        return self._public.key_size

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The public part."""
        return self._public

    def sign(self, data: Any, signature_algorithm: Any) -> bytes:
        """ECDSA with SHA-256. Raises KeysUnavailable."""
        if not isinstance(signature_algorithm.algorithm, hashes.SHA256):
            raise UnsupportedAlgorithm("a token's key signs ES256 alone")
        return self._token.sign_ec(self._label, bytes(data))

    def exchange(self, algorithm: Any, peer_public_key: Any) -> NoReturn:
        """Not asked of it."""
        raise UnsupportedAlgorithm("a token's key signs ES256 alone")

    def private_numbers(self) -> NoReturn:
        """There are none outside of the token."""
        raise UnsupportedAlgorithm("the key does not leave its token")

    def private_bytes(self, encoding: Any, format: Any, encryption_algorithm: Any) -> NoReturn:
        """There are none outside of the token."""
        raise UnsupportedAlgorithm("the key does not leave its token")

    def __copy__(self) -> TokenECKey:
        return self

    def __deepcopy__(self, memo: dict[Any, Any]) -> TokenECKey:
        return self
