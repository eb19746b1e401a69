"""Faults of the standard claims: each one missing, wrong, of another type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mock_idp.faults.model import ALL_DIALECTS, Fault, Minting, Where
from mock_idp.people.faces import FACES
from mock_idp.protocol.dialects import DIALECTS, HIGHER_PRODUCTION_LEVEL, LEVELS, PRODUCTION_LEVEL

Change = Callable[[dict[str, Any], Minting], None]
_WITH_AT_HASH = tuple(name for name, dialect in DIALECTS.items() if dialect.at_hash)
_WITH_AZP = tuple(name for name, dialect in DIALECTS.items() if dialect.azp)
_WITH_AMR = tuple(name for name, dialect in DIALECTS.items() if dialect.amr)
_WEEK = 7 * 86_400


def put(name: str, value: Any) -> Change:
    """Set a claim; value: a value, or a function of the answer that makes it."""

    def change(claims: dict[str, Any], minting: Minting) -> None:
        claims[name] = value(minting) if callable(value) else value

    return change


def drop(name: str) -> Change:
    """Leave a claim out."""

    def change(claims: dict[str, Any], _minting: Minting) -> None:
        claims.pop(name, None)

    return change


def _refused(
    name: str,
    title: str,
    change: Change,
    conformance: str | None = None,
    *,
    dialects: tuple[str, ...] = ALL_DIALECTS,
    step: str = "id_token",
) -> Fault:
    return Fault(
        name,
        title,
        Where.CLAIMS,
        expected_code="integrity_error",
        expected_step=step,
        dialects=dialects,
        conformance=conformance,
        claims=change,
    )


def _tolerated(
    name: str,
    title: str,
    change: Change,
    conformance: str | None = None,
    *,
    dialects: tuple[str, ...] = ALL_DIALECTS,
) -> Fault:
    return Fault(name, title, Where.CLAIMS, dialects=dialects, conformance=conformance, claims=change)


def _client(minting: Minting) -> str:
    return minting.bank.config.client_id


def _other_bank(claims: dict[str, Any], minting: Minting) -> None:
    own = claims["amr"][0].rsplit("/", 1)[-1]
    # Not the bank without a method of its own: its stand-in is of no contract.
    other = next(f.method for f in FACES.values() if f.method != own and not f.method.startswith("mock-"))
    claims["amr"] = [f"{minting.request.issuer.url(minting.bank.config)}/saml2/names/ac/{other}"]


def _one_string(claims: dict[str, Any], _minting: Minting) -> None:
    claims["amr"] = claims["amr"][0]


def _optional(nothing: Any) -> Change:
    """Every claim that may be left out says nothing instead."""

    def change(claims: dict[str, Any], minting: Minting) -> None:
        names = ("amr", "azp", "nbf", "at_hash", "session_index", minting.request.issuer.dialect.claims.birthdate)
        claims.update(dict.fromkeys(names, nothing))

    return change


def _swap_order(name: str) -> Change:
    """An array with our client id in it, or the string alone: whichever the dialect does not use."""

    def change(claims: dict[str, Any], minting: Minting) -> None:
        client = _client(minting)
        claims[name] = client if isinstance(claims[name], list) else [client]

    return change


FAULTS = (
    _refused("missing-iss", "iss is missing", drop("iss"), "fapi1-advanced-final-client-test-invalid-missing-iss"),
    _refused(
        "invalid-iss", "iss is another issuer", put("iss", "https://attacker.example"), "oidcc-client-test-invalid-iss"
    ),
    _refused(
        "iss-trailing-slash",
        "iss has a slash at its end",
        put("iss", lambda m: m.request.issuer.url(m.bank.config) + "/"),
    ),
    _refused("iss-wrong-type", "iss is a list", put("iss", lambda m: [m.request.issuer.url(m.bank.config)])),
    _refused("missing-sub", "sub is missing", drop("sub"), "oidcc-client-test-missing-sub"),
    _refused("sub-empty", "sub is empty", put("sub", "")),
    _refused("sub-wrong-type", "sub is a number", put("sub", 12345)),
    _refused("missing-aud", "aud is missing", drop("aud"), "oidcc-client-test-missing-aud"),
    _refused("invalid-aud", "aud is another client", put("aud", "somebody-else"), "oidcc-client-test-invalid-aud"),
    _refused("aud-wrong-type", "aud is an object", put("aud", lambda m: {"client": _client(m)})),
    _refused("aud-empty", "aud is an empty list", put("aud", [])),
    _refused(
        "invalid-secondary-aud",
        "aud holds a foreign second audience",
        put("aud", lambda m: [_client(m), "somebody-else"]),
        "fapi1-advanced-final-client-test-invalid-secondary-aud",
    ),
    _tolerated(
        "valid-aud-as-array",
        "aud in the other of its two forms: an array of one, or a string",
        _swap_order("aud"),
        "fapi1-advanced-final-client-test-valid-aud-as-array",
    ),
    _refused("invalid-azp", "azp is another client", put("azp", "somebody-else")),
    _refused("azp-wrong-type", "azp is a list", put("azp", lambda m: [_client(m)])),
    _tolerated("missing-azp", "azp is missing beside an aud of one", drop("azp"), dialects=_WITH_AZP),
    _refused("missing-exp", "exp is missing", drop("exp"), "fapi1-advanced-final-client-test-invalid-missing-exp"),
    _refused(
        "invalid-expired-exp",
        "exp was an hour ago",
        put("exp", lambda m: m.now - 3600),
        "fapi1-advanced-final-client-test-invalid-expired-exp",
    ),
    _refused("exp-wrong-type", "exp is a string", put("exp", lambda m: str(m.now + 600))),
    _refused("missing-iat", "iat is missing", drop("iat"), "oidcc-client-test-missing-iat"),
    _refused("iat-in-future", "iat is an hour ahead", put("iat", lambda m: m.now + 3600)),
    _refused(
        "iat-is-week-in-past",
        "iat was a week ago",
        put("iat", lambda m: m.now - _WEEK),
        "fapi1-advanced-final-client-test-iat-is-week-in-past",
    ),
    _refused("iat-wrong-type", "iat is a string", put("iat", lambda m: str(m.now))),
    _refused("nbf-in-future", "nbf is an hour ahead", put("nbf", lambda m: m.now + 3600)),
    _refused(
        "missing-nonce", "nonce is missing", drop("nonce"), "fapi1-advanced-final-client-test-invalid-missing-nonce"
    ),
    _refused("nonce-invalid", "nonce is another one", put("nonce", "0" * 64), "oidcc-client-test-nonce-invalid"),
    _refused("nonce-wrong-type", "nonce is a list", put("nonce", lambda m: [m.request.nonce])),
    _refused("missing-acr", "acr is missing", drop("acr")),
    _refused("acr-unknown", "acr is a level nobody asked for", put("acr", "http://ftn.ficora.fi/2021/loa/substantial")),
    _refused("acr-production", "acr is the level of production", put("acr", PRODUCTION_LEVEL)),
    _tolerated("acr-higher", "acr is the higher level", put("acr", LEVELS[1])),
    _refused("acr-production-higher", "acr is the higher level of production", put("acr", HIGHER_PRODUCTION_LEVEL)),
    _refused("acr-wrong-type", "acr is a list", put("acr", [LEVELS[0]])),
    _refused("acr-other-case", "acr in capitals", put("acr", LEVELS[0].upper())),
    _refused("missing-auth-time", "auth_time is missing", drop("auth_time")),
    _refused(
        "auth-time-too-old", "auth_time was an hour ago: an old session", put("auth_time", lambda m: m.now - 3600)
    ),
    _refused("auth-time-in-future", "auth_time is an hour ahead", put("auth_time", lambda m: m.now + 3600)),
    _refused("auth-time-wrong-type", "auth_time is a string", put("auth_time", lambda m: str(m.now))),
    _refused("invalid-athash", "at_hash fits another access token", put("at_hash", "AAAAAAAAAAAAAAAAAAAAAA")),
    _refused("athash-wrong-type", "at_hash is a number", put("at_hash", 1)),
    _tolerated(
        "no-athash",
        "at_hash is missing",
        drop("at_hash"),
        "fapi1-advanced-final-client-test-no-athash",
        dialects=_WITH_AT_HASH,
    ),
    _refused("amr-of-another-bank", "amr names another bank", _other_bank, dialects=_WITH_AMR, step="normalise"),
    _refused("amr-wrong-type", "amr is a number", put("amr", 1), dialects=_WITH_AMR),
    _tolerated("missing-amr", "amr is missing", drop("amr"), dialects=_WITH_AMR),
    _tolerated("amr-string", "amr is one string", _one_string, dialects=_WITH_AMR),
    _tolerated("amr-empty-string", "amr is an empty string", put("amr", ""), dialects=_WITH_AMR),
    _tolerated("optional-claims-null", "Optional claims are null", _optional(None)),
    _tolerated("optional-claims-empty", "Optional claims are empty strings", _optional("")),
    _tolerated("extra-claims", "claims that nobody knows", put("https://bank.example/extra", {"a": [1, 2]})),
)
