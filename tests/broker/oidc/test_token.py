"""What a good token request gets: one identity token, one access token, once."""

from __future__ import annotations

import base64
import json
import logging
import threading
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from joserfc import jwe, jws
from joserfc.errors import ExpiredTokenError

from broker.oidc import codes
from broker.oidc.codes import AuthorizationCode, keep_token, use_code
from broker.oidc.identity_token import build, half_hash
from providers.errors import Expired, NotSupported
from providers.model import Identifier
from tests.harness.openid_provider import ISSUER, LOA2, TXN, Harness, person


def exchange(
    harness: Harness, client_id: str = "portal", scope: str = "openid profile", **changes: Any
) -> dict[str, Any]:
    """A whole hand-over; the token response."""
    grant = harness.issue(client_id, scope, **changes)
    response = harness.token(harness.form(grant.code, client_id))
    assert response.status_code == 200, response.get_data(as_text=True)
    answer: dict[str, Any] = response.get_json()
    return answer


def test_the_redirect_brings_code_state_and_iss(harness: Harness) -> None:
    grant = harness.issue()
    assert dict(parse_qsl(urlsplit(grant.response).query)) == {
        "code": grant.code,
        "state": "the-state",
        "iss": ISSUER,
    }
    assert [entry.ttl for entry in grant.entries] == [120]
    assert grant.code not in repr(grant)


def test_a_code_gives_an_identity_token_with_exactly_these_claims(harness: Harness) -> None:
    answer = exchange(harness)
    assert set(answer) == {"access_token", "token_type", "expires_in", "scope", "id_token"}
    assert (answer["token_type"], answer["expires_in"], answer["scope"]) == ("Bearer", 300, "openid profile")
    now = int(harness.clock())
    assert harness.verified(answer["id_token"]) == {
        "iss": ISSUER,
        "sub": harness.op.subject("portal", person()),
        "aud": "portal",
        "exp": now + 600,
        "iat": now,
        "auth_time": 1_789_999_990,
        "nonce": "the-nonce",
        "at_hash": half_hash(answer["access_token"]),
        "acr": LOA2,
        "amr": ["https://bank.example/amr/nordea"],
        "idp": "nordea",
        "txn": TXN,
        "given_name": "Nordea",
        "family_name": "Demo",
        "name": "Nordea Demo",
        "birthdate": "1990-01-01",
    }


def test_the_response_is_never_to_be_stored(harness: Harness) -> None:
    response = harness.token(harness.form(harness.issue().code))
    assert (response.headers["Cache-Control"], response.headers["Pragma"]) == ("no-store", "no-cache")
    assert response.mimetype == "application/json"


@pytest.mark.parametrize(("client_id", "alg", "kid"), [("portal", "ES256", "op-es"), ("wide", "RS256", "op-rs")])
def test_the_algorithm_is_the_clients_setting(harness: Harness, client_id: str, alg: str, kid: str) -> None:
    header = jws.extract_compact(exchange(harness, client_id)["id_token"].encode()).headers()
    assert header == {"alg": alg, "kid": kid, "typ": "JWT"}


def test_without_scope_profile_there_is_no_name(harness: Harness) -> None:
    claims = harness.verified(exchange(harness, scope="openid")["id_token"])
    assert not {"given_name", "family_name", "name", "birthdate", "personal_identity_code"} & set(claims)


def test_what_the_bank_did_not_say_is_absent(harness: Harness) -> None:
    identity = person(given_name=None, family_name=None, provider=None, amr=())
    claims = harness.verified(exchange(harness, identity=identity)["id_token"])
    assert not {"given_name", "family_name", "idp", "amr"} & set(claims)
    assert claims["name"] == "Nordea Demo"


def test_further_audiences_make_a_list_with_azp(harness: Harness) -> None:
    claims = harness.verified(exchange(harness, "wide")["id_token"], "wide")
    assert claims["aud"] == ["wide", "https://one.example", "https://two.example"]
    assert claims["azp"] == "wide"


def test_the_personal_identity_code_goes_encrypted_to_the_client_alone(harness: Harness) -> None:
    answer = exchange(harness, "registry", "openid personal_identity_code")
    opened = jwe.decrypt_compact(answer["id_token"], harness.client_keys.enc, algorithms=["RSA-OAEP-256", "A256GCM"])
    assert opened.headers() == {"alg": "RSA-OAEP-256", "enc": "A256GCM", "cty": "JWT", "kid": "encrypt-to-me"}
    assert opened.plaintext is not None
    claims = harness.verified(opened.plaintext.decode(), "registry")
    assert claims["personal_identity_code"] == "010190-999R"
    assert (claims["aud"], "azp" in claims) == ("registry", False)


def test_a_code_token_is_not_further_addressed_even_if_the_client_is(harness: Harness) -> None:
    client = replace(harness.op.clients["registry"], audiences=("https://one.example",))
    harness.op.clients["registry"] = client
    answer = exchange(harness, "registry", "openid personal_identity_code")
    opened = jwe.decrypt_compact(answer["id_token"], harness.client_keys.enc, algorithms=["RSA-OAEP-256", "A256GCM"])
    assert opened.plaintext is not None
    assert harness.verified(opened.plaintext.decode(), "registry")["aud"] == "registry"


def test_a_client_that_may_have_the_code_and_does_not_ask_gets_a_signed_token(harness: Harness) -> None:
    answer = exchange(harness, "registry", "openid profile")
    assert "personal_identity_code" not in harness.verified(answer["id_token"], "registry")


def test_a_token_with_the_code_is_never_sent_in_the_clear(harness: Harness) -> None:
    keyless = replace(harness.op.clients["registry"], encryption_key=None)
    claims = {"sub": "s", "personal_identity_code": "010190-999R"}
    with pytest.raises(ValueError, match="never sent in the clear"):
        build(harness.keys, keyless, claims, issuer=ISSUER, nonce="n", access_token="t", now=0)


def test_a_client_with_a_secret_is_served_by_basic(harness: Harness) -> None:
    form = harness.form(harness.issue("secretive").code, "secretive", client_assertion_type=None)
    del form["client_assertion"]
    for headers in (harness.basic(), {"Authorization": harness.basic()["Authorization"].replace("Basic", "bASIC")}):
        form["code"] = harness.issue("secretive").code
        assert harness.token(form | {"client_id": "secretive"}, headers).status_code == 200


@pytest.mark.parametrize(
    ("changes", "header"),
    [
        ({"aud": [ISSUER]}, {}),
        ({"aud": f"{ISSUER}/token"}, {}),
        ({"iat": None}, {}),
        ({"extra": {"nested": True}}, {}),
        ({}, {"alg": "PS256"}),
        ({}, {"typ": "client-authentication+jwt"}),
    ],
)
def test_every_assertion_that_the_standard_allows_is_taken(
    harness: Harness, changes: dict[str, Any], header: dict[str, Any]
) -> None:
    signed = harness.sign(harness.claims(**changes), header)
    assert harness.token(harness.form(harness.issue().code, client_assertion=signed)).status_code == 200


def test_an_assertion_without_kid_is_tried_with_every_fitting_key(harness: Harness) -> None:
    body = json.dumps(harness.claims())
    signed = jws.serialize_compact({"alg": "ES256"}, body, harness.client_keys.ec, algorithms=["ES256"])
    assert harness.token(harness.form(harness.issue().code, client_assertion=signed)).status_code == 200


def test_an_assertion_is_taken_within_the_clock_skew(harness: Harness) -> None:
    for exp in (harness.clock() - 59, harness.clock() + 660):
        signed = harness.sign(harness.claims(exp=exp, iat=harness.clock() + 59))
        assert harness.token(harness.form(harness.issue().code, client_assertion=signed)).status_code == 200


def test_unknown_and_empty_parameters_are_dropped(harness: Harness) -> None:
    form = harness.form(harness.issue().code) | {"resource": "å" * 600, "client_secret": "", "client_id": "portal"}
    assert harness.token(form).status_code == 200


def test_the_audit_trail_has_the_facts_and_nothing_personal(harness: Harness) -> None:
    exchange(harness, scope="openid profile")
    (facts,) = harness.handed_over
    assert facts == {
        "client_id": "portal",
        "txn": TXN,
        "sub": harness.op.subject("portal", person()),
        "acr": LOA2,
        "auth_time": 1_789_999_990,
        "provider": "nordea",
    }


def test_a_second_use_of_a_code_ends_the_access_token_of_the_first(harness: Harness) -> None:
    code = harness.issue().code
    access_token = harness.token(harness.form(code)).get_json()["access_token"]
    bearer = {"Authorization": f"Bearer {access_token}"}
    assert harness.browser.get("/userinfo", headers=bearer).status_code == 200
    assert harness.token(harness.form(code)).get_json()["error"] == "invalid_grant"
    assert harness.browser.get("/userinfo", headers=bearer).status_code == 401


def test_a_code_is_known_as_used_for_as_long_as_its_access_token_lives(harness: Harness) -> None:
    code = harness.issue().code
    harness.clock.now += 119
    access_token = harness.token(harness.form(code)).get_json()["access_token"]
    harness.clock.now += 299
    assert harness.token(harness.form(code)).status_code == 400
    bearer = {"Authorization": f"Bearer {access_token}"}
    assert harness.browser.get("/userinfo", headers=bearer).status_code == 401


def test_a_second_use_before_the_token_is_stored_ends_it_too(harness: Harness) -> None:
    code = harness.issue().code
    first = "0123abcd" + "t" * 43
    assert isinstance(use_code(harness.store, code, first), AuthorizationCode)
    assert use_code(harness.store, code, "0123abcd" + "u" * 43) is None
    assert not keep_token(harness.store, first, {"claims": {}})
    assert codes.find_token(harness.store, first) is None


def test_a_first_use_that_learns_of_a_second_gives_no_token(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    code = harness.issue().code

    def used_again_meanwhile(store: Any, access_token: str, value: Any) -> bool:
        assert use_code(store, code, "0123abcd" + "u" * 43) is None
        return keep_token(store, access_token, value)

    monkeypatch.setattr("broker.oidc.server.keep_token", used_again_meanwhile)
    response = harness.token(harness.form(code))
    assert (response.status_code, response.get_json()["error"]) == (400, "invalid_grant")
    assert not harness.handed_over


def test_of_eight_equal_uses_at_once_none_keeps_a_token_beside_the_first(harness: Harness) -> None:
    code = harness.issue().code
    forms = [harness.form(code) for _ in range(8)]
    answers: list[Any] = []
    barrier = threading.Barrier(8)

    def use(form: dict[str, str]) -> None:
        barrier.wait()
        answers.append(harness.browser.application.test_client().post("/token", data=form).get_json())

    threads = [threading.Thread(target=use, args=(form,)) for form in forms]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    given = [answer["access_token"] for answer in answers if "access_token" in answer]
    assert len(given) <= 1
    assert all(codes.find_token(harness.store, token) is None for token in given)


def test_eight_threads_and_two_sectors_never_mix_two_people_up(harness: Harness) -> None:
    client_ids = ("portal", "wide", "registry", "secretive")
    wrong: list[str] = []

    def identify(number: int) -> None:
        browser = harness.browser.application.test_client()
        for turn in range(25):
            client_id = client_ids[(number + turn) % 4]
            who = person(identifier=Identifier("hetu", "FI", f"{number:02d}{turn:02d}90-9000"), name=f"{number}-{turn}")
            form = harness.form(harness.issue(client_id, identity=who).code, client_id)
            headers = {}
            if client_id == "secretive":
                form = {name: value for name, value in form.items() if not name.startswith("client_assertion")}
                headers = harness.basic()
            answer = browser.post("/token", data=form, headers=headers).get_json()
            claims = json.loads(jws.extract_compact(answer["id_token"].encode()).payload)
            expected = (harness.op.subject(client_id, who), who.name)
            told = browser.get("/userinfo", headers={"Authorization": f"Bearer {answer['access_token']}"}).get_json()
            if not (claims["sub"], claims["name"]) == (told["sub"], told["name"]) == expected:
                wrong.append(f"{number}-{turn}")

    threads = [threading.Thread(target=identify, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(harness.handed_over) == 200


def test_the_same_person_has_one_sub_per_sector_through_every_bank(harness: Harness) -> None:
    through_nordea, through_op = person(), person(provider="op", name="Other spelling")
    assert harness.op.subject("portal", through_nordea) == harness.op.subject("wide", through_op)
    assert harness.op.subject("portal", through_nordea) != harness.op.subject("secretive", through_nordea)


def test_a_sub_is_the_hmac_over_sector_scheme_and_identifier(harness: Harness) -> None:
    mac = harness.keys.pairwise(b"first\x00hetu\x00010190-999R")
    assert harness.op.subject("portal", person()) == base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def test_without_an_identifier_there_is_no_sub(harness: Harness) -> None:
    with pytest.raises(NotSupported):
        harness.op.subject("portal", person(identifier=None))


def test_an_identifier_of_another_scheme_is_never_called_a_personal_identity_code(harness: Harness) -> None:
    with pytest.raises(NotSupported):
        harness.issue(
            "registry", "openid personal_identity_code", person(identifier=Identifier("eidas", "SE", "SE/FI/1"))
        )


def test_no_code_is_issued_once_the_client_or_its_address_is_gone(harness: Harness) -> None:
    harness.op.clients["portal"] = replace(harness.op.clients["portal"], redirect_uris=("https://portal.example/new",))
    with pytest.raises(Expired):
        harness.issue()
    del harness.op.clients["portal"]
    with pytest.raises(Expired):
        harness.issue()
    with pytest.raises(Expired):
        harness.op.subject("portal", person())


def test_no_logger_ever_tells_a_token_a_code_or_a_name(harness: Harness, caplog: pytest.LogCaptureFixture) -> None:
    names = [None, *logging.root.manager.loggerDict]
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.DEBUG)
    try:
        grant = harness.issue("registry", "openid profile personal_identity_code")
        form = harness.form(grant.code, "registry")
        answer = harness.token(form).get_json()
        harness.token(form)
        harness.authorize(scope="openid personal_identity_code")
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
    secrets = [grant.code, form["client_assertion"], answer["access_token"], answer["id_token"], "010190-999R", "Demo"]
    told = [(record.getMessage(), str(vars(record))) for record in caplog.records]
    assert not [secret for secret in secrets for text in told if secret in text[0] or secret in text[1]]


def test_what_the_store_keeps_has_no_repr_with_secrets(harness: Harness) -> None:
    grant = harness.issue("registry", "openid profile personal_identity_code")
    assert "010190" not in repr(grant.entries)
    assert "010190" not in repr(AuthorizationCode.from_json(grant.entries[0].value))


def test_a_verified_token_stops_verifying_after_ten_minutes(harness: Harness) -> None:
    token = exchange(harness)["id_token"]
    harness.clock.now += 599
    harness.verified(token)
    harness.clock.now += 61
    with pytest.raises(ExpiredTokenError):
        harness.verified(token)
