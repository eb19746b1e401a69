"""Brokers of two versions can share a store: what one of them writes, the other reads."""

from __future__ import annotations

import json
from typing import Any

import pytest

from broker.flow.browser import TransactionCookie
from broker.flow.records import (
    EXTENSION,
    TRANSACTION_LIFETIME,
    UNTOUCHED_LIFETIME,
    Progress,
    ReturnRecord,
    Transaction,
)
from broker.oidc import AuthorizationRequest

NOW = 1_790_000_000
REQUEST = AuthorizationRequest("portal", "https://portal.example/back", "openid", "s", "n", "c" * 43)
OF_THE_VERSION_BEFORE = {
    "id",
    "txn",
    "request",
    "browser",
    "locale",
    "created_at",
    "expires_at",
    "problem",
    "hint_unusable",
}


@pytest.fixture
def transaction() -> Transaction:
    cookie = TransactionCookie.new("portal", NOW)
    return Transaction.new(cookie.transaction, REQUEST, "b" * 64, "fi", NOW)


def stored(transaction: Transaction) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(json.dumps(transaction.entry(NOW).value))
    return value


def test_a_transaction_comes_back_as_it_was_put(transaction: Transaction) -> None:
    for one in (transaction, transaction.acted_on(NOW, Progress.HINTED, "sv").with_unusable_hint()):
        assert Transaction.from_json(stored(one)) == one


def test_a_transaction_of_the_version_before_is_one_that_nobody_has_acted_on(transaction: Transaction) -> None:
    value = {name: held for name, held in stored(transaction).items() if name in OF_THE_VERSION_BEFORE}
    assert Transaction.from_json(value) == transaction


def test_a_transaction_holds_all_that_the_version_before_reads(transaction: Transaction) -> None:
    value = stored(transaction)
    assert value.keys() >= OF_THE_VERSION_BEFORE
    assert value["request"].keys() == {
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "ui_locales",
        "acr_values",
        "max_age",
        "prompt",
        "idp_hint",
    }


def test_each_act_keeps_a_transaction_for_as_long_as_it_must(transaction: Transaction) -> None:
    assert transaction.entry(NOW).ttl == UNTOUCHED_LIFETIME
    first = transaction.acted_on(NOW + 60, Progress.HINTED, "fi")
    assert first.expires_at == NOW + 60 + TRANSACTION_LIFETIME
    assert first.acted_on(NOW + 120, Progress.ACTED, "fi").expires_at == first.expires_at
    assert first.acted_on(NOW + 1500, Progress.ACTED, "fi").expires_at == NOW + 1500 + EXTENSION


def test_what_a_person_acted_on_is_not_taken_for_less_later(transaction: Transaction) -> None:
    acted = transaction.acted_on(NOW, Progress.ACTED, "fi")
    assert acted.acted_on(NOW, Progress.HINTED, "fi").progress is Progress.ACTED


def test_the_record_of_an_attempt_holds_nothing_to_send_to_a_client(transaction: Transaction) -> None:
    kept = ReturnRecord.of(transaction).for_attempt("op", "attempt")
    assert (kept.redirect_uri, kept.state, kept.row, kept.attempt) == ("", None, "op", "attempt")
    assert kept.browser == transaction.browser
