"""Documents over real HTTP: a good server, and each way in which one can be bad."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tunnus_verifier import FetchError, KeysUnavailable, Verifier
from tunnus_verifier.fetching import LARGEST, fetch
from tunnus_verifier.testing import served_mint


def test_keys_come_over_http_and_survive_the_server() -> None:
    with served_mint() as mint:
        verifier = Verifier(mint.issuer, mint.audience)
        assert verifier.verify(mint.token())
    assert verifier.verify(mint.token())
    with pytest.raises(KeysUnavailable):
        Verifier(mint.issuer, mint.audience).verify(mint.token())


def test_a_server_that_is_down_and_comes_back_gives_its_keys() -> None:
    seconds = [0.0]
    with served_mint() as mint:
        verifier = Verifier(mint.issuer, mint.audience, monotonic=lambda: seconds[0])
        mint.down = True
        with pytest.raises(KeysUnavailable):
            verifier.verify(mint.token())
        mint.down = False
        seconds[0] += 1
        assert verifier.verify(mint.token())


@contextmanager
def server(*pieces: bytes, hold: bool = False, drip: float = 0) -> Iterator[str]:
    """Says these bytes to one caller. drip: seconds between pieces. hold: keeps the connection open after them."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def run() -> None:
            caller, _ = listening.accept()
            with caller:
                caller.recv(65536)
                try:
                    for piece in pieces:
                        caller.sendall(piece)
                        if done.wait(drip):
                            return
                    if hold:
                        done.wait(30)
                except OSError:
                    return

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/jwks"
        finally:
            done.set()
            thread.join(10)


def answer(body: bytes, status: str = "200 OK", length: int | None = None, extra: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body) if length is None else length}\r\n{extra}\r\n"
    return head.encode() + body


def test_a_whole_answer_is_its_body() -> None:
    with server(answer(b"body")) as url:
        assert fetch(url) == b"body"


def test_the_largest_answer_passes_and_one_byte_more_does_not() -> None:
    with server(answer(b"x" * LARGEST)) as url:
        assert len(fetch(url)) == LARGEST
    with server(answer(b"x" * (LARGEST + 1))) as url, pytest.raises(FetchError, match="too large"):
        fetch(url)


def test_an_endless_answer_is_left() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"2000\r\n" + b"x" * 0x2000 + b"\r\n"
    with server(head, *[chunk] * 20, hold=True) as url, pytest.raises(FetchError, match="too large"):
        fetch(url)


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "307 Temporary", "404 Not Found", "500 Error", "204 None"]
)
def test_only_200_counts_and_no_redirect_is_followed(status: str) -> None:
    with (
        served_mint() as mint,
        server(answer(b"", status, extra=f"Location: {mint.issuer}/jwks\r\n")) as url,
        pytest.raises(FetchError, match="200"),
    ):
        fetch(url)
    assert mint.fetched == []


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n"


@pytest.mark.parametrize("pieces", [(b"",), (b"nonsense\r\n\r\n",), (answer(b"bo", length=4),), (CHUNKED,)])
def test_an_answer_that_breaks_off_is_none(pieces: tuple[bytes, ...]) -> None:
    with server(*pieces) as url, pytest.raises(FetchError):
        fetch(url)


@pytest.mark.parametrize(
    "head", [b"", b"HTTP/1.1 200 OK\r\nX-Dripping: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"]
)
def test_a_dripping_server_is_left_at_the_deadline(head: bytes) -> None:
    begun = time.monotonic()
    with server(head, *[b"x"] * 500, drip=0.02) as url, pytest.raises(FetchError, match="in time"):
        fetch(url, deadline=0.3)
    assert time.monotonic() - begun < 2


def test_a_silent_server_is_left_at_the_deadline_and_its_thread_ends() -> None:
    with server(hold=True) as url, pytest.raises(FetchError, match=r"in time|no answer"):
        fetch(url, deadline=0.2)
    for thread in threading.enumerate():
        if thread.name == "tunnus-verifier-fetch":
            thread.join(5)
            assert not thread.is_alive()


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with server(answer(b"body")) as url:
        assert fetch(url) == b"body"


def test_nobody_at_the_address_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(FetchError):
        fetch(f"http://127.0.0.1:{port}/jwks")
