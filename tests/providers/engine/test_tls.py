"""Calls to a bank over TLS: whose certificate is taken, and the deadlines there."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from providers.engine.http import BankHttp, BankUnreachable
from tests.harness.certificates import certificate, context
from tests.harness.engine.bank_server import Peer, after_request, answer, answering, served
from tests.harness.engine.parts import Seen, make_connection

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Certificates of the server's address, and of another."""
    folder = tmp_path_factory.mktemp("certificates")
    return {address: certificate(folder, address) for address in ("127.0.0.1", "127.0.0.2")}


def bank(ca_bundle: Path | None, seconds: float = 3.0) -> BankHttp:
    """The HTTP of a connection that trusts a bundle."""
    return BankHttp(make_connection(ca_bundle=ca_bundle), 1, Seen(), call_seconds=seconds)


def test_the_certificate_authority_of_the_config_is_trusted(certificates: dict[str, Path]) -> None:
    own = certificates["127.0.0.1"]
    with served(answering(answer(b"[1]")), context(own)) as server, bank(own).identification() as budget:
        assert bank(own).get(server.url, budget).body == b"[1]"


@pytest.mark.parametrize(
    ("shown", "trusted"),
    [("127.0.0.1", None), ("127.0.0.1", "127.0.0.2"), ("127.0.0.2", "127.0.0.2")],
    ids=["of an unknown authority", "of another authority than the config's", "of another address"],
)
def test_a_certificate_that_does_not_hold_is_unreachable(
    certificates: dict[str, Path], shown: str, trusted: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates[shown]))
    http = bank(certificates[trusted] if trusted else None)
    with served(answering(answer()), context(certificates[shown])) as server, http.identification() as budget:
        with pytest.raises(BankUnreachable):
            http.post(server.url, {"code": "c"}, budget)
        assert server.requests == []


DRIPS = {
    "head": (HEAD + b"X-A: ", b"b"),
    "body": (HEAD + b"Content-Length: 60000\r\n\r\n", b"x"),
    "size of a chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
}


@pytest.mark.parametrize("name", DRIPS)
def test_a_bank_that_drips_over_tls_is_unreachable_in_time(certificates: dict[str, Path], name: str) -> None:
    own = certificates["127.0.0.1"]
    first, over_and_over = DRIPS[name]

    def script(peer: Peer) -> None:
        peer.send(first)
        peer.drip(over_and_over)

    http = bank(own, seconds=0.3)
    with served(after_request(script), context(own)) as server, http.identification() as budget:
        started = time.monotonic()
        with pytest.raises(BankUnreachable):
            http.get(server.url, budget)
        assert time.monotonic() - started < 3


def by_record(peer: Peer, tls: ssl.SSLContext, first: bytes, content: bytes) -> None:
    """A handshake and one request, then the beginning of an answer, and the rest of it in one record, dripped."""
    arrived, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
    side = tls.wrap_bio(arrived, leaving, server_side=True)

    def until(done: Callable[[], object]) -> None:
        while True:
            try:
                done()
            except ssl.SSLWantReadError:
                peer.send(leaving.read())
                arrived.write(peer.read())
            else:
                peer.send(leaving.read())
                return

    until(side.do_handshake)
    until(lambda: side.read(65536))
    if first:
        side.write(first)
        peer.send(leaving.read())
    side.write(content)
    peer.drip(leaving.read())


RAW_DRIPS: dict[str, Callable[[Peer, ssl.SSLContext], None]] = {
    "handshake": lambda peer, _tls: (peer.read(), peer.send(b"\x16\x03\x03\x3f\xff\x02"), peer.drip(b"\0"))[2],
    "record of the head": lambda peer, tls: by_record(peer, tls, b"", HEAD + b"X-A: " + b"b" * 9999),
    "record of the body": lambda peer, tls: by_record(peer, tls, HEAD + b"Content-Length: 9999\r\n\r\n", b"b" * 9999),
}


@pytest.mark.parametrize("name", RAW_DRIPS)
def test_a_bank_whose_tls_itself_drips_is_unreachable_in_time(certificates: dict[str, Path], name: str) -> None:
    own = certificates["127.0.0.1"]
    tls = context(own)
    http = bank(own, seconds=0.3)
    with served(lambda peer: RAW_DRIPS[name](peer, tls)) as server, http.identification() as budget:
        started = time.monotonic()
        with pytest.raises(BankUnreachable):
            http.get(server.url.replace("http:", "https:"), budget)
        assert time.monotonic() - started < 3
