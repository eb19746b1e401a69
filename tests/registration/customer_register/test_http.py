"""The customer register over HTTP: what it is asked, and what it may answer."""

from __future__ import annotations

import gzip
import json
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from werkzeug import Request, Response

from registration.customer_register import Customer, RegisterUnavailable, belongs_together
from registration.customer_register.http import LONGEST_ANSWER, HttpRegister
from tests.harness.customer_register import CUSTOMERS, TOKEN, RegisterServer, json_answer, running_register
from tests.harness.engine.bank_server import Peer, Script, after_request, answer, answering, served
from tests.harness.names import HOST, LOOPBACK, looked_up, silent

DESCRIPTION = Path(__file__).parents[3] / "docs" / "openapi-customer-register.yaml"
GOOD = {"customer_number": "100001", "fo_nummer": "9990001-6", "company_name": "Testisähkö Oy"}
ASKED = ("100001", "9990001-6")


@pytest.fixture
def server() -> Iterator[RegisterServer]:
    with running_register() as server:
        yield server


@pytest.fixture
def register(server: RegisterServer) -> HttpRegister:
    return HttpRegister(server.url, TOKEN, 5)


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return yaml.safe_load(DESCRIPTION.read_text())


def refusal(register: HttpRegister) -> str:
    with pytest.raises(RegisterUnavailable) as raised:
        register.find(*ASKED)
    return str(raised.value)


def test_a_customer_is_found_by_both_numbers(register: HttpRegister, server: RegisterServer) -> None:
    assert register.find(*ASKED) == Customer(*ASKED, "Testisähkö Oy")
    assert server.asked == ["/api/customers/100001?fo_nummer=9990001-6"]


@pytest.mark.parametrize(
    "wrong",
    [
        ("100009", "9990001-6", "Testisähkö"),
        ("100001", "9990002-4", "Testisähkö"),
        ("100001", "9990001-6", "Mallbolaget"),
    ],
    ids=["number", "FO-nummer", "name"],
)
def test_whatever_is_wrong_costs_one_call(
    register: HttpRegister, server: RegisterServer, wrong: tuple[str, str, str]
) -> None:
    assert belongs_together(register, *wrong) is None
    assert len(server.asked) == 1


def test_a_number_stands_quoted_in_the_address(register: HttpRegister, server: RegisterServer) -> None:
    assert register.find("1/../2?x#å", "9990001-6") is None
    assert server.asked == ["/api/customers/1/../2?x#å?fo_nummer=9990001-6"]  # one segment of the path, once unquoted
    seen: list[str] = []
    server.instead = lambda request: seen.append(request.environ["REQUEST_URI"]) or Response(status=404)
    register.find("1/../2?x#å", "9990001-6")
    assert seen == ["/api/customers/1%2F..%2F2%3Fx%23%C3%A5?fo_nummer=9990001-6"]


def test_members_of_the_answer_that_are_not_known_are_passed_over(
    register: HttpRegister, server: RegisterServer
) -> None:
    server.instead = lambda _request: json_answer(GOOD | {"invoices": [1]})
    assert register.find(*ASKED) is not None


def test_a_byte_order_mark_in_front_of_an_answer_is_passed_over(register: HttpRegister, server: RegisterServer) -> None:
    server.instead = lambda _request: Response(b"\xef\xbb\xbf" + json.dumps(GOOD).encode())
    assert register.find(*ASKED) == Customer(*ASKED, "Testisähkö Oy")


def test_an_answer_may_say_where_letters_go_and_when_the_contract_ends(
    register: HttpRegister, server: RegisterServer
) -> None:
    more = {
        "email": "Aino@Testi.Example",
        "postal_address": "Katu 1 A \n00100  Helsinki",
        "contract_ends": "2027-12-31",
    }
    server.instead = lambda _request: json_answer(GOOD | more)
    found = register.find(*ASKED)
    assert found is not None
    assert (found.email, found.postal_address) == ("Aino@testi.example", "Katu 1 A, 00100 Helsinki")
    assert found.contract_ends == "2027-12-31"
    server.instead = lambda _request: json_answer(GOOD | {"email": "", "postal_address": None})
    assert register.find(*ASKED) == Customer(*ASKED, "Testisähkö Oy")


@pytest.mark.parametrize(
    "more",
    [
        {"email": "nobody"},
        {"email": ["info@testi.example"]},
        {"postal_address": "Katu 1"},
        {"postal_address": "Katu 1, \u202e00100 Helsinki"},
        {"contract_ends": "31.12.2027"},
        {"contract_ends": 20271231},
    ],
)
def test_an_address_that_is_none_is_no_answer(
    register: HttpRegister, server: RegisterServer, more: dict[str, Any]
) -> None:
    server.instead = lambda _request: json_answer(GOOD | more)
    assert refusal(register) == "an address or the contract's end is not as described"


@pytest.mark.parametrize("status", [201, 204, 400, 401, 403, 429, 500, 503])
def test_another_status_than_200_and_404_is_no_answer(
    register: HttpRegister, server: RegisterServer, status: int
) -> None:
    server.instead = lambda _request: json_answer(GOOD, status)
    assert refusal(register) == "the status is neither 200 nor 404"


def test_the_body_of_a_redirect_is_not_read_to_its_end(register: HttpRegister, server: RegisterServer) -> None:
    sent: list[int] = []
    server.instead = lambda _request: Response(endless(sent), 302, headers={"Location": server.url})
    assert refusal(register) == "the answer is too long"
    assert len(sent) < 10_000


def test_a_packed_answer_is_not_unpacked(register: HttpRegister, server: RegisterServer) -> None:
    asked_for: list[str | None] = []
    packed = gzip.compress(json.dumps(GOOD).encode().ljust(50_000_000))
    assert len(packed) < LONGEST_ANSWER

    def answer_packed(request: Request) -> Response:
        asked_for.append(request.headers.get("Accept-Encoding"))
        return Response(packed, headers={"Content-Encoding": "gzip"})

    server.instead = answer_packed
    assert refusal(register) == "the answer is not JSON"
    assert asked_for == ["identity"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(register: HttpRegister, server: RegisterServer, status: int) -> None:
    elsewhere = f"{server.url}/customers/100001?fo_nummer=9990001-6"
    server.instead = lambda request: Response(status=status, headers={"Location": elsewhere})
    assert refusal(register) == "the status is neither 200 nor 404"
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the answer is not JSON"),
        (b"<html>", "the answer is not JSON"),
        (b'{"company_name": "\xe4"}', "the answer is not JSON"),
        (b"[" * 60_000, "the answer is not JSON"),
        (b"[]", "the answer is no JSON object"),
        (b"null", "the answer is no JSON object"),
        (b"{}", "the answer is of another customer"),
        (json.dumps(GOOD | {"customer_number": "100002"}).encode(), "the answer is of another customer"),
        (json.dumps(GOOD | {"customer_number": 100001}).encode(), "the answer is of another customer"),
        (json.dumps(GOOD | {"fo_nummer": "9990002-4"}).encode(), "the answer is of another customer"),
        (json.dumps(GOOD | {"fo_nummer": None}).encode(), "the answer is of another customer"),
        (json.dumps(GOOD | {"company_name": None}).encode(), "the company's name is no usable text"),
        (json.dumps(GOOD | {"company_name": ["Testi"]}).encode(), "the company's name is no usable text"),
        (json.dumps(GOOD | {"company_name": " "}).encode(), "the company's name is no usable text"),
        (json.dumps(GOOD | {"company_name": "A\nB"}).encode(), "the company's name is no usable text"),
        (json.dumps(GOOD | {"company_name": "\ud800"}).encode(), "the company's name is no usable text"),
        (json.dumps(GOOD | {"company_name": "A" * 256}).encode(), "the company's name is no usable text"),
    ],
)
def test_an_answer_that_is_not_as_described_is_no_answer(
    register: HttpRegister, server: RegisterServer, body: bytes, reason: str
) -> None:
    server.instead = lambda _request: Response(body, content_type="application/json")
    assert refusal(register) == reason


def test_an_answer_may_be_of_64_kib_and_no_more(register: HttpRegister, server: RegisterServer) -> None:
    body = json.dumps(GOOD).encode()
    server.instead = lambda _request: Response(body.ljust(LONGEST_ANSWER), content_type="application/json")
    assert register.find(*ASKED) is not None
    server.instead = lambda _request: Response(body.ljust(LONGEST_ANSWER + 1), content_type="application/json")
    assert refusal(register) == "the answer is too long"


def test_an_answer_without_end_is_cut(register: HttpRegister, server: RegisterServer) -> None:
    sent: list[int] = []
    server.instead = lambda _request: Response(endless(sent), content_type="application/json")
    assert refusal(register) == "the answer is too long"
    assert len(sent) < 10_000


def endless(sent: list[int]) -> Iterator[bytes]:
    """100 MB; counts what was sent of it."""
    for number in range(10_000):
        sent.append(number)
        yield b" " * 10_000


def hang(peer: Peer) -> None:
    peer.hang()


def drip_head(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 200 OK\r\nX-Long: ")
    peer.drip(b"x")


def drip_body(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n")
    peer.drip(b"{")


def drip_sized_body(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 5000\r\n\r\n")
    peer.drip(b"{")


def drip_chunk_size(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n")
    peer.drip(b"0")


def drip_trailer(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ")
    peer.drip(b"x")


@pytest.mark.parametrize(
    "script",
    [hang, drip_head, drip_body, drip_sized_body, drip_chunk_size, drip_trailer],
    ids=lambda script: script.__name__,
)
def test_a_slow_answer_is_cut_at_the_deadline(script: Script) -> None:
    with served(after_request(script)) as slow:
        begun = time.monotonic()
        assert "in time" in refusal(HttpRegister(slow.url, None, 0.3))
        assert time.monotonic() - begun < 3


@pytest.mark.parametrize(
    "script",
    [
        after_request(lambda peer: peer.reset()),
        after_request(lambda peer: peer.send(answer(json.dumps(GOOD).encode())[:-9])),
        after_request(lambda peer: peer.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n{}")),
        answering(b"SSH-2.0-server\r\n\r\n"),
    ],
    ids=["reset", "cut", "cut 404", "not HTTP"],
)
def test_an_answer_that_is_not_whole_is_no_answer(script: Script) -> None:
    with served(script) as broken:
        assert "failed" in refusal(HttpRegister(broken.url, None, 5))


def test_a_name_server_that_says_nothing_is_no_answer_in_time() -> None:
    answered = threading.Event()

    def find() -> list[str]:
        answered.wait(60)
        return []

    with looked_up(find):
        begun = time.monotonic()
        assert "in time" in refusal(HttpRegister(f"http://{HOST}", None, 0.3))
        assert time.monotonic() - begun < 3
        answered.set()


@pytest.mark.allow_hosts(LOOPBACK)
def test_addresses_that_say_nothing_share_the_time() -> None:
    with served(answering(answer())) as server:
        port = int(server.url.rpartition(":")[2])
    with silent(LOOPBACK, port), looked_up(lambda: LOOPBACK):
        begun = time.monotonic()
        assert "in time" in refusal(HttpRegister(f"http://{HOST}:{port}", None, 1))
        assert time.monotonic() - begun < 3


def test_answers_before_the_final_one_are_passed_over() -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    with served(answering(hints + answer(json.dumps(GOOD).encode()))) as server:
        assert HttpRegister(server.url, None, 5).find(*ASKED) is not None


def test_a_register_that_is_not_there_is_no_answer() -> None:
    with running_register() as server:
        url = server.url
    assert "failed" in refusal(HttpRegister(url, None, 5))


def test_proxies_and_credentials_of_the_environment_are_not_used(
    server: RegisterServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    seen: list[str | None] = []
    server.instead = lambda request: seen.append(request.headers.get("Authorization")) or Response(status=404)
    assert HttpRegister(server.url, None, 5).find(*ASKED) is None
    assert seen == [None]


def test_what_one_answer_sets_does_not_come_along_in_the_next(register: HttpRegister, server: RegisterServer) -> None:
    seen: list[str | None] = []

    def set_cookie(request: Any) -> Response:
        seen.append(request.headers.get("Cookie"))
        return Response(status=404, headers={"Set-Cookie": "who=somebody; Path=/"})

    server.instead = set_cookie
    register.find(*ASKED)
    register.find(*ASKED)
    assert seen == [None, None]


def test_the_log_tells_the_reason_and_nothing_of_the_customer(
    register: HttpRegister, server: RegisterServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.instead = lambda _request: json_answer(GOOD | {"fo_nummer": "9990002-4"})
    with caplog.at_level(logging.WARNING, "registration"):
        refusal(register)
    (record,) = [record for record in caplog.records if record.name.startswith("registration")]
    assert record.getMessage() == "the customer register gave no usable answer"
    assert vars(record)["reason"] == "the answer is of another customer"
    assert not any(value in str(vars(record)) for value in (*GOOD.values(), "9990002-4", TOKEN))


def test_the_description_is_valid_openapi(described: dict[str, Any]) -> None:
    validate(described)


def test_the_register_of_these_tests_answers_as_described(server: RegisterServer, described: dict[str, Any]) -> None:
    operation = described["paths"]["/customers/{customer_number}"]["get"]
    path, query = (parameter["schema"] for parameter in operation["parameters"])
    for customer in CUSTOMERS:
        conforms(described, path, customer.customer_number)
        conforms(described, query, customer.fo_nummer)
        found = ask(server, customer.customer_number, customer.fo_nummer)
        assert found.status_code == 200
        conforms(described, operation["responses"]["200"]["content"]["application/json"]["schema"], found.json())
    answered = {ask(server, "100009", "9990001-6").status_code, ask(server, "100001", "9990001-6", "x").status_code}
    assert {"200", *map(str, answered)} | {"503"} == set(operation["responses"])


def test_the_examples_of_the_description_fit_it(described: dict[str, Any]) -> None:
    operation = described["paths"]["/customers/{customer_number}"]["get"]
    media = operation["responses"]["200"]["content"]["application/json"]
    conforms(described, media["schema"], media["example"])
    for parameter in operation["parameters"]:
        conforms(described, parameter["schema"], parameter["example"])


def conforms(described: dict[str, Any], schema: dict[str, Any], value: object) -> None:
    Draft202012Validator({**schema, "components": described["components"]}).validate(value)


def ask(server: RegisterServer, number: str, fo_nummer: str, token: str = TOKEN) -> requests.Response:
    url = f"{server.url}/customers/{number}"
    return requests.get(url, {"fo_nummer": fo_nummer}, headers={"Authorization": f"Bearer {token}"}, timeout=5)
