"""Authlib's code grant at our two endpoints: PKCE, the code used up, the identity token, the audit record.

A grant is made for one request; its extensions are shared by all threads and hold nothing of any.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, OAuth2Request
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import OpenIDCode

from broker import tracing
from broker.oidc import identity_token
from broker.oidc.client_authentication import ClientAuthenticator
from broker.oidc.clients import Client
from broker.oidc.codes import (
    TOKEN_LIFETIME,
    AuthorizationCode,
    HistoryChanged,
    Retry,
    UsedBefore,
    is_well_formed,
    new_secret,
    use_code,
)
from broker.oidc.fapi.sender import NOTHING, Sender, Senders
from broker.oidc.unsent import Taken, Unsent
from broker.store import Store, slot_of
from kit import logs
from providers.model import Keys


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
    unsent: Unsent
    senders: Senders


class CleanRequest(OAuth2Request):
    """A request as Authlib sees it: guarded parameters, and an address built from our issuer, never from Host."""

    def __init__(
        self,
        method: str,
        path: str,
        issuer: str,
        parameters: dict[str, str],
        authorization: str | None,
        sender: Sender = NOTHING,
    ) -> None:
        # Authlib refuses plain http off loopback. Whether our issuer may be such a one is for the settings to say.
        host = issuer.partition("://")[2]
        super().__init__(
            method, f"https://{host}{path}", headers={"Authorization": authorization} if authorization else {}
        )
        self.payload = BasicOAuth2Payload(parameters)
        self._parameters = parameters
        self.taken = Taken()
        self.sender = sender

    @property
    def form(self) -> dict[str, str]:
        """For Authlib."""
        return self._parameters


class S256Challenge(CodeChallenge):
    """PKCE with S256, required unless the client's setting says optional (RFC 7636; RFC 9700 §2.1.1)."""

    _S256_LENGTH = 43

    def validate_code_challenge(self, grant: Any, redirect_uri: Any) -> None:
        """For Authlib: the authorization request's side."""
        data = grant.request.payload.data
        if not data.keys() & {"code_challenge", "code_challenge_method"}:
            if "pkce" not in grant.request.client.needs:
                return
            raise InvalidRequestError(
                "code_challenge is required: send the SHA-256 of the code_verifier in base64url, and "
                "code_challenge_method=S256"
            )
        if data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("code_challenge_method must be S256: send it beside the code_challenge")
        if len(data.get("code_challenge", "")) != self._S256_LENGTH:
            raise InvalidRequestError(
                "code_challenge must be 43 characters: the SHA-256 of the code_verifier in base64url"
            )
        super().validate_code_challenge(grant, redirect_uri)


class IdentityTokenExtension(OpenIDCode):
    """OpenID Connect on top of the grant: the identity token ours as a whole."""

    def __init__(self, parts: Parts) -> None:
        super().__init__()
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


class HasParts(Protocol):
    """The server, as far as a grant needs it."""

    parts: Parts


class CodeGrant(AuthorizationCodeGrant):
    """The code grant at our token endpoint; one instance serves one request."""

    server: HasParts
    request: CleanRequest

    def query_authorization_code(self, code: str, client: Any) -> AuthorizationCode | None:
        """For Authlib: use the code up, whatever comes of it then."""
        if not is_well_formed(code):
            return None
        parts = self.server.parts
        # Made before the code is used up, so that a second use of the code knows what to end.
        self._access_token = self.request.taken.access_token = new_secret(slot_of(code))
        form = self.request.form
        mark = Retry.mark_of(client.client_id, form.get("redirect_uri", ""), form.get("code_verifier", ""))
        retry = Retry(mark, parts.clock(), parts.unsent)
        try:
            found = self._used(code, retry)
        except HistoryChanged as error:
            raise InvalidGrantError(
                "our store has failed over since code was issued, so whether it was used is not known: "
                "start again with a new authorization request"
            ) from error
        if found is None:
            return None
        tracing.join(found.traceparent)
        if not found.is_valid_for(client, parts.clock()):
            return None
        if found.dpop_jkt is not None and found.dpop_jkt != self.request.sender.jkt:
            raise InvalidGrantError("DPoP must be a proof by the key that the request named by dpop_jkt")
        return found

    def _used(self, code: str, retry: Retry) -> AuthorizationCode | None:
        """Use the code up, and with it the `jti` of the client's assertion, if that is due."""
        parts, taken = self.server.parts, self.request.taken
        due, taken.due = taken.due, None
        if due is None:
            return use_code(parts.store, code, self._access_token, retry)
        taken.once.append((due.key, due.name))
        try:
            return use_code(parts.store, code, self._access_token, retry, due.entry)
        except UsedBefore:
            parts.authenticator.settle_again(due, taken)
            return use_code(parts.store, code, self._access_token, retry)

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
            "token_type": "DPoP" if self.request.sender.jkt else "Bearer",
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
