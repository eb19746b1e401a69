"""DPoP (RFC 9449) at `/token`, `/userinfo` and `/par`: what binds a token, and every proof that does not hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPrivateNumbers,
    RSAPublicNumbers,
    generate_private_key,
)
from joserfc.jwk import ECKey, OctKey, RSAKey

from tests.harness.fapi import FapiClient
from tests.harness.openid_provider import ISSUER, Harness


@pytest.fixture
def client(harness: Harness) -> FapiClient:
    client = FapiClient(harness)
    client.learn_nonce()
    return client


def error_of(response: Any) -> tuple[int, str]:
    assert response.get_json()["error_description"].isascii()
    return response.status_code, response.get_json()["error"]


def test_a_token_is_bound_to_the_key_of_the_proof(client: FapiClient) -> None:
    response = client.token(client.grant().code)
    answer = response.get_json()
    assert (answer["token_type"], response.headers["DPoP-Nonce"]) == ("DPoP", client.nonce)
    token = answer["access_token"]
    for scheme in ("DPoP", "dpop", "DPOP"):
        proof = client.proof("/userinfo", "GET", token=token)
        found = client.userinfo(f"{scheme} {token}", {"DPoP": proof})
        assert (found.status_code, found.get_json()["given_name"]) == (200, "Nordea")
        assert found.headers["DPoP-Nonce"] == client.nonce


@pytest.mark.parametrize("alg", ["PS256", "EdDSA", "Ed25519"])
def test_a_proof_is_by_any_algorithm_that_is_announced(client: FapiClient, alg: str) -> None:
    keys = client.harness.client_keys
    key = keys.rsa if alg == "PS256" else keys.ed
    proof = client.proof(key=key, header={"alg": alg})
    assert client.token(client.grant().code, {"DPoP": proof}).get_json()["token_type"] == "DPoP"
    assert alg in client.harness.op.metadata["dpop_signing_alg_values_supported"]


def test_whoever_lacks_the_nonce_sends_everything_again_with_it(client: FapiClient) -> None:
    # With the same assertion and the same code: neither is used up by the first try.
    form = client.token_form(client.grant().code)
    client.nonce = None
    first = client.harness.token(form, {"DPoP": client.proof()})
    assert error_of(first) == (400, "use_dpop_nonce")
    client.nonce = first.headers["DPoP-Nonce"]
    assert client.harness.token(form, {"DPoP": client.proof()}).status_code == 200


def test_a_nonce_lives_for_one_period_more_than_it_is_given_out(client: FapiClient) -> None:
    harness, first = client.harness, client.nonce
    harness.clock.now = harness.clock.now // 120 * 120 + 119
    client.learn_nonce()
    first = client.nonce
    harness.clock.now += 1
    client.learn_nonce()
    assert client.nonce != first
    client.nonce = first
    assert client.token(client.grant().code).status_code == 200
    harness.clock.now += 120
    assert error_of(client.token(client.grant().code)) == (400, "use_dpop_nonce")


Bend = Callable[[FapiClient, str], str]
"""A proof made out of a client, for an access token if that is not empty."""


def claims(**changes: Any) -> Bend:
    def bend(client: FapiClient, token: str) -> str:
        now = client.harness.clock()
        values = {name: value(now) if callable(value) else value for name, value in changes.items()}
        return proof(client, token, **values)

    return bend


def header(**changes: Any) -> Bend:
    return lambda client, token: proof(client, token, header=changes)


def signed_by(make: Callable[[], Any], alg: str) -> Bend:
    return lambda client, token: proof(client, token, key=make(), header={"alg": alg})


def proof(client: FapiClient, token: str, **changes: Any) -> str:
    path, method = ("/userinfo", "GET") if token else ("/token", "POST")
    return client.proof(path, method, token=token or None, **changes)


def private_key_within(client: FapiClient, token: str) -> str:
    return proof(client, token, header={"jwk": client.proof_key.as_dict(private=True)})


def another_key_within(client: FapiClient, token: str) -> str:
    return proof(client, token, header={"jwk": ECKey.generate_key("P-256").as_dict(private=False)})


def rsa_as_rs256(client: FapiClient, token: str) -> str:
    return proof(client, token, key=client.harness.client_keys.rsa, header={"alg": "RS256"})


def tampered(client: FapiClient, token: str) -> str:
    head, _, signature = proof(client, token).split(".")
    return f"{head}.{proof(client, token).split('.')[1]}.{signature}"


def unsigned(client: FapiClient, token: str) -> str:
    from tests.broker.oidc.test_token_refusals import part

    _head, body, _ = proof(client, token).split(".")
    jwk = client.proof_key.as_dict(private=False)
    return f"{part({'alg': 'none', 'typ': 'dpop+jwt', 'jwk': jwk})}.{body}."


ROWS: list[tuple[str, Bend]] = [
    ("no-jwt", lambda *_: "x"),
    ("two-proofs", lambda client, token: f"{proof(client, token)}, {proof(client, token)}"),
    ("too-long", lambda client, token: proof(client, token, more="x" * 4096)),
    ("typ-missing", header(typ=None)),
    ("typ-jwt", header(typ="JWT")),
    ("typ-a-number", header(typ=1)),
    ("alg-none", unsigned),
    ("alg-rs256", rsa_as_rs256),
    ("alg-es384", signed_by(lambda: ECKey.generate_key("P-384"), "ES384")),
    ("jwk-missing", header(jwk=None)),
    ("jwk-no-object", header(jwk="x")),
    ("jwk-private", private_key_within),
    ("jwk-of-another-key", another_key_within),
    ("jwk-symmetric", header(jwk=OctKey.generate_key(256).as_dict(private=True))),
    ("jwk-empty", header(jwk={})),
    ("jwk-off-the-curve", header(jwk={"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"})),
    ("crit", header(crit=["x"], x=1)),
    ("signature", tampered),
    ("htm-missing", claims(htm=None)),
    ("htm-another", claims(htm="PUT")),
    ("htm-lower-case", claims(htm="post")),
    ("htu-missing", claims(htu=None)),
    ("htu-a-number", claims(htu=1)),
    ("htu-another-path", claims(htu=f"{ISSUER}/par")),
    ("htu-another-host", claims(htu="https://evil.example/token")),
    ("htu-another-port", claims(htu="https://tunnus.example:444/token")),
    ("htu-with-a-user", claims(htu="https://user@tunnus.example/token")),
    ("htu-unreadable", claims(htu="https://[/token")),
    ("iat-missing", claims(iat=None)),
    ("iat-text", claims(iat="now")),
    ("iat-an-hour-ago", claims(iat=lambda now: now - 3600)),
    ("iat-past-the-window", claims(iat=lambda now: now - 121)),
    ("iat-ahead", claims(iat=lambda now: now + 61)),
    ("jti-missing", claims(jti=None)),
    ("jti-a-number", claims(jti=7)),
    ("jti-empty", claims(jti="")),
    ("jti-too-long", claims(jti="x" * 513)),
]
NONCES: list[tuple[str, Bend]] = [
    ("nonce-missing", claims(nonce=None)),
    ("nonce-another", claims(nonce="another")),
    ("nonce-a-number", claims(nonce=1)),
    ("nonce-not-ascii", claims(nonce="å")),
]


@pytest.mark.parametrize(("name", "bend"), ROWS, ids=[row[0] for row in ROWS])
def test_a_proof_that_does_not_hold_is_refused_at_the_token_endpoint(client: FapiClient, name: str, bend: Bend) -> None:
    code = client.grant().code
    response = client.token(code, {"DPoP": bend(client, "")})
    assert error_of(response) == (400, "invalid_dpop_proof")
    assert response.headers["DPoP-Nonce"] == client.nonce
    assert client.token(code).status_code == 200  # it was looked at before the code was used up


@pytest.mark.parametrize(("name", "bend"), ROWS, ids=[row[0] for row in ROWS])
def test_a_proof_that_does_not_hold_is_refused_at_userinfo(client: FapiClient, name: str, bend: Bend) -> None:
    token = client.access_token()
    response = client.userinfo(f"DPoP {token}", {"DPoP": bend(client, token)})
    assert error_of(response) == (401, "invalid_dpop_proof")
    assert response.headers["WWW-Authenticate"].startswith('DPoP realm="tunnus", error="invalid_dpop_proof"')
    assert 'algs="PS256 ES256' in response.headers["WWW-Authenticate"]
    good = client.userinfo(f"DPoP {token}", {"DPoP": proof(client, token)})
    assert good.status_code == 200


@pytest.mark.parametrize(("name", "bend"), NONCES, ids=[row[0] for row in NONCES])
def test_a_nonce_that_is_not_ours_is_to_be_replaced(client: FapiClient, name: str, bend: Bend) -> None:
    token = client.access_token()
    assert error_of(client.token(client.grant().code, {"DPoP": bend(client, "")})) == (400, "use_dpop_nonce")
    response = client.userinfo(f"DPoP {token}", {"DPoP": bend(client, token)})
    assert error_of(response) == (401, "use_dpop_nonce")
    assert response.headers["DPoP-Nonce"] == client.nonce


def rsa_of(bits: int) -> RSAPrivateKey:
    """A key; one of 4484 bits out of two Mersenne primes, since to look for such primes takes long."""
    if bits != 4484:
        return generate_private_key(65537, bits)
    p, q, e = 2**2281 - 1, 2**2203 - 1, 65537
    d = pow(e, -1, (p - 1) * (q - 1))
    parts = (p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p))
    return RSAPrivateNumbers(*parts, RSAPublicNumbers(e, p * q)).private_key(unsafe_skip_rsa_key_validation=True)


@pytest.mark.parametrize(("bits", "taken"), [(1024, False), (2048, True), (4484, False)])
def test_an_rsa_key_is_neither_weak_nor_costly(client: FapiClient, bits: int, taken: bool) -> None:
    key = rsa_of(bits)
    sent = client.proof(key=RSAKey(key, key), header={"alg": "PS256"})
    response = client.token(client.grant().code, {"DPoP": sent})
    assert response.status_code == (200 if taken else 400)


@pytest.mark.parametrize(
    "htu", ["HTTPS://TUNNUS.EXAMPLE/token", "https://tunnus.example:443/token", f"{ISSUER}/token?x=1#y"]
)
def test_an_htu_is_compared_as_urls_are(client: FapiClient, htu: str) -> None:
    assert client.token(client.grant().code, {"DPoP": client.proof(htu=htu)}).status_code == 200


def test_what_a_proof_says_beyond_the_standard_is_not_looked_at(client: FapiClient) -> None:
    sent = client.proof(header={"more": 1}, more="claims")
    assert client.token(client.grant().code, {"DPoP": sent}).status_code == 200


@pytest.mark.parametrize("seconds", [-120, -10, 10, 60])
def test_clocks_may_differ(client: FapiClient, seconds: int) -> None:
    sent = client.proof(iat=int(client.harness.clock()) + seconds)
    assert client.token(client.grant().code, {"DPoP": sent}).status_code == 200


def test_a_proof_serves_once(client: FapiClient) -> None:
    sent = client.proof()
    assert client.token(client.grant().code, {"DPoP": sent}).status_code == 200
    assert error_of(client.token(client.grant().code, {"DPoP": sent})) == (400, "invalid_dpop_proof")
    token = client.access_token()
    again = client.proof("/userinfo", "GET", token=token)
    assert client.userinfo(f"DPoP {token}", {"DPoP": again}).status_code == 200
    assert error_of(client.userinfo(f"DPoP {token}", {"DPoP": again})) == (401, "invalid_dpop_proof")
    pushed = client.proof("/par")
    assert client.par({"DPoP": pushed}).status_code == 201
    assert error_of(client.par({"DPoP": pushed})) == (400, "invalid_dpop_proof")


def test_two_clients_may_choose_one_jti(client: FapiClient) -> None:
    other = FapiClient(client.harness, nonce=client.nonce)
    assert client.token(client.grant().code, {"DPoP": client.proof(jti="one")}).status_code == 200
    assert other.token(other.grant().code, {"DPoP": other.proof(jti="one")}).status_code == 200


def test_a_used_proof_is_remembered_for_as_long_as_it_could_be_used(client: FapiClient) -> None:
    harness = client.harness
    harness.clock.now = harness.clock.now // 120 * 120
    client.learn_nonce()
    sent = client.proof(iat=int(harness.clock()) + 60)
    assert client.token(client.grant().code, {"DPoP": sent}).status_code == 200
    for seconds in (100, 130):  # of which the second is past the nonce's life, too
        harness.clock.now += seconds
        assert client.token(client.grant().code, {"DPoP": sent}).status_code == 400
    from broker.oidc.fapi import dpop

    assert dpop.REMEMBERED > dpop.OLDEST + dpop.AHEAD


def test_without_a_proof_a_client_of_the_profile_gets_no_token(client: FapiClient) -> None:
    code = client.grant().code
    assert error_of(client.token(code, {})) == (400, "invalid_dpop_proof")
    assert client.token(code).status_code == 200


def test_the_ath_is_of_the_access_token(client: FapiClient) -> None:
    token = client.access_token()
    for ath in (None, "x", client.harness.issue().code):
        sent = client.proof("/userinfo", "GET", token=token, ath=ath)
        assert error_of(client.userinfo(f"DPoP {token}", {"DPoP": sent})) == (401, "invalid_dpop_proof")


def test_a_bound_token_is_nothing_without_its_key(client: FapiClient) -> None:
    token = client.access_token()
    other = FapiClient(client.harness, nonce=client.nonce)
    for authorization, headers in [
        (f"Bearer {token}", {}),
        (f"Bearer {token}", {"DPoP": client.proof("/userinfo", "GET", token=token)}),
        (f"DPoP {token}", {}),
        (
            f"DPoP {token}",
            {"DPoP": other.proof("/userinfo", "GET", token=token)},
        ),
    ]:
        response = client.userinfo(authorization, headers)
        assert error_of(response) == (401, "invalid_token")
    assert error_of(client.userinfo("DPoP 0123abcd" + "x" * 43)) == (401, "invalid_token")
    unbound = client.harness.token(client.harness.form(client.harness.issue().code)).get_json()["access_token"]
    sent = client.proof("/userinfo", "GET", token=unbound)
    assert error_of(client.userinfo(f"DPoP {unbound}", {"DPoP": sent})) == (401, "invalid_token")


def test_a_plain_client_may_bind_its_token_and_is_then_held_to_it(harness: Harness) -> None:
    client = FapiClient(harness, "portal")
    code = harness.issue().code
    response = client.token(code, {"DPoP": client.proof()})
    assert error_of(response) == (400, "use_dpop_nonce")
    client.nonce = response.headers["DPoP-Nonce"]
    answer = client.token(code).get_json()
    assert answer["token_type"] == "DPoP"
    assert client.userinfo(f"Bearer {answer['access_token']}").status_code == 401


BINDINGS = ["by-parameter", "by-proof", "by-both"]


@pytest.mark.parametrize("how", BINDINGS)
def test_a_code_is_bound_to_the_key_that_the_request_named(client: FapiClient, how: str) -> None:
    jkt = client.proof_key.thumbprint()
    headers = {} if how == "by-parameter" else {"DPoP": client.proof("/par")}
    form: dict[str, str | None] = {} if how == "by-proof" else {"dpop_jkt": jkt}

    def code() -> str:
        pushed = client.par({**headers, **({"DPoP": client.proof("/par")} if headers else {})}, **form)
        query = {"client_id": "fapi", "request_uri": pushed.get_json()["request_uri"]}
        assert client.harness.browser.get("/authorize", query_string=query).status_code == 303
        assert client.harness.begun[-1].dpop_jkt == jkt
        return client.harness.grant(client.harness.begun[-1]).code

    assert client.token(code()).status_code == 200
    other = FapiClient(client.harness, nonce=client.nonce)
    assert error_of(client.token(code(), {"DPoP": other.proof()})) == (400, "invalid_grant")


def test_a_plain_clients_code_can_be_bound_in_the_address(harness: Harness) -> None:
    client = FapiClient(harness, "portal")
    client.learn_nonce()
    harness.authorize(dpop_jkt=client.proof_key.thumbprint())
    code = harness.grant(harness.begun[-1]).code
    assert error_of(client.token(code, {})) == (400, "invalid_grant")
    code = harness.grant(harness.begun[-1]).code
    assert client.token(code).status_code == 200


def test_a_proof_and_a_dpop_jkt_that_differ_are_refused(client: FapiClient) -> None:
    response = client.par({"DPoP": client.proof("/par")}, dpop_jkt="x" * 43)
    assert error_of(response) == (400, "invalid_request")


def test_a_proof_is_given_back_when_the_store_fails(client: FapiClient) -> None:
    from broker.audit import AuditUnavailable

    form, headers = client.token_form(client.grant().code), {"DPoP": client.proof()}
    client.harness.audit_failure = AuditUnavailable("full")
    assert client.harness.token(form, headers).status_code == 503
    client.harness.audit_failure = None
    assert client.harness.token(form, headers).status_code == 200
