"""A client of the FAPI profiles over joserfc, as it meets the OpenID Provider: pushes, proves, asks."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from joserfc.jwk import ECKey, Key
from werkzeug.test import TestResponse

from broker.oidc import AuthorizationRequest, Grant
from broker.store import new_slot
from tests.harness.openid_provider import ISSUER, VERIFIER, Harness, signed_jws

Changes = Mapping[str, Any]


def changed(good: Changes, changes: Changes) -> dict[str, Any]:
    """Good values with others in their place; None leaves one out."""
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


@dataclass
class FapiClient:
    """A client with an ES256 key for its assertions and another for its proofs. nonce: the last it was given."""

    harness: Harness
    client_id: str = "fapi"
    proof_key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", private=True))
    nonce: str | None = None

    @property
    def redirect_uri(self) -> str:
        return f"https://{self.client_id}.example/callback"

    def assertion(self, header: Changes | None = None, key: Key | None = None, **claims: Any) -> str:
        head = {"alg": "ES256", "kid": "portal-ec"} | dict(header or {})
        return signed_jws(head, self.harness.claims(self.client_id, **claims), key or self.harness.client_keys.ec)

    def credentials(self, assertion: str | None = None) -> dict[str, str]:
        return {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion or self.assertion(),
        }

    def parameters(self, **changes: str | None) -> dict[str, str]:
        """The parameters of a good authorization request."""
        good = self.harness.request(client_id=self.client_id, redirect_uri=self.redirect_uri)
        return changed(good, changes)

    def request_object(self, header: Changes | None = None, key: Key | None = None, **changes: Any) -> str:
        now = int(self.harness.clock())
        own = {"iss": self.client_id, "aud": ISSUER, "nbf": now, "exp": now + 300, "response_mode": "jwt"}
        head = {"alg": "ES256", "kid": "portal-ec", "typ": "oauth-authz-req+jwt"} | dict(header or {})
        claims = changed(self.parameters() | own, changes)
        return signed_jws(head, claims, key or self.harness.client_keys.ec)

    def proof(
        self,
        path: str = "/token",
        method: str = "POST",
        header: Changes | None = None,
        key: Key | None = None,
        token: str | None = None,
        **claims: Any,
    ) -> str:
        """A proof for a request; token: the access token that comes with it."""
        key = key or self.proof_key
        ath = base64.urlsafe_b64encode(hashlib.sha256((token or "").encode()).digest()).rstrip(b"=").decode()
        good = {
            "jti": secrets.token_hex(16),
            "htm": method,
            "htu": ISSUER + path,
            "iat": int(self.harness.clock()),
            "nonce": self.nonce,
            "ath": ath if token else None,
        }
        head = {"alg": "ES256", "typ": "dpop+jwt", "jwk": key.as_dict(private=False)} | dict(header or {})
        return signed_jws(head, changed(good, claims), key)

    def learn_nonce(self) -> None:
        """Ask for a nonce, as a client does at first."""
        response = self.harness.browser.post("/par", headers={"DPoP": "x"}, data={"client_id": "x"})
        self.nonce = response.headers["DPoP-Nonce"]

    def par(self, headers: Changes | None = None, **form: str | None) -> TestResponse:
        """POST /par; form: instead of a good form's."""
        good = self.parameters() | self.credentials()
        return self.harness.browser.post("/par", data=changed(good, form), headers=dict(headers or {}))

    def push(self, **changes: str | None) -> str:
        """A good request, pushed; its `request_uri`."""
        if self.client_id == "signing":
            response = self.harness.browser.post(
                "/par", data=self.credentials() | {"request": self.request_object(**changes)}
            )
        else:
            response = self.par(**changes)
        assert response.status_code == 201, response.get_data(as_text=True)
        return str(response.get_json()["request_uri"])

    def begun(self, **changes: str | None) -> AuthorizationRequest:
        """A good request, pushed and brought by a browser."""
        query = {"client_id": self.client_id, "request_uri": self.push(**changes)}
        response = self.harness.browser.get("/authorize", query_string=query)
        assert response.headers["Location"] == "/choose/transaction", response.headers["Location"]
        return self.harness.begun[-1]

    def grant(self, **changes: str | None) -> Grant:
        """The same, and the person identified."""
        return self.harness.grant(self.begun(**changes), slot=new_slot())

    def token_form(self, code: str, **changes: str | None) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": VERIFIER,
        }
        return changed(form | self.credentials(), changes)

    def token(self, code: str, headers: Changes | None = None, **changes: str | None) -> TestResponse:
        """POST /token with a good proof, or other headers."""
        if headers is None:
            headers = {"DPoP": self.proof()}
        return self.harness.browser.post("/token", data=self.token_form(code, **changes), headers=dict(headers))

    def access_token(self, headers: Changes | None = None) -> str:
        """An access token by a whole login."""
        response = self.token(self.grant().code, headers)
        assert response.status_code == 200, response.get_data(as_text=True)
        return str(response.get_json()["access_token"])

    def userinfo(self, authorization: str, headers: Changes | None = None) -> TestResponse:
        return self.harness.browser.get("/userinfo", headers={"Authorization": authorization, **(headers or {})})
