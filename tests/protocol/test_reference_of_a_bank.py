"""The bank's own reference of an event: whatever it holds, the person is identified and the trail stays text."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from broker.audit import verify
from tests.harness.broker import System
from tests.harness.browser import Browser


@pytest.mark.parametrize(
    ("subject", "written"),
    [("line\nbreak", r"line\u000abreak"), ("bell\x07\u202e", r"bell\u0007\u202e"), ("a b", "a b")],
)
def test_a_subject_that_is_no_printable_text_is_written_visibly(
    system: System, monkeypatch: pytest.MonkeyPatch, subject: str, written: str
) -> None:
    broker = system.broker("isb", "own")
    monkeypatch.setattr("mock_idp.protocol.id_token.secrets", SimpleNamespace(token_hex=lambda _: subject))
    system.mock.next("nordea", dialect="isb", persona=system.adult()["id"])
    browser = Browser(broker.client)
    claims = browser.token(browser.start(idp_hint="nordea"))
    folder = broker.parts.settings.audit.dir
    records = [json.loads(line) for file in folder.glob("*.jsonl") for line in file.read_text().splitlines()]
    (identified,) = [r for r in records if r.get("txn") == claims["txn"] and r["event"] == "identified"]
    assert identified["reference"] == written
    assert verify(folder).findings == []
