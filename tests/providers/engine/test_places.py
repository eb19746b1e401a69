"""Places among the calls to a bank, and what is counted as its failure."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from providers.engine.breaker import FAILURES_TO_OPEN, FIRST_OPEN
from providers.engine.http import Answer, BankHttp, BankUnreachable, places
from tests.harness.engine.bank_server import Script, after_request, answer, answering, served
from tests.harness.engine.http import AMPLE, get, make_http
from tests.harness.engine.parts import Clock, Seen, make_connection


@pytest.mark.parametrize(
    ("threads", "connections", "expected"),
    [(64, 1, 48), (64, 2, 16), (64, 11, 16), (4, 2, 1), (2, 2, 1), (1, 1, 1), (1, 5, 1), (8, 1, 6)],
)
def test_a_connection_holds_a_quarter_of_the_threads(threads: int, connections: int, expected: int) -> None:
    assert places(threads, connections) == expected


def test_an_identification_without_a_place_is_unreachable_soon() -> None:
    http = make_http(places=2)
    with http.identification(), http.identification(), pytest.raises(BankUnreachable, match="no place"):
        http.identification().__enter__()
    with http.identification(), http.identification():
        pass


def test_a_place_is_given_back_after_a_failure() -> None:
    http = make_http(places=1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), http.identification():
            raise ZeroDivisionError


def test_an_identification_waits_a_moment_for_a_place() -> None:
    http = make_http(places=1, place_seconds=5.0)
    held, free = threading.Event(), threading.Event()

    def first() -> None:
        with http.identification():
            held.set()
            free.wait(5)

    def second() -> bool:
        with http.identification():
            return True

    with ThreadPoolExecutor(2) as pool:
        pool.submit(first)
        assert held.wait(5)
        waiting = pool.submit(second)
        free.set()
        assert waiting.result(5)


def test_a_bank_that_hangs_holds_its_own_places_only() -> None:
    hanging, other = make_http(places=2, call_seconds=AMPLE), make_http()
    script = after_request(lambda peer: peer.hang())
    with served(script) as down, served(answering(answer())) as up, ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(get, hanging, down.url) for _ in range(2)]
        while down.connections < 2:
            time.sleep(0.01)
        with pytest.raises(BankUnreachable, match="no place"):
            get(hanging, down.url)
        assert get(other, up.url).status == 200
        down.stop()
        for call in calls:
            assert isinstance(call.exception(10), BankUnreachable)


def fail(http: BankHttp, provider: str | None = None, times: int = FAILURES_TO_OPEN) -> None:
    """Count failures."""
    for _ in range(times):
        http.breakers.failed(provider)


def test_while_the_breaker_is_open_callbacks_hold_half_of_the_places(seen: Seen) -> None:
    clock = Clock(0)
    http = BankHttp(make_connection(), 4, seen, monotonic=clock, place_seconds=0.05)
    fail(http)
    with http.identification(), http.identification():
        with pytest.raises(BankUnreachable, match="no place"):
            http.identification().__enter__()
        http.breakers.answered(None)
        with http.identification(), http.identification():
            assert http.calls == 4
            with pytest.raises(BankUnreachable, match="no place"):
                http.identification().__enter__()
    assert http.calls == 0


@pytest.mark.parametrize("most", [1, 2, 3])
def test_half_of_the_places_is_one_at_least(seen: Seen, most: int) -> None:
    http = BankHttp(make_connection(), most, seen, place_seconds=0.05)
    fail(http)
    with http.identification(), pytest.raises(BankUnreachable, match="no place"):
        http.identification().__enter__()
    with http.identification():
        pass


def test_while_the_breaker_is_open_callbacks_have_three_seconds(seen: Seen) -> None:
    clock = Clock(0)
    http = BankHttp(make_connection(), 4, seen, monotonic=clock)
    fail(http, "op")
    with http.identification("op") as tried, http.identification("nordea") as usual:
        assert (tried.left, usual.left) == (3.0, 20.0)
    clock.now = FIRST_OPEN
    with http.identification("op") as half_open:
        assert half_open.left == 20.0, "when the time is over, a slow answer may show that the bank is back"


def post(http: BankHttp, url: str, provider: str | None = None) -> Answer:
    """POST as an identification of its own."""
    with http.identification(provider) as budget:
        return http.post(url, {"code": "c"}, budget)


def test_a_bank_that_fails_is_still_called_for_who_has_confirmed(seen: Seen) -> None:
    http = make_http(seen, monotonic=Clock(0), call_seconds=AMPLE)
    fail(http)
    assert http.breakers.open_for(None)
    with served(answering(answer())) as server:
        assert post(http, server.url).status == 200


@pytest.mark.parametrize(
    "script",
    [
        after_request(lambda peer: peer.reset()),
        after_request(lambda peer: peer.hang()),
        after_request(lambda peer: peer.send(answer(b"x" * 70_000))),
    ],
    ids=["reset", "hang", "too long"],
)
def test_answers_that_are_not_whole_stop_new_starts_with_that_provider(script: Script, seen: Seen) -> None:
    http = make_http(seen, monotonic=time.monotonic, call_seconds=0.1)
    with served(script) as server:
        for _ in range(FAILURES_TO_OPEN):
            with pytest.raises(BankUnreachable):
                post(http, server.url, "op")
    assert (http.breakers.open_for("op"), http.breakers.open_for("nordea")) == (True, False)
    assert seen.events == [("breaker_opened", {"connection": "bank", "provider": "op"})]


def test_where_nobody_listens_new_starts_are_stopped_for_all(seen: Seen) -> None:
    with served(answering(answer())) as server:
        url = server.url
    http = make_http(seen, call_seconds=AMPLE)
    for _ in range(FAILURES_TO_OPEN):
        with pytest.raises(BankUnreachable):
            post(http, url, "op")
    assert http.breakers.open_for("nordea")
    assert ("breaker_opened", {"connection": "bank"}) in seen.events
