"""One cut of the store, or one full disk, where a person has confirmed: they are identified all the same."""

from __future__ import annotations

from typing import Any

import pytest

from broker.store import StoreUnavailable
from tests.harness.broker import System
from tests.harness.browser import Browser


@pytest.mark.parametrize("took_effect", [False, True])
def test_an_outcome_is_stored_again_if_the_store_was_cut(
    system: System, monkeypatch: pytest.MonkeyPatch, took_effect: bool
) -> None:
    broker = system.broker("telia", "shared")
    system.mock.next("nordea", dialect="telia", persona=system.adult()["id"])
    browser = Browser(broker.client)
    callback = browser.start(idp_hint="nordea", stop_before="/callback/").url
    store = broker.parts.store
    put, cuts = store.put, [1]

    def cut(*entries: Any, **more: Any) -> None:
        if cuts and any(entry.key.kind == "code" for entry in entries):
            cuts.pop()
            if took_effect:
                put(*entries, **more)
            raise StoreUnavailable("cut")
        put(*entries, **more)

    monkeypatch.setattr(store, "put", cut)
    assert browser.token(browser.open(callback))["idp"] == "nordea"
    assert not cuts
