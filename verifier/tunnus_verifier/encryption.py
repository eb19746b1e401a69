"""Opens encrypted identity tokens: a signed token in a JWE (OpenID Connect Core §16.14). Needs joserfc."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tunnus_verifier.errors import NotDecrypted
from tunnus_verifier.header import read_header

JWE_ALG = "RSA-OAEP-256"
JWE_ENC = "A256GCM"


class Decryption:
    """The private keys that tokens may be encrypted to.

    keys: private RSA keys as JWKs; while one is replaced there are two, each with a `kid`.
    Raises ImportError without joserfc, ValueError for a key that cannot decrypt.
    """

    def __init__(self, keys: Iterable[Mapping[str, Any]]) -> None:
        try:
            from joserfc import jwe
            from joserfc.errors import JoseError
            from joserfc.jwk import RSAKey
        except ImportError:
            raise ImportError("decryption_keys needs joserfc: pip install 'tunnus-verifier[encrypted]'") from None
        self._jwe = jwe
        self._refusals = (JoseError, ValueError, TypeError, KeyError)
        self._keys: list[tuple[str | None, RSAKey]] = []
        for jwk in keys:
            try:
                key = RSAKey.import_key({name: value for name, value in jwk.items() if isinstance(value, str)})
            except self._refusals:
                raise ValueError("decryption_keys: not an RSA key as a JWK") from None
            if not key.is_private:
                raise ValueError("decryption_keys: a public key decrypts nothing")
            self._keys.append((jwk.get("kid"), key))
        if not self._keys:
            raise ValueError("decryption_keys: no key")

    def decrypt(self, token: str) -> str:
        """The signed token inside. token: a compact JWE. Raises NotDecrypted or Malformed."""
        header = read_header(token.partition(".")[0])
        for name, accepted in (("alg", JWE_ALG), ("enc", JWE_ENC)):
            if header.get(name) != accepted:
                raise NotDecrypted("not an accepted algorithm", claim=name)
        if str(header.get("cty")).upper() != "JWT":
            raise NotDecrypted("does not say that a token is inside", claim="cty")
        for name in ("crit", "zip"):
            if name in header:
                raise NotDecrypted("no extension is understood", claim=name)
        for kid, key in self._keys:
            if header.get("kid") in (None, kid) or kid is None:
                try:
                    found = self._jwe.decrypt_compact(token, key, algorithms=[JWE_ALG, JWE_ENC]).plaintext
                    return (found or b"").decode("ascii")
                except self._refusals:
                    continue
        raise NotDecrypted("not encrypted to one of our keys")
