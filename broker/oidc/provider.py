"""The OpenID Provider inwards, as the rest of the broker sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from broker.oidc import guard, identity_token
from broker.oidc.client_authentication import ClientAuthenticator
from broker.oidc.clients import Client
from broker.oidc.codes import CODE_LIFETIME, FAPI_CODE_LIFETIME, AuthorizationCode, new_secret
from broker.oidc.discovery import metadata
from broker.oidc.fapi.dpop import Nonces
from broker.oidc.fapi.jarm import signed_response
from broker.oidc.fapi.sender import Senders
from broker.oidc.fetched_keys import Count
from broker.oidc.grant import Parts
from broker.oidc.registered import RegisteredClients
from broker.oidc.requests import AuthorizationRequest
from broker.oidc.responses import SIGNED, Asked, authorization_response
from broker.oidc.server import BrokerAuthorizationServer
from broker.oidc.unsent import Unsent
from broker.settings import Settings
from broker.store import Entry, Store
from providers.errors import Expired, Step
from providers.model import Identity, Keys


class OwnKeys(Keys, Protocol):
    """Our keys, with those that subjects and nonces are computed by."""

    def pairwise(self, message: bytes) -> bytes:
        """HMAC-SHA256 of a message under the pairwise key."""
        ...

    def keyed_digest(self, message: bytes) -> bytes:
        """HMAC-SHA256 of a message under a key that every broker of the store has."""
        ...


@dataclass(frozen=True, slots=True)
class Grant:
    """A code that was issued: the response that brings it, and what to store before it is sent."""

    response: str = field(repr=False)
    code: str = field(repr=False)
    entries: list[Entry] = field(repr=False)


class OpenIDProvider:
    """Issues codes and answers clients. One per process, shared by all threads.

    clock: seconds since the epoch. audit_handed_over: called with client_id, txn, sub, acr, auth_time and provider
    before a token response is sent; if it raises AuditUnavailable the client gets none. count_fetch: counts the fetches
    of what clients publish.
    """

    def __init__(
        self,
        settings: Settings,
        keys: OwnKeys,
        store: Store,
        clock: Callable[[], float],
        audit_handed_over: Callable[..., None],
        count_fetch: Count = lambda client, whole: None,
    ) -> None:
        self.issuer = settings.issuer
        self.accepted = tuple(settings.assurance.accepted)
        self.languages = settings.languages.codes
        self.registered = RegisteredClients(settings, clock, count_fetch)
        self.clients, self.sections = self.registered.clients, self.registered.sections
        self.keys = keys
        self.metadata = metadata(self.issuer, self.accepted, self.languages, settings.server)
        self.store = store
        self._clock = clock
        unsent = Unsent(clock)
        self.authenticator = ClientAuthenticator(
            self.clients, self.issuer, store, clock, unsent, self.registered.look_at_key_files, self.registered.fetched
        )
        bases = tuple(base for base in (self.issuer, settings.server.mtls_base_url) if base)
        self.senders = Senders(bases, Nonces(keys.keyed_digest, clock), store, clock, unsent)
        authenticator = self.authenticator
        self.server = BrokerAuthorizationServer(
            Parts(self.issuer, self.clients, keys, store, clock, audit_handed_over, authenticator, unsent, self.senders)
        )

    @property
    def now(self) -> float:
        """Seconds since the epoch."""
        return self._clock()

    def accepted_acr_values(self, request: AuthorizationRequest) -> tuple[str, ...]:
        """The levels of assurance that will do for a request, the client's preferred one first."""
        return guard.accepted_acr_values(request.acr_values, self.accepted)

    def subject(self, client_id: str, identity: Identity) -> str:
        """The `sub` of a person for a client. Raises NotSupported without an identifier, Expired without the client."""
        return identity_token.pairwise_subject(self.keys.pairwise, self._client(client_id).sector, identity)

    def grant(
        self,
        request: AuthorizationRequest,
        identity: Identity,
        txn: str,
        provider: str | None,
        slot: str,
        now: int,
        history: str = "",
    ) -> Grant:
        """Issue a code for an identified person; nothing is stored yet, the entries are the caller's to put.

        slot: of the transaction. now: seconds since the epoch. history: of the store, at the claim. Raises
        NotSupported if the identity lacks what the scope asks for, Expired if the client or its redirect URI is
        registered no more.
        """
        client = self._client(request.client_id)
        if not client.may_lead_to(request.redirect_uri):
            raise Expired(Step.HAND_OFF, "the redirect URI is no longer registered")
        claims = identity_token.claims_of(
            identity,
            subject=self.subject(request.client_id, identity),
            scopes=request.scopes,
            txn=txn,
            provider=provider,
        )
        record = AuthorizationCode(
            client_id=request.client_id,
            redirect_uri=request.redirect_uri,
            scope=request.scope,
            nonce=request.nonce,
            code_challenge=request.code_challenge,
            claims=claims,
            issued_at=now,
            dpop_jkt=request.dpop_jkt,
            lifetime=FAPI_CODE_LIFETIME if client.fapi else CODE_LIFETIME,
            history=history,
            traceparent=request.traceparent,
        )
        code = new_secret(slot)
        return Grant(self._response(request, client, now, code=code), code=code, entries=[record.entry(code)])

    def error_response(self, asked: Asked, error: str, description: str | None = None) -> str | None:
        """What tells a client of an error (RFC 6749 §4.1.2.1); None if its redirect URI is registered no more."""
        client = self.clients.get(asked.client_id)
        if client is None or not client.may_lead_to(asked.redirect_uri):
            return None
        return self._response(asked, client, int(self._clock()), error=error, error_description=description)

    def _response(self, asked: Asked, client: Client, now: int, **parameters: str | None) -> str:
        if asked.response_mode in SIGNED:
            return signed_response(asked, client, self.issuer, self.keys, now, **parameters)
        iss = self.issuer if client.iss_in_errors or "error" not in parameters else None
        return authorization_response(asked, iss, **parameters)

    def _client(self, client_id: str) -> Client:
        client = self.clients.get(client_id)
        if client is None:
            raise Expired(Step.HAND_OFF, "the client is no longer registered")
        return client
