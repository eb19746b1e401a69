"""A refused authorization request: logged, counted and kept, so that the client's developer can be told why."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient

from broker.log_fields import FIELDS
from broker.oidc.refused import (
    LIFETIME,
    MOST,
    MOST_A_MINUTE,
    RefusedRequest,
    RefusedRequests,
    kept_requests,
    shown,
    shown_address,
)
from kit import logs
from kit.logs import JsonFormatter
from tests.harness.openid_provider import Harness

CALLBACK = "https://portal.example/callback"


@pytest.fixture
def browser(harness: Harness) -> FlaskClient:
    """The provider's application, with a line for each request."""
    app: Flask = harness.browser.application
    logs.log_each_request(app, FIELDS, lambda *_: None)
    return app.test_client()


def line_of(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    """The line of the only request, as it is written."""
    (record,) = [record for record in caplog.records if record.getMessage() == "request"]
    line: dict[str, Any] = json.loads(JsonFormatter(FIELDS).format(record))
    return line


def kept(harness: Harness) -> list[RefusedRequest]:
    return kept_requests(harness.store, harness.op.clients, 0)


@pytest.mark.parametrize(
    ("changes", "client", "reason"),
    [
        ({"client_id": None}, None, "client_id is missing"),
        ({"client_id": "stranger"}, None, "client_id is not known"),
        ({"client_id": "p" * 513}, None, "client_id must be printable ASCII"),
        ({"redirect_uri": None}, "portal", "redirect_uri is missing"),
        ({"redirect_uri": "https://portal.example/callbäck"}, "portal", "redirect_uri must be printable ASCII"),
        ({"redirect_uri": f"{CALLBACK}/"}, "portal", "redirect_uri is not registered"),
    ],
)
def test_a_page_has_the_code_by_which_log_and_store_know_why(
    harness: Harness,
    browser: FlaskClient,
    caplog: pytest.LogCaptureFixture,
    changes: dict[str, Any],
    client: str | None,
    reason: str,
) -> None:
    caplog.set_level("INFO")
    response = browser.get("/authorize", query_string=harness.request(**changes))
    line, (one,) = line_of(caplog), kept(harness)
    assert response.status_code == 400
    assert response.get_data(as_text=True).endswith(line["txn"])
    assert line["reason"].startswith(reason)
    assert (line.get("client"), line["outcome"]) == (client, "refused")
    assert line["sent_redirect_uri"] == shown_address(changes.get("redirect_uri", CALLBACK) or "")
    assert (one.client, one.reason, one.reference, one.error) == (client, line["reason"], line["txn"], None)
    assert harness.refused == [{"client": client, "error": "page"}]


def test_a_repeated_address_is_said_to_be(harness: Harness) -> None:
    harness.authorize([*harness.request().items(), ("redirect_uri", CALLBACK)])
    assert kept(harness)[0].reason == "redirect_uri is there more than once: send it once"


def test_what_the_client_is_told_by_a_redirect_is_kept_too(
    harness: Harness, browser: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    browser.get("/authorize", query_string=harness.request(nonce=None))
    (one,) = kept(harness)
    assert (one.client, one.error, one.reference) == ("portal", "invalid_request", None)
    assert "nonce" in one.reason
    assert line_of(caplog)["reason"] == f"invalid_request: {one.reason}"
    assert harness.refused == [{"client": "portal", "error": "invalid_request"}]


def test_nothing_else_of_the_request_is_kept_or_logged(
    harness: Harness, browser: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    secret = {"state": "SECRETS", "nonce": "SECRETN", "login_hint": "SECRETL", "code": "SECRETC", "scope": "SECRETO"}
    address = f"https://user:SECRETU@portal.example/other?{urlencode(secret)}#SECRETF"
    page = browser.get("/authorize", query_string=harness.request(redirect_uri=address) | secret)
    text = page.get_data(as_text=True) + repr(kept(harness)) + "".join(str(vars(record)) for record in caplog.records)
    assert "SECRET" not in text
    assert kept(harness)[0].sent_redirect_uri == (
        "https://portal.example/other?state=…&nonce=…&login_hint=…&code=…&scope=…"
    )


@pytest.mark.parametrize(
    ("address", "as_shown"),
    [
        ("https://portal.example/callback/", "https://portal.example/callback/"),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ("https://portal.example/x\r\nSet-Cookie: a", "https://portal.example/x··Set-Cookie: a"),
        ("https://portal.example/ä?å=ö", "https://portal.example/·?·=…"),
        ("https://[portal.example/x?state=1", "https://[portal.example/x"),
        ("https://portal.example/010190-999R", "https://portal.example/(withheld)"),
        ("", ""),
    ],
)
def test_an_address_is_shown_printable_and_without_values(address: str, as_shown: str) -> None:
    assert shown_address(address) == as_shown


def test_what_is_shown_is_bounded() -> None:
    assert shown("x" * 65, 64) == "x" * 64 + "…"
    assert len(shown_address("https://portal.example/" + "y" * 9000)) <= 301
    assert len(shown_address("https://portal.example/?" + "y&" * 9000)) <= 900


def test_junk_takes_no_more_room_however_much_is_sent(harness: Harness) -> None:
    for number in range(3 * MOST):
        harness.clock.now += 60 / MOST_A_MINUTE
        harness.authorize(client_id=f"stranger{number}", redirect_uri=f"https://evil.example/{number}")
        harness.authorize(redirect_uri=f"https://evil.example/{number}")
    clients = [one.client for one in kept(harness)]
    assert (clients.count(None), clients.count("portal")) == (MOST, MOST)


def test_a_flood_is_counted_but_only_some_of_a_minute_is_kept(harness: Harness) -> None:
    for _ in range(MOST_A_MINUTE + 5):
        harness.authorize(client_id="stranger")
    harness.authorize(redirect_uri="https://portal.example/wrong")
    assert [one.client for one in kept(harness)].count(None) == MOST_A_MINUTE
    assert [one.client for one in kept(harness)].count("portal") == 1
    assert len(harness.refused) == MOST_A_MINUTE + 6


def test_the_oldest_fall_off_and_what_is_too_old_is_not_listed(harness: Harness) -> None:
    refused = RefusedRequests(harness.store, harness.clock, lambda **facts: None)
    for number in range(MOST + 1):
        harness.clock.now += 60
        refused.add(str(number), client="portal", sent_client_id="portal", sent_redirect_uri=CALLBACK)
    found = kept_requests(harness.store, ["portal"], harness.clock() - LIFETIME)
    assert [one.reason for one in found] == [str(number) for number in range(MOST - 60, MOST + 1)]
    assert len(kept(harness)) == MOST


def test_without_the_store_the_browser_gets_its_page_all_the_same(harness: Harness) -> None:
    harness.store.broken = True
    assert harness.authorize(client_id="stranger").status_code == 400
    assert len(harness.refused) == 1
