"""The company check, against the demo's stand-in for PRH's open data and against servers that answer wrongly."""

from __future__ import annotations

import csv
import json
import logging
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from stdnum.fi import ytunnus
from werkzeug import Request, Response

from demo.runner import prh
from registration.flow.company_check import LONGEST_ANSWER, Check, CompanyCheck
from registration.settings.models import CompanyCheckSettings
from tests.harness.customer_register import running_app
from tests.harness.engine.bank_server import Script, after_request, answer, answering, served

ASKED = "9990001-6"
COMPANY: dict[str, Any] = {"businessId": {"value": ASKED}, "names": [], "companySituations": [], "status": "2"}


def company_check(url: str, timeout: float = 5, enabled: bool = True) -> CompanyCheck:
    return CompanyCheck(CompanyCheckSettings(enabled=enabled, url=url, timeout=timeout))


def body_of(*companies: object, total: object = None) -> bytes:
    return json.dumps({"totalResults": len(companies) if total is None else total, "companies": companies}).encode()


def check_of(body: bytes, status: str = "200 OK", asked: str = ASKED) -> Check:
    with served(answering(answer(body, status))) as server:
        return company_check(server.url).check_company(asked)


@pytest.fixture(scope="module")
def prh_url() -> Iterator[str]:
    with running_app(prh.create_app(prh.CUSTOMERS)) as url:
        yield url + prh.PATH


@pytest.fixture(scope="module")
def demo_customers() -> list[dict[str, str]]:
    with prh.CUSTOMERS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_an_ordinary_company_is_active(prh_url: str) -> None:
    check = company_check(prh_url).check_company(ASKED)
    assert check == Check("active")
    assert not check.stops


def test_a_company_that_has_ended_stops_with_that_reason(prh_url: str) -> None:
    check = company_check(prh_url).check_company(prh.ENDED)
    assert check == Check("ceased", "ended")
    assert check.stops


def test_a_bankrupt_company_stops_with_that_reason(prh_url: str) -> None:
    check = company_check(prh_url).check_company(prh.BANKRUPT)
    assert check == Check("ceased", "bankrupt")
    assert check.stops


def test_a_company_that_is_not_in_the_open_data_is_unknown_and_goes_on(prh_url: str) -> None:
    check = company_check(prh_url).check_company(prh.UNKNOWN)
    assert check == Check("unknown")
    assert not check.stops


def test_nobody_is_asked_when_the_check_is_off() -> None:
    with served(answering(answer(body_of()))) as server:
        assert company_check(server.url, enabled=False).check_company(ASKED) == Check("off")
        assert server.requests == []


def test_the_question_is_one_get_with_the_fo_nummer() -> None:
    with served(answering(answer(body_of(COMPANY)))) as server:
        company_check(f"{server.url}/v3/").check_company(ASKED)
        (request,) = server.requests
    assert request.startswith(b"GET /v3/companies?businessId=9990001-6 HTTP/1.1\r\n")


def test_a_bankruptcy_that_is_over_does_not_stop() -> None:
    over = {"type": "KONK", "registrationDate": "2019-01-01", "endDate": "2020-01-01"}
    assert check_of(body_of(COMPANY | {"companySituations": [over]})) == Check("active")
    again = {"type": "KONK", "endDate": None}
    assert check_of(body_of(COMPANY | {"companySituations": [over, again]})) == Check("ceased", "bankrupt")


@pytest.mark.parametrize("code", ["SANE", "SELV", "SOMETHING", "konk ", None, 4])
def test_another_situation_does_not_stop(code: object) -> None:
    assert check_of(body_of(COMPANY | {"companySituations": [{"type": code}]})) == Check("active")


@pytest.mark.parametrize("code", ["0", "1", "2", "3", "4", None])
def test_a_company_that_is_out_of_the_trade_register_only_does_not_stop(code: object) -> None:
    assert check_of(body_of(COMPANY | {"tradeRegisterStatus": code, "endDate": None})) == Check("active")


@pytest.mark.parametrize("absent", ["names", "companySituations", "status"])
def test_what_is_absent_from_the_answer_stops_nobody(absent: str) -> None:
    assert check_of(body_of({name: value for name, value in COMPANY.items() if name != absent})) == Check("active")
    assert check_of(body_of(COMPANY | {absent: None})) == Check("active")


def test_the_company_asked_for_is_found_among_others() -> None:
    other = COMPANY | {"businessId": {"value": "9990002-4"}, "endDate": "2020-01-01"}
    assert check_of(body_of(other, COMPANY)) == Check("active")
    assert check_of(body_of(COMPANY, other), asked="9990002-4") == Check("ceased", "ended")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b"[" * 60_000,
        body_of(COMPANY, total="1"),
        body_of(COMPANY, total=True),
        body_of(COMPANY, total=0),
        body_of(total=1),
        body_of(total=-1),
        b'{"totalResults": 0}',
        b'{"totalResults": 0, "companies": {}}',
        b'{"totalResults": 1, "companies": ["9990001-6"]}',
        body_of(COMPANY | {"businessId": ASKED}),
        body_of(COMPANY | {"businessId": None}),
        body_of(COMPANY | {"businessId": {"value": "9990002-4"}}),
        body_of(COMPANY | {"companySituations": {"type": "KONK"}}),
        body_of(COMPANY | {"companySituations": ["KONK"]}),
        body_of(COMPANY | {"companySituations": [{"type": "KONK", "endDate": 2020}]}),
        body_of(COMPANY | {"endDate": 20200101}),
        body_of(COMPANY | {"endDate": ["2020-01-01"]}),
        body_of(COMPANY).ljust(LONGEST_ANSWER + 1),
    ],
)
def test_an_answer_that_is_not_as_described_is_no_answer(body: bytes) -> None:
    assert check_of(body) == Check("unreachable")


def test_a_long_answer_is_taken() -> None:
    assert check_of(body_of(COMPANY).ljust(LONGEST_ANSWER)) == Check("active")


@pytest.mark.parametrize("status", ["201 Created", "302 Found", "400 Bad", "404 Not Found", "429 Too Many", "503 Down"])
def test_another_status_than_200_is_no_answer(status: str) -> None:
    assert check_of(body_of(COMPANY), status) == Check("unreachable")
    assert not Check("unreachable").stops


@pytest.mark.parametrize(
    "script",
    [after_request(lambda peer: peer.hang()), after_request(lambda peer: peer.drip(answer(body_of(COMPANY)), 0.05))],
    ids=["hangs", "drips"],
)
def test_a_slow_answer_is_cut_at_the_deadline(script: Script) -> None:
    with served(script) as server:
        begun = time.monotonic()
        assert company_check(server.url, 0.3).check_company(ASKED) == Check("unreachable")
        assert time.monotonic() - begun < 3


def test_a_server_that_is_not_there_is_no_answer() -> None:
    with served(answering(b"")) as server:
        url = server.url
    assert company_check(url).check_company(ASKED) == Check("unreachable")


def test_the_log_tells_the_reason_and_not_the_company(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "registration"):
        check_of(body_of(COMPANY | {"businessId": {"value": "9990002-4"}}))
    (record,) = [record for record in caplog.records if record.name.startswith("registration")]
    assert record.getMessage() == "the company check got no usable answer"
    assert vars(record)["reason"] == "the answer is of another company"
    assert "999000" not in str(vars(record))


def test_the_companies_of_the_demo_are_fit_for_it(demo_customers: list[dict[str, str]], prh_url: str) -> None:
    numbers = [line["fo_nummer"] for line in demo_customers]
    assert all(ytunnus.is_valid(number) and re.fullmatch(r"999[0-9]{4}-[0-9]", number) for number in numbers)
    assert len(set(numbers)) == len({line["customer_number"] for line in demo_customers}) == len(demo_customers)
    check = company_check(prh_url)
    checks = {line["company_name"]: check.check_company(line["fo_nummer"]) for line in demo_customers}
    assert sorted(one.state for one in checks.values()) == ["active"] * 12 + ["ceased"] * 2 + ["unknown"]
    assert max(len(name) for name in checks) == 60


def test_the_stand_in_runs_by_its_command() -> None:
    with running_app(lambda _environ, _start: []) as free:
        port = free.rpartition(":")[2]
    with subprocess.Popen([sys.executable, "-m", "demo.runner.prh", "--port", port], stderr=subprocess.PIPE) as process:
        try:
            answered = poll(f"http://127.0.0.1:{port}{prh.PATH}/companies?businessId={ASKED}")
        finally:
            process.terminate()
    assert answered["companies"][0]["names"][0]["name"] == "Testisähkö Oy"


def poll(url: str) -> dict[str, Any]:
    for _ in range(200):
        try:
            return requests.get(url, timeout=5).json()
        except requests.ConnectionError:
            time.sleep(0.05)
    raise TimeoutError


def test_a_redirect_is_not_followed() -> None:
    asked: list[str] = []

    @Request.application
    def app(request: Request) -> Response:
        asked.append(request.path)
        return Response(status=307, headers={"Location": "/elsewhere"})

    with running_app(app) as url:
        assert company_check(url).check_company(ASKED) == Check("unreachable")
    assert asked == ["/companies"]
