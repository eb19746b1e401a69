"""Authlib's authorization server with a client, the code flow with PKCE, and ID tokens with groups."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, grants
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9207 import IssuerParameter
from authlib.oidc.core import OpenIDCode
from flask import Flask
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from demo.employer.people import PEOPLE, Person

CODE_SECONDS = 60
TOKEN_SECONDS = 300
ALG = "ES256"
METHOD = "private_key_jwt"


class Client(ClientMixin):
    """The one client: customer service. jwks: its public keys."""

    def __init__(self, client_id: str, redirect_uri: str, home_uri: str, jwks: Mapping[str, Any]) -> None:
        self.client_id, self.redirect_uri, self.home_uri, self.jwks = client_id, redirect_uri, home_uri, jwks

    def get_client_id(self) -> str:
        """See Authlib, as below."""
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_allowed_scope(self, scope: Any) -> str:
        return " ".join(word for word in scope.split() if word in ("openid", "profile", "email"))

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self.redirect_uri

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == METHOD

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code. issued_at: seconds since the epoch."""

    code: str
    client_id: str
    redirect_uri: str
    scope: str
    nonce: str | None
    code_challenge: str | None
    code_challenge_method: str | None
    person: Person
    issued_at: float

    def get_redirect_uri(self) -> str:
        """See Authlib, as below."""
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope


class Employer:
    """The provider's state. issuer: its own address."""

    def __init__(self, issuer: str, client: Client) -> None:
        self.issuer, self.client = issuer, client
        self.key = ECKey.generate_key("P-256", {"use": "sig", "alg": ALG}, auto_kid=True)
        self.codes: dict[str, Code] = {}
        self.used: dict[str, float] = {}

    def use_up(self, jti: str) -> bool:
        """Whether a client assertion is sent for the first time."""
        now = time.time()
        self.used = {known: until for known, until in self.used.items() if until > now}
        fresh = jti not in self.used
        self.used[jti] = now + 2 * TOKEN_SECONDS
        return fresh

    def id_token(self, code: Code) -> str:
        """Who signed in, and the groups they are in."""
        person, now = code.person, int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": person.id,
            "aud": code.client_id,
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            "auth_time": int(code.issued_at),
            "name": person.name,
            "email": person.email,
            "email_verified": True,
            "groups": list(person.groups),
        }
        if code.nonce:
            claims["nonce"] = code.nonce
        return jwt.encode({"alg": ALG, "kid": self.key.kid}, claims, self.key, algorithms=[ALG])


def create_server(app: Flask, employer: Employer) -> AuthorizationServer:
    """Authlib's server around an employer."""

    class Grant(grants.AuthorizationCodeGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = (METHOD,)

        def save_authorization_code(self, code: str, request: Any) -> None:
            asked = request.payload.data
            employer.codes[code] = Code(
                code, request.client.client_id, request.payload.redirect_uri, request.scope, asked.get("nonce"),
                asked.get("code_challenge"), asked.get("code_challenge_method"), request.user, time.time(),
            )  # fmt: skip

        def query_authorization_code(self, code: str, client: Any) -> Code | None:
            found = employer.codes.pop(code, None)  # once
            fits = found is not None and found.client_id == client.client_id
            return found if fits and found and time.time() < found.issued_at + CODE_SECONDS else None

        def delete_authorization_code(self, authorization_code: Code) -> None:
            """It is gone already."""

        def authenticate_user(self, authorization_code: Code) -> Person | None:
            return PEOPLE.get(authorization_code.person.id)

    class IdToken(OpenIDCode):
        def exists_nonce(self, nonce: str, request: Any) -> bool:
            return False

        def encode_id_token(self, token: Any, request: Any) -> str:
            return employer.id_token(request.authorization_code)

    class Issuer(IssuerParameter):
        def get_issuer(self) -> str:
            return employer.issuer

    class ByAssertion(JWTBearerClientAssertion):
        CLIENT_AUTH_METHOD = METHOD  # type: ignore[misc] # Authlib's own classes set it so, too

        def get_audiences(self) -> list[str]:
            return [employer.issuer, f"{employer.issuer}/token"]

        def validate_jti(self, claims: Any, jti: str) -> bool:
            return employer.use_up(jti)

        def resolve_client_public_key(self, client: Client) -> KeySet:
            return KeySet.import_key_set(dict(client.jwks))  # type: ignore[arg-type]

    def query_client(client_id: str) -> Client | None:
        return employer.client if client_id == employer.client.client_id else None

    server = AuthorizationServer(app, query_client, lambda _token, _request: None)
    server.register_grant(Grant, [CodeChallenge(required=True), IdToken(require_nonce=True)])
    server.register_client_auth_method(METHOD, ByAssertion())
    server.register_extension(Issuer())
    return server
