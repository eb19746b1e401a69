"""The refusal table of `/token`: row name, how the request is bent, status and error it gets."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from joserfc import jws

from broker.audit import AuditUnavailable
from broker.oidc.codes import AuthorizationCode
from providers.model import UnknownKey
from tests.harness.openid_provider import CHALLENGE, ISSUER, SECRET, Harness

Bend = Callable[[Harness, str], dict[str, Any]]


def form(**changes: Any) -> Bend:
    """A good request with other parameters; None leaves one out."""
    return lambda harness, code: {"data": harness.form(code, **changes)}


def claims(**changes: Any) -> Bend:
    """A good request whose assertion has other claims; a callable gets the time."""

    def bend(harness: Harness, code: str) -> dict[str, Any]:
        now = harness.clock()
        changed = {name: value(now) if callable(value) else value for name, value in changes.items()}
        signed = harness.sign(harness.claims(**changed))
        return {"data": harness.form(code, client_assertion=signed)}

    return bend


def header(key: Callable[[Harness], Any] | None = None, **changes: Any) -> Bend:
    """A good request whose assertion has another header, or is signed by another key."""

    def bend(harness: Harness, code: str) -> dict[str, Any]:
        signed = harness.sign(harness.claims(), changes, key(harness) if key else None)
        return {"data": harness.form(code, client_assertion=signed)}

    return bend


def assertion(make: Callable[[Harness], str]) -> Bend:
    """A good request with an assertion made by hand."""
    return lambda harness, code: {"data": harness.form(code, client_assertion=make(harness))}


def basic(client_id: str = "secretive", secret: str = SECRET, named: str = "") -> Bend:
    """A request by client_secret_basic; named: the `client_id` beside it."""

    def bend(harness: Harness, code: str) -> dict[str, Any]:
        data = without_assertion(harness, code) | {"client_id": named}
        return {"data": data, "headers": harness.basic(client_id, secret)}

    return bend


def raw_authorization(value: str) -> Bend:
    """A request with this Authorization header."""
    return lambda harness, code: {"data": without_assertion(harness, code), "headers": {"Authorization": value}}


def without_assertion(harness: Harness, code: str) -> dict[str, Any]:
    return harness.form(code, client_assertion="x", client_assertion_type=None) | {"client_assertion": ""}


def signed_with_the_public_key(harness: Harness) -> str:
    signed = f"{part({'alg': 'HS256', 'kid': 'portal-rsa'})}.{part(harness.claims())}"
    mac = hmac.digest(harness.client_keys.rsa.as_pem(private=False), signed.encode(), hashlib.sha256)
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def unsigned(harness: Harness) -> str:
    return f"{part({'alg': 'none'})}.{part(harness.claims())}."


def tampered(harness: Harness) -> str:
    head, _, signature = harness.sign(harness.claims()).split(".")
    return f"{head}.{part(harness.claims(jti='other'))}.{signature}"


def padded(harness: Harness) -> str:
    return harness.sign(harness.claims()) + "=="


def repeated_member(harness: Harness) -> str:
    body = json.dumps(harness.claims())[:-1] + ', "sub": "portal"}'
    head = {"alg": "RS256", "kid": "portal-rsa"}
    return jws.serialize_compact(head, body, harness.client_keys.rsa, algorithms=["RS256"])


def bearer_with_the_secret(harness: Harness, code: str) -> dict[str, Any]:
    basic_header = harness.basic()["Authorization"]
    data = without_assertion(harness, harness.issue("secretive").code)
    data["redirect_uri"] = "https://secretive.example/callback"
    return {"data": data, "headers": {"Authorization": basic_header.replace("Basic", "Bearer")}}


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def audience_of_both(_now: float) -> list[str]:
    return [ISSUER, f"{ISSUER}/token"]


ROWS: list[tuple[str, Bend, int, str]] = [
    ("grant-type-missing", form(grant_type=None), 400, "invalid_request"),
    ("grant-type-password", form(grant_type="password"), 400, "unsupported_grant_type"),
    ("grant-type-refresh-token", form(grant_type="refresh_token"), 400, "unsupported_grant_type"),
    ("grant-type-with-markup", form(grant_type='"><script>'), 400, "unsupported_grant_type"),
    ("grant-type-not-ascii", form(grant_type="authörization_code"), 400, "invalid_request"),
    ("code-missing", form(code=None), 400, "invalid_request"),
    ("code-unknown", form(code="0123abcd" + "x" * 43), 400, "invalid_grant"),
    ("code-malformed", form(code="{}:other"), 400, "invalid_grant"),
    ("code-too-long", form(code="c" * 513), 400, "invalid_request"),
    ("redirect-uri-missing", form(redirect_uri=None), 400, "invalid_grant"),
    ("redirect-uri-another", form(redirect_uri="https://portal.example/second?kept=1"), 400, "invalid_grant"),
    ("verifier-missing", form(code_verifier=None), 400, "invalid_request"),
    ("verifier-wrong", form(code_verifier="w" * 43), 400, "invalid_grant"),
    ("verifier-too-short", form(code_verifier="v" * 42), 400, "invalid_request"),
    ("client-id-of-another", form(client_id="wide"), 401, "invalid_client"),
    ("no-authentication", lambda w, c: {"data": without_assertion(w, c)}, 401, "invalid_client"),
    ("client-secret-post", form(client_assertion_type=None, client_secret=SECRET), 400, "invalid_request"),
    ("public-client", lambda w, c: {"data": without_assertion(w, c) | {"client_id": "portal"}}, 401, "invalid_client"),
    ("two-methods", lambda w, c: {"data": w.form(c), "headers": w.basic()}, 400, "invalid_request"),
    ("assertion-type-missing", form(client_assertion_type=None), 401, "invalid_client"),
    ("assertion-type-saml", form(client_assertion_type="urn:saml2-bearer"), 401, "invalid_client"),
    ("assertion-garbage", form(client_assertion="x.y.z"), 401, "invalid_client"),
    ("assertion-not-compact", form(client_assertion="xyz"), 401, "invalid_client"),
    ("assertion-too-long", form(client_assertion="x" * 8193), 400, "invalid_request"),
    ("assertion-padded", assertion(padded), 401, "invalid_client"),
    ("assertion-not-an-object", assertion(lambda w: f"{part([1])}.{part([1])}.x"), 401, "invalid_client"),
    ("assertion-unsigned", assertion(unsigned), 401, "invalid_client"),
    ("assertion-hs256-by-public-key", assertion(signed_with_the_public_key), 401, "invalid_client"),
    ("assertion-tampered", assertion(tampered), 401, "invalid_client"),
    ("assertion-member-repeated", assertion(repeated_member), 401, "invalid_client"),
    ("assertion-by-another-key", header(lambda w: w.client_keys.other_rsa), 401, "invalid_client"),
    ("assertion-kid-unknown", header(kid="other"), 401, "invalid_client"),
    ("assertion-kid-of-the-other-kind", header(kid="portal-ec"), 401, "invalid_client"),
    ("assertion-rs512", header(alg="RS512"), 401, "invalid_client"),
    ("assertion-b64", header(b64=True, crit=["b64"]), 401, "invalid_client"),
    ("iss-missing", claims(iss=None), 401, "invalid_client"),
    ("iss-another-client", claims(iss="wide"), 401, "invalid_client"),
    ("sub-missing", claims(sub=None), 401, "invalid_client"),
    ("sub-unknown", claims(sub="stranger", iss="stranger"), 401, "invalid_client"),
    ("sub-a-list", claims(sub=["portal"]), 401, "invalid_client"),
    ("sub-of-a-basic-client", claims(sub="secretive", iss="secretive"), 401, "invalid_client"),
    ("aud-missing", claims(aud=None), 401, "invalid_client"),
    ("aud-foreign", claims(aud="https://other.example"), 401, "invalid_client"),
    ("aud-authorization-endpoint", claims(aud=f"{ISSUER}/authorize"), 401, "invalid_client"),
    ("aud-with-a-slash", claims(aud=f"{ISSUER}/"), 401, "invalid_client"),
    ("aud-with-a-foreign-second", claims(aud=lambda _: [ISSUER, "https://other.example"]), 401, "invalid_client"),
    ("aud-two-of-ours", claims(aud=audience_of_both), 401, "invalid_client"),
    ("aud-empty-list", claims(aud=lambda _: []), 401, "invalid_client"),
    ("aud-a-number", claims(aud=7), 401, "invalid_client"),
    ("exp-missing", claims(exp=None), 401, "invalid_client"),
    ("exp-past", claims(exp=lambda now: now - 60), 401, "invalid_client"),
    ("exp-too-far", claims(exp=lambda now: now + 661), 401, "invalid_client"),
    ("exp-ten-years", claims(exp=lambda now: now + 315_360_000), 401, "invalid_client"),
    ("exp-a-string", claims(exp="1790000060"), 401, "invalid_client"),
    ("exp-true", claims(exp=True), 401, "invalid_client"),
    ("iat-in-the-future", claims(iat=lambda now: now + 61), 401, "invalid_client"),
    ("iat-long-ago", claims(iat=lambda now: now - 661), 401, "invalid_client"),
    ("iat-a-string", claims(iat="now"), 401, "invalid_client"),
    ("nbf-true", claims(nbf=True), 401, "invalid_client"),
    ("nbf-in-the-future", claims(nbf=lambda now: now + 61), 401, "invalid_client"),
    ("jti-missing", claims(jti=None), 401, "invalid_client"),
    ("jti-empty", claims(jti=""), 401, "invalid_client"),
    ("jti-a-number", claims(jti=1), 401, "invalid_client"),
    ("jti-too-long", claims(jti="j" * 513), 401, "invalid_client"),
    ("jti-a-lone-surrogate", claims(jti="\ud800"), 401, "invalid_client"),
    ("secret-wrong", basic(secret="wrong"), 401, "invalid_client"),
    ("secret-empty", basic(secret=""), 401, "invalid_client"),
    ("secret-of-an-unknown-client", basic("stranger"), 401, "invalid_client"),
    ("secret-of-an-assertion-client", basic("portal"), 401, "invalid_client"),
    ("secret-and-another-client-id", basic(named="portal"), 401, "invalid_client"),
    ("basic-not-base64", raw_authorization("Basic ***"), 401, "invalid_client"),
    ("basic-not-ascii", raw_authorization("Basic w6TDpDrDpA=="), 401, "invalid_client"),
    ("basic-without-colon", raw_authorization("Basic c2VjcmV0aXZl"), 401, "invalid_client"),
    ("bearer-in-place-of-basic", bearer_with_the_secret, 401, "invalid_client"),
    ("authorization-empty", raw_authorization("Basic"), 401, "invalid_client"),
]


@pytest.mark.parametrize(("name", "bend", "status", "error"), ROWS, ids=[row[0] for row in ROWS])
def test_a_bad_token_request_gets_json_and_no_token(
    harness: Harness, name: str, bend: Bend, status: int, error: str
) -> None:
    response = harness.browser.post("/token", **bend(harness, harness.issue().code))
    assert_refused(response, status, error)
    assert not harness.handed_over


def assert_refused(response: Any, status: int, error: str) -> None:
    assert (response.status_code, response.get_json()["error"]) == (status, error)
    assert response.mimetype == "application/json"
    assert set(response.get_json()) == {"error", "error_description"}
    assert response.headers["Cache-Control"] == "no-store"
    assert "<script" not in response.get_data(as_text=True)
    assert (status == 401) == ("WWW-Authenticate" in response.headers)
    if status == 401:
        assert response.headers["WWW-Authenticate"] == 'Basic realm="tunnus"'


def test_a_parameter_sent_twice_is_refused(harness: Harness) -> None:
    good = harness.form(harness.issue().code)
    for name in good:
        response = harness.token(good | {name: [good[name], good[name]]})
        assert_refused(response, 400, "invalid_request")


def test_a_code_of_another_client_is_refused_and_used_up(harness: Harness) -> None:
    grant = harness.issue("wide")
    assert_refused(
        harness.token(harness.form(grant.code, redirect_uri="https://wide.example/callback")), 400, "invalid_grant"
    )
    assert_refused(harness.token(harness.form(grant.code, "wide")), 400, "invalid_grant")


def test_a_code_is_refused_once_it_has_lapsed(harness: Harness) -> None:
    code = harness.issue().code
    harness.clock.now += 119
    assert harness.token(harness.form(code)).status_code == 200
    code = harness.issue().code
    harness.clock.now += 120
    assert_refused(harness.token(harness.form(code)), 400, "invalid_grant")


def test_a_code_that_a_lagging_store_still_has_is_refused(harness: Harness) -> None:
    code = harness.issue(now=int(harness.clock()) - 120).code
    assert_refused(harness.token(harness.form(code)), 400, "invalid_grant")


def test_a_wrong_verifier_uses_the_code_up(harness: Harness) -> None:
    code = harness.issue().code
    assert_refused(harness.token(harness.form(code, code_verifier="w" * 43)), 400, "invalid_grant")
    assert_refused(harness.token(harness.form(code)), 400, "invalid_grant")


def test_an_assertion_serves_once(harness: Harness) -> None:
    signed = harness.sign(harness.claims())
    assert harness.token(harness.form(harness.issue().code, client_assertion=signed)).status_code == 200
    assert_refused(harness.token(harness.form(harness.issue().code, client_assertion=signed)), 401, "invalid_client")


@pytest.mark.parametrize("change", [{"code": "x"}, {"code": None}, {"client_id": "wide"}, {"code_verifier": "w" * 43}])
def test_an_assertion_serves_once_whatever_comes_of_it(harness: Harness, change: dict[str, str | None]) -> None:
    signed = harness.sign(harness.claims())
    code = harness.issue().code
    bad = harness.form(harness.issue().code, client_assertion=signed) | change
    bad = {name: value for name, value in bad.items() if value is not None}
    assert harness.token(bad).status_code in (400, 401)
    assert_refused(harness.token(bad), 401, "invalid_client")
    assert_refused(harness.token(harness.form(code, client_assertion=signed)), 401, "invalid_client")
    assert harness.token(harness.form(code)).status_code == 200, "a refused assertion leaves the code as it is"


def test_an_assertion_serves_once_for_as_long_as_it_is_accepted(harness: Harness) -> None:
    now = harness.clock()
    signed = harness.sign(harness.claims(exp=now + 660, iat=None))
    assert harness.token(harness.form(harness.issue().code, client_assertion=signed)).status_code == 200
    harness.clock.now = now + 719
    response = harness.token(harness.form(harness.issue().code, client_assertion=signed))
    assert_refused(response, 401, "invalid_client")
    assert response.get_json()["error_description"].startswith("client_assertion: jti was used before: make a new")


def test_two_clients_may_use_the_same_jti(harness: Harness) -> None:
    for client_id in ("portal", "wide"):
        signed = harness.sign(harness.claims(client_id, jti="same"))
        code = harness.issue(client_id).code
        assert harness.token(harness.form(code, client_id, client_assertion=signed)).status_code == 200


def test_a_code_whose_scope_the_client_lost_is_refused(harness: Harness) -> None:
    record = AuthorizationCode(
        client_id="portal",
        redirect_uri="https://portal.example/callback",
        scope="openid personal_identity_code",
        nonce="n",
        code_challenge=CHALLENGE,
        claims={"sub": "s", "personal_identity_code": "010190-999R"},
        issued_at=int(harness.clock()),
    )
    code = "0123abcd" + "c" * 43
    harness.store.put(record.entry(code))
    assert_refused(harness.token(harness.form(code)), 400, "invalid_grant")


def test_a_client_is_served_by_the_method_it_is_registered_for_alone(harness: Harness) -> None:
    portal, secretive = harness.op.clients["portal"], harness.op.clients["secretive"]
    harness.op.clients["portal"] = replace(portal, secret_hash=secretive.secret_hash)
    harness.op.clients["secretive"] = replace(secretive, signing_keys=portal.signing_keys)
    by_secret = without_assertion(harness, harness.issue().code)
    assert_refused(harness.token(by_secret, harness.basic("portal")), 401, "invalid_client")
    by_assertion = harness.form(harness.issue("secretive").code, "secretive")
    assert_refused(harness.token(by_assertion), 401, "invalid_client")


def test_an_encryption_key_signs_nothing(harness: Harness) -> None:
    signed = harness.sign(harness.claims("registry"), {"kid": "encrypt-to-me"}, harness.client_keys.enc)
    form = harness.form(harness.issue("registry").code, "registry", client_assertion=signed)
    assert_refused(harness.token(form), 401, "invalid_client")


def test_a_malformed_code_never_reaches_the_store(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness.store, "put_new_and_get", None)
    assert_refused(harness.token(harness.form("{}:other")), 400, "invalid_grant")


def test_a_body_that_is_no_form_is_refused(harness: Harness) -> None:
    form = harness.form(harness.issue().code)
    assert_refused(harness.browser.post("/token", json=form), 400, "invalid_request")
    assert_refused(
        harness.browser.post("/token", data=form, content_type="multipart/form-data"), 400, "invalid_request"
    )


def test_parameters_in_the_query_are_not_seen(harness: Harness) -> None:
    response = harness.browser.post(
        "/token", query_string=harness.form(harness.issue().code), content_type="application/x-www-form-urlencoded"
    )
    assert_refused(response, 400, "invalid_request")


def test_a_get_is_refused(harness: Harness) -> None:
    response = harness.browser.get("/token", query_string=harness.form(harness.issue().code))
    assert_refused(response, 405, "invalid_request")
    assert response.headers["Allow"] == "POST"


def test_a_body_that_is_too_large_is_refused(harness: Harness) -> None:
    assert_refused(harness.token({"code": "c" * 600_000}), 413, "invalid_request")


def test_without_the_store_a_client_is_asked_to_come_again(harness: Harness) -> None:
    form = harness.form(harness.issue().code)
    harness.store.broken = True
    response = harness.token(form)
    assert_refused(response, 503, "temporarily_unavailable")
    assert response.headers["Retry-After"] == "5"


def test_without_the_audit_trail_no_token_is_given(harness: Harness) -> None:
    form = harness.form(harness.issue().code)
    harness.audit_failure = AuditUnavailable("disk full")
    assert_refused(harness.token(form), 503, "temporarily_unavailable")


def test_without_a_signing_key_no_token_is_given(harness: Harness) -> None:
    form = harness.form(harness.issue().code)
    harness.keys.failure = UnknownKey("none in use")
    try:
        assert_refused(harness.token(form), 500, "server_error")
    finally:
        harness.keys.failure = None
