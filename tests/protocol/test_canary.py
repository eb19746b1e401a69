"""Nothing personal and nothing secret stands in a log, a metric, the audit trail, the store or an address."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import redis

from broker.log_fields import FIELDS
from kit.logs import JsonFormatter
from tests.harness.broker import System
from tests.harness.browser import Arrival, Browser

FOREIGN = ("urllib3", "requests", "responses")
"""Loggers of the test's own client, which runs in this process and may log the addresses it asks for."""


class Capture(logging.Handler):
    """Every line the broker's process would write, all loggers at DEBUG."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(JsonFormatter(FIELDS))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def capture() -> Iterator[Capture]:
    handler = Capture()
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(before)


def secrets_of(system: System, browser: Browser, arrivals: list[Arrival], people: list[dict[str, Any]]) -> set[str]:
    """Every value that must stand nowhere."""
    found = {browser.state, browser.nonce, browser.verifier}
    for person in people:
        found |= {person["personal_identity_code"], person["given_name"], person["family_name"]}
    for arrival in arrivals:
        for url in (*arrival.way, arrival.url):
            query = parse_qs(urlsplit(url).query)
            found |= {value for name in ("code", "state", "nonce", "request") for value in query.get(name, [])}
    for sent in system.mock.requests():
        text = json.dumps(sent)
        found |= {value for value in _strings(sent) if len(value) > 30 and value in text}
    found |= set(browser.session.cookies.get_dict().values()) - {"en", "fi", "sv"}
    found |= {token for token in browser.tokens if token}
    return {value for value in found if len(value) > 3}


def _strings(value: Any, name: str = "") -> Iterator[str]:
    """The strings of a captured request under names that are secrets."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _strings(member, key)
    elif isinstance(value, list):
        for member in value:
            yield from _strings(member, name)
    elif isinstance(value, str) and name in {
        "code",
        "state",
        "nonce",
        "client_assertion",
        "request",
        "code_verifier",
        "code_challenge",
        "jti",
    }:
        yield value


def private_members(system: System) -> set[str]:
    """The private members of the broker's keys."""
    members = set()
    for file in system.keys.glob("*.json"):
        for value in _members(json.loads(file.read_text())):
            members.add(value)
    return members


def _members(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, member in value.items():
            if name in {"d", "p", "q", "dp", "dq", "qi", "k"} and isinstance(member, str):
                yield member
            yield from _members(member)


def dump_of(client: redis.Redis) -> bytes:
    """Every key and value of a server of the store."""
    parts = []
    for key in client.scan_iter(count=1000):
        kind = client.type(key)
        value = client.get(key) if kind == b"string" else b"".join(client.lrange(key, 0, -1))
        parts += [key, value or b""]
    client.close()
    return b"\n".join(parts)


def test_nothing_personal_or_secret_is_anywhere(system: System, capture: Capture) -> None:
    broker = system.broker("telia", "shared")
    browser = Browser(broker.client)
    people = system.mock.people()[:3]
    arrivals = []
    for person, faults in zip(people, ([], ["nonce-invalid"], ["token-500"]), strict=True):
        system.mock.next("nordea", persona=person["id"], faults=faults)
        arrival = browser.start(idp_hint="nordea")
        arrivals.append(arrival)
        if not faults:
            browser.token(arrival)
    system.mock.next("aktia", outcome="cancel")
    arrivals.append(browser.start(idp_hint="aktia"))
    wanted = secrets_of(system, browser, arrivals, people) | private_members(system)
    places = {
        "log": "\n".join(
            line for line in capture.lines if json.loads(line).get("logger", "").split(".")[0] not in FOREIGN
        ),
        "metrics": broker.parts.metrics.render().decode(),
        "audit": "\n".join(file.read_text() for file in (system.folder / "audit").iterdir()),
        "store": b"\n".join(dump_of(client) for client in system.store.clients()).decode("latin-1"),
        "addresses": "\n".join(unquote(arrival.url) for arrival in arrivals if arrival.page is not None),
    }
    assert len(wanted) > 30
    assert places["log"]
    assert "identified" in places["audit"]
    for place, text in places.items():
        leaked = [value[:6] for value in wanted if value in text]
        assert leaked == [], f"{len(leaked)} values stand in the {place}"
