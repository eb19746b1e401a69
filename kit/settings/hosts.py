"""What a host is: a name or an address of the internet, of a private network, of this machine, or of nobody.

An address is read in every spelling that a browser or a resolver reads: `127.1`, `2130706433`, `0x7f000001`,
`0177.0.0.1`, `[::ffff:127.0.0.1]`. Sources: WHATWG URL §3.5 (the IPv4 parser), inet_aton(3); RFC 6890 (special
addresses), RFC 1123 §2.1 (names), RFC 2606, RFC 6761, RFC 7686 and RFC 9476 (special names), RFC 4291 §2.5.5, RFC 6052
and RFC 3056 (IPv4 within IPv6).
"""

from __future__ import annotations

import ipaddress
import re
from typing import Literal
from urllib.parse import urlsplit

Kind = Literal[
    "public", "this machine", "private", "one label", "link-local", "unspecified", "multicast", "reserved",
    "no host", "placeholder", "sandbox",
]  # fmt: skip
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

PRIVATE_KINDS: frozenset[Kind] = frozenset({"private", "one label"})
"""Of a network of one's own, such as the names of containers."""
SANDBOX_HOSTS = ("isb-test.op.fi", "tunnistus-pp.telia.fi")
"""Hosts of the brokers' test environments (OP Identity Service Broker API §2; Telia integration guide §2)."""
_OF_OTHER_NAME_SYSTEMS = ("onion", "alt")
_PLACEHOLDERS = ("example", "invalid", "test", "example.com", "example.org", "example.net")
_THIS_MACHINE = ("localhost", "localhost.localdomain", "localhost6", "ip6-localhost", "ip6-loopback")
_PRIVATE_NAMES = ("local", "internal", "localdomain", "home.arpa", "lan", "intranet", "corp", "home", "private", "svc")
_PRIVATE_NETWORKS = tuple(
    ipaddress.ip_network(network)
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fec0::/10")
)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")


def host_of(url: str) -> str:
    """The host of a URL, without brackets and port; empty if there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def kind_of(host: str) -> Kind:
    """What a host is. host: a name or an address, with or without brackets."""
    name = host.strip("[]").lower().rstrip(".")
    if not name or re.search(r"[^a-z0-9._:\-]", name.partition("%")[0] if ":" in name else name):
        return "no host"
    try:
        address = address_of(name)
    except ValueError:
        return "no host"
    return _kind_of_name(name) if address is None else _kind_of_address(address)


def is_this_machine(host: str) -> bool:
    """Whether a host name or address means this machine."""
    return kind_of(host) == "this machine"


def is_address(host: str) -> bool:
    """Whether a host is written as an address, in whatever spelling."""
    try:
        return bool(host) and address_of(host.strip("[]").lower().rstrip(".")) is not None
    except ValueError:
        return False


def address_of(name: str) -> Address | None:
    """The address that a host spells; None if it is a name. Raises ValueError for one that only looks like one.

    An IPv4 address that IPv6 wraps is that IPv4 address.
    """
    if ":" in name:
        return _unwrapped(ipaddress.IPv6Address(name.partition("%")[0]))
    parts = name.split(".")
    if not _NUMBER.fullmatch(parts[-1]):
        return None
    if len(parts) > 4 or not all(_NUMBER.fullmatch(part) for part in parts):
        raise ValueError("is no IPv4 address")
    *first, last = (_number(part) for part in parts)
    if any(number > 255 for number in first):
        raise ValueError("is no IPv4 address")
    value = sum(number << 8 * (3 - place) for place, number in enumerate(first))
    if last >= 1 << 8 * (4 - len(first)):
        raise ValueError("is no IPv4 address")
    return ipaddress.IPv4Address(value + last)


def _number(part: str) -> int:
    if part[:2].lower() == "0x":
        return int(part[2:] or "0", 16)
    return int(part, 8 if len(part) > 1 and part[0] == "0" else 10)


def _unwrapped(address: ipaddress.IPv6Address) -> Address:
    low = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address.ipv4_mapped or address in ipaddress.IPv6Network("64:ff9b::/96"):
        return low
    if address in ipaddress.IPv6Network("::/96") and int(address) > 1:
        return low
    return address.sixtofour or address


def _kind_of_address(address: Address) -> Kind:
    if address.is_unspecified or address in ipaddress.ip_network("0.0.0.0/8"):
        return "unspecified"
    if address.is_loopback:
        return "this machine"
    if address.is_link_local:
        return "link-local"
    if address.is_multicast:
        return "multicast"
    if any(address in network for network in _PRIVATE_NETWORKS):
        return "private"
    return "public" if address.is_global else "reserved"


def _kind_of_name(name: str) -> Kind:
    def is_below(*parents: str) -> bool:
        return any(name == parent or name.endswith(f".{parent}") for parent in parents)

    if is_below(*_THIS_MACHINE):
        return "this machine"
    if is_below(*_PLACEHOLDERS):
        return "placeholder"
    if is_below(*SANDBOX_HOSTS):
        return "sandbox"
    if is_below(*_OF_OTHER_NAME_SYSTEMS) or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        return "no host"
    if "." not in name:
        return "one label"
    return "private" if is_below(*_PRIVATE_NAMES) else "public"
