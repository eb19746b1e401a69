"""What a bank publishes about itself, and its keys."""

from __future__ import annotations

import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from mock_idp.bank import Bank
from mock_idp.protocol import jose
from mock_idp.protocol.issuers import Issuer, all_issuers
from mock_idp.protocol.keys import KeyStore
from mock_idp.protocol.publication import entity_statement
from tests.harness.relying_party import BASE, SmallRelyingParty


def statement(rp: SmallRelyingParty, path: str) -> dict[str, Any]:
    response = rp.client.get(f"{path}/.well-known/openid-federation")
    assert response.mimetype == "application/entity-statement+jwt"
    jws = jose.parse_jws(response.get_data(as_text=True))
    assert jws.header["typ"] == "entity-statement+jwt"
    claims = jose.from_json(jws.payload, "statement")
    keys = {key["kid"]: key for key in claims["jwks"]["keys"]}
    assert jose.verify_rs256(jws, jose.read_public_jwk(keys[jws.header["kid"]]))
    return claims


@pytest.mark.parametrize("dialect", ["ftn", "telia", "isb"])
def test_the_entity_statement_names_the_endpoints_and_is_signed_by_itself(rp: SmallRelyingParty, dialect: str) -> None:
    claims = statement(rp, f"/shared/{dialect}")
    metadata = claims["metadata"]["openid_provider"]
    issuer = f"{BASE}/shared/{dialect}"
    assert claims["iss"] == claims["sub"]
    assert metadata["issuer"] == issuer
    assert metadata["authorization_endpoint"] == f"{issuer}/authorize"
    assert metadata["token_endpoint"] == f"{issuer}/token"
    assert metadata["signed_jwks_uri"] == f"{issuer}/signed-jwks"
    assert ("code_challenge_methods_supported" in metadata) == (dialect != "isb")
    assert ("authorization_response_iss_parameter_supported" in metadata) == (dialect == "ftn")


def test_the_entity_id_of_telia_is_not_its_issuer(rp: SmallRelyingParty) -> None:
    assert statement(rp, "/shared/telia")["iss"] == f"{BASE}/shared/telia/entity"
    assert statement(rp, "/shared/isb")["iss"] == f"{BASE}/shared/isb"


@pytest.mark.parametrize("dialect", ["ftn", "telia", "isb"])
def test_the_signed_key_set_is_signed_by_the_entity_key(rp: SmallRelyingParty, dialect: str) -> None:
    about = statement(rp, f"/shared/{dialect}")
    response = rp.client.get(f"/shared/{dialect}/signed-jwks")
    assert response.mimetype == "application/jwk-set+jwt"
    jws = jose.parse_jws(response.get_data(as_text=True))
    assert jws.header["typ"] == "jwk-set+jwt"
    keys = {key["kid"]: key for key in about["jwks"]["keys"]}
    assert jose.verify_rs256(jws, jose.read_public_jwk(keys[jws.header["kid"]]))
    claims = jose.from_json(jws.payload, "jwks")
    assert claims["iss"] == claims["sub"] == about["iss"]
    assert claims["iat"] <= rp.now < claims["exp"]
    assert claims["keys"] == rp.client.get(f"/shared/{dialect}/jwks").get_json()["keys"]
    assert all(key.keys() == {"kty", "n", "e", "kid", "use", "alg"} for key in claims["keys"])


def test_there_is_a_discovery_document_except_at_op(rp: SmallRelyingParty) -> None:
    document = rp.client.get("/nordea/ftn/.well-known/openid-configuration").get_json()
    assert document["issuer"] == f"{BASE}/nordea/ftn"
    assert document["jwks_uri"] == f"{BASE}/nordea/ftn/jwks"
    assert rp.client.get("/nordea/isb/.well-known/openid-configuration").status_code == 404


def test_the_back_channel_may_have_another_address(rp: SmallRelyingParty, tmp_path: Path) -> None:
    from mock_idp.bank import open_bank
    from mock_idp.config import Config
    from mock_idp.protocol.publication import metadata

    bank = open_bank(Config(BASE, tmp_path, back_url="http://mock:8002"))
    values = metadata(bank, Issuer("shared", "telia"))
    assert values["issuer"] == f"{BASE}/shared/telia"
    assert values["authorization_endpoint"] == f"{BASE}/shared/telia/authorize"
    assert values["token_endpoint"] == "http://mock:8002/shared/telia/token"
    assert values["signed_jwks_uri"] == "http://mock:8002/shared/telia/signed-jwks"


def test_there_are_three_shared_issuers_and_three_for_each_bank() -> None:
    assert len(list(all_issuers())) == 36
    assert len({issuer.name for issuer in all_issuers()}) == 36


def test_keys_are_kept_for_their_owner_only(rp: SmallRelyingParty, bank: Bank, mock_state_dir: Path) -> None:
    bank.keys.of(Issuer("shared", "telia"))
    mode = (mock_state_dir / "shared-telia.json").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_several_processes_use_the_same_keys_and_see_each_others_rotation(tmp_path: Path) -> None:
    issuer = Issuer("shared", "telia")
    first, second = KeyStore(tmp_path), KeyStore(tmp_path)
    found: list[str] = []
    stores = (first, second, KeyStore(tmp_path))
    threads = [threading.Thread(target=lambda s=s: found.append(s.of(issuer).current.kid)) for s in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    rotated = first.rotate(issuer, "overlap")
    assert second.of(issuer).current.kid == rotated.current.kid
    assert second.of(issuer).entity.kid == first.of(issuer).entity.kid


def test_an_entity_key_is_announced_before_it_signs_and_named_after_it(bank: Bank) -> None:
    issuer = Issuer("shared", "telia")
    first = bank.keys.of(issuer).entity.kid
    announced = bank.keys.rotate_entity(issuer)
    assert announced.entity_next is not None
    jws = jose.parse_jws(entity_statement(bank, issuer))
    kids = [key["kid"] for key in jose.from_json(jws.payload, "it")["jwks"]["keys"]]
    assert (jws.header["kid"], kids) == (first, [first, announced.entity_next.kid])
    bank.keys.rotate_entity(issuer)
    jws = jose.parse_jws(entity_statement(bank, issuer))
    assert jws.header["kid"] == announced.entity_next.kid
    assert [key["kid"] for key in jose.from_json(jws.payload, "it")["jwks"]["keys"]] == kids


def test_an_unknown_issuer_publishes_nothing(rp: SmallRelyingParty) -> None:
    for what in ("signed-jwks", "jwks", ".well-known/openid-federation", ".well-known/openid-configuration"):
        assert rp.client.get(f"/shared/saml/{what}").status_code == 404
        assert rp.client.get(f"/nobody/telia/{what}").status_code == 404
