"""Every kind of bad token, as a table: how it is made, and the error that a verifier must raise.

BAD_TOKENS are refused by every Verifier. POLICY_TOKENS are refused where a service asks for more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from jwt.algorithms import get_default_algorithms

from tunnus_verifier import errors
from tunnus_verifier.claims import REQUIRED
from tunnus_verifier.testing.mint import TokenMint, encode, make_key, public_jwk

DAY = 86400


@dataclass(frozen=True, slots=True)
class BadToken:
    """One kind. error, claim: what the refusal says. needs: the setting of a Verifier without which it is good."""

    name: str
    make: Callable[[TokenMint], str]
    error: type[errors.VerificationError]
    claim: str | None = None
    needs: str | None = None


def _claims(name: str, error: type[errors.VerificationError], claim: str, **changes: Any) -> BadToken:
    return BadToken(name, lambda mint: mint.token(**changes), error, claim)


def _header(name: str, parameter: str, value: Any) -> BadToken:
    def make(mint: TokenMint) -> str:
        return mint.sign(mint.claims(), mint.header(**{parameter: value}))

    return BadToken(name, make, errors.WrongHeader, parameter)


def _later(name: str, error: type[errors.VerificationError], claim: str, seconds: int) -> BadToken:
    return BadToken(name, lambda mint: mint.sign({**mint.claims(), claim: int(mint.clock()) + seconds}), error, claim)


def _raw(name: str, body: bytes) -> BadToken:
    return BadToken(name, lambda mint: mint.sign(body), errors.Malformed)


def _alg_none(mint: TokenMint) -> str:
    header = mint.header(alg="none")
    return f"{encode(json.dumps(header).encode())}.{encode(json.dumps(mint.claims()).encode())}."


def _alg_none_with_signature(mint: TokenMint) -> str:
    return mint.sign(mint.claims(), mint.header(alg="none"))


def _hs256_with_public_key(mint: TokenMint) -> str:
    signed = f"{encode(json.dumps(mint.header(alg='HS256')).encode())}.{encode(json.dumps(mint.claims()).encode())}"
    return f"{signed}.{encode(get_default_algorithms()['HS256'].sign(signed.encode(), mint.public_pem))}"


def _foreign_key_same_kid(mint: TokenMint) -> str:
    return mint.sign(mint.claims(), key=make_key(mint.algorithm, "foreign"))


def _key_in_header(mint: TokenMint) -> str:
    key = make_key(mint.algorithm, "foreign")
    return mint.sign(mint.claims(), mint.header(jwk=public_jwk(key)), key)


def _encryption_key(mint: TokenMint) -> str:
    header = mint.header(alg="RS256", kid="mint-enc")
    return mint.sign(mint.claims(), header, make_key("RS256", "encryption"))


def _other_algorithm(mint: TokenMint) -> str:
    """The right kid under the other accepted algorithm."""
    other = "RS256" if mint.algorithm == "ES256" else "ES256"
    return mint.sign(mint.claims(), mint.header(alg=other), make_key(other, "foreign"))


def _tampered(mint: TokenMint) -> str:
    header, _, signature = mint.token().split(".")
    return f"{header}.{encode(json.dumps(mint.claims(sub='another-subject')).encode())}.{signature}"


def _cut_signature(mint: TokenMint) -> str:
    token = mint.token()
    return token[: token.rindex(".") + 9]


def _no_signature(mint: TokenMint) -> str:
    return mint.token().rpartition(".")[0] + "."


def _claims_no_base64(mint: TokenMint) -> str:
    header, _, signature = mint.token().split(".")
    return f"{header}.AAAAA.{signature}"


def _table(rows: Iterable[BadToken]) -> Mapping[str, BadToken]:
    return {row.name: row for row in rows}


BAD_TOKENS = _table(
    (
        BadToken("empty", lambda _: "", errors.Malformed),
        BadToken("no_token", lambda _: "not-a-token", errors.Malformed),
        BadToken("two_parts", lambda mint: mint.token().rpartition(".")[0], errors.Malformed),
        BadToken("four_parts", lambda mint: f"{mint.token()}.AAAA", errors.Malformed),
        BadToken("no_signature", _no_signature, errors.Malformed),
        BadToken("with_a_blank", lambda mint: f" {mint.token()}", errors.Malformed),
        BadToken("huge", lambda mint: mint.token(padding="x" * 20_000), errors.Malformed),
        BadToken("header_no_json", lambda mint: f"AAAA.{mint.token().partition('.')[2]}", errors.Malformed),
        BadToken("claims_no_base64", _claims_no_base64, errors.Malformed),
        _raw("claims_no_json", b"{"),
        _raw("claims_no_object", b'["iss"]'),
        _raw("claims_not_utf8", b'{"iss": "\xff"}'),
        _raw("claims_nan", b'{"exp": NaN}'),
        BadToken("alg_none", _alg_none, errors.Malformed),
        BadToken("alg_none_with_signature", _alg_none_with_signature, errors.WrongHeader, "alg"),
        BadToken("hs256_with_public_key", _hs256_with_public_key, errors.WrongHeader, "alg"),
        _header("alg_missing", "alg", None),
        _header("alg_not_pinned", "alg", "PS512"),
        _header("typ_missing", "typ", None),
        _header("typ_access_token", "typ", "at+jwt"),
        _header("typ_logout_token", "typ", "logout+jwt"),
        _header("crit", "crit", ["exp"]),
        _header("b64", "b64", False),
        _header("kid_missing", "kid", None),
        _header("kid_no_text", "kid", 7),
        BadToken("kid_unknown", lambda mint: mint.sign(mint.claims(), mint.header(kid="?")), errors.UnknownKey, "kid"),
        BadToken("kid_of_encryption_key", _encryption_key, errors.UnknownKey, "kid"),
        BadToken("kid_of_other_algorithm", _other_algorithm, errors.UnknownKey, "kid"),
        BadToken("foreign_key_same_kid", _foreign_key_same_kid, errors.BadSignature),
        BadToken("key_in_header", _key_in_header, errors.BadSignature),
        BadToken("tampered", _tampered, errors.BadSignature),
        BadToken("cut_signature", _cut_signature, errors.BadSignature),
        *(_claims(f"{name}_missing", errors.MissingClaim, name, without=(name,)) for name in REQUIRED),
        *(_claims(f"{name}_null", errors.MissingClaim, name, **{name: None}) for name in REQUIRED),
        _claims("iss_another", errors.WrongIssuer, "iss", iss="https://another.example.fi"),
        BadToken("iss_slash", lambda mint: mint.token(iss=f"{mint.issuer}/"), errors.WrongIssuer, "iss"),
        BadToken("iss_list", lambda mint: mint.token(iss=[mint.issuer]), errors.WrongIssuer, "iss"),
        _claims("aud_another", errors.WrongAudience, "aud", aud="another-service"),
        _claims("aud_others", errors.WrongAudience, "aud", aud=["another-service", "a-third"], azp="another-service"),
        BadToken("aud_part", lambda mint: mint.token(aud=f"{mint.audience}-2"), errors.WrongAudience, "aud"),
        _claims("aud_empty", errors.WrongClaim, "aud", aud=[]),
        _claims("aud_number", errors.WrongClaim, "aud", aud=7),
        BadToken("aud_mixed", lambda mint: mint.token(aud=[mint.audience, 7]), errors.WrongClaim, "aud"),
        _claims("azp_foreign", errors.WrongParty, "azp", azp="foreign-client"),
        BadToken("azp_missing", lambda mint: mint.token(aud=[mint.audience, "another"]), errors.WrongParty, "azp"),
        BadToken("azp_list", lambda mint: mint.token(azp=[mint.audience]), errors.WrongClaim, "azp"),
        _later("expired", errors.Expired, "exp", -DAY),
        _later("issued_in_the_future", errors.NotYetValid, "iat", DAY),
        _later("not_before_the_future", errors.NotYetValid, "nbf", DAY),
        _later("authenticated_in_the_future", errors.NotYetValid, "auth_time", DAY),
        *(_claims(f"{name}_true", errors.WrongClaim, name, **{name: True}) for name in ("exp", "iat", "auth_time")),
        BadToken("exp_text", lambda mint: mint.token(exp=str(int(mint.clock()) + 60)), errors.WrongClaim, "exp"),
        BadToken("exp_fraction", lambda mint: mint.token(exp=mint.clock() + 60.5), errors.WrongClaim, "exp"),
        _claims("exp_endless", errors.WrongClaim, "exp", exp=10**400),
        _claims("iat_negative", errors.WrongClaim, "iat", iat=-1),
        _claims("sub_empty", errors.WrongClaim, "sub", sub=""),
        _claims("sub_number", errors.WrongClaim, "sub", sub=7),
        BadToken("acr_list", lambda mint: mint.token(acr=[mint.acr]), errors.WrongClaim, "acr"),
        _claims("amr_number", errors.WrongClaim, "amr", amr=7),
        BadToken("name_list", lambda mint: mint.token(name=["Testi"]), errors.WrongClaim, "name"),
        _claims("personal_identity_code_number", errors.WrongClaim, "personal_identity_code", personal_identity_code=7),
        _claims("birthdate_of_no_day", errors.WrongClaim, "birthdate", birthdate="1980-02-31"),
        _claims("birthdate_without_hyphens", errors.WrongClaim, "birthdate", birthdate="19800201"),
        _claims("birthdate_year", errors.WrongClaim, "birthdate", birthdate="1980"),
    )
)

POLICY_TOKENS = _table(
    (
        BadToken(
            "acr_weak",
            lambda mint: mint.token(acr="made-up-weak-level"),
            errors.WeakAssurance,
            "acr",
            needs="accepted_acr",
        ),
        BadToken(
            "authenticated_long_ago",
            lambda mint: mint.token(auth_time=int(mint.clock()) - DAY),
            errors.TooLongAgo,
            "auth_time",
            needs="max_age",
        ),
        BadToken(
            "nonce_another", lambda mint: mint.token(nonce="another-nonce"), errors.WrongNonce, "nonce", needs="nonce"
        ),
        BadToken("nonce_missing", lambda mint: mint.token(without=["nonce"]), errors.WrongNonce, "nonce", "nonce"),
    )
)
