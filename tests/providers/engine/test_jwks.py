"""A bank's keys: verified, cached, refetched by one caller at a time, kept while the bank is down."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from kit.keys.roca import has_roca_fingerprint
from providers.connection import JwksSource, PinnedJwks, SignedJwks, UnsignedJwks
from providers.engine import entity_statement
from providers.engine.breaker import FAILURES_TO_OPEN, Breakers
from providers.engine.http import Answer, BankUnreachable, Budget
from providers.engine.jwks import FORCED, LONGEST, REFILL, RETRY, SCHEDULED, BankKeys
from providers.engine.public_keys import usable_keys
from providers.errors import IntegrityError, Step, Unavailable
from tests.harness.engine.bank import Bank
from tests.harness.engine.jose import public, sign
from tests.harness.engine.parts import ENTITY_ID, JWKS_URI, NOW, Clock, Seen, make_connection
from tests.harness.weak_keys import roca_key


@dataclass
class Endpoint:
    """The key set's endpoint in place of BankHttp. body: what it answers now; None while the bank is down."""

    body: str | bytes | None
    status: int = 200
    calls: int = 0
    entered: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event | None = None
    breakers: Breakers = field(default_factory=lambda: Breakers(Clock(), lambda _provider: None))
    bodies: list[str] = field(default_factory=list)
    """What it answers before that, one after the other."""

    def get(self, url: str, _budget: Budget) -> Answer:
        """See BankHttp.get; waits for `opened`, if there is one."""
        assert url == JWKS_URI
        self.calls += 1
        self.entered.set()
        if self.opened is not None:
            assert self.opened.wait(5)
        if self.bodies:
            self.body = self.bodies.pop(0)
        if self.body is None:
            raise BankUnreachable("down")
        body = self.body if isinstance(self.body, bytes) else self.body.encode()
        return Answer(self.status, "application/jwk-set+jwt", body)


class Turnstile:
    """A lock that tells when a number of threads have come to it."""

    def __init__(self, expected: int) -> None:
        self._lock = threading.Lock()
        self._left = iter(range(expected - 1, -1, -1))
        self.full = threading.Event()
        self.release = self._lock.release

    def acquire(self, *, blocking: bool = True, timeout: float = -1) -> bool:
        """See Lock."""
        if next(self._left, None) == 0:
            self.full.set()
        return self._lock.acquire(blocking=blocking, timeout=timeout)


@pytest.fixture
def endpoint(bank: Bank) -> Endpoint:
    return Endpoint(bank.signed_jwks())


@pytest.fixture
def signed(bank: Bank) -> SignedJwks:
    return SignedJwks(JWKS_URI, ENTITY_ID, (public(bank.entity),))


MakeKeys = Callable[..., BankKeys]


@pytest.fixture
def make_keys(endpoint: Endpoint, signed: SignedJwks, seen: Seen, clock: Clock) -> MakeKeys:
    def make(source: JwksSource | None = None, **changes: Any) -> BankKeys:
        connection = make_connection(jwks=source or signed, **changes)
        return BankKeys(connection, endpoint, seen, clock, has_roca_fingerprint)  # type: ignore[arg-type]

    return make


def budget(seconds: float = 5.0) -> Budget:
    return Budget(seconds, lambda: 0.0)


def kid(key: RSAKey) -> str:
    return str(key.kid)


def test_a_signed_key_set_is_fetched_once_and_its_keys_imported_once(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    imports: list[Any] = []
    monkeypatch.setattr(
        entity_statement, "usable_keys", lambda keys, **options: imports.append(1) or usable_keys(keys, **options)
    )
    keys = make_keys()
    imports.clear()  # the pinned entity keys
    found = [keys.find(kid(bank.signing), budget()) for _ in range(50)]
    clock.now += SCHEDULED - 1
    assert keys.find(kid(bank.signing), budget()) is found[0]
    assert (endpoint.calls, len(imports)) == (1, 1)


def test_pinned_keys_are_never_fetched(make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, clock: Clock) -> None:
    keys = make_keys(PinnedJwks((public(bank.signing), {"kty": "RSA", "kid": "broken"})))
    clock.now += 10 * LONGEST
    assert keys.find(kid(bank.signing), budget()).kid == bank.signing.kid
    with pytest.raises(Unavailable, match="unknown"):
        keys.find("another", budget())
    assert endpoint.calls == 0


def test_an_unsigned_key_set_is_taken_as_it_is(make_keys: MakeKeys, endpoint: Endpoint, bank: Bank) -> None:
    endpoint.body = json.dumps({"keys": [{"kty": "EC"}, public(bank.signing, use=None, alg=None)]})
    assert make_keys(UnsignedJwks(JWKS_URI)).find(kid(bank.signing), budget()).kid == bank.signing.kid


@pytest.mark.parametrize("body", ["{}", '{"keys":[]}', '{"keys":[{"kty":"EC"}]}', "[]", '{"keys":7}', "<h1>"])
def test_an_unsigned_key_set_without_a_usable_key_leaves_the_last_good_one(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, clock: Clock, body: str
) -> None:
    keys = make_keys(UnsignedJwks(JWKS_URI))
    endpoint.body = body
    with pytest.raises(IntegrityError) as caught:
        keys.find(kid(bank.signing), budget())
    assert (caught.value.step, caught.value.claim) == (Step.ID_TOKEN, "jwks")
    endpoint.body = json.dumps({"keys": [public(bank.signing)]})
    good = keys.find(kid(bank.signing), budget())
    endpoint.body = body
    clock.now += SCHEDULED
    assert keys.find(kid(bank.signing), budget()) is good


@pytest.mark.parametrize("typ", ["JWS", "JWT", "jws", "jwk-set+jwt", "application/jwk-set+JWT", "", None])
def test_every_type_that_banks_send_is_taken(make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, typ: Any) -> None:
    endpoint.body = bank.signed_jwks(header={"typ": typ}) + "\n"
    assert make_keys().find(kid(bank.signing), budget()).kid == bank.signing.kid


@pytest.mark.parametrize("nothing", [{}, {"iat": None, "exp": None}, {"iat": "", "exp": ""}])
def test_times_are_optional_in_a_signed_key_set(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, nothing: dict[str, Any]
) -> None:
    claims = {"iss": ENTITY_ID, "sub": ENTITY_ID, "keys": [public(bank.signing)], "x": {"unknown": 1}}
    endpoint.body = sign({"alg": "RS256", "kid": bank.entity.kid}, claims | nothing, bank.entity)
    assert make_keys().find(kid(bank.signing), budget()).kid == bank.signing.kid


NOT_TRUSTED: dict[str, Callable[[Bank], str | bytes]] = {
    "another signer": lambda b: b.signed_jwks(by=b.attacker),
    "an attacker's kid": lambda b: b.signed_jwks(by=b.attacker, header={"kid": b.attacker.kid}),
    "an attacker's jwk": lambda b: b.signed_jwks(by=b.attacker, header={"jwk": public(b.attacker)}),
    "the signing key as the signer": lambda b: b.signed_jwks(by=b.signing, header={"kid": b.signing.kid}),
    "no kid": lambda b: b.signed_jwks(header={"kid": None}),
    "alg none": lambda b: b.signed_jwks(header={"alg": "none"}).rpartition(".")[0] + ".",
    "alg PS256": lambda b: b.signed_jwks(header={"alg": "PS256"}),
    "crit": lambda b: b.signed_jwks(header={"crit": ["x"], "x": 1}),
    "typ of an entity statement": lambda b: b.signed_jwks(header={"typ": "entity-statement+jwt"}),
    "typ of a wrong draft": lambda b: b.signed_jwks(header={"typ": "jwks+jwt"}),
    "iss another": lambda b: b.signed_jwks(iss="https://attacker.example"),
    "iss missing": lambda b: b.signed_jwks(iss=None),
    "sub another": lambda b: b.signed_jwks(sub="https://attacker.example"),
    "sub missing": lambda b: b.signed_jwks(sub=None),
    "expired": lambda b: b.signed_jwks(exp=NOW - 60),
    "from the future": lambda b: b.signed_jwks(iat=NOW + 7200, exp=NOW + 9000),
    "exp a string": lambda b: b.signed_jwks(exp=str(NOW + 600)),
    "iat a list": lambda b: b.signed_jwks(iat=[NOW]),
    "exp beyond all numbers": lambda b: b.signed_jwks(exp=10**400),
    "no keys": lambda b: b.signed_jwks(keys=[]),
    "keys no list": lambda b: b.signed_jwks(keys={"a": 1}),
    "keys for encryption only": lambda b: b.signed_jwks(keys=[public(b.signing, use="enc")]),
    "unsigned": lambda b: json.dumps({"keys": [public(b.signing)]}),
    "HTML": lambda _b: "<h1>Maintenance",
    "not ASCII": lambda b: b.signed_jwks().encode() + b"\xff",
    "empty": lambda _b: "",
}


@pytest.mark.parametrize("row", NOT_TRUSTED)
def test_a_key_set_that_does_not_verify_is_refused(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, seen: Seen, row: str
) -> None:
    endpoint.body = NOT_TRUSTED[row](bank)
    with pytest.raises(IntegrityError) as caught:
        make_keys().find(kid(bank.signing), budget())
    assert (caught.value.step, caught.value.claim) == (Step.ID_TOKEN, "jwks")
    assert seen.count("jwks_failed") == 1


@pytest.mark.parametrize("row", NOT_TRUSTED)
def test_a_key_set_that_does_not_verify_leaves_the_last_good_one(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, clock: Clock, row: str
) -> None:
    keys = make_keys()
    good = keys.find(kid(bank.signing), budget())
    clock.now += SCHEDULED
    bent = NOT_TRUSTED[row](bank)
    endpoint.body = bent
    assert keys.find(kid(bank.signing), budget()) is good
    assert endpoint.calls == 2


MALFORMED: dict[str, Any] = {
    "no object": 7,
    "empty": {},
    "another kind": {"kty": "unheard-of", "kid": "x"},
    "a point that is none": {"kty": "EC", "crv": "P-256", "kid": "x", "x": "AA", "y": "AA"},
    "no modulus": {"kty": "RSA", "kid": "x", "e": "AQAB"},
    "a modulus that is no base64url": {"kty": "RSA", "kid": "x", "n": "!!", "e": "AQAB"},
    "a modulus that is a number": {"kty": "RSA", "kid": "x", "n": 3, "e": "AQAB"},
    "an exponent that is a number": {"e": 65537},
    "an exponent of one": {"e": "AQ"},
    "an even exponent": {"e": "Ag"},
    "no exponent": {"e": None},
    "for encryption": {"use": "enc"},
    "for another algorithm": {"alg": "RSA-OAEP"},
    "for signing, not verifying": {"key_ops": ["sign"]},
    "one operation, which is another": {"key_ops": "sign"},
    "operations that are no list": {"key_ops": 7},
    "an empty kid": {"kid": ""},
    "a kid that is a number": {"kid": 7},
    "no kid": {"kid": None},
    "a modulus of 20,000 bits": {"n": "_" * 3400},
}


@pytest.mark.parametrize("row", MALFORMED)
def test_a_malformed_key_is_left_out_and_costs_the_others_nothing(bank: Bank, next_key: RSAKey, row: str) -> None:
    changes = MALFORMED[row]
    bent = changes if not isinstance(changes, dict) or "kty" in changes or not changes else public(next_key, **changes)
    assert set(usable_keys([bent, public(bank.signing), bent])) == {kid(bank.signing)}


@pytest.mark.parametrize(
    "members",
    [
        {"use": None, "key_ops": None, "alg": None},
        {"use": "", "key_ops": [], "alg": ""},
        {"key_ops": "verify"},
        {"key_ops": ["verify"]},
        {"key_ops": ["sign", "verify"], "use": None},
        {"x5c": None, "x5t": "", "exp": None, "n2": [None]},
    ],
)
def test_an_optional_member_of_a_key_may_say_nothing_or_one_thing(bank: Bank, members: dict[str, Any]) -> None:
    assert set(usable_keys([{**public(bank.signing), **members}])) == {kid(bank.signing)}


@pytest.mark.parametrize("name", ["a/b?c=d", "ä", "x" * 1000, " ", "0", "true", "\n"])
def test_a_kid_is_any_text(bank: Bank, name: str) -> None:
    assert set(usable_keys([public(bank.signing, kid=name)])) == {name}


def test_a_key_that_anyone_can_factor_is_refused_by_its_name(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, seen: Seen
) -> None:
    weak = roca_key()
    endpoint.body = bank.signed_jwks(keys=[public(weak), public(bank.signing)])
    keys = make_keys()
    with pytest.raises(IntegrityError, match="ROCA, CVE-2017-15361") as caught:
        keys.find("roca", budget())
    assert (caught.value.step, caught.value.claim) == (Step.ID_TOKEN, "kid")
    assert (seen.count("jwks_weak_key"), endpoint.calls) == (1, 2)
    assert keys.find(kid(bank.signing), budget()).kid == bank.signing.kid
    endpoint.body = bank.signed_jwks(keys=[public(bank.signing, kid="roca")])
    assert keys.find("roca", budget()).thumbprint() == bank.signing.thumbprint(), "as soon as the bank has another"


def test_a_key_that_is_too_short_is_left_out(bank: Bank, weak_key: RSAKey) -> None:
    assert set(usable_keys([public(weak_key), public(bank.signing)])) == {kid(bank.signing)}


def test_private_and_unknown_members_of_a_key_are_not_kept(bank: Bank) -> None:
    jwk = bank.signing.as_dict(private=True) | {"use": "sig", "x5c": 7, "key_ops": ["verify"], "oth": "x"}
    found = usable_keys([jwk])[kid(bank.signing)]
    assert not found.is_private
    assert set(found.as_dict()) == {"kty", "n", "e", "kid"}


def test_the_first_of_two_keys_with_one_kid_counts(bank: Bank, next_key: RSAKey) -> None:
    found = usable_keys([public(bank.signing, kid="same"), public(next_key, kid="same")])
    assert found["same"].thumbprint() == bank.signing.thumbprint()


def test_an_unknown_kid_forces_one_fetch_and_finds_the_rotated_key(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, next_key: RSAKey
) -> None:
    keys = make_keys()
    keys.find(kid(bank.signing), budget())
    endpoint.body = bank.signed_jwks(keys=[public(bank.signing), public(next_key)])
    assert keys.find(kid(next_key), budget()).kid == next_key.kid
    assert endpoint.calls == 2


def test_a_bucket_of_three_bounds_what_may_be_forced_and_refills_by_one_a_minute(
    make_keys: MakeKeys, endpoint: Endpoint, clock: Clock
) -> None:
    keys = make_keys()

    def force(times: int) -> int:
        before = endpoint.calls
        for attempt in range(times):
            with pytest.raises(Unavailable) as caught:
                keys.find(f"nobody-{attempt}", budget())
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
    assert force(5) == 0, "a clock that is set back fills nothing"


def test_two_hard_rotations_within_a_minute_cost_nobody_a_login(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, next_key: RSAKey, clock: Clock
) -> None:
    keys = make_keys()
    for key in (bank.signing, next_key, bank.attacker):
        endpoint.body = bank.signed_jwks(keys=[public(key)])
        assert keys.find(kid(key), budget()).kid == key.kid
        clock.now += 20


def test_another_key_under_the_same_kid_is_fetched_when_a_signature_did_not_hold(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, next_key: RSAKey
) -> None:
    keys = make_keys()
    old = keys.find(kid(bank.signing), budget())
    endpoint.body = bank.signed_jwks(keys=[public(next_key, kid=kid(bank.signing))])
    found = keys.find(kid(bank.signing), budget(), refused=old)
    assert found.thumbprint() == next_key.thumbprint()
    assert keys.find(kid(bank.signing), budget()) is found
    assert keys.find(kid(bank.signing), budget(), refused=old) is found, "who comes late takes what there is"
    assert endpoint.calls == 2


def test_signatures_that_do_not_hold_share_the_bucket(make_keys: MakeKeys, endpoint: Endpoint, bank: Bank) -> None:
    keys = make_keys()
    for _ in range(20):
        key = keys.find(kid(bank.signing), budget())
        assert keys.find(kid(bank.signing), budget(), refused=key).thumbprint() == bank.signing.thumbprint()
    assert endpoint.calls == 1 + FORCED


def test_a_signature_that_does_not_hold_leaves_the_last_good_set_while_the_bank_is_down(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank
) -> None:
    keys = make_keys()
    key = keys.find(kid(bank.signing), budget())
    endpoint.body = None
    assert keys.find(kid(bank.signing), budget(), refused=key) is key


def test_pinned_keys_are_not_fetched_for_a_signature_that_does_not_hold(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank
) -> None:
    keys = make_keys(PinnedJwks((public(bank.signing),)))
    key = keys.find(kid(bank.signing), budget())
    assert keys.find(kid(bank.signing), budget(), refused=key) is key
    assert endpoint.calls == 0


def test_a_scheduled_fetch_takes_nothing_from_the_bucket(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, next_key: RSAKey, clock: Clock
) -> None:
    keys = make_keys()
    keys.find(kid(bank.signing), budget())
    clock.now += SCHEDULED
    keys.find(kid(bank.signing), budget())
    endpoint.body = bank.signed_jwks(keys=[public(next_key)])
    assert keys.find(kid(next_key), budget()).kid == next_key.kid
    assert endpoint.calls == 3


def test_the_last_good_set_is_used_for_a_day_while_the_bank_is_down(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, clock: Clock, seen: Seen
) -> None:
    keys = make_keys()
    keys.find(kid(bank.signing), budget())
    endpoint.body = None
    clock.now += LONGEST - 1
    assert keys.find(kid(bank.signing), budget()).kid == bank.signing.kid
    assert seen.count("jwks_stale") == 1
    clock.now += 1
    with pytest.raises(Unavailable, match="cannot be fetched") as caught:
        keys.find(kid(bank.signing), budget())
    assert caught.value.step is Step.ID_TOKEN
    assert seen.count("jwks_failed") == 1


def test_a_key_set_that_nobody_can_do_without_stops_new_starts(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, clock: Clock
) -> None:
    keys = make_keys()
    endpoint.body = "<h1>Maintenance"
    for _ in range(FAILURES_TO_OPEN):
        with pytest.raises(IntegrityError):
            keys.find(kid(bank.signing), budget())
    assert endpoint.breakers.open_for("op")
    endpoint.body = bank.signed_jwks()
    keys.find(kid(bank.signing), budget())
    assert not endpoint.breakers.open_for("op")
    endpoint.body = None
    for _ in range(2 * FAILURES_TO_OPEN):
        clock.now += SCHEDULED
        keys.find(kid(bank.signing), budget())
    assert not endpoint.breakers.open_for("op"), "a good set is at hand"
    for _ in range(FAILURES_TO_OPEN):
        with pytest.raises(Unavailable):
            keys.find("rotated", budget())
    assert endpoint.breakers.open_for("op"), "and of no use to anybody"


def test_a_failed_scheduled_fetch_is_not_tried_again_at_once(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, clock: Clock
) -> None:
    keys = make_keys()
    keys.find(kid(bank.signing), budget())
    endpoint.status = 503
    clock.now += SCHEDULED
    for _ in range(10):
        keys.find(kid(bank.signing), budget())
    assert endpoint.calls == 2
    clock.now += RETRY
    keys.find(kid(bank.signing), budget())
    assert endpoint.calls == 3


def test_a_key_that_is_gone_from_the_set_is_not_used_any_more(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, next_key: RSAKey, clock: Clock
) -> None:
    keys = make_keys()
    keys.find(kid(bank.signing), budget())
    endpoint.body = bank.signed_jwks(keys=[public(next_key)])
    clock.now += SCHEDULED
    with pytest.raises(Unavailable):
        keys.find(kid(bank.signing), budget())


NAMELESS = {"kid_required": False}


@pytest.mark.parametrize("beside", [{"use": "enc"}, {"kty": "EC"}, {"alg": "RSA-OAEP"}, {"key_ops": ["sign"]}])
@pytest.mark.parametrize("name", ["bank-sig", None, ""])
def test_a_token_that_names_no_key_goes_by_the_only_one_that_fits(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, next_key: RSAKey, beside: dict[str, Any], name: str | None
) -> None:
    endpoint.body = bank.signed_jwks(keys=[{**public(next_key), **beside}, {**public(bank.signing), "kid": name}])
    assert make_keys(**NAMELESS).find(None, budget()).kid == (name or bank.signing.thumbprint())


def test_of_several_keys_a_token_that_names_no_key_gets_none_after_one_refresh(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, next_key: RSAKey
) -> None:
    both = bank.signed_jwks(keys=[public(bank.signing), public(next_key)])
    keys = make_keys(**NAMELESS)
    endpoint.body = both
    with pytest.raises(IntegrityError) as caught:
        keys.find(None, budget())
    assert (caught.value.step, caught.value.claim) == (Step.ID_TOKEN, "kid")
    assert endpoint.calls == 2
    endpoint.body = bank.signed_jwks(keys=[public(next_key)])
    assert keys.find(None, budget()).kid == next_key.kid


def test_a_key_that_replaces_the_only_one_is_found_without_a_name(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, next_key: RSAKey
) -> None:
    keys = make_keys(**NAMELESS)
    old = keys.find(None, budget())
    endpoint.body = bank.signed_jwks(keys=[public(next_key, kid=None)])
    assert keys.find(None, budget(), refused=old).thumbprint() == next_key.thumbprint()


def test_only_a_pinned_key_may_be_nameless_too(make_keys: MakeKeys, bank: Bank, next_key: RSAKey) -> None:
    keys = make_keys(PinnedJwks((public(bank.signing),)), **NAMELESS)
    assert keys.find(None, budget()).kid == bank.signing.kid
    with pytest.raises(IntegrityError):
        make_keys(PinnedJwks((public(bank.signing), public(next_key))), **NAMELESS).find(None, budget())


@pytest.mark.parametrize("kid_required", [True, False])
def test_a_key_set_may_name_no_key_where_its_tokens_may(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, kid_required: bool
) -> None:
    endpoint.body = bank.signed_jwks(header={"kid": None})
    keys = make_keys(kid_required=kid_required)
    if not kid_required:
        assert keys.find(kid(bank.signing), budget()).kid == bank.signing.kid
        return
    with pytest.raises(IntegrityError):
        keys.find(kid(bank.signing), budget())


def test_of_two_entity_keys_none_is_guessed(make_keys: MakeKeys, endpoint: Endpoint, bank: Bank) -> None:
    endpoint.body = bank.signed_jwks(header={"kid": None})
    two = SignedJwks(JWKS_URI, ENTITY_ID, (public(bank.entity), public(bank.attacker)))
    with pytest.raises(IntegrityError):
        make_keys(two, **NAMELESS).find(kid(bank.signing), budget())


def test_eight_threads_with_an_unknown_kid_make_one_fetch(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, next_key: RSAKey
) -> None:
    keys = make_keys()
    keys.find(kid(bank.signing), budget())
    endpoint.body = bank.signed_jwks(keys=[public(bank.signing), public(next_key)])
    endpoint.opened = threading.Event()
    endpoint.entered.clear()
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(keys.find, kid(next_key), budget()) for _ in range(8)]
        assert endpoint.entered.wait(5)
        endpoint.opened.set()
        assert {future.result(5).kid for future in asked} == {next_key.kid}
    assert endpoint.calls == 2


def test_eight_threads_with_a_signature_that_does_not_hold_make_one_fetch(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, next_key: RSAKey
) -> None:
    keys = make_keys()
    old = keys.find(kid(bank.signing), budget())
    endpoint.body = bank.signed_jwks(keys=[public(next_key, kid=kid(bank.signing))])
    endpoint.opened = threading.Event()
    keys._fetching = turnstile = Turnstile(8)  # type: ignore[assignment]
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(keys.find, kid(bank.signing), budget(), old) for _ in range(8)]
        assert turnstile.full.wait(5)
        endpoint.opened.set()
        assert {future.result(5).thumbprint() for future in asked} == {next_key.thumbprint()}
    assert endpoint.calls == 2


def test_a_fetch_that_was_under_way_before_does_not_count_for_who_asks_now(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, next_key: RSAKey, clock: Clock
) -> None:
    keys = make_keys()
    keys.find(kid(bank.signing), budget())
    clock.now += SCHEDULED
    endpoint.opened = threading.Event()
    endpoint.entered.clear()
    keys._fetching = turnstile = Turnstile(2)  # type: ignore[assignment]
    with ThreadPoolExecutor(2) as pool:
        scheduled = pool.submit(keys.find, kid(bank.signing), budget())
        assert endpoint.entered.wait(5)
        asked = pool.submit(keys.find, kid(next_key), budget())
        assert turnstile.full.wait(5)
        endpoint.bodies = [bank.signed_jwks(), bank.signed_jwks(keys=[public(bank.signing), public(next_key)])]
        endpoint.opened.set()
        assert scheduled.result(5).kid == bank.signing.kid
        assert asked.result(5).kid == next_key.kid
    assert endpoint.calls == 3


def test_eight_threads_without_any_set_share_one_fetch_and_its_failure(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank
) -> None:
    keys = make_keys()
    endpoint.body = None
    endpoint.opened = threading.Event()
    keys._fetching = turnstile = Turnstile(8)  # type: ignore[assignment]

    def ask() -> str:
        try:
            return str(keys.find(kid(bank.signing), budget()).kid)
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
        first = pool.submit(keys.find, kid(bank.signing), budget())
        assert endpoint.entered.wait(5)
        with pytest.raises(Unavailable, match="still being fetched"):
            keys.find(kid(bank.signing), budget(0.01))
        endpoint.opened.set()
        assert first.result(5).kid == bank.signing.kid


def test_nobody_waits_for_a_scheduled_fetch_while_a_good_set_is_at_hand(
    make_keys: MakeKeys, endpoint: Endpoint, bank: Bank, clock: Clock
) -> None:
    keys = make_keys()
    keys.find(kid(bank.signing), budget())
    clock.now += SCHEDULED
    endpoint.opened = threading.Event()
    endpoint.entered.clear()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(keys.find, kid(bank.signing), budget())
        assert endpoint.entered.wait(5)
        assert keys.find(kid(bank.signing), budget(0.0)).kid == bank.signing.kid
        endpoint.opened.set()
        assert slow.result(5).kid == bank.signing.kid
