"""One connection as the broker sees it: begin, handle_of, finish."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from joserfc.jwk import RSAKey

from providers.connection import Connection
from providers.engine.claims import Expected
from providers.engine.http import BankHttp, BankUnreachable, Budget
from providers.engine.id_token import VerifiedToken, verify_id_token
from providers.engine.jwks import BankKeys
from providers.engine.normalise import normalise
from providers.engine.request_object import build_authorization_url
from providers.engine.response import code_of, handle_of
from providers.engine.token_request import exchange_code
from providers.errors import IntegrityError, RelyingPartyRejected, Step, Unavailable
from providers.model import Attempt, BeginRequest, Begun, Identity, Keys, Message, Observer, Provider, Redirect

STANDARD_CLAIMS = frozenset(
    {"iss", "sub", "aud", "exp", "iat", "nbf", "jti", "nonce", "acr", "amr", "azp", "auth_time", "at_hash"}
    | {"c_hash", "s_hash", "sid", "session_index", "typ"}
)


class OidcAdapter:
    """`providers.model.Adapter` over OpenID Connect as the FTN profiles it.

    providers: those this connection serves, by id. clock: seconds since the epoch. factored: whether anyone can
    factor an RSA modulus (CVE-2017-15361).
    """

    def __init__(
        self,
        connection: Connection,
        providers: Mapping[str, Provider],
        keys: Keys,
        http: BankHttp,
        observer: Observer,
        clock: Callable[[], float],
        factored: Callable[[int], bool],
    ) -> None:
        self.connection = connection
        self._providers = providers
        self._keys = keys
        self._http = http
        self._observer = observer
        self._bank_keys = BankKeys(connection, http, observer, clock, factored)

    @property
    def usable(self) -> bool:
        """False while the breaker of this connection is open."""
        return not self._http.breakers.open_for(None)

    def usable_for(self, provider: str | None) -> bool:
        """False while new starts with a provider are stopped; provider: its id."""
        return not self._http.breakers.open_for(provider)

    def failed_lately(self, provider: str | None) -> bool:
        """Whether identifications with a provider failed lately, and none has succeeded since; provider: its id."""
        return self._http.breakers.failed_lately(provider)

    @property
    def calls(self) -> int:
        """Threads in calls to the bank now."""
        return self._http.calls

    def begin(self, request: BeginRequest) -> Begun:
        """Start an attempt. Raises Unavailable (breaker open) or RelyingPartyRejected at `request`."""
        if not self.usable_for(request.provider.id if request.provider else None):
            raise Unavailable(Step.REQUEST, "the breaker of this connection is open")
        if not request.acr_values:
            raise RelyingPartyRejected(Step.REQUEST, "no level of assurance is left to ask for")
        url, expected = build_authorization_url(self.connection, request, self._keys)
        lifetime = request.provider.attempt_lifetime if request.provider else 900
        attempt = Attempt(
            connection=self.connection.id,
            provider=request.provider.id if request.provider else None,
            acr_values=request.acr_values,
            started_at=request.now,
            expires_at=request.now + lifetime,
            private={
                "nonce": expected.nonce,
                "code_verifier": expected.code_verifier,
                "names_asked": request.profile or self.connection.dialect.profile_scope is None,
            },
        )
        return Begun(Redirect(url), attempt)

    def handle_of(self, message: Message) -> str:
        """The `state` of a message, unverified. Raises BadRequest."""
        return handle_of(message)

    def finish(self, message: Message, handle: str, attempt: Attempt, now: int) -> Identity:
        """Turn an authorization response into an identity; now: seconds. Raises any IdentificationError."""
        if attempt.connection != self.connection.id or handle_of(message) != handle:
            raise IntegrityError(Step.RESPONSE, "the state belongs to another attempt or connection", claim="state")
        provider = self._provider_of(attempt)
        code = code_of(message, self.connection)
        try:
            with self._http.identification(self._blamed(provider)) as budget:
                verified = self._verified(code, attempt, budget, now)
        except BankUnreachable as error:
            raise Unavailable(Step.TOKEN_EXCHANGE, "no place among the calls to this bank") from error
        claims = provider.adjust(verified.claims) if provider and provider.adjust else verified.claims
        self._count_unknown(claims)
        return normalise(
            claims,
            self.connection,
            provider,
            (verified.signing_kid, verified.encryption_kid),
            names_asked=attempt.private["names_asked"],
        )

    def _blamed(self, provider: Provider | None) -> str | None:
        """Whose a failure is: that of one provider where the connection serves several, else the connection's."""
        return provider.id if provider is not None and len(self._providers) > 1 else None

    def _provider_of(self, attempt: Attempt) -> Provider | None:
        if attempt.provider is None:
            return None
        if attempt.provider not in self._providers:
            raise RelyingPartyRejected(Step.RESPONSE, "this connection does not serve the attempt's provider any more")
        return self._providers[attempt.provider]

    def _verified(self, code: str, attempt: Attempt, budget: Budget, now: int) -> VerifiedToken:
        """Both calls to the bank, and every check of what it said."""
        connection, private = self.connection, attempt.private
        response = exchange_code(connection, code, private["code_verifier"], self._keys, self._http, budget, now)
        expected = Expected(
            issuer=connection.issuer,
            client_id=connection.client_id,
            nonce=private["nonce"],
            acr_values=attempt.acr_values,
            test=connection.test,
            started_at=attempt.started_at,
            now=now,
            skew=connection.clock_skew,
            access_token=response.access_token,
        )

        def find_keys(kid: str | None, refused: Collection[RSAKey] = ()) -> tuple[RSAKey, ...]:
            return self._bank_keys.find(kid, budget, refused)

        return verify_id_token(response.id_token, connection, expected, self._keys, find_keys)

    def _count_unknown(self, claims: Mapping[str, Any]) -> None:
        """Unknown claims never break a login; the operator sees that there are some."""
        names = self.connection.dialect.claims
        known = STANDARD_CLAIMS | names.known | set(names.reference)
        known |= {names.personal_identity_code, names.given_name, names.family_name, names.name, names.birthdate}
        if unknown := len(set(claims) - known):
            self._observer.event("unknown_claims", connection=self.connection.id, count=unknown)
