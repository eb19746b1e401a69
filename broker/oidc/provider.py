"""The OpenID Provider inwards, as the rest of the broker sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from broker.oidc import guard, identity_token
from broker.oidc.client_authentication import ClientAuthenticator
from broker.oidc.clients import Client
from broker.oidc.codes import AuthorizationCode, new_secret
from broker.oidc.fetched_keys import Count, FetchedKeys, fetch_of
from broker.oidc.grant import Parts
from broker.oidc.requests import AuthorizationRequest
from broker.oidc.responses import Asked, authorization_response
from broker.oidc.server import BrokerAuthorizationServer
from broker.oidc.unsent import Unsent
from broker.settings import Settings
from broker.settings.models import ClientSettings
from broker.store import Entry, Store
from kit.keys.sets import KeysOfFile, WatchedKeySets
from providers.errors import Expired, Step
from providers.model import Identity, Keys


class PairwiseKeys(Keys, Protocol):
    """Our keys, with the one that subjects are computed by."""

    def pairwise(self, message: bytes) -> bytes:
        """HMAC-SHA256 of a message under the pairwise key."""
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
        keys: PairwiseKeys,
        store: Store,
        clock: Callable[[], float],
        audit_handed_over: Callable[..., None],
        count_fetch: Count = lambda client, whole: None,
    ) -> None:
        self.issuer = settings.issuer
        self.accepted = tuple(settings.assurance.accepted)
        self.languages = settings.languages.codes
        self.clients = {name: Client.of(name, section) for name, section in settings.clients.items()}
        self.keys = keys
        self.store = store
        audiences = frozenset({self.issuer, f"{self.issuer}/token"})
        unsent = Unsent(clock)
        self._sections = settings.clients
        files = WatchedKeySets({name: client.jwks for name, client in settings.clients.items()}, self._take_keys, clock)
        self.fetched = {
            name: FetchedKeys(name, fetch_of(client, settings.addresses_of_clients), clock, count_fetch)
            for name, client in settings.clients.items()
            if client.jwks_uri is not None
        }
        """The keys of those clients that publish them."""
        authenticator = ClientAuthenticator(
            self.clients, audiences, store, clock, unsent, files.look_again, self.fetched
        )
        self.server = BrokerAuthorizationServer(
            Parts(self.issuer, self.clients, keys, store, clock, audit_handed_over, authenticator, unsent)
        )

    def _take_keys(self, client_id: str, keys: KeysOfFile) -> None:
        section = self._sections[client_id]
        changed = ClientSettings.model_validate({**section.model_dump(), "jwks": keys})
        self.clients[client_id] = Client.of(client_id, changed)

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
        if not self._client(request.client_id).check_redirect_uri(request.redirect_uri):
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
            history=history,
        )
        code = new_secret(slot)
        return Grant(authorization_response(request, self.issuer, code=code), code=code, entries=[record.entry(code)])

    def error_response(self, asked: Asked, error: str, description: str | None = None) -> str | None:
        """What tells a client of an error (RFC 6749 §4.1.2.1); None if its redirect URI is registered no more."""
        client = self.clients.get(asked.client_id)
        if client is None or not client.check_redirect_uri(asked.redirect_uri):
            return None
        iss = self.issuer if client.iss_in_errors else None
        return authorization_response(asked, iss, error=error, error_description=description)

    def _client(self, client_id: str) -> Client:
        client = self.clients.get(client_id)
        if client is None:
            raise Expired(Step.HAND_OFF, "the client is no longer registered")
        return client
