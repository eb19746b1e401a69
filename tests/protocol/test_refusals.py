"""The refusal table: every fault of the mock banks x every dialect x every provider.

A row says how the bank is bent and what must follow: code and step in the log, the page with its status and a
way on, no code for the client, nothing personal anywhere. Faults that must be tolerated end in an identity.
`make test` sends each fault through one provider per dialect, `make check` through all eleven.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any
from zlib import crc32

import pytest

from broker.log_fields import FIELDS
from broker.pages.texts import PROBLEMS
from demo.runner.configs import PROVIDERS
from kit.logs import JsonFormatter
from mock_idp.faults import FAULTS, Fault
from mock_idp.faults.model import Where
from tests.harness.broker import IMPATIENT, Broker, System
from tests.harness.browser import Arrival, Browser
from tests.harness.tables import rows

DIALECTS_DIFFER = {Where.CLAIMS, Where.RESPONSE}
"""What dialects name otherwise: claims, and the words of errors. Signature, encryption and keys are the same code."""


def every_row() -> Iterator[tuple[str, bool, tuple[Any, ...]]]:
    """A fault through one provider; in one dialect, or in each where the dialects differ."""
    for place, fault in enumerate(FAULTS.values()):
        for number, dialect in enumerate(fault.dialects):
            usual = fault.where in DIALECTS_DIFFER or number == place % len(fault.dialects)
            chosen = PROVIDERS[crc32(f"{dialect}{fault.name}".encode()) % len(PROVIDERS)]
            for provider in PROVIDERS:
                row = (dialect, provider, fault)
                yield f"{dialect}-{provider}-{fault.name}", usual and provider == chosen, row


class Story(logging.Handler):
    """Everything that was logged, and the fields of each request's line."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.requests: list[dict[str, Any]] = []
        self.setFormatter(JsonFormatter(FIELDS))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))
        if record.getMessage() == "request":
            self.requests.append(dict(record.__dict__))

    def refusal(self) -> tuple[str | None, str | None]:
        """Code and step of the last request that told of a refusal."""
        told = [fields for fields in self.requests if fields.get("code")]
        return (told[-1].get("code"), told[-1].get("step")) if told else (None, None)


@pytest.fixture
def story() -> Iterator[Story]:
    handler = Story()
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    logging.getLogger("tunnus").setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(before)


@pytest.mark.parametrize(("dialect", "provider", "fault"), list(rows(every_row())))
def test_a_bent_answer_gets_its_page_and_no_code(
    system: System, story: Story, dialect: str, provider: str, fault: Fault
) -> None:
    broker = system.broker(dialect, "own")
    warm(system, broker, provider, dialect)
    if "seconds" in fault.options:
        system.wait_for_banks(IMPATIENT)
    story.requests.clear()
    persona = system.adult()
    system.mock.next(provider, dialect=dialect, persona=persona["id"], faults=[shortened(fault)])
    browser = Browser(broker.client)
    arrival = browser.start(idp_hint=provider)
    if fault.tolerated:
        assert browser.token(arrival)["idp"] == provider
    elif fault.no_answer:
        assert arrival.page is not None
        assert arrival.url.startswith(system.mock_url)
    else:
        refused(arrival, story, broker, fault)
    nothing_personal(story, persona)


def refused(arrival: Arrival, story: Story, broker: Broker, fault: Fault) -> None:
    """The page, the way on, the log."""
    assert fault.expected_code is not None
    assert arrival.page is not None, f"not refused: {arrival.url}"
    assert story.refusal() == (fault.expected_code, fault.expected_step)
    status = {"cancelled": 200, "bad_request": 400}.get(fault.expected_code)
    assert arrival.status == (status or PROBLEMS[fault.expected_code].status)
    assert arrival.page.headers["Content-Type"].startswith("text/html")
    assert "<script>alert" not in arrival.text
    assert "Traceback" not in arrival.text
    ways = [link for link in arrival.links() if any(way in link for way in ("/identify/", "/choose/", "/return/"))]
    homes = [link["uri"] for link in broker.config["brand"]["home_links"]]
    assert ways or any(link in homes for link in arrival.links())


def shortened(fault: Fault) -> dict[str, Any]:
    """A fault that waits does so for longer than the broker, which the system has made impatient."""
    return {"name": fault.name} | ({"seconds": 2.0} if "seconds" in fault.options else {})


def warm(system: System, broker: Broker, provider: str, dialect: str) -> None:
    """Let the broker have the bank's keys, as it has on any day but the first."""
    adapter = broker.parts.flow.adapters[provider]
    if adapter._bank_keys._fetched_at is None:
        system.mock.next(provider, dialect=dialect, persona=system.adult()["id"])
        browser = Browser(broker.client)
        browser.token(browser.start(idp_hint=provider))
    adapter._bank_keys._forced.fill()


def nothing_personal(story: Story, persona: dict[str, Any]) -> None:
    """No line of any logger names the person."""
    text = "\n".join(story.lines)
    for name in ("personal_identity_code", "given_name", "family_name"):
        assert persona[name] not in text
