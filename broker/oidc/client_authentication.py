"""How a client proves itself at the token endpoint: `private_key_jwt` or `client_secret_basic`, one of them.

A client is registered for one method and no other will do (RFC 6749 §2.3). There is no `client_secret_post`
and there are no public clients.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from urllib.parse import unquote_plus

from authlib.consts import default_json_headers
from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError

from broker import logs
from broker.oidc.client_assertion import ASSERTION_TYPE, AssertionVerifier, ClientRefused
from broker.oidc.clients import Client


class ClientNotAuthenticated(InvalidClientError):
    """`invalid_client`, always 401 with a challenge (RFC 6749 §5.2, RFC 7617 §2)."""

    status_code = 401

    def get_headers(self) -> list[tuple[str, str]]:
        """For Authlib: the headers of the error response."""
        return [*default_json_headers, ("WWW-Authenticate", 'Basic realm="tunnus"')]


class ClientAuthenticator:
    """Authenticates clients at the token endpoint."""

    def __init__(self, clients: Mapping[str, Client], assertions: AssertionVerifier) -> None:
        self._clients = clients
        self._assertions = assertions

    def authenticate(self, authorization: str | None, form: Mapping[str, str]) -> Client:
        """The client that a token request comes from.

        authorization: the header of that name. form: the request's parameters, one value each. Raises
        ClientNotAuthenticated, or InvalidRequestError if more than one method is used (RFC 6749 §2.3).
        """
        by_assertion = "client_assertion" in form or "client_assertion_type" in form
        if [authorization is not None, by_assertion, "client_secret" in form].count(True) > 1:
            raise InvalidRequestError("more than one method of client authentication")
        try:
            client = self._by_assertion(form) if by_assertion else self._by_secret(authorization)
            if form.get("client_id", client.client_id) != client.client_id:
                raise ClientRefused("client_id is not the client that authenticated")
        except ClientRefused as refusal:
            raise ClientNotAuthenticated(str(refusal)) from refusal
        logs.note(client=client.client_id)
        return client

    def _by_assertion(self, form: Mapping[str, str]) -> Client:
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise ClientRefused("client_assertion_type is not that of RFC 7523")
        return self._assertions.verify(form.get("client_assertion", ""), self._clients.get)

    def _by_secret(self, authorization: str | None) -> Client:
        client_id, secret = _basic_credentials(authorization)
        client = self._clients.get(client_id)
        if client is None or client.auth_method != "client_secret_basic" or not client.check_client_secret(secret):
            raise ClientRefused("the client is unknown, its secret is wrong, or it is registered for another method")
        return client


def _basic_credentials(authorization: str | None) -> tuple[str, str]:
    """The client's id and secret, each form-urlencoded within the header (RFC 6749 §2.3.1)."""
    scheme, _, credentials = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        raise ClientRefused("no client authentication of a kind that is accepted")
    try:
        decoded = base64.b64decode(credentials.strip(), validate=True).decode("ascii")
    except ValueError as error:
        raise ClientRefused("the Basic credentials are malformed") from error
    client_id, _, secret = decoded.partition(":")
    return unquote_plus(client_id), unquote_plus(secret)
