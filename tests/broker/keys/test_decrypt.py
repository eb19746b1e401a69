"""What comes encrypted opens with the key it names, in the ways that are allowed."""

from __future__ import annotations

from pathlib import Path

import pytest
from joserfc import jwe
from joserfc.jwk import RSAKey

from broker.keys import PURPOSES, KeyRing, Timetable
from kit.keys.key_file import write_key
from providers.model import DecryptionFailed, UnknownKey
from tests.broker.conftest import NOW
from tests.harness.keys import ALGORITHMS, Clock, sealed_to


class TestDecrypt:
    def test_a_message_to_the_published_key_opens(self, whole: KeyRing) -> None:
        jwk = whole.public_set("rp-enc")[0]
        opened = whole.decrypt("rp-enc", sealed_to(jwk, cty="JWT"), algorithms=ALGORITHMS)
        assert (opened.payload, opened.kid, opened.header["cty"]) == (b"a token", jwk["kid"], "JWT")

    def test_extra_header_members_are_tolerated(self, whole: KeyRing) -> None:
        token = sealed_to(whole.public_set("rp-enc")[0], iss="https://bank.fi", aud="tunnus")
        assert whole.decrypt("rp-enc", token, algorithms=ALGORITHMS).payload == b"a token"

    @pytest.mark.parametrize("allowed", [("RSA-OAEP-256", "A128CBC-HS256"), ("RSA-OAEP", "A256GCM")])
    def test_an_algorithm_that_is_not_allowed_does_not_open(self, whole: KeyRing, allowed: tuple[str, str]) -> None:
        with pytest.raises(DecryptionFailed):
            whole.decrypt("rp-enc", sealed_to(whole.public_set("rp-enc")[0]), algorithms=allowed)

    def test_a_compressed_message_is_not_opened(self, whole: KeyRing) -> None:
        token = sealed_to(whole.public_set("rp-enc")[0], zip="DEF")
        with pytest.raises(DecryptionFailed, match="compressed"):
            whole.decrypt("rp-enc", token, algorithms=[*ALGORITHMS, "DEF"])

    def test_an_unknown_or_missing_kid_is_told_apart_from_a_broken_message(self, whole: KeyRing) -> None:
        jwk = whole.public_set("rp-enc")[0]
        with pytest.raises(UnknownKey):
            whole.decrypt("rp-enc", sealed_to(jwk | {"kid": "other"}), algorithms=ALGORITHMS)
        with pytest.raises(UnknownKey, match="names no key"):
            whole.decrypt("rp-enc", "eyJraWQiOjF9.a.b.c.d", algorithms=ALGORITHMS)
        with pytest.raises(DecryptionFailed):
            whole.decrypt("rp-enc", sealed_to(jwk)[:-6] + "AAAAAA", algorithms=ALGORITHMS)

    def test_a_message_that_names_no_key_is_tried_with_each_newest_first(
        self, full: Path, clock: Clock, spare_rsa: RSAKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        old = KeyRing(full, clock).public_set("rp-enc")[0]
        write_key(full, PURPOSES["rp-enc"], spare_rsa, Timetable(NOW, NOW + 120, NOW + 120))
        clock.now = NOW + 120
        ring = KeyRing(full, clock)
        tried: list[str] = []
        plain = jwe.decrypt_compact
        monkeypatch.setattr(jwe, "decrypt_compact", lambda t, key, **o: tried.append(key.kid) or plain(t, key, **o))
        newest = next(jwk["kid"] for jwk in ring.public_set("rp-enc") if jwk["kid"] != old["kid"])
        token = sealed_to(old, kid="")
        opened = ring.decrypt("rp-enc", token, algorithms=ALGORITHMS, kid_required=False)
        assert (opened.payload, opened.kid, tried) == (b"a token", old["kid"], [newest, old["kid"]])
        with pytest.raises(UnknownKey, match="names no key"):
            ring.decrypt("rp-enc", token, algorithms=ALGORITHMS)
        token = sealed_to(ring.public_set("rp-sig")[0], kid="")
        with pytest.raises(DecryptionFailed):
            ring.decrypt("rp-enc", token, algorithms=ALGORITHMS, kid_required=False)

    @pytest.mark.parametrize("token", ["", "a.b.c.d.e", "W10.a.b.c.d", "åäö", "bnVsbA....", "{}"])
    def test_what_is_no_message_fails_as_one(self, whole: KeyRing, token: str) -> None:
        with pytest.raises(DecryptionFailed):
            whole.decrypt("rp-enc", token, algorithms=ALGORITHMS)

    def test_a_key_of_another_purpose_does_not_decrypt(self, whole: KeyRing) -> None:
        with pytest.raises(UnknownKey):
            whole.decrypt("rp-enc", sealed_to(whole.public_set("rp-sig")[0]), algorithms=ALGORITHMS)


def test_a_message_with_a_long_header_decrypts(made_keys: Path) -> None:
    ring = KeyRing(made_keys, lambda: NOW + 1)
    key = RSAKey.import_key(ring.public_set("rp-enc")[0])
    header = {"alg": "RSA-OAEP", "enc": "A128GCM", "kid": key.kid, "x5c": ["A" * 3000]}

    class Registry(jwe.JWERegistry):
        max_protected_header_length = 8192

    registry = Registry(algorithms=["RSA-OAEP", "A128GCM"], strict_check_header=False)
    token = jwe.encrypt_compact(header, b"said", key, registry=registry)
    assert ring.decrypt("rp-enc", token, algorithms=["RSA-OAEP", "A128GCM"]).payload == b"said"
