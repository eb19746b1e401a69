"""The key ring signs with the key in use, and publishes nothing private."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from joserfc import jws
from joserfc.jwk import import_key

from broker.keys import PURPOSES, KeyRing
from providers.dialects import DIALECTS
from providers.model import UnknownKey
from tests.harness.keys import Clock, kid_of, sealed_to


class TestUse:
    def test_every_purpose_has_a_key_in_use_after_generating(self, whole: KeyRing) -> None:
        assert whole.missing() == []
        assert {status.purpose for status in whole.status()} == set(PURPOSES)

    @pytest.mark.parametrize(
        ("purpose", "alg"), [("rp-sig", "RS256"), ("id-token-sig", "RS256"), ("id-token-sig", "ES256")]
    )
    def test_a_signature_verifies_with_the_published_key(self, whole: KeyRing, purpose: str, alg: str) -> None:
        token = whole.sign(purpose, {"sub": "Å"}, alg=alg, typ="JWT")
        public = next(key for key in whole.public_set(purpose) if key["kid"] == kid_of(token))
        verified = jws.deserialize_compact(token, import_key(public), algorithms=[alg])
        assert json.loads(verified.payload or b"") == {"sub": "Å"}
        assert verified.headers() == {"alg": alg, "kid": public["kid"], "typ": "JWT"}

    def test_no_type_is_given_where_none_is_wanted(self, whole: KeyRing) -> None:
        assert "typ" not in jws.extract_compact(whole.sign("entity", {}, typ=None).encode()).headers()

    def test_an_algorithm_of_no_key_signs_nothing(self, whole: KeyRing) -> None:
        with pytest.raises(UnknownKey):
            whole.sign("rp-sig", {}, alg="ES256")

    @pytest.mark.parametrize("purpose", [name for name, held in PURPOSES.items() if held.role != "secret"])
    def test_no_private_member_is_published(self, whole: KeyRing, purpose: str) -> None:
        for key in whole.public_set(purpose):
            assert set(key) <= {"kty", "n", "e", "crv", "x", "y", "kid", "use", "alg"}
            assert key["use"] == PURPOSES[purpose].role

    def test_what_is_encrypted_to_us_may_be_so_in_every_way_that_a_dialect_allows(self, whole: KeyRing) -> None:
        assert all("alg" not in key for key in whole.public_set("rp-enc"))
        assert {key["alg"] for key in whole.public_set("rp-sig")} == {"RS256"}
        (jwk,) = whole.public_set("rp-enc")
        for dialect in DIALECTS.values():
            for alg in dialect.jwe_algorithms:
                algorithms = (alg, "A128CBC-HS256")
                token = sealed_to(jwk, algorithms=algorithms, alg=alg)
                assert whole.decrypt("rp-enc", token, algorithms=algorithms).payload == b"a token"

    @pytest.mark.parametrize("purpose", ["pairwise", "store"])
    def test_a_secret_key_has_no_public_part(self, whole: KeyRing, purpose: str) -> None:
        with pytest.raises(ValueError, match="no public part"):
            whole.public_set(purpose)

    def test_nothing_of_a_key_shows_in_the_ring_or_its_status(self, whole: KeyRing, made_keys: Path) -> None:
        secrets = [
            json.loads(path.read_text())["jwk"].get(name) for path in made_keys.glob("*.json") for name in ("d", "k")
        ]
        shown = repr(whole.status()) + repr(whole._folder) + repr(whole._keys)
        assert not any(secret in shown for secret in secrets if secret)

    def test_the_pairwise_code_is_hmac_of_the_one_pairwise_key(self, whole: KeyRing, made_keys: Path) -> None:
        assert whole.pairwise(b"m") == KeyRing(made_keys, Clock()).pairwise(b"m") != whole.pairwise(b"n")
        assert len(whole.pairwise(b"m")) == 32
