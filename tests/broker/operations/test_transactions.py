"""What customer service learns of an identification by the code on a page; and that it learns of no person."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from broker.app import create_app
from broker.audit import AuditTrail
from broker.audit.lookup import look_up
from broker.settings import Settings
from kit.status.page import BY_A_PROXY
from tests.broker.conftest import NOW, Data
from tests.broker.oidc.test_openapi import conforms, document

assert document  # the fixture

TXN = "K7QF2M4AK7QF2M4AK7QF2M4AK7"
OTHER = "K7QF2M4AZZZZZZZZZZZZZZZZZZ"

Record = Callable[..., None]


@pytest.fixture
def trail(data: Data) -> Path:
    data["audit"]["lookup"] = True
    return Path(data["audit"]["dir"])


@pytest.fixture
def record(trail: Path) -> Record:
    """Writes a record; in the file of a process of its own if it is told so."""
    clock = {"now": float(NOW)}
    writers = [AuditTrail(trail, lambda: clock["now"])]

    def write(event: str, txn: str = TXN, *, by_another: bool = False, **facts: Any) -> None:
        clock["now"] += 1
        if by_another:
            writers.append(AuditTrail(trail, lambda: clock["now"]))
        writers[-1].record(event, txn=txn, client="portal", provider="nordea", **facts)

    return write


@pytest.fixture
def port(data: Data, made_keys: Path, trail: Path) -> FlaskClient:
    data["keys"]["dir"] = str(made_keys)
    app = create_app(Settings.model_validate(data), clock=lambda: NOW)
    second: FlaskClient = app.extensions["tunnus"].operations.test_client()
    return second


def asked(port: FlaskClient, txn: str) -> dict[str, Any]:
    answer = port.get("/transactions", query_string={"txn": txn})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    told: dict[str, Any] = answer.get_json()
    return told


def test_it_tells_what_came_of_each_transaction_and_nothing_of_the_person(
    port: FlaskClient, record: Record, document: dict[str, Any]
) -> None:
    record("refused", step="response", code="cancelled")
    record("refused", OTHER, step="token", code="unavailable")
    record("identified", by_another=True, sub="of-a-person", reference="of-the-bank", acr="loatest2", auth_time=NOW)
    told = asked(port, "k7qf-2m4a")
    conforms(document, "Transactions", told)
    assert told["more"] is False
    seen = [(one["txn"], one["event"], one["outcome"], one["code"]) for one in told["transactions"]]
    assert seen == [
        (TXN, "identified", "identified", None),
        (OTHER, "refused", "refused", "unavailable"),
        (TXN, "refused", "identified", "cancelled"),
    ]
    assert "of-" not in str(told)
    assert asked(port, TXN)["transactions"][0]["time"] == "2026-09-21T14:13:23.000Z"
    assert asked(port, "AAAAAAAA") == {"transactions": [], "more": False}


def test_before_the_first_record_there_is_nothing(port: FlaskClient) -> None:
    assert asked(port, TXN) == {"transactions": [], "more": False}


@pytest.mark.parametrize("txn", ["", "K7QF2M4", "K7QF2M4!", "K" * 27, '"txn":"', "K7QF2M4A\n0"])
def test_less_than_a_page_shows_is_refused(port: FlaskClient, txn: str, record: Record) -> None:
    record("identified")
    answer = port.get("/transactions", query_string={"txn": txn})
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")


def test_it_is_there_only_if_it_is_asked_for(data: Data, made_keys: Path) -> None:
    data["keys"]["dir"] = str(made_keys)
    port = create_app(Settings.model_validate(data)).extensions["tunnus"].operations.test_client()
    assert port.get("/transactions", query_string={"txn": TXN}).status_code == 404


def test_nobody_who_comes_through_a_proxy_is_told(port: FlaskClient, record: Record) -> None:
    record("identified")
    for name in BY_A_PROXY:
        answer = port.get("/transactions", query_string={"txn": TXN}, headers={name: "192.0.2.1"})
        assert (answer.status_code, TXN in answer.text) == (403, False), name


def test_a_look_up_reads_a_bounded_part_of_the_trail_and_says_so(record: Record, trail: Path) -> None:
    for _ in range(4):
        record("refused", step="response", code="cancelled", by_another=True)
    size = max(file.stat().st_size for file in trail.glob("*.jsonl"))
    assert (len(look_up(trail, TXN).records), look_up(trail, TXN).more) == (4, False)
    some = look_up(trail, TXN, most_bytes=2 * size)
    assert (len(some.records), some.more) == (2, True)
    assert some.records[0]["time"] == look_up(trail, TXN).records[0]["time"], "the newest first"
    few = look_up(trail, TXN, most_records=3)
    assert (len(few.records), few.more) == (3, True)


def test_a_long_file_is_read_from_its_end_in_whole_lines(
    record: Record, trail: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        record("refused", step="response", code=f"code-{number}")
    for block in (1, 100, 333):
        monkeypatch.setattr("broker.audit.lookup._BLOCK", block)
        monkeypatch.setattr("broker.audit.lookup._LONGEST_LINE", 1000)
        codes = [one["code"] for one in look_up(trail, TXN).records]
        assert codes == [f"code-{number}" for number in reversed(range(30))], block
