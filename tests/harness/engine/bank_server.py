"""A bank's server as raw as can be: it sends what a test tells it to, byte by byte if need be."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator

Script = Callable[["Peer"], None]


class Peer:
    """One accepted connection, as a script sees it. stopped: set when the test is over."""

    def __init__(self, sock: socket.socket, stopped: threading.Event, requests: list[bytes]) -> None:
        self._sock = sock
        self.stopped = stopped
        self._requests = requests

    def read_request(self) -> bytes:
        """One request, head and body; empty once the client has gone."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self._sock.recv(65536)
            if not piece:
                return b""
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        while len(body) < length:
            body += self._sock.recv(65536)
        self._requests.append(head + b"\r\n\r\n" + body)
        return self._requests[-1]

    def read(self) -> bytes:
        """What comes next, whatever it is."""
        return self._sock.recv(65536)

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self._sock.sendall(data)

    def drip(self, data: bytes, every: float = 0.02) -> None:
        """A byte now and then, over and over, until the client has had enough."""
        while not self.stopped.is_set():
            for number in range(len(data)):
                self.send(data[number : number + 1])
                if self.stopped.wait(every):
                    return

    def hang(self) -> None:
        """Say nothing until the client goes or the test is over."""
        self.stopped.wait(20)

    def reset(self) -> None:
        """End the connection with RST."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()


class Server:
    """script: run for every connection. requests: what came."""

    def __init__(self, sock: socket.socket, script: Script, tls: ssl.SSLContext | None) -> None:
        self._sock = sock
        self._tls = tls
        self._script = script
        self.stopped = threading.Event()
        self.requests: list[bytes] = []
        self.connections = 0
        self._peers: list[socket.socket] = []
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{sock.getsockname()[1]}"

    def run(self) -> None:
        """Accept until stopped."""
        threads = []
        while not self.stopped.is_set():
            try:
                peer, _ = self._sock.accept()
            except OSError:
                break
            self.connections += 1
            self._peers.append(peer)
            threads.append(threading.Thread(target=self._serve, args=(peer,), daemon=True))
            threads[-1].start()
        for thread in threads:
            thread.join(5)

    def stop(self) -> None:
        """Let every script end."""
        self.stopped.set()
        for sock in (self._sock, *self._peers):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _serve(self, sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError):
            sock.settimeout(20)
            inner = self._tls.wrap_socket(sock, server_side=True) if self._tls else sock
            self._peers.append(inner)  # what TLS has taken over cannot be ended by the socket it was
            with inner:
                self._script(Peer(inner, self.stopped, self.requests))


@contextlib.contextmanager
def served(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server on a free port of 127.0.0.1, gone at the end."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        server = Server(sock, script, tls)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.stop()
            thread.join(10)


def answer(body: bytes = b"{}", status: str = "200 OK", *headers: str, length: bool = True) -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json; charset=utf-8", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def answering(*answers: bytes) -> Script:
    """A script that answers each request of a connection with the next answer, the last one for good."""

    def script(peer: Peer) -> None:
        number = 0
        while peer.read_request():
            peer.send(answers[min(number, len(answers) - 1)])
            number += 1

    return script


def after_request(then: Callable[[Peer], None]) -> Script:
    """A script that reads one request and then does something."""

    def script(peer: Peer) -> None:
        if peer.read_request():
            then(peer)

    return script
