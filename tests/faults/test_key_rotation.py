"""Rotation of every key, ours and the banks', while people identify: none of their logins is lost.

The drill moves the clock through eleven weeks. Five kinds of our keys rotate by the schedule each week (in the smoke
row every four weeks), the client's each fortnight, our entity key once, by a chained statement; the bank's signing key
each week, its entity key once. Logins are spread over all of it, many around the moments in which something changes.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from broker.keys.purposes import STATEMENT_EXCHANGE
from kit.keys.timetable import AT_ONCE, FOLDER_LOOK
from mock_idp.protocol.relying_party import RelyingPartyUnknown
from tests.harness.key_rotation import Lost, RotatingSystem
from tests.harness.keys import DAY

WEEKS = 11
PURPOSES = ("rp-sig", "rp-enc", "id-token-sig", "store")
HOUR = 3600


@pytest.fixture
def system(tmp_path: Path, valkey_url: str) -> Iterator[RotatingSystem]:
    # Long ago, so that statements that are made in the drill's last week are not from the future.
    begin = int(time.time()) - (WEEKS + 2) * 7 * DAY
    with RotatingSystem(tmp_path, valkey_url, begin) as made:
        yield made


class Drill:
    """Logins one after the other, each over some minutes, and what happens beside them as time goes by."""

    def __init__(self, system: RotatingSystem, logins: int, days: int) -> None:
        self.system, self.logins = system, logins
        self.every = dict.fromkeys(PURPOSES, days)
        self.random = random.Random(logins)
        self.begin = system.clock.now
        self.end = self.begin + WEEKS * 7 * DAY
        self.next_hour = self.begin
        self.plan = [
            (self.begin + DAY, self.rotate_entity_key),
            (self.begin + 8 * DAY, system.give_statement),
            (self.begin + 2 * DAY + STATEMENT_EXCHANGE, system.give_statement),
            (self.begin + 20 * DAY, self.take_statement_of_bank),
            (self.begin + 27 * DAY, self.take_statement_of_bank),
            *((self.begin + week * 7 * DAY + 3 * DAY, system.rotate_signing_key_of_bank) for week in range(WEEKS)),
        ]
        self.plan.sort(key=lambda planned: planned[0])
        self.lost: list[str] = []

    def rotate_entity_key(self) -> None:
        self.system.log["keys made"] += len(self.system.rotation.rotate(["entity"], int(self.system.clock.now)))

    def take_statement_of_bank(self) -> None:
        """The operator pins the bank's next statement and restarts the brokers, one after the other."""
        token = self.system.next_statement_of_bank()
        self.system.pin.write_text(token)
        for port in self.system.ports:
            self.system.restart(port)

    def move_to(self, moment: float) -> None:
        """Time goes by, and what was to happen until then happens at its time."""
        while True:
            planned = self.plan[0][0] if self.plan else float("inf")
            at = min(self.next_hour, planned)
            if at > moment:
                break
            self.system.clock.now = max(self.system.clock.now, at)
            if at == planned:
                self.plan.pop(0)[1]()
            else:
                self.system.every_hour(self.every)
                self.next_hour += HOUR
        self.system.clock.now = moment

    def run(self) -> None:
        usual = (self.end - self.begin) / self.logins
        for number in range(self.logins):
            now = self.system.clock.now
            due = self.begin + number * usual
            change = min(self.system.changes(), default=due)
            # Around a change: a login begins a moment before it, and ends after it.
            start = change - self.random.choice((1, 5, 30, 90, 240)) if change <= due else due
            self.move_to(max(now, start))
            try:
                login = self.system.begin(number)
                self.move_to(self.system.clock.now + self.random.uniform(0, 300))
                self.system.come_back(login)
                self.move_to(self.system.clock.now + self.random.uniform(0, 60))
                self.system.finish(login)
            except Lost as lost:
                self.lost.append(f"{number} at day {(self.system.clock.now - self.begin) / DAY:.3f}: {lost}")
        self.move_to(max(self.system.clock.now, self.end))


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("logins", "days"),
    [pytest.param(100, 28, marks=pytest.mark.smoke), pytest.param(10_000, 7, marks=pytest.mark.drill)],
)
def test_no_login_is_lost_while_every_key_is_rotated(system: RotatingSystem, logins: int, days: int) -> None:
    drill = Drill(system, logins, days)
    began = time.monotonic()
    drill.run()
    fetches = system.jwks_fetched_at
    closest = min(after - before for before, after in pairwise(fetches))
    table = {
        "logins": logins,
        "lost": len(drill.lost),
        "days": round((system.clock.now - drill.begin) / DAY),
        **system.log,
        "signed JWKS fetched by banks": len(fetches),
        "least hours between": round(closest / HOUR, 1),
        "seconds": round(time.monotonic() - began),
    }
    print("\n".join(f"{name:32} {value}" for name, value in table.items()))
    assert drill.lost == []
    rotations = WEEKS * 7 // days
    assert system.log["keys made"] >= 5 * rotations + 1
    assert system.log["keys removed"] >= 5 * (rotations - 1) + 1
    # No bank ever met a kid that it did not know.
    assert closest >= DAY


@pytest.mark.smoke
def test_an_emergency_costs_no_login_that_begins_after_it(system: RotatingSystem) -> None:
    system.login()
    stolen = system.bank.relying_party.encryption_key(system.clock.now)
    under_way = system.begin(0)
    system.rotation.rotate(PURPOSES, int(system.clock.now), emergency=True)
    began = system.clock.now
    for later in (10, 31, 41, 54):
        system.clock.now = began + later
        if later < 41:  # the store's key goes with the others: what is under way then starts again
            system.login()
    system.clock.now = began + AT_ONCE
    with pytest.raises(Lost):
        system.come_back(under_way)
    with pytest.raises(Lost, match="a client does not know the key"):
        system.login()  # a service that never fetches for an unknown kid waits for the end of its cache
    system.hourly.forget()
    system.login()
    assert stolen is not None
    current = system.bank.relying_party.encryption_key(system.clock.now)
    assert current is not None
    assert current.kid != stolen.kid  # the unknown kid of rp-sig made the bank fetch, and it got both


@pytest.mark.smoke
def test_a_lost_encryption_key_is_made_anew_within_a_minute_after_a_restart(system: RotatingSystem) -> None:
    system.login()
    for path in system.keys.glob("rp-enc-*"):
        path.unlink()
    for port in system.ports:
        system.restart(port)
    with pytest.raises(Lost):
        system.login()
    system.rotation.init(int(system.clock.now))
    system.clock.now += AT_ONCE
    system.login()


@pytest.mark.smoke
def test_a_lost_encryption_key_that_was_made_alone_is_not_ready_and_its_mend_helps(system: RotatingSystem) -> None:
    system.login()
    for path in system.keys.glob("rp-enc-*"):
        path.unlink()
    system.clock.now += HOUR
    system.rotation.init(int(system.clock.now), ["rp-enc"])
    for port in system.ports:
        system.restart(port)
    with pytest.raises(Lost):
        system.login()
    assert system.ready()["rp-enc key"] == "failed"
    system.rotation.rotate(["rp-enc"], int(system.clock.now), emergency=True)
    system.clock.now += AT_ONCE
    system.login()
    assert "rp-enc key" not in system.ready()


@pytest.mark.smoke
def test_brokers_go_on_without_a_folder_and_a_new_one_needs_the_banks(system: RotatingSystem) -> None:
    system.login()
    for path in system.keys.glob("*.json"):
        path.unlink()
    system.clock.now += FOLDER_LOOK + 1
    system.login()
    assert system.ready()["keys folder"] == "warning"
    system.rotation.init(int(system.clock.now), without_backup=True)
    system.clock.now += DAY
    with pytest.raises(Lost):
        system.login()  # no bank knows the new entity key
    with pytest.raises(RelyingPartyUnknown, match="not signed"):
        system.give_statement()
    system.bank.relying_party.forget()  # each bank pins the new statement, by hand
    system.login()
