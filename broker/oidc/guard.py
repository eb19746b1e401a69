"""What stands before `/authorize`, so that Authlib and everything behind it meets only clean parameters.

    unknown parameters dropped ──> client and redirect URI verified ──> CHECKS, in their order
                                       │ no                                │ no
                                       └─> NotVerified: a page             └─> Refused: a redirect with the error

Until the client and its redirect URI are verified nothing may be sent anywhere (RFC 6749 §4.1.2.1), so the
two stages have an exception each. Authlib then checks scope, PKCE and prompt (`broker.oidc.server`).
Descriptions are constants of ours: nothing a browser sent is ever echoed in one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from broker.oidc.clients import Client
from broker.oidc.parameters import LONGEST, LONGEST_STATE, Parameters, longest
from broker.oidc.responses import FORM_POST, SIGNED
from providers.engine.assurance import is_enough

RESPONSE_MODES = ("query", FORM_POST, *SIGNED)

REFUSED = {
    "request": "request_not_supported",
    "request_uri": "request_uri_not_supported",
    "registration": "registration_not_supported",
}
"""Parameters that the standard has an error of its own for (OpenID Connect Core §3.1.2.6)."""

_SECONDS = re.compile(r"[0-9]{1,10}\Z")
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}\Z")


class NotVerified(Exception):
    """The client or its redirect URI cannot be trusted: the person gets a page, nobody a redirect.

    The message is for the log, and the developer who asks its reader. client_id: of the client, if that is known.
    """

    def __init__(self, reason: str, client_id: str | None = None) -> None:
        super().__init__(reason)
        self.client_id = client_id


class Refused(Exception):
    """The client is told by a redirect. error: of RFC 6749 §4.1.2.1 or OpenID Connect Core §3.1.2.6."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True)
class Verified:
    """A request whose client and redirect URI are verified, so that it may be answered by a redirect.

    pushed: it came to `/par`, from the client itself. signed: in a request object.
    """

    client: Client
    redirect_uri: str
    parameters: Parameters
    pushed: bool = False
    signed: bool = False

    @property
    def client_id(self) -> str:
        """The client's."""
        return self.client.client_id

    @property
    def response_mode(self) -> str | None:
        """How the client wants the response; the query if that cannot be read."""
        return self.parameters.get("response_mode") if self.parameters.is_clean("response_mode") else None

    @property
    def state(self) -> str | None:
        """The client's state to send back; None if there is none that could be."""
        return self.parameters.get("state") if self.parameters.is_clean("state") else None


def verify_client(
    parameters: Parameters, client_of: Callable[[str], Client | None], *, pushed: bool = False, signed: bool = False
) -> Verified:
    """Find the client and compare its redirect URI, character by character (RFC 9700 §2.1).

    Raises NotVerified if either is missing, repeated, malformed or not registered.
    """
    client = find_client(parameters, client_of)
    _must_be_there("redirect_uri", parameters, client.client_id)
    redirect_uri = parameters.get("redirect_uri") or ""
    if not client.check_redirect_uri(redirect_uri):
        reason = "redirect_uri is not registered: it must equal one of the client's redirect_uris in every character"
        raise NotVerified(reason, client.client_id)
    return Verified(client, redirect_uri, parameters, pushed, signed)


def find_client(parameters: Parameters, client_of: Callable[[str], Client | None]) -> Client:
    """The client that a request names. Raises NotVerified if it is missing, repeated, malformed or not registered."""
    _must_be_there("client_id", parameters, None)
    client = client_of(parameters.get("client_id") or "")
    if client is None:
        raise NotVerified("client_id is not known: register it as [clients.<client_id>] in the configuration")
    return client


def _must_be_there(name: str, parameters: Parameters, client_id: str | None) -> None:
    held = parameters.values.get(name)
    if held is None:
        raise NotVerified(f"{name} is missing: the authorization request must name it", client_id)
    if len(held) > 1:
        raise NotVerified(f"{name} is there more than once: send it once", client_id)
    if not parameters.is_clean(name):
        raise NotVerified(f"{name} must be printable ASCII of at most {LONGEST} characters", client_id)


def _is_pushed_and_signed_if_it_must_be(request: Verified) -> None:
    # FAPI 2.0 Security Profile §5.3.2.2, Message Signing §5.3.1.
    if request.client.fapi and not request.pushed:
        raise Refused("invalid_request", "request_uri is required: send the request to /par first, and no other way")
    if request.client.message_signing and not request.signed:
        raise Refused("invalid_request", "request is required: send the parameters as a signed request object")


def _state_is_there(request: Verified) -> None:
    # Stricter than the standard, which only recommends it: a client without state is open to login CSRF, unless
    # PKCE or nonce protect it (RFC 9700 §2.1). One of them does: see `ClientSettings`.
    if request.state is None and "state" in request.client.needs:
        raise Refused(
            "invalid_request", f"state must be there once, printable ASCII, at most {LONGEST_STATE} characters"
        )


def _special_requests_are_not_supported(request: Verified) -> None:
    for name, error in REFUSED.items():
        if name in request.parameters.values:
            raise Refused(error, f"{name} is not supported: send each parameter by itself, in the query or a form")


def _each_is_clean(request: Verified) -> None:
    for name in request.parameters.values:
        if not request.parameters.is_clean(name):
            raise Refused(
                "invalid_request", f"{name} must be there once, printable ASCII, at most {longest(name)} characters"
            )


def _response_type_is_code(request: Verified) -> None:
    response_type = request.parameters.get("response_type")
    if response_type is None:
        raise Refused("invalid_request", "response_type is required: it must be code")
    if response_type != "code":
        raise Refused("unsupported_response_type", "response_type must be code")


def _response_mode_is_known(request: Verified) -> None:
    if request.response_mode not in (None, *RESPONSE_MODES):
        raise Refused(
            "invalid_request", "response_mode must be query, form_post, jwt or query.jwt: leave it out for query"
        )
    if request.client.message_signing and request.response_mode not in SIGNED:
        raise Refused("invalid_request", "response_mode must be jwt: responses to this client are signed")


def _dpop_jkt_is_a_thumbprint(request: Verified) -> None:
    thumbprint = request.parameters.get("dpop_jkt")
    if thumbprint is not None and not _THUMBPRINT.match(thumbprint):
        raise Refused("invalid_request", "dpop_jkt must be the SHA-256 thumbprint of a JWK, in base64url")


def _nonce_is_there(request: Verified) -> None:
    if "nonce" in request.client.needs and "nonce" not in request.parameters.values:
        raise Refused("invalid_request", "nonce is required: send a fresh random one with each request")


def _max_age_is_a_number(request: Verified) -> None:
    # Every identification is a fresh one, so that any age asked for is met; auth_time always tells.
    max_age = request.parameters.get("max_age")
    if max_age is not None and not _SECONDS.match(max_age):
        raise Refused("invalid_request", "max_age must be a whole number of seconds, of at most 10 digits")


CHECKS: tuple[Callable[[Verified], None], ...] = (
    _special_requests_are_not_supported,
    _is_pushed_and_signed_if_it_must_be,
    _state_is_there,
    _each_is_clean,
    _response_type_is_code,
    _response_mode_is_known,
    _max_age_is_a_number,
    _dpop_jkt_is_a_thumbprint,
    _nonce_is_there,
)


def check(request: Verified) -> None:
    """Run CHECKS in their order. Raises Refused at the first that does not hold."""
    for one in CHECKS:
        one(request)


def accepted_acr_values(acr_values: str | None, accepted: Sequence[str]) -> tuple[str, ...]:
    """The levels of assurance to ask a bank for: the accepted ones, raised by what the client asked for.

    A higher level than the lowest accepted one is asked for as the client says it; of a lower one the accepted ones
    hold. Empty if nothing that the client named is a level of this environment: that cannot be met, and is
    `access_denied`.
    """
    asked = tuple(dict.fromkeys((acr_values or "").split()))
    if not asked:
        return tuple(accepted)
    enough = tuple(value for value in asked if is_enough(value, accepted))
    return enough or tuple(value for value in accepted if is_enough(value, asked))
