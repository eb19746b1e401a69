"""Faults of the authorization response: what the browser brings back to the relying party."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from flask import Response

from mock_idp.faults.model import ALL_DIALECTS, Answering, Fault, Parameters, Where
from mock_idp.protocol.dialects import DIALECTS
from mock_idp.protocol.http import see_other

MARKUP = '"><script>alert(1)</script><h1>bank'
_ADVERTISES_ISS = tuple(name for name, dialect in DIALECTS.items() if dialect.iss_parameter)

Bend = Callable[[Parameters, Answering], Parameters | Response]


def _fault(
    name: str,
    title: str,
    bend: Bend,
    code: str | None = None,
    conformance: str | None = None,
    dialects: tuple[str, ...] = ALL_DIALECTS,
) -> Fault:
    step = "response" if code else None
    return Fault(name, title, Where.RESPONSE, code, step, dialects, conformance, response=bend)


def _put(name: str, value: str | Callable[[Answering], str]) -> Bend:
    """Replace a parameter, or add it."""

    def bend(parameters: Parameters, answering: Answering) -> Parameters:
        text = value if isinstance(value, str) else value(answering)
        return [*(p for p in parameters if p[0] != name), (name, text)]

    return bend


def _drop(name: str) -> Bend:
    return lambda parameters, _answering: [p for p in parameters if p[0] != name]


def _repeat(name: str, value: str | None = None) -> Bend:
    """Send a parameter twice, the second time with another value if there is one."""

    def bend(parameters: Parameters, _answering: Answering) -> Parameters:
        found = next((v for n, v in parameters if n == name), "")
        return [*parameters, (name, found if value is None else value)]

    return bend


def _error(error: str, description: str = "identification failed") -> Bend:
    """An error instead of the code."""

    def bend(parameters: Parameters, _answering: Answering) -> Parameters:
        kept = [p for p in parameters if p[0] in ("state", "iss")]
        return [("error", error), ("error_description", description), *kept]

    return bend


def _error_with_wrong_state(parameters: Parameters, answering: Answering) -> Parameters | Response:
    bent = _error("access_denied")(parameters, answering)
    return _put("state", secrets.token_hex(32))(bent, answering) if isinstance(bent, list) else bent


def _no_redirect(_parameters: Parameters, _answering: Answering) -> Response:
    return Response('<!doctype html><html lang="en"><title>TEST BANK</title><h1>No way back</h1></html>', 200)


def _other_callback(parameters: Parameters, answering: Answering) -> Parameters | Response:
    """The mix-up: the answer goes to another redirect URI of the same relying party, if there is one."""
    registered = answering.bank.relying_party.statement(answering.now).redirect_uris
    own = urlsplit(answering.request.redirect_uri)
    others = [uri for uri in registered if urlsplit(uri).netloc == own.netloc and urlsplit(uri).path != own.path]
    other = next(iter(others), None)
    if other is None:
        return parameters
    return see_other(f"{other}?{urlencode(parameters)}")


def _unknown_state(_answering: Answering) -> str:
    return secrets.token_hex(32)


def _state_in_capitals(answering: Answering) -> str:
    return answering.request.state.upper()


def _two_errors(parameters: Parameters, answering: Answering) -> Parameters | Response:
    return _repeat("error", "cancel")(_as_list(_error("server_error")(parameters, answering)), answering)


def _extra(parameters: Parameters, _answering: Answering) -> Parameters:
    return [*parameters, ("session_state", "1"), ("x", "2")]


def _as_list(bent: Parameters | Response) -> Parameters:
    return bent if isinstance(bent, list) else []


_FAPI1 = "fapi1-advanced-final-client-test-ensure-authorization-response-with-"
_FAPI2 = "fapi2-security-profile-final-client-test-"

_STATE = (
    _fault(
        "invalid-state",
        "state is one that was never sent",
        _put("state", _unknown_state),
        "expired",
        f"{_FAPI1}invalid-state-fails",
    ),
    _fault("missing-state", "state is missing", _drop("state"), "bad_request", f"{_FAPI1}invalid-missing-state-fails"),
    _fault("state-malformed", "state holds markup", _put("state", MARKUP), "bad_request"),
    _fault("state-repeated", "state stands twice", _repeat("state"), "bad_request"),
    _fault("state-other-case", "state in capitals", _put("state", _state_in_capitals), "bad_request"),
    _fault("error-with-wrong-state", "An error with a state that was never sent", _error_with_wrong_state, "expired"),
)

_CODE = (
    _fault("code-repeated", "code stands twice", _repeat("code", "another-code"), "integrity_error"),
    _fault("code-missing", "Neither code nor error", _drop("code"), "integrity_error"),
    _fault("code-empty", "code is empty", _put("code", ""), "integrity_error"),
    _fault("code-oversized", "A code of 6,000 characters", _put("code", "a" * 6000), "integrity_error"),
    _fault("code-and-error", "code and error at once", _put("error", "server_error"), "idp_failed"),
)

_ISS = (
    _fault(
        "invalid-authorization-response-iss",
        "iss parameter is another issuer",
        _put("iss", "https://attacker.example"),
        "integrity_error",
        f"{_FAPI2}invalid-authorization-response-iss",
    ),
    _fault(
        "remove-authorization-response-iss",
        "iss parameter is missing, though advertised",
        _drop("iss"),
        "integrity_error",
        f"{_FAPI2}remove-authorization-response-iss",
        _ADVERTISES_ISS,
    ),
    _fault(
        "response-iss-repeated",
        "iss parameter stands twice",
        _repeat("iss"),
        "integrity_error",
        dialects=_ADVERTISES_ISS,
    ),
    _fault(
        "response-to-another-callback",
        "The answer goes to another redirect URI (mix-up)",
        _other_callback,
        "integrity_error",
    ),
)

_ERRORS = (
    _fault("error-repeated", "error stands twice", _two_errors, "integrity_error"),
    _fault("error-unknown", "An error nobody knows", _error("something_strange"), "idp_failed"),
    _fault("error-server-error", "error server_error", _error("server_error"), "idp_failed"),
    _fault("error-temporarily-unavailable", "The bank is down", _error("temporarily_unavailable"), "unavailable"),
    _fault("error-invalid-request", "error invalid_request", _error("invalid_request"), "config_error"),
    _fault("error-invalid-scope", "error invalid_scope", _error("invalid_scope"), "config_error"),
    _fault("error-unauthorized-client", "error unauthorized_client", _error("unauthorized_client"), "config_error"),
    _fault("error-with-markup", "Markup in error", _error(MARKUP), "idp_failed"),
    _fault("error-description-with-markup", "Markup in the description", _error("server_error", MARKUP), "idp_failed"),
    _fault(
        "error-description-percent-encoded",
        "A percent-encoded description, as OP's",
        _error("server_error", "user%20left"),
        "idp_failed",
    ),
    _fault(
        "access-denied-as-cancel",
        "access_denied: the person backed out",
        _error("access_denied"),
        "cancelled",
        dialects=("ftn", "telia"),
    ),
    _fault(
        "access-denied-as-failure",
        "access_denied: a failure at OP",
        _error("access_denied"),
        "idp_failed",
        dialects=("isb",),
    ),
    _fault("user-cancelled", "user_cancelled", _error("user_cancelled"), "cancelled", dialects=("ftn",)),
    _fault("cancel-word", "OP's word: cancel", _error("cancel"), "cancelled", dialects=("isb",)),
    _fault(
        "cancel-word-elsewhere",
        "OP's word cancel, where it has no meaning",
        _error("cancel"),
        "idp_failed",
        dialects=("ftn", "telia"),
    ),
)

FAULTS = (
    *_STATE,
    *_CODE,
    *_ISS,
    *_ERRORS,
    Fault("no-redirect", "An error page without a way back", Where.RESPONSE, no_answer=True, response=_no_redirect),
    _fault("response-extra-parameters", "Parameters that nobody knows", _extra),
    Fault("code-long", "A code of 3,000 characters, as Telia's", Where.RESPONSE, code_bytes=2250),
)
