"""Makes identity tokens as the broker makes them, with keys of its own, for the tests of a service."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm, get_default_algorithms

from tunnus_verifier.fetching import FetchError

LIFETIME = 600
"""Seconds, as the broker's."""

PERSON: Mapping[str, str] = {
    "given_name": "Testi",
    "family_name": "Henkilö",
    "name": "Testi Henkilö",
    "birthdate": "1980-02-01",
}
"""Nobody."""

TEST_LEVEL = "http://ftn.ficora.fi/2017/loatest2"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def make_key(alg: str, _purpose: str) -> PrivateKey:
    """A private key for RS256 or ES256, made once in a process for each purpose."""
    if alg == "RS256":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


class TokenMint:
    """An issuer for tests: signs tokens, and gives the documents by which they are verified.

        mint = TokenMint("https://id.example.fi", "my-service")
        verifier = Verifier(mint.issuer, mint.audience, fetch=mint.fetch)
        verifier.verify(mint.token(name="Toinen Henkilö"))

    algorithm: RS256 or ES256. clock: seconds since the epoch. `down = True` makes it unreachable.
    """

    def __init__(
        self,
        issuer: str = "https://id.example.fi",
        audience: str = "my-service",
        *,
        algorithm: str = "ES256",
        acr: str = TEST_LEVEL,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.issuer = issuer
        self.audience = audience
        self.algorithm = algorithm
        self.acr = acr
        self.clock = clock
        self.kid = f"mint-{algorithm}"
        self.key = make_key(algorithm, "signature")
        self.down = False
        self.fetched: list[str] = []
        """The addresses that were asked for, in order."""

    @property
    def jwks_uri(self) -> str:
        """Where the issuer says that its keys are."""
        return f"{self.issuer}/jwks"

    def claims(self, *, without: Iterable[str] = (), **changes: Any) -> dict[str, Any]:
        """The claims of a good token, with changes. without: claims to leave out."""
        now = int(self.clock())
        claims = {
            "iss": self.issuer,
            "sub": "made-up-subject",
            "aud": self.audience,
            "exp": now + LIFETIME,
            "iat": now,
            "auth_time": now - 5,
            "nonce": "made-up-nonce",
            "acr": self.acr,
            "amr": ["made-up-method"],
            "idp": "made-up-bank",
            "txn": "made-up-transaction",
            **PERSON,
            **changes,
        }
        return {name: value for name, value in claims.items() if name not in set(without)}

    def header(self, **changes: Any) -> dict[str, Any]:
        """The header of a good token, with changes; None leaves a parameter out."""
        header = {"alg": self.algorithm, "kid": self.kid, "typ": "JWT", **changes}
        return {name: value for name, value in header.items() if value is not None}

    def token(self, *, without: Iterable[str] = (), **changes: Any) -> str:
        """A signed token. Unchanged it is good; `aud="other"` or `without=["sub"]` bends it."""
        return self.sign(self.claims(without=without, **changes))

    def sign(
        self, claims: Mapping[str, Any] | bytes, header: Mapping[str, Any] | None = None, key: PrivateKey | None = None
    ) -> str:
        """Sign anything under any header. claims: bytes go in as they are. key: another than the mint's."""
        alg = get_default_algorithms()["ES256" if isinstance(key or self.key, ec.EllipticCurvePrivateKey) else "RS256"]
        body = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
        signed = f"{encode(json.dumps(header or self.header()).encode())}.{encode(body)}"
        return f"{signed}.{encode(alg.sign(signed.encode(), key or self.key))}"

    def jwks(self) -> dict[str, Any]:
        """The JWK Set: the key in use, and one for encryption under another `kid`, as an issuer may have it."""
        return {
            "keys": [
                {**public_jwk(make_key("RS256", "encryption")), "kid": "mint-enc", "use": "enc"},
                {**public_jwk(self.key), "kid": self.kid, "use": "sig", "alg": self.algorithm},
            ]
        }

    def discovery(self) -> dict[str, Any]:
        """The discovery document, as far as a verifier reads it (OpenID Connect Discovery §3)."""
        return {"issuer": self.issuer, "jwks_uri": self.jwks_uri}

    def fetch(self, url: str) -> bytes:
        """For `Verifier(fetch=…)`: the documents, without a network. Raises FetchError when down or unknown."""
        self.fetched.append(url)
        found = {self.jwks_uri: self.jwks, f"{self.issuer}/.well-known/openid-configuration": self.discovery}.get(url)
        if self.down or found is None:
            raise FetchError("the mint gives no answer")
        return json.dumps(found()).encode()

    @property
    def public_pem(self) -> bytes:
        """The public key as text, which a careless verifier may take for an HMAC secret."""
        return self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @property
    def decryption_key(self) -> dict[str, Any]:
        """The service's private JWK that `encrypt` encrypts to, for `Verifier(decryption_keys=[…])`."""
        key = make_key("RS256", "service")
        assert isinstance(key, rsa.RSAPrivateKey)  # noqa: S101
        return {**RSAAlgorithm.to_jwk(key, as_dict=True), "kid": "service-enc", "use": "enc"}

    def encrypt(self, token: str, **header: Any) -> str:
        """A token encrypted to the service, as the broker does it. Needs joserfc."""
        from joserfc import jwe
        from joserfc.jwk import RSAKey

        whole = {"alg": "RSA-OAEP-256", "enc": "A256GCM", "cty": "JWT", "kid": "service-enc", **header}
        whole = {name: value for name, value in whole.items() if value is not None}
        public = {name: self.decryption_key[name] for name in ("kty", "n", "e")}
        registry = jwe.JWERegistry(algorithms=[whole["alg"], whole["enc"], "DEF"], strict_check_header=False)
        return jwe.encrypt_compact(whole, token.encode(), RSAKey.import_key(public), registry=registry)


def public_jwk(key: PrivateKey) -> dict[str, Any]:
    """The public half of a key (RFC 7518 §6)."""
    public = key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        jwk = RSAAlgorithm.to_jwk(public, as_dict=True)
    else:
        jwk = ECAlgorithm.to_jwk(public, as_dict=True)
    return {name: value for name, value in jwk.items() if name != "key_ops"}


def encode(data: bytes) -> str:
    """Base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
