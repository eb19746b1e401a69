"""Every rule of an authorization request: what breaks it is refused, named, and recorded."""

from __future__ import annotations

from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import OctKey

from tests.harness.relying_party import (
    BASE,
    ENTITY_ID,
    JWKS_URL,
    LOA,
    NOW,
    OTHER_REDIRECT_URI,
    STATEMENT_URL,
    SmallRelyingParty,
    answer_of,
    make_rsa,
    sign,
)

ALL = ("ftn", "telia", "isb")


def broken(rp: SmallRelyingParty) -> list[str]:
    return [violation["rule"] for record in rp.captured() for violation in record["violations"]]


def refusals() -> list[Any]:
    """Dialects, changes of the request object, the rule, the error."""
    rows: list[tuple[tuple[str, ...], dict[str, Any], str, str]] = [
        (ALL, {"iss": None}, "iss", "invalid_request"),
        (ALL, {"iss": "somebody-else"}, "iss", "invalid_request"),
        (ALL, {"aud": "https://another.example"}, "aud", "invalid_request"),
        (("ftn", "telia"), {"aud": None}, "aud", "invalid_request"),
        (ALL, {"exp": None}, "exp", "invalid_request"),
        (ALL, {"exp": NOW - 10}, "exp", "invalid_request"),
        (ALL, {"exp": NOW + 90_000}, "exp", "invalid_request"),
        (ALL, {"exp": str(NOW + 600)}, "exp", "invalid_request"),
        (ALL, {"iat": NOW + 3600}, "iat", "invalid_request"),
        (ALL, {"nbf": NOW + 3600}, "nbf", "invalid_request"),
        (ALL, {"jti": None}, "jti", "invalid_request"),
        (ALL, {"response_type": "id_token"}, "response_type", "unsupported_response_type"),
        (ALL, {"response_type": None}, "response_type", "unsupported_response_type"),
        (("ftn", "telia"), {"scope": "profile"}, "scope", "invalid_scope"),
        (("ftn", "telia"), {"scope": "openid profile"}, "scope", "invalid_scope"),
        (("isb",), {"scope": "openid"}, "scope", "invalid_scope"),
        (("isb",), {"scope": "personal_identity_code"}, "scope", "invalid_scope"),
        (("isb",), {"scope": "openid personal_identity_code email"}, "scope", "invalid_scope"),
        (("isb",), {"scope": "openid personal_identity_code weak strong"}, "scope", "invalid_scope"),
        (ALL, {"scope": "openid openid personal_identity_code"}, "scope", "invalid_scope"),
        (ALL, {"state": None}, "state", "invalid_request"),
        (ALL, {"state": "short"}, "state", "invalid_request"),
        (ALL, {"nonce": None}, "nonce", "invalid_request"),
        (ALL, {"nonce": "a" * 31}, "nonce", "invalid_request"),
        (("ftn",), {"prompt": None}, "prompt", "invalid_request"),
        (("isb",), {"prompt": "login"}, "prompt", "invalid_request"),
        (("telia",), {"prompt": "consent"}, "prompt", "invalid_request"),
        (("ftn",), {"ftn_spname": None}, "ftn_spname", "invalid_request"),
        (("ftn", "isb"), {"ftn_spname": "Somebody Else"}, "ftn_spname", "invalid_request"),
        (("ftn", "isb"), {"ftn_spname": "Testi <b>Energia</b>"}, "ftn_spname", "invalid_request"),
        (("ftn", "isb"), {"ftn_spname": "A" * 41}, "ftn_spname", "invalid_request"),
        (("ftn", "telia"), {"acr_values": None}, "acr_values", "invalid_request"),
        (("ftn", "telia"), {"acr_values": "http://ftn.ficora.fi/2017/loa2"}, "acr_values", "invalid_request"),
        (("ftn",), {"acr_values": "oidc.aktia.1"}, "acr_values", "invalid_request"),
        (("telia",), {"acr_values": f"oidc.aktia.1 {LOA}"}, "acr_values", "invalid_request"),
        (("isb",), {"ftn_idp_id": "fi-unheard-of"}, "ftn_idp_id", "invalid_request"),
        (("ftn", "telia"), {"code_challenge": None}, "code_challenge", "invalid_request"),
        (("ftn", "telia"), {"code_challenge": "short"}, "code_challenge", "invalid_request"),
        (("ftn", "telia"), {"code_challenge_method": "plain"}, "code_challenge_method", "invalid_request"),
    ]
    return [
        pytest.param(dialect, changes, rule, error, id=f"{dialect}-{rule}-{n}")
        for n, (dialects, changes, rule, error) in enumerate(rows)
        for dialect in dialects
    ]


@pytest.mark.parametrize(("dialect", "changes", "rule", "error"), refusals())
def test_a_broken_rule_comes_back_as_an_error_that_names_it(
    rp: SmallRelyingParty, dialect: str, changes: dict[str, Any], rule: str, error: str
) -> None:
    rp.script()
    trip = rp.trip("shared", dialect, **changes)
    response = answer_of(rp.authorize(trip))
    assert response["error"] == error
    assert response["error_description"].startswith(f"{rule}: ")
    assert response.get("state") == trip.claims.get("state")
    assert response.get("iss") == (trip.issuer if dialect == "ftn" else None)
    assert broken(rp) == [rule]


def test_a_request_object_is_good_once(rp: SmallRelyingParty) -> None:
    rp.script(times=0)
    trip = rp.trip("shared", "telia")
    assert "code" in answer_of(rp.authorize(trip))
    response = answer_of(rp.authorize(trip))
    assert response["error"] == "invalid_request"
    assert broken(rp) == ["jti"]


@pytest.mark.parametrize(
    ("dialect", "query"),
    [
        ("isb", {"client_id": "tunnus"}),
        ("telia", {"client_id": "tunnus", "scope": "openid"}),
        ("ftn", {"client_id": "tunnus", "ui_locales": "fi"}),
        ("ftn", {}),
        ("ftn", {"client_id": "somebody-else"}),
        ("telia", {"client_id": ["tunnus", "tunnus"]}),
    ],
)
def test_only_what_the_dialect_allows_may_stand_beside_the_request_object(
    rp: SmallRelyingParty, dialect: str, query: dict[str, Any]
) -> None:
    assert answer_of(rp.authorize(rp.trip("shared", dialect), query=query))["error"] == "invalid_request"
    assert broken(rp) == ["query"]


def test_telia_takes_the_request_object_alone(rp: SmallRelyingParty) -> None:
    rp.script()
    assert "code" in answer_of(rp.authorize(rp.trip("shared", "telia"), query={}))


def test_an_issuer_of_one_bank_refuses_the_selector_of_another(rp: SmallRelyingParty) -> None:
    for dialect, changes in (("telia", {"acr_values": "oidc.aktia.1"}), ("isb", {"ftn_idp_id": "fi-op"})):
        assert answer_of(rp.authorize(rp.trip("nordea", dialect, **changes)))["error"] == "invalid_request"
    assert broken(rp) == ["selector", "selector"]


def test_the_audience_may_be_a_list_of_the_issuer_alone(rp: SmallRelyingParty) -> None:
    rp.script(times=0)
    issuer = f"{BASE}/shared/telia"
    assert "code" in answer_of(rp.authorize(rp.trip("shared", "telia", aud=[issuer])))
    assert "error" in answer_of(rp.authorize(rp.trip("shared", "telia", aud=[issuer, "https://x.example"])))


def test_parameters_that_a_dialect_does_not_document_are_noted_and_ignored(rp: SmallRelyingParty) -> None:
    rp.script()
    assert "code" in answer_of(rp.authorize(rp.trip("shared", "isb", acr_values=LOA)))
    record = rp.captured()[-1]
    assert record["violations"] == []
    assert record["warnings"] == ["acr_values is not a parameter of this dialect: ignored"]


# What no bank answers by redirect.


def page_of(rp: SmallRelyingParty, **how: Any) -> list[str]:
    changes = how.pop("changes", {})
    response = rp.authorize(rp.trip("shared", "telia", **changes), **how)
    assert response.status_code == 400
    assert "TEST BANK" in response.get_data(as_text=True)
    assert "Location" not in response.headers
    return broken(rp)


def test_an_unregistered_redirect_uri_gets_a_page(rp: SmallRelyingParty) -> None:
    assert page_of(rp, changes={"redirect_uri": f"{ENTITY_ID}/callback/here/"}) == ["redirect_uri"]


def test_every_registered_redirect_uri_is_taken(rp: SmallRelyingParty) -> None:
    rp.script()
    response = rp.authorize(rp.trip("shared", "telia", redirect_uri=OTHER_REDIRECT_URI))
    assert response.headers["Location"].startswith(OTHER_REDIRECT_URI)


def test_an_unknown_client_gets_a_page(rp: SmallRelyingParty) -> None:
    assert page_of(rp, changes={"client_id": "somebody-else", "iss": "somebody-else"}) == ["client_id"]


def test_a_signature_by_another_key_gets_a_page(rp: SmallRelyingParty) -> None:
    token = sign(rp.trip("shared", "telia").claims, make_rsa("sig"), kid=rp.sig.kid)
    assert page_of(rp, token=token) == ["request object signature"]


def test_a_key_that_is_not_published_gets_a_page_after_one_more_look(rp: SmallRelyingParty) -> None:
    token = sign(rp.trip("shared", "telia").claims, make_rsa("sig"))
    assert page_of(rp, token=token) == ["request object kid"]
    assert rp.fetched.count(JWKS_URL) == 1


def test_the_encryption_key_signs_nothing(rp: SmallRelyingParty) -> None:
    signing = make_rsa("sig")
    token = sign(rp.trip("shared", "telia").claims, signing, kid=rp.enc.kid)
    assert page_of(rp, token=token) == ["request object kid"]


@pytest.mark.parametrize(
    ("header", "rule"),
    [
        ({"alg": "PS256"}, "request object alg"),
        ({"alg": "RS512"}, "request object alg"),
        ({"kid": None}, "request object kid"),
        ({"typ": "at+jwt"}, "request object typ"),
        ({"crit": ["x"], "x": 1}, "request object signature"),
    ],
)
def test_the_header_of_the_request_object_is_held_to_the_profile(
    rp: SmallRelyingParty, header: dict[str, Any], rule: str
) -> None:
    from mock_idp.protocol import jose

    full = {"alg": "RS256", "kid": rp.sig.kid, "typ": "JWT"} | header
    claims = jose.to_json(rp.trip("shared", "telia").claims)
    private = rp.sig.private_key
    signer = jose.sign_pss if full["alg"] == "PS256" else jose.sign
    token = signer({name: value for name, value in full.items() if value is not None}, claims, private)
    assert page_of(rp, token=token) == [rule]


def test_unsigned_and_symmetric_request_objects_get_a_page(rp: SmallRelyingParty) -> None:
    import json

    claims = json.dumps(rp.trip("shared", "telia").claims)
    header = {"alg": "HS256", "kid": rp.sig.kid}
    token = jws.serialize_compact(header, claims, OctKey.import_key("x" * 64), algorithms=["HS256"])
    assert page_of(rp, token=token) == ["request object alg"]
    from mock_idp.protocol import jose

    assert page_of(rp, token=jose.unsigned({"alg": "none"}, claims.encode()))[-1] == "request object alg"


@pytest.mark.parametrize("token", ["x", "a.b", "..", "e30.e30.", "eyJhbGciOiJSUzI1NiJ9=.e30.AA"])
def test_what_is_no_jws_gets_a_page(rp: SmallRelyingParty, token: str) -> None:
    assert page_of(rp, token=token)[0].startswith("request object")


def test_a_duplicate_member_gets_a_page(rp: SmallRelyingParty) -> None:
    from mock_idp.protocol import jose

    text = jose.to_json(rp.trip("shared", "telia").claims)[:-1] + b',"client_id":"tunnus"}'
    token = jose.sign({"alg": "RS256", "kid": rp.sig.kid}, text, rp.sig.private_key)
    assert page_of(rp, token=token) == ["request object"]


def test_a_missing_or_repeated_request_parameter_gets_a_page(rp: SmallRelyingParty) -> None:
    for query in ("", "?request=a&request=b"):
        response = rp.client.get(f"/shared/telia/authorize{query}")
        assert response.status_code == 400
    assert broken(rp) == ["request", "request"]


def test_an_issuer_that_there_is_not_is_not_found(rp: SmallRelyingParty) -> None:
    for path in ("/shared/oidc/authorize", "/unheard-of/telia/authorize", "/unheard-of/telia/token"):
        response = rp.client.post(path) if path.endswith("token") else rp.client.get(path)
        assert response.status_code == 404


# What the banks know of the relying party.


def altered(claims: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {name: value for name, value in (claims | changes).items() if value is not None}


@pytest.mark.parametrize(
    ("document", "how"),
    [
        ("statement", {"sign_with": "stranger"}),
        ("statement", {"typ": "JWT"}),
        ("statement", {"exp": NOW - 10}),
        ("statement", {"iat": NOW + 7200}),
        ("statement", {"sub": "https://another.example"}),
        ("statement", {"metadata": {}}),
        ("jwks", {"sign_with": "stranger"}),
        ("jwks", {"sign_with": "sig"}),
        ("jwks", {"exp": NOW - 10}),
        ("jwks", {"iss": "https://another.example"}),
        ("jwks", {"sub": None}),
        ("jwks", {"keys": "none"}),
    ],
)
def test_a_relying_party_whose_documents_do_not_hold_gets_a_page(
    rp: SmallRelyingParty, document: str, how: dict[str, Any]
) -> None:
    changes = dict(how)
    key = {"stranger": make_rsa("sig"), "sig": rp.sig}.get(changes.pop("sign_with", ""), rp.entity)
    typ = changes.pop("typ", "entity-statement+jwt" if document == "statement" else "jwk-set+jwt")
    claims = rp.statement_claims() if document == "statement" else rp.jwks_claims()
    kid = key.kid if key is rp.sig else rp.entity.kid
    address = STATEMENT_URL if document == "statement" else JWKS_URL
    rp.instead[address] = sign(altered(claims, **changes), key, typ, kid=kid).encode()
    assert page_of(rp) == ["relying party"]


def test_published_keys_with_private_members_are_refused(rp: SmallRelyingParty) -> None:
    claims = rp.jwks_claims() | {"keys": [rp.sig.as_dict(private=True), rp.enc.as_dict(private=False)]}
    rp.instead[JWKS_URL] = sign(claims, rp.entity, "jwk-set+jwt").encode()
    assert page_of(rp) == ["relying party"]


def test_published_keys_are_kept_for_a_day_at_most(rp: SmallRelyingParty) -> None:
    rp.script(times=0)
    for later in (0, 3600, 86_000, 86_500):
        rp.now = NOW + later
        rp.authorize(rp.trip("shared", "telia"))
    assert rp.fetched.count(JWKS_URL) == 2


def test_a_new_redirect_uri_makes_the_banks_read_the_statement_again(rp: SmallRelyingParty) -> None:
    rp.script(times=0)
    rp.authorize(rp.trip("shared", "telia"))
    claims = rp.statement_claims()
    claims["metadata"]["openid_relying_party"]["redirect_uris"].append(f"{ENTITY_ID}/new")
    rp.instead[STATEMENT_URL] = sign(claims, rp.entity, "entity-statement+jwt").encode()
    assert "code" in answer_of(rp.authorize(rp.trip("shared", "telia", redirect_uri=f"{ENTITY_ID}/new")))
