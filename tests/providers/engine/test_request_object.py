"""The request object: what each dialect says to a bank, and where, for every provider and both shapes of contract.

The expectations are typed in from the interface descriptions (OP Identity Service Broker API §7, Telia integration
guide §2.4), not computed from the dialects.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jws

from kit.keys.roca import has_roca_fingerprint
from providers.connection import Connection
from providers.engine.adapter import OidcAdapter
from providers.engine.breaker import FAILURES_TO_OPEN
from providers.engine.http import BankHttp
from providers.engine.request_object import build_authorization_url, request_claims
from providers.errors import RelyingPartyRejected, Step, Unavailable
from providers.model import BeginRequest
from providers.registry import PROVIDERS
from tests.harness.engine.jose import header_of, payload_of, rsa_key
from tests.harness.engine.parts import NOW, TEST_LEVEL, Clock, MemoryKeys, Seen, make_connection, make_request

TELIA_METHODS = {
    "aktia": "oidc.aktia.1",
    "danske-bank": "oidc.danskebank.1",
    "handelsbanken": "oidc.handelsbanken.1",
    "nooa": "oidc.sp.1",
    "nordea": "oidc.nordea.1",
    "op": "saml.op.1",
    "pop": "oidc.pop.1",
    "s-banken": "oidc.spankki.1",
    "lokaltapiola": "mock-lokaltapiola",
    "alandsbanken": "oidc.alandsbanken.1",
    "mobile-certificate": "mpki.telia.1",
}
ISB_IDS = {provider: f"mock-{provider}" for provider in TELIA_METHODS} | {"nordea": "fi-nordea", "op": "fi-op"}
SELECTORS = {"telia": TELIA_METHODS, "isb": ISB_IDS, "ftn": {}}
ALWAYS = {
    "iss": "tunnus",
    "client_id": "tunnus",
    "response_type": "code",
    "redirect_uri": "https://tunnus.example/callback/bank",
    "state": "ab" * 32,
    "ui_locales": "sv",
    "iat": NOW,
    "exp": NOW + 600,
}
BY_DIALECT: dict[str, dict[str, Any]] = {
    "ftn": {
        "aud": "https://bank.example/op",
        "scope": "openid",
        "acr_values": TEST_LEVEL,
        "prompt": "login",
        "ftn_spname": "Tjänst",
    },
    "telia": {"aud": "https://bank.example/op", "scope": "openid", "acr_values": TEST_LEVEL, "prompt": "login"},
    "isb": {"scope": "openid personal_identity_code profile weak", "ftn_spname": "Tjänst"},
}
QUERY = {"ftn": {"client_id", "request"}, "telia": {"client_id", "request"}, "isb": {"request"}}


def sent(
    connection: Connection, request: BeginRequest, keys: MemoryKeys
) -> tuple[dict[str, list[str]], dict[str, Any]]:
    """The query of the address, and the claims of the request object in it."""
    url, _ = build_authorization_url(connection, request, keys)
    query = parse_qs(urlsplit(url).query, strict_parsing=True)
    return query, payload_of(query["request"][0])


@pytest.mark.parametrize("shape", ["own", "shared"])
@pytest.mark.parametrize("dialect", ["ftn", "telia", "isb"])
@pytest.mark.parametrize("provider", list(TELIA_METHODS))
def test_every_provider_is_asked_as_its_dialect_says(keys: MemoryKeys, provider: str, dialect: str, shape: str) -> None:
    selectors = SELECTORS[dialect] if shape == "shared" else {}
    chosen = None if dialect == "ftn" and shape == "shared" else PROVIDERS[provider]
    query, claims = sent(make_connection(dialect, selectors=selectors), make_request(chosen), keys)
    expected = ALWAYS | BY_DIALECT[dialect]
    if shape == "shared" and dialect == "telia":
        expected |= {"acr_values": TELIA_METHODS[provider]}
    if shape == "shared" and dialect == "isb":
        expected |= {"ftn_idp_id": ISB_IDS[provider]}
    assert {name: value for name, value in claims.items() if name not in ("nonce", "jti")} == expected
    assert set(query) == QUERY[dialect]
    assert query.get("client_id", ["tunnus"]) == ["tunnus"]


def test_there_are_eleven_providers() -> None:
    assert set(PROVIDERS) == set(TELIA_METHODS)


def test_the_request_object_is_signed_by_our_signing_key(keys: MemoryKeys) -> None:
    url, _ = build_authorization_url(make_connection(), make_request(), keys)
    token = parse_qs(urlsplit(url).query)["request"][0]
    assert header_of(token) == {"alg": "RS256", "kid": "our-sig", "typ": "JWT"}
    assert jws.deserialize_compact(token, rsa_key("our-sig"), algorithms=["RS256"])


def test_nonce_and_jti_are_fresh_each_time(keys: MemoryKeys) -> None:
    claims = [sent(make_connection(), make_request(), keys)[1] for _ in range(20)]
    assert all(re.fullmatch("[0-9a-f]{64}", each["nonce"]) for each in claims)
    assert len({each["nonce"] for each in claims}) == len({each["jti"] for each in claims}) == 20
    assert all(len(each["jti"]) == 32 for each in claims)


def test_what_the_answer_must_fit_is_what_was_sent(keys: MemoryKeys) -> None:
    url, expected = build_authorization_url(make_connection(pkce=True), make_request(), keys)
    claims = payload_of(parse_qs(urlsplit(url).query)["request"][0])
    assert claims["nonce"] == expected.nonce
    assert expected.code_verifier is not None
    digest = hashlib.sha256(expected.code_verifier.encode()).digest()
    assert claims["code_challenge"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert claims["code_challenge_method"] == "S256"
    assert re.fullmatch("[A-Za-z0-9_-]{43,128}", expected.code_verifier)
    assert expected.nonce not in repr(expected)
    assert expected.code_verifier not in repr(expected)


def test_no_code_challenge_goes_where_none_is_advertised(keys: MemoryKeys) -> None:
    _, claims = sent(make_connection(), make_request(), keys)
    assert not {"code_challenge", "code_challenge_method"} & set(claims)


def claims_of(dialect: str, request: BeginRequest, **changes: Any) -> dict[str, Any]:
    connection = make_connection(dialect, **changes)
    _, expected = build_authorization_url(connection, request, _Silent({}))
    return request_claims(connection, request, expected)


class _Silent(MemoryKeys):
    def sign(self, *_args: Any, **_options: Any) -> str:
        return "x.y.z"


@pytest.mark.parametrize(
    ("profile", "credential", "scope"),
    [
        (True, "weak", "openid personal_identity_code profile weak"),
        (True, "strong", "openid personal_identity_code profile strong"),
        (True, "none", "openid personal_identity_code profile"),
        (False, "none", "openid personal_identity_code"),
    ],
)
def test_isb_hears_what_becomes_of_the_identification(profile: bool, credential: Any, scope: str) -> None:
    assert claims_of("isb", make_request(profile=profile, credential=credential))["scope"] == scope


@pytest.mark.parametrize("dialect", ["ftn", "telia"])
def test_others_are_asked_for_openid_alone(dialect: str) -> None:
    assert claims_of(dialect, make_request(profile=True, credential="strong"))["scope"] == "openid"


@pytest.mark.parametrize(("locale", "name"), [("fi", "Palvelu"), ("sv", "Tjänst"), ("en", "Service")])
def test_the_service_name_is_in_the_persons_language(locale: Any, name: str) -> None:
    claims = claims_of("isb", make_request(ui_locale=locale))
    assert (claims["ftn_spname"], claims["ui_locales"]) == (name, locale)


def test_a_service_name_that_is_not_agreed_is_not_sent() -> None:
    assert "ftn_spname" not in claims_of("ftn", make_request(), service_names={"fi": "Palvelu"})


def test_several_levels_are_asked_for_in_their_order() -> None:
    levels = (TEST_LEVEL, TEST_LEVEL.replace("2", "3"))
    assert claims_of("ftn", make_request(acr_values=levels))["acr_values"] == " ".join(levels)


def test_a_shared_contract_without_a_choice_lets_the_bank_ask() -> None:
    claims = claims_of("isb", make_request(None), selectors=ISB_IDS)
    assert "ftn_idp_id" not in claims
    assert claims_of("telia", make_request(None), selectors=TELIA_METHODS)["acr_values"] == TEST_LEVEL


def test_a_provider_without_a_selector_in_a_shared_contract_is_our_own_mistake(keys: MemoryKeys) -> None:
    connection = make_connection("telia", selectors={"aktia": "oidc.aktia.1"})
    with pytest.raises(RelyingPartyRejected) as caught:
        build_authorization_url(connection, make_request(PROVIDERS["op"]), keys)
    assert caught.value.step is Step.REQUEST


def test_a_query_in_the_authorization_endpoint_is_kept(keys: MemoryKeys) -> None:
    connection = make_connection(authorization_endpoint="https://bank.example/authorize?tenant=1")
    query, _ = sent(connection, make_request(), keys)
    assert query["tenant"] == ["1"]


@pytest.fixture
def adapter(keys: MemoryKeys, seen: Seen, clock: Clock) -> OidcAdapter:
    connection = make_connection()
    return OidcAdapter(connection, PROVIDERS, keys, BankHttp(connection, 2, seen), seen, clock, has_roca_fingerprint)


def test_begin_gives_the_address_and_the_attempt(adapter: OidcAdapter) -> None:
    begun = adapter.begin(make_request(PROVIDERS["aktia"]))
    claims = payload_of(parse_qs(urlsplit(begun.step.url).query)["request"][0])
    attempt = begun.attempt
    assert (attempt.connection, attempt.provider, attempt.acr_values) == ("bank", "aktia", (TEST_LEVEL,))
    assert (attempt.started_at, attempt.expires_at) == (NOW, NOW + 900)
    assert attempt.private["nonce"] == claims["nonce"]
    assert claims["nonce"] not in repr(begun.attempt)


def test_a_mobile_certificate_may_take_longer_than_its_five_minutes(adapter: OidcAdapter) -> None:
    attempt = adapter.begin(make_request(PROVIDERS["mobile-certificate"])).attempt
    assert attempt.expires_at - attempt.started_at > 600


def test_nothing_begins_without_a_level_a_key_or_a_bank_that_answers(adapter: OidcAdapter, seen: Seen) -> None:
    with pytest.raises(RelyingPartyRejected, match="level of assurance"):
        adapter.begin(make_request(acr_values=()))
    for _ in range(FAILURES_TO_OPEN):
        adapter._http.breakers.failed(None)
    assert not adapter.usable
    with pytest.raises(Unavailable) as caught:
        adapter.begin(make_request())
    assert caught.value.step is Step.REQUEST


def test_nothing_begins_without_a_signing_key(seen: Seen, clock: Clock) -> None:
    connection = make_connection()
    adapter = OidcAdapter(
        connection, PROVIDERS, MemoryKeys({}), BankHttp(connection, 2, seen), seen, clock, has_roca_fingerprint
    )
    with pytest.raises(RelyingPartyRejected, match="no signing key") as caught:
        adapter.begin(make_request())
    assert caught.value.step is Step.REQUEST
