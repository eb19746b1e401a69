"""How many identifications may begin: limited by address and in all, and never for whoever is under way."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from flask import Request
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from broker.app import create_app
from broker.flow.limits import LOOKS_WINDOW, OF_A_SITE, WINDOW
from broker.flow.records import FREE_ATTEMPTS
from broker.settings import Settings
from broker.store import slotted
from tests.harness.broker import PORTAL, Broker
from tests.harness.broker_pair import CALLBACK, Pair
from tests.harness.browser import Browser

HERE, ELSEWHERE = "192.0.2.7", "198.51.100.9"
TITLES = {"en": "Too many attempts", "sv": "För många försök", "fi": "Liian monta yritystä"}
HEADER = "X-Test-Address"


@dataclass
class Limited:
    """A broker with small limits, whose visitors say where they come from; its time stands still."""

    broker: Broker
    pair: Pair

    def person(self) -> FlaskClient:
        """A browser without cookies."""
        return self.broker.app.test_client()

    def begin(self, address: str = HERE, by: FlaskClient | None = None, **parameters: str | None) -> TestResponse:
        """An authorization request, not followed."""
        url = urlsplit(Browser(self.broker.client).authorize_url(**parameters))
        return (by or self.person()).get(f"{url.path}?{url.query}", headers={HEADER: address})

    def begins(self, address: str = HERE, **parameters: str | None) -> bool:
        """Whether one more may begin."""
        answer = self.begin(address, **parameters)
        assert answer.status_code in (303, 429)
        return answer.status_code == 303

    def acts(self, by: FlaskClient, begun: TestResponse, row: str = "op") -> str:
        """The person chooses a bank; its address."""
        transaction = begun.headers["Location"].split("/")[2]
        answer = by.get(f"/identify/{transaction}/{row}", headers={HEADER: HERE})
        assert answer.status_code == 303
        assert self.pair.system.mock_url in answer.headers["Location"]
        return answer.headers["Location"]

    def identified(self, by: FlaskClient, bank: str) -> bool:
        """The person comes back from the bank; whether there is a code for the client."""
        callback = urlsplit(self.pair.browser().open(bank, stop_before=CALLBACK).url)
        answer = by.get(f"{callback.path}?{callback.query}", headers={HEADER: HERE})
        return answer.headers["Location"].startswith(f"{PORTAL}/callback?code=")

    def counted(self, limit: str) -> float:
        """How often a limit has stopped somebody."""
        found = self.broker.parts.metrics.registry.get_sample_value("tunnus_limits_reached_total", {"limit": limit})
        return found or 0.0

    def keys(self) -> set[bytes]:
        return set(self.broker.parts.store.client.scan_iter(count=1000))


@pytest.fixture
def limited(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Makes a broker with limits; whatever was counted before is forgotten, and a window has just begun."""
    now = (int(pair.system.clock()) // WINDOW + 1) * WINDOW
    monkeypatch.setattr(type(pair.system.clock), "__call__", lambda clock: now + clock.offset)

    def make(**limits: int) -> Limited:
        config = deepcopy(pair.brokers[0].config) | {"limits": limits}
        settings = Settings.model_validate(config)
        app = create_app(settings, clock=pair.system.clock, client_address=_address)
        made = Limited(Broker(app, pair.brokers[0].client, config), pair)
        _forget(made)
        pair.everybody()
        return made

    def _forget(made: Limited) -> None:
        store = made.broker.parts.store.client
        if names := list(store.scan_iter("*:limit:*", count=1000)):
            store.delete(*names)

    yield make
    _forget(make())


def _address(request: Request) -> str | None:
    return request.headers.get(HEADER) or None


def test_how_much_of_a_limit_on_all_is_used_stands_in_the_metrics_until_its_window_ends(limited: Any) -> None:
    system = limited(starts_in_all=3)

    def used() -> float | None:
        registry = system.broker.parts.metrics.registry
        assert registry.get_sample_value("tunnus_limit_most", {"limit": "starts_in_all"}) == 3
        found: float | None = registry.get_sample_value("tunnus_limit_used", {"limit": "starts_in_all"})
        return found

    assert used() == 0
    assert [system.begins() for _ in range(5)] == [True] * 3 + [False] * 2
    assert used() == 3
    system.pair.system.later(WINDOW)
    assert used() == 0


def test_one_address_may_begin_so_much_that_nobody_acts_on_and_others_go_on(limited: Any) -> None:
    system = limited(open_per_address=3)
    assert [system.begins() for _ in range(5)] == [True, True, True, False, False]
    assert system.begins(ELSEWHERE)
    assert system.counted("open_per_address") == 2


@pytest.mark.parametrize("locale", ["fi", "sv", "en"])
def test_whoever_is_stopped_is_told_when_to_try_again_and_led_back(limited: Any, locale: str) -> None:
    system = limited(open_per_address=1)
    assert system.begins()
    system.pair.system.clock.offset += 70
    answer = system.begin(ui_locales=locale)
    text = answer.get_data(as_text=True)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == str(WINDOW - 70)
    assert answer.headers["Content-Language"] == locale
    assert f"<h1>{TITLES[locale]}</h1>" in text
    assert " 9 " in text
    assert f'href="{PORTAL}"' in text
    assert "client_id" not in text
    assert "state=" not in text


def test_a_limit_that_is_reached_stands_in_the_log(limited: Any, caplog: pytest.LogCaptureFixture) -> None:
    system = limited(open_per_address=1)
    system.begins()
    caplog.clear()
    caplog.set_level(logging.INFO, "tunnus.request")
    system.begins()
    (line,) = [record for record in caplog.records if record.getMessage() == "request"]
    said = (line.levelno, line.code, line.client, line.limit)  # type: ignore[attr-defined]
    assert said == (logging.WARNING, "too_many", "portal", "open_per_address")


def test_with_the_next_window_all_begins_anew(limited: Any) -> None:
    system = limited(open_per_address=1)
    assert [system.begins(), system.begins()] == [True, False]
    system.pair.system.clock.offset += WINDOW - 1
    assert not system.begins()
    system.pair.system.clock.offset += 1
    assert system.begins()


@pytest.mark.parametrize("hint", [None, "op"])
def test_whoever_acts_uses_nothing_up(limited: Any, hint: str | None) -> None:
    system = limited(open_per_address=2)
    for _ in range(7):
        person = system.person()
        begun = system.begin(by=person, idp_hint=hint)
        assert begun.status_code == 303
        if hint is None:
            system.acts(person, begun)
    assert [system.begins() for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize("limit", ["open_per_address", "starts_per_address", "starts_in_all"])
def test_a_hint_begins_within_the_same_limits(limited: Any, limit: str) -> None:
    system = limited(**{limit: 2})
    assert [system.begins(), system.begins()] == [True, True]
    assert [system.begins(idp_hint="op") for _ in range(3)] == [False] * 3
    assert system.counted(limit) == 3


def test_a_hint_leads_to_the_bank_itself_and_what_is_refused_is_signed_once(
    limited: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = limited(starts_in_all=2)
    adapter, signed = system.broker.parts.flow.adapters["op"], []
    begin = adapter.begin
    monkeypatch.setattr(adapter, "begin", lambda request: (signed.append(1), begin(request))[1])
    person = system.person()
    bank = system.begin(by=person, idp_hint="op").headers["Location"]
    assert bank.startswith(system.pair.system.mock_url)
    assert [system.begins(idp_hint="op") for _ in range(9)] == [True] + [False] * 8
    assert len(signed) == 3
    assert system.identified(person, bank)
    system.pair.system.later(WINDOW)
    assert system.begins(idp_hint="op")


def test_what_gives_way_in_a_browser_is_given_back(limited: Any) -> None:
    system = limited(open_per_address=21)
    person = system.person()
    assert {system.begin(by=person).status_code for _ in range(50)} == {303}


def test_an_act_gives_back_once_and_not_after_its_window(limited: Any) -> None:
    system = limited(open_per_address=2)
    system.pair.system.later(WINDOW - 60)
    person, late = system.person(), system.person()
    begun, begun_late = system.begin(by=person), system.begin(by=late)
    for _ in range(3):
        system.acts(person, begun)
    assert [system.begins(), system.begins()] == [True, False]
    system.pair.system.later(60)
    before = system.keys()
    system.acts(late, begun_late)
    assert not [name for name in system.keys() - before if b":limit:" in name]
    assert [system.begins() for _ in range(3)] == [True, True, False]


def test_two_first_acts_at_once_give_back_once(limited: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    system = limited(open_per_address=2)
    person = system.person()
    begun = system.begin(by=person)
    assert system.begins()
    adapter = system.broker.parts.flow.adapters["op"]
    begin = adapter.begin

    def twice(*arguments: Any) -> Any:
        monkeypatch.setattr(adapter, "begin", begin)
        system.acts(person, begun)  # before the first one has stored that it is an act
        return begin(*arguments)

    monkeypatch.setattr(adapter, "begin", twice)
    system.acts(person, begun)
    assert [system.begins(), system.begins()] == [True, False]


def test_whoever_is_under_way_is_stopped_by_no_limit(limited: Any) -> None:
    system = limited(open_per_address=2, starts_per_address=3, starts_in_all=4)
    choosing, at_bank = system.person(), system.person()
    at_chooser = system.begin(by=choosing)
    bank = system.acts(at_bank, system.begin(by=at_bank))
    while system.begins() or system.begins(ELSEWHERE):
        pass
    assert choosing.get(at_chooser.headers["Location"], headers={HEADER: HERE}).status_code == 200
    assert system.identified(choosing, system.acts(choosing, at_chooser))
    assert system.identified(at_bank, bank)


def repeated(system: Limited, by: FlaskClient, begun: TestResponse, times: int, address: str = HERE) -> list[int]:
    """The statuses of so many attempts of one transaction."""
    place = begun.headers["Location"].split("/")[2]
    return [by.get(f"/identify/{place}/op", headers={HEADER: address}).status_code for _ in range(times)]


@pytest.mark.parametrize("limit", ["repeats_per_browser", "repeats_per_address", "repeats_in_all"])
def test_repeated_attempts_are_limited_and_whoever_is_under_way_goes_on(limited: Any, limit: str) -> None:
    system = limited(**{limit: 2})
    person, other = system.person(), system.person()
    begun, bank_of_other = system.begin(by=person), system.acts(other, system.begin(by=other))
    assert repeated(system, person, begun, FREE_ATTEMPTS + 22) == [303] * (FREE_ATTEMPTS + 2) + [429] * 20
    assert system.counted(limit) == 20
    again = system.begin(by=person)
    bank = system.acts(person, again)
    assert system.identified(other, bank_of_other)
    assert system.identified(person, bank), "the first attempts of any request are free"
    system.pair.system.later(WINDOW)
    assert repeated(system, person, begun, 1) == [303], "what was stopped has used nothing up"


def test_repeated_attempts_of_others_are_their_own(limited: Any) -> None:
    system = limited(repeats_per_browser=1, repeats_per_address=2)
    person, other, far = system.person(), system.person(), system.person()
    most = FREE_ATTEMPTS + 1
    assert repeated(system, person, system.begin(by=person), most + 1) == [303] * most + [429]
    assert repeated(system, other, system.begin(by=other), most + 1) == [303] * most + [429]
    assert repeated(system, far, system.begin(by=far), most) == [303] * FREE_ATTEMPTS + [429]
    assert repeated(system, far, system.begin(by=far), most, ELSEWHERE) == [303] * most


def test_whoever_repeats_too_often_is_told_when_to_try_again(limited: Any, caplog: pytest.LogCaptureFixture) -> None:
    system = limited(repeats_per_address=1)
    person = system.person()
    begun = system.begin(by=person)
    repeated(system, person, begun, FREE_ATTEMPTS + 1)
    before = system.keys()
    caplog.clear()
    caplog.set_level(logging.INFO, "tunnus.request")
    answer = person.get(f"/identify/{begun.headers['Location'].split('/')[2]}/op", headers={HEADER: HERE})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, str(WINDOW))
    assert f'href="{PORTAL}"' in answer.get_data(as_text=True)
    assert system.keys() == before
    (line,) = [record for record in caplog.records if record.getMessage() == "request"]
    assert (line.code, line.limit) == ("too_many", "repeats_per_address")  # type: ignore[attr-defined]


def test_one_address_may_begin_so_much_though_somebody_acts_on_it(limited: Any) -> None:
    system = limited(starts_per_address=3)
    for _ in range(3):
        person = system.person()
        system.acts(person, system.begin(by=person))
    assert not system.begins()
    assert system.begins(ELSEWHERE)
    assert system.counted("starts_per_address") == 1


def test_all_together_may_begin_so_much_and_are_told_that_it_is_not_their_fault(limited: Any) -> None:
    system = limited(starts_in_all=3)
    assert [system.begins(f"192.0.2.{number}") for number in range(4)] == [True, True, True, False]
    answer = system.begin("192.0.2.77")
    assert answer.status_code == 429
    said = "No more identifications can be started at the moment. Try again in 10 minutes."
    assert said in answer.get_data(as_text=True)
    assert system.counted("starts_in_all") == 2


def test_of_ipv6_a_64_counts_as_one_address_and_a_48_as_four(limited: Any) -> None:
    system = limited(open_per_address=2)
    in_one = [system.begins(f"2001:db8:1:1::{number}") for number in range(3)]
    assert in_one == [True, True, False]
    others = [system.begins(f"2001:db8:1:{number}::1") for number in range(2, 20)]
    assert sum(others) == 2 * OF_A_SITE - 2
    assert system.begins("2001:db8:2::1")


@pytest.mark.parametrize("address", ["", "unknown", "192.0.2.7:4711"])
def test_who_has_no_address_is_counted_in_all_and_not_as_one_address(limited: Any, address: str) -> None:
    system = limited(open_per_address=1, starts_per_address=1, starts_in_all=5)
    assert [system.begins(address) for _ in range(6)] == [True] * 5 + [False]


def test_whoever_is_stopped_leaves_nothing_and_takes_nothing_from_others(limited: Any) -> None:
    system = limited(open_per_address=1, starts_in_all=3)
    assert system.begins()
    before = system.keys()
    assert [system.begins() for _ in range(10)] == [False] * 10
    assert system.keys() == before
    assert [system.begins(f"192.0.2.10{number}") for number in range(3)] == [True, True, False]


def test_many_at_once_are_not_more_than_the_limit(limited: Any) -> None:
    system = limited(open_per_address=10)
    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(lambda _: system.begins(), range(60))) <= 10


def test_an_address_stands_nowhere_and_what_is_counted_lapses_with_its_window(
    limited: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    system = limited(open_per_address=1)
    before = system.keys()
    system.begins()
    system.begins()
    store = system.broker.parts.store.client
    new = system.keys() - before
    counters = {name for name in new if b":limit:" in name}
    assert len(counters) == 3
    assert len(new) == 4
    assert all(0 < store.ttl(name) <= WINDOW for name in new)
    limits = system.broker.parts.flow.limits
    other = create_app(Settings.model_validate(system.broker.config)).extensions["tunnus"].flow.limits
    assert limits._keyed_digest(HERE.encode()) == other._keyed_digest(HERE.encode())
    dump = b"".join(name + store.get(name) for name in new).decode("latin-1")
    assert HERE not in dump
    assert HERE not in "".join(str(record.__dict__) for record in caplog.records)


def test_a_request_of_another_sites_form_is_counted_when_it_comes_round(limited: Any) -> None:
    system = limited(open_per_address=1)
    url = urlsplit(Browser(system.broker.client).authorize_url())
    person = system.person()
    for _ in range(3):
        assert person.post(f"{url.path}?{url.query}", headers={HEADER: HERE}).status_code == 303
    assert system.begins()
    assert not system.begins()


def test_the_waiting_page_may_look_so_often_and_says_when_it_does_again(limited: Any) -> None:
    system = limited(looks_per_address=3)
    person = system.person()
    bank = system.acts(person, system.begin(by=person))
    callback = urlsplit(system.pair.browser().open(bank, stop_before=CALLBACK).url)
    place = f"{callback.path}?{callback.query}"
    _lose_outcome(system, person, place)
    wait = person.get(place).headers["Location"]
    looks = [person.get(wait, headers={HEADER: HERE}) for _ in range(4)]
    assert [look.status_code for look in looks] == [200, 200, 200, 429]
    assert [look.headers["Refresh"] for look in looks] == ["2", "2", "2", str(LOOKS_WINDOW)]
    assert looks[-1].headers["Retry-After"] == str(LOOKS_WINDOW)
    assert f'href="{wait}"' in looks[-1].get_data(as_text=True)
    assert person.get(wait, headers={HEADER: ELSEWHERE}).status_code == 200
    system.pair.system.clock.offset += 31
    assert person.get(wait, headers={HEADER: HERE}).headers["Location"].startswith("/problem/")


def _lose_outcome(system: Limited, person: FlaskClient, callback: str) -> None:
    """The callback is cut after its claim, as by a kill -9."""
    adapter = system.broker.parts.flow.adapters["op"]
    finish = adapter.finish

    def cut(*_arguments: Any) -> Any:
        raise KeyboardInterrupt

    adapter.finish = cut
    with pytest.raises(KeyboardInterrupt):
        person.get(callback)
    adapter.finish = finish


def test_requests_without_end_and_without_cookies_leave_room_for_those_under_way(limited: Any) -> None:
    system = limited()  # as they are by default
    person, choosing = system.person(), system.person()
    bank = system.acts(person, system.begin(by=person))
    at_chooser = system.begin(by=choosing)
    store: redis.Redis = system.broker.parts.store.client
    store.config_set("maxmemory", store.info("memory")["used_memory"] + 2 * 1024 * 1024)
    try:
        statuses = {system.begin(state="s" * 2048, nonce="n" * 512).status_code for _ in range(1000)}
        assert statuses == {303, 429}
        assert system.identified(person, bank)
        assert system.identified(choosing, system.acts(choosing, at_chooser))
        assert store.exists(slotted("transaction", at_chooser.headers["Location"].split("/")[2]).name)
    finally:
        store.config_set("maxmemory", 0)
