"""When the issuer's keys are fetched, and what happens while they cannot be."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tunnus_verifier import BadSignature, FetchError, KeysUnavailable, UnknownKey, Verifier
from tunnus_verifier.keys import usable_keys
from tunnus_verifier.testing import TokenMint
from tunnus_verifier.testing.mint import make_key, public_jwk


class Time:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def mint() -> TokenMint:
    return TokenMint()


@pytest.fixture
def verifier(mint: TokenMint, clock: Time) -> Verifier:
    """Knows the address of the keys, so that each fetch is one request."""
    return verifier_of(mint, clock)


def verifier_of(mint: TokenMint, clock: Time, **settings: Any) -> Verifier:
    whole = {"jwks_uri": mint.jwks_uri, "fetch": mint.fetch, "monotonic": clock, **settings}
    return Verifier(mint.issuer, mint.audience, **whole)


def rotate(mint: TokenMint, kid: str = "next") -> None:
    mint.kid = kid
    mint.key = make_key("ES256", kid)


def test_nothing_is_fetched_before_the_first_token(mint: TokenMint, verifier: Verifier) -> None:
    assert mint.fetched == []


def test_many_tokens_need_one_fetch(mint: TokenMint, verifier: Verifier) -> None:
    for _ in range(5):
        verifier.verify(mint.token())
    assert mint.fetched == [mint.jwks_uri]


def test_an_unknown_kid_fetches_at_once_and_finds_the_new_key(mint: TokenMint, verifier: Verifier) -> None:
    verifier.verify(mint.token())
    rotate(mint)
    assert verifier.verify(mint.token())
    assert len(mint.fetched) == 2


def test_unknown_kids_fetch_at_most_once_per_interval(mint: TokenMint, verifier: Verifier, clock: Time) -> None:
    verifier.verify(mint.token())

    def send_unknown() -> None:
        for number in range(5):
            with pytest.raises(UnknownKey):
                verifier.verify(mint.sign(mint.claims(), mint.header(kid=f"unknown-{number}")))

    send_unknown()
    assert len(mint.fetched) == 2
    clock.now += 29.9
    send_unknown()
    assert len(mint.fetched) == 2
    clock.now += 0.1
    send_unknown()
    assert len(mint.fetched) == 3


def test_the_first_fetch_of_all_is_not_repeated_for_an_unknown_kid(mint: TokenMint, verifier: Verifier) -> None:
    with pytest.raises(UnknownKey):
        verifier.verify(mint.sign(mint.claims(), mint.header(kid="unknown")))
    assert len(mint.fetched) == 1


def test_old_keys_are_fetched_anew(mint: TokenMint, verifier: Verifier, clock: Time) -> None:
    verifier.verify(mint.token())
    clock.now += 86399
    verifier.verify(mint.token())
    assert len(mint.fetched) == 1
    clock.now += 1
    verifier.verify(mint.token())
    assert len(mint.fetched) == 2


def test_a_key_that_the_issuer_withdrew_is_not_used_any_more(mint: TokenMint, verifier: Verifier, clock: Time) -> None:
    withdrawn = mint.token()
    verifier.verify(withdrawn)
    rotate(mint)
    verifier.verify(mint.token())
    with pytest.raises(UnknownKey):
        verifier.verify(withdrawn)


def test_the_last_good_set_is_used_while_the_issuer_is_down(mint: TokenMint, verifier: Verifier, clock: Time) -> None:
    verifier.verify(mint.token())
    mint.down = True
    clock.now += 86400
    for _ in range(3):
        assert verifier.verify(mint.token())
    assert len(mint.fetched) == 2, "tried again within the interval"
    clock.now += 30
    assert verifier.verify(mint.token())
    assert len(mint.fetched) == 3
    mint.down = False
    rotate(mint)
    clock.now += 30
    assert verifier.verify(mint.token())


def test_an_unknown_kid_while_the_issuer_is_down_is_not_the_tokens_fault(
    mint: TokenMint, verifier: Verifier, clock: Time
) -> None:
    known = mint.token()
    verifier.verify(known)
    rotate(mint)
    mint.down = True
    for _ in range(3):
        with pytest.raises(KeysUnavailable):
            verifier.verify(mint.token())
    assert len(mint.fetched) == 2
    assert verifier.verify(known)
    mint.down = False
    clock.now += 30
    assert verifier.verify(mint.token())


def test_a_service_that_starts_before_the_issuer_works_soon_after_it(
    mint: TokenMint, verifier: Verifier, clock: Time
) -> None:
    mint.down = True
    for _ in range(3):
        with pytest.raises(KeysUnavailable) as refused:
            verifier.verify(mint.token())
    assert refused.value.code == "keys_unavailable"
    assert len(mint.fetched) == 1
    mint.down = False
    clock.now += 1
    assert verifier.verify(mint.token())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[]",
        b"{}",
        b'{"keys": 7}',
        b'{"keys": []}',
        b'{"keys": [{"kid": "a"}, 7, null]}',
        b"[" * 20_000,
        b"\xff",
    ],
)
def test_a_set_that_is_none_does_not_replace_the_good_one(body: bytes, clock: Time) -> None:
    mint = TokenMint()
    answers = [mint.fetch(mint.jwks_uri), body]
    verifier = verifier_of(mint, clock, fetch=lambda _: answers.pop(0))
    verifier.verify(mint.token())
    clock.now += 86400
    assert verifier.verify(mint.token())
    assert answers == []


def test_a_broken_key_in_a_set_does_not_spoil_the_others(mint: TokenMint, clock: Time) -> None:
    ec = public_jwk(make_key("ES256", "another"))
    rsa = public_jwk(make_key("RS256", "another"))
    broken: list[Any] = [
        *({}, 7, None, [], "key", {"kid": "a", "kty": "EC"}, {**ec, "kid": 7}, {**ec, "kid": ["a"]}),
        *({**ec, "kid": "a", "x": "AAAA"}, {**ec, "kid": "a", "x": 7}, {**ec, "kid": "a", "y": ec["x"]}),
        *({**ec, "kid": "a", "key_ops": 7}, {**ec, "kid": "a", "key_ops": ["encrypt"]}, {**ec, "kid": "a", "use": 7}),
        *({**rsa, "kid": "a", "n": "AQAB"}, {**rsa, "kid": "a", "e": "%"}, {**rsa, "kid": "a", "kty": "oct", "k": "a"}),
    ]
    body = json.dumps({"keys": [*broken, *mint.jwks()["keys"], *broken]}).encode()
    assert list(usable_keys(body, ("RS256", "ES256"))) == [(mint.kid, "ES256")]
    assert verifier_of(mint, clock, fetch=lambda _: body).verify(mint.token())


@pytest.mark.parametrize(
    ("alg", "bent"),
    [
        ("ES256", {"use": "enc"}),
        ("ES256", {"alg": "ES384"}),
        ("ES256", {"crv": "P-384"}),
        ("ES256", {"key_ops": ["sign"]}),
        ("RS256", {"use": "enc"}),
        ("RS256", {"alg": "RSA-OAEP-256"}),
        ("RS256", {"alg": "PS256"}),
        ("RS256", {"kty": "EC"}),
        # A modulus of 1024 bits.
        ("RS256", {"n": "_" * 170 + "w"}),
    ],
)
def test_a_key_for_something_else_verifies_nothing(alg: str, bent: dict[str, Any]) -> None:
    jwk = {**public_jwk(make_key(alg, "another")), "kid": "a"}
    assert list(usable_keys(json.dumps({"keys": [jwk]}).encode(), ("RS256", "ES256"))) == [("a", alg)]
    with pytest.raises(ValueError, match="no usable key"):
        usable_keys(json.dumps({"keys": [{**jwk, **bent}]}).encode(), ("RS256", "ES256"))


@pytest.mark.parametrize("members", [dict.fromkeys(("use", "alg", "key_ops")), {"key_ops": "verify"}, {"key_ops": []}])
def test_an_optional_member_of_a_key_may_say_nothing_or_one_thing(members: dict[str, Any]) -> None:
    jwk = {**public_jwk(make_key("ES256", "another")), "kid": "a", **members}
    assert list(usable_keys(json.dumps({"keys": [jwk]}).encode(), ("ES256",))) == [("a", "ES256")]


def test_a_signature_that_does_not_hold_never_causes_a_fetch(mint: TokenMint, verifier: Verifier, clock: Time) -> None:
    verifier.verify(mint.token())
    for number in range(5):
        clock.now += 600
        forged = mint.token(sub="another").rpartition(".")[0] + "." + mint.token().rpartition(".")[2]
        with pytest.raises(BadSignature):
            verifier.verify(forged)
        assert len(mint.fetched) == 1, number


def test_of_two_keys_with_one_kid_the_first_counts() -> None:
    first, second = (public_jwk(make_key("ES256", name)) | {"kid": "a"} for name in ("one", "two"))
    keys = usable_keys(json.dumps({"keys": [first, second]}).encode(), ("ES256",))
    assert keys["a", "ES256"] == make_key("ES256", "one").public_key()


def wait_until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.005)


class Gate:
    """A fetch that is held until it is opened, and counts who is in it."""

    def __init__(self, mint: TokenMint) -> None:
        self.mint = mint
        self.open = threading.Event()
        self.calls = 0

    def fetch(self, url: str) -> bytes:
        self.calls += 1
        assert self.open.wait(10)
        return self.mint.fetch(url)


@pytest.mark.parametrize("down", [False, True])
def test_callers_who_need_the_same_answer_wait_for_one_fetch(mint: TokenMint, clock: Time, down: bool) -> None:
    gate = Gate(mint)
    verifier = verifier_of(mint, clock, fetch=gate.fetch)
    gate.open.set()
    verifier.verify(mint.token())
    gate.open.clear()
    rotate(mint)
    mint.down = down
    arrived = threading.Semaphore(0)

    def verify() -> str:
        arrived.release()
        try:
            return verifier.verify(mint.token()).sub
        except KeysUnavailable as error:
            return error.code

    with ThreadPoolExecutor(8) as pool:
        results = [pool.submit(verify) for _ in range(8)]
        for _ in range(8):
            assert arrived.acquire(timeout=10)
        wait_until(lambda: gate.calls > 1)
        gate.open.set()
        assert {result.result(10) for result in results} == {"keys_unavailable" if down else "made-up-subject"}
    assert gate.calls == 2


def test_nobody_who_has_a_key_waits_for_a_fetch(mint: TokenMint, clock: Time) -> None:
    gate = Gate(mint)
    verifier = verifier_of(mint, clock, fetch=gate.fetch)
    gate.open.set()
    known = mint.token()
    verifier.verify(known)
    gate.open.clear()
    clock.now += 86400
    with ThreadPoolExecutor(2) as pool:
        refreshing = pool.submit(verifier.verify, known)
        wait_until(lambda: gate.calls == 2)
        assert pool.submit(verifier.verify, known).result(5)
        assert not refreshing.done()
        gate.open.set()
        assert refreshing.result(10)
    assert gate.calls == 2


def test_the_discovery_document_tells_where_the_keys_are(mint: TokenMint, clock: Time) -> None:
    verifier = verifier_of(mint, clock, jwks_uri=None)
    assert verifier.verify(mint.token())
    assert mint.fetched == [f"{mint.issuer}/.well-known/openid-configuration", mint.jwks_uri]


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://another.example.fi"},
        {"issuer": "https://id.example.fi/"},
        {"issuer": None},
        {"jwks_uri": None},
        {"jwks_uri": 7},
        {"jwks_uri": "http://id.example.fi/jwks"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "https://["},
        [],
    ],
)
def test_a_discovery_document_that_is_not_the_issuers_is_not_followed(clock: Time, document: Any) -> None:
    mint = TokenMint()
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return json.dumps({**mint.discovery(), **document} if isinstance(document, dict) else document).encode()

    with pytest.raises(KeysUnavailable):
        verifier_of(mint, clock, jwks_uri=None, fetch=fetch).verify(mint.token())
    assert len(asked) == 1


@pytest.mark.parametrize("error", [FetchError("down"), OSError("down"), TimeoutError()])
def test_any_failure_of_a_fetch_is_told_as_one(mint: TokenMint, clock: Time, error: Exception) -> None:
    def fetch(_: str) -> bytes:
        raise error

    with pytest.raises(KeysUnavailable):
        verifier_of(mint, clock, fetch=fetch).verify(mint.token())
