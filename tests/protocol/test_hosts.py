"""Two Host headers, or none, get 400 wherever they are sent: a page, or JSON where only clients call."""

from __future__ import annotations

import socket

import pytest

from tests.harness.broker import System


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html"),
        ("/authorize", "text/html"),
        ("/callback/telia", "text/html"),
        ("/not-there", "text/html"),
        ("/.well-known/openid-configuration", "text/html"),
        ("/token", "application/json"),
        ("/par", "application/json"),
        ("/userinfo", "application/json"),
    ],
)
@pytest.mark.parametrize("hosts", [("a.example", "b.example"), ("a.example", "a.example"), ()])
def test_the_broker_wants_one_host(system: System, path: str, media_type: str, hosts: tuple[str, ...]) -> None:
    port = int(system.broker("telia", "shared").client.issuer.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=20) as wire:
        head = [f"GET {path} HTTP/1.1", *(f"Host: {host}" for host in hosts), "Connection: close", "", ""]
        wire.sendall("\r\n".join(head).encode())
        answer = wire.makefile("rb").read()
    assert answer.split()[1] == b"400"
    assert f"Content-Type: {media_type}".encode() in answer
    assert b"a.example" not in answer
