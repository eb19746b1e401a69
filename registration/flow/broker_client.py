"""Registration as an OpenID Connect client: authorization code flow, PKCE, private_key_jwt, by Authlib.

What an identity token says is taken only from `tunnus_verifier`, as in any other service.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from http import HTTPStatus
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session

from kit.client_authentication.signing import ShortAssertion
from kit.pages.languages import HELSINKI
from registration.keys import Keys
from registration.settings.models import BrokerSettings, Settings
from tunnus_verifier import IdentityClaims, KeysUnavailable, VerificationError, Verifier

SCOPE = "openid profile"


class BrokerUnavailable(Exception):
    """The broker cannot be reached, or its keys cannot."""


class NotIdentified(Exception):
    """The broker gave no identity that we take. reason: a constant for the log."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Request:
    """What one authorization request needs to be answered. All random."""

    state: str
    nonce: str
    code_verifier: str


class BrokerClient:
    """The OpenID Provider as we use it. redirect_uri: ours, as it is registered there."""

    def __init__(
        self, settings: BrokerSettings, redirect_uri: str, keys: Keys, verifier: Verifier, clock: Callable[[], float]
    ) -> None:
        self.issuer = settings.issuer
        self._settings = settings
        self._redirect_uri = redirect_uri
        self._keys = keys
        self._verifier = verifier
        self._clock = clock
        self._authorization_endpoint = settings.authorization_endpoint or f"{settings.issuer}/authorize"
        self._token_endpoint = settings.token_endpoint or f"{settings.issuer}/token"

    def authorization_url(self, request: Request, **wanted: str) -> str:
        """The address of an authorization request (RFC 6749 §4.1.1, RFC 7636). wanted: `ui_locales`, `idp_hint`."""
        with self._session() as session:
            url, _ = session.create_authorization_url(
                self._authorization_endpoint,
                state=request.state,
                nonce=request.nonce,
                code_verifier=request.code_verifier,
                **wanted,
            )
        return str(url)

    def identify(self, code: str, request: Request) -> IdentityClaims:
        """Exchange an authorization code; return what the verified identity token says.

        Raises BrokerUnavailable, or NotIdentified if the code or the token is not taken.
        """
        try:
            with self._session() as session:
                answer = self._exchange(session, code, request.code_verifier)
            token = answer["id_token"]
        except requests.RequestException as error:
            raise BrokerUnavailable from error
        except AuthlibBaseError as error:
            raise NotIdentified("token_error") from error
        except (KeyError, ValueError, TypeError) as error:
            raise NotIdentified("token_response") from error
        try:
            return self._verifier.verify(token, nonce=request.nonce)
        except KeysUnavailable as error:
            raise BrokerUnavailable from error
        except VerificationError as error:
            raise NotIdentified(f"id_token:{error.code}") from error

    def _exchange(self, session: OAuth2Session, code: str, code_verifier: str) -> dict[str, Any]:
        """Send the token request; once more if the broker says that it could not answer, as it keeps the code then."""
        send = partial(
            session.fetch_token,
            self._token_endpoint,
            code=code,
            code_verifier=code_verifier,
            allow_redirects=False,
        )
        try:
            answer: dict[str, Any] = send()
        except requests.HTTPError as error:
            if error.response is None or error.response.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                raise
            answer = send()
        return answer

    def _session(self) -> OAuth2Session:
        key = self._keys.client
        session = OAuth2Session(
            self._settings.client_id,
            key,
            scope=SCOPE,
            redirect_uri=self._redirect_uri,
            code_challenge_method="S256",
            token_endpoint_auth_method="private_key_jwt",
            timeout=self._settings.timeout,
        )
        session.trust_env = False
        # `aud` is the endpoint's public name, also where we reach it by another address.
        public = f"{self.issuer}/token"
        session.register_client_auth_method(ShortAssertion(public, self._clock))
        return session


def create_verifier(settings: Settings, parties: tuple[str, ...], clock: Callable[[], float]) -> Verifier:
    """A verifier of the broker's identity tokens for us. parties: whose tokens are taken besides our own (`azp`)."""
    broker = settings.broker
    return Verifier(
        broker.issuer,
        broker.client_id,
        jwks_uri=broker.jwks_uri or f"{broker.issuer}/jwks",
        authorized_parties=parties,
        algorithms=(broker.id_token_alg,),
        accepted_acr=broker.accepted_acr,
        # of a private network only: the settings refuse plain http to any other host
        insecure_http=settings.insecure_http or settings.private_network,
        clock=clock,
    )


def is_old_enough(birthdate: date | None, years: int, now: int) -> bool:
    """Whether a person born on a date has had that birthday in Finland. Without a date it is not known, so False."""
    if birthdate is None:
        return years == 0
    today = datetime.fromtimestamp(now, UTC).astimezone(HELSINKI).date()
    had_birthday = (today.month, today.day) >= (birthdate.month, birthdate.day)
    return today.year - birthdate.year - (0 if had_birthday else 1) >= years
