"""Authlib's authorization server and code grant, with what they leave open closed.

What Authlib does here: the order of a token request's checks, scope, PKCE, nonce and prompt. What is ours:
the parameters it sees (`broker.oidc.guard`, `broker.oidc.token`), who a client is, codes, tokens, the identity
token, every answer. The server and its extensions are shared by all threads and hold nothing of a request;
a grant is made for one request.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer, InvalidGrantError, InvalidRequestError, OAuth2Request
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import OpenIDCode
from flask import Response, jsonify

from broker.oidc import identity_token
from broker.oidc.client_authentication import ClientAuthenticator
from broker.oidc.clients import Client
from broker.oidc.codes import TOKEN_LIFETIME, AuthorizationCode, is_well_formed, keep_token, new_secret, use_code
from broker.oidc.guard import Refused
from broker.store import Store, slot_of
from kit import logs
from providers.model import Keys

SCOPES = ("openid", "profile", "personal_identity_code")

_DESCRIPTIONS = {"login_required": "prompt none cannot be met, every identification is a fresh one"}
"""For errors that Authlib describes by their name alone."""


@dataclass(frozen=True)
class Parts:
    """What the server works with. issuer: ours, from the settings. clock: seconds since the epoch.

    audit_handed_over: called with the facts of each token response before it is sent; if it raises, none is.
    """

    issuer: str
    clients: Mapping[str, Client]
    keys: Keys
    store: Store
    clock: Callable[[], float]
    audit_handed_over: Callable[..., None]
    authenticator: ClientAuthenticator


class CleanRequest(OAuth2Request):
    """A request as Authlib sees it: guarded parameters, and an address built from our issuer, never from Host."""

    def __init__(
        self, method: str, path: str, issuer: str, parameters: dict[str, str], authorization: str | None
    ) -> None:
        # Authlib refuses plain http off loopback. Whether our issuer may be such a one is for the settings to say.
        host = issuer.partition("://")[2]
        super().__init__(
            method, f"https://{host}{path}", headers={"Authorization": authorization} if authorization else {}
        )
        self.payload = BasicOAuth2Payload(parameters)
        self._parameters = parameters

    @property
    def form(self) -> dict[str, str]:
        """For Authlib."""
        return self._parameters


class S256Challenge(CodeChallenge):
    """PKCE with S256, required of every client (RFC 7636; RFC 9700 §2.1.1)."""

    _S256_LENGTH = 43

    def validate_code_challenge(self, grant: Any, redirect_uri: Any) -> None:
        """For Authlib: the authorization request's side."""
        data = grant.request.payload.data
        if data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("code_challenge_method must be S256")
        if len(data.get("code_challenge", "")) != self._S256_LENGTH:
            raise InvalidRequestError("code_challenge must be 43 characters, the SHA-256 of the code_verifier")
        super().validate_code_challenge(grant, redirect_uri)


class IdentityTokenExtension(OpenIDCode):
    """OpenID Connect on top of the grant: nonce required, the identity token ours as a whole."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(require_nonce=True)
        self._parts = parts

    def exists_nonce(self, nonce: str, request: Any) -> bool:
        """For Authlib. A nonce is the client's to compare; the same one twice does nobody harm here."""
        return False

    def encode_id_token(self, token: Mapping[str, str], request: Any) -> str:
        """For Authlib: everything in it comes from this request and its code."""
        code: AuthorizationCode = request.authorization_code
        return identity_token.build(
            self._parts.keys,
            request.client,
            code.claims,
            issuer=self._parts.issuer,
            nonce=code.nonce,
            access_token=token["access_token"],
            now=int(self._parts.clock()),
        )


class CodeGrant(AuthorizationCodeGrant):
    """The code grant at our token endpoint; one instance serves one request."""

    server: BrokerAuthorizationServer

    def query_authorization_code(self, code: str, client: Any) -> AuthorizationCode | None:
        """For Authlib: use the code up, whatever comes of it then."""
        if not is_well_formed(code):
            return None
        parts = self.server.parts
        # Made before the code is used up, so that a second use of the code knows what to end.
        self._access_token = new_secret(slot_of(code))
        found = use_code(parts.store, code, self._access_token)
        return found if found is not None and found.is_valid_for(client, parts.clock()) else None

    @property
    def used_code(self) -> AuthorizationCode:
        """The code of this request, once it was used up and found valid."""
        code: AuthorizationCode = self.request.authorization_code  # type: ignore[assignment] # untyped in the stubs
        return code

    def delete_authorization_code(self, authorization_code: AuthorizationCode) -> None:
        """For Authlib: nothing is left to do, the code is used up."""

    def authenticate_user(self, authorization_code: AuthorizationCode) -> Mapping[str, Any]:
        """For Authlib: whom the code is about."""
        return authorization_code.claims

    def generate_token(self, *_args: Any, **_kwargs: Any) -> dict[str, Any]:
        """For Authlib: the token response but for the identity token."""
        return {
            "access_token": self._access_token,
            "token_type": "Bearer",
            "expires_in": TOKEN_LIFETIME,
            "scope": self.used_code.scope,
        }

    def create_token_response(self) -> Any:
        """For Authlib: the answer. Raises what audit_handed_over raises, and then there is none."""
        answer = super().create_token_response()
        code = self.used_code
        facts = {name: code.claims.get(name) for name in ("txn", "sub", "acr", "auth_time")}
        logs.add(txn=code.claims["txn"], provider=code.claims.get("idp"), outcome="handed_over")
        self.server.parts.audit_handed_over(client_id=code.client_id, provider=code.claims.get("idp"), **facts)
        return answer


class BrokerAuthorizationServer(AuthorizationServer):
    """The server: one per process, shared by all threads, nothing of a request in it."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(scopes_supported=list(SCOPES))
        self.parts = parts
        self.register_grant(CodeGrant, [S256Challenge(), IdentityTokenExtension(parts)])
        silence_authlib()

    def validate_authorization_request(self, parameters: dict[str, str]) -> str:
        """Validate what the guard let through; return the scope that is granted. Raises Refused."""
        try:
            request = CleanRequest("GET", "/authorize", self.parts.issuer, parameters, None)
            grant = self.get_consent_grant(request)  # type: ignore[no-untyped-call] # untyped in the stubs
        except OAuth2Error as error:
            description = error.get_error_description() or _DESCRIPTIONS.get(str(error.error), "")
            raise Refused(str(error.error), description) from error
        return str(grant.request.scope)

    def answer_token_request(self, form: dict[str, str], authorization: str | None) -> Response:
        """Answer a token request whose parameters are there once each, its grant type ours."""
        request = CleanRequest("POST", "/token", self.parts.issuer, form, authorization)
        response: Any = self.create_token_response(request)
        return cast(Response, response)

    def query_client(self, client_id: str) -> Any:
        """For Authlib."""
        return self.parts.clients.get(client_id)

    def authenticate_client(self, request: Any, methods: Any, endpoint: str = "token") -> Any:
        """For Authlib."""
        client = self.parts.authenticator.authenticate(request.headers.get("Authorization"), request.form)
        request.auth_method = client.auth_method
        return client

    def save_token(self, token: Mapping[str, Any], request: Any) -> None:
        """For Authlib: keep what `/userinfo` may tell. Never the personal identity code."""
        claims = request.authorization_code.claims
        told = {name: claims[name] for name in ("sub", *identity_token.PROFILE_CLAIMS) if name in claims}
        if not keep_token(self.parts.store, token["access_token"], {"claims": told}):
            raise InvalidGrantError("the code was used twice")

    def create_oauth2_request(self, request: CleanRequest) -> CleanRequest:
        """For Authlib: it is one already."""
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> Response:
        """For Authlib."""
        response = jsonify(body)
        response.status_code = status
        response.headers.update(headers)
        return response

    def handle_error_response(self, request: Any, error: Any) -> Response:
        """For Authlib: the error as JSON; its description is a constant, of Authlib or ours."""
        logs.add(outcome="refused", reason=f"{error.error}: {error.get_error_description()}")
        response: Any = super().handle_error_response(request, error)
        return cast(Response, response)

    def send_signal(self, name: str, *_args: Any, **_kwargs: Any) -> None:
        """For Authlib: nobody listens."""


class _NoDebug(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.INFO


_NO_DEBUG = _NoDebug()


def silence_authlib() -> None:
    """Drop Authlib's debug messages for good, whatever level is set later: they hold access tokens."""
    logging.getLogger("authlib").setLevel(logging.INFO)
    for name in [name for name in logging.root.manager.loggerDict if name.partition(".")[0] == "authlib"]:
        logging.getLogger(name).addFilter(_NO_DEBUG)
