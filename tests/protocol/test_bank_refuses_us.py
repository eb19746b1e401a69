"""A bank that refuses *us*, whichever way: to the person it is a bank that is not available; the log says ERROR."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from mock_idp.faults import FAULTS
from tests.harness.broker import System
from tests.harness.browser import Browser

REFUSES_US = sorted(name for name, fault in FAULTS.items() if fault.expected_code == "config_error")


@pytest.mark.parametrize("fault", REFUSES_US)
def test_the_person_can_choose_another_bank_and_the_operator_is_alarmed(
    system: System, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    dialect = FAULTS[fault].dialects[0]
    broker = system.broker(dialect, "own")
    system.mock.next("nordea", dialect=dialect, persona=system.adult()["id"], faults=[{"name": fault}])
    caplog.set_level(logging.INFO)
    browser = Browser(broker.client)
    arrival = browser.start(idp_hint="nordea")
    assert (arrival.status, "Retry-After" in arrival.page.headers) == (502, False)  # type: ignore[union-attr]
    assert arrival.title.startswith("This method is not available right now")
    assert "Choose another method or try again in a moment." in arrival.text
    rows = {link.rpartition("/")[2] for link in arrival.links() if "/identify/" in link}
    assert {"aktia", "op", "mobile-certificate", "nordea"} <= rows  # the last one is to try again
    told: list[Any] = [record for record in caplog.records if getattr(record, "code", None) == "config_error"]
    assert [record.levelname for record in told] == ["ERROR"]
    system.mock.next("op", dialect=dialect, persona=system.adult()["id"])
    assert browser.token(browser.open(arrival.link("/op")))["idp"] == "op"


def test_the_client_is_told_of_a_server_error(system: System) -> None:
    broker = system.broker("telia", "shared")
    system.mock.next("nordea", dialect="telia", persona=system.adult()["id"], faults=[{"name": "token-invalid-client"}])
    browser = Browser(broker.client)
    arrival = browser.start(idp_hint="nordea")
    back = browser.open(arrival.link("/return/"))
    assert (back.page, back.answer["error"]) == (None, "server_error")
