"""The samples of deploy/ in front of two servers of a test: what they let through, what they end, what they repeat."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import requests

from tests.harness.proxies import Member, Proxy

pytestmark = pytest.mark.peers

SECONDS = 60
SECRET = "SECRET-4711"


class Upstream(ThreadingHTTPServer):
    """A server behind the proxy, which keeps what it gets. drops: it closes without an answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.got: list[tuple[str, str, dict[str, str]]] = []
        self.looked, self.ready, self.drops = 0, True, False
        self.member = Member(self.server_port, self.server_port)
        Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def end(self) -> None:
        """Refuse connections."""
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Upstream

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/readyz":
            self.server.looked += 1
            return self._answer(200 if self.server.ready else 503)
        self.server.got.append((self.command, self.path, dict(self.headers)))
        if self.server.drops:
            self.close_connection = True
            return None
        return self._answer(200)

    do_POST = do_GET

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_arguments: Any) -> None:
        pass


class Front:
    """A proxy with two servers behind it, which are broker and registration at once; one is customer service, too."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.upstreams = [Upstream(), Upstream()]
        self.proxy = Proxy(kind, folder)
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = str(self.proxy.authority)

    def start(self) -> Front:
        members = [upstream.member for upstream in self.upstreams]
        self.proxy.start(members, members, members[:1])
        return self

    def end(self) -> None:
        self.proxy.end()
        self.session.close()
        for upstream in self.upstreams:
            upstream.end()

    def send(self, method: str = "GET", url: str = "", **how: Any) -> int:
        return self.session.request(method, url or f"{self.proxy.broker}/", timeout=SECONDS, **how).status_code

    def got(self) -> list[tuple[str, str, dict[str, str]]]:
        return self.upstreams[0].got + self.upstreams[1].got

    def connected(self, port: int | None = None) -> ssl.SSLSocket:
        """A bare connection to a port, the broker's unless given."""
        trusting = ssl.create_default_context(cafile=str(self.proxy.authority))
        bare = socket.create_connection(("127.0.0.1", port or self.proxy.broker_port), timeout=SECONDS)
        return trusting.wrap_socket(bare, server_hostname="127.0.0.1")


@pytest.fixture(params=["nginx", "haproxy"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Front]:
    front = Front(request.param, tmp_path)
    yield front
    front.end()


@pytest.fixture
def front(made: Front) -> Front:
    return made.start()


def test_what_a_client_says_of_its_address_is_replaced_by_what_the_proxy_sees(front: Front) -> None:
    said = {"X-Forwarded-For": "198.51.100.7", "Forwarded": "for=198.51.100.7"}
    proxy = front.proxy
    for url in (proxy.broker, proxy.registration, proxy.customer_service, f"{proxy.internal}/token"):
        assert front.send(url=url, headers=said) == 200
    for _, _, headers in front.got():
        seen = {name.lower(): value for name, value in headers.items()}
        assert (seen["x-forwarded-for"], "forwarded" in seen) == ("127.0.0.1", False)
    assert len(front.got()) == 4


def test_a_body_is_as_large_as_the_service_takes_and_no_larger(front: Front) -> None:
    proxy, KiB = front.proxy, 1024
    for port, most in (
        (proxy.broker_port, 64 * KiB),
        (proxy.registration_port, 128 * KiB),
        (proxy.customer_service_port, 128 * KiB),
    ):
        assert [posted(front, port, size) for size in (most, most + 1)] == [b"200", b"413"]
    assert len(front.got()) == 3


@pytest.mark.parametrize(
    "begun", ["GET / HTTP/1.1\r\nHost: a\r\nX-", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab"]
)
def test_whoever_sends_a_header_or_a_body_slowly_is_ended_at_the_proxy(made: Front, begun: str) -> None:
    names = {"nginx": ("client_header_timeout", "client_body_timeout"), "haproxy": ("timeout http-request",)}
    made.proxy.other = {f"{name} 10s": f"{name} 1s" for name in names[made.proxy.kind]}
    made.start()
    with made.connected() as slowly:
        slowly.sendall(begun.encode())
        answer = slowly.recv(100)
    assert answer == b"" or b" 408 " in answer
    assert made.got() == []


def test_a_post_goes_on_where_a_connection_was_refused_and_is_never_sent_twice(front: Front) -> None:
    first, second = front.upstreams
    first.drops = second.drops = True
    assert front.send("POST") == 502
    assert len(front.got()) == 1
    first.drops = second.drops = False
    until(lambda: front.send() == 200)
    first.end()
    second.got.clear()
    assert [front.send("POST") for _ in range(5)] == [200] * 5
    assert len(second.got) == 5


def test_no_log_holds_what_stands_in_an_address(front: Front) -> None:
    for drops, method, status in ((True, "POST", 502), (False, "GET", 200)):
        for upstream in front.upstreams:
            upstream.drops = drops
        until(lambda m=method, s=status: front.send(m, f"{front.proxy.broker}/{SECRET}?code={SECRET}") == s)
    until(lambda: {200, 502} <= set(front.proxy.statuses()))
    written = "".join(file.read_text() for file in front.proxy.folder.glob("*.log"))
    assert SECRET not in written


def test_services_reach_what_is_theirs_and_nothing_else_without_tls(front: Front) -> None:
    paths = ("token", "userinfo", "jwks", "authorize", "", "jwks/x")
    found = [front.send(url=f"{front.proxy.internal}/{path}") for path in paths]
    assert found == [200, 200, 200, 404, 404, 404]


def test_customer_services_pages_are_shown_to_the_companys_network_alone(made: Front) -> None:
    made.proxy.staff_from = "192.0.2.128/25"
    made.start()
    assert (made.send(url=f"{made.proxy.customer_service}/service"), made.send()) == (403, 200)
    assert [path for _, path, _ in made.got()] == ["/"]


def test_two_host_headers_are_refused(front: Front) -> None:
    with front.connected() as bare:
        bare.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n")
        assert b" 400 " in bare.recv(100)
    assert front.got() == []


def test_haproxy_asks_readiness_and_leaves_out_who_is_not_but_not_everybody(tmp_path: Path) -> None:
    front = Front("haproxy", tmp_path)
    first, second = front.upstreams
    try:
        first.ready = False
        front.start()
        until(lambda: "broker/broker-1" not in served_by(front, 4))
        second.ready = False
        until(lambda: "broker_not_ready/" in served_by(front, 1))
    finally:
        front.end()


def posted(front: Front, port: int, size: int) -> bytes:
    """The status of a POST of so many bytes, of which not all need be read."""
    with front.connected(port) as bare:
        with suppress(OSError):
            bare.sendall(f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n".encode() + b"x" * size)
        return bare.recv(100).split()[1]


def served_by(front: Front, count: int) -> str:
    """The lines of the log of so many requests that are sent now."""
    before = len(front.proxy.log.read_text())
    assert [front.send() for _ in range(count)] == [200] * count
    until(lambda: front.proxy.log.read_text()[before:].count(" GET 200 ") >= count)
    return front.proxy.log.read_text()[before:]


def until(state: Callable[[], bool]) -> None:
    """Wait for a state."""
    end = time.monotonic() + SECONDS
    while not state():
        assert time.monotonic() < end
        time.sleep(0.02)
