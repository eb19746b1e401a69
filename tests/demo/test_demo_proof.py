"""The proof tells what is wrong with a token, and the client tells where a way ended."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import responses

from demo.runner.client import NotIdentified, follow
from demo.runner.configs import PROVIDERS
from demo.runner.mock_banks import MockBanks
from demo.runner.proof import differences, prove
from demo.runner.stack import Stack
from demo.runner.try_all import CONTRACTS, rows_of

PERSONA = {"given_name": "Aino", "family_name": "Koe", "birthdate": "1980-02-29"}
CLAIMS: dict[str, Any] = {
    **PERSONA,
    "name": "Aino Koe",
    "acr": "http://ftn.ficora.fi/2017/loatest2",
    "idp": "nordea",
    "sub": "s",
    "txn": "t",
    "at_hash": "h",
}


def test_a_right_token_has_no_differences() -> None:
    assert differences(CLAIMS, PERSONA, "nordea") is None


@pytest.mark.parametrize("claim", [name for name in CLAIMS if name != "name"])
def test_a_missing_claim_is_told(claim: str) -> None:
    assert claim in (differences({k: v for k, v in CLAIMS.items() if k != claim}, PERSONA, "nordea") or "")


def test_a_personal_identity_code_is_never_right() -> None:
    found = differences(CLAIMS | {"personal_identity_code": "x"}, PERSONA, "nordea")
    assert "personal_identity_code" in (found or "")


def test_a_contract_that_cannot_select_must_name_no_provider() -> None:
    assert "idp" in (differences(CLAIMS, PERSONA, None) or "")


def test_there_are_fifty_six_rows() -> None:
    rows = [(dialect, shape, row) for dialect, shape in CONTRACTS for row, _, _ in rows_of(dialect, shape)]
    assert len(rows) == len(set(rows)) == 4 * len(PROVIDERS) + len(PROVIDERS) + 1 == 56


def test_one_identification_is_proved(stack: Stack, mock: MockBanks) -> None:
    assert prove(stack.client, mock, "aktia", "aktia", mock.people()[0], "aktia").problem is None


def test_another_person_than_the_persona_is_told(stack: Stack, mock: MockBanks) -> None:
    first, second = mock.people()[:2]
    mock.next("aktia", persona=second["id"])
    problem = prove(stack.client, mock, "aktia", "aktia", first, "aktia").problem
    assert problem is not None
    assert "given_name" in problem


def test_a_page_on_the_way_is_told_with_its_title(stack: Stack, mock: MockBanks) -> None:
    mock.next("aktia", outcome="cancel")
    problem = prove(stack.client, mock, "aktia", "aktia", mock.people()[0], "aktia").problem
    assert problem is not None
    assert problem.startswith("NotIdentified: a page: 200")


def test_redirects_without_end_are_told() -> None:
    with responses.RequestsMock() as wire, requests.Session() as browser:
        wire.get("http://127.0.0.1:1/", status=302, headers={"Location": "http://127.0.0.1:1/"})
        with pytest.raises(NotIdentified, match="without end"):
            follow(browser, "http://127.0.0.1:1/", "http://127.0.0.1:9/callback")
