"""How a client proves itself at the token endpoint: `private_key_jwt`, `client_secret_basic` or `client_secret_post`.

A client is registered for one method and no other will do (RFC 6749 §2.3). There are no public clients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from authlib.consts import default_json_headers
from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError

from broker.oidc.clients import Client
from broker.oidc.descriptions import describe_refused_client
from broker.oidc.fetched_keys import FetchedKeys
from broker.oidc.unsent import Taken, Unsent, Use, use_again, use_once
from broker.store import Key, Store
from kit import logs
from kit.client_authentication import ClientRefused
from kit.client_authentication.assertion import ASSERTION_TYPE, SigningKey, read_assertion
from kit.client_authentication.secret import basic_credentials


class ClientNotAuthenticated(InvalidClientError):
    """`invalid_client`, always 401 with a challenge (RFC 6749 §5.2, RFC 7617 §2)."""

    status_code = 401

    def get_headers(self) -> list[tuple[str, str]]:
        """For Authlib: the headers of the error response."""
        return [*default_json_headers, ("WWW-Authenticate", 'Basic realm="tunnus"')]


class ClientAuthenticator:
    """Authenticates clients at the token endpoint.

    issuer: ours; what an assertion may be made out to, as the endpoints that it is sent to. store: keeps each `jti`.
    clock: seconds since the epoch.
    unsent: the uses of assertions that came to nothing. look_again: puts a client's new keys into clients.
    fetched: the keys of those that publish them.
    """

    def __init__(
        self,
        clients: Mapping[str, Client],
        issuer: str,
        store: Store,
        clock: Callable[[], float],
        unsent: Unsent,
        look_again: Callable[[], None],
        fetched: Mapping[str, FetchedKeys],
    ) -> None:
        self._clients = clients
        self._fetched = fetched
        self._look_again = look_again
        self._issuer = issuer
        self._audiences = frozenset({issuer, f"{issuer}/token", f"{issuer}/par"})
        self._store = store
        self._clock = clock
        self._unsent = unsent

    def authenticate(
        self, authorization: str | None, form: Mapping[str, str], taken: Taken, *, later: bool = False
    ) -> Client:
        """The client that a token request comes from.

        authorization: the header of that name. form: the request's parameters, one value each. taken: where the `jti`
        that was used up is noted. later: the `jti` is only noted as due; whoever goes on must use it up, by what else
        is stored with it or by `settle`, before anything is answered. Raises ClientNotAuthenticated,
        InvalidRequestError if more than one method is used (RFC 6749 §2.3), or StoreUnavailable if a `jti` cannot be
        kept.
        """
        self._look_again()
        by_assertion = "client_assertion" in form or "client_assertion_type" in form
        if [authorization is not None, by_assertion, "client_secret" in form].count(True) > 1:
            raise InvalidRequestError(
                "send one of Authorization, client_assertion and client_secret: one method of client authentication"
            )
        try:
            client = self._by_assertion(form, taken, later) if by_assertion else self._by_secret(authorization, form)
            if form.get("client_id", client.client_id) != client.client_id:
                raise ClientRefused("client_id must be the client that authenticates: leave it out, or send the same")
        except ClientRefused as refusal:
            raise ClientNotAuthenticated(describe_refused_client(str(refusal), by_assertion)) from refusal
        logs.add(client=client.client_id)
        return client

    def settle(self, taken: Taken) -> None:
        """Use a `jti` up that is due. Raises ClientNotAuthenticated if it was used before, or StoreUnavailable."""
        use, taken.due = taken.due, None
        if use is not None and not use_once(self._store, self._unsent, use, taken):
            raise _used_before()

    def settle_again(self, use: Use, taken: Taken) -> None:
        """The same for one that was not the first use of its `jti`, and is noted in taken."""
        if not use_again(self._store, self._unsent, use, taken):
            raise _used_before()

    def _by_assertion(self, form: Mapping[str, str], taken: Taken, later: bool) -> Client:
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise ClientRefused(f"client_assertion_type must be {ASSERTION_TYPE}")
        compact = form.get("client_assertion", "")
        assertion = read_assertion(compact, self._keys_for_assertion, self._audiences, self._clock())
        client = self._clients[assertion.client_id]
        # FAPI 2.0 Security Profile §5.3.2.1: else a client that mixes servers up sends one of them the other's.
        if client.fapi and assertion.claims["aud"] != self._issuer:
            raise ClientRefused("aud must be our issuer, as a string: nothing else is taken of a client of FAPI 2.0")
        key = Key("jti", "", f"{assertion.client_id}\x00{assertion.claims['jti']}")
        taken.due = Use.of(key, assertion.remembered_for)
        if not later:
            self.settle(taken)
        return client

    def signing_keys_of(self, client: Client, kid: str | None) -> Sequence[SigningKey]:
        """The keys that a client may have signed with. kid: the one that is named, for which its set may be fetched."""
        fetched = self._fetched.get(client.client_id)
        return client.signing_keys if fetched is None else fetched.keys_for(kid)

    def _keys_for_assertion(self, client_id: str, kid: str | None) -> Sequence[SigningKey]:
        client = self._clients.get(client_id)
        if client is None:
            raise ClientRefused("sub is not a known client")
        if client.auth_method != "private_key_jwt":
            raise ClientRefused("it must not be sent, the auth_method of the client is another")
        return self.signing_keys_of(client, kid)

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


def _used_before() -> ClientNotAuthenticated:
    reason = "jti was used before: make a new assertion, with a new jti, for each request"
    return ClientNotAuthenticated(describe_refused_client(reason, True))
