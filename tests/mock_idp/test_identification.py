"""The whole way through every dialect and both shapes of contract."""

from __future__ import annotations

import pytest

from mock_idp.people.faces import FACES
from mock_idp.protocol.id_token import access_token_hash
from tests.harness.relying_party import BASE, LOA, NAMES, SmallRelyingParty, answer_of

PERSON = "010170-999R"


@pytest.mark.parametrize("dialect", ["ftn", "telia", "isb"])
def test_a_script_leads_through_an_identification_in_every_dialect(rp: SmallRelyingParty, dialect: str) -> None:
    claims = rp.identify("shared", dialect, script={"provider": "aktia", "persona": "tero-ayramo"})
    code, given, family, name, birthdate = NAMES[dialect]
    assert claims[code] == PERSON
    assert (claims[given], claims[family], claims[birthdate]) == ("Tero Testi", "Äyrämö", "1970-01-01")
    assert claims[name] == ("Äyrämö Tero Testi" if dialect == "isb" else "Tero Testi Äyrämö")
    assert claims["iss"] == f"{BASE}/shared/{dialect}"
    assert claims["acr"] == LOA
    assert claims["auth_time"] == claims["iat"] == int(rp.now)
    assert claims["exp"] == claims["iat"] + 600
    assert rp.captured(violations="1") == []
    assert all(record["warnings"] == [] for record in rp.captured())


def test_telia_sends_a_list_as_audience_with_azp_amr_and_session_index(rp: SmallRelyingParty) -> None:
    claims = rp.identify("shared", "telia", acr_values="oidc.aktia.1")
    assert claims["aud"] == ["tunnus"]
    assert claims["azp"] == "tunnus"
    assert claims["amr"] == [f"{BASE}/shared/telia/saml2/names/ac/oidc.aktia.1"]
    assert claims["session_index"]


def test_op_sends_a_string_as_audience_and_nothing_that_names_the_bank(rp: SmallRelyingParty) -> None:
    claims = rp.identify("shared", "isb", ftn_idp_id="fi-nordea")
    assert claims["aud"] == "tunnus"
    assert claims.keys().isdisjoint({"amr", "azp", "session_index", "at_hash"})


def test_op_sends_names_only_with_the_scope_profile(rp: SmallRelyingParty) -> None:
    claims = rp.identify("shared", "isb", scope="openid personal_identity_code")
    assert claims.keys().isdisjoint({"name", "given_name", "family_name", "birthdate"})
    assert claims["personal_identity_code"]


def test_the_ftn_dialect_sends_iss_beside_the_code_and_the_others_do_not(rp: SmallRelyingParty) -> None:
    for dialect in ("ftn", "telia", "isb"):
        rp.script()
        response = answer_of(rp.authorize(rp.trip("shared", dialect)))
        assert response.get("iss") == (f"{BASE}/shared/ftn" if dialect == "ftn" else None)


def test_the_token_is_signed_and_then_encrypted_to_the_published_key(rp: SmallRelyingParty) -> None:
    rp.script()
    trip = rp.trip("shared", "ftn")
    body = rp.exchange(trip, answer_of(rp.authorize(trip))["code"]).get_json()
    outer, inner, claims = rp.open_token(trip, body["id_token"])
    assert outer == {"alg": "RSA-OAEP", "enc": "A128CBC-HS256", "cty": "JWT", "kid": rp.enc.kid}
    assert inner["alg"] == "RS256"
    assert body["token_type"] == "Bearer"
    assert claims["at_hash"] == access_token_hash(body["access_token"])
    assert claims["nonce"] == trip.claims["nonce"]


@pytest.mark.parametrize("face", FACES.values(), ids=FACES)
def test_every_face_is_selected_by_its_value_at_a_shared_issuer(rp: SmallRelyingParty, face) -> None:
    for dialect, selector in (("telia", {"acr_values": face.method}), ("isb", {"ftn_idp_id": face.ftn_idp_id})):
        rp.script(provider=face.id)
        assert "code" in answer_of(rp.authorize(rp.trip("shared", dialect, **selector)))
        assert rp.captured(kind="authorization")[-1]["provider"] == face.id


def test_an_issuer_of_one_bank_identifies_as_that_bank(rp: SmallRelyingParty) -> None:
    claims = rp.identify("nordea", "telia", script={"provider": "nordea"})
    assert claims["iss"] == f"{BASE}/nordea/telia"
    assert claims["amr"] == [f"{BASE}/nordea/telia/saml2/names/ac/oidc.nordea.1"]
    assert claims["urn:oid:1.2.246.21"] == "010200A9618"


def test_the_electronic_client_identifier_is_sent_where_the_dialect_has_a_claim_for_it(rp: SmallRelyingParty) -> None:
    script = {"provider": "mobile-certificate", "persona": "mobile-satu"}
    assert rp.identify("shared", "telia", script=script)["urn:oid:1.2.246.22"] == "11223344D"
    assert "11223344D" not in rp.identify("shared", "isb", script=script).values()


def test_a_foreign_person_has_an_eidas_identifier_and_no_personal_identity_code(rp: SmallRelyingParty) -> None:
    claims = rp.identify("shared", "telia", script={"persona": "foreign-eidas"})
    assert "urn:oid:1.2.246.21" not in claims
    assert claims["http://eidas.europa.eu/attributes/naturalperson/PersonIdentifier"].startswith("FI/SE/")


@pytest.mark.parametrize(
    ("dialect", "outcome", "error"),
    [
        ("isb", "cancel", "cancel"),
        ("telia", "cancel", "access_denied"),
        ("ftn", "cancel", "user_cancelled"),
        ("isb", "fail", "access_denied"),
        ("telia", "fail", "server_error"),
        ("ftn", "fail", "server_error"),
        ("telia", "time_out", "access_denied"),
    ],
)
def test_each_dialect_has_its_own_word_for_an_outcome(
    rp: SmallRelyingParty, dialect: str, outcome: str, error: str
) -> None:
    rp.script(outcome=outcome)
    trip = rp.trip("shared", dialect)
    response = answer_of(rp.authorize(trip))
    assert response["error"] == error
    assert response["state"] == trip.claims["state"]
    assert "code" not in response
