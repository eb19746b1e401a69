"""Good tokens pass, each kind of bad one is refused for its own reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnus_verifier import (
    Expired,
    Malformed,
    NotYetValid,
    TooLongAgo,
    VerificationError,
    Verifier,
    WrongParty,
)
from tunnus_verifier.testing import BAD_TOKENS, POLICY_TOKENS, BadToken, TokenMint
from tunnus_verifier.testing.mint import PERSON, TEST_LEVEL, encode

NOW = 1_800_000_000
POLICIES: Mapping[str, tuple[Mapping[str, Any], str | None]] = {
    "accepted_acr": ({"accepted_acr": [TEST_LEVEL]}, None),
    "max_age": ({"max_age": 3600}, None),
    "nonce": ({}, "made-up-nonce"),
}


def mint_at(algorithm: str = "ES256") -> TokenMint:
    return TokenMint("https://id.example.fi", "my-service", algorithm=algorithm, clock=lambda: NOW)


def verifier_of(mint: TokenMint, **settings: Any) -> Verifier:
    return Verifier(mint.issuer, mint.audience, fetch=mint.fetch, **{"clock": mint.clock, **settings})


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_a_good_token_gives_its_claims_with_their_types(algorithm: str) -> None:
    mint = mint_at(algorithm)
    claims = verifier_of(mint).verify(mint.token(personal_identity_code="010280-952L", extra=[1]))
    assert (claims.iss, claims.aud, claims.azp) == (mint.issuer, ("my-service",), None)
    assert (claims.exp, claims.iat, claims.auth_time) == (NOW + 600, NOW, NOW - 5)
    assert (claims.sub, claims.acr, claims.amr) == ("made-up-subject", TEST_LEVEL, ("made-up-method",))
    assert (claims.idp, claims.txn, claims.nonce) == ("made-up-bank", "made-up-transaction", "made-up-nonce")
    assert (claims.given_name, claims.family_name, claims.name) == ("Testi", "Henkilö", "Testi Henkilö")
    assert claims.birthdate == date(1980, 2, 1)
    assert claims.personal_identity_code == "010280-952L"
    assert claims.claims["extra"] == [1]


def test_a_token_without_what_is_optional_gives_none_for_it() -> None:
    mint = mint_at()
    claims = verifier_of(mint).verify(mint.token(without=("amr", "idp", "txn", "nonce", *PERSON)))
    assert claims.amr is claims.idp is claims.txn is claims.nonce is claims.name is claims.birthdate is None


def test_what_tells_who_the_person_is_does_not_show_in_repr() -> None:
    mint = mint_at()
    shown = repr(verifier_of(mint).verify(mint.token(personal_identity_code="010280-952L")))
    for secret in (*PERSON.values(), "1980", "010280-952L", "made-up-subject", "made-up-nonce"):
        assert secret not in shown


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
@pytest.mark.parametrize("bad", BAD_TOKENS.values(), ids=BAD_TOKENS)
def test_each_kind_of_bad_token_is_refused_for_its_own_reason(bad: BadToken, algorithm: str) -> None:
    mint = mint_at(algorithm)
    token = bad.make(mint)
    with pytest.raises(VerificationError) as refused:
        verifier_of(mint).verify(token)
    assert (type(refused.value), refused.value.claim) == (bad.error, bad.claim)
    assert refused.value.code == bad.error.code
    for part in (token, *token.split("."), *PERSON.values()):
        assert not part or part not in str(refused.value)


@pytest.mark.parametrize("bad", POLICY_TOKENS.values(), ids=POLICY_TOKENS)
def test_what_a_service_asks_for_is_refused_where_it_lacks_and_passes_where_it_was_not_asked(bad: BadToken) -> None:
    assert bad.needs is not None
    mint = mint_at()
    settings, nonce = POLICIES[bad.needs]
    token = bad.make(mint)
    with pytest.raises(bad.error) as refused:
        verifier_of(mint, **settings).verify(token, nonce=nonce)
    assert refused.value.claim == bad.claim
    assert verifier_of(mint).verify(token)
    assert verifier_of(mint, **settings).verify(mint.token(), nonce=nonce)


def test_each_kind_of_refusal_has_a_bad_token() -> None:
    seen = {bad.error for bad in (*BAD_TOKENS.values(), *POLICY_TOKENS.values())}
    missing = {kind.__name__ for kind in VerificationError.__subclasses__()} - {kind.__name__ for kind in seen}
    assert missing == {"KeysUnavailable", "NotDecrypted"}


@pytest.mark.parametrize(
    ("changes", "settings", "error"),
    [
        ({"exp": NOW - 59}, {}, None),
        ({"exp": NOW - 60}, {}, Expired),
        ({"exp": NOW}, {"leeway": 0}, Expired),
        ({"exp": NOW + 1}, {"leeway": 0}, None),
        ({"iat": NOW + 60}, {}, None),
        ({"iat": NOW + 61}, {}, NotYetValid),
        ({"nbf": NOW + 61}, {}, NotYetValid),
        ({"auth_time": NOW + 61}, {}, NotYetValid),
        ({"auth_time": NOW - 360}, {"max_age": 300}, None),
        ({"auth_time": NOW - 361}, {"max_age": 300}, TooLongAgo),
        ({"auth_time": NOW - 1}, {"max_age": 0, "leeway": 0}, TooLongAgo),
    ],
)
def test_times_hold_to_the_second(
    changes: dict[str, Any], settings: dict[str, Any], error: type[VerificationError] | None
) -> None:
    mint = mint_at()
    verifier = verifier_of(mint, **settings)
    if error is None:
        verifier.verify(mint.token(**changes))
    else:
        with pytest.raises(error):
            verifier.verify(mint.token(**changes))


@pytest.mark.parametrize(
    ("aud", "azp", "passes"),
    [
        ("my-service", "my-service", True),
        (["my-service"], None, True),
        (["portal", "my-service"], "portal", True),
        (["portal", "my-service"], "my-service", True),
        ("my-service", "portal", True),
        (["portal", "my-service"], "other", False),
        (["portal", "my-service"], None, False),
    ],
)
def test_a_token_of_another_client_passes_only_if_that_one_is_named(aud: Any, azp: str | None, passes: bool) -> None:
    mint = mint_at()
    token = mint.token(aud=aud, azp=azp, without=[] if azp else ["azp"])
    verifier = verifier_of(mint, authorized_parties=["portal"])
    if passes:
        assert verifier.verify(token).azp == azp
    else:
        with pytest.raises(WrongParty):
            verifier.verify(token)


def test_only_the_algorithms_that_were_asked_for_are_accepted() -> None:
    mint = mint_at("RS256")
    with pytest.raises(VerificationError) as refused:
        verifier_of(mint, algorithms=["ES256"]).verify(mint.token())
    assert refused.value.claim == "alg"


def test_typ_is_compared_without_regard_to_case() -> None:
    mint = mint_at()
    assert verifier_of(mint).verify(mint.sign(mint.claims(), mint.header(typ="jwt")))


@pytest.mark.parametrize(
    "settings",
    [
        {"algorithms": ["HS256"]},
        {"algorithms": ["none"]},
        {"algorithms": []},
        {"audience": ""},
        {"issuer": ""},
        {"issuer": "http://id.example.fi"},
        {"jwks_uri": "http://id.example.fi/jwks"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "https://user:word@id.example.fi/jwks"},
        {"authorized_parties": "portal"},
        {"accepted_acr": "http://ftn.ficora.fi/2017/loa2"},
    ],
)
def test_settings_that_make_no_sense_are_told_at_start(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Verifier(**{"issuer": "https://id.example.fi", "audience": "my-service", **settings})


def test_http_to_another_machine_must_be_asked_for() -> None:
    assert Verifier("http://id.example.fi", "my-service", insecure_http=True)
    assert Verifier("http://127.0.0.1:8000", "my-service")


MINT = mint_at()
VERIFIER = verifier_of(MINT)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.text() | st.binary() | JSON | st.from_regex(r"[\w.=-]{0,60}"))
def test_garbage_is_refused_and_breaks_nothing(token: Any) -> None:
    with pytest.raises(Malformed):
        VERIFIER.verify(token)


@given(st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "x5c", "zip"]), JSON))
def test_any_header_is_refused_or_right(header: dict[str, Any]) -> None:
    with pytest.raises(VerificationError):
        VERIFIER.verify(MINT.sign(MINT.claims(), {"alg": "ES256", **header}))


@given(st.dictionaries(st.sampled_from(sorted(MINT.claims())), JSON, min_size=1))
def test_any_claims_are_refused_or_have_their_types(changes: dict[str, Any]) -> None:
    try:
        claims = VERIFIER.verify(MINT.sign({**MINT.claims(), **changes}))
    except VerificationError:
        return
    assert isinstance(claims.sub, str)
    assert type(claims.exp) is int
    assert claims.iss == MINT.issuer


@given(st.binary())
def test_any_signed_bytes_are_refused(body: bytes) -> None:
    with pytest.raises(VerificationError):
        VERIFIER.verify(MINT.sign(body or b" "))


@given(st.binary())
def test_any_signature_is_refused(signature: bytes) -> None:
    with pytest.raises(VerificationError):
        VERIFIER.verify(f"{MINT.token().rpartition('.')[0]}.{encode(signature)}")


@pytest.mark.parametrize("nested", ["[" * 7000, '{"a":' * 2000])
def test_json_without_a_bottom_is_refused(nested: str) -> None:
    with pytest.raises(Malformed):
        VERIFIER.verify(MINT.sign(nested.encode()))
    with pytest.raises(Malformed):
        VERIFIER.verify(f"{encode(nested.encode())}.{MINT.token().partition('.')[2]}")


def test_an_optional_claim_that_is_null_or_empty_is_as_if_it_were_absent() -> None:
    mint = TokenMint("https://id.example.fi", "my-service", clock=lambda: NOW)
    verifier = Verifier(mint.issuer, mint.audience, fetch=mint.fetch, clock=mint.clock)
    claims = verifier.verify(mint.token(given_name=None, family_name="", birthdate=None, nonce=None))
    assert (claims.given_name, claims.family_name, claims.birthdate, claims.nonce) == (None, None, None, None)
    for nothing in (None, "", []):
        claims = verifier.verify(mint.token(amr=nothing, azp=nothing, idp=nothing, nbf=nothing))
        assert (claims.amr, claims.azp, claims.idp) == (None, None, None)


@pytest.mark.parametrize(
    ("methods", "read"), [("one", ("one",)), (["one"], ("one",)), (["", "one", None], ("one",)), ([""], None)]
)
def test_methods_are_read_as_a_list_of_those_that_are_named(methods: Any, read: tuple[str, ...] | None) -> None:
    mint = mint_at()
    assert verifier_of(mint).verify(mint.token(amr=methods)).amr == read
