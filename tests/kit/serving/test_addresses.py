"""The client's address behind proxies: every form they write is read, and what is none is not everybody's."""

from __future__ import annotations

import logging

import pytest
from flask import Flask, request

from kit.serving.addresses import (
    ANOTHER_PROXY,
    FEWER,
    MISSING,
    NO_ADDRESS,
    client_address,
    read_address,
    use_client_address,
)
from kit.serving.networks import network_of, networks_of

FORMS = [
    ("192.0.2.7", "192.0.2.7"),
    (" 192.0.2.7\t", "192.0.2.7"),
    ("192.0.2.7:4711", "192.0.2.7"),
    ("192.0.2.7:", "192.0.2.7"),
    ('"192.0.2.7:4711"', "192.0.2.7"),
    ("2001:db8::7", "2001:db8::7"),
    ("2001:DB8:0:0::7", "2001:db8::7"),
    ("[2001:db8::7]", "2001:db8::7"),
    ("[2001:db8::7]:4711", "2001:db8::7"),
    ('"[2001:db8::7]:4711"', "2001:db8::7"),
    ("2001:db8:0:0:0:0:0:7:4711", "2001:db8::7"),
    ("fe80::1%eth0", "fe80::1"),
    ("[fe80::1%25eth0]:80", "fe80::1"),
    ("::ffff:192.0.2.7", "192.0.2.7"),
    ("[::ffff:192.0.2.7]:4711", "192.0.2.7"),
    ("::ffff:c000:207", "192.0.2.7"),
    ("", None),
    ("unknown", None),
    ("_hidden", None),
    ("unix:", None),
    ("0.0.0.0", None),
    ("[::]:80", None),
    ("192.0.2", None),
    ("192.0.2.256", None),
    ("192.0.2.7:port", None),
    ("192.0.2.7:471100", None),
    ("[192.0.2.7", None),
    ("[2001:db8::7]4711", None),
    ("2001:db8::7::1", None),
    ("example.com", None),
    ("2130706433", None),
    ("[" * 10_000 + ":" * 10_000, None),
]


@pytest.mark.parametrize(("entry", "address"), FORMS)
def test_every_form_that_proxies_write_is_read(entry: str, address: str | None) -> None:
    assert read_address(entry) == address


@pytest.mark.parametrize(
    ("forwarded", "proxies", "address"),
    [
        (None, 0, "198.51.100.1"),
        ("192.0.2.7", 0, "198.51.100.1"),
        ("192.0.2.7", 1, "192.0.2.7"),
        ("203.0.113.9, 192.0.2.7:4711", 1, "192.0.2.7"),
        ("203.0.113.9,192.0.2.7", 1, "192.0.2.7"),
        ("203.0.113.9, 192.0.2.7, 10.0.0.1", 2, "192.0.2.7"),
        ('"203.0.113.9, 192.0.2.7, 10.0.0.1', 2, "192.0.2.7"),
        (",,192.0.2.7, 10.0.0.1", 2, "192.0.2.7"),
        ("unknown, 192.0.2.7", 1, "192.0.2.7"),
        ("," * 9_000 + "192.0.2.7", 1, "192.0.2.7"),
    ],
)
def test_the_nth_from_the_right_counts_and_the_clients_own_claim_never(
    forwarded: str | None, proxies: int, address: str
) -> None:
    assert client_address(forwarded, "198.51.100.1", proxies) == (address, None)


def test_an_empty_entry_does_not_let_the_clients_claim_move_up() -> None:
    assert client_address("203.0.113.9,", "198.51.100.1", 1) == (None, NO_ADDRESS)
    assert client_address("203.0.113.9, unknown, 10.0.0.1", "198.51.100.1", 2) == (None, NO_ADDRESS)


SAYING_NOTHING = ["unknown", "UNKNOWN", "", " ", "unix:", "-", "0.0.0.0", '"::"', '"unknown"']
SAYING_NOTHING += ["localhost:80", "unknown:4711", "unix:/run/front.sock", ":4711", "-:0"]


@pytest.mark.parametrize("entry", SAYING_NOTHING)
def test_an_entry_that_says_nothing_is_nobodys_address(entry: str) -> None:
    assert client_address(entry, "198.51.100.1", 1) == (None, NO_ADDRESS)


def test_without_the_header_the_proxys_address_is_not_everybodys() -> None:
    assert client_address(None, "198.51.100.1", 1) == (None, MISSING)


def test_what_cannot_be_read_counts_by_itself() -> None:
    first, wrong = client_address("203.0.113.9, client-one", "198.51.100.1", 1)
    other, _ = client_address("client-two", "198.51.100.1", 1)
    again, _ = client_address("Client-One", "198.51.100.2", 1)
    assert wrong == NO_ADDRESS
    assert first == again != other
    assert networks_of(first) == (first,)
    assert "client" not in (first or "")


def test_with_too_few_entries_no_claim_is_taken_for_an_address_and_each_counts_by_itself() -> None:
    first, wrong = client_address("192.0.2.7:4711", "198.51.100.1", 2)
    assert wrong == FEWER
    assert first == client_address("192.0.2.7:4712", "198.51.100.1", 2)[0]
    assert first != client_address("192.0.2.8", "198.51.100.1", 2)[0]
    assert read_address(first or "") is None
    assert network_of(first) == first


def test_a_private_address_after_a_public_one_hints_at_another_proxy() -> None:
    assert client_address("8.8.8.8, 10.0.0.5", "10.0.0.1", 1) == ("10.0.0.5", ANOTHER_PROXY)
    assert client_address("8.8.8.8, 10.0.0.5", "10.0.0.1", 2) == ("8.8.8.8", None)
    assert client_address("10.0.0.4, 10.0.0.5", "10.0.0.1", 1) == ("10.0.0.5", None)


def app_behind(proxies: int) -> Flask:
    """An application that says whom it is asked by."""
    app = Flask(__name__)
    use_client_address(app, proxies)
    app.add_url_rule("/", "home", lambda: str(request.remote_addr))
    app.add_url_rule("/livez", "livez", lambda: str(request.remote_addr))
    return app


def test_every_request_has_the_clients_address() -> None:
    client = app_behind(1).test_client()
    assert client.get("/", headers={"X-Forwarded-For": "1.2.3.4, [2001:db8::7]:80"}).text == "2001:db8::7"
    two_headers = [("X-Forwarded-For", "1.2.3.4"), ("X-Forwarded-For", "192.0.2.7")]
    assert client.get("/", headers=two_headers).text == "192.0.2.7"
    assert client.get("/", headers={"Forwarded": "for=192.0.2.7"}).text == "None"


def test_what_is_wrong_is_in_the_log_once_with_its_mend_and_without_an_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = app_behind(1).test_client()
    client.get("/livez")
    assert caplog.records == []
    with caplog.at_level(logging.ERROR):
        for number in range(3):
            client.get("/", headers={"X-Forwarded-For": f"client-{number}"})
            client.get("/")
    reasons = [getattr(record, "reason") for record in caplog.records]  # noqa: B009
    assert reasons == [f"{NO_ADDRESS} (it looks like xxxxxx-0)", MISSING]
    assert "let the proxy" in reasons[0]
