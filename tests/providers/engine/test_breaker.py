"""Which failures stop whose new starts, and for how long."""

from __future__ import annotations

import threading

import pytest

from providers.engine.breaker import FAILURES_TO_OPEN, FIRST_OPEN, LONGEST_OPEN, SHARE, Breakers
from tests.harness.engine.parts import Clock


@pytest.fixture
def opened() -> list[str | None]:
    """What opened, in order."""
    return []


@pytest.fixture
def breakers(clock: Clock, opened: list[str | None]) -> Breakers:
    """Those of a connection."""
    return Breakers(clock, opened.append)


def fail(breakers: Breakers, provider: str | None = None, times: int = FAILURES_TO_OPEN) -> None:
    """Fail some times."""
    for _ in range(times):
        breakers.failed(provider)


def test_failures_in_a_row_stop_new_starts_and_say_so_once(breakers: Breakers, opened: list[str | None]) -> None:
    fail(breakers, times=FAILURES_TO_OPEN - 1)
    assert not breakers.open_for(None)
    fail(breakers, times=1)
    assert breakers.open_for(None)
    assert breakers.open_for("op")
    fail(breakers, times=9)
    assert opened == [None]


def test_it_is_open_for_a_second_or_two_and_then_for_twice_as_long(breakers: Breakers, clock: Clock) -> None:
    fail(breakers)
    lengths = []
    for _ in range(8):
        began = clock.now
        fail(breakers, times=3)  # of those who were under way: they do not make it longer
        while breakers.open_for(None):
            clock.now += 0.5
        lengths.append(clock.now - began)
        breakers.failed(None)
    assert lengths == [2, 4, 8, 16, 30, 30, 30, 30]
    assert (lengths[0], lengths[-1]) == (FIRST_OPEN, LONGEST_OPEN)


def test_one_whole_answer_closes_it(breakers: Breakers, clock: Clock, opened: list[str | None]) -> None:
    fail(breakers)
    clock.now += FIRST_OPEN
    breakers.failed(None)
    assert breakers.open_for(None)
    breakers.answered(None)
    assert not breakers.open_for(None)
    fail(breakers, times=FAILURES_TO_OPEN - 1)
    assert not breakers.open_for(None), "and all that was before is forgotten"
    breakers.failed(None)
    clock.now += FIRST_OPEN
    assert not breakers.open_for(None)
    assert opened == [None, None]


def test_one_provider_that_fails_does_not_stop_its_contracts_others(
    breakers: Breakers, opened: list[str | None]
) -> None:
    fail(breakers, "op", times=50)
    fail(breakers, "nordea", times=FAILURES_TO_OPEN - SHARE - 1)
    assert {name: breakers.open_for(name) for name in ("op", "nordea", "aktia", None)} == {
        "op": True,
        "nordea": False,
        "aktia": False,
        None: False,
    }
    assert opened == ["op"]


def test_what_fails_for_several_providers_stops_all_of_the_contract(
    breakers: Breakers, clock: Clock, opened: list[str | None]
) -> None:
    for provider in ("op", "nordea", "aktia"):
        fail(breakers, provider, times=SHARE)
    assert breakers.open_for("pop")
    assert opened == [None]
    clock.now += FIRST_OPEN
    assert not breakers.open_for("pop")
    fail(breakers, "op", times=1)
    assert breakers.open_for("pop"), "while nobody gets an answer, any failure is the contract's"
    breakers.answered("nordea")
    assert not breakers.open_for("pop")


def test_an_answer_to_one_provider_says_nothing_of_another(breakers: Breakers) -> None:
    fail(breakers, "op")
    breakers.answered("nordea")
    assert (breakers.open_for("op"), breakers.open_for("nordea")) == (True, False)
    breakers.answered("op")
    assert not breakers.open_for("op")


def test_answers_in_between_keep_the_contract_of_a_failing_bank_open_for_others(breakers: Breakers) -> None:
    for _ in range(20):
        breakers.failed("op")
        breakers.failed("nordea")
        breakers.answered("aktia")
    assert not breakers.open_for("aktia")


def test_a_key_set_that_cannot_be_had_stops_all_until_it_comes(breakers: Breakers, opened: list[str | None]) -> None:
    for _ in range(FAILURES_TO_OPEN):
        breakers.answered("op")
        breakers.keys_failed()
    assert breakers.open_for("op"), "whole answers of the token endpoint are none of the key set's"
    breakers.keys_came()
    assert not breakers.open_for("op")
    assert opened == [None]


def test_eight_threads_count_every_failure(breakers: Breakers, opened: list[str | None]) -> None:
    threads = [threading.Thread(target=fail, args=(breakers, "op", 500)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert breakers._in_a_row["op"] == 4000
    assert opened == ["op"]
