"""A tiny relying party over joserfc, knowing nothing of the broker: what the mock banks are driven with."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from joserfc import jwe, jws
from joserfc.jwk import RSAKey
from werkzeug.test import TestResponse

NOW = int(time.time())
"""When the tests begin: one moment for all modules, however long it takes to load them."""
BASE = "http://127.0.0.1:8002"
ENTITY_ID = "https://rp.example"
REDIRECT_URI = "https://rp.example/callback/here"
OTHER_REDIRECT_URI = "https://rp.example/callback/there"
STATEMENT_URL = f"{ENTITY_ID}/.well-known/openid-federation"
JWKS_URL = f"{ENTITY_ID}/signed-jwks"
SPNAME = "Testi Energia"
LOA = "http://ftn.ficora.fi/2017/loatest2"
NAMES = {
    "isb": ("personal_identity_code", "given_name", "family_name", "name", "birthdate"),
    "telia": (
        "urn:oid:1.2.246.21",
        "urn:oid:1.2.246.575.1.14",
        "urn:oid:2.5.4.4",
        "urn:oid:2.16.840.1.113730.3.1.241",
        "urn:oid:1.3.6.1.5.5.7.9.1",
    ),
}
NAMES["ftn"] = NAMES["telia"]


def make_rsa(use: str) -> RSAKey:
    key = RSAKey.generate_key(2048, {"use": use}, private=True)
    key.ensure_kid()
    return key


def sign(claims: Mapping[str, Any], key: RSAKey, typ: str | None = "JWT", **header: Any) -> str:
    values = {"alg": "RS256", "kid": key.kid, "typ": typ} | header
    protected = {name: value for name, value in values.items() if value is not None}
    registry = jws.JWSRegistry(algorithms=[protected["alg"]], strict_check_header=False)
    return jws.serialize_compact(protected, json.dumps(claims), key, registry=registry)


@dataclass
class Trip:
    """One authorization request of ours: what we must remember for the answer."""

    issuer: str
    claims: dict[str, Any]
    verifier: str


@dataclass
class SmallRelyingParty:
    """Our keys, our published documents, and requests to one application of mock banks."""

    now: float
    entity: RSAKey = field(default_factory=lambda: make_rsa("sig"))
    sig: RSAKey = field(default_factory=lambda: make_rsa("sig"))
    enc: RSAKey = field(default_factory=lambda: make_rsa("enc"))
    client_id: str = "tunnus"
    fetched: list[str] = field(default_factory=list)
    instead: dict[str, bytes] = field(default_factory=dict)
    client: FlaskClient = field(init=False)

    def attach(self, app: Flask) -> None:
        self.client = app.test_client()

    # what we publish

    def statement_claims(self) -> dict[str, Any]:
        return {
            "iss": ENTITY_ID,
            "sub": ENTITY_ID,
            "iat": int(self.now),
            "exp": int(self.now) + 86400 * 30,
            "jwks": {"keys": [self.entity.as_dict(private=False)]},
            "metadata": {
                "openid_relying_party": {
                    "redirect_uris": [REDIRECT_URI, OTHER_REDIRECT_URI],
                    "organization_name": "Testi Energia Oy",
                    "signed_jwks_uri": JWKS_URL,
                }
            },
        }

    def jwks_claims(self) -> dict[str, Any]:
        keys = [self.sig.as_dict(private=False), self.enc.as_dict(private=False)]
        return {"iss": ENTITY_ID, "sub": ENTITY_ID, "iat": int(self.now), "exp": int(self.now) + 90000, "keys": keys}

    def publish(self, address: str) -> bytes:
        self.fetched.append(address)
        if address in self.instead:
            return self.instead[address]
        if address == STATEMENT_URL:
            return sign(self.statement_claims(), self.entity, "entity-statement+jwt").encode()
        return sign(self.jwks_claims(), self.entity, "jwk-set+jwt").encode()

    # the authorization request

    def trip(self, realm: str, dialect: str, **changes: Any) -> Trip:
        """A good request object's claims for an issuer, with changes; None leaves a claim out."""
        issuer = f"{BASE}/{realm}/{dialect}"
        verifier = secrets.token_urlsafe(48)
        claims: dict[str, Any] = {
            "client_id": self.client_id,
            "iss": self.client_id,
            "redirect_uri": REDIRECT_URI,
            "response_type": "code",
            "scope": "openid",
            "state": secrets.token_hex(32),
            "nonce": secrets.token_hex(32),
            "jti": secrets.token_hex(16),
            "iat": int(self.now),
            "exp": int(self.now) + 600,
            "ui_locales": "sv",
        }
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        pkce = {"code_challenge": challenge, "code_challenge_method": "S256"}
        own = {
            "ftn": {"aud": issuer, "acr_values": LOA, "prompt": "login", "ftn_spname": SPNAME} | pkce,
            "telia": {"aud": issuer, "acr_values": LOA} | pkce,
            "isb": {"scope": "openid personal_identity_code profile weak", "ftn_spname": SPNAME},
        }
        claims |= own[dialect] | changes
        return Trip(issuer, {name: value for name, value in claims.items() if value is not None}, verifier)

    def authorize(
        self, trip: Trip, *, token: str | None = None, query: Mapping[str, Any] | None = None
    ) -> TestResponse:
        """Send the browser to the bank; token: instead of our signed request object; query: beside it."""
        if query is None:
            query = {} if trip.issuer.endswith("isb") else {"client_id": self.client_id}
        parameters = {"request": token or sign(trip.claims, self.sig), **query}
        return self.client.get(f"{urlsplit(trip.issuer).path}/authorize", query_string=parameters)

    # the token request

    def assertion_claims(self, trip: Trip) -> dict[str, Any]:
        return {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": f"{trip.issuer}/token",
            "jti": secrets.token_hex(16),
            "iat": int(self.now),
            "exp": int(self.now) + 300,
        }

    def form(self, trip: Trip, code: str, /, **changes: Any) -> dict[str, Any]:
        values: dict[str, Any] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": trip.claims["redirect_uri"],
            "client_id": self.client_id,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": sign(self.assertion_claims(trip), self.sig),
        }
        if "code_challenge" in trip.claims:
            values["code_verifier"] = trip.verifier
        return {name: value for name, value in (values | changes).items() if value is not None}

    def exchange(self, trip: Trip, code: str, /, **changes: Any) -> TestResponse:
        return self.client.post(f"{urlsplit(trip.issuer).path}/token", data=self.form(trip, code, **changes))

    # the ID token

    def bank_key(self, trip: Trip, kid: str) -> RSAKey:
        published = self.client.get(f"{urlsplit(trip.issuer).path}/jwks").get_json()["keys"]
        return RSAKey.import_key(next(key for key in published if key.get("kid") == kid))

    def open_token(self, trip: Trip, id_token: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """Decrypt and verify; the JWE header, the JWS header and the claims."""
        outer = jwe.decrypt_compact(
            id_token,
            self.enc,
            registry=jwe.JWERegistry(
                algorithms=["RSA-OAEP", "RSA-OAEP-256", "A128CBC-HS256", "A128GCM", "A256GCM"],
                strict_check_header=False,
            ),
        )
        inner = jws.extract_compact(outer.plaintext)
        key = self.bank_key(trip, inner.headers()["kid"])
        registry = jws.JWSRegistry(algorithms=["RS256"], strict_check_header=False)
        verified = jws.deserialize_compact(outer.plaintext, key, registry=registry)
        return dict(outer.headers()), dict(verified.headers()), json.loads(verified.payload)

    # scripts

    def script(self, **outcome: Any) -> None:
        answer = self.client.post("/control/next", json=outcome)
        assert answer.status_code == 200, answer.get_data(as_text=True)

    def captured(self, **wanted: str) -> list[dict[str, Any]]:
        return self.client.get("/control/requests", query_string=wanted).get_json()["requests"]

    def identify(
        self, realm: str, dialect: str, *, script: Mapping[str, Any] | None = None, **changes: Any
    ) -> dict[str, Any]:
        """The whole way by script; the claims of the ID token."""
        self.script(**(script or {}))
        trip = self.trip(realm, dialect, **changes)
        response = answer_of(self.authorize(trip))
        assert response["state"] == trip.claims["state"]
        body = self.exchange(trip, response["code"]).get_json()
        return self.open_token(trip, body["id_token"])[2]


def answer_of(response: TestResponse) -> dict[str, str]:
    """The parameters of a redirect back to us."""
    assert response.status_code == 303, response.get_data(as_text=True)
    location = response.headers["Location"]
    assert location.startswith(ENTITY_ID), location
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query, keep_blank_values=True).items()}
