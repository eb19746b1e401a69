"""Connections of a waitress server that is to end without cutting any of them: what waitress itself lacks.

A connection that is kept is not closed under a request. Who sends one on it, or did before it was told, is answered,
with `Connection: close`; only then, or when nobody has used it for a while, is it closed (RFC 9112 §9.5, §9.6).
Everything here but `_Task` is for the thread of the server's loop, where nothing is read or accepted meanwhile.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from contextlib import suppress
from select import POLLIN
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.task import WSGITask

from kit.serving.ending import Ending
from kit.serving.greenlets import poll

_TRIES = 10
_ON_ONE_MACHINE = 0.01
"""Seconds in which a connection to a port of this machine is made, if there is room for it."""


class _Task(WSGITask):  # type: ignore[misc] # waitress has no types
    def build_response_header(self) -> Any:
        """With `Connection: close` once the process is ending, if no other request has come on the connection."""
        channel = self.channel
        last = len(channel.requests) == 1 and channel.request is None and not _has_input(channel)
        if channel.server.ending.begun and last:
            self.request.headers["CONNECTION"] = "close"  # as if the client had asked for it
        return super().build_response_header()


class _Channel(HTTPChannel):  # type: ignore[misc] # waitress has no types
    task_class = _Task


def use_endable_connections(server: Any, ending: Ending) -> None:
    """Let the answers of a waitress server end their connections once the process is ending."""
    server.ending = ending
    server.channel_class = _Channel
    server.takes_no_new_ones = False


def take_no_new_ones(server: Any) -> None:
    """Let the system drop who wants to connect from now on; connections that are made already still come in.

    A listening socket that is closed resets those that are made and not accepted yet, with the request on them. With
    this filter there are none when it is closed (`stop_listening`). Who was dropped tries again after a second, by
    itself (RFC 6298), and is refused then: a proxy takes that for what it is. Some systems have no such filter, or
    keep it for those who may administer the network.
    """
    # Classic BPF of Linux, over the TCP segment: its byte 13 has the flags, SYN 0x02 and ACK 0x10; 0 drops it.
    program = [(0x30, 0, 0, 13), (0x54, 0, 0, 0x12), (0x15, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    attach_filter = 26  # SO_ATTACH_FILTER, which `socket` does not name
    with suppress(OSError):
        server.socket.setsockopt(
            socket.SOL_SOCKET, attach_filter, struct.pack("HP", len(program), ctypes.addressof(code))
        )
        server.takes_no_new_ones = True


def stop_listening(server: Any) -> None:
    """Accept the connections that are made already, and then none.

    Without the filter a connection of our own takes the last place in the queue of those who wait to be accepted, so
    that the system drops who comes before the socket is closed. Lost is then only who is on the way from another
    machine in that moment: whose connection is made there, and not yet here.
    """
    waiting = poll()
    waiting.register(server.socket, POLLIN)
    ours = None
    for _ in range(_TRIES):
        while waiting.poll(0):
            server.handle_accept()
        if server.takes_no_new_ones or (ours := _last_place(server.socket)):
            break
    # Not by `close()` of the server: it closes the trigger by which threads wake the loop that sends their answers,
    # and a thread would then write into whatever file has got the trigger's descriptor.
    wasyncore.dispatcher.close(server)
    if ours:
        ours.close()


def _last_place(listening: socket.socket) -> socket.socket | None:
    """A connection that has the one place of a queue made so small; None if somebody else had taken it."""
    listening.listen(0)
    ours = socket.socket(listening.family)
    ours.settimeout(_ON_ONE_MACHINE)
    try:
        ours.connect(listening.getsockname())
    except OSError:
        ours.close()
        return None
    return ours


def close_unused(server: Any, used_since: float) -> int:
    """Close the connections on which nothing has come since then and nothing goes on; return how many are left."""
    for channel in list(server.active_channels.values()):
        busy = channel.requests or channel.request is not None or channel.total_outbufs_len or _has_input(channel)
        if not busy and channel.last_activity <= used_since:
            channel.handle_close()
    return len(server.active_channels)


def _has_input(channel: Any) -> bool:
    """Whether something has come that was not read yet."""
    with suppress(OSError, AttributeError):  # closed by the client, perhaps while we look
        return bool(channel.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    return False
