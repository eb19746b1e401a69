"""One usable Host header, or 400."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from flask import Flask

from demo.runner.processes import free_port
from kit.serving.host import is_host_usable, refuse_unusable_host
from tests.harness.broker import Served

USABLE = ["id.energy.fi", "id.energy.fi:443", "127.0.0.1:8000", "[::1]:8000", "[::ffff:127.0.0.1]", "broker_1", "a:"]
UNUSABLE = [
    "",
    " ",
    "a.example, b.example",
    "a.example,a.example",
    "a.example b.example",
    "user@a.example",
    "a.example/path",
    "http://a.example",
    "a.example:port",
    "a.example:65536",
    "a.example:1:2",
    "[::1",
    "::1",
    "a\\b",
    "ä.example",
    'a"><script>',
    "a.example\x00",
    "a" * 256,
]


@pytest.mark.parametrize("host", USABLE)
def test_a_host_with_or_without_a_port_will_do(host: str) -> None:
    assert is_host_usable({"HTTP_HOST": host, "SERVER_PROTOCOL": "HTTP/1.1"})


@pytest.mark.parametrize("host", UNUSABLE)
def test_anything_else_will_not(host: str) -> None:
    assert not is_host_usable({"HTTP_HOST": host, "SERVER_PROTOCOL": "HTTP/1.1"})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    app = Flask("tiny")
    refuse_unusable_host(app)
    app.add_url_rule("/", "home", lambda: "well")
    port = free_port()
    served = Served(app, port)
    yield port
    served.close()


def status(port: int, *lines: str, path: str = "/", version: str = "1.1") -> int:
    """What a request with these header lines gets, written byte by byte."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as wire:
        head = [f"GET {path} HTTP/{version}", *lines, "Connection: close", "", ""]
        wire.sendall("\r\n".join(head).encode("latin-1"))
        return int(wire.makefile("rb").readline().split()[1])


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["Host: a.example"], 200),
        (["Host: a.example", "Host: a.example"], 400),
        (["Host: a.example", "Host: b.example"], 400),
        (["Host: a.example", "host: b.example"], 400),
        (["Host: a.example", "X-Other: 1", "Host:"], 400),
        (["Host:"], 400),
        ([], 400),
    ],
)
def test_two_or_none_get_400_on_the_wire(port: int, lines: list[str], expected: int) -> None:
    assert status(port, *lines) == expected


def test_the_older_protocol_need_not_name_a_host(port: int) -> None:
    assert status(port, version="1.0") == 200
    assert status(port, "Host: a", "Host: b", version="1.0") == 400
