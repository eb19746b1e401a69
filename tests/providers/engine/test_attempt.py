"""An answer fits the one attempt that it belongs to: its nonce, its levels, its time."""

from __future__ import annotations

from dataclasses import replace

import pytest
import responses

from kit.keys.roca import has_roca_fingerprint
from providers.engine.adapter import OidcAdapter
from providers.engine.http import BankHttp
from providers.errors import IntegrityError
from providers.model import Attempt, BeginRequest, Identity
from providers.registry import PROVIDERS
from tests.harness.engine.jose import encrypt, sign
from tests.harness.engine.parts import (
    CLIENT_ID,
    HIGH_TEST_LEVEL,
    ISSUER,
    NOW,
    TEST_LEVEL,
    Clock,
    MemoryKeys,
    Seen,
    make_connection,
)

HANDLE = "ab" * 32
REQUEST = BeginRequest(
    handle=HANDLE,
    provider=PROVIDERS["nordea"],
    ui_locale="fi",
    acr_values=(TEST_LEVEL,),
    profile=True,
    credential="weak",
    now=NOW,
)


@pytest.fixture
def adapter(keys: MemoryKeys, clock: Clock, seen: Seen) -> OidcAdapter:
    """An adapter that serves every provider of the attempts here."""
    bank = make_connection("ftn")
    return OidcAdapter(bank, PROVIDERS, keys, BankHttp(bank, 1, seen), seen, clock, has_roca_fingerprint)


def finish(adapter: OidcAdapter, attempt: Attempt, nonce: str) -> Identity:
    """What the adapter makes of a sound answer at `TEST_LEVEL` with that nonce."""
    claims = {"iss": ISSUER, "aud": CLIENT_ID, "exp": NOW + 600, "iat": NOW, "sub": "event-17", "nonce": nonce}
    claims |= {"acr": TEST_LEVEL, "auth_time": NOW + 30}
    claims |= {"urn:oid:1.2.246.21": "010190Y999W", "urn:oid:2.5.4.4": "Äyrämö", "urn:oid:1.2.246.575.1.14": "Tero"}
    inner = sign({"alg": "RS256", "kid": "bank-sig"}, claims, "bank-sig")
    token = encrypt({"alg": "RSA-OAEP", "enc": "A128CBC-HS256", "kid": "our-enc"}, inner.encode(), "our-enc")
    with responses.RequestsMock() as bank:
        bank.post(adapter.connection.token_endpoint, json={"token_type": "Bearer", "id_token": token})
        return adapter.finish({"state": [HANDLE], "code": ["c0de"]}, HANDLE, attempt, NOW + 40)


def test_the_answer_to_an_attempt_is_its_identity(adapter: OidcAdapter) -> None:
    attempt = adapter.begin(REQUEST).attempt
    assert finish(adapter, attempt, attempt.private["nonce"]).name == "Tero Äyrämö"


def test_an_answer_with_the_nonce_of_another_attempt_is_refused(adapter: OidcAdapter) -> None:
    attempt, another = (adapter.begin(REQUEST).attempt for _ in range(2))
    with pytest.raises(IntegrityError) as caught:
        finish(adapter, attempt, another.private["nonce"])
    assert (caught.value.step, caught.value.claim) == ("id_token", "nonce")


def test_a_level_that_this_attempt_did_not_ask_for_is_refused(adapter: OidcAdapter) -> None:
    attempt = adapter.begin(replace(REQUEST, acr_values=(HIGH_TEST_LEVEL,))).attempt
    with pytest.raises(IntegrityError) as caught:
        finish(adapter, attempt, attempt.private["nonce"])
    assert (caught.value.step, caught.value.claim) == ("id_token", "acr")


@pytest.mark.parametrize(("chosen", "seconds"), [(None, 900), ("nordea", 900), ("mobile-certificate", 1200)])
def test_an_attempt_lasts_as_long_as_its_provider_may_take(
    adapter: OidcAdapter, chosen: str | None, seconds: int
) -> None:
    attempt = adapter.begin(replace(REQUEST, provider=PROVIDERS[chosen] if chosen else None)).attempt
    assert (attempt.started_at, attempt.expires_at) == (NOW, NOW + seconds)
