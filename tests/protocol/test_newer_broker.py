"""A newer broker wrote what an older one meets: a page to load again, and no login is lost."""

from __future__ import annotations

import pytest

from broker.store.formats import FORMATS
from tests.harness.broker_pair import CALLBACK, Pair, chooser, problem_of
from tests.harness.store_records import newer_broker


def newer_records(pair: Pair) -> float:
    registries = [broker.parts.metrics.registry for broker in pair.brokers]
    name = "tunnus_newer_records_total"
    return sum(registry.get_sample_value(name, {"record": kind}) or 0 for registry in registries for kind in FORMATS)


def test_a_person_whom_a_newer_broker_served_gets_a_page_to_load_again(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.everybody()
    browser = pair.browser()
    with newer_broker(monkeypatch):
        shown = chooser(browser.start())
        callback = browser.open(shown.link("/op"), stop_before=CALLBACK)
    before = newer_records(pair)
    addresses = (shown.url, shown.link("/op"), problem_of(shown), shown.link("/return/"), callback.url)
    for address in addresses:
        arrival = browser.open(address)
        assert (arrival.status, arrival.url in arrival.links()) == (503, True)
    assert newer_records(pair) == before + len(addresses)
    with newer_broker(monkeypatch):
        assert browser.token(browser.open(callback.url))["idp"] == "op"
