"""The queue of heads: bounded, in order, kept until they are taken, and in nobody's way."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from queue import Queue

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from kit.audit.collector import AGAIN, AT_ONCE, LATE, MOST, Collector
from kit.audit.heads import Head
from kit.audit.transport import NotSent, Signed
from kit.keys.watch import WatchedKeys
from tests.harness.collector import audit_keys
from tests.harness.keys import Clock


class Way:
    """A way to a collector that a test closes."""

    def __init__(self) -> None:
        self.closed = False
        self.calls: list[list[int]] = []
        self.came: Queue[int] = Queue()

    def __call__(self, heads: Sequence[Signed]) -> None:
        if self.closed:
            raise NotSent("it cannot be reached: closed")
        self.calls.append([one.head.seq for one in heads])
        for one in heads:
            self.came.put(one.head.seq)

    @property
    def seen(self) -> list[int]:
        return [seq for call in self.calls for seq in call]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(tmp_path: Path, clock: Clock) -> WatchedKeys:
    return audit_keys(tmp_path / "keys", clock)


@pytest.fixture
def way() -> Way:
    return Way()


@pytest.fixture
def collector(keys: WatchedKeys, way: Way, clock: Clock) -> Collector:
    return Collector(keys, way, clock)


def offer(collector: Collector, *numbers: int) -> None:
    for seq in numbers:
        collector.offer(Head("audit-x.jsonl", seq, f"{seq:064x}"))


def state(collector: Collector) -> tuple[str, str]:
    (check,) = collector.checks()
    return check.state, check.said


def test_what_could_not_be_sent_is_sent_later_in_order(collector: Collector, way: Way) -> None:
    way.closed = True
    offer(collector, 1, 2)
    assert not collector.send_waiting()
    offer(collector, 3)
    way.closed = False
    assert collector.send_waiting()
    assert (way.seen, collector.unsent) == ([1, 2, 3], 0)
    assert collector.send_waiting()
    assert way.seen == [1, 2, 3]


def test_many_go_in_calls_of_a_bounded_size(collector: Collector, way: Way) -> None:
    offer(collector, *range(AT_ONCE + 5))
    assert collector.send_waiting()
    assert [len(call) for call in way.calls] == [AT_ONCE, 5]


def test_the_queue_is_bounded_and_the_oldest_gives_way(
    keys: WatchedKeys, way: Way, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kit.audit.collector.sign_head", lambda keys, head, now: "signed")
    collector = Collector(keys, way, clock)
    offer(collector, *range(MOST + 7))
    assert (collector.unsent, collector.dropped) == (MOST, 7)
    collector.send_waiting()
    assert (way.seen[0], way.seen[-1], len(way.seen)) == (7, MOST + 6, MOST)


def test_the_same_head_is_sent_again_only_after_an_hour(collector: Collector, way: Way, clock: Clock) -> None:
    offer(collector, 5, 5)
    clock.now += AGAIN - 1
    offer(collector, 5)
    clock.now += 1
    offer(collector, 5)
    clock.now -= 1  # a clock that was ahead is set back
    offer(collector, 5)
    collector.send_waiting()
    assert way.seen == [5, 5, 5]


def test_readiness_warns_of_what_waits_for_long_and_says_why(collector: Collector, way: Way, clock: Clock) -> None:
    assert state(collector) == ("ok", "0 unsent")
    way.closed = True
    offer(collector, 1, 2)
    collector.send_waiting()
    assert state(collector)[0] == "ok"
    clock.now += LATE + 1
    assert state(collector) == ("warning", "2 unsent, the oldest for 5 minutes: it cannot be reached: closed")
    way.closed = False
    collector.send_waiting()
    assert state(collector) == ("ok", "0 unsent")


def test_the_metrics_tell_what_is_unsent(collector: Collector, way: Way, clock: Clock) -> None:
    registry = CollectorRegistry()
    collector.show(registry)
    way.closed = True
    offer(collector, 1, 2, 3)
    clock.now += 60
    text = generate_latest(registry).decode()
    assert "tunnus_audit_heads_unsent 3.0" in text
    assert "tunnus_audit_heads_oldest_seconds 60.0" in text
    assert "tunnus_audit_heads_dropped 0.0" in text


def test_without_a_key_it_is_a_warning_and_nothing_breaks(
    collector: Collector, tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for path in (tmp_path / "keys").glob("*.json"):
        path.unlink()
    collector = Collector(WatchedKeys(tmp_path / "keys", collector._keys.purposes, clock), Way(), clock)
    offer(collector, 1, 2)
    assert state(collector) == ("warning", "0 unsent, the oldest for 0 minutes: no audit-sig key is in use")
    assert [record.message for record in caplog.records] == ["audit_heads"]


def test_without_a_collector_nothing_waits_and_nothing_is_told(keys: WatchedKeys, clock: Clock) -> None:
    collector = Collector(keys, None, clock)
    registry = CollectorRegistry()
    collector.show(registry)
    collector.start()
    offer(collector, 1)
    collector.close(0)
    assert list(collector.checks()) == []
    assert b"tunnus_audit_heads_unsent 0.0" in generate_latest(registry)


def test_a_collector_that_hangs_is_in_nobodys_way(keys: WatchedKeys, clock: Clock) -> None:
    entered, let_go = threading.Event(), threading.Event()

    def hang(heads: Sequence[Signed]) -> None:
        entered.set()
        assert let_go.wait(60)

    collector = Collector(keys, hang, clock)
    collector.start()
    offer(collector, 1)
    assert entered.wait(60)
    offer(collector, 2)  # while the call hangs
    assert collector.unsent == 2
    let_go.set()
    collector.close(60)
    assert collector.unsent == 0


def test_a_thread_sends_what_is_offered_and_the_last_one_at_the_end(collector: Collector, way: Way) -> None:
    collector.start()
    offer(collector, 1)
    assert way.came.get(timeout=60) == 1
    offer(collector, 2)
    collector.close(60)
    assert way.seen == [1, 2]


def test_what_is_unsent_at_the_end_is_told(collector: Collector, way: Way, caplog: pytest.LogCaptureFixture) -> None:
    way.closed = True
    collector.start()
    offer(collector, 1)
    collector.close(60)
    assert [record.message for record in caplog.records] == ["audit_heads", "audit_heads_unsent"]
