"""When an unknown key, or a signature that does not hold, makes us fetch a bank's keys again."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from providers.connection import PinnedJwks
from providers.engine.jwks import FORCED, REFILL, SCHEDULED
from providers.errors import IntegrityError, Step, Unavailable
from tests.harness.engine.bank import Bank
from tests.harness.engine.jose import public
from tests.harness.engine.key_set import Endpoint, MakeKeys, Turnstile, budget, found_key, kid
from tests.harness.engine.parts import Clock
from tests.harness.weak_keys import roca_key

NAMELESS = {"kid_required": False}


def test_an_unknown_kid_forces_one_fetch_and_finds_the_rotated_key(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, next_key: RSAKey
) -> None:
    keys = make_keys()
    found_key(keys, kid(bank.signing), budget())
    endpoint.body = bank.signed_jwks(keys=[public(bank.signing), public(next_key)])
    assert found_key(keys, kid(next_key), budget()).kid == next_key.kid
    assert endpoint.calls == 2


def test_a_bucket_of_three_bounds_what_may_be_forced_and_refills_by_one_a_minute(
    make_keys: MakeKeys, endpoint: Endpoint, clock: Clock
) -> None:
    keys = make_keys()

    def force(times: int) -> int:
        before = endpoint.calls
        for attempt in range(times):
            with pytest.raises(Unavailable) as caught:
                found_key(keys, f"nobody-{attempt}", budget())
            assert (caught.value.step, caught.value.claim) == (Step.ID_TOKEN, "kid")
        return endpoint.calls - before

    assert force(1) == 2, "the first fetch of all is not forced"
    assert force(20) == FORCED - 1
    clock.now += REFILL - 1
    assert force(5) == 0
    clock.now += 1
    assert force(5) == 1
    clock.now += 2.5 * REFILL
    assert force(5) == 2
    clock.now += 0.5 * REFILL
    assert force(5) == 1, "half a minute that was left over counts"
    clock.now += 20 * REFILL
    assert force(20) == FORCED
    clock.now -= 3600
    assert force(5) == 1, "the one that is due: a clock that is set back fills nothing"
    assert force(5) == 0


def test_two_hard_rotations_within_a_minute_cost_nobody_a_login(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, next_key: RSAKey, clock: Clock
) -> None:
    keys = make_keys()
    for key in (bank.signing, next_key, bank.attacker):
        endpoint.body = bank.signed_jwks(keys=[public(key)])
        assert found_key(keys, kid(key), budget()).kid == key.kid
        clock.now += 20


def test_another_key_under_the_same_kid_is_fetched_when_a_signature_did_not_hold(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, next_key: RSAKey
) -> None:
    keys = make_keys()
    old = found_key(keys, kid(bank.signing), budget())
    endpoint.body = bank.signed_jwks(keys=[public(next_key, kid=kid(bank.signing))])
    found = found_key(keys, kid(bank.signing), budget(), refused=old)
    assert found.thumbprint() == next_key.thumbprint()
    assert found_key(keys, kid(bank.signing), budget()) is found
    assert found_key(keys, kid(bank.signing), budget(), refused=old) is found, "who comes late takes what there is"
    assert endpoint.calls == 2


def test_of_two_keys_under_one_kid_both_are_found_and_their_refusal_forces_one_fetch(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, next_key: RSAKey
) -> None:
    both = [public(bank.signing), public(next_key, kid=kid(bank.signing))]
    endpoint.body = bank.signed_jwks(keys=both)
    keys = make_keys()
    old = keys.find(kid(bank.signing), budget())
    assert [key.thumbprint() for key in old] == [bank.signing.thumbprint(), next_key.thumbprint()]
    assert keys.find(kid(bank.signing), budget(), old[:1]) == old, "one of them is left to try"
    assert endpoint.calls == 1
    again = keys.find(kid(bank.signing), budget(), old)
    assert [key.thumbprint() for key in again] == [key.thumbprint() for key in old]
    assert endpoint.calls == 2
    keys.find(kid(bank.signing), budget(), old)
    assert endpoint.calls == 2, "who comes late takes what there is"


def test_of_two_keys_under_one_kid_the_one_that_anyone_can_factor_is_not_tried(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank
) -> None:
    endpoint.body = bank.signed_jwks(keys=[public(roca_key(), kid=kid(bank.signing)), public(bank.signing)])
    assert found_key(make_keys(), kid(bank.signing), budget()).thumbprint() == bank.signing.thumbprint()
    assert endpoint.calls == 1


def test_signatures_that_do_not_hold_share_the_bucket(make_keys: MakeKeys, endpoint: Endpoint, bank: Bank) -> None:
    keys = make_keys()
    for _ in range(20):
        key = found_key(keys, kid(bank.signing), budget())
        assert found_key(keys, kid(bank.signing), budget(), refused=key).thumbprint() == bank.signing.thumbprint()
    assert endpoint.calls == 1 + FORCED


def test_a_signature_that_does_not_hold_leaves_the_last_good_set_while_the_bank_is_down(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank
) -> None:
    keys = make_keys()
    key = found_key(keys, kid(bank.signing), budget())
    endpoint.body = None
    assert found_key(keys, kid(bank.signing), budget(), refused=key) is key


def test_pinned_keys_are_not_fetched_for_a_signature_that_does_not_hold(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank
) -> None:
    keys = make_keys(PinnedJwks((public(bank.signing),)))
    key = found_key(keys, kid(bank.signing), budget())
    assert found_key(keys, kid(bank.signing), budget(), refused=key) is key
    assert endpoint.calls == 0


def test_a_scheduled_fetch_takes_nothing_from_the_bucket(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, next_key: RSAKey, clock: Clock
) -> None:
    keys = make_keys()
    found_key(keys, kid(bank.signing), budget())
    clock.now += SCHEDULED
    found_key(keys, kid(bank.signing), budget())
    endpoint.body = bank.signed_jwks(keys=[public(next_key)])
    assert found_key(keys, kid(next_key), budget()).kid == next_key.kid
    assert endpoint.calls == 3


@pytest.mark.parametrize("beside", [{"use": "enc"}, {"kty": "EC"}, {"alg": "RSA-OAEP"}, {"key_ops": ["sign"]}])
@pytest.mark.parametrize("name", ["bank-sig", None, ""])
def test_a_token_that_names_no_key_goes_by_the_only_one_that_fits(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, next_key: RSAKey, beside: dict[str, Any], name: str | None
) -> None:
    endpoint.body = bank.signed_jwks(keys=[{**public(next_key), **beside}, {**public(bank.signing), "kid": name}])
    assert found_key(make_keys(**NAMELESS), None, budget()).kid == (name or bank.signing.thumbprint())


def test_of_several_keys_a_token_that_names_no_key_gets_none_after_one_refresh(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, next_key: RSAKey
) -> None:
    both = bank.signed_jwks(keys=[public(bank.signing), public(next_key)])
    keys = make_keys(**NAMELESS)
    endpoint.body = both
    with pytest.raises(IntegrityError) as caught:
        found_key(keys, None, budget())
    assert (caught.value.step, caught.value.claim) == (Step.ID_TOKEN, "kid")
    assert endpoint.calls == 2
    endpoint.body = bank.signed_jwks(keys=[public(next_key)])
    assert found_key(keys, None, budget()).kid == next_key.kid


def test_a_key_that_replaces_the_only_one_is_found_without_a_name(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, next_key: RSAKey
) -> None:
    keys = make_keys(**NAMELESS)
    old = found_key(keys, None, budget())
    endpoint.body = bank.signed_jwks(keys=[public(next_key, kid=None)])
    assert found_key(keys, None, budget(), refused=old).thumbprint() == next_key.thumbprint()


def test_only_a_pinned_key_may_be_nameless_too(make_keys: MakeKeys, bank: Bank, next_key: RSAKey) -> None:
    keys = make_keys(PinnedJwks((public(bank.signing),)), **NAMELESS)
    assert found_key(keys, None, budget()).kid == bank.signing.kid
    with pytest.raises(IntegrityError):
        found_key(make_keys(PinnedJwks((public(bank.signing), public(next_key))), **NAMELESS), None, budget())


def test_eight_threads_with_an_unknown_kid_make_one_fetch(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, next_key: RSAKey
) -> None:
    keys = make_keys()
    found_key(keys, kid(bank.signing), budget())
    endpoint.body = bank.signed_jwks(keys=[public(bank.signing), public(next_key)])
    endpoint.opened = threading.Event()
    endpoint.entered.clear()
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(found_key, keys, kid(next_key), budget()) for _ in range(8)]
        assert endpoint.entered.wait(5)
        endpoint.opened.set()
        assert {future.result(5).kid for future in asked} == {next_key.kid}
    assert endpoint.calls == 2


def test_eight_threads_with_a_signature_that_does_not_hold_make_one_fetch(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, next_key: RSAKey
) -> None:
    keys = make_keys()
    old = found_key(keys, kid(bank.signing), budget())
    endpoint.body = bank.signed_jwks(keys=[public(next_key, kid=kid(bank.signing))])
    endpoint.opened = threading.Event()
    keys._fetching = turnstile = Turnstile(8)  # type: ignore[assignment]
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(found_key, keys, kid(bank.signing), budget(), old) for _ in range(8)]
        assert turnstile.full.wait(5)
        endpoint.opened.set()
        assert {future.result(5).thumbprint() for future in asked} == {next_key.thumbprint()}
    assert endpoint.calls == 2


def test_a_fetch_that_was_under_way_before_does_not_count_for_who_asks_now(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, next_key: RSAKey, clock: Clock
) -> None:
    keys = make_keys()
    found_key(keys, kid(bank.signing), budget())
    clock.now += SCHEDULED
    endpoint.opened = threading.Event()
    endpoint.entered.clear()
    keys._fetching = turnstile = Turnstile(2)  # type: ignore[assignment]
    with ThreadPoolExecutor(2) as pool:
        scheduled = pool.submit(found_key, keys, kid(bank.signing), budget())
        assert endpoint.entered.wait(5)
        asked = pool.submit(found_key, keys, kid(next_key), budget())
        assert turnstile.full.wait(5)
        endpoint.bodies = [bank.signed_jwks(), bank.signed_jwks(keys=[public(bank.signing), public(next_key)])]
        endpoint.opened.set()
        assert scheduled.result(5).kid == bank.signing.kid
        assert asked.result(5).kid == next_key.kid
    assert endpoint.calls == 3
