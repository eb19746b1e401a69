"""Which machine a client's name may lead us to: looked at first, and then that very one."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from urllib3.util.connection import create_connection

from broker.oidc.checked_address import CheckedAdapter
from kit import checked_address
from kit.checked_address import AddressNotAllowed
from kit.settings.hosts import PRIVATE_KINDS, Kind
from providers.engine.bounded import Answer, BankUnreachable, BoundedSession
from tests.harness.certificates import certificate, context
from tests.harness.engine.bank_server import after_request, answer, answering, served

HOST = "keys.client.fi"
PUBLIC, OTHER_PUBLIC = "193.166.3.2", "2a00:1450:400f:801::200e"
ONLY_PUBLIC: frozenset[Kind] = frozenset({"public"})
HERE: frozenset[Kind] = frozenset({"this machine"})


class Network:
    """Name servers that answer as a test wants, and where was connected to."""

    def __init__(self, *answers: Sequence[str] | None) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.connected: list[tuple[str, int]] = []

    def resolve(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if found is None:
            raise socket.gaierror("no such host")
        return found

    def connect(self, address: tuple[str, int], *more: Any, **options: Any) -> socket.socket:
        self.connected.append(address)
        if address[0] != "127.0.0.1":
            raise OSError("nobody there")
        return create_connection(address, *more, **options)

    def get(self, url: str, allowed: frozenset[Kind], ca_bundle: Path | None = None) -> Answer:
        adapter = CheckedAdapter(allowed, resolve=self.resolve, connect=self.connect)
        return BoundedSession(ca_bundle=ca_bundle, adapter=adapter).exchange("GET", url, 10.0, accept="*/*")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "::1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "0.0.0.0",
        "fe80::1%eth0", "fd00::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a00:1", "2002:7f00:1::",
        "224.0.0.1", "255.255.255.255", "::", "192.0.2.1",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_not_connected_to(address: str) -> None:
    network = Network([address])
    with pytest.raises(AddressNotAllowed):
        network.get(f"https://{HOST}/jwks", ONLY_PUBLIC)
    assert network.connected == []


@pytest.mark.parametrize("addresses", [[PUBLIC, "10.0.0.1"], ["10.0.0.1", PUBLIC]])
def test_one_private_address_among_public_ones_refuses_them_all(addresses: list[str]) -> None:
    network = Network(addresses)
    with pytest.raises(AddressNotAllowed):
        network.get(f"https://{HOST}/jwks", ONLY_PUBLIC)
    assert network.connected == []


@pytest.mark.parametrize("written", ["127.0.0.1", "[::1]", "10.0.0.1", "169.254.169.254", "2130706433", "0x7f.1"])
def test_an_address_in_the_place_of_a_name_is_looked_at_too(written: str) -> None:
    with pytest.raises(AddressNotAllowed):
        BoundedSession(adapter=CheckedAdapter(ONLY_PUBLIC)).exchange("GET", f"https://{written}/", 10.0, accept="*/*")


def test_the_address_that_was_looked_at_is_connected_to_whatever_the_name_says_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def rebound(*_: Any, **__: Any) -> Any:
        raise AssertionError("the name was resolved again")

    network = Network([PUBLIC], ["127.0.0.1"])
    monkeypatch.setattr(socket, "getaddrinfo", rebound)
    with pytest.raises(BankUnreachable):
        network.get(f"https://{HOST}:8443/jwks", ONLY_PUBLIC)
    assert (network.asked, network.connected) == ([HOST], [(PUBLIC, 8443)])
    with pytest.raises(AddressNotAllowed):
        network.get(f"https://{HOST}:8443/jwks", ONLY_PUBLIC)
    assert network.connected == [(PUBLIC, 8443)]


def test_the_systems_resolver_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[str] = []
    usual = socket.getaddrinfo

    def asked(host: str, *more: Any, **options: Any) -> Any:
        names.append(host)
        return usual("127.0.0.1", *more, **options) if host == HOST else usual(host, *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", asked)
    session = BoundedSession(adapter=CheckedAdapter(HERE))
    with served(after_request(lambda peer: peer.reset())) as server:
        url = f"https://{HOST}:{server.url.rpartition(':')[2]}/"
        with pytest.raises(BankUnreachable):
            session.exchange("GET", url, 0.5, accept="*/*")
    assert names.count(HOST) == 1


def test_every_allowed_address_is_tried_and_four_at_most() -> None:
    network = Network([PUBLIC, OTHER_PUBLIC] + [f"193.166.3.{number}" for number in range(10, 20)])
    with pytest.raises(BankUnreachable):
        network.get(f"https://{HOST}/jwks", ONLY_PUBLIC)
    assert [address for address, _ in network.connected] == [PUBLIC, OTHER_PUBLIC, "193.166.3.10", "193.166.3.11"]


@pytest.mark.parametrize("addresses", [None, []])
def test_a_host_without_an_address_is_unreachable(addresses: Sequence[str] | None) -> None:
    with pytest.raises(BankUnreachable):
        Network(addresses).get(f"https://{HOST}/jwks", ONLY_PUBLIC)


def test_a_private_address_is_connected_to_where_it_is_allowed() -> None:
    network = Network(["10.0.0.1"])
    with pytest.raises(BankUnreachable):
        network.get(f"https://{HOST}/jwks", ONLY_PUBLIC | PRIVATE_KINDS)
    assert network.connected == [("10.0.0.1", 443)]


def test_tls_is_with_the_name_and_not_with_the_address(tmp_path: Path) -> None:
    named, of_another = certificate(tmp_path, HOST), certificate(tmp_path, "127.0.0.1")
    with served(answering(answer(b"{}")), context(named)) as server:
        port = server.url.rpartition(":")[2]
        found = Network(["127.0.0.1"]).get(f"https://{HOST}:{port}/jwks", HERE, named)
        assert (found.status, found.body) == (200, b"{}")
        assert b"Host: keys.client.fi" in server.requests[0]
    with served(answering(answer(b"{}")), context(of_another)) as server:
        port = server.url.rpartition(":")[2]
        with pytest.raises(BankUnreachable):
            Network(["127.0.0.1"]).get(f"https://{HOST}:{port}/jwks", HERE, of_another)
        assert server.requests == []


def test_the_resolver_gives_the_addresses_of_a_name() -> None:
    assert "127.0.0.1" in checked_address.resolve("127.0.0.1", 443)
