"""The port to what holds private keys outside of the process."""

from __future__ import annotations

from typing import Any, Protocol

from joserfc.jwk import Key


class Token(Protocol):
    """A device, or what acts like one, that makes and uses private keys and never gives them away."""

    def key_of(self, purpose: str, jwk: dict[str, Any]) -> Key:
        """The private key whose public part is a JWK with `kid`; the token is asked when it is used."""
        ...

    def generate(self, purpose: str, alg: str, rsa_bits: int) -> tuple[dict[str, Any], bool]:
        """A new key's public JWK with `kid` and `alg`; and whether it can do no other encryption than `alg`."""
        ...

    def destroy(self, purpose: str, kid: str) -> None:
        """Remove a key."""
        ...
