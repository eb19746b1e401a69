"""Collectors of heads as a test wants them: syslog over UDP, TCP or TLS, and HTTP."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path
from queue import Queue
from types import TracebackType
from typing import Self

from kit.audit.signed import AUDIT_SIG
from kit.keys.rotation import Rotation
from kit.keys.watch import WatchedKeys
from tests.harness.keys import Clock

PURPOSES = {AUDIT_SIG.name: AUDIT_SIG}


def audit_keys(folder: Path, clock: Clock) -> WatchedKeys:
    """A folder with an audit-sig key in use."""
    Rotation(folder, PURPOSES).init(int(clock()))
    return WatchedKeys(folder, PURPOSES, clock)


def rotate(folder: Path, clock: Clock, *, emergency: bool = False) -> None:
    """Make the next audit-sig key."""
    Rotation(folder, PURPOSES).rotate([AUDIT_SIG.name], int(clock()), emergency=emergency)


class SyslogServer:
    """Takes connections or datagrams; `received` gives the bytes of each. tls: the server's side of it."""

    def __init__(self, kind: socket.SocketKind = socket.SOCK_STREAM, tls: ssl.SSLContext | None = None) -> None:
        self._socket = socket.socket(socket.AF_INET, kind)
        self._socket.bind(("127.0.0.1", 0))
        self._tls = tls
        self._stream = kind is socket.SOCK_STREAM
        if self._stream:
            self._socket.listen()
        self.received: Queue[bytes] = Queue()
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._stream:  # which wakes the one that waits in accept
            self._socket.shutdown(socket.SHUT_RDWR)
        else:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join(10)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            if not self._stream:
                message = self._socket.recv(65_536)
                if not message:
                    return
                self.received.put(message)
                continue
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self._take(connection)

    def _take(self, connection: socket.socket) -> None:
        try:
            stream = self._tls.wrap_socket(connection, server_side=True) if self._tls else connection
            with stream:
                whole = b""
                while data := stream.recv(65_536):
                    whole += data
                self.received.put(whole)
        except OSError:
            self.received.put(b"")
