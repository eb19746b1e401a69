"""How the online service proves itself: by `client_secret_basic` or `private_key_jwt`, the one it is set up for.

The secret comes as in RFC 6749 §2.3.1. The client assertion (RFC 7523 §3) comes in a header of its own,
`Client-Assertion`. RFC 7521 §4.2 puts it into the form of a token request; but a GET has no form, an address is
logged, and `Authorization: Bearer` is for identity tokens. So both endpoints take it alike, before a body is read.

Reasons are constants: nothing of a secret or an assertion is repeated in one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy.exc import IntegrityError

from kit.client_authentication import ClientRefused
from kit.client_authentication.assertion import Assertion, SigningKey, read_assertion, signing_keys
from kit.client_authentication.secret import basic_credentials, is_secret
from kit.keys.sets import KeysOfFile, WatchedKeySets
from registration.api.answers import invalid_request
from registration.database.connection import Database, digest
from registration.database.models import UsedAssertion
from registration.settings.models import ClientSettings

HEADER = "Client-Assertion"


class ClientAuthenticator:
    """Authenticates the clients of the API.

    clients: of the configuration, by id. origin: our address, an audience of every assertion. clock: seconds since
    the epoch.
    """

    def __init__(
        self, clients: Mapping[str, ClientSettings], origin: str, database: Database, clock: Callable[[], float]
    ) -> None:
        self._hashes = {id: client.secret_hash for id, client in clients.items() if client.secret_hash}
        self._keys = {id: signing_keys(client.jwks) for id, client in clients.items() if client.jwks}
        self._files = WatchedKeySets({id: client.jwks for id, client in clients.items()}, self._take_keys, clock)
        self._origin = origin
        self._database = database
        self._clock = clock

    def authenticate(self, authorization: str | None, assertion: str | None, path: str) -> str:
        """The id of the client that a request comes from.

        authorization, assertion: the headers of these names. path: of the endpoint; with our origin before it, it is
        the other audience that an assertion may have. Raises ClientRefused, or ApiError for more than one way (RFC
        6749 §2.3).
        """
        if authorization is not None and assertion is not None:
            raise invalid_request("more than one way of authentication")
        if assertion is not None:
            return self.assertion(assertion, path).client_id
        return self._by_secret(authorization)

    def _by_secret(self, authorization: str | None) -> str:
        client_id, secret = basic_credentials(authorization)
        if not is_secret(secret, self._hashes.get(client_id)):
            raise ClientRefused("the client is unknown, its secret is wrong, or it is set up for another way")
        return client_id

    def assertion(self, compact: str, path: str) -> Assertion:
        """A client assertion that holds, used up. path: see `authenticate`. Raises ClientRefused."""
        audiences = frozenset({self._origin, self._origin + path})
        assertion = read_assertion(compact, self._signing_keys_of, audiences, self._clock())
        self._use_up(assertion)
        return assertion

    def _signing_keys_of(self, client_id: str, _kid: str | None) -> Sequence[SigningKey]:
        self._files.look_again()
        if client_id not in self._keys:
            raise ClientRefused("sub is not a client that is set up for private_key_jwt")
        return self._keys[client_id]

    def _take_keys(self, client_id: str, keys: KeysOfFile) -> None:
        usable = signing_keys(keys)
        if not usable:
            raise ValueError("no key for signing")
        self._keys[client_id] = usable

    def _use_up(self, assertion: Assertion) -> None:
        """The primary key decides, over all processes: of two at the same moment one is refused."""
        id = digest(assertion.client_id, assertion.claims["jti"])
        expires_at = int(assertion.now) + assertion.remembered_for
        try:
            with self._database.write() as transaction:
                transaction.add(UsedAssertion(id=id, expires_at=expires_at))
        except IntegrityError:
            raise ClientRefused("jti was used before") from None
