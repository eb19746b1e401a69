"""Refusals before a claim: each is in the trail, and junk fills no disk."""

from __future__ import annotations

import errno
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from broker.audit import AuditTrail, AuditUnavailable, Refusal, count_refusals, verify
from broker.audit.counts import MOST_RECORDS, PERIOD
from tests.broker.conftest import NOW

LOST = Refusal("lost_cookie", "response", "another browser", "portal")
REPLAY = Refusal("replay", "response", "the state was used", "portal")
JUNK = Refusal("expired", "response", "the state is not known")
BEGINNING = "0000"


class Clock:
    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "audit"


@pytest.fixture
def trail(folder: Path, clock: Clock) -> AuditTrail:
    return AuditTrail(folder, clock)


def records(folder: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.read_text().splitlines()]
    return [line for line in lines if line["event"] == "refused_before_claim"]


def test_the_first_of_a_kind_is_written_at_once(trail: AuditTrail, folder: Path) -> None:
    trail.count_refusal(LOST)
    (record,) = records(folder)
    assert (record["code"], record["step"], record["reason"]) == ("lost_cookie", "response", "another browser")
    assert (record["client"], record["count"]) == ("portal", 1)
    assert set(record) == {"seq", "previous", "time", "event", "hash", "code", "step", "reason", "client", "count"}


def test_what_follows_within_a_minute_is_one_record_with_a_count(trail: AuditTrail, folder: Path, clock: Clock) -> None:
    for _ in range(1000):
        trail.count_refusal(JUNK)
    assert [record["count"] for record in records(folder)] == [1]
    clock.now += PERIOD
    trail.write_refusals()
    trail.write_refusals()
    assert [record["count"] for record in records(folder)] == [1, 999]
    assert "client" not in records(folder)[0]


def test_a_day_of_junk_is_some_hundred_kilobytes(trail: AuditTrail, folder: Path, clock: Clock) -> None:
    sent = 0
    for _ in range(24 * 60 * 4):
        clock.now += PERIOD / 4
        for _ in range(3):
            trail.count_refusal(JUNK)
            sent += 1
    trail.close()
    assert sum(path.stat().st_size for path in folder.iterdir()) < 700_000
    assert count_refusals(folder, BEGINNING) == {JUNK: sent}
    assert verify(folder).findings == []


def test_all_kinds_together_are_bounded_and_none_is_lost(trail: AuditTrail, folder: Path, clock: Clock) -> None:
    kinds = [Refusal("bad_request", "response", f"reason {number}") for number in range(2 * MOST_RECORDS)]
    for _ in range(3):
        for kind in kinds:
            trail.count_refusal(kind)
    assert len(records(folder)) == MOST_RECORDS
    for _ in range(4):
        clock.now += PERIOD
        trail.write_refusals()
    assert count_refusals(folder, BEGINNING) == dict.fromkeys(kinds, 3)


def test_kinds_that_nobody_meets_any_more_are_forgotten(trail: AuditTrail, clock: Clock) -> None:
    for number in range(MOST_RECORDS):
        trail.count_refusal(Refusal("bad_request", "response", f"reason {number}"))
    clock.now += PERIOD
    trail.count_refusal(JUNK)
    assert list(trail._refusals._counts) == [JUNK]


def test_a_clock_that_was_set_back_stops_nothing(trail: AuditTrail, folder: Path, clock: Clock) -> None:
    trail.count_refusal(JUNK)
    clock.now -= 3600
    trail.count_refusal(JUNK)
    assert len(records(folder)) == 2


def test_the_end_of_the_process_writes_what_waits(trail: AuditTrail, folder: Path) -> None:
    for _ in range(5):
        trail.count_refusal(REPLAY)
    trail.close()
    assert count_refusals(folder, BEGINNING) == {REPLAY: 5}
    seen = verify(folder)
    assert (seen.findings, seen.unclosed) == ([], [])


def test_without_a_disk_they_stay_counted_and_the_disk_is_tried_once_a_minute(folder: Path, clock: Clock) -> None:
    broken, tries = [True], [0]

    def sync(descriptor: int) -> None:
        if broken[0]:
            tries[0] += 1
            raise OSError(errno.ENOSPC, "No space left on device")
        os.fdatasync(descriptor)

    trail = AuditTrail(folder, clock, sync=sync)
    for number in range(10):
        if number == 0:
            with pytest.raises(AuditUnavailable):
                trail.count_refusal(JUNK)
        else:
            trail.count_refusal(JUNK)
    assert tries == [1]
    broken[0] = False
    clock.now += PERIOD
    trail.count_refusal(JUNK)
    assert [record["count"] for record in records(folder)[-1:]] == [11]


def test_many_threads_lose_none(trail: AuditTrail, folder: Path) -> None:
    def work() -> None:
        for _ in range(200):
            trail.count_refusal(LOST)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    trail.close()
    assert count_refusals(folder, BEGINNING) == {LOST: 1200}


def test_only_what_is_late_enough_counts(trail: AuditTrail, folder: Path, clock: Clock) -> None:
    trail.count_refusal(LOST)
    clock.now += 3600
    trail.count_refusal(LOST)
    assert count_refusals(folder, "2026-09-21T14:30:00.000Z") == {LOST: 1}
