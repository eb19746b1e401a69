"""The end of a server: what came is answered, what is kept is let go of, and nobody is cut."""

from __future__ import annotations

import ctypes
import errno
import logging
import select
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from waitress import wasyncore

from demo.runner.processes import free_port
from kit.serving import process
from kit.serving.connections import close_unused, stop_listening, take_no_new_ones
from kit.serving.ending import Ending
from kit.serving.operations import RequestMetrics, create_operations_app, unready_while_ending
from kit.serving.server import listen

SECONDS = 60
"""A machine that is busy takes longer; nothing here waits for so long."""


NOTICE = 7
SO_ATTACH_FILTER, SO_LOCK_FILTER = 26, 44
"""Of Linux: a locked socket takes no filter, as if its process might not attach one."""


class Asked(Ending):
    """Pauses, as long as they are not cut short, are over at once."""

    def wait(self, seconds: float) -> bool:
        return super().wait(min(seconds, 0.001))


class Peer:
    """A connection to the server, as a proxy keeps one."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)

    def send(self, text: str) -> Peer:
        self.socket.sendall(text.encode())
        return self

    def get(self, path: str = "/", version: str = "1.1", more: str = "") -> Peer:
        return self.send(f"GET {path} HTTP/{version}\r\nHost: here\r\n{more}\r\n")

    def answer(self) -> tuple[int, str, str]:
        """Status, `Connection` (joined, if it is there twice) and body of the next answer."""
        head = b""
        while b"\r\n\r\n" not in head:
            head += (got := self.socket.recv(1))
            assert got, f"closed after {head!r}"
        lines = head.decode().split("\r\n")
        fields = [line.split(": ", 1) for line in lines[1:-2]]
        values = {name: ",".join(value for other, value in fields if other == name) for name, _ in fields}
        body = b""
        while len(body) < int(values["Content-Length"]):
            body += self.socket.recv(1)
        return int(lines[0].split()[1]), values.get("Connection", "").lower(), body.decode()

    def is_closed(self) -> bool:
        """The server has closed it, in order."""
        return self.socket.recv(1) == b""


class Comer(Peer):
    """Somebody who connects, and does not wait for it."""

    def __init__(self, port: int) -> None:
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.connect_ex(("127.0.0.1", port))

    def is_connected(self) -> bool:
        """On one machine a connection that is made is made within the call."""
        return bool(select.select([], [self.socket], [], 0)[1])

    def is_refused(self) -> bool:
        """Or, once the port is free, it may have become another process's, which then has the connection."""
        assert select.select([], [self.socket], [], SECONDS)[1]
        return self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) in (0, errno.ECONNREFUSED)


class Served:
    """A server, and what a test lets it wait for."""

    def __init__(self, ending: Ending | None = None, app: Flask | None = None) -> None:
        self.ending = ending or Asked()
        self.port, self.entered, self.go_on = free_port(), threading.Semaphore(0), threading.Event()
        app = app or self._usual()
        self.server = listen(app, Path("a.toml"), self.ending, host="127.0.0.1", port=self.port, threads=4)
        self.clock: Callable[[], float] = time.time
        self._peers: list[Peer] = []
        self._started = False

    def start(self) -> None:
        """Let it serve, if it does not yet."""
        if not self._started:
            self.server.start("served")
        self._started = True

    def _usual(self) -> Flask:
        app = Flask("ending")

        @app.route("/", methods=["GET", "POST"])
        def plain() -> str:
            return f"here {request.get_data(as_text=True)}"

        @app.get("/slow")
        def slow() -> str:
            self.entered.release()
            self.go_on.wait(SECONDS)
            return "late"

        return app

    def peer(self) -> Peer:
        """A new connection."""
        self._peers.append(peer := Peer(self.port))
        return peer

    def close(self) -> None:
        """Everything, at once."""
        self.go_on.set()
        for peer in self._peers:
            peer.socket.close()
        self.start()
        self.ending.ask()
        self.server.drain(0, SECONDS)

    @property
    def waitress(self) -> Any:
        return self.server._waitress

    def end(self, seconds: float = SECONDS, unused: float = 0) -> threading.Thread:
        """Drain, in a thread."""
        thread = threading.Thread(target=lambda: self.server.drain(unused, seconds, lambda: self.clock()), daemon=True)
        thread.start()
        return thread

    def refuses(self) -> None:
        """Wait until nobody can connect."""
        until(lambda: self.waitress.socket is None)


@pytest.fixture
def silent() -> Iterator[Served]:
    """A server that listens, and whose loop does not run yet."""
    made = Served()
    yield made
    made.close()


@pytest.fixture
def served(silent: Served) -> Served:
    """A server that runs."""
    silent.start()
    return silent


def test_before_the_end_a_connection_is_kept_and_after_it_each_answer_ends_one(served: Served) -> None:
    peer = served.peer()
    assert peer.get().answer() == (200, "", "here ")
    served.ending.ask()
    assert peer.get().answer() == (200, "close", "here ")
    assert peer.is_closed()
    assert served.peer().get().answer() == (200, "close", "here ")


def test_an_old_client_that_wants_to_keep_its_connection_is_told_once(served: Served) -> None:
    kept = "Connection: keep-alive\r\n"
    assert served.peer().get(version="1.0", more=kept).answer() == (200, "keep-alive", "here ")
    served.ending.ask()
    assert served.peer().get(version="1.0", more=kept).answer() == (200, "close", "here ")


def test_a_kept_connection_is_answered_after_nobody_is_accepted_any_more(served: Served) -> None:
    kept, slow = served.peer(), served.peer()
    kept.get().answer()
    slow.get("/slow")
    served.entered.acquire()
    served.ending.ask()
    ended = served.end(unused=SECONDS)
    served.refuses()
    with pytest.raises(ConnectionRefusedError):
        served.peer()
    assert kept.get().answer() == (200, "close", "here ")
    served.go_on.set()
    assert slow.answer() == (200, "close", "late")
    ended.join(SECONDS)
    assert not ended.is_alive()


def test_a_request_that_has_come_in_half_is_waited_for(served: Served) -> None:
    half = served.peer().send("POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\n\r\nth")
    until(lambda: any(channel.request for channel in channels(served)))
    served.ending.ask()
    ended = served.end(seconds=SECONDS)
    served.refuses()
    assert close_unused(served.waitress, time.time() + 1) == 1
    assert half.send("is").answer() == (200, "close", "here this")
    ended.join(SECONDS)
    assert not ended.is_alive()


def test_what_is_sent_before_an_answer_is_read_is_answered_too(served: Served) -> None:
    peer = served.peer()
    peer.get("/slow").get("/slow")
    served.entered.acquire()
    served.ending.ask()
    peer.get()  # while the server does not read
    served.go_on.set()
    assert [peer.answer() for _ in range(3)] == [(200, "", "late"), (200, "", "late"), (200, "close", "here ")]
    assert peer.is_closed()


def test_connections_that_wait_to_be_accepted_are_taken_along(silent: Served) -> None:
    waiting = [silent.peer().get() for _ in range(3)]
    stop_listening(silent.waitress)
    silent.start()
    assert [peer.answer()[0] for peer in waiting] == [200] * 3


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a queue has no last place")
@pytest.mark.parametrize("filters", [True, False])
def test_whoever_comes_while_it_stops_listening_is_refused_and_not_cut(
    silent: Served, filters: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """filters: whether the system lets the server have one; some do not let everybody."""
    before = silent.peer().get()
    if not filters:
        silent.waitress.socket.setsockopt(socket.SOL_SOCKET, SO_LOCK_FILTER, 1)
    take_no_new_ones(silent.waitress)
    first, close = Comer(silent.port), wasyncore.dispatcher.close
    made = first.is_connected()
    assert made != (filters and may_filter())
    last = []

    def come_and_close(server: Any) -> None:
        if server is silent.waitress:
            last.extend(Comer(silent.port) for _ in range(3))
            assert not any(one.is_connected() for one in last)
        close(server)

    monkeypatch.setattr(wasyncore.dispatcher, "close", come_and_close)
    stop_listening(silent.waitress)
    silent.start()
    assert before.answer()[0] == 200
    if made:
        first.socket.settimeout(SECONDS)
        assert first.get().answer()[0] == 200
    assert all(one.is_refused() for one in [*last, *([] if made else [first])])
    for one in (first, *last):
        one.socket.close()


def test_an_unused_connection_is_closed_only_if_nothing_has_come_on_it(silent: Served) -> None:
    peers = [silent.peer(), silent.peer().get(), silent.peer()]
    stop_listening(silent.waitress)  # accepts all three, and nothing is read yet
    peers[2].get()
    until(lambda: sum(map(has_come, channels(silent))) == 2)
    assert close_unused(silent.waitress, time.time() - SECONDS) == 3, "none is unused for so long"
    assert close_unused(silent.waitress, time.time() + 1) == 2
    assert peers[0].is_closed()
    silent.start()
    assert [peer.answer()[0] for peer in peers[1:]] == [200] * 2


def test_unused_connections_are_closed_after_a_while_and_then_it_has_ended(served: Served) -> None:
    peer = served.peer()
    peer.get().answer()
    served.ending.ask()
    ended = served.end(unused=100, seconds=10_000)
    served.refuses()
    assert ended.is_alive()
    served.clock = lambda: time.time() + 101
    ended.join(SECONDS)
    assert not ended.is_alive()
    assert peer.is_closed()


def test_it_ends_at_its_time_whatever_goes_on(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    slow = served.peer().get("/slow")
    served.entered.acquire()
    served.ending.ask()
    ended = served.end(seconds=1000)
    served.refuses()
    assert ended.is_alive()
    served.clock = lambda: time.time() + 1000
    with caplog.at_level(logging.WARNING):
        ended.join(SECONDS)
    assert not ended.is_alive()
    assert [record.count for record in caplog.records if record.message == "requests_cut"] == [1]
    assert slow.socket


def test_asked_again_it_ends_at_once(served: Served) -> None:
    served.peer().get("/slow")
    served.entered.acquire()
    served.ending.ask()
    ended = served.end(seconds=10_000)
    served.refuses()
    served.ending.ask()
    ended.join(SECONDS)
    assert not ended.is_alive()


def test_until_the_proxy_has_noticed_everything_goes_on_but_readiness(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "LAST_LOOKS", SECONDS)  # it ends before, on a machine that is busy later
    seen: list[object] = []

    class Noticing(Asked):
        def wait(self, seconds: float) -> bool:
            if seconds == NOTICE:
                seen.append([operations.peer().get(path).answer()[0] for path in ("/readyz", "/livez")])
                seen.append(public.peer().get().answer())
            return super().wait(seconds)

    ending = Noticing()
    app = create_operations_app(list, RequestMetrics())
    unready_while_ending(app, ending)
    public, operations = Served(ending), Served(ending, app)
    process.start(public.server, operations.server, "127.0.0.1", public.port)
    public._started = operations._started = True
    assert operations.peer().get("/readyz").answer()[0] == 200
    ending.ask()
    assert ending.wait(0)
    process.drain(public.server, operations.server, NOTICE)
    assert seen == [[503, 200], (200, "close", "here ")]
    for ended in (public, operations):
        with pytest.raises(ConnectionRefusedError):
            ended.peer()
        ended.close()


def may_filter() -> bool:
    """Whether the system lets this process filter what comes to a socket: a filter that lets all pass."""
    code = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0xFFFFFFFF))
    with socket.socket() as tried, suppress(PermissionError):
        tried.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(code)))
        return True
    return False


def channels(served: Served) -> list[Any]:
    return list(served.waitress.active_channels.values())


def has_come(channel: Any) -> bool:
    return bool(select.select([channel.socket], [], [], 0)[0])


def until(state: Callable[[], bool]) -> None:
    """Wait for a state."""
    end = time.monotonic() + SECONDS
    while not state():
        assert time.monotonic() < end
        time.sleep(0.001)


@pytest.fixture
def handlers() -> Iterator[None]:
    """What signals did before they do again after the test."""
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    yield
    for one, handler in before.items():
        signal.signal(one, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_asks_it_to_end_and_a_second_one_at_once(handlers: None, number: signal.Signals) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    ending = Ending()
    ending.ask_by_signal()
    for at_once in (False, True):
        signal.raise_signal(number)
        assert ending.wait(5)
        assert (ending.begun, ending.at_once) == (True, at_once)


def test_a_terminal_that_closes_ends_nothing_that_was_started_under_nohup(handlers: None) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    Ending().ask_by_signal()
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
