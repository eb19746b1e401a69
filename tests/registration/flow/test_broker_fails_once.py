"""The broker could not answer a token request: registration sends it again, once."""

from __future__ import annotations

from typing import Any

import pytest

from broker.audit import AuditTrail, AuditUnavailable
from demo.runner.client import SECONDS
from tests.harness.registration import Site
from tests.registration.flow.test_identification import answer_of


def fail(site: Site, monkeypatch: pytest.MonkeyPatch, times: int) -> list[str]:
    """Let the broker's disk be full for so many hand-overs; every one that was tried."""
    trail: AuditTrail = site.harness.broker.extensions["tunnus"].audit
    record, tried = trail.record, []

    def full(event: str, **fields: Any) -> None:
        if event == "handed_over":
            tried.append(event)
            if len(tried) <= times:
                raise AuditUnavailable("No space left on device")
        record(event, **fields)

    monkeypatch.setattr(trail, "record", full)
    return tried


@pytest.mark.parametrize(("times", "lands", "tries"), [(0, "/form", 1), (1, "/form", 2), (2, "/problem/", 2)])
def test_a_token_request_is_sent_again_once(
    site: Site, monkeypatch: pytest.MonkeyPatch, times: int, lands: str, tries: int
) -> None:
    person = site.registrant()
    tried = fail(site, monkeypatch, times)
    landed = person.browser.get(answer_of(person), timeout=SECONDS)
    assert landed.url.startswith(f"{person.registration}{lands}")
    assert len(tried) == tries
    if times == 2:
        assert landed.status_code == 503
