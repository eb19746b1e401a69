"""A connection to a bank is made in time, or given up: the lookup, its addresses, a proxy before it, TLS."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from urllib3.exceptions import ConnectTimeoutError

from providers.engine.connecting import InTime
from providers.engine.http import BankHttp, BankUnreachable
from tests.harness.engine.bank_server import Peer, after_request, answer, answering, served
from tests.harness.engine.http import AMPLE, DEADLINE, get, make_http
from tests.harness.engine.parts import Seen, make_connection
from tests.harness.names import HOST, LOOPBACK, looked_up, silent


def unreachable(http: BankHttp, url: str) -> None:
    """Call, and be told in time that it cannot be reached."""
    started = time.monotonic()
    with pytest.raises(BankUnreachable), http.identification("nordea") as budget:
        http.post(url, {"code": "c"}, budget)
    assert time.monotonic() - started < AMPLE


def test_a_name_server_that_says_nothing_holds_nobody_up() -> None:
    answered = threading.Event()

    def find() -> list[str]:
        answered.wait(60)
        return []

    with looked_up(find):
        unreachable(make_http(), f"https://{HOST}/token")
        answered.set()


def test_a_name_that_is_not_found_is_unreachable() -> None:
    def find() -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    with looked_up(find):
        unreachable(make_http(), f"https://{HOST}/token")


@pytest.mark.allow_hosts(LOOPBACK)
def test_many_addresses_that_say_nothing_share_the_time() -> None:
    with served(answering(answer())) as server:
        port = int(server.url.rpartition(":")[2])
    with silent(LOOPBACK, port), looked_up(lambda: LOOPBACK):
        unreachable(make_http(), f"http://{HOST}:{port}/token")


@pytest.mark.allow_hosts(LOOPBACK)
def test_one_address_that_says_nothing_leaves_time_for_the_other() -> None:
    with served(answering(answer(b"[1]"))) as server, looked_up(lambda: ["127.0.0.2", "127.0.0.1"]):
        port = int(server.url.rpartition(":")[2])
        with silent(["127.0.0.2"], port):
            assert get(make_http(call_seconds=AMPLE), f"http://{HOST}:{port}/token").body == b"[1]"


def test_the_share_of_an_address_is_for_connecting_alone() -> None:
    with served(answering(answer())) as server, looked_up(lambda: ["127.0.0.1"] * 40):
        connection = InTime(HOST, int(server.url.rpartition(":")[2]), timeout=AMPLE)
        connection.connect()
        left = connection.sock.gettimeout()
        connection.close()
    assert left is not None
    assert left > AMPLE / 2, "TLS is yet to come"


def test_a_proxy_that_drips_its_answer_to_connect_has_the_same_deadline() -> None:
    def script(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nX-A: ")
        peer.drip(b"b")

    with served(after_request(script)) as proxy:
        http = BankHttp(make_connection(proxy=proxy.url), 1, Seen(), call_seconds=DEADLINE)
        unreachable(http, f"https://{HOST}/token")
        with pytest.raises(BankUnreachable) as caught, http.identification() as budget:
            http.get(f"https://{HOST}/jwks", budget)
    reason = caught.value.__cause__.args[0].reason  # type: ignore[union-attr]
    assert isinstance(reason, ConnectTimeoutError), "it concerns every bank behind the proxy"
