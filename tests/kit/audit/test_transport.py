"""The ways to a collector: what goes over the wire, and what counts as taken."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request

from demo.runner.processes import free_port
from kit.audit.heads import Head
from kit.audit.settings import CollectorSettings
from kit.audit.transport import NotSent, Signed, transport_of
from tests.harness.certificates import certificate, context
from tests.harness.collector import SyslogServer
from tests.harness.serving import Served

ONE = Signed(Head("audit-a.jsonl", 7, "ab" * 32), "eyJh.eyJi.c", 1_790_000_000.25)
TWO = Signed(Head("audit-b.jsonl", 8, "cd" * 32), "eyJh.eyJi.d", 1_790_000_060.0)
SYSLOG = re.compile(
    rb"<(?P<pri>\d{1,3})>1 (?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z) (?P<host>[!-~]{1,255})"
    rb" (?P<app>[!-~]{1,48}) (?P<pid>[!-~]{1,128}) (?P<id>[!-~]{1,32})"
    rb" \[(?P<name>[!-<>-\\^-~]{1,32})(?P<params>( [a-z]{1,32}=\"[^\"\\\]]*\")+)\]"
)
"""RFC 5424 §6, as far as our message has its parts."""


def parsed(message: bytes) -> dict[str, str]:
    found = SYSLOG.fullmatch(message)
    assert found, message
    params = dict(re.findall(r'(\w+)="([^"]*)"', found["params"].decode()))
    return {name: value.decode() for name, value in found.groupdict().items() if name != "params"} | params


def frames(data: bytes) -> list[bytes]:
    """Messages that each stand after their length (RFC 6587 §3.4.1)."""
    found = []
    while data:
        length, _, rest = data.partition(b" ")
        found.append(rest[: int(length)])
        data = rest[int(length) :]
    return found


def settings(url: str, **more: Any) -> CollectorSettings:
    return CollectorSettings(url=url, **more)


def test_a_syslog_message_is_rfc_5424_with_the_head_as_structured_data() -> None:
    with SyslogServer(socket.SOCK_DGRAM) as server:
        transport_of(settings(f"syslog+udp://127.0.0.1:{server.port}", enterprise_number=99), "tunnus")([ONE])
        told = parsed(server.received.get(timeout=10))
    assert (told["pri"], told["time"], told["app"]) == ("109", "2026-09-21T14:13:20.250Z", "tunnus")
    assert (told["id"], told["name"]) == ("audit-head", "tunnusAuditHead@99")
    assert {name: told[name] for name in ("file", "seq", "hash", "jws")} == {
        "file": "audit-a.jsonl",
        "seq": "7",
        "hash": "ab" * 32,
        "jws": "eyJh.eyJi.c",
    }


@pytest.mark.parametrize("tls", [False, True])
def test_over_a_connection_each_message_stands_after_its_length(tmp_path: Path, tls: bool) -> None:
    pem = certificate(tmp_path, "127.0.0.1")
    more = {"ca_file": pem} if tls else {}
    with SyslogServer(tls=context(pem) if tls else None) as server:
        url = f"syslog+{'tls' if tls else 'tcp'}://127.0.0.1:{server.port}"
        transport_of(settings(url, **more), "tunnus")([ONE, TWO])
        first, second = frames(server.received.get(timeout=10))
    assert (parsed(first)["seq"], parsed(second)["seq"]) == ("7", "8")


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    with SyslogServer(tls=context(certificate(tmp_path, "127.0.0.1"))) as server:
        with pytest.raises(NotSent, match="certificate does not hold"):
            transport_of(settings(f"syslog+tls://127.0.0.1:{server.port}"), "tunnus")([ONE])
        assert server.received.get(timeout=10) == b""


@pytest.mark.parametrize("url", ["syslog+tcp://127.0.0.1:{}", "syslog+tls://127.0.0.1:{}", "http://127.0.0.1:{}/x"])
def test_where_nobody_listens_nothing_is_sent(url: str) -> None:
    with pytest.raises(NotSent, match="cannot be reached"):
        transport_of(settings(url.format(free_port())), "tunnus")([ONE])


def test_a_connection_that_is_reset_before_its_end_has_taken_nothing() -> None:
    """The first write of a connection always succeeds; a peer that then resets it has not taken it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def reset() -> None:
            connection, _ = listening.accept()
            connection.recv(1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.close()

        thread = threading.Thread(target=reset)
        thread.start()
        with pytest.raises(NotSent, match=r"reset|not connected"):
            transport_of(settings(f"syslog+tcp://127.0.0.1:{listening.getsockname()[1]}"), "tunnus")([ONE])
        thread.join(10)


class TestPost:
    @pytest.fixture
    def taken(self) -> list[tuple[str | None, str | None, str]]:
        return []

    @pytest.fixture
    def url(self, taken: list[tuple[str | None, str | None, str]]) -> Iterator[str]:
        app = Flask(__name__)

        @app.post("/heads/<int:status>")
        def take(status: int) -> tuple[str, int, dict[str, str]]:
            taken.append((request.content_type, request.headers.get("Authorization"), request.get_data(as_text=True)))
            return "", status, {"Location": "/heads/200"} if status == 307 else {}

        port = free_port()
        served = Served(app, port)
        yield f"http://127.0.0.1:{port}/heads"
        served.close()

    def test_each_head_is_a_line_of_json(self, url: str, taken: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        transport_of(settings(f"{url}/204", authorization_secret="Bearer abc"), "tunnus")([ONE, TWO])
        ((kind, authorization, body),) = taken
        assert (kind, authorization) == ("application/x-ndjson", "Bearer abc")
        assert body.splitlines()[0] == (
            '{"file": "audit-a.jsonl", "seq": 7, "hash": "' + "ab" * 32 + '", "jws": "eyJh.eyJi.c"}'
        )
        assert len(body.splitlines()) == 2

    @pytest.mark.parametrize("status", [307, 403, 500])
    def test_only_a_2xx_is_a_receipt(self, url: str, taken: list[Any], status: int) -> None:
        with pytest.raises(NotSent, match=f"answers {status}"):
            transport_of(settings(f"{url}/{status}"), "tunnus")([ONE])
        assert len(taken) == 1
