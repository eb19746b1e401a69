"""One identification from begin to finish, with every provider, against a bank that answers over HTTP."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from joserfc.jwk import RSAKey

from providers.connection import SignedJwks
from providers.errors import (
    Cancelled,
    IntegrityError,
    ProviderFailed,
    RelyingPartyRejected,
    Step,
    Unavailable,
)
from providers.model import Attempt, Begun, Provider, VerifiedClaims
from providers.registry import PROVIDERS
from tests.harness.engine.adapter import Make
from tests.harness.engine.bank import Bank
from tests.harness.engine.jose import payload_of, public
from tests.harness.engine.parts import (
    CODE,
    JWKS_URI,
    NOW,
    STATE,
    TOKEN_ENDPOINT,
    Seen,
    make_attempt,
    make_request,
    message,
    refused,
)


@pytest.mark.parametrize("dialect", ["ftn", "telia", "isb"])
@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=list(PROVIDERS))
def test_every_provider_identifies_in_every_dialect(
    net: responses.RequestsMock, make: Make, bank: Bank, signed: SignedJwks, provider: Provider, dialect: str
) -> None:
    adapter = make(dialect, selectors={provider.id: f"mock-{provider.id}"}, jwks=signed, pkce=True)
    begun: Begun = adapter.begin(make_request(provider))
    asked = payload_of(parse_qs(urlsplit(begun.step.url).query)["request"][0])
    amr = [f"https://bank.example/op/saml2/names/ac/mock-{provider.id}"] if dialect == "telia" else None
    answer = bank.token_response(adapter.connection, nonce=asked["nonce"], amr=amr)
    net.get(JWKS_URI, body=bank.signed_jwks(), content_type="application/jwk-set+jwt")
    net.post(TOKEN_ENDPOINT, json=answer)
    identity = adapter.finish(message(state=STATE, code="the-code"), STATE, begun.attempt, NOW)
    assert identity.identifier is not None
    assert (identity.identifier.value, identity.name) == (CODE, "Aino Olivia von Testi")
    assert identity.provider == provider.id
    assert identity.provider_known == ("confirmed" if dialect == "telia" else "chosen")
    form = parse_qs(str(net.calls[0].request.body))
    assert form["code_verifier"] == [begun.attempt.private["code_verifier"]]
    assert form["code"] == ["the-code"]


def test_the_bank_is_asked_nothing_before_the_response_holds(net: responses.RequestsMock, make: Make) -> None:
    adapter = make(iss_parameter=True)
    act = adapter.finish
    attempt = make_attempt()
    refused(IntegrityError, Step.RESPONSE, "iss", lambda: act(message(state=STATE, code="x"), STATE, attempt, NOW))
    cancelled = message(state=STATE, error="access_denied", iss=adapter.connection.issuer)
    refused(Cancelled, Step.RESPONSE, None, lambda: act(cancelled, STATE, attempt, NOW))
    assert not net.calls


@pytest.mark.parametrize(
    ("attempt", "handle"),
    [(make_attempt(connection="another"), STATE), (make_attempt(), "cd" * 32)],
)
def test_an_answer_to_another_attempt_or_connection_is_refused(make: Make, attempt: Attempt, handle: str) -> None:
    answer = message(state=STATE, code="x")
    refused(IntegrityError, Step.RESPONSE, "state", lambda: make().finish(answer, handle, attempt, NOW))


def test_a_provider_that_is_served_no_more_is_our_own_matter(make: Make) -> None:
    adapter, attempt = make(providers={}), make_attempt(provider="aktia")
    answer = message(state=STATE, code="x")
    refused(RelyingPartyRejected, Step.RESPONSE, None, lambda: adapter.finish(answer, STATE, attempt, NOW))


def test_a_code_is_posted_once_whatever_follows(net: responses.RequestsMock, make: Make, bank: Bank) -> None:
    adapter = make()
    net.post(TOKEN_ENDPOINT, json=bank.token_response(adapter.connection, nonce="another"))
    answer = message(state=STATE, code="x")
    refused(IntegrityError, Step.ID_TOKEN, "nonce", lambda: adapter.finish(answer, STATE, make_attempt(), NOW))
    net.replace(responses.POST, TOKEN_ENDPOINT, status=503)
    refused(Unavailable, Step.TOKEN_EXCHANGE, None, lambda: adapter.finish(answer, STATE, make_attempt(), NOW))
    assert len(net.calls) == 2


def test_a_new_key_under_the_same_kid_costs_one_fetch_and_no_second_post(
    net: responses.RequestsMock, make: Make, bank: Bank, next_key: RSAKey, signed: SignedJwks
) -> None:
    adapter, kid = make(jwks=signed), str(bank.signing.kid)
    answer = message(state=STATE, code="x")
    net.get(JWKS_URI, body=bank.signed_jwks())
    net.post(TOKEN_ENDPOINT, json=bank.token_response(adapter.connection))
    adapter.finish(answer, STATE, make_attempt(), NOW)
    net.replace(responses.GET, JWKS_URI, body=bank.signed_jwks(keys=[public(next_key, kid=kid)]))
    id_token = bank.jwe(bank.jws(bank.claims(adapter.connection), next_key))
    net.replace(responses.POST, TOKEN_ENDPOINT, json={"token_type": "Bearer", "id_token": id_token})
    assert adapter.finish(answer, STATE, make_attempt(), NOW).evidence.signing_kid == kid
    assert [call.request.method for call in net.calls] == ["POST", "GET"] * 2
    forged = bank.jwe(bank.jws(bank.claims(adapter.connection), bank.attacker))
    net.replace(responses.POST, TOKEN_ENDPOINT, json={"token_type": "Bearer", "id_token": forged})
    refused(IntegrityError, Step.ID_TOKEN, "signature", lambda: adapter.finish(answer, STATE, make_attempt(), NOW))
    assert [call.request.method for call in net.calls] == ["POST", "GET"] * 3


def test_a_bank_with_no_place_left_is_unavailable(net: responses.RequestsMock, make: Make) -> None:
    adapter = make(places=1)
    answer = message(state=STATE, code="x")
    with adapter._http.identification():
        refused(Unavailable, Step.TOKEN_EXCHANGE, None, lambda: adapter.finish(answer, STATE, make_attempt(), NOW))
    assert not net.calls


def test_a_used_code_at_isb_is_not_taken_for_our_own_mistake(net: responses.RequestsMock, make: Make) -> None:
    adapter = make("isb")
    answer, attempt = message(state=STATE, code="x"), make_attempt()
    net.post(TOKEN_ENDPOINT, json={"error": "invalid_request", "error_description": "Invalid%20grant"}, status=400)
    refused(ProviderFailed, Step.TOKEN_EXCHANGE, "error", lambda: adapter.finish(answer, STATE, attempt, NOW))
    other = {"error": "invalid_request", "error_description": "parameter%20validation%20failed"}
    net.replace(responses.POST, TOKEN_ENDPOINT, json=other, status=400)
    refused(RelyingPartyRejected, Step.TOKEN_EXCHANGE, "error", lambda: adapter.finish(answer, STATE, attempt, NOW))


def test_names_are_demanded_only_where_they_were_asked_for(net: responses.RequestsMock, make: Make, bank: Bank) -> None:
    adapter = make("isb")
    nameless = {"given_name": None, "family_name": None, "name": None}
    for profile in (True, False):
        begun = adapter.begin(make_request(PROVIDERS["op"], profile=profile))
        nonce = begun.attempt.private["nonce"]
        net.upsert(
            responses.POST, TOKEN_ENDPOINT, json=bank.token_response(adapter.connection, nonce=nonce, **nameless)
        )

        def finish(attempt: Attempt = begun.attempt) -> Any:
            return adapter.finish(message(state=STATE, code="x"), STATE, attempt, NOW)

        if profile:
            refused(IntegrityError, Step.NORMALISE, "name", finish)
        else:
            assert finish().name == ""


def test_an_attempt_survives_json(net: responses.RequestsMock, make: Make, bank: Bank) -> None:
    adapter = make()
    attempt = adapter.begin(make_request(None)).attempt
    kept = replace(attempt, private=json.loads(json.dumps(attempt.private)))
    net.post(TOKEN_ENDPOINT, json=bank.token_response(adapter.connection, nonce=attempt.private["nonce"]))
    assert adapter.finish(message(state=STATE, code="x"), STATE, kept, NOW).provider_known == "unknown"


def test_a_providers_hook_runs_after_the_checks(net: responses.RequestsMock, make: Make, bank: Bank) -> None:
    seen: list[VerifiedClaims] = []

    def adjust(claims: VerifiedClaims) -> VerifiedClaims:
        seen.append(claims)
        return VerifiedClaims({**claims, "urn:oid:2.5.4.4": "Adjusted"})

    hooked = replace(PROVIDERS["aktia"], adjust=adjust)
    adapter, attempt = make(providers={"aktia": hooked}), make_attempt(provider="aktia")
    answer = message(state=STATE, code="x")
    net.post(TOKEN_ENDPOINT, json=bank.token_response(adapter.connection, nonce="another"))
    refused(IntegrityError, Step.ID_TOKEN, "nonce", lambda: adapter.finish(answer, STATE, attempt, NOW))
    assert not seen
    net.replace(responses.POST, TOKEN_ENDPOINT, json=bank.token_response(adapter.connection))
    assert adapter.finish(answer, STATE, attempt, NOW).family_name == "Adjusted"
    assert len(seen) == 1


def test_unknown_claims_are_counted_and_dropped(
    net: responses.RequestsMock, make: Make, bank: Bank, seen: Seen
) -> None:
    adapter = make("telia")
    known = {"session_index": "s", "bank-tupasid": "t", "urn:oid:1.2.246.22": "11223344D", "azp": "tunnus"}
    net.post(TOKEN_ENDPOINT, json=bank.token_response(adapter.connection, **known))
    adapter.finish(message(state=STATE, code="x"), STATE, make_attempt(), NOW)
    assert seen.count("unknown_claims") == 0
    net.replace(responses.POST, TOKEN_ENDPOINT, json=bank.token_response(adapter.connection, **known, x=1, y=2))
    adapter.finish(message(state=STATE, code="x"), STATE, make_attempt(), NOW)
    assert seen.events == [("unknown_claims", {"connection": "bank", "count": 2})]
