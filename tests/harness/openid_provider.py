"""An OpenID Provider with real keys and clients, a store in memory, and a clock that tests move."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlsplit

from flask.testing import FlaskClient
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.util import urlsafe_b64encode
from werkzeug.test import TestResponse

from broker.oidc import AuthorizationRequest, Grant, OpenIDProvider
from broker.settings.models import ClientSettings
from broker.store import StoreUnavailable, new_slot
from providers.model import Assurance, Decrypted, Evidence, Identifier, Identity
from tests.harness.memory_store import MemoryStore

ISSUER = "https://tunnus.example"
LOA2, LOA3 = "http://ftn.ficora.fi/2017/loatest2", "http://ftn.ficora.fi/2017/loatest3"
SECRET = "a-secret+made/of:random%bits"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
TXN = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
TEXTS = {"fi": "Palvelu", "sv": "Tjänst", "en": "Service"}


class KeyDouble:
    """The broker's keys, held in memory: the same port as the key ring."""

    def __init__(self) -> None:
        self.private = {
            "RS256": RSAKey.generate_key(2048, {"kid": "op-rs", "use": "sig", "alg": "RS256"}, private=True),
            "ES256": ECKey.generate_key("P-256", {"kid": "op-es", "use": "sig", "alg": "ES256"}, private=True),
        }
        self.failure: Exception | None = None

    def sign(self, purpose: str, claims: Mapping[str, Any], *, typ: str | None = "JWT", alg: str = "RS256") -> str:
        if self.failure is not None:
            raise self.failure
        assert purpose == "id-token-sig"
        key = self.private[alg]
        return jwt.encode({"alg": alg, "kid": key.kid, "typ": typ}, dict(claims), key, algorithms=[alg])

    def decrypt(self, purpose: str, token: str, *, algorithms: Sequence[str]) -> Decrypted:
        raise NotImplementedError

    def public_set(self, purpose: str) -> list[dict[str, Any]]:
        assert purpose == "id-token-sig"
        return [key.as_dict(private=False) for key in self.private.values()]

    def pairwise(self, message: bytes) -> bytes:
        return hmac.digest(b"the pairwise key", message, hashlib.sha256)

    def keyed_digest(self, message: bytes) -> bytes:
        return hmac.digest(b"the store key", message, hashlib.sha256)


@dataclass(frozen=True)
class ClientKeys:
    """The private keys of our clients."""

    rsa: RSAKey
    other_rsa: RSAKey
    ec: ECKey
    ed: OKPKey
    enc: RSAKey


class Clock:
    """Seconds since the epoch, moved by hand."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


class BreakableStore(MemoryStore):
    """A store that can be made unreachable."""

    broken = False

    def run(self, *steps: Any) -> Any:
        self._fail()
        return super().run(*steps)

    def get(self, *keys: Any) -> Any:
        self._fail()
        return super().get(*keys)

    def put_new(self, entry: Any) -> bool:
        self._fail()
        return super().put_new(entry)

    def put_new_and_get(self, entry: Any, *keys: Any) -> Any:
        self._fail()
        return super().put_new_and_get(entry, *keys)

    def push(self, *arguments: Any, **more: Any) -> None:
        self._fail()
        super().push(*arguments, **more)

    def _fail(self) -> None:
        if self.broken:
            raise StoreUnavailable("down")


def person(**changes: Any) -> Identity:
    """Somebody artificial."""
    values: dict[str, Any] = {
        "identifier": Identifier("hetu", "FI", "010190-999R"),
        "given_name": "Nordea",
        "family_name": "Demo",
        "name": "Nordea Demo",
        "birthdate": date(1990, 1, 1),
        "assurance": Assurance("substantial", LOA2),
        "provider": "nordea",
        "provider_known": "confirmed",
        "amr": ("https://bank.example/amr/nordea",),
        "auth_time": 1_789_999_990,
        "evidence": Evidence("reference", "bank-kid", "our-kid"),
    }
    return Identity(**(values | changes))


@dataclass
class Harness:
    """The provider as a client and a browser meet it, with the means to prepare what they find."""

    op: OpenIDProvider
    browser: FlaskClient
    store: BreakableStore
    clock: Clock
    keys: KeyDouble
    client_keys: ClientKeys
    begun: list[AuthorizationRequest] = field(default_factory=list)
    handed_over: list[dict[str, Any]] = field(default_factory=list)
    audit_failure: Exception | None = None
    refused: list[dict[str, Any]] = field(default_factory=list)

    def request(self, **changes: str | None) -> dict[str, str]:
        """The parameters of a good authorization request; None leaves one out."""
        good: dict[str, str | None] = {
            "response_type": "code",
            "client_id": "portal",
            "redirect_uri": "https://portal.example/callback",
            "scope": "openid profile",
            "state": "the-state",
            "nonce": "the-nonce",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (good | changes).items() if value is not None}

    def authorize(self, parameters: Any = None, **changes: str | None) -> TestResponse:
        """GET /authorize."""
        sent = self.request(**changes) if parameters is None else parameters
        return self.browser.get("/authorize", query_string=sent)

    def issue(
        self, client_id: str = "portal", scope: str = "openid profile", identity: Identity | None = None, **changes: Any
    ) -> Grant:
        """What the flow does once a person is identified."""
        request = AuthorizationRequest(
            client_id=client_id,
            redirect_uri=f"https://{client_id}.example/callback",
            scope=scope,
            state="the-state",
            nonce="the-nonce",
            code_challenge=CHALLENGE,
        )
        return self.grant(request, identity, **changes)

    def grant(self, request: AuthorizationRequest, identity: Identity | None = None, **changes: Any) -> Grant:
        """The same for a request of the test's own, as `/authorize` handed it over."""
        who = identity or person()
        wanted = {"txn": TXN, "provider": who.provider, "slot": new_slot(), "now": int(self.clock())} | changes
        grant = self.op.grant(request, who, **wanted)
        self.store.put(*grant.entries)
        return grant

    def claims(self, client_id: str = "portal", **changes: Any) -> dict[str, Any]:
        """The claims of a good client assertion."""
        now = int(self.clock())
        good = {
            "iss": client_id,
            "sub": client_id,
            "aud": ISSUER,
            "iat": now,
            "exp": now + 60,
            "jti": secrets.token_hex(16),
        }
        return {name: value for name, value in (good | changes).items() if value is not None}

    def sign(self, claims: Mapping[str, Any], header: Mapping[str, Any] | None = None, key: Any = None) -> str:
        """A client assertion."""
        head = {"alg": "RS256", "kid": "portal-rsa"} | dict(header or {})
        return signed_jws(head, claims, key or self.client_keys.rsa)

    def form(self, code: str, client_id: str = "portal", /, **changes: str | None) -> dict[str, str]:
        """The parameters of a good token request by private_key_jwt."""
        good: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": f"https://{client_id}.example/callback",
            "code_verifier": VERIFIER,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": changes.pop("client_assertion", None) or self.sign(self.claims(client_id)),
        }
        return {name: value for name, value in (good | changes).items() if value is not None}

    def token(self, form: Any, headers: Mapping[str, str] | None = None) -> TestResponse:
        """POST /token."""
        return self.browser.post("/token", data=form, headers=dict(headers or {}))

    def basic(self, client_id: str = "secretive", secret: str = SECRET) -> dict[str, str]:
        """The header of client_secret_basic."""
        pair = f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}

    def verified(self, token: str, client_id: str = "portal") -> dict[str, Any]:
        """The claims of an identity token, its signature verified with the published keys."""
        published = {key["kid"]: key for key in self.browser.get("/jwks").get_json()["keys"]}
        header = jws.extract_compact(token.encode()).headers()
        jwk = published[header["kid"]]
        key = RSAKey.import_key(jwk) if jwk["kty"] == "RSA" else ECKey.import_key(jwk)
        verified = jwt.decode(token, key, algorithms=[header["alg"]])
        registry = jwt.JWTClaimsRegistry(
            now=lambda: int(self.clock()),
            iss={"essential": True, "value": ISSUER},
            aud={"essential": True, "value": client_id},
            exp={"essential": True},
        )
        registry.validate(verified.claims)
        return verified.claims


def signed_jws(header: Mapping[str, Any], claims: Mapping[str, Any], key: Any) -> str:
    """A compact JWS under any header at all, which joserfc itself would not sign; one of None is left out."""
    present = {name: value for name, value in header.items() if value is not None}
    parts = [urlsafe_b64encode(json.dumps(part).encode()) for part in (present, claims)]
    algorithm = jws.JWSRegistry.algorithms[present["alg"]]
    signed = b".".join(parts)
    return b".".join([signed, urlsafe_b64encode(algorithm.sign(signed, key))]).decode()


def answer_of(response: TestResponse) -> tuple[str, dict[str, str]]:
    """Where a redirect leads, and the parameters it brings along."""
    parts = urlsplit(response.headers["Location"])
    values = parse_qs(parts.query, strict_parsing=True)
    assert all(len(held) == 1 for held in values.values())
    return f"{parts.scheme}://{parts.netloc}{parts.path}", {name: held[0] for name, held in values.items()}


def client_sections(keys: ClientKeys) -> dict[str, ClientSettings]:
    """Clients: every method of authentication, algorithm, sector and scope among them."""

    def section(client_id: str, **values: Any) -> ClientSettings:
        plain = {
            "name": TEXTS,
            "redirect_uris": [f"https://{client_id}.example/callback", f"https://{client_id}.example/second?kept=1"],
            "auth_method": "private_key_jwt",
            "sector": "first",
            "home_uri": f"https://{client_id}.example/",
            "scopes": ["openid", "profile"],
        }
        return ClientSettings.model_validate(plain | values)

    rsa = keys.rsa.as_dict(private=False) | {"kid": "portal-rsa", "use": "sig"}
    ec = keys.ec.as_dict(private=False) | {"kid": "portal-ec", "use": "sig"}
    ed = keys.ed.as_dict(private=False) | {"kid": "portal-ed", "use": "sig"}
    enc = keys.enc.as_dict(private=False) | {"kid": "encrypt-to-me", "use": "enc"}
    digest = hashlib.sha256(SECRET.encode()).hexdigest()
    return {
        "portal": section("portal", jwks={"keys": [rsa, ec, ed]}, id_token_alg="ES256"),
        "secretive": section(
            "secretive", auth_method="client_secret_basic", secret_hash=f"sha256:{digest}", sector="second"
        ),
        "wide": section(
            "wide", jwks={"keys": [rsa]}, audiences=["https://one.example", "https://two.example"], show_step=True
        ),
        "posting": section("posting", auth_method="client_secret_post", secret_hash=f"sha256:{digest}"),
        "plain": section("plain", jwks={"keys": [rsa, ec]}, pkce="optional", state="optional", iss_in_errors=False),
        "without-nonce": section("without-nonce", jwks={"keys": [rsa]}, nonce="optional"),
        "fapi": section("fapi", jwks={"keys": [rsa, ec, ed]}, id_token_alg="ES256", profile="fapi2", nonce="optional"),
        "signing": section(
            "signing", jwks={"keys": [ec]}, id_token_alg="ES256", profile="fapi2-message-signing", signed_userinfo=True
        ),
        "bound": section(
            "bound", jwks={"keys": [ec]}, id_token_alg="ES256", profile="fapi2", sender_constrained="mtls"
        ),
        "registry": section(
            "registry", jwks={"keys": [rsa, enc]}, scopes=["openid", "profile", "personal_identity_code"]
        ),
    }
