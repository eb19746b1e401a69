"""How a client proves itself at the token endpoint: `private_key_jwt`, `client_secret_basic` or `client_secret_post`.

A client is registered for one method and no other will do (RFC 6749 §2.3). There are no public clients.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence

from authlib.consts import default_json_headers
from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError

from broker.oidc.clients import Client
from broker.oidc.descriptions import describe_refused_client
from broker.oidc.fetched_keys import FetchedKeys
from broker.oidc.unsent import Taken, Unsent
from broker.store import Entry, Key, Store
from kit import logs
from kit.client_authentication import ClientRefused
from kit.client_authentication.assertion import ASSERTION_TYPE, Assertion, SigningKey, read_assertion
from kit.client_authentication.secret import basic_credentials


class ClientNotAuthenticated(InvalidClientError):
    """`invalid_client`, always 401 with a challenge (RFC 6749 §5.2, RFC 7617 §2)."""

    status_code = 401

    def get_headers(self) -> list[tuple[str, str]]:
        """For Authlib: the headers of the error response."""
        return [*default_json_headers, ("WWW-Authenticate", 'Basic realm="tunnus"')]


class ClientAuthenticator:
    """Authenticates clients at the token endpoint.

    audiences: what an assertion may be made out to. store: keeps each `jti`. clock: seconds since the epoch.
    unsent: the uses of assertions that came to nothing. look_again: puts a client's new keys into clients.
    fetched: the keys of those that publish them.
    """

    def __init__(
        self,
        clients: Mapping[str, Client],
        audiences: frozenset[str],
        store: Store,
        clock: Callable[[], float],
        unsent: Unsent,
        look_again: Callable[[], None],
        fetched: Mapping[str, FetchedKeys],
    ) -> None:
        self._clients = clients
        self._fetched = fetched
        self._look_again = look_again
        self._audiences = audiences
        self._store = store
        self._clock = clock
        self._unsent = unsent

    def authenticate(self, authorization: str | None, form: Mapping[str, str], taken: Taken) -> Client:
        """The client that a token request comes from.

        authorization: the header of that name. form: the request's parameters, one value each. taken: where the `jti`
        that was used up is noted. Raises ClientNotAuthenticated, InvalidRequestError if more than one method is used
        (RFC 6749 §2.3), or StoreUnavailable if a `jti` cannot be kept.
        """
        self._look_again()
        by_assertion = "client_assertion" in form or "client_assertion_type" in form
        if [authorization is not None, by_assertion, "client_secret" in form].count(True) > 1:
            raise InvalidRequestError(
                "send one of Authorization, client_assertion and client_secret: one method of client authentication"
            )
        try:
            client = self._by_assertion(form, taken) if by_assertion else self._by_secret(authorization, form)
            if form.get("client_id", client.client_id) != client.client_id:
                raise ClientRefused("client_id must be the client that authenticates: leave it out, or send the same")
        except ClientRefused as refusal:
            raise ClientNotAuthenticated(describe_refused_client(str(refusal), by_assertion)) from refusal
        logs.add(client=client.client_id)
        return client

    def _by_assertion(self, form: Mapping[str, str], taken: Taken) -> Client:
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise ClientRefused(f"client_assertion_type must be {ASSERTION_TYPE}")
        compact = form.get("client_assertion", "")
        assertion = read_assertion(compact, self._signing_keys_of, self._audiences, self._clock())
        self._use_up(assertion, taken)
        return self._clients[assertion.client_id]

    def _signing_keys_of(self, client_id: str, kid: str | None) -> Sequence[SigningKey]:
        client = self._clients.get(client_id)
        if client is None:
            raise ClientRefused("sub is not a known client")
        if client.auth_method != "private_key_jwt":
            raise ClientRefused("it must not be sent, the auth_method of the client is another")
        fetched = self._fetched.get(client_id)
        return client.signing_keys if fetched is None else fetched.keys_for(kid)

    def _use_up(self, assertion: Assertion, taken: Taken) -> None:
        key = Key("jti", "", f"{assertion.client_id}\x00{assertion.claims['jti']}")
        use = secrets.token_hex(8)
        taken.assertion = (key, use)
        if self._store.put_new(Entry(key, {"use": use}, assertion.remembered_for)):
            return
        (held,) = self._store.get(key)
        use = str(held.get("use")) if held else ""
        if not self._unsent.pop(use):
            raise ClientRefused("jti was used before: make a new assertion, with a new jti, for each request")
        taken.assertion = (key, use)

    def _by_secret(self, authorization: str | None, form: Mapping[str, str]) -> Client:
        by_post = "client_secret" in form
        method, held_by = ("client_secret_post", "the form") if by_post else ("client_secret_basic", "Authorization")
        client_id, secret = (
            (form.get("client_id", ""), form["client_secret"]) if by_post else basic_credentials(authorization)
        )
        client = self._clients.get(client_id)
        if client is None or client.auth_method != method or not client.check_client_secret(secret):
            raise ClientRefused(f"{held_by} must hold a known client_id and its secret, the auth_method be {method}")
        return client
