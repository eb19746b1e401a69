"""A bank that fails gets no new starts; who has confirmed is tried."""

from __future__ import annotations

import pytest
import responses

from providers.engine.breaker import FAILURES_TO_OPEN
from providers.errors import (
    IdentificationError,
    Unavailable,
)
from providers.registry import PROVIDERS
from tests.harness.engine.adapter import Make
from tests.harness.engine.bank import Bank
from tests.harness.engine.parts import (
    NOW,
    STATE,
    TOKEN_ENDPOINT,
    make_attempt,
    make_request,
    message,
)

NO_ANSWERS: dict[str, tuple[int, str, str | bytes]] = {
    "503": (503, "application/json", "{}"),
    "500 with HTML": (500, "text/html", "<h1>oops"),
    "HTML": (200, "text/html", "<h1>Maintenance"),
    "HTML that says it is JSON": (200, "application/json", "<h1>Maintenance"),
    "text": (200, "text/plain", '{"id_token": "x"}'),
    "nothing": (200, "application/json", ""),
    "a list": (200, "application/json", "[]"),
    "an empty object": (200, "application/json", "{}"),
    "a page of a firewall": (403, "text/html", "<h1>Forbidden"),
    "a bank that is busy, with status 200": (200, "application/json", '{"error": "temporarily_unavailable"}'),
    "4xx without an error": (404, "application/json", "{}"),
    "a redirect": (302, "text/html", ""),
    "too many requests": (429, "application/json", '{"error": "slow_down"}'),
    "a word for it": (400, "application/json", '{"error": "temporarily_unavailable"}'),
}

ANSWERS: dict[str, tuple[int, str, str | bytes]] = {
    "an error about the code": (400, "application/json", '{"error": "invalid_grant"}'),
    "an error with status 200": (200, "application/json", '{"error": "invalid_grant"}'),
    "an error about us": (401, "application/json", '{"error": "invalid_client"}'),
    "an error nobody knows": (400, "application/json", '{"error": "teapot"}'),
    "a token that does not hold": (200, "application/json", '{"id_token": "x", "token_type": "Bearer"}'),
    "tokens and an error": (200, "application/json", '{"id_token": "x", "error": "y"}'),
}


@pytest.mark.parametrize("row", NO_ANSWERS | ANSWERS)
def test_a_bank_that_fails_gets_no_new_starts_and_an_answer_of_any_kind_is_none_of_that(
    net: responses.RequestsMock, make: Make, row: str
) -> None:
    adapter = make()
    status, content_type, body = (NO_ANSWERS | ANSWERS)[row]
    net.post(TOKEN_ENDPOINT, status=status, content_type=content_type, body=body)
    for _ in range(FAILURES_TO_OPEN):
        assert adapter.usable_for("op")
        with pytest.raises(IdentificationError):
            adapter.finish(message(state=STATE, code="x"), STATE, make_attempt(provider="op"), NOW)
    assert adapter.usable_for("op") == (row in ANSWERS)
    assert adapter.usable_for("nordea")
    if row in NO_ANSWERS:
        with pytest.raises(Unavailable):
            adapter.begin(make_request(PROVIDERS["op"]))
    adapter.begin(make_request(PROVIDERS["nordea"]))


def test_who_has_confirmed_is_tried_while_the_breaker_is_open_and_an_answer_closes_it(
    net: responses.RequestsMock, make: Make, bank: Bank
) -> None:
    adapter = make(providers={"op": PROVIDERS["op"]})
    for _ in range(FAILURES_TO_OPEN):
        adapter._http.breakers.failed(None)
    assert not adapter.usable
    net.post(TOKEN_ENDPOINT, json=bank.token_response(adapter.connection))
    identity = adapter.finish(message(state=STATE, code="x"), STATE, make_attempt(provider="op"), NOW)
    assert identity.provider == "op"
    assert adapter.usable


def test_the_failures_of_a_connection_with_one_provider_are_its_own(net: responses.RequestsMock, make: Make) -> None:
    adapter = make(providers={"op": PROVIDERS["op"]})
    net.post(TOKEN_ENDPOINT, status=503)
    for _ in range(FAILURES_TO_OPEN):
        with pytest.raises(Unavailable):
            adapter.finish(message(state=STATE, code="x"), STATE, make_attempt(provider="op"), NOW)
    assert not adapter.usable
