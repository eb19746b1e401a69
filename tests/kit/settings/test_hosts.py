"""What a host is, in every spelling that a browser or a resolver reads."""

from __future__ import annotations

import pytest

from kit.settings.hosts import host_of, is_this_machine, kind_of

KINDS = {
    "this machine": [
        "localhost", "LOCALHOST.", "a.localhost", "localhost.localdomain", "127.0.0.1", "127.1", "127.0.1",
        "127.255.0.9", "2130706433", "0x7f000001", "0x7F.1", "0177.0.0.1", "017700000001", "127.0.0.1.", "[::1]", "::1",
        "[0:0::1]",
        "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
    ],
    "unspecified": ["0.0.0.0", "0", "0x0", "[::]", "0.1.2.3", "[::ffff:0.0.0.0]"],
    "link-local": ["169.254.169.254", "2852039166", "[fe80::1]", "[fe80::1%25eth0]", "[::ffff:169.254.1.1]"],
    "multicast": ["224.0.0.1", "[ff02::1]"],
    "private": [
        "10.0.0.5", "10.5", "172.16.0.1", "192.168.1", "100.64.0.1", "[fd00::1]", "[fec0::1]", "[::ffff:10.0.0.1]",
        "db.internal", "printer.local", "x.home.arpa", "router.lan", "kubernetes.default.svc",
    ],
    "reserved": ["192.0.2.7", "198.51.100.1", "203.0.113.1", "240.0.0.1", "255.255.255.255", "[2001:db8::1]"],
    "one label": ["valkey", "broker", "id", "latest", "postgres."],
    "no host": [
        "", ".", "127.0.0.256", "1.2.3.4.5", "127.0.0.09", "4294967296", "1..2", "%6cocalhost", "a b", "[::g]",
        "bank..fi", ".bank.fi", "-bank.fi", "bank-.fi", f"{'a' * 64}.fi", "a.onion", "a.alt",
    ],
    "placeholder": ["id.energy.example", "example.com", "a.example.org", "x.test", "x.invalid", "EXAMPLE.NET."],
    "sandbox": ["isb-test.op.fi", "x.isb-test.op.fi", "tunnistus-pp.telia.fi."],
    "public": [
        "id.energia.fi", "isb.op.fi", "8.8.8.8", "134744072", "[2a00:1450:400f::1]", "172.32.0.1", "0x.fi", "1.fi",
        "myexample.com", "notlocalhost.fi", "xn--80ak6aa92e.com",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("host", "kind"), [(host, kind) for kind, hosts in KINDS.items() for host in hosts])
def test_a_host_is_known_in_every_spelling(host: str, kind: str) -> None:
    assert kind_of(host) == kind
    assert is_this_machine(host) == (kind == "this machine")


def test_the_host_of_a_url() -> None:
    assert host_of("https://[::ffff:127.0.0.1]:8000/x") == "::ffff:127.0.0.1"
    assert host_of("https://127.1:8000") == "127.1"
    assert host_of("https://[::1") == ""
