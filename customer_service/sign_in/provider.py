"""The employer's OpenID Provider: authorization code flow with PKCE, state, nonce and `iss`, by Authlib.

Its metadata (OpenID Connect Discovery §4) and its keys are fetched when somebody signs in, and kept for an hour; what
is held goes on being used while the provider gives no new answer. Nothing at start depends on it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session

from customer_service.keys import Keys
from customer_service.settings.models import SignInSettings
from customer_service.sign_in.attempts import Attempt
from customer_service.sign_in.id_token import Expected, IdTokenRefused, UnknownKey, verify
from customer_service.sign_in.roles import groups_in, roles_of
from customer_service.sign_in.sessions import Staff
from kit.client_authentication.signing import ShortAssertion
from kit.json_service import JsonService, NoAnswer, json_object
from kit.keys.sets import usable_public_keys

log = logging.getLogger("customer_service.sign_in")
LONGEST_ANSWER = 256 * 1024
"""Bytes."""
KEPT = 3600
"""Seconds for which metadata and keys are used without being asked for again."""
AGAIN = 60
"""Seconds from one fetch of the keys to the next, whatever `kid` a token names and whatever key has signed it."""
LONGEST_NAME = 100
_WELL_KNOWN = "/.well-known/openid-configuration"


class ProviderUnavailable(Exception):
    """The provider cannot be reached, or its metadata or keys cannot be used. The message is constant."""


class NotSignedIn(Exception):
    """The provider gave nobody that we take. reason: a constant for the log."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Provider:
    """The provider as we use it. redirect_uri: ours, as it is registered there. clock: seconds since the epoch."""

    def __init__(self, settings: SignInSettings, redirect_uri: str, keys: Keys, clock: Callable[[], float]) -> None:
        self._settings, self._redirect_uri, self._keys, self._clock = settings, redirect_uri, keys, clock
        self._calls = JsonService(settings.timeout, LONGEST_ANSWER)
        self._lock = threading.RLock()
        self._metadata: tuple[float, dict[str, Any]] | None = None
        self._jwks: tuple[float, Sequence[Mapping[str, Any]]] | None = None

    def authorization_url(self, attempt: Attempt, locale: str) -> str:
        """The address of an authorization request. Raises ProviderUnavailable."""
        endpoint = self._endpoint("authorization_endpoint", back=False)
        wanted: dict[str, Any] = {"ui_locales": locale}
        if self._settings.max_age is not None:
            wanted["max_age"] = self._settings.max_age
        with self._session() as session:
            url, _ = session.create_authorization_url(
                endpoint, state=attempt.state, nonce=attempt.nonce, code_verifier=attempt.code_verifier, **wanted
            )
        return str(url)

    def refuse_issuer(self, issuer: str | None) -> None:
        """Look at `iss` of an authorization response (RFC 9207 §2.4). Raises NotSignedIn."""
        sends_it = self.metadata().get("authorization_response_iss_parameter_supported") is True
        if issuer != self._settings.issuer and (issuer is not None or sends_it):
            raise NotSignedIn("iss")

    def sign_in(self, code: str, attempt: Attempt) -> Staff:
        """Exchange an authorization code; return who the verified ID token says it is, with the roles they have.

        Raises ProviderUnavailable, or NotSignedIn.
        """
        answer = self._exchange(code, attempt.code_verifier)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise NotSignedIn("token_response")
        claims = self._verified(token, attempt)
        more = claims if groups_in(claims, self._settings.groups_claim) is not None else self._userinfo(answer, claims)
        return _staff(claims, {**more, **claims}, self._settings)

    def sign_out_url(self, back: str) -> str | None:
        """Where a person ends their session at the provider (RP-Initiated Logout §2); None if it has no such page."""
        held = self._metadata
        endpoint = held[1].get("end_session_endpoint") if held else None
        if not isinstance(endpoint, str):
            return None
        query = {"client_id": self._settings.client_id, "post_logout_redirect_uri": back}
        return str(requests.Request("GET", endpoint, params=query).prepare().url)

    def metadata(self) -> dict[str, Any]:
        """The provider's metadata, of its own issuer. Raises ProviderUnavailable."""
        now, held = self._clock(), self._metadata
        if held is not None and 0 <= now - held[0] < KEPT:
            return held[1]
        with self._lock:
            try:
                found = self._fetched((self._settings.back_url or self._settings.issuer).rstrip("/") + _WELL_KNOWN)
                if found.get("issuer") != self._settings.issuer:
                    raise ProviderUnavailable("its metadata are of another issuer")
            except ProviderUnavailable:
                if held is None:
                    raise
                found = held[1]
            self._metadata = (now, found)
        return found

    def _exchange(self, code: str, code_verifier: str) -> dict[str, Any]:
        endpoint = self._endpoint("token_endpoint")
        try:
            with self._session() as session:
                answer = session.fetch_token(endpoint, code=code, code_verifier=code_verifier, allow_redirects=False)
            return dict(answer)
        except requests.RequestException as error:
            raise ProviderUnavailable("the token request failed") from error
        except AuthlibBaseError as error:
            raise NotSignedIn("token_error") from error
        except (KeyError, ValueError, TypeError) as error:
            raise NotSignedIn("token_response") from error

    def _verified(self, token: str, attempt: Attempt) -> dict[str, Any]:
        settings = self._settings
        expected = Expected(
            settings.issuer, settings.client_id, attempt.nonce, settings.id_token_algs, settings.max_age
        )
        try:
            try:
                return verify(token, self._signing_keys(KEPT), expected, self._clock())
            except UnknownKey:
                return verify(token, self._signing_keys(AGAIN), expected, self._clock())
        except IdTokenRefused as error:
            raise NotSignedIn(f"id_token: {error}") from error

    def _userinfo(self, answer: Mapping[str, Any], claims: Mapping[str, Any]) -> dict[str, Any]:
        """What the provider tells beside the ID token, of the same person (OpenID Connect Core §5.3)."""
        token = answer.get("access_token")
        if not isinstance(token, str) or "userinfo_endpoint" not in self.metadata():
            return {}
        found = self._fetched(self._endpoint("userinfo_endpoint"), {"Authorization": f"Bearer {token}"})
        if found.get("sub") != claims["sub"]:
            raise NotSignedIn("userinfo is of another sub")
        return found

    def _signing_keys(self, longest: float) -> Sequence[Mapping[str, Any]]:
        """The provider's set, not older than that many seconds where it can be had."""
        now, held = self._clock(), self._jwks
        if held is not None and 0 <= now - held[0] < longest:
            return held[1]
        with self._lock:
            try:
                keys = usable_public_keys(self._fetched(self._endpoint("jwks_uri")).get("keys"))
            except (ProviderUnavailable, ValueError) as error:
                if held is None:
                    raise ProviderUnavailable("its keys cannot be had") from error
                keys = tuple(dict(key) for key in held[1])
            self._jwks = (now, keys)
        return keys

    def _endpoint(self, name: str, *, back: bool = True) -> str:
        """An endpoint of the metadata. back: as this service reaches it, not as browsers do."""
        url = self.metadata().get(name)
        if not isinstance(url, str) or not url.startswith(("https://", "http://")):
            raise ProviderUnavailable("its metadata lack an endpoint")
        issuer, elsewhere = self._settings.issuer, self._settings.back_url
        if back and elsewhere and url.startswith(issuer):
            return elsewhere.rstrip("/") + url.removeprefix(issuer.rstrip("/"))
        return url

    def _fetched(self, url: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        try:
            status, body = self._calls.get(url, headers=headers)
            if status != 200:
                raise NoAnswer("the status is not 200")
            return json_object(body)
        except NoAnswer as error:
            log.warning("the employer's provider gave no usable answer", extra={"reason": str(error)})
            raise ProviderUnavailable(str(error)) from error

    def _session(self) -> OAuth2Session:
        settings = self._settings
        by_key = settings.auth_method == "private_key_jwt"
        session = OAuth2Session(
            settings.client_id,
            self._keys.client if by_key else settings.client_secret,
            scope=" ".join(settings.scopes),
            redirect_uri=self._redirect_uri,
            code_challenge_method="S256",
            token_endpoint_auth_method=settings.auth_method,
            timeout=settings.timeout,
        )
        session.trust_env = False
        if by_key:
            session.register_client_auth_method(
                ShortAssertion(self._endpoint("token_endpoint", back=False), self._clock)
            )
        return session


def _staff(claims: Mapping[str, Any], told: Mapping[str, Any], settings: SignInSettings) -> Staff:
    """told: the claims and what userinfo adds to them."""
    groups = groups_in(told, settings.groups_claim) or frozenset()
    names = (told.get(name) for name in ("name", "preferred_username", "sub"))
    name = next(text for text in names if isinstance(text, str) and text.strip() and text.isprintable())
    email = told.get("email")
    known = isinstance(email, str) and told.get("email_verified") is not False
    return Staff(
        str(claims["iss"]),
        str(claims["sub"]),
        name.strip()[:LONGEST_NAME],
        roles_of(groups, settings.roles),
        email if known else None,
    )
