"""A bank's keys: verified, cached, refetched by one caller at a time, kept while the bank is down."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from providers.connection import PinnedJwks, UnsignedJwks
from providers.engine import entity_statement
from providers.engine.breaker import FAILURES_TO_OPEN
from providers.engine.jwks import LONGEST, RETRY, SCHEDULED
from providers.engine.public_keys import usable_keys
from providers.errors import IntegrityError, Step, Unavailable
from tests.harness.engine.bank import Bank
from tests.harness.engine.jose import public
from tests.harness.engine.key_set import Endpoint, MakeKeys, Turnstile, budget, found_key, kid
from tests.harness.engine.parts import JWKS_URI, Clock, Seen
from tests.harness.weak_keys import roca_key


def test_a_signed_key_set_is_fetched_once_and_its_keys_imported_once(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    imports: list[Any] = []
    monkeypatch.setattr(
        entity_statement, "usable_keys", lambda keys, **options: imports.append(1) or usable_keys(keys, **options)
    )
    keys = make_keys()
    imports.clear()  # the pinned entity keys
    found = [found_key(keys, kid(bank.signing), budget()) for _ in range(50)]
    clock.now += SCHEDULED - 1
    assert found_key(keys, kid(bank.signing), budget()) is found[0]
    assert (endpoint.calls, len(imports)) == (1, 1)


def test_pinned_keys_are_never_fetched(make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, clock: Clock) -> None:
    keys = make_keys(PinnedJwks((public(bank.signing), {"kty": "RSA", "kid": "broken"})))
    clock.now += 10 * LONGEST
    assert found_key(keys, kid(bank.signing), budget()).kid == bank.signing.kid
    with pytest.raises(Unavailable, match="unknown"):
        found_key(keys, "another", budget())
    assert endpoint.calls == 0


def test_an_unsigned_key_set_is_taken_as_it_is(make_keys: MakeKeys, endpoint: Endpoint, bank: Bank) -> None:
    endpoint.body = json.dumps({"keys": [{"kty": "EC"}, public(bank.signing, use=None, alg=None)]})
    assert found_key(make_keys(UnsignedJwks(JWKS_URI)), kid(bank.signing), budget()).kid == bank.signing.kid


@pytest.mark.parametrize("body", ["{}", '{"keys":[]}', '{"keys":[{"kty":"EC"}]}', "[]", '{"keys":7}', "<h1>"])
def test_an_unsigned_key_set_without_a_usable_key_leaves_the_last_good_one(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, clock: Clock, body: str
) -> None:
    keys = make_keys(UnsignedJwks(JWKS_URI))
    endpoint.body = body
    with pytest.raises(IntegrityError) as caught:
        found_key(keys, kid(bank.signing), budget())
    assert (caught.value.step, caught.value.claim) == (Step.ID_TOKEN, "jwks")
    endpoint.body = json.dumps({"keys": [public(bank.signing)]})
    good = found_key(keys, kid(bank.signing), budget())
    endpoint.body = body
    clock.now += SCHEDULED
    assert found_key(keys, kid(bank.signing), budget()) is good


def test_a_key_that_anyone_can_factor_is_refused_by_its_name(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, seen: Seen
) -> None:
    weak = roca_key()
    endpoint.body = bank.signed_jwks(keys=[public(weak), public(bank.signing)])
    keys = make_keys()
    with pytest.raises(IntegrityError, match="ROCA, CVE-2017-15361") as caught:
        found_key(keys, "roca", budget())
    assert (caught.value.step, caught.value.claim) == (Step.ID_TOKEN, "kid")
    assert (seen.count("jwks_weak_key"), endpoint.calls) == (1, 2)
    assert found_key(keys, kid(bank.signing), budget()).kid == bank.signing.kid
    endpoint.body = bank.signed_jwks(keys=[public(bank.signing, kid="roca")])
    assert found_key(keys, "roca", budget()).thumbprint() == bank.signing.thumbprint(), (
        "as soon as the bank has another"
    )


def test_the_last_good_set_is_used_for_a_day_while_the_bank_is_down(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, clock: Clock, seen: Seen
) -> None:
    keys = make_keys()
    found_key(keys, kid(bank.signing), budget())
    endpoint.body = None
    clock.now += LONGEST - 1
    assert found_key(keys, kid(bank.signing), budget()).kid == bank.signing.kid
    assert seen.count("jwks_stale") == 1
    clock.now += 1
    with pytest.raises(Unavailable, match="cannot be fetched") as caught:
        found_key(keys, kid(bank.signing), budget())
    assert caught.value.step is Step.ID_TOKEN
    assert seen.count("jwks_failed") == 1


def test_a_set_that_was_fetched_by_a_clock_ahead_is_fetched_again_once_that_is_right(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, clock: Clock, next_key: RSAKey
) -> None:
    right, keys = clock.now, make_keys(UnsignedJwks(JWKS_URI))
    clock.now += 10 * SCHEDULED
    endpoint.body = json.dumps({"keys": [public(bank.signing)]})
    assert found_key(keys, kid(bank.signing), budget())
    clock.now += SCHEDULED
    endpoint.body = None
    assert found_key(keys, kid(bank.signing), budget()), "a try that failed, by the wrong clock too"
    clock.now = right
    endpoint.body = json.dumps({"keys": [public(next_key)]})
    with pytest.raises(Unavailable):
        found_key(keys, kid(bank.signing), budget())


def test_a_key_set_that_nobody_can_do_without_stops_new_starts(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, clock: Clock
) -> None:
    keys = make_keys()
    endpoint.body = "<h1>Maintenance"
    for _ in range(FAILURES_TO_OPEN):
        with pytest.raises(IntegrityError):
            found_key(keys, kid(bank.signing), budget())
    assert endpoint.breakers.open_for("op")
    endpoint.body = bank.signed_jwks()
    found_key(keys, kid(bank.signing), budget())
    assert not endpoint.breakers.open_for("op")
    endpoint.body = None
    for _ in range(2 * FAILURES_TO_OPEN):
        clock.now += SCHEDULED
        found_key(keys, kid(bank.signing), budget())
    assert not endpoint.breakers.open_for("op"), "a good set is at hand"
    for _ in range(FAILURES_TO_OPEN):
        with pytest.raises(Unavailable):
            found_key(keys, "rotated", budget())
    assert endpoint.breakers.open_for("op"), "and of no use to anybody"


def test_a_failed_scheduled_fetch_is_not_tried_again_at_once(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, clock: Clock
) -> None:
    keys = make_keys()
    found_key(keys, kid(bank.signing), budget())
    endpoint.status = 503
    clock.now += SCHEDULED
    for _ in range(10):
        found_key(keys, kid(bank.signing), budget())
    assert endpoint.calls == 2
    clock.now += RETRY
    found_key(keys, kid(bank.signing), budget())
    assert endpoint.calls == 3


def test_a_key_that_is_gone_from_the_set_is_not_used_any_more(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, next_key: RSAKey, clock: Clock
) -> None:
    keys = make_keys()
    found_key(keys, kid(bank.signing), budget())
    endpoint.body = bank.signed_jwks(keys=[public(next_key)])
    clock.now += SCHEDULED
    with pytest.raises(Unavailable):
        found_key(keys, kid(bank.signing), budget())


def test_eight_threads_without_any_set_share_one_fetch_and_its_failure(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank
) -> None:
    keys = make_keys()
    endpoint.body = None
    endpoint.opened = threading.Event()
    keys._fetching = turnstile = Turnstile(8)  # type: ignore[assignment]

    def ask() -> str:
        try:
            return str(found_key(keys, kid(bank.signing), budget()).kid)
        except Unavailable as error:
            return error.reason

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask) for _ in range(8)]
        assert turnstile.full.wait(5)
        endpoint.opened.set()
        assert {future.result(5) for future in asked} == {"the bank's keys cannot be fetched"}
    assert endpoint.calls == 1


def test_nobody_waits_for_anothers_fetch_longer_than_the_budget(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank
) -> None:
    keys = make_keys()
    endpoint.opened = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(found_key, keys, kid(bank.signing), budget())
        assert endpoint.entered.wait(5)
        with pytest.raises(Unavailable, match="still being fetched"):
            found_key(keys, kid(bank.signing), budget(0.01))
        endpoint.opened.set()
        assert first.result(5).kid == bank.signing.kid


def test_nobody_waits_for_a_scheduled_fetch_while_a_good_set_is_at_hand(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, clock: Clock
) -> None:
    keys = make_keys()
    found_key(keys, kid(bank.signing), budget())
    clock.now += SCHEDULED
    endpoint.opened = threading.Event()
    endpoint.entered.clear()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(found_key, keys, kid(bank.signing), budget())
        assert endpoint.entered.wait(5)
        assert found_key(keys, kid(bank.signing), budget(0.0)).kid == bank.signing.kid
        endpoint.opened.set()
        assert slow.result(5).kid == bank.signing.kid
